"""`nox -s minute`: what it trains, and that the page says what it measured."""

import json
import statistics
import time
from itertools import count
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from tools import minute

PAGE = Path(__file__).parents[1] / "snippets" / "61_much_faster.py"


@pytest.fixture
def images() -> torch.Tensor:
    """Smooth coloured pictures, as bytes, of ten kinds by their brightness."""
    torch.manual_seed(0)
    brightness = torch.arange(640)[:, None, None, None] % 10
    rough = brightness + 0.3 * torch.randn(640, 3, 8, 8)
    smooth = F.interpolate(rough, size=(32, 32), mode="bilinear")
    return (20 * smooth + 30 + 2 * torch.randn(640, 3, 32, 32)).clamp(0, 255).byte()


def test_a_network_learns_until_the_time_is_over(
    images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that counts steps: 80 of 64 pictures."""
    ticks = count()
    monkeypatch.setattr(minute.Clock, "progress", lambda _: next(ticks) / 80)
    labels = torch.arange(640) % 10
    model, epochs = minute.train(images, labels, seed=1)
    assert epochs == 8
    assert not model.training
    pictures = minute.standardized(images, images)
    assert minute.accuracy(model, pictures, labels) > 0.3  # of ten kinds


def test_the_clock_counts_the_time_of_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([100.0, 130.0, 160.0])
    monkeypatch.setattr(time, "process_time", lambda: next(times))
    clock = minute.Clock()
    assert [clock.progress(), clock.progress()] == [0.5, 1.0]


def test_filters_are_whitened_and_stay(images: torch.Tensor) -> None:
    pictures = minute.standardized(images, images)
    layer = minute.whitened(pictures)
    assert not layer.weight.requires_grad
    patches = F.unfold(pictures, kernel_size=4, stride=4).transpose(0, 1).flatten(1)
    answers = layer.weight.flatten(1) @ patches
    assert torch.allclose(answers[:8], -answers[8:], atol=1e-4)
    assert torch.allclose(torch.cov(answers[:8]), torch.eye(8), atol=0.01)


def test_the_page_says_what_was_measured() -> None:
    measured = json.loads(minute.TABLE.read_text())
    said = f"{measured['mean']:.3f} ± {measured['deviation']:.3f}"
    assert said in PAGE.read_text(encoding="utf-8")
    runs = measured["runs"]
    assert len(runs) == len(minute.SEEDS)
    assert round(statistics.mean(runs), 3) == measured["mean"]
    assert round(statistics.stdev(runs), 3) == measured["deviation"]
