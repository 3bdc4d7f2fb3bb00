"""Does what a page claims hold with other seeds, too? By hand:

    nox -s luck -- --seeds 20          all pages
    nox -s luck -- --seeds 20 rings    the pages whose names contain `rings`
    nox -s luck -- --more 4 right      four more, beside those that are kept
    nox -s luck -- --judge             those that are kept, by the bounds that stand

Every page runs with each of its seeds shifted, which draws other weights, other orders
and other noise, and all its asserts are judged in every run. One that fails in any of
them has to say in its line that it holds `# for this seed`; there may be ten such on
the site. A bound that was chosen (a number in the assert) stands two to four standard
deviations from the mean of what it bounds: nearer, it holds by luck; farther, it would
not notice a page that got worse. Where the bound follows from what is claimed (a random
number is below 1), the line says that it holds `# for every seed`.

What the runs gave is kept. A bound that is moved, or a mark that is set, by what they
say needs no new ones: `--judge` judges the same runs again. A long page can be run in
parts, and any page on a second processor, where its rounding is another.
"""

import argparse
import datetime
import hashlib
import json
import math
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from page_runner import store
from page_runner.claims import Claim, Claims, Room, Sign, without_bounds
from page_runner.execute import compile_page
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

Kept = dict[str, Any]  # as it stands in the table


@dataclass(frozen=True)
class Spread:
    """What runs with different seeds gave for one value."""

    seeds: int
    mean: float
    deviation: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        return cls(len(values), statistics.fmean(values), deviation)

    def __add__(self, other: "Spread") -> "Spread":
        """That of both, as if it were computed from all values."""
        seeds = self.seeds + other.seeds
        mean = (self.seeds * self.mean + other.seeds * other.mean) / seeds
        squares = sum(
            (one.seeds - 1) * one.deviation**2 + one.seeds * (one.mean - mean) ** 2
            for one in (self, other)
        )
        return Spread(seeds, mean, math.sqrt(squares / (seeds - 1)))

    def kept(self) -> Kept:
        """What the table keeps of it."""
        return {
            "seeds": self.seeds,
            "mean": digits(self.mean, 6),
            "deviation": digits(self.deviation, 4),
        }

    @classmethod
    def again(cls, kept: Kept) -> "Spread":
        return cls(kept["seeds"], kept["mean"], kept["deviation"])


@dataclass(frozen=True)
class Bounded:
    """A value that a claim compares with a number, over the seeds of the runs."""

    sign: Sign
    text: str  # of the line, with its mark
    spread: Spread  # of the values, each the nearest to failing of its run
    worst: float  # of them

    @property
    def distance(self) -> float | None:
        """Of the bound from the mean, in deviations; None where none is asked for.

        That is where no seed matters, or where the line says for which it holds.
        """
        if MARK in self.text or FIXED in self.text:
            return None
        mean, deviation = self.spread.mean, self.spread.deviation
        room = self.sign.bound - mean if self.sign.is_below else mean - self.sign.bound
        is_zero = self.sign.is_below and abs(mean) + abs(room) <= ZERO
        is_luck = deviation > ROUNDING * abs(mean) and not is_zero
        return room / deviation if is_luck else None

    @property
    def farthest(self) -> float:
        """How many deviations away a bound may stand: just beyond the worst."""
        worst = abs(self.worst - self.spread.mean) / self.spread.deviation
        return max(FARTHEST, BEYOND_WORST * worst)

    def said(self) -> Kept:
        """What the table says of it."""
        return {
            "line": self.sign.line,
            "claim": self.sign.comparison,
            "distance": None if self.distance is None else round(self.distance, 1),
        }

    def advice(self) -> str:
        """Where the bound is, and where it could be."""
        mean, deviation = self.spread.mean, self.spread.deviation
        way = deviation if self.sign.is_below else -deviation
        near, far = (mean + n * way for n in (NEAREST, self.farthest))
        return (
            f"{self.sign.comparison}: {mean:.4g} ± {deviation:.2g}, "
            f"worst {self.worst:.4g}, {self.distance:.1f} sd from its bound; "
            f"{near:.4g} to {far:.4g} would do"
        )


