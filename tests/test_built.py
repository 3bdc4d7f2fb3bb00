"""What `nox -s docs` takes for unchanged is unchanged."""

import datetime
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import built
from tools.built import Build, Installed


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose site is built."""
    for name in (
        "snippets/11_page.py",
        "docs/index.md",
        "docs/overrides/.icons/logo.svg",
        "constraints.txt",
        "pins/tools.txt",
        "tests/test_pages.py",
        "data/numbers.gz",
        ".cache/pages/11_page.ipynb",
        "site/page.html",
        "environment/bin/python",
        "environment/lib/python3.11/site-packages/torch-2.dist-info/METADATA",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    (tmp_path / "mkdocs.yml").write_text('site_url: !ENV [SITE_URL, ""]')
    monkeypatch.delenv("SNIPPETS_DATA", raising=False)
    build = of(tmp_path)
    build.start()
    build.note_pages()
    build.end()
    return tmp_path


def of(project: Path) -> Build:
    return Build(project, project / "environment" / "bin" / "python")


def write_back(path: Path) -> None:
    """Other content of the same size, and the time of change that it had."""
    before = path.stat()
    path.write_text("new")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a sentence": lambda at: (at / "snippets/11_page.py").write_text("# new"),
    "a page": lambda at: (at / "snippets/12_page.py").write_text(""),
    "a page that goes": lambda at: (at / "snippets/11_page.py").unlink(),
    "same time and size": lambda at: write_back(at / "docs/index.md"),
    "an icon": lambda at: (at / "docs/overrides/.icons/logo.svg").write_text("new"),
    "the settings": lambda at: (at / "mkdocs.yml").write_text(""),
    "a version": lambda at: (at / "constraints.txt").write_text("new"),
    "a pin": lambda at: (at / "pins/tools.txt").write_text("new"),
    "the runner": lambda at: (at / "tests/new.py").write_text(""),
    "data": lambda at: (at / "data/numbers.gz").write_text("new"),
    "an executed page": lambda at: write_back(at / ".cache/pages/11_page.ipynb"),
    "the site": lambda at: write_back(at / "site/page.html"),
    "a missing file": lambda at: (at / "site/page.html").unlink(),
    "a foreign file": lambda at: (at / "site/other.html").write_text(""),
    "another package": lambda at: (
        at / "environment/lib/python3.11/site-packages/torch-3.dist-info"
    ).mkdir(),
    "no record": lambda at: (at / ".cache/built.json").unlink(),
    "a damaged record": lambda at: (at / ".cache/built.json").write_text("["),
    "a build that has not ended": lambda at: of(at).start(),
}


def test_what_is_installed_need_not_be_asked_for(project: Path) -> None:
    """As long as requirements and pins are the same, and no package came or went."""
    python, pins = project / "environment/bin/python", project / "constraints.txt"
    pins.write_text("torch==2")

    def of_(*names: str) -> Installed:
        return Installed(python, list(names), pins)

    assert not of_("torch").is_done()
    of_("torch").note()
    assert of_("torch").is_done()
    assert not of_("torch", "numpy").is_done()
    of_("torch", "numpy").note()
    assert of_("torch").is_done()

    (python.parents[1] / "lib/python3.11/site-packages/numpy.dist-info").mkdir()
    assert not of_("torch").is_done()
    of_("torch").note()
    pins.write_text("torch==3")
    assert not of_("torch").is_done()
    pins.write_text("torch==2")
    assert of_("torch").is_done()
    (python.parents[1] / "installed.json").write_text("[")
    assert not of_("torch").is_done()


def test_nothing_has_changed(project: Path) -> None:
    assert of(project).is_done()
    (project / "README.md").write_text("new")  # of which the site has nothing
    compiled = project / "tests" / "__pycache__" / "x.pyc"
    compiled.parent.mkdir()
    compiled.write_text("")
    assert of(project).is_done()


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_noticed(project: Path, change: Callable[[Path], object]) -> None:
    change(project)
    assert not of(project).is_done()


@pytest.mark.parametrize(
    "name", ["SITE_URL", "SNIPPETS_THREADS", "ATEN_CPU_CAPABILITY"]
)
def test_a_variable_is_noticed(
    project: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "new")
    assert not of(project).is_done()


def test_what_changes_while_the_site_is_built_is_noticed(project: Path) -> None:
    build = of(project)
    build.start()
    (project / "snippets" / "11_page.py").write_text("# saved meanwhile")
    build.note_pages()
    (project / "site" / "page.html").write_text("built")
    build.end()
    assert not of(project).is_done()


def test_another_day_is_noticed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that ran on stand-in data is tried again once a day."""

    class Tomorrow(datetime.date):
        @classmethod
        def today(cls) -> "Tomorrow":
            return cls(2999, 1, 1)

    monkeypatch.setattr(built.datetime, "date", Tomorrow)
    assert not of(project).is_done()
