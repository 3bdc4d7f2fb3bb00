"""The files of the built site: links, HTML, the zip; no browser is needed."""

import os
import re
import subprocess
import zipfile
from collections.abc import Iterator
from functools import cache
from urllib.parse import unquote, urldefrag, urljoin

import pytest
from bs4 import BeautifulSoup, Tag

from browser.browsing import HOME, NEXT_PAGE, ON_THE_SITE, PAGES, ROOT, SITE

MAX_HTML = 80_000  # bytes of a page without its figures
MAX_SEARCH_INDEX = 1_000_000
FIGURE = re.compile(r'<svg[^>]* role="img".*?</svg>', re.DOTALL)
VALIDATOR = os.environ.get(
    "VNU", ROOT / ".nox/npm/node_modules/vnu-jar/build/dist/vnu.jar"
)
OUR_POLICY = ".*Content Security Policy.*"  # it takes a file for a foreign host


@pytest.mark.parametrize("page", PAGES)
def test_html_is_small(page: str) -> None:
    without_figures = FIGURE.sub("", (SITE / page).read_text(encoding="utf-8"))
    assert len(without_figures.encode()) <= MAX_HTML


def test_search_index_is_small() -> None:
    assert (SITE / "search" / "search_index.json").stat().st_size < MAX_SEARCH_INDEX


def test_html_is_valid() -> None:
    """As the validator of the W3C has it: no error, and nothing it warns of."""
    command = ["java", "-jar", str(VALIDATOR), "--Werror", "--format", "gnu"]
    pages = [str(SITE / page) for page in PAGES]
    done = subprocess.run(
        [*command, "--filterpattern", OUR_POLICY, *pages],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    broken = [link for link in links(page) if not leads_somewhere(page, link)]
    assert broken == []


def links(page: str) -> Iterator[str]:
    """All addresses inside the site that a page names."""
    for element in tree(page).find_all(True):
        for name in ("href", "src"):
            link = str(element.get(name, ""))
            if link and not re.match(r"[a-z]+:", link) and not in_drawing(element):
                yield link


def in_drawing(element: Tag) -> bool:
    """Whether an element is a part of an SVG, whose links are its own shapes."""
    return element.name == "use" or element.find_parent("svg") is not None


def leads_somewhere(page: str, link: str) -> bool:
    """Whether there is a file of that name, with that anchor."""
    address, anchor = urldefrag(urljoin(f"{HOME}{page}", link))
    path = unquote(address).removeprefix(HOME) or "index.html"
    if not (SITE / path).is_file():
        return False
    return not anchor or anchor in anchors(path)


@cache
def anchors(page: str) -> set[str]:
    return {str(element["id"]) for element in tree(page).find_all(id=True)}


@cache
def tree(page: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / page).read_text(encoding="utf-8"), "html.parser")


def test_links_are_checked() -> None:
    """The check above on links that lead somewhere, and on some that do not."""
    assert len(list(links("index.html"))) > 40
    assert leads_somewhere("index.html", "tensors.html#what-next")
    assert not leads_somewhere("index.html", "tensors.html#no-such-part")
    assert not leads_somewhere("index.html", "no-such-page.html")


def test_each_page_leads_to_the_next() -> None:
    """From the first to the last, by the link at the foot, through all of them once."""
    page, seen = "index.html", ["index.html"]
    while link := tree(page).select_one(NEXT_PAGE):
        page = urljoin(page, str(link["href"]))
        assert page not in seen
        seen.append(page)
    assert sorted(seen) == ON_THE_SITE


def test_zip_holds_the_whole_site() -> None:
    (name,) = SITE.glob("*.zip")
    with zipfile.ZipFile(name) as archive:
        inside = set(archive.namelist())
        home = archive.read(f"{name.stem}/index.html").decode()
    wanted = {
        f"{name.stem}/{path.relative_to(SITE).as_posix()}"
        for path in SITE.rglob("*")
        if path.is_file() and path.suffix not in (".map", ".gz", ".zip")
    }
    assert inside == wanted
    assert name.name not in home
