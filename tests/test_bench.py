"""`nox -s bench`: the pages it makes are pages, and its edits are what they say."""

import re
import shutil
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from page_runner.runner import PageRunner
from page_runner.script import find_pages, parse
from tools.bench import (
    TRIVIAL,
    WORK,
    Row,
    copy_project,
    made_names,
    other_line,
    other_sentence,
    put_made_pages,
    record_made_pages,
)

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of twelve made pages."""
    for name in ("snippets", "docs", "tests/expected"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    (tmp_path / "snippets" / "11_real.py").touch()
    (tmp_path / "docs" / "results.md").touch()
    shorter = WORK.replace("num_steps = 10000", "num_steps = 1000")
    assert shorter != WORK
    put_made_pages(tmp_path, made_names(shorter, 12))
    return tmp_path


def test_made_pages_are_pages_and_recorded(project: Path) -> None:
    scripts = find_pages(project / "snippets")
    assert [script.stem for script in scripts][-2:] == ["110_made_10", "111_made_11"]
    assert len(scripts) == 12
    record_made_pages(project)
    with PageRunner("cpu") as runner:
        report = runner.finish(scripts[-1])
    assert report.problems == []
    assert (report.status, report.figures) == ("ran", 1)
    assert not (project / "docs" / "results.md").exists()
    assert "results.md" not in (project / "mkdocs.yml").read_text()


def test_a_site_is_built_of_made_pages(tmp_path: Path) -> None:
    """Strictly: with nothing in its navigation that has gone with the real pages."""
    project = tmp_path / "project"
    copy_project(project)
    put_made_pages(project, made_names(TRIVIAL, 2))
    record_made_pages(project)
    with PageRunner("cpu") as runner:
        for script in find_pages(project / "snippets"):
            assert runner.finish(script).problems == []
    build(load_config(str(project / "mkdocs.yml"), strict=True))
    assert (project / "site" / "made-1.html").exists()


@pytest.mark.parametrize("code", [WORK, TRIVIAL])
def test_edits_are_of_prose_and_of_code(project: Path, code: str) -> None:
    put_made_pages(project, made_names(code, 1))
    (script,) = find_pages(project / "snippets")
    before, text = parse(script), script.read_text()
    script.write_text(other_sentence(text))
    assert [cell.source for cell in parse(script).code] == [
        cell.source for cell in before.code
    ]
    assert parse(script).cells[-1].source.startswith("One more sentence")
    script.write_text(other_line(text))
    *same, last = [cell.source for cell in parse(script).code]
    assert same == [cell.source for cell in before.code[:-1]]
    assert re.sub("one_more = 1\n", "", last) == before.code[-1].source != last


def test_a_row_says_how_far_it_is() -> None:
    ratio = Row("12 made", "cold", 3.0, "alone", 2.0, "s", "1.15")
    assert ratio.compared() == "1.50"
    more = Row("12 made", "code", 3.0, "alone", 2.0, "s", "+3 s", difference=True)
    assert more.compared() == "+1.0 s"
    assert "against alone" in more.line()
