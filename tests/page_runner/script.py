"""A page: a percent script as cells with line numbers, and its header.

A code cell's source is the script's own lines, whatever they look like: the script is
what runs, what is published and what is downloaded.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from page_runner.predictions import ASK, Prediction

LEVELS = ("beginner", "intermediate", "advanced")
DEFAULT_TIME_LIMIT = 1200.0  # seconds: against hangs, on slow machines as well
TAGS = ("solution", "predict")  # of cells

# Of a page: chapter, place and words, as in 27_data_sets or 310_more_classifiers.
NAME = re.compile(r"(?P<chapter>[1-9])(?P<place>0|[1-9][0-9]*)(_[a-z0-9]+)+")

_ROW = re.compile(r"[A-E][1-9][0-9]?")
_FILE = re.compile(r"\w+\.json")
_FENCE = "# ---"  # above and below the header
_MARKER = re.compile(r"# %%(?:\s+\[(?P<kind>\w+)\])?(?P<options>\s.*|)")
_MARKER_LIKE = re.compile(r"#\s*%%")
_OPTIONS = ("tags", "ask", "answers", "why", "alt")
_OPTION = re.compile(rf"\s*(?P<name>{'|'.join(_OPTIONS)})=")


class PageError(Exception):
    """A script that is not a page: names the file, the line and what to do."""

    def __init__(self, path: Path, line: int, message: str):
        self.path, self.line = path, line
        super().__init__(f"{path.name}:{line}: {message}")


@dataclass(frozen=True)
class Cell:
    """One cell: its source, where it stands in the script, and what its marker says."""

    kind: str  # "code" or "markdown"
    source: str
    line: int  # of its first line of source, in the script
    number: int  # among the cells of its kind, from 1
    tags: tuple[str, ...] = ()
    alt: str | None = None
    prediction: Prediction | None = None  # asked for before its output is shown


@dataclass(frozen=True)
class Header:
    """What a page says of itself that cannot be computed."""

    teaches: dict[str, str]  # row of the sources: the section that teaches it
    level: str
    read_first: tuple[str, ...]
    result: str | None  # the variable that holds the page's headline figure
    source_result: float | None  # the figure that the old tutorial reported
    cites: dict[str, str]  # numbers of the prose that are somebody else's: whose
    publishes: tuple[str, ...]  # files that the page writes and the site offers
    time_limit: float  # seconds


@dataclass(frozen=True)
class Page:
    """A parsed script."""

    path: Path
    header: Header
    cells: tuple[Cell, ...]

    @property
    def stem(self) -> str:
        """The name by which a page is called: `33_mnist_logistic_regression`."""
        return self.path.stem

    @cached_property
    def code(self) -> tuple[Cell, ...]:
        """The code cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    def cell_at(self, line: int) -> Cell:
        """The code cell that a line of the script stands in, or the nearest above."""
        return ([cell for cell in self.code if cell.line <= line] or self.code)[-1]

    @property
    def title(self) -> str:
        """The text of the page's H1."""
        return self.cells[0].source.splitlines()[0].removeprefix("# ")


def find_pages(folder: Path) -> list[Path]:
    """The scripts of a folder that are pages, in order: 36 comes before 310.

    All whose name starts with a digit; one that is no name of a page comes last.
    """
    return sorted(folder.glob("[0-9]*.py"), key=_order)


def _order(script: Path) -> tuple[bool, int, int, str]:
    name = NAME.fullmatch(script.stem)
    chapter, place = (int(name["chapter"]), int(name["place"])) if name else (0, 0)
    return name is None, chapter, place, script.stem


def loads_data(page: Page) -> bool:
    """Whether a page takes something from `load.py`."""
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "load"
        for _, node in _imports(page.cells)
    )


def parse(path: Path) -> Page:
    """Read a page; PageError where it is malformed."""
    if not NAME.fullmatch(path.stem):
        raise PageError(
            path, 1, "the name must be chapter, place and words: 36_mnist_data.py"
        )
    lines = _read_lines(path)
    fields, start = _header_fields(path, lines)
    header = _parse_header(path, fields)
    cells = _cut_into_cells(path, lines, start)
    _check_title(path, cells)
    _check_sections(path, header, cells)
    _check_imports(path, cells)
    return Page(path, header, cells)


