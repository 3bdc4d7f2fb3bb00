"""Does what a page claims hold with other seeds, too? By hand:

    nox -s luck -- --seeds 20          all pages
    nox -s luck -- --seeds 20 rings    the pages whose names contain `rings`

Every page runs with each of its seeds shifted, which draws other weights, other orders
and other noise, and all its asserts are judged in every run. One that fails in any of
them has to say in its line that it holds `# for this seed`; there may be ten such on
the site. A bound that was chosen (a number in the assert) stands two to four standard
deviations from the mean of what it bounds: nearer, it holds by luck; farther, it would
not notice a page that got worse.
"""

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from page_runner import store
from page_runner.pool import PageDied, PagePool
from page_runner.run import Run
from page_runner.script import Page, find_pages, parse
from page_runner.variations import Variation, other_seeds

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "measured" / "luck.json"
MARK = "# for this seed"
MOST_MARKED = 10
NEAREST, FARTHEST = 2.0, 4.0  # standard deviations from a bound to the mean
ROUNDING = 1e-3  # relative: a value that varies less is not decided by the seed


@dataclass
class Comparison:
    """One comparison of a claim, over the seeds that it was made with."""

    text: str
    is_bound: bool  # whether a number that was chosen stands on one side
    values: list[float] = field(default_factory=list)  # those nearest to the bound
    rooms: list[float] = field(default_factory=list)  # to the bound

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def distance(self) -> float | None:
        """Of the bound from the mean, in deviations; None where no seed matters."""
        if len(self.rooms) < 2 or not all(map(math.isfinite, self.values + self.rooms)):
            return None
        deviation = statistics.stdev(self.rooms)
        if deviation <= ROUNDING * abs(self.mean):
            return None
        return statistics.fmean(self.rooms) / deviation


@dataclass
class Luck:
    """One assert of a page, over all seeds."""

    page: str
    line: int
    text: str
    seeds: int
    held: int
    is_marked: bool
    comparisons: list[Comparison]

    def problems(self) -> Iterator[str]:
        """What is wrong with it; nothing, where it is no matter of luck."""
        if self.is_marked:
            return
        if self.held < self.seeds:
            yield f"{self.text}: holds for {self.held} of {self.seeds} seeds"
        for one in self.comparisons:
            distance = one.distance
            if distance is not None and one.is_bound:
                where = (
                    f"{one.text}: the mean is {one.mean:.4g}, {distance:.1f} sd away"
                )
                if not NEAREST <= distance <= FARTHEST:
                    yield where


def claims_of(page: Page, runs: list[Run]) -> Iterator[Luck]:
    """The asserts of a page, with what was measured in runs with different seeds."""
    lines = page.path.read_text(encoding="utf-8").splitlines()
    for line in sorted({line for run in runs for line in run.claims}):
        claims = [run.claims[line] for run in runs if line in run.claims]
        comparisons: dict[int, Comparison] = {}
        for claim in claims:
            for place, room in claim.rooms.items():
                new = Comparison(room.text, room.is_bound)
                comparison = comparisons.setdefault(place, new)
                comparison.values.append(room.value)
                comparison.rooms.append(room.room)
        yield Luck(
            page.stem,
            line,
            lines[line - 1].strip(),
            seeds=len(runs),
            held=sum(claim.holds for claim in claims),
            is_marked=MARK in lines[line - 1],
            comparisons=list(comparisons.values()),
        )


def run_with_seeds(page: Page, ways: list[Variation], pool: PagePool) -> list[Run]:
    """Runs of a page; one that fails otherwise than by an assert is a problem."""
    runs = []
    for way, future in [(way, pool.submit(page, way)) for way in ways]:
        try:
            run = future.result()
        except PageDied as died:
            sys.exit(f"{page.path.name}:{died.line}: {way.name}: {died}")
        if run.failure:
            failure = f"{run.failure.kind}: {run.failure.message}"
            sys.exit(f"{page.path.name}:{run.failure.line}: {way.name}: {failure}")
        runs.append(run)
    return runs


def main() -> None:
    """Run, print each claim that is a matter of luck, and count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    ways = other_seeds(asked.seeds)
    found: list[Luck] = []
    num_problems = 0
    with PagePool("cpu", store.data_root()) as pool:
        for script in find_pages(ROOT / "snippets"):
            if asked.names and not any(name in script.stem for name in asked.names):
                continue
            page = parse(script)
            claims = list(claims_of(page, run_with_seeds(page, ways, pool)))
            print(f"{page.stem}: {len(claims)} asserts", flush=True)
            for claim in claims:
                for problem in claim.problems():
                    num_problems += 1
                    print(f"    {script.name}:{claim.line}: {problem}", flush=True)
            found += claims
    if not asked.names:
        write_table(found)
    marked = sum(claim.is_marked for claim in found)
    print(
        f"{len(found)} asserts with {asked.seeds} seeds: {num_problems} problems; "
        f"{marked} hold for one seed only ({MOST_MARKED} may)"
    )
    sys.exit(num_problems > 0 or marked > MOST_MARKED)


def write_table(found: list[Luck]) -> None:
    """Keep what was measured for the site."""
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")


if __name__ == "__main__":
    main()
