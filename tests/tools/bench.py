"""How fast it all is, against what it cannot beat and against stock mkdocs-jupyter.

    nox -s bench                            everything; stock runs each page in turn
    nox -s bench -- --sets twelve           the made pages only
    nox -s bench -- --rows unchanged live   these rows only
    nox -s bench -- --write                 also into docs/measured/bench.json

Three sets of pages: `real`, those of this project; `twelve`, made ones of two to three
seconds of work and a figure of 10,000 points each; `many`, 300 trivial ones, measured
against 30 of them. Each set is a copy of the project, in a temporary folder, and all of
its times are taken in one run. Ours are those of `nox -R -s docs`, less what nox itself
needs to start: pages are run, judged and published. The stock site is executed and
rendered by `mkdocs build`, and made only where a row asks for it.
"""

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from page_runner.environment import with_threads
from page_runner.expected import render
from page_runner.pool import PagePool
from page_runner.recording import combine
from page_runner.run import Run
from page_runner.script import Page, find_pages, parse
from page_runner.store import data_root, expected_path, read, write_whole
from tools.projects import HAND_WRITTEN, put_settings

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "docs" / "measured" / "bench.json"
IGNORED = (".git", ".nox", ".venv", ".cache", ".pytest_cache", "site", "data")
TIMES = 5  # that short commands are timed; the median counts
LEAST = 0.001  # seconds; of a difference, less cannot be told
PORT = 8765
PATIENCE = 60.0  # seconds until the live server shows a saved page
IMPORTS = "import mkdocs, material, mkdocs_jupyter"

STOCK_CONFIG = """\
site_name: Stock
theme: {name: material, font: false}
plugins:
  - search
  - mkdocs-jupyter:
      execute: true
      allow_errors: false
      ignore: [load.py, save_figures.py]
"""
HOME = "# Made pages\n\n{{ learning_path }}\n"

MADE_PAGE = """\
# ---
# jupyter:
#   page:
#     teaches: {{}}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # Made page {number}
#
# The first sentence of a page that was made to be timed.
#
# ## A part
#
# The last sentence of a page that was made to be timed.

"""
TRIVIAL = """\
# %%
total = sum(range(10))
print(total)
assert total == 45
"""
WORK = """\
# %%
import matplotlib.pyplot as plt
import torch
from torch import nn

# %%
num_steps = 10000
torch.manual_seed(0)
x = torch.randn(256, 64)
y = x.sin().sum(dim=1, keepdim=True)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
losses = []
for step in range(num_steps):
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(len(losses), "steps")
assert losses[-1] < 0.1 * losses[0]

# %% alt="A curve of 10,000 points that falls"
fig, ax = plt.subplots()
ax.plot(losses)
ax.set_yscale("log")
plt.show()
"""


@dataclass
class Row:
    """A line of the table; `unit` is of both figures, `reach` the most allowed."""

    pages: str
    what: str
    ours: float
    against: str
    theirs: float
    unit: str
    reach: str
    difference: bool = False  # what counts is ours less theirs, not ours over theirs

    def compared(self) -> str:
        """Ratio, or difference, to read."""
        if self.difference:
            return f"{self.ours - self.theirs:+.1f} {self.unit}"
        return f"{self.ours / self.theirs:.2f}"

    def line(self) -> str:
        """The row for the terminal."""
        ours, theirs = f"{self.ours:.3g} {self.unit}", f"{self.theirs:.3g} {self.unit}"
        return (
            f"{self.pages:>9}  {self.what:36} {ours:>10}  {theirs:>10}  "
            f"{self.compared():>8}  {self.reach:>7}  against {self.against}"
        )


