"""`nox -s steps`: what it times, and that the page says what it measured."""

import json
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tools import minute, steps

PAGE = Path(__file__).parents[1] / "snippets" / "61_much_faster.py"


def test_every_way_trains_and_is_told_in_plain_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a clock by which a bfloat16 step takes three times as long as others."""
    now, seen, num_compiled = 0.0, set(), 0
    weight = nn.Parameter(torch.ones(10))

    class Network(nn.Module):
        def __init__(self, images: Tensor) -> None:
            super().__init__()
            self.weight = weight

        def compile(self, *_: object, backend: str) -> None:
            nonlocal num_compiled
            num_compiled += 1
            assert backend == "inductor"

        def forward(self, images: Tensor) -> Tensor:
            nonlocal now
            is_rough = torch.is_autocast_enabled("cpu")
            now += 3 if is_rough else 1
            seen.add((is_rough, len(images)))
            return images.flatten(1)[:, :10] * self.weight

    monkeypatch.setattr(minute, "network", Network)
    monkeypatch.setattr(time, "process_time", lambda: now)
    images, labels = torch.randn(80, 3, 32, 32), torch.arange(80) % 10
    found = steps.measured(images, labels, num_rounds=2, num_steps=3)
    assert found == {"bfloat16": 3, "compiled": 1, "compiling": 1}
    assert seen == {(False, 64), (True, 64)}
    assert num_compiled == 1
    assert not weight.equal(torch.ones(10))


def test_a_compiled_network_is_one_of_them() -> None:
    images, labels = torch.randn(64, 3, 32, 32), torch.arange(64) % 10
    found = steps.measured(images, labels, num_rounds=1, num_steps=1, backend="eager")
    assert found["compiling"] > 3 * found["compiled"] > 0
    assert found["bfloat16"] > 0


def test_the_page_says_what_was_measured() -> None:
    said = PAGE.read_text(encoding="utf-8")
    rows = json.loads(steps.TABLE.read_text()).values()
    without, with_them = sorted(rows, key=lambda row: row["instructions"] != "none")
    assert without["instructions"] == "none" != with_them["instructions"]
    assert f"takes {with_them['bfloat16']} of the time" in said
    assert f"takes {without['bfloat16']} times as long" in said
    assert min(row["compiled"] for row in rows) >= 1


def test_what_a_processor_has_for_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    has: dict[str, bool] = {}  # of another architecture
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert steps.instructions() == "none"
    has |= {"amx_bf16": False, "avx512_bf16": True}
    assert steps.instructions() == "AVX-512"
    has["amx_bf16"] = True
    assert steps.instructions() == "AMX and AVX-512"
