"""The machine that runs and judges pages, on small sample pages made for it."""

import datetime
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch
from nbformat import NotebookNode
from packaging.requirements import Requirement

from made_pages import page_of
from page_runner import store
from page_runner.environment import COMPUTES
from page_runner.pool import PagePool
from page_runner.runner import PageRunner, Report
from page_runner.script import find_pages, parse
from page_runner.seconds import seconds_path, write_seconds
from page_runner.watch import Watcher, stamp

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
        "18_wrong_number.py:13: cell 1: printed 0.260 is not within 0.0013 of .* 0.250",
        r"recorded: epoch 2 loss 0.250  \(on AMD EPYC, AVX2\)",
        r"printed:  epoch 2 loss 0.260  \(on .+, \w+\)",
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
    "29_not_utf8": [r"29_not_utf8.py:34: byte 0xe9 is not UTF-8: save it as UTF-8"],
    "31_fails_in_a_thread": [
        "31_fails_in_a_thread.py:19: cell 2: error in a thread: ZeroDivisionError",
        "31_fails_in_a_thread.py:26: cell 3: logged WARNING: WARNING:root:look out",
        "31_fails_in_a_thread.py:24: cell 3: path of this machine: it shows /",
    ],
    "33_claims_nothing": ["33_claims_nothing.py:13: cell 1: the page has no assert"],
    "34_never_asserts": ["34_never_asserts.py:19: cell 2: an assert that never ran"],
    "35_draws_another_array": [
        r"35_draws_another_array.py:20: cell 2: drew 0.6900 is not within .* 0.1325",
        'recorded: axes 1: x " epoch ", linear x from',
        'drawn:    axes 1: x " epoch ", linear x from',
        "nox -s record -- 35_draws_another_array",
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
    assert f"1 ran, 0 cached, {count} failed; 1 compared (9 numbers" in suite.stdout
    assert store.page_path(project / "snippets" / "11_good.py").exists()


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose pages print what was not recorded; the claim of one is false."""
    root = tmp_path_factory.mktemp("claims")
    (root / "snippets").mkdir()
    for stem in ("17_wrong_word", "18_wrong_number", "19_false_claim", "13_warns"):
        shutil.copy(SAMPLES / f"{stem}.py", root / "snippets")
    shutil.copytree(SAMPLES / "expected", root / "tests" / "expected")
    return root


def test_claims_are_judged_without_the_recordings(claims: Path) -> None:
    """As under versions other than those that were recorded."""
    suite = run_suite(claims, "--claims-only")
    assert "2 failed, 2 passed" in suite.stdout
    assert "a claim of the page does not hold" in suite.stdout
    assert "raised DeprecationWarning" in suite.stdout
    assert "claims only: nothing was compared with the recordings" in suite.stdout
    assert not (claims / ".cache").exists(), "a page is published that was not compared"


def test_claims_are_not_taken_from_an_earlier_run(good: Path) -> None:
    assert run(good).status == "ran"
    report = run(good, claims_only=True)
    assert (report.status, report.compared) == ("ran", 0)


LIBRARY = "import warnings; call = lambda kind, at: warnings.warn('old', kind, at)"


@pytest.mark.parametrize(
    ("warning", "is_avoidable"),
    [
        ("DeprecationWarning, 1", False),  # of one library for another
        ("DeprecationWarning, 2", True),  # of what the page itself calls
        ("UserWarning, 1", True),
    ],
)
def test_only_claims_leave_out_warnings_that_no_page_can_avoid(
    good: Path, warning: str, is_avoidable: bool
) -> None:
    library = f"exec(compile({LIBRARY!r}, 'library.py', 'exec'))"
    edit(good, 'print("loss', f'{library}; call({warning})\nprint("loss')
    assert "Warning: old" in run(good).problems[0]
    assert bool(run(good, claims_only=True).problems) == is_avoidable


def test_nothing_is_recorded_when_only_claims_are_judged(claims: Path) -> None:
    suite = run_suite(claims, "--claims-only", "--record")
    assert suite.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--claims-only compares nothing" in suite.stderr


def test_recordings_have_one_writer(claims: Path) -> None:
    """Workers of xdist would each write the checksums that they have read."""
    suite = run_suite(claims, "--record", "--numprocesses=2")
    assert suite.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--record runs pages side by side itself" in suite.stderr


def test_no_page_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "snippets").mkdir()
    suite = run_suite(tmp_path)
    assert suite.returncode == pytest.ExitCode.INTERRUPTED
    assert "Empty parameter set" in suite.stdout


def test_options_of_pytest_and_its_plugins_work(tmp_path: Path) -> None:
    """Tests side by side, and a report for other programs: each page runs once."""
    shutil.copytree(SAMPLES / "expected", tmp_path / "tests" / "expected")
    (tmp_path / "snippets").mkdir()
    for name in ("11_good.py", "17_wrong_word.py", "19_false_claim.py"):
        shutil.copy(SAMPLES / name, tmp_path / "snippets")
    file = tmp_path / "junit.xml"
    suite = run_suite(tmp_path, "--numprocesses=2", f"--junitxml={file}")
    assert "1 ran, 0 cached, 2 failed; 1 compared (9 numbers" in suite.stdout
    assert "PASSED" not in suite.stdout
    results = ET.parse(file).getroot()[0]
    assert (results.get("tests"), results.get("failures")) == ("3", "2")
    assert results.get("errors") == "0"
    assert "'falls' where 'rises' was recorded" in file.read_text()


def test_side_by_side_long_pages_come_first_and_short_ones_last(tmp_path: Path) -> None:
    """Other tests stand between them; here one process takes them all, in order."""
    (tmp_path / "snippets").mkdir()
    expected = tmp_path / "tests" / "expected"
    expected.mkdir(parents=True)
    seconds = {"11_brief": 1, "12_lengthy": 99}
    for stem in seconds:
        shutil.copy(SAMPLES / "11_good.py", tmp_path / "snippets" / f"{stem}.py")
        shutil.copy(SAMPLES / "expected" / "11_good.txt", expected / f"{stem}.txt")
    write_seconds(tmp_path / "snippets", seconds, seconds)
    other = tmp_path / "test_other.py"
    other.write_text("def test_other(): pass\n")
    in_groups = ["--dist=loadgroup", "--no-loadscope-reorder"]
    suite = run_suite(tmp_path, str(other), "--numprocesses=1", *in_groups)
    assert suite.returncode == 0
    lines = [line for line in suite.stdout.splitlines() if line.startswith("[gw0]")]
    found = [re.search(r"brief|test_other\b|lengthy", line) for line in lines]
    assert [match and match[0] for match in found] == ["lengthy", "test_other", "brief"]


@pytest.mark.parametrize("options", [[], ["--numprocesses=1"]])
def test_nothing_executed_is_a_failure(good: Path, options: list[str]) -> None:
    """Where nothing of a page is run but what prepares its test."""
    suite = run_suite(good.parents[1], "--setup-plan", *options)
    assert "no page was executed, none was cached" in suite.stdout
    assert suite.returncode == pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A project with one page that passes."""
    script = tmp_path / "snippets" / "11_good.py"
    script.parent.mkdir()
    shutil.copy(SAMPLES / "11_good.py", script)
    shutil.copytree(SAMPLES / "expected", tmp_path / "tests" / "expected")
    return script


def run(script: Path, **options: bool) -> Report:
    with PageRunner("cpu", 2, **options) as runner:
        runner.start(script)
        return runner.finish(script)


@pytest.mark.parametrize("name", ["changes", "save"])
def test_what_the_runner_cannot_do_is_the_pages_report(
    good: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(store, name, lambda *_: 1 / 0)
    (problem,) = run(good).problems
    assert problem.startswith("11_good.py:1: the runner failed on this page: Zero")
    assert "Traceback" in problem


def test_longest_page_starts_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its last run, current or not, or when recorded; before all, what is new."""
    seconds = {"11_a": 3.0, "12_b": 60.0, "13_c": None, "14_d": None, "15_e": 9.0}
    snippets = tmp_path / "snippets"
    snippets.mkdir()
    for name in seconds:
        shutil.copy(SAMPLES / "11_good.py", snippets / f"{name}.py")
    seconds_path(snippets).parent.mkdir(parents=True)
    write_seconds(snippets, seconds, {"13_c": 20.0, "11_a": 90.0})

    def read(script: Path, _: str) -> NotebookNode | None:
        if (known := seconds[script.stem]) is None:
            return None
        run = {"seconds": known, "dependencies": {}, "data": {}}
        return nbformat.from_dict({"metadata": {"run": run}})

    order: list[str] = []
    monkeypatch.setattr(store, "read", read)
    monkeypatch.setattr(PagePool, "prepare", lambda _: None)
    monkeypatch.setattr(PagePool, "submit", lambda _, page, __: order.append(page.stem))
    with PageRunner("cpu") as runner:
        runner.start(*find_pages(snippets))
    assert order == ["14_d", "12_b", "13_c", "15_e", "11_a"]


def edit(script: Path, old: str, new: str) -> None:
    text = script.read_text()
    assert old in text
    script.write_text(text.replace(old, new))


def test_unchanged_page_is_not_run_again(good: Path) -> None:
    assert run(good).status == "ran"
    report = run(good)
    assert (report.status, report.compared) == ("cached", 9)


def stored(script: Path) -> NotebookNode:
    """The file of a page, which is there and whole."""
    notebook = store.read(script)
    assert notebook is not None
    return notebook


def changed(script: Path) -> list[str]:
    """What has changed since the last run of a page."""
    return store.changes(store.read(script), store.dependencies(parse(script), "cpu"))


def test_prose_edit_does_not_run_the_page(good: Path) -> None:
    """Its file is written anew: the script's prose, the outputs of the last run."""
    run(good)
    before = stored(good)
    edit(good, "It prints", "It also prints")
    assert run(good).status == "cached"
    after = stored(good)
    assert "It also prints" in after.cells[0].source
    assert after.cells[2].outputs == before.cells[2].outputs != []
    assert after.metadata.run == before.metadata.run
    assert after.metadata.script == store.script_digest(good) != before.metadata.script


def test_watcher_writes_edited_prose_into_the_page_file(good: Path) -> None:
    run(good)
    with PageRunner("cpu") as runner:
        watcher = Watcher(runner, good.parent)
        edit(good, "It prints", "It also prints")
        watcher.look()
        deadline = time.monotonic() + 30
        while stored(good).metadata.script != store.script_digest(good):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert "It also prints" in stored(good).cells[0].source


def test_file_that_vanishes_between_two_looks_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: True)  # a moment ago
    assert stamp(tmp_path / "11_a.py") == (0, 0, 0)


def test_page_file_is_a_notebook_that_says_where_it_comes_from(good: Path) -> None:
    run(good)
    path = store.page_path(good)
    assert path == good.parents[1] / ".cache" / "pages" / "11_good.ipynb"
    nbformat.validate(nbformat.read(path, as_version=4))
    document = json.loads(path.read_text())
    checksum = document["metadata"].pop("checksum")
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    assert checksum == hashlib.sha256(canonical.encode()).hexdigest()
    page = parse(good)
    for cell, written in zip(page.cells, document["cells"], strict=True):
        assert written["source"] == cell.source
        assert written["metadata"]["line"] == cell.line
    assert document["metadata"]["page"]["title"] == page.title


def test_what_failed_is_not_handed_over(good: Path) -> None:
    """A page that passed once and fails now has no file that belongs to it."""
    run(good)
    edit(store.expected_path(good), "0.3125", "0.4125")
    assert run(good).status == "failed"
    assert stored(good).metadata.script != store.script_digest(good)
    edit(store.expected_path(good), "0.4125", "0.3125")
    assert run(good).status == "cached"
    assert stored(good).metadata.script == store.script_digest(good)


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
    assert changed(good) == [reason]
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
    assert changed(good) == []

    load.write_text("used = {}\ndef mnist(): return 1\n")
    assert changed(good) == ["load.py"]
    load.write_text("used = {}\ndef mnist(): pass\n")

    data = tmp_path / "data" / "cifar10.npz"
    data.parent.mkdir()
    data.write_text("new")
    assert changed(good) == []  # it had what it needed
    run_again(good)
    data.write_text("other")
    assert changed(good) == ["data"]
    run(good)
    data.unlink()
    assert changed(good) == ["data"]
    run(good)

    for name in ("_versions", "_processor", "_runner_digest"):
        monkeypatch.setattr(store, name, lambda: "new")
    monkeypatch.setattr(platform, "python_version", lambda: "3.99")
    assert changed(good) == ["packages", "Python", "processor", "runner"]


@pytest.mark.parametrize("name", COMPUTES)
def test_what_numbers_are_computed_by_counts(
    good: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """So that `SNIPPETS_THREADS=2 nox -s tests` runs the pages."""
    run(good)
    monkeypatch.setenv(name, "2")
    store._processor.cache_clear()
    try:
        assert changed(good) == ["processor"]
    finally:
        store._processor.cache_clear()


def run_again(script: Path) -> None:
    store.page_path(script).unlink()
    run(script)


def test_every_package_and_module_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    group = tomllib.loads((TESTS.parent / "pyproject.toml").read_text())
    names = {Requirement(x).name for x in group["dependency-groups"]["pages"]}
    assert set(store._versions()) == {*names, "ipython"}
    before = store._runner_digest()
    for module in (TESTS / "page_runner").glob("*.py"):
        text = module.read_bytes()
        monkeypatch.setattr(
            Path,
            "read_bytes",
            lambda path, module=module, text=text: (
                b"edited" if path == module else text
            ),
        )
        assert store._runner_digest() != before
        monkeypatch.undo()


def test_edit_during_a_run_is_a_change(good: Path) -> None:
    """What a run depends on is taken when it starts, and so is the script."""
    load = good.parent / "load.py"
    load.write_text("used = {}\n")
    edit(good, "import torch\n", "import torch\nfrom load import used\n")
    with PageRunner("cpu", live=True) as runner:
        runner.start(good)
        load.write_text("used = {}\nnew = 1\n")
        edit(good, "It prints", "It also prints")
        assert runner.finish(good).status == "ran"
    assert changed(good) == ["load.py"]
    assert stored(good).metadata.script != store.script_digest(good)


def test_download_of_a_run_is_no_change(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNIPPETS_DATA", str(tmp_path / "data"))
    (good.parent / "load.py").write_text("""\
import os
from pathlib import Path
Path(os.environ["SNIPPETS_DATA"]).mkdir()
Path(os.environ["SNIPPETS_DATA"], "mnist").write_text("1")
used = {"mnist": "real 1a2b3c4d"}
""")
    edit(good, "import torch\n", "import torch\nfrom load import used\n")
    edit(store.expected_path(good), "data: none", "data: mnist real 1a2b3c4d")
    assert run(good).status == "ran"
    assert changed(good) == []


def test_stand_in_is_replaced_when_there_is_better_data(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNIPPETS_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("SNIPPETS_OFFLINE", raising=False)
    (good.parent / "load.py").write_text('used = {"mnist": "stand-in 1a2b3c4d"}\n')
    edit(good, "import torch\n", "import torch\nfrom load import used\n")
    run(good)
    assert changed(good) == []

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mnist").write_text("1")
    assert changed(good) == ["data"]
    (tmp_path / "data" / "mnist").unlink()

    later = datetime.date(2999, 1, 1)
    tomorrow = SimpleNamespace(today=lambda: later)
    monkeypatch.setattr(store.datetime, "date", tomorrow)
    assert changed(good) == ["stand-in data"]
    monkeypatch.setenv("SNIPPETS_OFFLINE", "1")
    assert changed(good) == []


def test_data_is_listed_while_it_comes_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that vanishes between two looks at it, or before the first, is none."""
    (tmp_path / "kept").write_text("1")
    (tmp_path / "stand-in").mkdir()
    (tmp_path / "stand-in" / "drawn").write_text("1")
    (tmp_path / ".mnist.part").mkdir()
    (tmp_path / ".mnist.part" / "half").write_text("1")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")  # listed, and cannot be read
    assert list(store._listing(tmp_path)) == ["kept"]
    look = Path.stat

    def last_look(path: Path, **options: bool) -> os.stat_result:
        seen = look(path, **options)
        if path.name == "going":
            path.unlink()
        return seen

    (tmp_path / "going").write_text("1")
    monkeypatch.setattr(Path, "stat", last_look)
    assert "kept" in store._listing(tmp_path)
    assert store._listing(tmp_path / "none") == {}


@pytest.mark.parametrize("moment", ["dependencies", "changes", "refresh"])
def test_page_saved_or_removed_between_two_looks(
    good: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Whenever another look at its files would find others, the runner goes on."""
    run(good)
    edit(good, "It prints", "It also prints")
    before = getattr(store, moment)

    def disturbed(*arguments: object) -> object:
        edit(good, "line", "curve")
        store.page_path(good).unlink()
        return before(*arguments)

    monkeypatch.setattr(store, moment, disturbed)
    assert run(good).problems == []
    monkeypatch.undo()
    assert stored(good).metadata.script != store.script_digest(good)


def test_script_that_vanishes_is_reported(tmp_path: Path) -> None:
    report = run(tmp_path / "11_gone.py")
    assert report.status == "failed"
    assert report.problems[0].startswith(
        "11_gone.py:1: the runner failed on this page: FileNotFoundError"
    )


def test_written_files_have_the_mode_of_any_other(tmp_path: Path) -> None:
    store.write_whole(tmp_path / "folder" / "whole", "text")
    (tmp_path / "other").write_text("text")
    modes = [path.stat().st_mode for path in tmp_path.rglob("*") if path.is_file()]
    assert modes[0] == modes[1]
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["whole"]


def test_recording_is_that_of_the_cpu(good: Path) -> None:
    path = store.expected_path(good)
    before = path.read_text()
    with PageRunner("cuda", record=True) as runner:
        report = runner.finish(good)
    assert "leave out --device" in report.problems[0]
    assert path.read_text() == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there_is_a_failure(good: Path) -> None:
    with PageRunner("cuda") as runner:
        report = runner.finish(good)
    assert "there is no device `cuda` here" in report.problems[0]
    assert not store.page_path(good, "cuda").exists()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"cells": []}', "truncated"])
def test_damaged_notebook_is_missing(good: Path, damage: str) -> None:
    run(good)
    path = store.page_path(good)
    text = path.read_text()
    path.write_text(text[: len(text) // 2] if damage == "truncated" else damage)
    assert store.read(good) is None
    report = run(good)
    assert (report.status, report.reason) == ("ran", "its page file was damaged")
    assert run(good).status == "cached"


def test_record_writes_what_is_then_compared(good: Path) -> None:
    path = store.expected_path(good)
    recorded = path.read_text()
    path.unlink()
    assert run(good).status == "failed"
    assert run(good, record=True).status == "ran"
    data, processor, *cells = path.read_text().splitlines()
    assert [data, *cells] == recorded.splitlines()[:1] + recorded.splitlines()[2:]
    assert re.fullmatch(r"processor: .+, \w+", processor)
    assert run(good).status == "cached"


def test_page_without_data_passes_on_a_stand_in(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `load.py` says of it is no fault of the page."""
    shutil.copy(TESTS.parent / "snippets" / "load.py", good.parent)
    edit(
        good, "import torch\n", "import torch\nfrom load import diabetes\ndiabetes()\n"
    )
    monkeypatch.setenv("SNIPPETS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SNIPPETS_OFFLINE", "1")
    report = run(good)
    assert report.problems == []
    assert (report.status, report.not_compared) == ("ran", "stand-in data")


def test_stand_in_data_is_neither_compared_nor_recorded(good: Path) -> None:
    stand_in = '{"mnist": "stand-in 1a2b3c4d"}'
    (good.parent / "load.py").write_text(f"used = {stand_in}\n")
    edit(good, "import torch\n", "import torch\nfrom load import used\n")
    edit(good, "0.3125", "0.9")
    report = run(good)
    assert (report.status, report.not_compared) == ("ran", "stand-in data")
    assert report.stand_in
    assert "not recorded" in run(good, record=True).problems[0]


HELPER = """\
used = {"mnist": "real 1a2b3c4d"}
COPIES = {"mnist 1a2b3c4d": "one", "mnist 5e6f7a8b": "two", "rings 5e6f7a8b": "three"}
"""


@pytest.mark.parametrize(
    ("data", "is_another_copy"),
    [
        ("mnist real 5e6f7a8b", True),
        ("mnist real 5e6f7a8c", False),  # a flipped bit
        ("rings real 5e6f7a8b", False),
        ("mnist real 1a2b3c4d, rings real 5e6f7a8b", False),
        ("mnist stand-in 5e6f7a8b", False),
        ("none", False),
        ("", False),
    ],
)
def test_only_a_known_copy_is_other_data(
    good: Path, data: str, is_another_copy: bool
) -> None:
    """No comparison is switched off by the `data:` line of a recording."""
    (good.parent / "load.py").write_text(HELPER)
    edit(good, "import torch\n", "import torch\nfrom load import used\n")
    edit(store.expected_path(good), "data: none", f"data: {data}")
    report = run(good)
    assert report.not_compared == f"other data than recorded ({data})"
    assert (report.problems == []) == is_another_copy
    if not is_another_copy:
        assert "restore the recording with git" in report.problems[0]


@pytest.mark.parametrize("change", ["one", ""])
def test_a_copy_that_is_no_original_is_named(good: Path, change: str) -> None:
    """The page's file says what was done to it; of an original it says nothing."""
    (good.parent / "load.py").write_text(HELPER.replace("one", change))
    edit(good, "import torch\n", "import torch\nfrom load import used\n")
    edit(store.expected_path(good), "data: none", "data: mnist real 1a2b3c4d")
    assert run(good).problems == []
    notebook = store.read(good)
    assert notebook
    assert notebook.metadata.run.altered == ({"mnist": change} if change else {})


def test_data_that_nobody_knows_is_a_failure(good: Path) -> None:
    (good.parent / "load.py").write_text('used = {"mnist": "unknown 1a2b3c4d"}')
    edit(good, "import torch\n", "import torch\nfrom load import used\n")
    problem = run(good).problems[0]
    assert problem.startswith("11_good.py:1: its data is mnist unknown 1a2b3c4d, no")
    assert "it is downloaded" in problem
    assert "no copy that `load.py` knows" in run(good, claims_only=True).problems[0]
    assert "no copy that `load.py` knows" in run(good, record=True).problems[0]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("Path(__file__).with_name('99_planted.py').write_text('')", "new snippets/99"),
        ("Path('../x').write_text('')", "new ../x"),
        ("Path(__file__).touch()", "changed snippets/11_good.py"),
        ("Path(__file__).parents[1].joinpath('README.md').unlink()", "gone README.md"),
        (
            "for file in Path(__file__).parents[1].glob('tests/*/*'): file.unlink()",
            "gone tests/expected/11_good.txt, gone",
        ),
    ],
)
def test_writing_outside_its_folder_fails_a_page(
    good: Path, code: str, change: str
) -> None:
    (good.parents[1] / "README.md").touch()
    (good.parents[1] / "out.txt").touch()
    edit(good, "import torch\n", f"import torch\nfrom pathlib import Path\n{code}\n")
    problems = "\n".join(run(good).problems)
    assert re.search(f"11_good.py:1: files outside its folder: {change}", problems)
    assert "a page writes to temporary files" in problems


def test_pages_that_ran_when_a_file_came_are_named(tmp_path: Path) -> None:
    planting = "import time; from pathlib import Path\ntime.sleep(1)\n"
    planting += "Path(__file__).with_name('99_planted.py').write_text('')"
    pages = [
        page_of(tmp_path, planting, stem="11_one"),
        page_of(tmp_path, "import time; time.sleep(3)", stem="12_two"),
        page_of(tmp_path, "print(1)", stem="13_three"),
    ]
    with PagePool("cpu", tmp_path) as pool:
        futures = [pool.submit(page) for page in pages]
        runs = [future.result() for future in futures]
    one, two, three = ([str(heard) for heard in run.complaints] for run in runs)
    assert "new snippets/99_planted.py (if it was not 12_two.py" in one[0]
    assert "new snippets/99_planted.py (if it was not 11_one.py" in two[0]
    assert three == []


def test_what_is_edited_while_pages_run_live_is_no_fault(good: Path) -> None:
    edit(good, "import torch\n", "import torch, time; time.sleep(2)\n")
    with PageRunner("cpu", live=True) as runner:
        runner.start(good)
        (good.parent / "12_new.py").touch()
        assert runner.finish(good).status == "ran"


def test_outputs_are_those_of_jupyter(good: Path) -> None:
    run(good)
    code = [cell for cell in stored(good).cells if "outputs" in cell]
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
