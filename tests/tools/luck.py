"""Does what a page claims hold with other seeds, too? By hand:

    nox -s luck -- --seeds 20          all pages
    nox -s luck -- --seeds 20 rings    the pages whose names contain `rings`
    nox -s luck -- --judge             the runs that are kept, by the bounds that stand

Every page runs with each of its seeds shifted, which draws other weights, other orders
and other noise, and all its asserts are judged in every run. One that fails in any of
them has to say in its line that it holds `# for this seed`; there may be ten such on
the site. A bound that was chosen (a number in the assert) stands two to four standard
deviations from the mean of what it bounds: nearer, it holds by luck; farther, it would
not notice a page that got worse. Where the bound follows from what is claimed (a random
number is below 1), the line says that it holds `# for every seed`.

What the runs gave is kept. A bound that is moved, or a mark that is set, by what they
say needs no new ones: `--judge` judges the same runs again.
"""

import argparse
import datetime
import hashlib
import json
import math
import statistics
import sys
from collections.abc import Iterable, Iterator
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
class Comparison:
    """One comparison of a claim, over the seeds that it was made with."""

    text: str
    is_bound: bool  # whether a number that was chosen stands on one side
    is_below: bool  # whether the value has to be less than that
    mean: float  # of the values, each the nearest to failing of its run
    worst: float  # of them
    deviation: float  # of them
    room: float  # from the mean to the bound, or to what it is compared with
    room_deviation: float  # over the seeds; that of the values, where there is a bound

    @classmethod
    def over(cls, rooms: list[Room]) -> "Comparison":
        """The same comparison in several runs."""
        values, lengths = [one.value for one in rooms], [one.room for one in rooms]
        is_finite = len(rooms) > 1 and all(map(math.isfinite, values + lengths))
        return cls(
            rooms[0].text,
            rooms[0].is_bound,
            rooms[0].is_below,
            mean=statistics.fmean(values),
            worst=max(values) if rooms[0].is_below else min(values),
            deviation=statistics.stdev(values) if is_finite else 0.0,
            room=statistics.fmean(lengths),
            room_deviation=statistics.stdev(lengths) if is_finite else 0.0,
        )

    @classmethod
    def again(cls, kept: Kept, sign: Sign) -> "Comparison":
        """A kept one, by the bound that stands now."""
        mean, deviation = kept["mean"], kept["deviation"]
        room = sign.bound - mean if sign.is_below else mean - sign.bound
        return cls(
            text=sign.comparison,
            is_bound=True,
            is_below=sign.is_below,
            mean=mean,
            worst=kept["worst"],
            deviation=deviation,
            room=room,
            room_deviation=deviation,
        )

    @property
    def varies(self) -> bool:
        """Whether the seed moves it by more than rounding."""
        return self.room_deviation > ROUNDING * abs(self.mean)

    @property
    def distance(self) -> float | None:
        """Of the bound from the mean, in deviations; None where no seed matters."""
        is_zero = self.is_below and abs(self.mean) + abs(self.room) <= ZERO
        return self.room / self.room_deviation if self.varies and not is_zero else None

    @property
    def farthest(self) -> float:
        """How many deviations away a bound may stand: just beyond the worst."""
        worst = abs(self.worst - self.mean) / self.deviation
        return max(FARTHEST, BEYOND_WORST * worst)

    def advice(self) -> str:
        """Where the bound is, and where it could be."""
        sign = 1 if self.is_below else -1
        near, far = (
            self.mean + sign * n * self.deviation for n in (NEAREST, self.farthest)
        )
        return (
            f"{self.text}: {self.mean:.4g} ± {self.deviation:.2g}, "
            f"worst {self.worst:.4g}, {self.distance:.1f} sd from its bound; "
            f"{near:.4g} to {far:.4g} would do"
        )

    def kept(self) -> Kept:
        """What the table keeps of it."""
        return {
            "claim": self.text,
            "is_bound": self.is_bound,
            "mean": digits(self.mean, 6),
            "deviation": digits(self.deviation, 4),
            "worst": digits(self.worst, 6),
            "distance": None if self.distance is None else round(self.distance, 1),
        }