class Bench:
    """A copy of the project with pages of its own, and a stock site of the same."""

    def __init__(self, folder: Path, name: str, nox: str, made: dict[str, str]) -> None:
        self.name, self.nox = name, nox
        self.root = folder / f"ours-{name}"
        self._stock = folder / f"stock-{name}"
        copy_project(self.root)
        if made:
            put_made_pages(self.root, made)
            record_made_pages(self.root)
        self.scripts = find_pages(self.root / "snippets")
        self.limit = 0.0

    @cached_property
    def start(self) -> float:
        """Seconds that nox needs to start."""
        return median(lambda: self._time([self.nox, "-m", "nox", "--list"]))

    def build(self) -> float:
        """Run and judge the pages that are not current, and build; less nox's start."""
        command = [self.nox, "-m", "nox", "-R", "-s", "docs"]
        return max(self._time(command) - self.start, LEAST)

    def unchanged(self) -> float:
        """The same with nothing changed, the median of several times."""
        self.build()
        return median(self.build)

    def run_bare(self) -> float:
        """The limit: all pages forked two at once from one process, and no more."""
        command = [sys.executable, "-m", "tools.bench", "--run-bare"]
        return self._time([*command, str(self.root / "snippets")])

    def run_first(self) -> float:
        """The first page run by plain Python, on one thread; it saves its figures."""
        return self._time([sys.executable, str(self.scripts[0])])

    def imports(self) -> float:
        """Seconds of a Python that imports what renders, and no more."""
        return median(lambda: self._time([sys.executable, "-c", IMPORTS]))

    @cached_property
    def stock(self) -> Path:
        """The stock site, executed and built once."""
        shutil.copytree(self.root / "snippets", self._stock / "docs")
        (self._stock / "mkdocs.yml").write_text(STOCK_CONFIG)
        (self._stock / "docs" / "index.md").write_text("# Stock\n")
        self.build_stock(self._stock)
        return self._stock

    def build_stock(self, folder: Path | None = None) -> float:
        """Build the stock site; in seconds."""
        folder = folder or self.stock
        return self._time([sys.executable, "-m", "mkdocs", "build"], folder)

    def edit(self, change: Callable[[str], str], stock: bool = True) -> None:
        """Change the first script, of ours and of the stock site."""
        scripts = [self.scripts[0]]
        if stock:
            scripts.append(self.stock / "docs" / self.scripts[0].name)
        for script in scripts:
            text = script.read_text(encoding="utf-8")
            changed = change(text)
            assert changed != text, f"{script.name}: there is nothing to edit"
            script.write_text(changed, encoding="utf-8")

    def _time(self, command: list[str], folder: Path | None = None) -> float:
        """Seconds that a command takes; a failing one ends the benchmark."""
        modules = str(folder / "docs") if folder else ""  # where stock finds load.py
        if "tools.bench" in command:
            modules = str(ROOT / "tests")
        environment = {
            **os.environ,
            "SNIPPETS_DATA": str(data_root()),
            "PYTHONPATH": modules,
            "NO_MKDOCS_2_WARNING": "1",
            **with_threads("1"),
        }
        start = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=folder or self.root,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return time.perf_counter() - start


def median(measure: Callable[[], float]) -> float:
    """Of several measurements."""
    return statistics.median(measure() for _ in range(TIMES))


def copy_project(folder: Path) -> None:
    """A copy of this project that has run nothing, in the same environment."""
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(
        ROOT,
        folder,
        ignore=lambda at, names: IGNORED if at == str(ROOT) else skip(at, names),
    )
    (folder / ".nox").symlink_to((ROOT / ".nox").resolve(), target_is_directory=True)


def put_made_pages(project: Path, made: dict[str, str]) -> None:
    """Put made pages (name: code) in the place of the real ones."""
    documents = (project / "docs").glob("*.md")
    replaced = [path for path in documents if path.name != HAND_WRITTEN]
    for path in [*find_pages(project / "snippets"), *replaced]:
        path.unlink()
    for path in (project / "tests" / "expected").iterdir():
        path.unlink()
    (project / "docs" / "index.md").write_text(HOME)
    (project / "docs" / "reading.yml").write_text("{}\n")
    put_settings(project)
    for number, (name, code) in enumerate(made.items()):
        script = project / "snippets" / f"{name}.py"
        script.write_text(MADE_PAGE.format(number=number) + code)


def record_made_pages(project: Path) -> None:
    """Record them: they all print and draw the same, so the first is run for all."""
    scripts = find_pages(project / "snippets")
    recording = record_once(parse(scripts[0]))
    for script in scripts:
        expected_path(script).write_text(recording)


def record_once(page: Page) -> str:
    """What a page prints and draws on this machine, as its recording."""
    with PagePool("cpu", data_root()) as pages:
        recorded, problems = combine(page, pages.submit(page).result(), {})
    assert not problems, problems
    return render(page, recorded)


def made_names(code: str, number: int) -> dict[str, str]:
    """Pages of chapter 1, all with the same code."""
    return {f"1{place}_made_{place}": code for place in range(number)}


