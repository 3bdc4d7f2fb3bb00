"""How many test pictures of CIFAR-10 does a minute of one thread get right? By hand:

    nox -s minute                    five seeds, some six minutes
    nox -s minute -- --valid         the same on the pictures set aside, to choose with
    nox -s minute -- --write         also writes docs/measured/minute.json

This is the recipe to beat. Change it here, choose with `--valid`, and look at the test
pictures once. What counts is processor time of one thread, from the pictures as bytes
in memory to the last step, with all that is prepared for it. Reading the file and
asking the network afterwards do not count. The last 5,000 training pictures are never
trained on.

The learning rate follows the clock, so a faster processor makes more steps: a figure
belongs to the processor that stands beside it.
"""

import argparse
import datetime
import json
import math
import statistics
import sys
import time
from pathlib import Path

import torch
import torch._dynamo  # the first optimizer would, in somebody's minute
from torch import Tensor, nn
from torch.nn import functional as F

from load import COPIES, cifar10, used
from page_runner.execute import processor
from page_runner.store import write_whole

TABLE = Path(__file__).parents[2] / "docs" / "measured" / "minute.json"
BUDGET = 60.0  # seconds of processor time
SEEDS = [1, 2, 3, 4, 5]
NUM_TRAIN = 45_000

learning_rate = 0.006  # 0.01 did as well on the pictures set aside
rise = 0.2  # of the time, in which the rate rises; then it falls to 0
batch_size = 64
smoothing = 0.1  # of what is asked of the right class, shared by all ten
padding = 2  # pixels that a batch may be shifted by, either way


class Clock:
    """Processor time of this process since it was made."""

    def __init__(self) -> None:
        self._start = time.process_time()

    def progress(self) -> float:
        """The share of the budget that is used."""
        return (time.process_time() - self._start) / BUDGET


def standardized(images: Tensor, trained_on: Tensor) -> Tensor:
    """Bytes (n, 3, 32, 32) as floats, by mean and deviation of training pictures."""
    some = trained_on[:10_000].float()
    std, mean = torch.std_mean(some, dim=(0, 2, 3), keepdim=True)
    images = images.to(torch.float32, memory_format=torch.channels_last)
    return (images - mean) / std


def whitened(images: Tensor, num_filters: int = 16) -> nn.Conv2d:
    """A first layer that learns its biases only: eigenvectors and their negatives.

    Each of its filters (4 by 4 pixels) answers with a variance of 1. Source: page 62.
    """
    patches = F.unfold(images, kernel_size=4, stride=4)  # (n, 48, 64)
    values, vectors = torch.linalg.eigh(torch.cov(patches.transpose(0, 1).flatten(1)))
    best = slice(-num_filters // 2, None)
    filters = (vectors[:, best] / values[best].sqrt()).T  # (num_filters / 2, 48)
    layer = nn.Conv2d(3, num_filters, kernel_size=4, stride=2, padding=1)
    weight = torch.cat([filters, -filters]).view_as(layer.weight)
    layer.weight = nn.Parameter(weight, requires_grad=False)
    layer.bias = nn.Parameter(torch.zeros(num_filters))
    return layer


def network(images: Tensor) -> nn.Sequential:
    """(n, 3, 32, 32) to 10 logits; whitened by some images."""

    def block(size_in: int, size_out: int, pool: bool) -> list[nn.Module]:
        conv = nn.Conv2d(size_in, size_out, kernel_size=3, padding=1, bias=False)
        pools = [nn.MaxPool2d(2)] if pool else []
        return [conv, *pools, nn.BatchNorm2d(size_out), nn.ReLU()]

    return nn.Sequential(
        *(whitened(images), nn.ReLU()),  # (n, 16, 16, 16)
        *block(16, 32, pool=True),  # (n, 32, 8, 8)
        *block(32, 64, pool=True),  # (n, 64, 4, 4)
        *block(64, 64, pool=False),
        *(nn.Flatten(), nn.Linear(1024, 10)),
    )


def train(images: Tensor, labels: Tensor, seed: int) -> tuple[nn.Sequential, float]:
    """A network after a minute, and how often it saw each picture."""
    torch.manual_seed(seed)
    clock = Clock()
    images = standardized(images, images)
    model = network(images[:5_000]).to(memory_format=torch.channels_last)
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=learning_rate, fused=True)
    padded = F.pad(images, (padding,) * 4, mode="reflect")
    padded = padded.contiguous(memory_format=torch.channels_last)
    flip = torch.rand(len(images), 1, 1, 1) < 0.5  # and the others, in turn
    num_seen = 0
    while True:
        for batch in torch.randperm(len(images)).split(batch_size):
            if (gone := clock.progress()) >= 1:
                return model.eval(), num_seen / len(images)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * min(gone / rise, (1 - gone) / (1 - rise))
            y, x = torch.randint(2 * padding + 1, (2,)).tolist()
            shifted = padded[batch][:, :, y : y + 32, x : x + 32]
            shifted = torch.where(flip[batch], shifted.flip(3), shifted)
            loss = F.cross_entropy(
                model(shifted), labels[batch], label_smoothing=smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            num_seen += len(batch)
        flip = ~flip


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Share of the pictures right, each seen in six ways: mirrored, and shifted."""
    padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
    logits = torch.zeros(len(images), 10)
    for y, x, weight in [(1, 1, 2.0), (0, 0, 1.0), (2, 2, 1.0)]:
        for seen in (padded, padded.flip(3)):
            parts = seen[:, :, y : y + 32, x : x + 32].split(500)
            logits += weight * torch.cat([model(part) for part in parts])
    return (logits.argmax(dim=1) == labels).float().mean().item()


def main() -> None:
    """Train with five seeds, one after the other; print each, then mean and SD."""
    parser = argparse.ArgumentParser()
    judged = parser.add_mutually_exclusive_group()
    judged.add_argument("--valid", action="store_true", help="leave the test set alone")
    judged.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    data = cifar10()
    train_images, train_labels = data.train_images, data.train_labels
    judge_images, judge_labels = data.test_images, data.test_labels
    if asked.valid:
        judge_images, judge_labels = train_images[NUM_TRAIN:], train_labels[NUM_TRAIN:]
    train_images, train_labels = train_images[:NUM_TRAIN], train_labels[:NUM_TRAIN]
    judge_images = standardized(judge_images, train_images)
    runs, epochs = [], []
    for seed in SEEDS:
        model, seen = train(train_images, train_labels, seed)
        runs.append(accuracy(model, judge_images, judge_labels))
        epochs.append(seen)
        print(f"{runs[-1]:.4f} after {seen:.1f} epochs, seed {seed}", flush=True)
    mean, deviation = statistics.mean(runs), statistics.stdev(runs)
    error = math.sqrt(mean * (1 - mean) / len(judge_labels))
    print(f"{mean:.3f} ± {deviation:.3f}, standard error {error:.3f}; {processor()}")
    if asked.write:
        kind, _, fingerprint = used["cifar10"].partition(" ")
        if kind != "real":
            sys.exit(f"not written: the pictures are {kind}")
        table = {
            "date": datetime.date.today().isoformat(),
            "processor": processor(),
            "altered": COPIES[f"cifar10 {fingerprint}"],
            "runs": [round(run, 4) for run in runs],
            "mean": round(mean, 3),
            "deviation": round(deviation, 3),
            "standard_error": round(error, 3),
            "epochs": round(statistics.mean(epochs), 1),
        }
        write_whole(TABLE, json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
