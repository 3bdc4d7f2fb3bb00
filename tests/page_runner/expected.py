"""The recorded text of a page: tests/expected/<page>.txt.

A file has a line that names the data the page ran on, and one that names the processor.
Then, for each code cell that prints, `cell <number>: <its first line>` and what it
printed, indented by four spaces, with the spread of each number that moved beside it:
`0.138±0.006`. What it wrote to stderr follows under `cell <number>, stderr:`, and what
its figures show under `cell <number>, figures:`.

SHA256SUMS beside the recordings holds the checksum of each, as `sha256sum --check`
reads it: a flipped digit fails the comparison, a flipped spread nothing else.
"""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from page_runner.script import Page

_CELL = re.compile(r"cell (\d+)(, stderr|, figures)?:(?: |$)")
_HEADER = ("data: ", "processor: ")
_INDENT = "    "
SUMS = "SHA256SUMS"


@dataclass
class Expected:
    """What each code cell printed (by its number), on which data and processor."""

    data: str = "none"
    processor: str = "unknown"
    cells: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)  # written to stderr
    figures: dict[int, str] = field(default_factory=dict)  # the data that they show


def describe_data(used: dict[str, str]) -> str:
    """The data sets of a run in one line, as `mnist real 6bbc9ace`."""
    return ", ".join(f"{name} {kind}" for name, kind in sorted(used.items())) or "none"


def read(path: Path) -> Expected | None:
    """The recorded text; None where there is none, ValueError where it is damaged."""
    try:
        content = path.read_bytes()
        lines = content.decode().rstrip("\n").split("\n")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is damaged ({error})") from error
    sums = read_sums(path.parent)
    if sums and sums.get(path.name) != checksum(content):
        raise ValueError(f"{path} is not what was recorded: see {SUMS} beside it")
    for i, name in enumerate(_HEADER):
        if len(lines) <= i or not lines[i].startswith(name):
            raise ValueError(f"{path}:{i + 1}: the line must start with `{name}`")
    blocks: dict[tuple[str, int], list[str]] = {}
    block: list[str] | None = None
    for i, line in enumerate(lines[len(_HEADER) :], start=len(_HEADER) + 1):
        if match := _CELL.match(line):
            block = blocks.setdefault((match[2] or "", int(match[1])), [])
        elif block is not None and (line.startswith(_INDENT) or not line):
            block.append(line.removeprefix(_INDENT))
        else:
            raise ValueError(f"{path}:{i}: neither a `cell` line nor an indented one")
    texts: dict[str, dict[int, str]] = {}
    for (kind, number), block in blocks.items():
        texts.setdefault(kind, {})[number] = "\n".join(block).strip("\n")
    data, processor = (lines[i].removeprefix(name) for i, name in enumerate(_HEADER))
    return Expected(
        data,
        processor,
        cells=texts.get("", {}),
        errors=texts.get(", stderr", {}),
        figures=texts.get(", figures", {}),
    )


def checksum(content: bytes) -> str:
    """The checksum of a recording."""
    return hashlib.sha256(content).hexdigest()


def read_sums(folder: Path) -> dict[str, str]:
    """The checksums of the recordings in a folder; {} where none are kept."""
    file = folder / SUMS
    lines = file.read_text(errors="replace").splitlines() if file.exists() else []
    parts = (line.partition("  ") for line in lines)
    return {name: checksum for checksum, _, name in parts}


def render_sums(sums: dict[str, str]) -> str:
    """The text of the file of checksums."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def render(page: Page, expected: Expected) -> str:
    """The text of a recording."""
    parts = [f"{_HEADER[0]}{expected.data}\n{_HEADER[1]}{expected.processor}\n"]
    for cell in page.code:
        first_line = cell.source.partition("\n")[0]
        for texts, heading in [
            (expected.cells, f"cell {cell.number}: {first_line}"),
            (expected.errors, f"cell {cell.number}, stderr:"),
            (expected.figures, f"cell {cell.number}, figures:"),
        ]:
            if (text := texts.get(cell.number, "")).strip():
                parts.append(f"{heading}\n{_indent(text)}\n")
    return "".join(parts)


def _indent(text: str) -> str:
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    return "\n".join(_INDENT + line if line else "" for line in lines)
