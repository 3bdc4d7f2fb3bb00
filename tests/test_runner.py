"""The machine that runs and judges pages, on small sample pages made for it."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from page_runner import store
from page_runner.pool import PagePool
from page_runner.runner import PageRunner, Report
from page_runner.script import parse

TESTS = Path(__file__).parent
SAMPLES = TESTS / "samples"

# What the failure of each broken sample says: cell, line, what is wrong, what to do.
BROKEN = {
    "12_raises": [
        "12_raises.py:14: cell 2: ZeroDivisionError: division by zero",
        "line 21, in <module>",
    ],
    "13_warns": [
        "13_warns.py:18: cell 2: raised DeprecationWarning: old_name is deprecated",
        "Write what the message recommends",
    ],
    "14_hangs": [
        r"14_hangs.py:(18|19|20): cell 2: still running after its time limit of 2 s",
    ],
    "15_exits": ["15_exits.py:16: cell 2: its process exited with code 0 before"],
    "16_is_killed": ["16_is_killed.py:16: cell 2: .* killed by SIGKILL .out of memory"],
    "17_wrong_word": [
        "17_wrong_word.py:13: cell 1: printed 'falls' where 'rises' was recorded",
        "nox -s record -- 17_wrong_word",
    ],
    "18_wrong_number": [
        "18_wrong_number.py:13: cell 1: printed 0.260 is not within 0.001 of .* 0.250",
        "recorded: epoch 2 loss 0.250",
        "printed:  epoch 2 loss 0.260",
    ],
    "19_false_claim": [
        "19_false_claim.py:17: cell 2: a claim of the page does not hold: "
        "assert test_accuracy > 0.97",
    ],
    "21_prints_nothing": ["21_prints_nothing.py:13: cell 1: the page prints nothing"],
    "22_malformed_header": [
        "22_malformed_header.py:1: the header's `teaches` has 'Z9'"
    ],
    "23_no_title": ["23_no_title.py:10: no H1: the first cell is prose"],
    "24_no_alt": ["24_no_alt.py:18: cell 2: a figure without a text alternative"],
    "25_syntax_error": ["25_syntax_error.py:17: cell 2: SyntaxError: '.' was never"],
    "26_calls_exit": ["26_calls_exit.py:16: cell 1: SystemExit: the page called exit"],
    "27_runs_out_of_memory": [
        "27_runs_out_of_memory.py:18: cell 2: RuntimeError: .*alloc"
    ],
    "28_records_nothing": ["nothing is recorded to compare with: `nox -s record -- 28"],
    "29_not_utf8": [r"29_not_utf8.py:33: byte 0xe9 is not UTF-8: save it as UTF-8"],
    "31_fails_in_a_thread": [
        "31_fails_in_a_thread.py:19: cell 2: error in a thread: ZeroDivisionError",
        "31_fails_in_a_thread.py:26: cell 3: logged WARNING: WARNING:root:look out",
        "31_fails_in_a_thread.py:24: cell 3: path of this machine: it shows /",
    ],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all samples as its pages."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(SAMPLES, root / "snippets", ignore=lambda *_: ["expected"])
    shutil.copytree(SAMPLES / "expected", root / "tests" / "expected")
    good = (SAMPLES / "11_good.py").read_text()
    (root / "snippets" / "28_records_nothing.py").write_text(good)
    (root / "snippets" / "29_not_utf8.py").write_bytes(good.encode() + b"# caf\xe9\n")
    return root


def run_suite(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the project's pages as `nox -s tests` does."""
    command = [sys.executable, "-m", "pytest", str(TESTS / "test_pages.py"), *options]
    command += [f"--snippets={project / 'snippets'}", "-p", "no:cacheprovider"]
    return subprocess.run(
        command, cwd=TESTS.parent, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="module")
def suite(project: Path) -> subprocess.CompletedProcess[str]:
    return run_suite(project)


@pytest.mark.parametrize("stem", BROKEN)
def test_broken_page_fails(
    suite: subprocess.CompletedProcess[str], project: Path, stem: str
) -> None:
    _, _, failures = suite.stdout.partition("= FAILURES =")
    heading = re.escape(f"_ test_page[{stem}] _")
    section = re.split(r"\n_{4,} test_page|\n=", re.split(heading, failures)[1])[0]
    for message in BROKEN[stem]:
        assert re.search(message, section), section
    assert not list((project / ".cache").rglob(f"*{stem}*"))


def test_other_pages_still_run(
    suite: subprocess.CompletedProcess[str], project: Path
) -> None:
    count = len(BROKEN)
    assert suite.returncode == 1
    assert f"{count} failed, 1 passed" in suite.stdout
    assert f"1 ran, 0 cached, {count} failed; 1 compared (9 numbers)" in suite.stdout
    assert store.executed_path(project / "snippets" / "11_good.py", "cpu").exists()


