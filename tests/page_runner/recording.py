"""What a page prints in several runs, as one recording that knows what may move."""

from collections.abc import Callable, Mapping

from page_runner.compare import Unstable, annotate
from page_runner.expected import Expected, describe_data
from page_runner.judge import failure_message, locate
from page_runner.run import Run
from page_runner.script import Cell, Page
from page_runner.variations import Variation

ADVICE = (
    "    What differs between two runs cannot be recorded: print fewer digits, print a "
    "share,\n    sort what has no order, or assert a range and print nothing."
)


def combine(
    page: Page, plain: Run, others: Mapping[Variation, Run]
) -> tuple[Expected, list[str]]:
    """What to record of a page, and why it cannot be recorded (nothing: it can).

    plain: the run whose output is recorded. others: runs that may move its numbers and
    must not change anything else.
    """
    problems = [
        "a claim without margin, or one that this run refutes: it holds in the plain "
        f"run and fails {variation.name}\n{failure_message(page, run, run.failure)}"
        for variation, run in others.items()
        if run.failure
    ]
    if problems:
        return Expected(), problems
    expected = Expected(describe_data(plain.data), plain.processor)
    for cell in page.code:
        for texts, get in [
            (expected.cells, Run.printed),
            (expected.errors, Run.written),
            (expected.figures, Run.drawn),
        ]:
            try:
                texts[cell.number] = _annotate(cell, plain, others, get)
            except Unstable as error:
                problems.append(locate(page, cell, f"{error}\n{ADVICE}"))
    return expected, problems


def _annotate(
    cell: Cell,
    plain: Run,
    others: Mapping[Variation, Run],
    get: Callable[[Run], dict[int, str]],
) -> str:
    """What a cell printed, or wrote to stderr, with spreads. Raises Unstable."""
    text = get(plain).get(cell.number, "")
    return annotate(
        text, {v.name: get(run).get(cell.number, "") for v, run in others.items()}
    )