@dataclass(frozen=True)
class Luck:
    """One assert of a page, over all seeds."""

    line: int
    text: str
    seeds: int
    is_broken: bool  # whether it failed in a run for another reason than a bound
    bounds: list[Bounded]

    @property
    def is_marked(self) -> bool:
        return MARK in self.text

    @property
    def is_fixed(self) -> bool:
        return FIXED in self.text

    @property
    def holds(self) -> bool:
        """Whether it does for every seed."""
        return not self.is_broken and all(
            it.sign.admits(it.worst) for it in self.bounds
        )

    def problems(self) -> Iterator[str]:
        """What is wrong with it; nothing, where it is no matter of luck."""
        if not self.holds and not self.is_marked:
            yield f"{self.text}: fails for some of {self.seeds} seeds"
        for one in self.bounds:
            distance = one.distance
            if distance is not None and not NEAREST <= distance <= one.farthest:
                yield one.advice()


# Runs ---------------------------------------------------------------------------------


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


def entry_of(page: Page, runs: list[Run]) -> Kept:
    """What the table keeps of runs, whatever bounds stand."""
    results = [run.result for run in runs if run.result is not None]
    rooms: dict[tuple[int, int], list[Room]] = {}
    for claim in (claim for run in runs for claim in run.claims.values()):
        for place, room in claim.rooms.items():
            if room.is_bound and math.isfinite(room.value):
                rooms.setdefault(place, []).append(room)
    return {
        "ran": ran_digest(page),
        "date": datetime.date.today().isoformat(),
        "processor": runs[0].processor,
        "seeds": len(runs),
        "result": Spread.of(results).kept() if results else None,
        "broken": [
            i
            for i, line in enumerate(written_on(page).written)
            if any(is_broken(run.claims[line]) for run in runs if line in run.claims)
        ],
        "comparisons": {
            f"{place[0]}.{place[1]}": kept_of(rooms[place]) for place in sorted(rooms)
        },
    }


def is_broken(claim: Claim) -> bool:
    """Whether it failed in a run, and no bound of a finite value tells why."""
    bounds = [room for room in claim.rooms.values() if room.is_bound]
    is_told = any(room.room <= 0 for room in bounds) and all(
        math.isfinite(room.value) for room in bounds
    )
    return not claim.holds and not is_told


def kept_of(rooms: list[Room]) -> Kept:
    """What the table keeps of one comparison with a number."""
    values = [room.value for room in rooms]
    worst = max(values) if rooms[0].is_below else min(values)
    return {**Spread.of(values).kept(), "worst": digits(worst, 6)}


def joined(kept: Kept, more: Kept, signs: dict[str, Sign]) -> Kept:
    """What the table keeps of all runs of the same code."""

    def both(one: Kept, other: Kept) -> Kept:
        return (Spread.again(one) + Spread.again(other)).kept()

    comparisons = {**more["comparisons"]}
    for place, one in kept["comparisons"].items():
        if other := comparisons.get(place):
            worst = (max if signs[place].is_below else min)(
                one["worst"], other["worst"]
            )
            one = {**both(one, other), "worst": worst}
        comparisons[place] = one
    processors = [*kept["processor"].split("; "), more["processor"]]
    return {
        **more,
        "processor": "; ".join(dict.fromkeys(processors)),
        "seeds": kept["seeds"] + more["seeds"],
        "result": (
            both(kept["result"], more["result"])
            if kept["result"] and more["result"]
            else more["result"]
        ),
        "broken": sorted({*kept["broken"], *more["broken"]}),
        "comparisons": comparisons,
    }


# Judging ------------------------------------------------------------------------------


def judged(page: Page, entry: Kept) -> tuple[list[Luck], Kept]:
    """A page's asserts by the runs that are kept, and what the table says then."""
    lines = page.path.read_text(encoding="utf-8").splitlines()
    written = written_on(page)
    signs, bounds, comparisons = signs_of(written), defaultdict(list), {}
    for place, one in entry["comparisons"].items():
        sign = signs[place]
        text = lines[sign.line - 1]
        bounded = Bounded(sign, text, Spread.again(one), one["worst"])
        bounds[sign.line].append(bounded)
        comparisons[place] = {**one, **bounded.said()}
    claims = [
        Luck(
            line,
            lines[line - 1].strip(),
            entry["seeds"],
            is_broken=i in entry["broken"],
            bounds=bounds[line],
        )
        for i, line in enumerate(written.written)
    ]
    said = {
        "code": code_digest(page),
        "asserts": len(claims),
        "marked": sum(claim.is_marked for claim in claims),
        "comparisons": comparisons,
    }
    return claims, {**entry, **said}


