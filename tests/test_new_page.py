"""`nox -s new`: the model page is a page, and its copies are."""

import re
import shutil
from pathlib import Path

import pytest

from page_runner.runner import PageRunner
from page_runner.script import find_pages, parse
from tools.new_page import ROOT, create


@pytest.fixture
def snippets(tmp_path: Path) -> Path:
    folder = tmp_path / "snippets"
    folder.mkdir()
    return folder


def test_new_page_runs_and_is_judged(snippets: Path) -> None:
    """It passes as it is, once what it prints is recorded, and then compared."""
    script = create("27_two_words", snippets)
    page = parse(script)
    assert page.title == "Two words"
    assert page.header.result == "test_loss"
    assert len([cell for cell in page.code if "solution" in cell.tags]) == 2
    for record in (True, False):
        with PageRunner("cpu", record=record) as runner:
            runner.start(script)
            report = runner.finish(script)
        assert report.problems == []
    assert report.compared >= 8


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "noxfile.py"])
def test_the_example_can_be_copied(document: str, snippets: Path) -> None:
    """No page of the site has the place of the page that documents start."""
    pattern = r"(?:nox -s new -- |model page: `-- )(\w+)"
    names = re.findall(pattern, (ROOT / document).read_text())
    assert names
    for script in find_pages(ROOT / "snippets"):
        shutil.copy(script, snippets)
    for name in names:
        create(name, snippets)


@pytest.mark.parametrize("name", ["title", "7_title", "27_Title", "27_", "27_a__b"])
def test_a_name_that_is_none_is_refused(snippets: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a page"):
        create(name, snippets)
    assert list(snippets.iterdir()) == []


def test_a_place_that_is_taken_is_refused(snippets: Path) -> None:
    create("27_one", snippets)
    with pytest.raises(ValueError, match=r"27 is taken by 27_one\.py"):
        create("27_other", snippets)
