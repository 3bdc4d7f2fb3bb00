"""What is told of two sites that other programs built."""

import re
import zipfile
from pathlib import Path

import pytest

from tools import generators
from tools.generators import (
    PARTS,
    ROOT,
    Differs,
    build,
    check,
    files_of,
    kinds_of_difference,
    properdocs,
)


def made_site(folder: Path, generator: str, text: str = "text") -> Path:
    """A site of a page, a style sheet and a zip of both."""
    (folder / "assets").mkdir(parents=True)
    html = f'<meta name="generator" content="{generator}"><article>{text}</article>'
    (folder / "page.html").write_text(html)
    (folder / "assets" / "main.0123abcd.css").write_text("a {}")
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.write(folder / "page.html", "all/page.html")
    return folder


def test_only_the_name_of_the_generator_may_differ(tmp_path: Path) -> None:
    ours = files_of(made_site(tmp_path / "a", "mkdocs"))
    assert set(ours) == {
        "page.html",
        "assets/main.0123abcd.css",
        "all.zip/all/page.html",
    }
    assert ours == files_of(made_site(tmp_path / "b", "ProperDocs"))
    theirs = files_of(made_site(tmp_path / "c", "mkdocs", "other"))
    assert {name for name in ours if ours[name] != theirs[name]} == {
        "page.html",
        "all.zip/all/page.html",
    }


def test_another_file_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sites = [made_site(tmp_path / "a", "x"), made_site(tmp_path / "b", "y", "other")]
    monkeypatch.setattr(generators, "copy_project", lambda folder: folder)
    monkeypatch.setattr(generators, "build", lambda *_: sites.pop(0))
    with pytest.raises(Differs, match=r"differ:\nall.zip/all/page.html\npage.html$"):
        properdocs(tmp_path, tmp_path)


def test_a_copy_has_every_file_that_a_document_shows() -> None:
    documents = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    shown = re.findall(r'source\("([^"]+)"\)', documents)
    assert shown
    assert set(shown) <= set(PARTS)


def test_a_site_without_lessons_fails(tmp_path: Path) -> None:
    with pytest.raises(Differs, match=r"12_shapes.py has no page"):
        check(made_site(tmp_path / "a", "x"))


def test_what_differs_is_told_by_its_kind() -> None:
    ours = {
        "a.html": b"<head><article>a</article>",
        "b.html": b"<head><article>b</article>",
        "c.html": b"",
        "assets/main.0123abcd.css": b"old",
        "assets/palette.css": b"",
        "all.zip/a.html": b"",
    }
    theirs = {
        "a.html": b"<header><article>a</article>",
        "b.html": b"<head><article>other</article>",
        "assets/main.4567cdef.css": b"new",
        "search/lunr.js": b"",
    }
    assert list(kinds_of_difference(ours, theirs)) == [
        "pages that are missing: 1 of 3",
        "pages that differ: 2 of 2",
        "pages whose article differs: 1 b.html",
        "only with Material, in assets/: 1: palette.css",
        "only with its continuation, in search/: 1: lunr.js",
        "other content, in assets/: 1: main.css",
    ]


def test_a_program_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(Differs, match="false builds no site"):
        build("false", "false", tmp_path)
