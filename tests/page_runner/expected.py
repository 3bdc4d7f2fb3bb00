"""The recorded text of a page: tests/expected/<page>.txt.

A file has a line that names the data the page ran on, then, for each code cell that
prints, `cell <number>: <its first line>` and what it printed, indented by four spaces.
"""

import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from page_runner.script import Page

_CELL = re.compile(r"cell (\d+): ")
_DATA = "data: "
_INDENT = "    "


@dataclass
class Expected:
    """What each code cell printed (by its number), and the data that it ran on."""

    data: str = "none"
    cells: dict[int, str] = field(default_factory=dict)


def describe_data(used: dict[str, str]) -> str:
    """The data sets of a run in one line, as `mnist real 6bbc9ace`."""
    return ", ".join(f"{name} {kind}" for name, kind in sorted(used.items())) or "none"


def read(path: Path) -> Expected | None:
    """The recorded text; None where there is none, ValueError where it is damaged."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    if not lines or not lines[0].startswith(_DATA):
        raise ValueError(f"{path}:1: the first line must start with `{_DATA}`")
    expected = Expected(data=lines[0].removeprefix(_DATA))
    blocks: dict[int, list[str]] = {}
    number = None
    for i, line in enumerate(lines[1:], start=2):
        if match := _CELL.match(line):
            number = int(match[1])
            blocks[number] = []
        elif line.startswith(_INDENT) and number is not None:
            blocks[number].append(line.removeprefix(_INDENT))
        elif not line and number is not None:
            blocks[number].append("")
        else:
            raise ValueError(f"{path}:{i}: neither a `cell` line nor an indented one")
    expected.cells = {n: "\n".join(block).strip("\n") for n, block in blocks.items()}
    return expected


def render(page: Page, printed: dict[int, str], data: dict[str, str]) -> str:
    """The text of a recording; `printed` is by the number of the code cell."""
    parts = [f"{_DATA}{describe_data(data)}\n"]
    for cell in page.code:
        text = printed.get(cell.number, "")
        if text.strip():
            first_line = cell.source.partition("\n")[0]
            parts.append(f"cell {cell.number}: {first_line}\n{_indent(text)}\n")
    return "".join(parts)


def _indent(text: str) -> str:
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    return textwrap.indent("\n".join(lines), _INDENT)
