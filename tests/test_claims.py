"""Asserts are counted as they run, and measured where asked; seeds are shifted."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from page_runner.claims import Sign, without_bounds
from page_runner.pool import PagePool
from page_runner.run import Run
from page_runner.script import find_pages, parse
from page_runner.variations import PLAIN, Variation, other_seeds
from tools.luck import (
    FIXED,
    MARK,
    MOST_MARKED,
    Bounded,
    Spread,
    entry_of,
    joined,
    judged,
    kept_runs,
    ran_digest,
    signs_of,
    written_on,
)

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


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagePool]:
    with PagePool("cpu", tmp_path_factory.mktemp("data")) as pool:
        yield pool


def run(pool: PagePool, folder: Path, code: str, *ways: Variation) -> list[Run]:
    script = folder / "snippets" / "11_page.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(HEADER + code)
    page = parse(script)
    futures = [pool.submit(page, way) for way in ways or [PLAIN]]
    return [future.result() for future in futures]


def test_asserts_that_run_are_counted(pool: PagePool, tmp_path: Path) -> None:
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
    (ran,) = run(pool, tmp_path, code)
    assert ran.failure is None
    runs = {line - FIRST_LINE: claim.runs for line, claim in ran.claims.items()}
    assert runs == {2: 3, 7: 1}
    assert ran.unclaimed == [FIRST_LINE + 4]


def test_an_assert_is_the_scripts_own(pool: PagePool, tmp_path: Path) -> None:
    """That it is counted changes neither what it says nor where it fails."""
    (ran,) = run(pool, tmp_path, "x = 2\nassert x == 3, f'{x} of 3'\n")
    assert ran.failure is not None
    assert (ran.failure.line, ran.failure.message) == (FIRST_LINE + 1, "2 of 3")
    assert "claims" not in ran.failure.traceback


def test_measured_asserts_stop_nothing_and_say_their_room(
    pool: PagePool, tmp_path: Path
) -> None:
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
    (ran,) = run(pool, tmp_path, code, MEASURED)
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
    pool: PagePool,
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
    first, again, other = run(pool, tmp_path, code, PLAIN, *other_seeds(2))
    lines = [ran.printed()[1].splitlines() for ran in (first, again, other)]
    assert lines[0] == lines[1]
    same = [a == b for a, b in zip(lines[0], lines[2], strict=True)]
    assert same == [*[False] * len(SEEDS), True]


def test_a_measured_assert_at_the_end_of_a_cell_shows_nothing(
    pool: PagePool, tmp_path: Path
) -> None:
    (ran,) = run(pool, tmp_path, "assert 1 < 2\n", MEASURED)
    assert ran.failure is None
    assert ran.outputs[1] == []


LUCK = f"""\
import torch
torch.manual_seed(0)
x = torch.rand(()).item()
assert x < 0.5
assert x < 0.4  {MARK}
assert x < 9
assert x ** 0 == 1
assert x < 1  {FIXED}
assert x > 0.01 and x < x + 1
"""


def test_luck_is_named(pool: PagePool, tmp_path: Path) -> None:
    runs = run(pool, tmp_path, LUCK, *other_seeds(5))
    page = parse(tmp_path / "snippets" / "11_page.py")
    claims, entry = judged(page, entry_of(page, runs))
    near, marked, far, sure, fixed, _ = claims
    assert not near.holds
    assert any("fails for some of 5 seeds" in one for one in near.problems())
    assert not marked.holds
    assert not list(marked.problems())
    assert any("sd from its bound" in problem for problem in far.problems())
    assert not list(sure.problems())
    assert not list(fixed.problems())
    said = {one["line"]: one["distance"] for one in entry["comparisons"].values()}
    assert said[marked.line] is said[fixed.line] is None
    assert said[near.line] is not None


@pytest.mark.parametrize(
    "line",
    ["x == 0", "x < 0 * x", "x > x", "x * float('nan') < 9", "x * float('inf') < 9"],
)
def test_what_fails_without_a_bound_is_kept(
    pool: PagePool, tmp_path: Path, line: str
) -> None:
    code = LUCK.partition("assert")[0] + f"assert x < 9\nassert {line}\n"
    runs = run(pool, tmp_path, code, *other_seeds(2))
    page = parse(tmp_path / "snippets" / "11_page.py")
    holds = [claim.holds for claim in judged(page, entry_of(page, runs))[0]]
    assert holds == [True, False]


CHANGED = {
    "nothing": {},
    "bounds, so that all hold": {"x < 0.5": "x < 1.5", "x > 0.01": "x > -3"},
    "bounds, so that some fail": {"x < 0.5": "x < 0.93", "x > 0.01": "x > 0.9"},
    "marks and lines": {MARK: "", "x < 9": f"x < 9  {FIXED}", "x = t": "\n\nx = t"},
}


@pytest.mark.parametrize("what", CHANGED)
def test_kept_runs_are_judged_as_new_ones(
    pool: PagePool, tmp_path: Path, what: str
) -> None:
    """By the bounds and the marks that stand; then the table is as if made anew."""
    runs = run(pool, tmp_path, LUCK, *other_seeds(3))
    page = parse(tmp_path / "snippets" / "11_page.py")
    _, kept = judged(page, entry_of(page, runs))

    code = LUCK
    for old, new in CHANGED[what].items():
        assert old in code
        code = code.replace(old, new)
    runs = run(pool, tmp_path, code, *other_seeds(3))
    page = parse(page.path)
    claims, entry = judged(page, entry_of(page, runs))
    assert judged(page, json.loads(json.dumps(kept))) == (claims, entry)
    held = [all(run.claims[claim.line].holds for run in runs) for claim in claims]
    assert [claim.holds for claim in claims] == held


def test_more_runs_are_judged_with_those_that_are_kept(
    pool: PagePool, tmp_path: Path
) -> None:
    runs = run(pool, tmp_path, LUCK + "result = 'x', x\n", *other_seeds(5))
    page = parse(tmp_path / "snippets" / "11_page.py")
    kept, more = judged(page, entry_of(page, runs[:2]))[1], entry_of(page, runs[2:])
    more["processor"] = "another"
    named = {**more, "result": {"seeds": 3, "mean": 0.5, "deviation": 0.1}}  # since
    unnamed = joined({**kept, "result": None}, named, signs_of(written_on(page)))
    assert unnamed["result"] == named["result"]
    both = joined(kept, more, signs_of(written_on(page)))
    assert both["processor"] == f"{kept['processor']}; another"
    again = joined(both, more, signs_of(written_on(page)))
    assert again["processor"] == both["processor"]
    whole = judged(page, entry_of(page, runs))[1]
    both = judged(page, {**both, "processor": whole["processor"]})[1]
    assert rounded(both) == rounded(whole)


def rounded(entry: Any) -> Any:
    """An entry of the table, to the digits that survive two roundings."""
    if isinstance(entry, dict):
        return {key: rounded(value) for key, value in entry.items()}
    return float(f"{entry:.3g}") if isinstance(entry, float) else entry


@pytest.mark.parametrize("old", ["seed(0)", "x + 1", "x ** 0 == 1", "x < x"])
def test_runs_of_other_code_are_not_judged(tmp_path: Path, old: str) -> None:
    script = tmp_path / "snippets" / "11_page.py"
    script.parent.mkdir()
    script.write_text(HEADER + LUCK)
    digest = ran_digest(parse(script))
    script.write_text(HEADER + LUCK.replace(old, old.replace("x", "2 * x") + " + 0"))
    assert ran_digest(parse(script)) != digest


def test_claims_hold_for_the_seeds_that_were_run() -> None:
    """No bound is moved to where runs of the same code say that it does not hold."""
    num_judged, problems, forgotten = 0, [], []
    for script in find_pages(SNIPPETS):
        page = parse(script)
        if kept := kept_runs(page):
            claims, entry = judged(page, kept)
            num_judged += 1
            problems += [text for claim in claims for text in claim.problems()]
            if entry["code"] != kept["code"]:
                forgotten.append(page.stem)
    assert num_judged > 0
    assert problems == []
    assert forgotten == [], "run `nox -s luck -- --judge`: the site leaves them out"


@pytest.mark.parametrize(
    ("code", "same"),
    [
        ("assert x < 0.5", "assert x < 0.7  # for this seed"),
        ("assert 0.2 < x < 0.5 and y > 1", "assert 0.1 < x < 0.6 and y > 28 * 28"),
        ("assert all(x > 1 for x in y)", "assert all(x > -2 for x in y)"),
        ("assert (x > 1).all()", "assert (x > 2).all()"),
    ],
)
def test_a_bound_is_no_part_of_what_ran(code: str, same: str) -> None:
    assert without_bounds(code) == without_bounds(same)


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("x = 1", "x = 2"),
        ("assert x == 1", "assert x == 2"),
        ("assert x < y - 1", "assert x < y - 2"),
        ("assert any(x > 1 for x in y)", "assert any(x > 2 for x in y)"),
        ("assert x < 1 or y > 1", "assert x < 2 or y > 1"),
        ("if x < 1: y = 2", "if x < 2: y = 2"),
    ],
)
def test_what_is_no_bound_is_a_part_of_what_ran(code: str, other: str) -> None:
    assert without_bounds(code) != without_bounds(other)


@pytest.mark.parametrize(
    ("values", "distance"), [([1.0, 1.2, 0.8], 5.0), ([1.0, 1.0, 1.0], None)]
)
def test_distance_is_in_standard_deviations(
    values: list[float], distance: float | None
) -> None:
    sign = Sign(1, "x > 0", ast.Gt, (None, 0))
    bounded = Bounded(sign, "assert x > 0", Spread.of(values), worst=min(values))
    if distance is None:
        assert bounded.distance is None
    else:
        assert bounded.distance == pytest.approx(distance)


def test_few_claims_hold_for_one_seed_only() -> None:
    marked = [
        line
        for script in find_pages(SNIPPETS)
        for line in script.read_text(encoding="utf-8").splitlines()
        if MARK in line
    ]
    assert len(marked) <= MOST_MARKED
    assert all("assert" in line for line in marked)
