"""Shares of the pages, one for each of several machines, of about the same time each.

All machines have to come to the same shares. So these follow from the checkout alone:
from the names of the pages, and from how long each took when it was recorded, which is
in `tests/expected/seconds.json`.
"""

import re
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# About how many seconds of pages take as long as all other tests, one after the other.
# It decides how many pages the first share has, and nothing else.
OTHER_TESTS = 280.0
SHORTEST = 0.1  # seconds; with none of zero, no share stays empty


@dataclass(frozen=True)
class Shard:
    """One of several shares; the first is number 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """`2/5` is the second of five. Raises ValueError."""
        match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", text)
        if not match or int(match[1]) > int(match[2]):
            raise ValueError(f"`{text}` is no shard: the second of five is `2/5`")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def has_other_tests(self) -> bool:
        """Whether all tests that are about no single page belong to it."""
        return self.number == 1

    def share(
        self, stems: Iterable[str], seconds: Mapping[str, float], others: float = 0.0
    ) -> set[str]:
        """The pages that belong to it, where all other tests take as long as `others`.

        The longest page goes first, each to the share that has least by then. A page
        whose time is not known counts as one of middle length.
        """
        middle = statistics.median(seconds.values()) if seconds else 1.0
        times = {stem: max(seconds.get(stem, middle), SHORTEST) for stem in stems}
        shares: list[set[str]] = [set() for _ in range(self.of)]
        loads = [others, *[0.0] * (self.of - 1)]
        for stem in sorted(times, key=lambda stem: (-times[stem], stem)):
            least = loads.index(min(loads))
            shares[least].add(stem)
            loads[least] += times[stem]
        return shares[self.number - 1]