def run_bare(folder: Path) -> None:
    """Run all pages of a folder, two at a time, and look only whether they failed."""
    with PagePool("cpu", data_root()) as pages:
        runs: list[Future[Run]] = [
            pages.submit(parse(path)) for path in find_pages(folder)
        ]
        if failures := [run.result().failure for run in runs if run.result().failure]:
            sys.exit(str(failures[0]))


def other_sentence(text: str) -> str:
    """A page with a sentence more, at its end."""
    return f"{text}\n# %% [markdown]\n# One more sentence, at {time.time_ns()}.\n"


def other_line(text: str) -> str:
    """A page with a line of code more in its last cell of code, which does nothing."""
    at = [found.end() for found in re.finditer(r"^# %%(?! \[).*\n", text, re.M)][-1]
    return f"{text[:at]}one_more = 1\n{text[at:]}"


def cold(bench: Bench) -> Iterator[Row]:
    """Everything is run and built, against running alone."""
    limit = bench.run_bare()
    yield row(bench, "cold", bench.build(), "pages alone", limit, "1.15")


def unchanged(bench: Bench) -> Iterator[Row]:
    """Nothing has changed."""
    ours, what = bench.unchanged(), "nothing changed"
    if bench.name == "twelve":
        bench.build_stock()
        stock = median(bench.build_stock)
        yield row(bench, what, ours, "stock", stock, "1")
        yield row(bench, f"{what}, with nox", ours + bench.start, "stock", stock, "1")
    yield row(bench, what, ours, "bare imports", bench.imports(), "3")


def sentence(bench: Bench) -> Iterator[Row]:
    """A sentence of one page is edited; nothing runs."""
    bench.build()
    bench.build_stock()
    before = read(bench.scripts[0])
    bench.edit(other_sentence)
    ours = bench.build()
    after = read(bench.scripts[0])
    assert before
    assert after
    assert after.metadata.run == before.metadata.run, "a page was run"
    theirs = bench.build_stock()
    yield row(bench, "a sentence edited", ours, "stock", theirs, "0.2")


def code(bench: Bench) -> Iterator[Row]:
    """A line of code of one page is edited."""
    bench.build()
    bench.edit(other_line, stock=False)
    ours = bench.build()
    after = read(bench.scripts[0])
    assert after
    assert any("one_more" in cell.source for cell in after.cells), "it was not run"
    what, own = "a line of code edited", bench.run_first()
    yield row(bench, what, ours, "python page.py", own, "+3 s", difference=True)