@dataclass(frozen=True)
class Luck:
    """One assert of a page, over all seeds."""

    line: int
    text: str
    seeds: int
    failed: int  # for so many of them, or more where the runs are kept ones
    is_broken: bool  # whether it failed for another reason than a bound
    comparisons: dict[tuple[int, int], Comparison]  # by their place on the page

    @property
    def is_marked(self) -> bool:
        return MARK in self.text

    @property
    def is_fixed(self) -> bool:
        return FIXED in self.text

    def problems(self) -> Iterator[str]:
        """What is wrong with it; nothing, where it is no matter of luck."""
        if self.is_marked:
            return
        if self.failed:
            yield f"{self.text}: fails for {self.failed} of {self.seeds} seeds"
        for one in self.comparisons.values():
            distance = one.distance if one.is_bound else None
            if self.is_fixed or distance is None:
                continue
            if not NEAREST <= distance <= one.farthest:
                yield one.advice()


# From runs ----------------------------------------------------------------------------


def claims_of(page: Page, runs: list[Run]) -> Iterator[Luck]:
    """The asserts of a page, with what was measured in runs with different seeds."""
    lines = page.path.read_text(encoding="utf-8").splitlines()
    for line in sorted({line for run in runs for line in run.claims}):
        claims = [run.claims[line] for run in runs if line in run.claims]
        rooms: dict[tuple[int, int], list[Room]] = {}
        for claim in claims:
            for place, room in claim.rooms.items():
                rooms.setdefault(place, []).append(room)
        yield Luck(
            line,
            lines[line - 1].strip(),
            seeds=len(runs),
            failed=sum(not claim.holds for claim in claims),
            is_broken=any(map(is_broken, claims)),
            comparisons={place: Comparison.over(rooms[place]) for place in rooms},
        )


def is_broken(claim: Claim) -> bool:
    """Whether it failed in a run, and no bound in it did."""
    bounds = [room.room for room in claim.rooms.values() if room.is_bound]
    return not claim.holds and min(bounds, default=1) > 0


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


def entry_of(page: Page, claims: list[Luck], runs: list[Run]) -> Kept:
    """What the table keeps of runs, until the page's code changes."""
    results = [run.result for run in runs if run.result is not None]
    return {
        "code": code_digest(page),
        "ran": ran_digest(page),
        "date": datetime.date.today().isoformat(),
        "processor": runs[0].processor,
        "seeds": len(runs),
        "result": spread_of(results) if results else None,
        **judged(claims),
        "comparisons": [
            {"line": claim.line, "place": f"{place[0]}.{place[1]}", **one.kept()}
            for claim in claims
            for place, one in claim.comparisons.items()
            if one.varies
        ],
    }


def judged(claims: list[Luck]) -> Kept:
    """What the table says of the asserts of a page."""
    return {
        "asserts": len(claims),
        "marked": sum(claim.is_marked for claim in claims),
        "broken": [i for i, claim in enumerate(claims) if claim.is_broken],
    }


# From the table -----------------------------------------------------------------------


def judged_again(page: Page, entry: Kept) -> tuple[list[Luck], Kept] | None:
    """A page's asserts by its kept runs, and what the table says then.

    None where other code was run, bounds and comments aside.
    """
    if entry.get("ran") != ran_digest(page):
        return None
    lines = page.path.read_text(encoding="utf-8").splitlines()
    written = Claims(measure=True)
    compile_page(page, written)
    kept = []
    comparisons: dict[int, dict[tuple[int, int], Comparison]] = {}
    failed: set[int] = set()  # lines
    for one in entry["comparisons"]:
        place, i = map(int, one["place"].split("."))
        sign = written.comparisons[place][i]
        if one["is_bound"]:
            again = Comparison.again(one, sign)
            comparisons.setdefault(sign.line, {})[place, i] = again
            one = {**one, **again.kept()}
            if not sign.admits(one["worst"]):
                failed.add(sign.line)
        kept.append({**one, "line": sign.line})
    claims = [
        Luck(
            line,
            lines[line - 1].strip(),
            seeds=entry["seeds"],
            failed=int(line in failed or i in entry["broken"]),
            is_broken=i in entry["broken"],
            comparisons=comparisons.get(line, {}),
        )
        for i, line in enumerate(written.written)
    ]
    new = {"code": code_digest(page), **judged(claims), "comparisons": kept}
    return claims, {**entry, **new}