def test_no_page_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "snippets").mkdir()
    suite = run_suite(tmp_path)
    assert suite.returncode != 0


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A project with one page that passes."""
    script = tmp_path / "snippets" / "11_good.py"
    script.parent.mkdir()
    shutil.copy(SAMPLES / "11_good.py", script)
    shutil.copytree(SAMPLES / "expected", tmp_path / "tests" / "expected")
    return script


def run(script: Path, **options: object) -> Report:
    with PageRunner("cpu", **options) as runner:
        runner.start(script)
        return runner.finish(script)


@pytest.mark.parametrize("name", ["changed", "save"])
def test_what_the_runner_cannot_do_is_the_pages_report(
    good: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(store, name, lambda *_: 1 / 0)
    (problem,) = run(good).problems
    assert problem.startswith("11_good.py:1: the runner failed on this page: division")
    assert "Traceback" in problem


def edit(script: Path, old: str, new: str) -> None:
    text = script.read_text()
    assert old in text
    script.write_text(text.replace(old, new))


def test_unchanged_page_is_not_run_again(good: Path) -> None:
    assert run(good).status == "ran"
    report = run(good)
    assert (report.status, report.compared) == ("cached", 9)


def test_prose_edit_does_not_run_the_page(good: Path) -> None:
    run(good)
    edit(good, "It prints", "It also prints")
    assert run(good).status == "cached"
    notebook = store.current_notebook(good)
    assert "It also prints" in notebook.cells[0].source
    assert notebook.cells[2].outputs


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda script: edit(script, "0.3125", "0.3126"), "code"),
        (lambda script: edit(script, "A line that", "A curve that"), "code"),
        (
            lambda script: edit(store.expected_path(script), "0.3125", "0.3124"),
            "recorded output",
        ),
    ],
)
def test_page_is_run_again_when_it_changes(
    good: Path, change: Callable[[Path], None], reason: str
) -> None:
    run(good)
    change(good)
    assert store.current_notebook(good) is None
    report = run(good)
    assert (report.status, report.reason) == ("ran", reason)


def test_page_depends_on_its_surroundings(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = good.parent / "load.py"
    load.write_text("used = {}\ndef mnist(): pass\n")
    edit(good, "import torch\n", "import torch\nfrom load import mnist\n")
    monkeypatch.setenv("SNIPPETS_DATA", str(tmp_path / "data"))
    run(good)
    page = parse(good)
    assert store.changed(page) == []

    load.write_text("used = {}\ndef mnist(): return 1\n")
    assert store.changed(page) == ["load.py"]
    load.write_text("used = {}\ndef mnist(): pass\n")

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "cifar10.npz").write_text("new")
    assert store.changed(page) == ["data"]
    (tmp_path / "data" / "cifar10.npz").unlink()

    monkeypatch.setattr(store, "_versions", lambda: {"torch": "9.9"})
    assert store.changed(page) == ["packages"]
    monkeypatch.setattr(store, "_runner_digest", lambda: "new")
    assert store.changed(page) == ["packages", "runner"]


@pytest.mark.parametrize("damage", ["", "{", '{"cells": []}', "truncated"])
def test_damaged_notebook_is_missing(good: Path, damage: str) -> None:
    run(good)
    path = store.executed_path(good, "cpu")
    text = path.read_text()
    path.write_text(text[: len(text) // 2] if damage == "truncated" else damage)
    assert store.current_notebook(good) is None
    assert run(good).status == "ran"


def test_record_writes_what_is_then_compared(good: Path) -> None:
    path = store.expected_path(good)
    recorded = path.read_text()
    path.unlink()
    assert run(good).status == "failed"
    assert run(good, record=True).status == "ran"
    assert path.read_text() == recorded
    assert run(good).status == "cached"


def test_stand_in_data_is_neither_compared_nor_recorded(good: Path) -> None:
    stand_in = '{"mnist": "stand-in 1a2b3c4d"}'
    (good.parent / "load.py").write_text(f"used = {stand_in}\n")
    edit(good, "import torch\n", "import torch\nfrom load import used\n")
    edit(good, "0.3125", "0.9")
    report = run(good)
    assert (report.status, report.not_compared) == ("ran", "stand-in data")
    assert report.stand_in
    assert "not recorded" in run(good, record=True).problems[0]


def test_other_data_is_not_compared(good: Path) -> None:
    (good.parent / "load.py").write_text('used = {"mnist": "real 1a2b3c4d"}\n')
    edit(good, "import torch\n", "import torch\nfrom load import used\n")
    assert run(good).not_compared == "other data than recorded (none)"


def test_outputs_are_those_of_jupyter(good: Path) -> None:
    run(good)
    code = [cell for cell in store.current_notebook(good).cells if "outputs" in cell]
    printed, value = code[1].outputs
    assert (printed.name, printed.text) == ("stdout", "loss 0.3125\n")
    assert value.data["text/plain"] == "tensor([0.5000, 0.2500])"
    assert "<table" in code[2].outputs[0].data["text/html"]
    before, figure, after = code[3].outputs
    assert (before.text, after.text) == ("before the figure\n", "after the figure\n")
    svg = figure.data["image/svg+xml"]
    assert "currentColor" in svg
    assert "falls" in svg  # text stays text
    assert "image/png" not in figure.data
    assert code[3].metadata.alt == "A line that falls from 1 to 0"


def test_two_pages_at_a_time(tmp_path: Path) -> None:
    """Two pages that wait for each other end only if they run side by side."""
    folder = (SAMPLES / "11_good.py").read_text().partition("# %%")[0]
    code = """\
import time
from pathlib import Path
Path({mine!r}).touch()
while not Path({other!r}).exists():
    time.sleep(0.01)
print("met")"""
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    scripts = []
    for name, mine, other in [("11_a", a, b), ("12_b", b, a)]:
        script = tmp_path / f"{name}.py"
        body = code.format(mine=mine, other=other)
        script.write_text(f"{folder}# %% [markdown]\n# # Title\n\n# %%\n{body}\n")
        scripts.append(script)
    with PagePool("cpu", tmp_path) as pages:
        futures = [pages.submit(parse(script)) for script in scripts]
        assert [future.result().failure for future in futures] == [None, None]
