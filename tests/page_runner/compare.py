"""Printed text against recorded text: words exactly, numbers within tolerance.

A recorded number may carry its spread, how far it moved while it was recorded:
`0.138±0.006`. `annotate` writes spreads, `compare` judges by them.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal, NamedTuple

RELATIVE_TOLERANCE = 1e-3
CUDA_FACTOR = 5  # how much wider the relative tolerance is on CUDA
FLOOR = 1e-12  # what is smaller is zero but for rounding: 1.3e-17 may be 4e-17

# How many times its spread a number may move. The spread is the largest of eight
# deviations from the plain run (see `variations`); a ninth, if they are normal, is
# beyond three times that once in 1,900 numbers.
SPREADS = 3

# A number starts where no word does: the 0 of `SigmoidBackward0` belongs to its word.
# `3.` is the integer 3 and a full stop, but in `[1., 3.]` a decimal; `3.2s` is the
# decimal 3.2 and an s; `2.14.1` is no number.
_TOKEN = re.compile(
    r"""
    (?<![\w.]) (?P<version> \d+(?:\.\d+){2,} )
    | (?<![\w.]) (?P<number>
        [+-]? (?:
            (?:\d+\.\d* | \.\d+ | \d+) [eE][+-]?\d+
            | \d+\. (?= [,\])±] | \s+[+-]?\d+\. )
            | (?:\d{1,3}(?:,\d{3})+ | \d+) (?:\.\d+)? (?!\d)
            | \.\d+
            | (?:nan|inf)(?!\w)
        )
    )
    (?: ±(?P<spread> \d+(?:\.\d+)?(?:e[+-]?\d+)? ) )?
    | (?P<newline>\n)
    | (?P<space>[^\S\n]+)
    | (?P<letter> [^\W\d][\w.]* | .)  # no number starts after a letter
    """,
    re.VERBOSE,
)

Kind = Literal["word", "integer", "decimal"]


class Token(NamedTuple):
    """A word or a number, and where it stands in its text."""

    text: str
    kind: Kind
    end: int  # the index after its last character
    line: int  # from 0
    spread: float = 0.0
    is_deviation: bool = False  # it stands behind a ±

    @property
    def value(self) -> float:
        """The number that it says."""
        return float(self.text.replace(",", ""))


@dataclass(frozen=True)
class Difference:
    """The first thing in which a text differs from the recorded one."""

    message: str
    expected_line: str
    actual_line: str


class Comparison(NamedTuple):
    """What came of a comparison: a difference, if any, and how much was the same."""

    difference: Difference | None
    numbers: int = 0
    words: int = 0


class Unstable(Exception):
    """What a cell prints cannot be recorded: it says what moved between two runs."""


def tokenize(text: str) -> list[Token]:
    """Split text into words and numbers; white space only separates."""
    tokens: list[Token] = []
    line, start, end = 0, 0, 0  # of the word, if it is longer than nothing

    def end_word() -> None:
        if end > start:
            tokens.append(Token(text[start:end], "word", end, line))

    for match in _TOKEN.finditer(text):
        if match["letter"] or match["version"]:
            end = match.end()
            continue
        end_word()
        start = end = match.end()
        if number := match["number"]:
            spread = float(match["spread"] or 0)
            is_deviation = bool(tokens) and tokens[-1].text == "±"
            place = match.end("number"), line
            tokens.append(Token(number, _kind(number), *place, spread, is_deviation))
        line += match["newline"] is not None
    end_word()
    return tokens


def _kind(number: str) -> Kind:
    return "integer" if re.fullmatch(r"[+-]?[\d,]+", number) else "decimal"


def compare(
    expected: str,
    actual: str,
    relative: float = RELATIVE_TOLERANCE,
    has_constants: bool = True,
) -> Comparison:
    """The first difference, and how much was compared before it.

    expected: recorded text, with spreads. relative: how far each decimal may drift.
    has_constants: False where every number was rounded, also one of a single digit.
    """
    if ambiguous := _has_spread(actual):
        return Comparison(Difference(ambiguous, "", ""))
    old, new = tokenize(expected), tokenize(actual)
    numbers = words = 0
    for left, right in zip_longest(old, new):
        if message := _difference(left, right, relative, has_constants):
            lines = _line_of(expected, left), _line_of(actual, right)
            return Comparison(Difference(message, *lines), numbers, words)
        is_word = left.kind == "word"
        words, numbers = words + is_word, numbers + (not is_word)
    return Comparison(None, numbers, words)


def tolerance(
    token: Token, relative: float = RELATIVE_TOLERANCE, has_constants: bool = True
) -> float:
    """How far a recorded number may move: an integer by what was measured for it.

    A decimal drifts by `relative` of its value, or by what was measured if that is
    more, and is then rounded, which is worth a unit of its last digit. A constant of
    one digit (0.1, 1e-3) is neither measured nor rounded; a deviation, behind a ±, is.
    """
    measured = SPREADS * token.spread
    if token.kind == "integer":
        return measured
    drift = max(relative * abs(token.value), measured)
    is_single = _significant_digits(token.text) == 1
    may_be_constant = has_constants and not token.is_deviation
    is_constant = may_be_constant and is_single and not token.spread
    rounding = 0.0 if is_constant else last_digit(token.text)
    return max(drift + rounding, FLOOR)


def margins(expected: str) -> str:
    """What a reader should know of recorded text: `0.138 ± 0.019, 0.957 ± 0.004`.

    These are the numbers that moved, with their tolerance; of more than four, only the
    largest tolerance is given. Empty where nothing moved.
    """
    moved = [token for token in tokenize(expected) if token.spread]
    if len(moved) > 4:
        widest = max(moved, key=tolerance)
        return f"up to ± {_as_printed(tolerance(widest), widest.text)}"
    return ", ".join(
        f"{token.text} ± {_as_printed(tolerance(token), token.text)}" for token in moved
    )


def without_moving(expected: str) -> str:
    """A recording without the numbers that have a spread: what is so everywhere."""
    return re.sub(
        r"[-+\d.,e]*\d[-+\d.,e]*±[\d.e-]+", "\N{HORIZONTAL ELLIPSIS}", expected
    )


def _difference(
    left: Token | None, right: Token | None, relative: float, has_constants: bool
) -> str | None:
    """What is wrong with one token, or None."""
    if left is None:
        return f"more than was recorded: {right.text!r}" if right else None
    if right is None:
        return f"the recorded {left.text!r} is missing"
    if left.text == right.text:
        return None
    if "word" in (left.kind, right.kind):
        return f"{right.text!r} where {left.text!r} was recorded"
    if left.kind != right.kind or not _are_finite(left, right):
        same = left.kind == right.kind and left.value == right.value
        return None if same else f"{right.text} where {left.text} was recorded"
    allowed = tolerance(left, relative, has_constants)
    if abs(right.value - left.value) <= allowed * (1 + 1e-9):
        return None
    if allowed == 0:
        return f"{right.text} where exactly {left.text} was recorded"
    return f"{right.text} is not within {allowed:.2g} of the recorded {left.text}"


def _are_finite(left: Token, right: Token) -> bool:
    return math.isfinite(left.value) and math.isfinite(right.value)


def last_digit(number: str) -> float:
    """One unit of the last printed digit: 0.01 of `0.31`; 0 of `1.`, which is exact."""
    mantissa, _, exponent = number.lower().partition("e")
    if mantissa.endswith("."):
        return 0.0
    decimals = len(mantissa.partition(".")[2])
    unit = float(f"1e{int(exponent or 0) - decimals}")
    return unit if math.isfinite(unit) else 0.0  # of `0e999`


def _significant_digits(number: str) -> int:
    """Of `0.1` and `1e-3` one, of `0.10` two; of a zero, as many as its decimals."""
    mantissa = re.sub(r"[eE].*|[-+,]", "", number)
    digits = mantissa.replace(".", "").lstrip("0")
    return len(digits or mantissa.partition(".")[2])


def annotate(plain: str, others: dict[str, str]) -> str:
    """The text of the plain run, with its spread beside each number that moved.

    others: the text of each other run, by what was different in it. Raises Unstable
    where more than the value of a number differs, which no tolerance can cover.
    """
    if ambiguous := _has_spread(plain):
        raise Unstable(ambiguous)
    tokens = tokenize(plain)
    spreads = [0.0] * len(tokens)
    for run, text in others.items():
        others_tokens = tokenize(text)
        for i, (left, right) in enumerate(zip_longest(tokens, others_tokens)):
            if left is None or right is None or not _comparable(left, right):
                was, now = (
                    token.text if token else "nothing" for token in (left, right)
                )
                raise Unstable(
                    f"{was!r} was {now!r} {run}\n"
                    f"    plain:   {_line_of(plain, left)}\n"
                    f"    {run}: {_line_of(text, right)}"
                )
            if left.kind != "word" and math.isfinite(left.value):
                spreads[i] = max(spreads[i], abs(right.value - left.value))
    return "".join(_with_spreads(plain, tokens, spreads))


def _comparable(left: Token, right: Token) -> bool:
    """Whether two tokens are the same, or numbers that differ in their value only."""
    if left.kind == "word" or right.kind == "word":
        return left.text == right.text
    return left.kind == right.kind and (
        _are_finite(left, right) or left.text == right.text
    )


def _with_spreads(
    text: str, tokens: list[Token], spreads: list[float]
) -> Iterator[str]:
    """A text in pieces, each number that moved followed by its spread."""
    start = 0
    for token, spread in zip(tokens, spreads, strict=True):
        yield text[start : token.end]
        start = token.end
        if spread > FLOOR:
            yield f"±{_as_printed(spread, token.text)}"
    yield text[start:]


def _as_printed(spread: float, number: str) -> str:
    """A spread with the decimals of its number, or with two digits if it has none."""
    decimals = len(number.partition(".")[2])
    plain = f"{spread:.{decimals}f}"
    says_it = "e" not in number.lower() and float(plain) >= 0.99 * spread
    return plain if says_it else f"{spread:.1e}"


def _has_spread(text: str) -> str | None:
    """What is wrong with a printed text that looks as if it had spreads; or None."""
    if match := re.search(r"\d±\d", text):
        around = text[max(0, match.start() - 20) : match.end() + 20].split()
        word = next(word for word in around if match[0] in word)
        return f"{word!r}, which reads like a recorded spread: write blanks around ±"
    return None


def _line_of(text: str, token: Token | None) -> str:
    return text.splitlines()[token.line].strip() if token else "(nothing)"
