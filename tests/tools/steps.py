"""What do bfloat16 and `torch.compile` save of a training step? By hand:

    nox -s steps                     some minutes; `torch.compile` needs a compiler
    nox -s steps -- --write          also writes docs/measured/steps.json

A step is one of the recipe of `nox -s minute`: 64 pictures, forward, backward, update.
The three ways take turns, and the shortest time of each counts, since other programs
can only make a step longer. What it takes to compile is counted apart. The answer
differs from processor to processor, so each has its own row.
"""

import argparse
import datetime
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from page_runner.execute import processor
from page_runner.store import write_whole
from tools import minute

TABLE = Path(__file__).parents[2] / "docs" / "measured" / "steps.json"

Context = Callable[[], AbstractContextManager[object]]


def step_time(
    model: nn.Module, batch: tuple[Tensor, Tensor], num_steps: int, context: Context
) -> float:
    """Seconds of processor time for a training step on a batch."""
    images, labels = batch
    learned = [it for it in model.parameters() if it.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=minute.learning_rate, fused=True)
    started = time.process_time()
    for _ in range(num_steps):
        with context():
            loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (time.process_time() - started) / num_steps


def instructions() -> str:
    """What the processor has for products of matrices in bfloat16."""
    has = torch.cpu.get_capabilities()
    kinds = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512"}
    return " and ".join(kind for name, kind in kinds.items() if has.get(name)) or "none"


def measured(
    images: Tensor,
    labels: Tensor,
    num_rounds: int = 7,
    num_steps: int = 40,
    backend: str = "inductor",
) -> dict[str, float]:
    """Times of a step, in parts of the plain one, on standardised pictures.

    `compiling` is what the first compiled step takes, counted in plain steps, without
    the processes that it starts.
    """
    batch = images[: minute.batch_size], labels[: minute.batch_size]
    models = {
        name: minute.network(images).to(memory_format=torch.channels_last)
        for name in ("plain", "bfloat16", "compiled")
    }
    models["compiled"].compile(backend=backend)
    rough = partial(torch.autocast, "cpu", torch.bfloat16)
    contexts: dict[str, Context] = {"bfloat16": rough}

    def times(num_steps: int) -> dict[str, float]:
        return {
            name: step_time(model, batch, num_steps, contexts.get(name, nullcontext))
            for name, model in models.items()
        }

    first = times(1)
    rounds = [times(num_steps) for _ in range(num_rounds)]
    shortest = {name: min(each[name] for each in rounds) for name in models}
    plain = shortest.pop("plain")
    parts = {name: seconds / plain for name, seconds in shortest.items()}
    return {**parts, "compiling": first["compiled"] / plain}


def main() -> None:
    """Measure on noise, since times do not depend on the pictures; print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    images = torch.randn(512, 3, 32, 32).to(memory_format=torch.channels_last)
    found = measured(images, torch.arange(512) % 10)
    row = {name: round(value, 1) for name, value in found.items()}
    name = f"{processor()}, {torch.backends.cpu.get_cpu_capability()}"
    print(f"{name}: {row}, in plain steps")
    if asked.write:
        table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
        told = {
            "date": datetime.date.today().isoformat(),
            "torch": torch.__version__.split("+")[0],
            "instructions": instructions(),
        }
        table[name] = told | row
        write_whole(TABLE, json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
