"""Asserts are counted as they run, and measured where asked; seeds are shifted."""

from pathlib import Path

import pytest

from page_runner.pool import PagePool
from page_runner.run import Run
from page_runner.script import find_pages, parse
from page_runner.variations import PLAIN, Variation, other_seeds
from tools.luck import FIXED, MARK, MOST_MARKED, Comparison, claims_of

SNIPPETS = Path(__file__).parents[1] / "snippets"
HEADER = """\
# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # Title

# %%
"""
FIRST_LINE = 13
MEASURED = Variation("measured", measure=True)


def run(folder: Path, code: str, *ways: Variation) -> list[Run]:
    script = folder / "snippets" / "11_page.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(HEADER + code)
    page = parse(script)
    with PagePool("cpu", folder) as pool:
        futures = [pool.submit(page, way) for way in ways or [PLAIN]]
        return [future.result() for future in futures]


def test_asserts_that_run_are_counted(tmp_path: Path) -> None:
    code = """\
import torch
def check(x):
    assert x > 0
def never():
    assert False
for i in range(3):
    check(i + 1)
torch.testing.assert_close(torch.ones(2), torch.ones(2))
"""
    (ran,) = run(tmp_path, code)
    assert ran.failure is None
    runs = {line - FIRST_LINE: claim.runs for line, claim in ran.claims.items()}
    assert runs == {2: 3, 7: 1}
    assert ran.unclaimed == [FIRST_LINE + 4]


def test_an_assert_is_the_scripts_own(tmp_path: Path) -> None:
    """That it is counted changes neither what it says nor where it fails."""
    (ran,) = run(tmp_path, "x = 2\nassert x == 3, f'{x} of 3'\n")
    assert ran.failure is not None
    assert (ran.failure.line, ran.failure.message) == (FIRST_LINE + 1, "2 of 3")
    assert "claims" not in ran.failure.traceback


def test_measured_asserts_stop_nothing_and_say_their_room(tmp_path: Path) -> None:
    code = """\
import torch
loss, accuracies = torch.tensor(0.25), torch.tensor([0.9, 0.7])
assert loss < 0.1
assert 0.2 < loss < 0.5 and len(accuracies) == 2
assert (accuracies > 0.8).all()
assert all(loss < x for x in accuracies)
assert sorted([2, 1]) == [1, 2]
print("reached")
"""
    (ran,) = run(tmp_path, code, MEASURED)
    assert ran.printed()[1] == "reached\n"
    claims = [ran.claims[FIRST_LINE + i] for i in range(2, 7)]
    assert [claim.holds for claim in claims] == [False, True, False, True, True]
    rooms = [
        [(room.value, room.room, room.is_bound) for room in claim.rooms.values()]
        for claim in claims
    ]
    expected = [
        [(0.25, -0.15, True)],
        [(0.25, 0.05, True), (0.25, 0.25, True)],
        [(0.7, -0.1, True)],
        [(0.25, 0.45, False)],
        [],
    ]
    for got, wanted in zip(rooms, expected, strict=True):
        assert [pytest.approx(one, abs=1e-6) for one in wanted] == got


SEEDS = {
    "torch": "torch.manual_seed(3); print(torch.rand(1))",
    "generator": "print(torch.rand(1, generator=torch.Generator().manual_seed(3)))",
    "numpy": "np.random.seed(3); print(np.random.rand())",
    "new numpy": "print(np.random.default_rng(3).random())",
    "keyword": "print(np.random.default_rng(seed=3).random())",
    "python": "random.seed(3); print(random.random())",
}


def test_all_seeds_of_a_page_are_shifted_and_those_of_libraries_are_not(
    tmp_path: Path,
) -> None:
    code = "import random, numpy as np, torch\n"
    code += "".join(f"{line}\n" for line in SEEDS.values())
    code += """\
library = type(np)("library")
exec("import torch\\ndef draw(): torch.manual_seed(3); return torch.rand(1)",
     vars(library))
print(library.draw())
"""
    first, again, other = run(tmp_path, code, PLAIN, *other_seeds(2))
    lines = [ran.printed()[1].splitlines() for ran in (first, again, other)]
    assert lines[0] == lines[1]
    same = [a == b for a, b in zip(lines[0], lines[2], strict=True)]
    assert same == [*[False] * len(SEEDS), True]


def test_a_measured_assert_at_the_end_of_a_cell_shows_nothing(tmp_path: Path) -> None:
    (ran,) = run(tmp_path, "assert 1 < 2\n", MEASURED)
    assert ran.failure is None
    assert ran.outputs[1] == []


def test_luck_is_named(tmp_path: Path) -> None:
    code = f"""\
import torch
torch.manual_seed(0)
x = torch.rand(()).item()
assert x < 0.5
assert x < 0.4  {MARK}
assert x < 9
assert x ** 0 == 1
assert x < 1  {FIXED}
"""
    runs = run(tmp_path, code, *other_seeds(8))
    page = parse(tmp_path / "snippets" / "11_page.py")
    near, marked, far, sure, fixed = claims_of(page, runs)
    assert 0 < near.held < near.seeds == 8
    assert any("holds for" in problem for problem in near.problems())
    assert not list(marked.problems())
    assert any("sd from its bound" in problem for problem in far.problems())
    assert not list(sure.problems())
    assert not list(fixed.problems())


@pytest.mark.parametrize(
    ("rooms", "distance"), [([1.0, 1.2, 0.8], 5.0), ([1.0, 1.0, 1.0], None)]
)
def test_distance_is_in_standard_deviations(
    rooms: list[float], distance: float | None
) -> None:
    comparison = Comparison("x > 0", True, False, values=rooms, rooms=rooms)
    if distance is None:
        assert comparison.distance is None
    else:
        assert comparison.distance == pytest.approx(distance)


def test_few_claims_hold_for_one_seed_only() -> None:
    marked = [
        line
        for script in find_pages(SNIPPETS)
        for line in script.read_text(encoding="utf-8").splitlines()
        if MARK in line
    ]
    assert len(marked) <= MOST_MARKED
    assert all("assert" in line for line in marked)
