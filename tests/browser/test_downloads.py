"""The downloads of the built site run on their own, in an empty folder.

A download is the code of its page, with the part of `load.py` that the page takes in
place of the import. That is compared for every page. The page's own code has run when
the page was judged, so a long page is run here only until all that it takes from
`load.py` has been used: there the download differs. Pages of less than SHORT seconds,
and those that take nothing, are run to their end, and the notebooks of the short ones
in a Jupyter kernel; with DOWNLOADS=all, every script and every notebook is.
"""

import ast
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from browser.browsing import ROOT, SITE

DOWNLOADS = sorted((SITE / "downloads").glob("*.py"))
SHORT = math.inf if os.environ.get("DOWNLOADS") == "all" else 5  # seconds
TIME_LIMIT = 600  # seconds
TAKEN = re.compile(r"^from load import (.+)\n", re.MULTILINE)
NOTICE = re.compile(
    r"\w+: the data is not in .*\nA drawn stand-in takes .*\nTo get .*\n"
)


def page_of(script: Path) -> Path:
    """The page that a script was made of."""
    pages = (ROOT / "snippets").glob(f"[0-9]*_{script.stem}.py")
    (page,) = [path for path in pages if path.stem.partition("_")[2] == script.stem]
    return page


def is_short(script: Path) -> bool:
    """Whether the run that the site shows was soon over."""
    file = ROOT / ".cache" / "pages" / f"{page_of(script).stem}.ipynb"
    run = json.loads(file.read_text(encoding="utf-8"))["metadata"]["run"]
    return run["seconds"] < SHORT


def lines_of(code: str) -> list[str]:
    """Its lines but the blank ones: a script has more of them between its cells."""
    return [line for line in code.splitlines() if line.strip()]


@pytest.mark.parametrize("script", DOWNLOADS, ids=lambda path: path.stem)
def test_script_is_the_page_and_a_helper(script: Path) -> None:
    """Without one block of lines, it is the page without its import of `load`."""
    page = page_of(script).read_text(encoding="utf-8")
    code = script.read_text(encoding="utf-8")
    wanted, lines = lines_of(TAKEN.sub("", page)), lines_of(code)
    block = len(lines) - len(wanted)
    assert (block > 0) == bool(TAKEN.search(page))
    pairs = enumerate(zip(wanted, lines, strict=False))
    start = next((i for i, (one, other) in pairs if one != other), len(wanted))
    assert lines[:start] + lines[start + block :] == wanted


@pytest.mark.parametrize("script", DOWNLOADS, ids=lambda path: path.stem)
def test_script_runs_with_nothing_beside_it(script: Path, tmp_path: Path) -> None:
    """To its end, or, of a long page, until the page has its data."""
    whole = script.read_text(encoding="utf-8")
    page = page_of(script).read_text(encoding="utf-8")
    is_whole = is_short(script) or not names_taken(page)
    code = whole if is_whole else until_called(whole, page)
    (tmp_path / script.name).write_text(code, encoding="utf-8")
    done = run_alone(tmp_path, "-W", "ignore:FigureCanvasAgg", script.name)
    assert done.returncode == 0, done.stderr
    assert NOTICE.sub("", done.stderr) == ""
    assert done.stdout.strip() or not is_whole


def names_taken(page: str) -> set[str]:
    """The names that a page imports from `load.py`."""
    return {name for names in TAKEN.findall(page) for name in names.split(", ")}


def until_called(code: str, page: str) -> str:
    """A script until its page has called each function that it takes from `load.py`.

    Its constants are there as soon as the helper has run; what the helper itself calls
    does not count.
    """
    waiting, end = names_taken(page), 0
    for statement in ast.parse(page).body:
        calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
        called = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
        if waiting & called:
            waiting -= called
            end = statement.end_lineno or 0
    rest = "".join(page.splitlines(keepends=True)[end:])
    assert end
    assert code.endswith(rest)
    return code.removesuffix(rest)


def test_a_long_script_runs_until_its_page_has_the_data() -> None:
    """Whatever the helper calls before, and wherever a constant is used."""
    page = "from load import SIDES, root, table\nrows = table()\nroot()\nprint(SIDES)\n"
    helper = "SIDES = 4\ndef root(): ...\ndef table(): return root()\n"
    code = page.replace("from load import SIDES, root, table\n", helper)
    assert until_called(code, page) == code.removesuffix("print(SIDES)\n")


def run_alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, on one thread."""
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
    return "\n".join(lines_of(code))


@pytest.mark.parametrize(
    "script", [x for x in DOWNLOADS if is_short(x)], ids=lambda path: path.stem
)
def test_notebook_runs_with_nothing_beside_it(script: Path, tmp_path: Path) -> None:
    notebook = script.with_suffix(".ipynb")
    (tmp_path / notebook.name).write_bytes(notebook.read_bytes())
    convert = ("-m", "nbconvert", "--to", "notebook", "--execute", "--output", "run")
    done = run_alone(tmp_path, *convert, notebook.name)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run.ipynb").exists()
