"""What the files of the project say of each other is true."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from page_runner.expected import read
from page_runner.script import find_pages, parse

ROOT = Path(__file__).parents[1]
SCRIPTS = find_pages(ROOT / "snippets")
STEMS = [script.stem for script in SCRIPTS]


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
    varying = [cell for cell in page.code if cell.varies]
    assert len(varying) <= 2, "most of a page can be compared"


@pytest.mark.parametrize("script", SCRIPTS, ids=STEMS)
def test_recording_can_be_read(script: Path) -> None:
    expected = read(ROOT / "tests" / "expected" / f"{script.stem}.txt")
    assert expected is not None
    assert any(expected.cells.values())


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


def test_constraints_pin_what_the_groups_ask_for() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    named = {
        re.match(r"[\w-]+", entry)[0]
        for group in groups.values()
        for entry in group
        if isinstance(entry, str)
    }
    pinned = re.findall(r"^([\w-]+)==", (ROOT / "constraints.txt").read_text(), re.M)
    normalized = {name.lower().replace("_", "-") for name in pinned}
    assert named <= normalized
