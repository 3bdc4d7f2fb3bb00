"""Everything that can be wrong with a run of a page, each as a message that helps."""

from dataclasses import dataclass, field

from page_runner.compare import (
    CUDA_FACTOR,
    RELATIVE_TOLERANCE,
    Difference,
    compare,
    margins,
    without_moving,
)
from page_runner.expected import Expected, describe_data
from page_runner.run import Failure, Run
from page_runner.script import Cell, Page


@dataclass
class Verdict:
    """The problems of a run (none: it passed), and what was compared or why not."""

    problems: list[str] = field(default_factory=list)
    compared: int = 0  # numbers
    words: int = 0  # compared
    figures: int = 0  # compared
    not_compared: str = ""  # the reason, where nothing was compared
    margins: dict[str, str] = field(default_factory=dict)  # by number of the cell


def judge(
    page: Page,
    run: Run,
    expected: Expected | None,
    device: str,
    claims_only: bool = False,
) -> Verdict:
    """Judge a run: its failure, warnings, figures, and what it printed.

    With `claims_only`, what it printed is not compared with the recording, and what one
    library deprecates for another is no warning: no page could be written otherwise.
    """
    verdict = Verdict()
    if run.failure:
        verdict.problems.append(failure_message(page, run, run.failure))
        verdict.not_compared = "it failed"
        return verdict
    verdict.problems += _warnings(page, run, claims_only)
    verdict.problems += _complaints(page, run)
    verdict.problems += _figures(page, run)
    verdict.problems += _claims(page, run)
    verdict.problems += unknown_data(page, run)
    if not any(text.strip() for text in run.printed().values()):
        message = "the page prints nothing, so nothing is checked: print its results"
        verdict.problems.append(locate(page, page.code[0], message))
    if claims_only:
        verdict.not_compared = "claims only"
    else:
        _compare(page, run, expected, device, verdict)
    return verdict


def locate(page: Page, cell: Cell | None, message: str, line: int = 0) -> str:
    """A problem's message, headed by page, line and cell."""
    where = f"{page.path.name}:{line or (cell.line if cell else 1)}"
    return f"{where}: {f'cell {cell.number}: ' if cell else ''}{message}"


def uses_stand_in(data: dict[str, str]) -> bool:
    """Whether a run loaded data that `load.py` drew for want of the real set."""
    return any(kind.startswith("stand-in") for kind in data.values())


def failure_message(page: Page, run: Run, failure: Failure) -> str:
    """What stopped a run, with the line of the script and a short traceback."""
    cell = page.code[run.failed_cell - 1] if run.failed_cell else None
    lines = page.path.read_text(encoding="utf-8").splitlines()
    source = lines[failure.line - 1].strip() if failure.line <= len(lines) else ""
    message = f"{failure.kind}: {failure.message}".rstrip(": ")
    if failure.kind == "AssertionError":
        message = f"a claim of the page does not hold: {failure.message or source}"
    text = locate(page, cell, message, failure.line)
    return f"{text}\n    {source}\n{failure.traceback}".rstrip()


def _warnings(page: Page, run: Run, only_shown: bool) -> list[str]:
    """No warning is raised; of other versions' ones, none that a reader would see."""
    return [
        locate(
            page,
            page.cell_at(warning.line),
            f"raised {warning}\n"
            "    Write what the message recommends; a page runs without warnings.",
            warning.line,
        )
        for warning in run.warnings
        if not (only_shown and warning.is_hidden)
    ]


def _complaints(page: Page, run: Run) -> list[str]:
    """What the page did or suffered; on line 1, what is of no cell in particular."""
    return [
        locate(
            page,
            page.cell_at(heard.line) if heard.line > 1 else None,
            str(heard),
            heard.line,
        )
        for heard in run.complaints
    ]


def _claims(page: Page, run: Run) -> list[str]:
    """A page claims something, and each of its asserts is reached."""
    if not run.claims and not run.unclaimed:
        message = "the page has no assert, so it claims nothing: assert what it teaches"
        return [locate(page, page.code[0], message)]
    return [
        locate(page, page.cell_at(line), "an assert that never ran: run it", line)
        for line in run.unclaimed
    ]