# Both ---------------------------------------------------------------------------------


def run_all(pages: list[Page], ways: list[Variation]) -> tuple[list[Luck], int]:
    """The asserts of pages that run in all these ways, and how many problems."""
    found, num_problems = [], 0
    with PagePool("cpu", store.data_root()) as pool:
        for page in pages:
            runs = run_with_seeds(page, ways, pool)
            claims = list(claims_of(page, runs))
            write_table({page.stem: entry_of(page, claims, runs)})
            num_problems += say(page, claims)
            found += claims
    return found, num_problems


def judge_kept(pages: list[Page]) -> tuple[list[Luck], int]:
    """The asserts of pages whose runs are kept, and how many problems."""
    found, num_problems, table = [], 0, read_table()
    for page in pages:
        again = judged_again(page, table.get(page.stem, {}))
        if again is None:
            print(f"{page.stem}: not judged, no runs of this code are kept")
            continue
        claims, entry = again
        write_table({page.stem: entry})
        num_problems += say(page, claims)
        found += claims
    return found, num_problems


def say(page: Page, claims: list[Luck]) -> int:
    """Print a page's problems; how many."""
    problems = [(claim.line, text) for claim in claims for text in claim.problems()]
    print(f"{page.stem}: {len(claims)} asserts", flush=True)
    for line, text in problems:
        print(f"    {page.path.name}:{line}: {text}", flush=True)
    return len(problems)


def main() -> None:
    """Run or take what is kept, print each claim that is a matter of luck, count."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--judge", action="store_true", help="kept runs, no new ones")
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    scripts = [
        script
        for script in find_pages(ROOT / "snippets")
        if not asked.names or any(name in script.stem for name in asked.names)
    ]
    pages = [parse(script) for script in scripts]
    if asked.judge:
        found, num_problems = judge_kept(pages)
    else:
        found, num_problems = run_all(pages, other_seeds(asked.seeds))
    marked = sum(claim.is_marked for claim in found)
    seeds = " or ".join(map(str, sorted({claim.seeds for claim in found})))
    print(
        f"{len(found)} asserts with {seeds} seeds: {num_problems} problems; "
        f"{marked} hold for one seed only ({MOST_MARKED} may), "
        f"{sum(claim.is_fixed for claim in found)} by definition"
    )
    sys.exit(num_problems > 0 or marked > MOST_MARKED or not found)


# The table ----------------------------------------------------------------------------


def read_table() -> dict[str, Kept]:
    """What is kept of each page; nothing where nothing was ever run."""
    return json.loads(TABLE.read_text()) if TABLE.exists() else {}


def write_table(entries: dict[str, Kept]) -> None:
    """Keep entries beside those of the other pages that there are."""
    table = read_table() | entries
    pages = {script.stem for script in find_pages(ROOT / "snippets")}
    kept = {name: table[name] for name in sorted(table) if name in pages}
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def code_digest(page: Page) -> str:
    """By which the site knows whether a page is still that which was judged."""
    return short_digest([cell.source for cell in page.code])


def ran_digest(page: Page) -> str:
    """Of the code as it computes, which no bound of an assert and no comment moves."""
    return short_digest([without_bounds(cell.source) for cell in page.code])


def short_digest(sources: Iterable[str]) -> str:
    """Sixteen letters for the cells of a page."""
    return hashlib.sha256(json.dumps(list(sources)).encode()).hexdigest()[:16]


def spread_of(values: list[float]) -> dict[str, float]:
    """Mean and standard deviation, to the digits that they are worth."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {
        "mean": digits(statistics.fmean(values), 4),
        "deviation": digits(deviation, 2),
    }


def digits(value: float, number: int) -> float:
    """A value rounded to so many significant digits."""
    return float(f"{value:.{number}g}")


if __name__ == "__main__":
    main()
