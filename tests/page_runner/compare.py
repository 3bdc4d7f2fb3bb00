"""Printed text against recorded text: words exactly, decimals within tolerance."""

import math
import re
from dataclasses import dataclass

RELATIVE_TOLERANCE = 1e-3
CUDA_FACTOR = 10  # how much wider the default is on CUDA

# A number starts where no word does: the 0 of `SigmoidBackward0` belongs to its word.
# `3.` is the integer 3 and a full stop; `3.2s` is the decimal 3.2 and an s.
_TOKEN = re.compile(
    r"""
    (?<![\w.]) (?P<number>
        [+-]? (?: (?:\d+\.\d+ | \.\d+ | \d+) (?:[eE][+-]?\d+)? | (?:nan|inf)(?!\w) )
    )
    | (?P<newline>\n)
    | (?P<space>[^\S\n]+)
    | (?P<word>.)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """A word or a number, and the line of the text that it stands in, from 0."""

    text: str
    line: int
    is_number: bool


@dataclass(frozen=True)
class Difference:
    """The first thing in which a text differs from the recorded one."""

    message: str
    expected_line: str
    actual_line: str


def tokenize(text: str) -> list[Token]:
    """Split text into words and numbers; white space only separates."""
    tokens: list[Token] = []
    line, word = 0, ""

    def end_word() -> None:
        nonlocal word
        if word:
            tokens.append(Token(word, line, is_number=False))
        word = ""

    for match in _TOKEN.finditer(text):
        if match.lastgroup == "word":
            word += match[0]
            continue
        end_word()
        if match.lastgroup == "number":
            tokens.append(Token(match[0], line, is_number=True))
        line += match.lastgroup == "newline"
    end_word()
    return tokens


def compare(
    expected: str,
    actual: str,
    relative: float = RELATIVE_TOLERANCE,
    factor: float = 1.0,
    words_only: bool = False,
) -> tuple[Difference | None, int]:
    """The first difference (None if there is none), and how many numbers were compared.

    A decimal may be off by `factor` times the larger of `relative` times its recorded
    value and one unit of its last recorded digit.
    """
    old, new = tokenize(expected), tokenize(actual)
    if words_only:
        old = [token for token in old if not token.is_number]
        new = [token for token in new if not token.is_number]
    compared = 0
    for i in range(max(len(old), len(new))):
        left = old[i] if i < len(old) else None
        right = new[i] if i < len(new) else None
        message = _difference(left, right, relative, factor)
        if message:
            lines = _line_of(expected, left), _line_of(actual, right)
            return Difference(message, *lines), compared
        compared += left.is_number
    return None, compared


def _difference(
    left: Token | None, right: Token | None, relative: float, factor: float
) -> str | None:
    """What is wrong with one token, or None."""
    if left is None:
        return f"more than was recorded: {right.text!r}"
    if right is None:
        return f"the recorded {left.text!r} is missing"
    if left.text == right.text:
        return None
    if not (left.is_number and right.is_number):
        return f"{right.text!r} where {left.text!r} was recorded"
    old, new = float(left.text), float(right.text)
    if _is_integer(left.text) or _is_integer(right.text):
        both = _is_integer(left.text) and _is_integer(right.text)
        same = both and int(left.text) == int(right.text)
        return None if same else f"{right.text} where exactly {left.text} was recorded"
    if not (math.isfinite(old) and math.isfinite(new)):
        same = old == new or (math.isnan(old) and math.isnan(new))
        return None if same else f"{right.text} where {left.text} was recorded"
    tolerance = factor * max(relative * abs(old), _last_digit(left.text))
    if abs(new - old) <= tolerance * (1 + 1e-9):
        return None
    return f"{right.text} is not within {tolerance:.2g} of the recorded {left.text}"


def _is_integer(number: str) -> bool:
    return number.lstrip("+-").isdigit()


def _last_digit(number: str) -> float:
    """One unit of the last printed digit: 0.01 of `0.31`, 1e-05 of `1e-05`."""
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals)


def _line_of(text: str, token: Token | None) -> str:
    return text.splitlines()[token.line].strip() if token else "(nothing)"