def _figures(page: Page, run: Run) -> list[str]:
    """Each cell that draws says in its `alt` what the figure shows."""
    problems = []
    for cell in page.code:
        kinds = [
            kind for out in run.outputs[cell.number] for kind in out.get("data", ())
        ]
        if any(kind.startswith("image/") for kind in kinds) and not cell.alt:
            message = (
                'a figure without a text alternative: start the cell `# %% alt="…"`'
            )
            problems.append(locate(page, cell, message))
    return problems


def _predictions(page: Page, expected: Expected) -> list[str]:
    """What a reader is to predict has one right answer, in what never moves."""
    problems = []
    for cell in page.code:
        recorded = without_moving(expected.cells.get(cell.number, ""))
        if cell.prediction and (problem := cell.prediction.problem(recorded)):
            problems.append(locate(page, cell, problem))
    return problems


def unknown_data(page: Page, run: Run) -> list[str]:
    """A page runs on copies of the data that load.py knows, or on stand-ins."""
    return [
        locate(
            page,
            None,
            f"its data is {name} {kind}, no copy that `load.py` knows: move it away "
            "and run again, then it is downloaded; if it is right, add it to COPIES",
        )
        for name, kind in run.data.items()
        if kind.startswith("unknown")
    ]


def _is_another_copy(recorded: str, run: Run) -> bool:
    """Whether the data that is recorded is known, and of the sets that a run loaded."""
    copies = recorded.replace(" real ", " ").split(", ")
    names = {copy.partition(" ")[0] for copy in copies}
    return names == run.data.keys() and all(copy in run.copies for copy in copies)


def _compare(
    page: Page, run: Run, expected: Expected | None, device: str, verdict: Verdict
) -> None:
    """Compare what each cell printed and wrote to stderr with what was recorded."""
    if uses_stand_in(run.data):
        verdict.not_compared = "stand-in data"
        return
    if expected is None:
        message = f"nothing is recorded to compare with: `nox -s record -- {page.stem}`"
        verdict.problems.append(locate(page, None, message))
        return
    if expected.data != describe_data(run.data):
        verdict.not_compared = f"other data than recorded ({expected.data})"
        if not _is_another_copy(expected.data, run):
            message = (
                f"it is recorded on the data `{expected.data}`, and ran on "
                f"`{describe_data(run.data)}`: restore the recording with git, or make "
                f"a new one: `nox -s record -- {page.stem}`"
            )
            verdict.problems.append(locate(page, None, message))
        return
    verdict.problems += _predictions(page, expected)
    relative = RELATIVE_TOLERANCE * (CUDA_FACTOR if device == "cuda" else 1)
    for cell in page.code:
        moving = []
        for recorded, texts, verb in [
            (expected.cells, run.printed(), "printed"),
            (expected.errors, run.written(), "wrote to stderr"),
            (expected.figures, run.drawn(), "drew"),
        ]:
            text = recorded.get(cell.number, "")
            is_drawn = verb == "drew"
            found = compare(
                text, texts.get(cell.number, ""), relative, has_constants=not is_drawn
            )
            if not is_drawn:
                verdict.compared += found.numbers
                verdict.words += found.words
                moving.append(margins(text))
            if found.difference:
                message = _difference(page, run, expected, found.difference, verb)
                verdict.problems.append(locate(page, cell, message))
            elif is_drawn:
                verdict.figures += len(run.figures.get(cell.number, []))
        if any(moving):
            verdict.margins[str(cell.number)] = ", ".join(filter(None, moving))
    recorded_cells = {*expected.cells, *expected.errors, *expected.figures}
    extra = recorded_cells - {cell.number for cell in page.code}
    if extra:
        message = f"cells {sorted(extra)} are recorded but gone: record the page again"
        verdict.problems.append(locate(page, None, message))


def _difference(
    page: Page, run: Run, expected: Expected, difference: Difference, verb: str
) -> str:
    """A difference with both lines, where each was printed, and what to do."""
    return (
        f"{verb} {difference.message}\n"
        f"    recorded: {difference.expected_line}  (on {expected.processor})\n"
        f"    {'drawn:   ' if verb == 'drew' else 'printed: '} "
        f"{difference.actual_line}  (on {run.processor})\n"
        f"    If the new output is right: `nox -s record -- {page.stem}`, "
        "then review the diff."
    )
