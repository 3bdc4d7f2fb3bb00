"""What the files of the project say of each other is true."""

import ast
import json
import re
import runpy
import tomllib
from functools import cache
from importlib import metadata
from itertools import zip_longest
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from page_runner.expected import SUMS, checksum, read, render_sums
from page_runner.script import find_pages, parse
from tools.plant_drifts import DRIFTS

ROOT = Path(__file__).parents[1]
SCRIPTS = find_pages(ROOT / "snippets")
STEMS = [script.stem for script in SCRIPTS]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PYPROJECT["dependency-groups"]
ADMITTED = SpecifierSet(PYPROJECT["project"]["requires-python"])
PYTHONS = list(ADMITTED.filter(f"3.{minor}" for minor in range(100)))
RELEASES = [f"{python}.{patch}" for python in PYTHONS for patch in (0, 20)]


def test_every_recording_has_a_page() -> None:
    recorded = {path.stem for path in (ROOT / "tests" / "expected").glob("*.txt")}
    assert recorded == set(STEMS)


@pytest.mark.parametrize("script", SCRIPTS, ids=STEMS)
def test_page_is_well_kept(script: Path) -> None:
    page = parse(script)
    assert set(page.header.read_first) <= set(STEMS)
    assert script.stem not in page.header.read_first
    solutions = [cell for cell in page.code if "solution" in cell.tags]
    assert solutions, "no exercise with a solution"
    if page.header.source_result:
        assert page.header.result, "source_result without result"


@pytest.mark.parametrize("script", SCRIPTS, ids=STEMS)
def test_old_gradients_are_cleared_right_before_new_ones(script: Path) -> None:
    """One place for `zero_grad` on all pages; or alone, where its effect is printed."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    bodies = [getattr(node, "body", None) for node in ast.walk(tree)]
    for block in (body for body in bodies if isinstance(body, list)):
        for this, following in zip_longest(block, block[1:]):
            if not ast.unparse(this).endswith(".zero_grad()"):
                continue
            then = ast.unparse(following) if following else ""
            is_shown = block is tree.body and then.startswith("print(")
            is_alone = len(block) == 1  # the body of an `if`
            place = f"{script.name}:{this.lineno}"
            assert is_shown or is_alone or ".backward(" in then, place


def test_pages_that_compare_times_take_one_thread() -> None:
    """The clock of the processor counts every thread, and those that only wait, too."""
    sources = {script.name: script.read_text(encoding="utf-8") for script in SCRIPTS}
    timed = {name for name, source in sources.items() if "process_time()" in source}
    alone = "\ntorch.set_num_threads(1)  # times are compared below\n"
    assert timed == {name for name, source in sources.items() if alone in source}
    assert timed


@pytest.mark.parametrize("script", SCRIPTS, ids=STEMS)
def test_the_page_called_next_is_the_next(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    at = STEMS.index(script.stem)
    for name, shift in [("next", 1), ("last", -1), ("before", -1)]:
        words = rf"\[[^\]]*\b(?:{name} page|page {name})\b[^\]]*\]\((\w+)\.py"
        for linked in re.findall(words, text):
            assert linked == STEMS[at + shift]


@pytest.mark.parametrize("script", SCRIPTS, ids=STEMS)
def test_recording_can_be_read(script: Path) -> None:
    expected = read(ROOT / "tests" / "expected" / f"{script.stem}.txt")
    assert expected is not None
    assert any(expected.cells.values())


def test_checksum_of_each_recording_is_kept() -> None:
    """As `sha256sum --check SHA256SUMS` finds in that folder."""
    folder = ROOT / "tests" / "expected"
    sums = {path.name: checksum(path.read_bytes()) for path in folder.glob("*.txt")}
    assert (folder / SUMS).read_text() == render_sums(sums)


def test_every_row_of_the_sources_is_taught() -> None:
    sources = yaml.safe_load((ROOT / "docs" / "sources.yml").read_text())
    rows = {row for source in sources.values() for row in source["rows"]}
    counts = {letter: len(source["rows"]) for letter, source in sources.items()}
    assert counts == {"A": 5, "B": 8, "C": 14, "D": 7, "E": 17}
    assert rows == {row for script in SCRIPTS for row in parse(script).header.teaches}


def test_ci_runs_the_commands_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = re.findall(r"^python3 -m venv .*-s (\w+)", readme, re.MULTILINE)
    assert commands == ["docs", "tests"]
    ci = (ROOT / ".ci" / "run").read_text()
    for session in commands:
        assert f"readme_command {session}" in ci


@pytest.mark.parametrize("python", RELEASES)
def test_constraints_pin_what_the_groups_ask_for(python: str) -> None:
    """At a version that they admit, under each Python that is promised."""
    asked = [entry for group in GROUPS.values() for entry in group]
    names = [entry for entry in asked if isinstance(entry, str)]
    assert unmet(names, python) == []


@pytest.mark.parametrize("python", RELEASES)
def test_constraints_agree_with_each_other(python: str) -> None:
    """As far as packages are installed here, and say what they need."""
    pinned = pins(python)
    installed = [
        package
        for package in metadata.distributions()
        if pinned.get(canonicalize_name(package.name)) == package.version
    ]
    assert len(installed) > 50
    for package in installed:
        assert python in SpecifierSet(package.metadata["Requires-Python"] or "")
        assert unmet(package.requires or [], python) == [], package.name


def unmet(requirements: list[str], python: str) -> list[str]:
    """Those that a Python needs, and that are not pinned as they ask.

    torch itself pins the libraries of its accelerator, of which it has many.
    """
    pinned = pins(python)
    return [
        text
        for text in requirements
        if is_for(requirement := Requirement(text), python)
        if not requirement.name.startswith(("cuda-", "nvidia-"))
        if not requirement.specifier.contains(
            pinned.get(canonicalize_name(requirement.name), "0")
        )
    ]


@cache
def pins(python: str) -> dict[str, str]:
    """The versions that constraints.txt names for a Python, by normalized name."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    entries = [Requirement(line) for line in lines if not line.startswith("#")]
    return {
        canonicalize_name(entry.name): str(entry.specifier).removeprefix("==")
        for entry in entries
        if is_for(entry, python)
    }


