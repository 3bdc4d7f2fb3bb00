"""Does what a page claims hold with other seeds, too? By hand:

    nox -s luck -- --seeds 20          all pages
    nox -s luck -- --seeds 20 rings    the pages whose names contain `rings`

Every page runs with each of its seeds shifted, which draws other weights, other orders
and other noise, and all its asserts are judged in every run. One that fails in any of
them has to say in its line that it holds `# for this seed`; there may be ten such on
the site. A bound that was chosen (a number in the assert) stands two to four standard
deviations from the mean of what it bounds: nearer, it holds by luck; farther, it would
not notice a page that got worse. Where the bound follows from what is claimed (a random
number is below 1), the line says that it holds `# for every seed`.
"""

import argparse
import datetime
import hashlib
import json
import math
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from page_runner import store
from page_runner.pool import PageDied, PagePool
from page_runner.run import Run
from page_runner.script import Page, find_pages, parse
from page_runner.variations import Variation, other_seeds

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "measured" / "luck.json"
MARK = "# for this seed"
FIXED = "# for every seed"  # the bound follows from what is claimed, nobody chose it
MOST_MARKED = 10
NEAREST, FARTHEST = 2.0, 4.0  # standard deviations from a bound to the mean
BEYOND_WORST = 1.1  # times its distance, where the worst run is far from the mean
ROUNDING = 1e-3  # relative: a value that varies less is not decided by the seed
ZERO = 1e-3  # what is claimed to be less is claimed to be nothing but rounding


@dataclass
class Comparison:
    """One comparison of a claim, over the seeds that it was made with."""

    text: str
    is_bound: bool  # whether a number that was chosen stands on one side
    is_below: bool  # whether the value has to be less than that
    values: list[float] = field(default_factory=list)  # those nearest to the bound
    rooms: list[float] = field(default_factory=list)  # to the bound

    @property
    def mean(self) -> float:
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float:
        return statistics.stdev(self.rooms) if len(self.rooms) > 1 else 0.0

    @property
    def room(self) -> float:
        """From the mean to the bound."""
        return statistics.fmean(self.rooms)

    @property
    def is_luck(self) -> bool:
        """Whether the seed decides the value, and not only its rounding."""
        if not all(map(math.isfinite, self.values + self.rooms)):
            return False
        is_zero = self.is_below and abs(self.mean) + abs(self.room) <= ZERO
        return self.deviation > ROUNDING * abs(self.mean) and not is_zero

    @property
    def distance(self) -> float | None:
        """Of the bound from the mean, in deviations; None where no seed matters."""
        return self.room / self.deviation if self.is_luck else None

    @property
    def farthest(self) -> float:
        """How many deviations away a bound may stand: just beyond the worst."""
        worst = (self.room - min(self.rooms)) / self.deviation
        return max(FARTHEST, BEYOND_WORST * worst)

    def advice(self) -> str:
        """Where the bound is, and where it could be."""
        sign = 1 if self.is_below else -1
        near, far = (
            self.mean + sign * n * self.deviation for n in (NEAREST, self.farthest)
        )
        worst = max(self.values) if self.is_below else min(self.values)
        return (
            f"{self.text}: {self.mean:.4g} ± {self.deviation:.2g}, worst {worst:.4g}, "
            f"{self.room / self.deviation:.1f} sd from its bound; "
            f"{near:.4g} to {far:.4g} would do"
        )


@dataclass
class Luck:
    """One assert of a page, over all seeds."""

    page: str
    line: int
    text: str
    seeds: int
    held: int
    is_marked: bool
    is_fixed: bool
    comparisons: list[Comparison]

    def problems(self) -> Iterator[str]:
        """What is wrong with it; nothing, where it is no matter of luck."""
        if self.is_marked:
            return
        if self.held < self.seeds:
            yield f"{self.text}: holds for {self.held} of {self.seeds} seeds"
        for one in self.comparisons:
            distance = one.distance if one.is_bound else None
            if self.is_fixed or distance is None:
                continue
            if not NEAREST <= distance <= one.farthest:
                yield one.advice()


def claims_of(page: Page, runs: list[Run]) -> Iterator[Luck]:
    """The asserts of a page, with what was measured in runs with different seeds."""
    lines = page.path.read_text(encoding="utf-8").splitlines()
    for line in sorted({line for run in runs for line in run.claims}):
        claims = [run.claims[line] for run in runs if line in run.claims]
        comparisons: dict[tuple[int, int], Comparison] = {}
        for claim in claims:
            for place, room in claim.rooms.items():
                new = Comparison(room.text, room.is_bound, room.is_below)
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
            is_fixed=FIXED in lines[line - 1],
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
            runs = run_with_seeds(page, ways, pool)
            claims = list(claims_of(page, runs))
            print(f"{page.stem}: {len(claims)} asserts", flush=True)
            for claim in claims:
                for problem in claim.problems():
                    num_problems += 1
                    print(f"    {script.name}:{claim.line}: {problem}", flush=True)
            write_table(page, claims, runs)
            found += claims
    marked = sum(claim.is_marked for claim in found)
    print(
        f"{len(found)} asserts with {asked.seeds} seeds: {num_problems} problems; "
        f"{marked} hold for one seed only ({MOST_MARKED} may), "
        f"{sum(claim.is_fixed for claim in found)} by definition"
    )
    sys.exit(num_problems > 0 or marked > MOST_MARKED)


def write_table(page: Page, claims: list[Luck], runs: list[Run]) -> None:
    """Keep what was measured on a page for the site, until its code changes."""
    pages = {script.stem for script in find_pages(ROOT / "snippets")}
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    results = [run.result for run in runs if run.result is not None]
    table[page.stem] = {
        "code": code_digest(page),
        "date": datetime.date.today().isoformat(),
        "processor": runs[0].processor,
        "seeds": len(runs),
        "result": spread_of(results) if results else None,
        "asserts": len(claims),
        "marked": sum(claim.is_marked for claim in claims),
        "comparisons": [
            {
                "line": claim.line,
                "claim": one.text,
                "is_bound": one.is_bound,
                **spread_of(one.values),
                "distance": round(one.distance, 1),
            }
            for claim in claims
            for one in claim.comparisons
            if one.distance is not None
        ],
    }
    kept = {name: table[name] for name in sorted(table) if name in pages}
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def code_digest(page: Page) -> str:
    """By which the site knows whether a page is still that which was measured."""
    sources = [cell.source for cell in page.code]
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


def spread_of(values: list[float]) -> dict[str, float]:
    """Mean and standard deviation, to the digits that they are worth."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    mean = statistics.fmean(values)
    return {"mean": float(f"{mean:.4g}"), "deviation": float(f"{deviation:.2g}")}


if __name__ == "__main__":
    main()
