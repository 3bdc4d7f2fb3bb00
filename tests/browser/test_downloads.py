"""The downloads of the built site run on their own, in an empty folder.

A download is the code of its page, with the part of `load.py` that the page takes in
place of the import. That is compared for every page. The page's own code has run when
the page was judged, so a long page is run here only until all that it imports is there
and all that it takes from `load.py` has been used: there the download differs. Pages of
less than SHORT seconds are run to their end, and of each chapter the notebook of one of
them in a Jupyter kernel; with DOWNLOADS=all, every script and every notebook is.

Scripts run in processes of their own, forked from one that has imported what all of
them import: that takes longer than most of them.
"""

import ast
import json
import math
import multiprocessing
import os
import re
import runpy
import subprocess
import sys
import warnings
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import nbformat
import pytest

from browser.browsing import ROOT, SITE

DOWNLOADS = sorted((SITE / "downloads").glob("*.py"))
ALL = os.environ.get("DOWNLOADS") == "all"
SHORT, TIME_LIMIT = (math.inf, 3600) if ALL else (5, 600)  # seconds
IMPORTED = ["matplotlib.pyplot", "pandas", "torch", "torchvision.transforms.v2"]
ALONE = {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}  # one thread, and no display
SAID, COMPLAINED = "stdout.txt", "stderr.txt"
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


@pytest.fixture(scope="module")
def imported() -> Iterator[ForkServerContext]:
    """Starts processes in which the libraries are there already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ALONE.items():
            patch.setenv(name, value)
        yield context


def run_script(folder: Path, name: str) -> None:
    """Run a script as `python name` does in its folder, which keeps what it says."""
    os.chdir(folder)
    for descriptor, file in [(1, SAID), (2, COMPLAINED)]:
        os.dup2(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND), descriptor)
    ours = {str(ROOT / path) for path in ("tests", "snippets", "docs/hooks")}
    sys.path[:] = [str(folder), *(path for path in sys.path if path not in ours)]
    sys.argv[:] = [name]
    warnings.filterwarnings("ignore", "FigureCanvasAgg")
    runpy.run_path(name, run_name="__main__")


@pytest.mark.parametrize("script", DOWNLOADS, ids=lambda path: path.stem)
def test_script_runs_with_nothing_beside_it(
    script: Path, tmp_path: Path, imported: ForkServerContext
) -> None:
    """To its end, or, of a long page, until the page has its imports and its data."""
    whole = script.read_text(encoding="utf-8")
    page = page_of(script).read_text(encoding="utf-8")
    is_whole = is_short(script)
    code = whole if is_whole else until_there(whole, page)
    (tmp_path / script.name).write_text(code, encoding="utf-8")
    status, said, complaints = run_alone(imported, tmp_path, script.name)
    assert status == 0, complaints
    assert NOTICE.sub("", complaints) == ""
    assert said.strip() or not is_whole


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("print('well')", (0, "well\n", "")),
        ("import load", (1, "", r"No module named 'load'")),
        ("import page_runner", (1, "", r"No module named 'page_runner'")),
        ("torch.ones(1)", (1, "", r"NameError: name 'torch' is not defined")),
        ("raise SystemExit(3)", (3, "", "")),
    ],
)
def test_a_script_that_needs_what_is_ours_fails(
    code: str, wanted: tuple[int, str, str], tmp_path: Path, imported: ForkServerContext
) -> None:
    (tmp_path / "made.py").write_text(code, encoding="utf-8")
    status, said, complaints = run_alone(imported, tmp_path, "made.py")
    assert (status, said) == wanted[:2]
    assert wanted[2] in complaints


def run_alone(
    imported: ForkServerContext, folder: Path, name: str
) -> tuple[int | None, str, str]:
    """Run a script; its exit status, None past TIME_LIMIT, and what it printed."""
    process = imported.Process(target=run_script, args=(folder, name))
    process.start()
    process.join(TIME_LIMIT)
    status = process.exitcode
    process.kill()
    said, complaints = (
        (folder / file).read_text(encoding="utf-8") for file in (SAID, COMPLAINED)
    )
    return status, said, complaints


def names_taken(page: str) -> set[str]:
    """The names that a page imports from `load.py`."""
    return {name for names in TAKEN.findall(page) for name in names.split(", ")}


def until_there(code: str, page: str) -> str:
    """A script until its page has imported and called all that it needs.

    That is all at its top level that is imported, and each function that it takes from
    `load.py`, whose constants are there as soon as the helper has run; what the helper
    itself calls does not count.
    """
    waiting, end = names_taken(page), 0
    for statement in ast.parse(page).body:
        calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call)]
        called = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
        if waiting & called or isinstance(statement, ast.Import | ast.ImportFrom):
            waiting -= called
            end = statement.end_lineno or 0
    rest = "".join(page.splitlines(keepends=True)[end:])
    assert end
    assert code.endswith(rest)
    return code.removesuffix(rest)


def test_a_long_script_runs_until_its_page_has_what_it_needs() -> None:
    """Whatever the helper calls before, and wherever a constant is used."""
    page = "from load import SIDES, root, table\nrows = table()\nroot()\nprint(SIDES)\n"
    helper = "SIDES = 4\ndef root(): ...\ndef table(): return root()\n"
    code = page.replace("from load import SIDES, root, table\n", helper)
    assert until_there(code, page) == code.removesuffix("print(SIDES)\n")

    page = "import torch\n\nx = torch.ones(2)\nfrom torch import nn\nprint(x)\n"
    assert until_there(page, page) == page.removesuffix("print(x)\n")


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


def notebooks_to_run() -> list[Path]:
    """The scripts whose notebooks are run: a kernel takes longer than a short page."""
    short = [script for script in DOWNLOADS if is_short(script)]
    one_of = {page_of(script).stem[0]: script for script in short}  # of each chapter
    return short if ALL else list(one_of.values())


@pytest.mark.parametrize("script", notebooks_to_run(), ids=lambda path: path.stem)
def test_notebook_runs_with_nothing_beside_it(script: Path, tmp_path: Path) -> None:
    notebook = script.with_suffix(".ipynb")
    (tmp_path / notebook.name).write_bytes(notebook.read_bytes())
    convert = ["nbconvert", "--to", "notebook", "--execute", "--output", "run"]
    done = subprocess.run(
        [sys.executable, "-m", *convert, notebook.name],
        cwd=tmp_path,
        env={**os.environ, **ALONE},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run.ipynb").exists()
