"""What moves between runs is found, written beside its number, and then tolerated."""

from pathlib import Path

import pytest

from page_runner import store
from page_runner.pool import PagePool
from page_runner.runner import PageRunner, Report
from page_runner.script import parse
from page_runner.variations import PLAIN, VARIATIONS, Variation

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
import torch
w = torch.ones(3, requires_grad=True)
assert w.sum() == 3
"""
BY_OPTIMIZER = """\
optimizer = torch.optim.SGD([w], lr=0.1)
for _ in range(2):
    optimizer.zero_grad()
    w.sum().backward()
    optimizer.step()
"""
BY_HAND = """\
for _ in range(2):
    w.sum().backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    w.grad = None
"""
NOISY = [way for way in VARIATIONS if way.noise is not None]


def page(folder: Path, code: str, name: str = "11_page") -> Path:
    script = folder / "snippets" / f"{name}.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"{HEADER}{code}\n")
    return script


def printed(folder: Path, code: str, ways: list[Variation]) -> list[str]:
    """What a page prints in some variations."""
    with PagePool("cpu", folder) as pool:
        script = parse(page(folder, code))
        runs = [pool.submit(script, way) for way in ways]
        return [run.result().printed()[1] for run in runs]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pages that were recorded, or could not be."""
    root = tmp_path_factory.mktemp("project")
    page(root, BY_OPTIMIZER + 'print(f"{w[0]:.3f}, {w[0]:.9f}, {2} steps")', "11_moves")
    page(root, 'print({"one", "two", "three", "four", "five"})', "12_set")
    page(root, BY_HAND + 'print("close")\nassert w[0] == 0.8 - 2e-8', "13_margin")
    page(root, "import os\nif torch.get_num_threads() > 1: os._exit(3)", "14_dies")
    return root


@pytest.fixture(scope="module")
def reports(project: Path) -> dict[str, Report]:
    scripts = sorted((project / "snippets").glob("*.py"))
    with PageRunner("cpu", record=True) as runner:
        for script in scripts:
            runner.start(script)
        return {script.stem: runner.finish(script) for script in scripts}


def test_spread_is_recorded_and_then_tolerated(
    project: Path, reports: dict[str, Report]
) -> None:
    assert reports["11_moves"].problems == []
    script = project / "snippets" / "11_moves.py"
    lines = store.expected_path(script).read_text().splitlines()
    assert lines[0] == "data: none"
    assert lines[1].startswith("processor: ")
    exact, moved, integer = lines[3].split(", ")
    assert (exact, integer) == ("    0.800", "2 steps")
    number, spread = map(float, moved.split("±"))
    assert number == pytest.approx(0.8, abs=1e-6)
    assert 0 < spread < 1e-6

    for code, problems in [("0.1)", 0), ("0.11)", 1)]:
        changed = page(project, BY_OPTIMIZER + lines_of(script), "11_moves")
        changed.write_text(changed.read_text().replace("lr=0.1)", f"lr={code}"))
        with PageRunner("cpu") as runner:
            runner.start(changed)
            report = runner.finish(changed)
        assert len(report.problems) == problems


def lines_of(script: Path) -> str:
    return script.read_text().rpartition("step()\n")[2].strip()


def test_what_has_no_order_is_not_recorded(
    project: Path, reports: dict[str, Report]
) -> None:
    (problem,) = reports["12_set"].problems
    assert "12_set.py:13: cell 1: " in problem
    assert "on older hardware" in problem
    assert "sort what has no order" in problem
    assert not store.expected_path(project / "snippets" / "12_set.py").exists()


def test_a_claim_without_margin_is_not_recorded(
    project: Path, reports: dict[str, Report]
) -> None:
    problem = reports["13_margin"].problems[0]
    assert "a claim without margin" in problem
    assert "fails with noise 0" in problem
    assert "assert w[0] == 0.8 - 2e-8" in problem
    assert not store.expected_path(project / "snippets" / "13_margin.py").exists()


def test_a_run_that_dies_says_which_it_was(reports: dict[str, Report]) -> None:
    """It ends well when it is run alone."""
    (problem,) = reports["14_dies"].problems
    assert "not recorded: that was with two threads" in problem
    assert "Run it alone" not in problem


@pytest.mark.parametrize("update", [BY_OPTIMIZER, BY_HAND])
def test_noise_is_of_the_size_of_rounding(tmp_path: Path, update: str) -> None:
    code = update + 'print(*(f"{x:.9f}" for x in w.tolist()))'
    plain, *noisy = printed(tmp_path, code, [PLAIN, *NOISY[:3]])
    assert len({plain, *noisy}) == 4
    for text in noisy:
        for one, other in zip(plain.split(), text.split(), strict=True):
            assert abs(float(one) - float(other)) < 1e-6


def test_noise_draws_no_number_of_the_page(tmp_path: Path) -> None:
    code = "torch.manual_seed(0)\n" + BY_OPTIMIZER + "print(torch.rand(2))"
    plain, noisy = printed(tmp_path, code, [PLAIN, NOISY[0]])
    assert plain == noisy


def test_variations_run_as_they_say(tmp_path: Path) -> None:
    code = (
        "import torch.backends.cpu as cpu\n"
        "print(cpu.get_cpu_capability(), torch.get_num_threads())"
    )
    ways = [way for way in VARIATIONS if way.noise is None]
    plain, older, threaded = printed(tmp_path, code, [PLAIN, *ways])
    assert plain.split()[1] == "1"
    assert older == "DEFAULT 1\n"
    assert threaded == plain.replace(" 1", " 2")