def written_on(page: Page) -> Claims:
    """The asserts that a page has, and their comparisons; none has run."""
    claims = Claims(measure=True)
    compile_page(page, claims)
    return claims


def signs_of(claims: Claims) -> dict[str, Sign]:
    """The signs of all comparisons, by their place as the table names it."""
    return {
        f"{place}.{i}": sign
        for place, signs in enumerate(claims.comparisons)
        for i, sign in enumerate(signs)
    }


def say(page: Page, claims: list[Luck]) -> int:
    """Print a page's problems; how many."""
    problems = [(claim.line, text) for claim in claims for text in claim.problems()]
    print(f"{page.stem}: {len(claims)} asserts", flush=True)
    for line, text in problems:
        print(f"    {page.path.name}:{line}: {text}", flush=True)
    return len(problems)


# The table ----------------------------------------------------------------------------


def read_table() -> dict[str, Kept]:
    """What is kept of each page; nothing where nothing was ever run."""
    return json.loads(TABLE.read_text()) if TABLE.exists() else {}


def kept_runs(page: Page) -> Kept | None:
    """What is kept of runs of a page's code, bounds and comments aside."""
    entry = read_table().get(page.stem, {})
    return entry if entry.get("ran") == ran_digest(page) else None


def write_entry(page: Page, entry: Kept) -> None:
    """Keep an entry beside those of the other pages that there are."""
    table = read_table() | {page.stem: entry}
    pages = {script.stem for script in find_pages(ROOT / "snippets")}
    kept = {name: table[name] for name in sorted(table) if name in pages}
    store.write_whole(TABLE, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def code_digest(page: Page) -> str:
    """By which the site knows whether a page is still that which was judged."""
    return short_digest([cell.source for cell in page.code])


def ran_digest(page: Page) -> str:
    """Of the code as it computes, which no bound of an assert and no comment moves."""
    return short_digest([without_bounds(cell.source) for cell in page.code])


def short_digest(sources: list[str]) -> str:
    """Sixteen letters for the cells of a page."""
    return hashlib.sha256(json.dumps(sources).encode()).hexdigest()[:16]


def digits(value: float, number: int) -> float:
    """A value rounded to so many significant digits."""
    return float(f"{value:.{number}g}")


def main() -> None:
    """Run or take what is kept, print each claim that is a matter of luck, count."""
    parser = argparse.ArgumentParser()
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--seeds", type=int, default=20)
    how.add_argument("--more", type=int, help="seeds, beside the runs that are kept")
    how.add_argument("--judge", action="store_true", help="kept runs, no new ones")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    found: list[Luck] = []
    num_problems = 0
    with PagePool("cpu", store.data_root()) as pool:
        for script in find_pages(ROOT / "snippets"):
            if asked.names and not any(name in script.stem for name in asked.names):
                continue
            page = parse(script)
            kept = kept_runs(page) if asked.judge or asked.more else None
            if asked.judge:
                if kept is None:
                    print(f"{page.stem}: not judged, no runs of this code are kept")
                    continue
                runs = kept
            else:
                if asked.more and kept is None:
                    print(f"{page.stem}: no runs of this code are kept to add to")
                first = kept["seeds"] if kept else 0
                ways = other_seeds(first + (asked.more or asked.seeds))[first:]
                runs = entry_of(page, run_with_seeds(page, ways, pool))
                if kept:
                    runs = joined(kept, runs, signs_of(written_on(page)))
            claims, entry = judged(page, runs)
            write_entry(page, entry)
            num_problems += say(page, claims)
            found += claims
    marked = sum(claim.is_marked for claim in found)
    seeds = " or ".join(map(str, sorted({claim.seeds for claim in found})))
    print(
        f"{len(found)} asserts with {seeds} seeds: {num_problems} problems; "
        f"{marked} hold for one seed only ({MOST_MARKED} may), "
        f"{sum(claim.is_fixed for claim in found)} by definition"
    )
    sys.exit(num_problems > 0 or marked > MOST_MARKED or not found)


if __name__ == "__main__":
    main()
