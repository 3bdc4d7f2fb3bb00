"""Build times and page sizes, as ratios to stock mkdocs-jupyter on the same scripts.

    nox -s bench                 all pages
    nox -s bench -- 14_ 36_      the pages whose names contain one of these

Both sites are built in turn, on this machine, in a temporary folder: cold, warm, and
after an edit of one page's prose. A page of ours is judged before it is published, so
our times include running the tests of the pages; the stock site is only executed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from page_runner.script import find_pages
from page_runner.store import data_root

ROOT = Path(__file__).parents[2]
IGNORED = (".git", ".nox", ".venv", ".cache", ".pytest_cache", "site", "data")
STOCK_CONFIG = """\
site_name: Stock
theme: {name: material, font: false}
plugins:
  - search
  - mkdocs-jupyter:
      execute: true
      allow_errors: false
      ignore: [load.py]
"""


def copy_project(folder: Path, names: list[str]) -> Path:
    """A copy of this project, with only the pages whose names contain one of `names`.

    Page 14 stays, for its figure is on the home page; the table of all rows does not.
    """
    shutil.copytree(
        ROOT, folder, ignore=lambda at, _: IGNORED if at == str(ROOT) else ()
    )
    if not names:
        return folder
    for path in find_pages(folder / "snippets"):
        if not any(name in path.stem for name in [*names, "14_"]):
            path.unlink()
    (folder / "docs" / "where-everything-went.md").unlink()
    settings = folder / "mkdocs.yml"
    lines = settings.read_text().splitlines(keepends=True)
    settings.write_text("".join(x for x in lines if "where-everything" not in x))
    return folder


def make_stock(folder: Path, snippets: Path) -> Path:
    """A site of the same scripts as stock mkdocs-jupyter makes it."""
    shutil.copytree(snippets, folder / "docs")
    (folder / "mkdocs.yml").write_text(STOCK_CONFIG)
    (folder / "docs" / "index.md").write_text("# Stock\n")
    return folder


def build_ours(folder: Path) -> float:
    """Run and judge the pages that are not current, and build; in seconds."""
    return timed(folder, ["pytest", "tests/test_pages.py", "-q"], ["mkdocs", "build"])


def build_stock(folder: Path) -> float:
    """Build the stock site; in seconds."""
    return timed(folder, ["mkdocs", "build"])


def timed(folder: Path, *commands: list[str]) -> float:
    """Seconds that the commands take; a failing one ends the benchmark."""
    environment = {**os.environ, "SNIPPETS_DATA": str(data_root())}
    start = time.perf_counter()
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


def edit_prose(script: Path) -> None:
    """Add a sentence at the end of a page."""
    with script.open("a", encoding="utf-8") as file:
        file.write("\n# %% [markdown]\n# One more sentence.\n")


def report(name: str, ours: float, stock: float, unit: str) -> None:
    """One line: both figures and their ratio."""
    ratio = ours / stock
    print(f"{name:24} {ours:10.1f} {stock:10.1f} {unit:3} {ratio:8.3f}", flush=True)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as temporary:
        ours = copy_project(Path(temporary, "ours"), sys.argv[1:])
        stock = make_stock(Path(temporary, "stock"), ours / "snippets")
        scripts = find_pages(ours / "snippets")
        print(f"{len(scripts)} pages", f"{'ours':>24} {'stock':>10} {'ratio':>12}")
        report("cold build", build_ours(ours), build_stock(stock), "s")
        report("warm build", build_ours(ours), build_stock(stock), "s")
        edit_prose(scripts[0])
        edit_prose(stock / "docs" / scripts[0].name)
        report("after a prose edit", build_ours(ours), build_stock(stock), "s")
        address = scripts[0].stem[3:].replace("_", "-") + ".html"
        size = (ours / "site" / address).stat().st_size
        stock_size = (stock / "site" / scripts[0].stem / "index.html").stat().st_size
        report("bytes of a page", size / 1e3, stock_size / 1e3, "kB")


if __name__ == "__main__":
    main()