def live(bench: Bench) -> Iterator[Row]:
    """From a saved sentence to the reloaded page, as a browser would see it."""
    bench.build()
    address = re.sub(r"^\d+_", "", bench.scripts[0].stem).replace("_", "-")
    page = f"http://127.0.0.1:{PORT}/{address}.html"
    command = [sys.executable, "-m", "mkdocs", "serve", "-a", f"127.0.0.1:{PORT}"]
    environment = {**os.environ, "SNIPPETS_DATA": str(data_root())}
    server = subprocess.Popen(
        command,
        cwd=bench.root,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(page)
        time.sleep(5)  # until the pages have been looked at
        took = median(lambda: reload_seconds(bench, page))
    finally:
        server.terminate()  # a background job of a shell ignores SIGINT
        server.wait()
    yield row(bench, "live: saved to reloaded", took, "a second", 1.0, "1")


def wait_for(page: str) -> str:
    """The page, as soon as the server has it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(OSError), urllib.request.urlopen(page) as answer:
            return answer.read().decode()
        time.sleep(0.1)
    sys.exit(f"{page} was not there after {PATIENCE:.0f} s")


def reload_seconds(bench: Bench, page: str) -> float:
    """Save a sentence; seconds until the server tells browsers, and has the page."""
    (epoch,) = re.findall(r"livereload\((\d+)", wait_for(page))
    start = time.perf_counter()
    bench.edit(other_sentence, stock=False)
    new = bench.scripts[0].read_text().splitlines()[-1].removeprefix("# ")
    base = page.rpartition("/")[0]
    poll = f"{base}/livereload/{epoch}/1"
    with urllib.request.urlopen(poll, timeout=PATIENCE) as answer:
        answer.read()
    assert new in wait_for(page), "the reloaded page is an old one"
    took = time.perf_counter() - start
    time.sleep(1)  # what else the server does is over
    return took


def size(bench: Bench) -> Iterator[Row]:
    """The HTML of a page."""
    bench.build()
    stem = bench.scripts[0].stem
    address = re.sub(r"^\d+_", "", stem).replace("_", "-") + ".html"
    ours = (bench.root / "site" / address).stat().st_size / 1e3
    theirs = (bench.stock / "site" / stem / "index.html").stat().st_size / 1e3
    yield row(bench, "HTML of a page", ours, "stock", theirs, "0.125", unit="kB")


def row(
    bench: Bench,
    what: str,
    ours: float,
    against: str,
    theirs: float,
    reach: str,
    *,
    unit: str = "s",
    difference: bool = False,
) -> Row:
    """A row of a set."""
    pages = f"{len(bench.scripts)} {'real' if bench.name == 'real' else 'made'}"
    return Row(pages, what, ours, against, theirs, unit, reach, difference)


def many(folder: Path, nox: str) -> Iterator[Row]:
    """300 trivial pages against 30 of them, by the page; and the memory they take."""
    few = Bench(folder, "few", nox, made_names(TRIVIAL, 30))
    lots = Bench(folder, "lots", nox, made_names(TRIVIAL, 300))
    base = (few.unchanged() + few.start) / 30  # without it, less than can be told
    each = (lots.unchanged() + lots.start) / 300
    what = "nothing changed, with nox, by the page"
    yield row(lots, what, 1e3 * each, "30 pages", 1e3 * base, "1", unit="ms")
    times = []
    for bench in (few, lots):
        bench.edit(other_sentence, stock=False)
        times.append(1e3 * bench.build() / len(bench.scripts))
    what = "a sentence edited, by the page"
    yield row(lots, what, times[1], "30 pages", times[0], "1", unit="ms")
    yield row(lots, "memory at most", most_memory(lots), "", 1.0, "1", unit="GB")


def most_memory(bench: Bench) -> float:
    """Gigabytes of the largest process that builds a site anew from executed pages."""
    shutil.rmtree(bench.root / ".cache" / "rendered")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
    process = subprocess.Popen(command, cwd=bench.root)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "mkdocs build failed"
    unit = 1e9 if sys.platform == "darwin" else 1e6  # bytes there, kB on Linux
    return usage.ru_maxrss / unit


ROWS = {row.__name__: row for row in (cold, unchanged, sentence, code, live, size)}
SETS = {"real": {}, "twelve": made_names(WORK, 12)}


def measure(folder: Path, sets: list[str], rows: list[str], nox: str) -> Iterator[Row]:
    """The rows of the table, as they come; cold comes first, for it is that once."""
    for name in sets:
        if name == "many":
            yield from many(folder, nox)
            continue
        bench = Bench(folder, name, nox, SETS[name])
        for what in ROWS:
            if what in rows:
                yield from ROWS[what](bench)


def main() -> None:
    """Measure and print; with `--write`, also for the page of docs/."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = [*SETS, "many"]
    parser.add_argument("--sets", nargs="+", choices=names, default=names)
    parser.add_argument("--rows", nargs="+", choices=[*ROWS], default=[*ROWS])
    parser.add_argument("--write", action="store_true", help=f"into {RESULT.name}")
    parser.add_argument("--nox", default=sys.executable, help="a Python that has nox")
    parser.add_argument("--run-bare", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run_bare:
        run_bare(options.run_bare)
        return
    table = []
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), options.sets, options.rows, options.nox)
        for line in found:
            table.append(line)
            print(line.line(), flush=True)
    if options.write:
        write(table)


def write(table: list[Row]) -> None:
    """Into the file of results; rows of it that were not measured now are kept."""
    from page_runner.execute import processor  # imports torch

    machine = f"{processor()}, {os.cpu_count()} cores, {platform.system()}"
    about = {"date": datetime.date.today().isoformat(), "machine": machine}
    rows = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else []
    kept = {(one["pages"], one["what"], one["against"]): one for one in rows}
    for line in table:
        one = asdict(line) | {"compared": line.compared()} | about
        kept[line.pages, line.what, line.against] = one
    write_whole(RESULT, json.dumps(list(kept.values()), indent=1) + "\n")


if __name__ == "__main__":
    main()