def is_for(requirement: Requirement, python: str) -> bool:
    """Whether a requirement's marker holds, without extras, under a Python."""
    short = python.rpartition(".")[0]
    python_is = {"python_version": short, "python_full_version": python, "extra": ""}
    return not requirement.marker or requirement.marker.evaluate(python_is)


def test_every_file_names_the_same_pythons() -> None:
    """The lowest in the settings of tools, all in README; CI has lowest and newest."""
    lowest, *_, newest = PYTHONS
    assert PYPROJECT["tool"]["mypy"]["python_version"] == lowest
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{lowest.replace('.', '')}"
    readme = (ROOT / "README.md").read_text()
    assert f"Python {', '.join(PYTHONS[:-1])} or {newest}" in readme
    workflow = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text())
    steps = workflow["jobs"]["versions"]["steps"]
    (setup,) = [step for step in steps if "setup-python" in step.get("uses", "")]
    assert setup["with"]["python-version"].split() == [lowest, newest]


@pytest.mark.parametrize("name", ["tools.txt", "publish.txt"])
def test_what_installs_the_rest_is_pinned_with_digests(name: str) -> None:
    """At the versions of constraints.txt, where that names them."""
    text = (ROOT / "pins" / name).read_text().replace("\\\n", " ")
    known = pins(RELEASES[-1])
    for line in text.splitlines():
        requirement, *digests = line.split(" --hash=")
        package, version = requirement.split(";")[0].strip().split("==")
        assert digests
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64} *", x) for x in digests)
        assert known.get(canonicalize_name(package), version) == version


def test_workflow_installs_nothing_without_its_digest() -> None:
    files = [ROOT / ".github/workflows/publish.yml", ROOT / ".ci/run"]
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert not [line for line in lines if "pipx" in line]
    installs = [line for line in lines if "pip install" in line]
    assert len(installs) == 7
    assert all("--require-hashes -r pins/" in line for line in installs)
    packages = json.loads((ROOT / "pins/package-lock.json").read_text())["packages"]
    locked = [entry for name, entry in packages.items() if name]
    assert all(entry["integrity"].startswith("sha512-") for entry in locked)
    assert locked


def test_each_schedule_of_the_workflow_starts_a_job() -> None:
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text()
    times = re.findall(r'- cron: "([^"]+)"', text)
    assert times == re.findall(r"if: github\.event\.schedule == '([^']+)'", text)
    assert "- run: nox -s docs generators practice\n" in text


def test_workflow_may_only_read_but_where_it_publishes() -> None:
    """And each action that it uses is pinned to a commit."""
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text()
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    allowed = {name: job.get("permissions") for name, job in workflow["jobs"].items()}
    assert allowed.pop("publish") == {"contents": "write"}
    assert set(allowed.values()) == {None}
    actions = re.findall(r"uses: (\S+)", text)
    assert actions
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in actions)


@pytest.mark.parametrize(("stem", "change"), DRIFTS.items(), ids=list(DRIFTS))
def test_what_drifts_stands_in_the_page(stem: str, change: tuple[str, str]) -> None:
    text = (ROOT / "snippets" / f"{stem}.py").read_text(encoding="utf-8")
    assert change[0] in text
    assert change[0] != change[1]


def test_scheduled_runs_stop_no_publication() -> None:
    """A push and the nightly and weekly runs of the main branch are groups apart."""
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text()
    group = yaml.safe_load(text)["concurrency"]["group"]
    assert {"event_name", "event.schedule", "ref"} <= set(
        re.findall(r"github\.([\w.]+)", group)
    )


@pytest.mark.parametrize(
    ("args", "left_out", "is_written"),
    [
        (["tests/faults"], False, True),
        (["tests/faults"], True, False),
        (["tests/faults/test_faults.py::test_read_only"], False, False),
    ],
)
def test_part_of_the_faults_replaces_no_table(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    left_out: bool,
    is_written: bool,
) -> None:
    """Whether tests were named, or left out by an option such as -k or --lf."""
    faults = runpy.run_path(str(ROOT / "tests" / "faults" / "conftest.py"))
    table = faults["Table"](terminal=None)
    table.rows.append({"held": True})
    if left_out:
        table.pytest_deselected()
    measured = tmp_path / "faults.json"
    monkeypatch.setitem(table.pytest_sessionfinish.__globals__, "MEASURED", measured)
    monkeypatch.chdir(ROOT)
    config = SimpleNamespace(args=args, option=SimpleNamespace(maxfail=0, keyword=""))
    table.pytest_sessionfinish(SimpleNamespace(config=config))
    assert measured.exists() == is_written
