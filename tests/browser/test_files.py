"""The files of the built site: links, HTML, downloads; no browser is needed."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag

from browser.browsing import HOME, PAGES, ROOT, SITE

MAX_HTML = 80_000  # bytes of a page without its figures
MAX_SEARCH_INDEX = 1_000_000
FIGURE = re.compile(r'<svg[^>]* role="img".*?</svg>', re.DOTALL)
VALIDATOR = os.environ.get(
    "VNU", ROOT / ".nox/npm/node_modules/vnu-jar/build/dist/vnu.jar"
)
OUR_POLICY = ".*Content Security Policy.*"  # it takes a file for a foreign host
DOWNLOADS = sorted((SITE / "downloads").glob("*.py"))
NOTICE = re.compile(
    r"\w+: the data is not in .*\nA drawn stand-in takes .*\nTo get .*\n"
)
TIME_LIMIT = 600
SHORT = 5  # seconds


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


@pytest.mark.parametrize("script", DOWNLOADS, ids=lambda path: path.stem)
def test_script_runs_with_nothing_beside_it(script: Path, tmp_path: Path) -> None:
    done = run_alone(script, tmp_path, "-W", "ignore:FigureCanvasAgg", script.name)
    assert (done.returncode, NOTICE.sub("", done.stderr)) == (0, "")
    assert done.stdout.strip()


def run_alone(
    file: Path, folder: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run Python in an empty folder with a copy of a file, on one thread."""
    (folder / file.name).write_bytes(file.read_bytes())
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
    )


@pytest.mark.parametrize("script", DOWNLOADS, ids=lambda path: path.stem)
def test_notebook_has_the_code_of_the_script(script: Path) -> None:
    """So that it runs as the script does; it has its outputs, and no link to a file."""
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    text = squeezed(script.read_text(encoding="utf-8"))
    assert [cell.source for cell in cells if squeezed(cell.source) not in text] == []
    assert any(cell.outputs for cell in cells)
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    assert re.findall(r"\]\([^)]*\.(?:py|md)\b", prose) == []


def squeezed(code: str) -> str:
    """Code without blank lines: a script has more of them between its cells."""
    return "\n".join(line for line in code.splitlines() if line.strip())


def seconds(script: Path) -> float:
    """How long the run took that the site shows."""
    (file,) = (ROOT / ".cache" / "pages").glob(f"??_{script.stem}.ipynb")
    return json.loads(file.read_text(encoding="utf-8"))["metadata"]["run"]["seconds"]


NOTEBOOKS = [
    script.with_suffix(".ipynb")
    for script in DOWNLOADS
    if os.environ.get("NOTEBOOKS") == "all" or seconds(script) < SHORT
]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_with_nothing_beside_it(notebook: Path, tmp_path: Path) -> None:
    """In a Jupyter kernel: those of short pages; of all pages with NOTEBOOKS=all."""
    convert = ("-m", "nbconvert", "--to", "notebook", "--execute", "--output", "run")
    done = run_alone(notebook, tmp_path, *convert, notebook.name)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run.ipynb").exists()


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
