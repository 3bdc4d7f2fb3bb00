"""A page: a percent script as cells with line numbers, and its header."""

import ast
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jupytext

LEVELS = ("beginner", "intermediate", "advanced")
DEFAULT_TIME_LIMIT = 300.0  # seconds

NAME = re.compile(r"[1-9][0-9]_[a-z0-9]+(_[a-z0-9]+)*")  # of a page: 27_data_sets

_ROW = re.compile(r"[A-E][1-9][0-9]?")
_FILE = re.compile(r"\w+\.json")
_MARKER = re.compile(r"# %%(\s|$)")
_TOLERANCE = re.compile(r"tolerance-(\d+(\.\d+)?(e-?\d+)?)")


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
    tags: tuple[str, ...]
    alt: str | None

    @property
    def tolerance(self) -> float | None:
        """The cell's own relative tolerance, from a tag like `tolerance-0.02`."""
        for tag in self.tags:
            if match := _TOLERANCE.fullmatch(tag):
                return float(match[1])
        return None

    @property
    def varies(self) -> bool:
        """Whether only the words that it prints are compared."""
        return "varies" in self.tags


@dataclass(frozen=True)
class Header:
    """What a page says of itself that cannot be computed."""

    teaches: dict[str, str]  # row of the sources: the section that teaches it
    level: str
    read_first: tuple[str, ...]
    result: str | None  # the variable that holds the page's headline figure
    source_result: float | None  # the figure that the old tutorial reported
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
        """The name by which a page is called: `36_mnist_logistic_regression`."""
        return self.path.stem

    @cached_property
    def code(self) -> tuple[Cell, ...]:
        """The code cells, in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")

    @property
    def title(self) -> str:
        """The text of the page's H1."""
        return self.cells[0].source.splitlines()[0].removeprefix("# ")


def find_pages(folder: Path) -> list[Path]:
    """The scripts of a folder that are pages: those whose name starts with a digit."""
    return sorted(folder.glob("[0-9]*.py"))


def loads_data(page: Page) -> bool:
    """Whether a page takes something from `load.py`."""
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "load"
        for _, node in _imports(page.cells)
    )


def parse(path: Path) -> Page:
    """Read a page; PageError where it is malformed."""
    text = path.read_text(encoding="utf-8")
    if not NAME.fullmatch(path.stem):
        raise PageError(
            path, 1, "the name must be two digits and words: 36_mnist_data.py"
        )
    try:
        notebook = jupytext.reads(text, fmt="py:percent")
    except Exception as error:
        raise PageError(path, 1, f"jupytext cannot read it: {error}") from error
    header = _parse_header(path, notebook.metadata.get("page"))
    cells = _number_cells(path, text.splitlines(), notebook.cells)
    _check_title(path, cells)
    _check_sections(path, header, cells)
    _check_imports(path, cells)
    return Page(path, header, cells)


def _parse_header(path: Path, fields: object) -> Header:
    if not isinstance(fields, dict):
        raise PageError(
            path, 1, "no header: start with `# ---`, `# jupyter:`, `#   page:`"
        )
    fields = dict(fields)

    def take(name: str, kind: type | tuple[type, ...], default: object = ...) -> object:
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


def _number_cells(path: Path, lines: list[str], cells: list) -> tuple[Cell, ...]:
    """Cells of the notebook with their line numbers in the script."""
    markers = [i for i, line in enumerate(lines) if _MARKER.match(line)]
    if len(markers) != len(cells):
        line = markers[0] + 1 if markers else 1
        raise PageError(
            path, line, "every cell starts with a line `# %%`, the first one too"
        )
    numbered, counts = [], {"code": 0, "markdown": 0}
    for marker, cell in zip(markers, cells, strict=True):
        if cell.cell_type not in counts:
            raise PageError(path, marker + 1, f"a cell of kind {cell.cell_type}")
        counts[cell.cell_type] += 1
        tags = tuple(cell.metadata.get("tags", ()))
        _check_tags(path, marker + 1, tags)
        numbered.append(
            Cell(
                kind=cell.cell_type,
                source=cell.source,
                line=marker + 2,
                number=counts[cell.cell_type],
                tags=tags,
                alt=cell.metadata.get("alt"),
            )
        )
    return tuple(numbered)


def _check_tags(path: Path, line: int, tags: tuple[str, ...]) -> None:
    for tag in tags:
        if tag not in ("varies", "solution") and not _TOLERANCE.fullmatch(tag):
            raise PageError(path, line, f"unknown tag {tag!r}")


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
