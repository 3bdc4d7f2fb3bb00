"""Does what a page claims hold with other seeds, too? By hand:

    nox -s luck -- --seeds 20          all pages
    nox -s luck -- --seeds 20 rings    the pages whose names contain `rings`

Every page runs with each of its seeds shifted, which draws other weights, other orders
and other noise. All its asserts are judged in every run. One that fails in any of them
has to say in its line that it holds `# for this seed`; there may be ten such on the
site. A bound that was chosen (a number in the assert) stands two to four standard
deviations from the mean of what it bounds: nearer, it fails by bad luck; farther, it
would not notice a page that got worse.
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path

from page_runner import store
from page_runner.pool import PageDied, PagePool
from page_runner.run import Run
from page_runner.script import Page, find_pages, parse
from page_runner.variations import other_seeds

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "measured" / "luck.json"
MARK = "# for this seed"
MOST_MARKED = 10
NEAREST, FARTHEST = 2.0, 4.0  # standard deviations from a bound to the mean
ROUNDING = 1e-3  # relative: what varies less is a result that no seed decides


@dataclass
class Measured:
    """One comparison in a claim, over all seeds."""

    page: str
    line: int
    claim: str
    seeds: int
    held: int
    marked: bool
    mean: float | None = None  # of the value nearest to its bound
    deviation: float | None = None
    distance: float | None = None  # of the bound from the mean, in deviations
    is_bound: bool = False

    def problem(self) -> str:
        """What is wrong with the claim; nothing, if it is not a matter of luck."""
        if self.marked:
            return ""
        if self.held < self.seeds:
            return f"holds for {self.held} of {self.seeds} seeds"
        if self.distance is None or not self.is_bound:
            return ""
        if self.distance < NEAREST:
            return f"only {self.distance:.1f} σ from failing"
        return f"{self.distance:.1f} σ of room" if self.distance > FARTHEST else ""


def measure(page: Page, runs: list[Run]) -> Iterator[Measured]:
    """Every comparison in a page's claims, and every claim that has none."""
    lines = page.path.read_text(encoding="utf-8").splitlines()
    for line in sorted({line for run in runs for line in run.claims}):
        claims = [run.claims[line] for run in runs if line in run.claims]
        text = lines[line - 1].strip()
        marked = any(MARK in lines[i] for i in range(line - 1, _end(page, line)))
        held = sum(claim.holds for claim in claims)
        common = dict(
            page=page.stem, line=line, seeds=len(runs), held=held, marked=marked
        )
        places = sorted({place for claim in claims for place in claim.rooms})
        if not places:
            yield Measured(claim=text, **common)
        for place in places:
            rooms = [claim.rooms[place] for claim in claims if place in claim.rooms]
            measured = Measured(claim=rooms[0].text, **common)
            measured.is_bound = rooms[0].is_bound
            _add_distance(measured, [r.value for r in rooms], [r.room for r in rooms])
            yield measured


def _end(page: Page, line: int) -> int:
    """The last line of the statement that begins at a line."""
    import ast

    for node in ast.walk(ast.parse(page.path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.stmt) and node.lineno == line:
            return node.end_lineno or line
    return line


def _add_distance(measured: Measured, values: list[float], rooms: list[float]) -> None:
    """Mean, deviation and distance of what differs from seed to seed."""
    if len(rooms) < 2 or not all(map(math.isfinite, [*values, *rooms])):
        return
    measured.mean = statistics.fmean(values)
    measured.deviation = statistics.stdev(rooms)
    if measured.deviation > ROUNDING * abs(measured.mean):
        measured.distance = statistics.fmean(rooms) / measured.deviation


def main() -> None:
    """Run, print each claim that is a matter of luck, and count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    scripts = [
        script
        for script in find_pages(ROOT / "snippets")
        if not asked.names or any(name in script.stem for name in asked.names)
    ]
    found: list[Measured] = []
    problems = 0
    with PagePool("cpu", store.data_root()) as pool:
        started: dict[Path, tuple[Page, list[Future[Run]]]] = {}
        for script in scripts:
            page = parse(script)
            ways = other_seeds(asked.seeds)
            started[script] = page, [pool.submit(page, way) for way in ways]
        for page, futures in started.values():
            start = time.monotonic()
            runs = []
            for i, future in enumerate(futures):
                try:
                    run = future.result()
                except PageDied as died:
                    problems += 1
                    print(f"{page.stem}, seeds + {i}: {died}", flush=True)
                    continue
                if run.failure:
                    problems += 1
                    print(f"{page.path.name}:{run.failure.line}: seeds + {i}: ")
                    print(f"    {run.failure.kind}: {run.failure.message}", flush=True)
                runs.append(run)
            of_page = list(measure(page, runs))
            found += of_page
            waited = time.monotonic() - start
            print(f"{page.stem}: {len(of_page)} claims, {waited:.0f} s", flush=True)
            for one in of_page:
                if problem := one.problem():
                    problems += 1
                    mean = "" if one.mean is None else f"  ({one.mean:.4g})"
                    print(f"    {one.line}: {one.claim}{mean}: {problem}", flush=True)
            TABLE.parent.mkdir(exist_ok=True)
            TABLE.write_text(json.dumps([asdict(one) for one in found], indent=1))
    marked = sum(one.marked for one in found)
    print(f"{len(found)} comparisons, {problems} problems, {marked} for one seed only")
    sys.exit(problems > 0 or marked > MOST_MARKED)


if __name__ == "__main__":
    main()
