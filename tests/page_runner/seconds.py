"""How long each page took when it was recorded: tests/expected/seconds.json.

It decides in which order pages start and which of several machines runs them; nothing
is judged by it.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path


def seconds_path(snippets: Path) -> Path:
    """Where the times of a folder's pages are kept."""
    return snippets.parent / "tests" / "expected" / "seconds.json"


def read_seconds(snippets: Path) -> dict[str, float]:
    """How long each page took when it was recorded; {} where none was."""
    path = seconds_path(snippets)
    if not path.exists():
        return {}
    known = json.loads(path.read_text(encoding="utf-8"))
    return {stem: float(seconds) for stem, seconds in known.items()}


def write_seconds(
    snippets: Path, stems: Iterable[str], new: Mapping[str, float]
) -> None:
    """Keep the times of pages that were recorded, and forget pages that are no more."""
    known = {**read_seconds(snippets), **new}
    kept = {stem: round(known[stem], 1) for stem in sorted(stems) if stem in known}
    text = json.dumps(kept, indent=1) + "\n"
    seconds_path(snippets).write_text(text, encoding="utf-8")
