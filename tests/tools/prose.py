"""Is every number of the prose printed or asserted?

    nox -s prose                 all pages
    nox -s prose -- 14_ rings    those whose names contain one of these

Looks at each number in the prose of a page, and for the same number among

- what the code of the section and of the one before prints, according to the recording,
- that code itself, with its asserts (for the opening and the exercises, which speak of
  the whole page: both for all of it),
- the same for the whole of a page that the line links to,
- what its header's `source_result` and `cites` give as somebody else's.

The same holds for what a page asks: the answers to its `predict` cells, and to its
questions in docs/questions.yml, have no number that is on neither page nor question.

A number that is nowhere there is listed with its line, and the session fails. Prose may
round: `98 %` is said by a printed 0.9813. Years, list numbers, versions, formulas and
code are left out, as are numbers that are part of a name, such as CIFAR-10.
"""

import argparse
import ast
import math
import operator
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from page_runner import expected
from page_runner.script import Cell, Page, find_pages, parse
from page_runner.store import expected_path

ROOT = Path(__file__).parents[2]
QUESTIONS = ROOT / "docs" / "questions.yml"

NOT_SAID = re.compile(
    r"```.*?```|`[^`]*`"  # code
    r"|\$\$.*?\$\$|\$[^$\n]*\$"  # formulas
    r"|<[^>]*>|(?<=\])\([^)]*\)"  # tags; the addresses of links
    r"|^\s*(?:\*\*)?\d+\.(?:\*\*)?\s"  # the number of an exercise, or in a list
    r"|^\|[-:| ]+\|$",  # the line below a table's head
    re.DOTALL | re.MULTILINE,
)
NUMBER = re.compile(
    r"(?<![\w.,])(?<!\w[-\u2013/])"  # no part of a name: CIFAR-10, float32
    r"(?P<digits>[-\u2212+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)"
    r"(?![\w]|[.,]\d|-\d|[- ]bits?\b)"
    r"(?P<percent>\s*%|\s+points?\b|\s+in (?:every )?(?:100|a hundred)\b)?"
)
NAMED = r"(?:Python|PyTorch|NumPy|torch|torchvision|page|chapter)\s+$"
VERSIONED = re.compile(NAMED, re.IGNORECASE)
MINUS = "\u2212"
YEARS = range(1800, 2100)
SECTION = re.compile(r"^#{1,2} ", re.MULTILINE)
SIGNS: dict[type, Callable[[float], float]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
ARITHMETIC: dict[type, Callable[[float, float], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
LOOSE = re.compile(r"(?<![\d.])\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?")  # in outputs
SPREAD = re.compile(r"±[\d.e-]+")  # in recordings
LINK = re.compile(r"\]\((\w+)\.py")
WHOLE = "## Try it yourself"  # the section that speaks of the whole page
SMALL = 10  # a whole number below it has to be found as it is


@dataclass(frozen=True)
class Said:
    """A number in a page's prose."""

    line: int  # of the script
    text: str
    value: float
    decimals: int
    percent: bool

    @property
    def is_everyones(self) -> bool:
        """Whether nobody has to say it: 0 or 1, and no percentage."""
        return self.value in (0, 1) and not self.percent

    def is_said_by(self, number: float) -> bool:
        """Whether a printed, asserted or written number is this one, perhaps rounded.

        A percentage may be said by a share, and a sign may be left to the words.
        """
        shares = [number, 100 * number] if self.percent else [number]
        if not self.percent and not self.decimals and self.value < SMALL:
            return abs(number) == abs(self.value)
        half = 0.5 * 10**-self.decimals
        return any(
            abs(abs(share) - abs(self.value)) <= half * (1 + 1e-6) for share in shares
        )


def numbers_in(text: str, first_line: int = 1) -> Iterator[Said]:
    """The numbers of a prose cell; `first_line` is where it begins in the script."""
    blank = NOT_SAID.sub(lambda part: re.sub(r"[^\n]", " ", part[0]), text)
    for match in NUMBER.finditer(blank):
        digits = match["digits"].replace(MINUS, "-").replace(",", "")
        value, percent = float(digits), bool(match["percent"])
        is_year = not percent and match["digits"].isdigit() and int(digits) in YEARS
        if is_year or VERSIONED.search(blank[: match.start()]):
            continue
        line = first_line + blank.count("\n", 0, match.start())
        decimals = len(digits.partition(".")[2])
        yield Said(line, match[0].strip(), value, decimals, percent)


def printed(page: Page, cells: Iterable[Cell]) -> set[float]:
    """What cells of a page print, according to its recording."""
    recording = expected.read(expected_path(page.path)) or expected.Expected()
    found = set()
    for cell in cells:
        for kind in (recording.cells, recording.errors):
            text = SPREAD.sub("", kind.get(cell.number, ""))
            for digits in LOOSE.findall(text):
                found.add(float(digits.replace(",", "")))
    return found


def value_of(node: ast.AST) -> float | None:
    """What an expression of literals comes to, `0.9 * 100`; None for any other."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in SIGNS:
            inner = value_of(operand)
            return None if inner is None else SIGNS[type(sign)](inner)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in ARITHMETIC:
            first, second = value_of(left), value_of(right)
            if first is None or second is None:
                return None
            with suppress(ArithmeticError, TypeError):
                return float(ARITHMETIC[type(sign)](first, second))
    return None


def literals(nodes: Iterable[ast.AST]) -> set[float]:
    """The numbers written in code, and what arithmetic between them comes to."""
    values = (value_of(node) for outer in nodes for node in ast.walk(outer))
    return {value for value in values if value is not None and math.isfinite(value)}


def evidence(page: Page, cells: list[Cell]) -> set[float]:
    """The numbers of code cells: printed, asserted or otherwise written there."""
    code = [cell for cell in cells if cell.kind == "code"]
    return printed(page, code) | literals(ast.parse(cell.source) for cell in code)


def sections(page: Page) -> Iterator[list[Cell]]:
    """The cells of a page by section; the first has the title and what follows it."""
    section: list[Cell] = []
    for cell in page.cells:
        if cell.kind == "markdown" and SECTION.search(cell.source) and section:
            yield section
            section = []
        section.append(cell)
    yield section


def cited(page: Page) -> list[Said]:
    """The numbers that the header gives as somebody else's."""
    texts = list(page.header.cites)
    if share := page.header.source_result:
        texts += [f"{share:g}", f"{100 * share:g} %"]
    return [said for text in texts for said in numbers_in(text)]


def unfounded(page: Page) -> Iterator[Said]:
    """The numbers of a page's prose that nothing there says."""
    others = {said.value for said in cited(page)}
    before: list[Cell] = []
    for i, section in enumerate(sections(page)):
        speaks_of_all = i == 0 or WHOLE in section[0].source
        cells = list(page.cells) if speaks_of_all else before + section
        here, before = evidence(page, cells), section
        for cell in section:
            if cell.kind != "markdown":
                continue
            lines = cell.source.splitlines()
            for said in numbers_in(cell.source, cell.line):
                known = here | linked(page, lines[said.line - cell.line])
                if said.is_everyones or said.value in others:
                    continue
                if not any(map(said.is_said_by, known)):
                    yield said


def asked(page: Page, questions: list[dict[str, str]]) -> list[tuple[int, str, str]]:
    """What a page asks, and what it answers, with the line of its script or 1."""
    predicted = [
        (cell.line - 1, " ".join([one.ask, *one.answers]), one.why)
        for cell in page.code
        if (one := cell.prediction)
    ]
    return predicted + [(1, entry["asks"], entry["answer"]) for entry in questions]


def unfounded_answers(page: Page, questions: list[dict[str, str]]) -> Iterator[Said]:
    """The numbers of answers that neither the page nor the question has."""
    here = evidence(page, list(page.cells))
    here |= {said.value for cell in page.cells for said in numbers_in(cell.source)}
    for line, question, answer in asked(page, questions):
        known = here | {float(n.replace(",", "")) for n in LOOSE.findall(question)}
        for said in numbers_in(answer, line):
            if not said.is_everyones and not any(map(said.is_said_by, known)):
                yield said


def linked(page: Page, line: str) -> set[float]:
    """What the pages say to which a line of prose links."""
    scripts = [page.path.with_name(f"{name}.py") for name in LINK.findall(line)]
    pages = [parse(script) for script in scripts if script.exists()]
    found: set[float] = set()
    return found.union(*(evidence(other, list(other.cells)) for other in pages))


def unused_citations(page: Page) -> list[str]:
    """Entries of the header's `cites` whose number the prose does not have."""
    cells = [cell for cell in page.cells if cell.kind == "markdown"]
    values = {said.value for cell in cells for said in numbers_in(cell.source)}
    return [
        text
        for text in page.header.cites
        if values.isdisjoint(said.value for said in numbers_in(text))
    ]


def main() -> int:
    """List what is unfounded; 1 if anything is, or if no page was looked at."""
    parser = argparse.ArgumentParser(prog="nox -s prose --")
    parser.add_argument("names", nargs="*")
    names = parser.parse_args().names or [""]
    pages = [parse(script) for script in find_pages(ROOT / "snippets")]
    pages = [page for page in pages if any(name in page.stem for name in names)]
    questions = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    total = problems = 0
    for page in pages:
        cells = [cell for cell in page.cells if cell.kind == "markdown"]
        total += sum(len(list(numbers_in(cell.source))) for cell in cells)
        answers = unfounded_answers(page, questions.get(page.stem, []))
        for said in chain(unfounded(page), answers):
            problems += 1
            print(f"{page.path.name}:{said.line}: {said.text} is said by nothing")
        for text in unused_citations(page):
            problems += 1
            print(f"{page.path.name}:1: {text!r} is cited, and not in the prose")
    print(f"{len(pages)} pages, {total} numbers in prose, {problems} problems")
    return 1 if problems or not pages else 0


if __name__ == "__main__":
    sys.exit(main())