def _read_lines(path: Path) -> list[str]:
    """The lines of a script in UTF-8; a byte order mark is skipped, as Python does."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{content[error.start]:02x} is not UTF-8: save it as UTF-8"
        raise PageError(path, line, message) from error
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _header_fields(path: Path, lines: list[str]) -> tuple[object, int]:
    """What the header says under `jupyter: page:`, if anything; the line after it."""
    if lines[0].rstrip() != _FENCE:
        return None, 0
    end = next((i for i in range(1, len(lines)) if lines[i].rstrip() == _FENCE), None)
    if end is None:
        raise PageError(path, 1, f"the header has no end: a line `{_FENCE}`")
    try:
        fields = yaml.safe_load("\n".join(_uncommented(path, lines, 1, end)))
    except yaml.MarkedYAMLError as error:
        line = 2 + (error.problem_mark.line if error.problem_mark else 0)
        raise PageError(path, line, f"the header is no YAML: {error.problem}") from None
    jupyter = fields.get("jupyter") if isinstance(fields, dict) else None
    return jupyter.get("page") if isinstance(jupyter, dict) else None, end + 1


def _uncommented(path: Path, lines: list[str], start: int, end: int) -> list[str]:
    """The text of the comments in `lines[start:end]`; PageError where code stands."""
    for i in range(start, end):
        if lines[i].strip() and not lines[i].startswith("#"):
            raise PageError(path, i + 1, "prose is written as comments, `# like this`")
    return [line.removeprefix("#").removeprefix(" ") for line in lines[start:end]]


def _parse_header(path: Path, fields: object) -> Header:
    if not isinstance(fields, dict):
        raise PageError(
            path, 1, "no header: start with `# ---`, `# jupyter:`, `#   page:`"
        )
    fields = dict(fields)

    def take(name: str, kind: type | tuple[type, ...], default: object = ...) -> Any:
        value = fields.pop(name, default)
        if value is ...:
            raise PageError(path, 1, f"the header lacks `{name}`")
        if value is not default and not isinstance(value, kind):
            raise PageError(path, 1, f"the header's `{name}` is {value!r}")
        return value

    def take_names(
        name: str, pattern: re.Pattern[str], default: object = ...
    ) -> tuple[str, ...]:
        values = take(name, list, default)
        for value in values:
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise PageError(path, 1, f"the header's `{name}` has {value!r}")
        return tuple(values)

    header = Header(
        teaches=_parse_rows(path, take("teaches", dict)),
        level=take("level", str),
        read_first=take_names("read_first", NAME),
        result=take("result", str, None),
        source_result=take("source_result", (int, float), None),
        cites=_parse_citations(path, take("cites", dict, {})),
        publishes=take_names("publishes", _FILE, []),
        time_limit=float(take("time_limit", (int, float), DEFAULT_TIME_LIMIT)),
    )
    if header.level not in LEVELS:
        raise PageError(path, 1, f"the header's `level` is none of {', '.join(LEVELS)}")
    if fields:
        raise PageError(path, 1, f"the header has unknown {', '.join(fields)}")
    return header


def _parse_rows(path: Path, rows: dict) -> dict[str, str]:
    """The rows of the sources that a page teaches, with the sections that do."""
    for row, section in rows.items():
        if not _ROW.fullmatch(str(row)) or not isinstance(section, str):
            message = f"the header's `teaches` has {row!r}: {section!r}"
            raise PageError(path, 1, f"{message}; write `C2: Title of a section`")
    return rows


def _parse_citations(path: Path, citations: dict) -> dict[str, str]:
    """Numbers of the prose that the page cannot print, with where each comes from."""
    for number, origin in citations.items():
        if not isinstance(number, str) or not isinstance(origin, str):
            message = f"the header's `cites` has {number!r}: {origin!r}"
            raise PageError(path, 1, f'{message}; write `"39 %": where it comes from`')
    return citations


def _cut_into_cells(path: Path, lines: list[str], start: int) -> tuple[Cell, ...]:
    """The cells below the header, that is from line `start` on."""
    markers = [i for i in _markers(path, lines) if i >= start]
    for i in range(start, markers[0] if markers else len(lines)):
        if lines[i].strip():
            message = "every cell starts with a line `# %%`, the first one too"
            raise PageError(path, i + 1, message)
    cells: list[Cell] = []
    for marker, end in pairwise([*markers, len(lines)]):
        kind, tags, alt, prediction = _parse_marker(path, marker, lines[marker])
        start = marker + 1
        while end > start and not lines[end - 1].strip():
            end -= 1
        prose = kind == "markdown"
        body = _uncommented(path, lines, start, end) if prose else lines[start:end]
        number = 1 + sum(cell.kind == kind for cell in cells)
        source = "\n".join(body)
        cells.append(Cell(kind, source, start + 1, number, tags, alt, prediction))
    return tuple(cells)


def _markers(path: Path, lines: list[str]) -> list[int]:
    """The lines, from 0, that are markers; one inside a string is none."""
    comments = _comment_lines(lines)
    found = [i for i in comments if _MARKER_LIKE.match(lines[i])]
    for i in found:
        if not _MARKER.fullmatch(lines[i]):
            message = f"`{lines[i]}` is no marker: write `# %%`"
            raise PageError(path, i + 1, message)
    return found


def _comment_lines(lines: list[str]) -> list[int]:
    """The lines, from 0, that are comments from their first column on.

    Below an error of syntax, which running the page will report, every line may be one.
    """
    found: set[int] = set()
    read = 0
    source = io.StringIO("\n".join(lines))
    try:
        for token in tokenize.generate_tokens(source.readline):
            if token.type == tokenize.COMMENT and token.start[1] == 0:
                found.add(token.start[0] - 1)
            if token.type != tokenize.ENDMARKER:
                read = token.end[0]
    except (tokenize.TokenError, SyntaxError):
        found.update(i for i in range(read, len(lines)) if lines[i].startswith("#"))
    return sorted(found)


def _parse_marker(
    path: Path, index: int, line: str
) -> tuple[str, tuple[str, ...], str | None, Prediction | None]:
    """The kind of cell that a marker starts, its tags, alternative and prediction."""
    match = _MARKER.fullmatch(line)
    assert match
    kind, rest = match["kind"] or "code", match["options"]
    options: dict[str, Any] = {}
    while rest.strip():
        message = f'`{rest.strip()}` is neither `tags=["…"]` nor `alt="…"`'
        option = _OPTION.match(rest)
        if not option:
            raise PageError(path, index + 1, message)
        try:
            value, end = json.JSONDecoder().raw_decode(rest, option.end())
        except ValueError:
            raise PageError(path, index + 1, message) from None
        options[option["name"]], rest = value, rest[end:]
    if kind not in ("code", "markdown"):
        raise PageError(path, index + 1, f"a cell of kind {kind}: only [markdown]")
    tags, alt = options.get("tags", []), options.get("alt")
    if not isinstance(tags, list) or not isinstance(alt, str | None):
        raise PageError(path, index + 1, 'tags are a list, `alt` is a text in "…"')
    for tag in tags:
        if tag not in TAGS:
            raise PageError(path, index + 1, f"unknown tag {tag!r}")
    try:
        return kind, tuple(tags), alt, _parse_prediction(kind, options)
    except ValueError as error:
        raise PageError(path, index + 1, str(error)) from None


def _parse_prediction(kind: str, options: dict[str, Any]) -> Prediction | None:
    """What a marker tagged `predict` asks. ValueError says what is wrong with it."""
    asked = {name for name in ("ask", "answers", "why") if name in options}
    if "predict" not in options.get("tags", []):
        if asked:
            raise ValueError(f'`{min(asked)}` is of a cell with `tags=["predict"]`')
        return None
    if kind != "code" or "solution" in options["tags"]:
        raise ValueError("`predict` is for a code cell that is no solution")
    ask, why, answers = (
        options.get("ask", ASK),
        options.get("why"),
        options.get("answers"),
    )
    if not (isinstance(why, str) and why and isinstance(ask, str) and ask):
        raise ValueError('`predict` wants `why="…"`, a sentence shown with the output')
    if answers is None:
        return Prediction(why, ask=ask)
    texts = isinstance(answers, list) and all(isinstance(a, str) for a in answers)
    if not texts or len(set(answers)) != len(answers) or len(answers) not in (2, 3):
        raise ValueError(
            "`answers` are two or three different texts, one of them right"
        )
    return Prediction(why, tuple(answers), ask)


def _check_sections(path: Path, header: Header, cells: tuple[Cell, ...]) -> None:
    """Each row that the page teaches names one of its sections."""
    lines = [
        line
        for cell in cells
        if cell.kind == "markdown"
        for line in cell.source.splitlines()
    ]
    for row, section in header.teaches.items():
        if f"## {section}" not in lines:
            raise PageError(
                path, 1, f"the header's `{row}` names no section {section!r}"
            )


def _check_title(path: Path, cells: tuple[Cell, ...]) -> None:
    first = cells[0] if cells else None
    if first is None or first.kind != "markdown" or not first.source.startswith("# "):
        line = first.line if first else 1
        raise PageError(
            path, line, "no H1: the first cell is prose, its first line `# Title`"
        )
    if not any(cell.kind == "code" for cell in cells):
        raise PageError(path, first.line, "no code cell: a page runs")


def _imports(
    cells: tuple[Cell, ...],
) -> Iterator[tuple[Cell, ast.Import | ast.ImportFrom]]:
    """The imports of the code cells; a cell that is no Python says so when it runs."""
    for cell in cells:
        with suppress(SyntaxError):
            nodes = ast.walk(ast.parse(cell.source if cell.kind == "code" else ""))
            for node in nodes:
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield cell, node


def _check_imports(path: Path, cells: tuple[Cell, ...]) -> None:
    """A page imports nothing of its folder, but plain names out of load.py."""
    for cell, node in _imports(cells):
        line = cell.line + node.lineno - 1
        if isinstance(node, ast.ImportFrom) and node.module == "load":
            if any(alias.asname or alias.name == "*" for alias in node.names):
                message = "`from load import` takes plain names: no `as`, no `*`"
                raise PageError(path, line, message)
            continue
        modules = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            modules = ["." * node.level + (node.module or "")]
        for name in modules:
            local = path.parent / name.partition(".")[0]
            if name.startswith(".") or local.with_suffix(".py").exists():
                message = f"`{name}` is a module of its own folder: write `from load"
                advice = "import …` for data, and all else on the page"
                raise PageError(path, line, f"{message} {advice}")
