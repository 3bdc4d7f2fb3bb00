"""What a page asks: what a cell will print, and questions to come back to."""

import hashlib
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import markdown
from nbformat import NotebookNode

from lessons import Lesson, read_yaml

ROOMS = {"a tenth": "0.1", "a twentieth": "0.05", "a hundredth": "0.01"}
WITHIN = re.compile(f"to within ({'|'.join(ROOMS)})")

MARKDOWN = markdown.Markdown()  # one for all lines: it takes longer to make than to use

Question = dict[str, str]  # id, page, title, and, as HTML, asks and answer


def is_asked(cell: NotebookNode) -> bool:
    """Whether a cell's output is to be predicted, and its right answer is known."""
    return bool(cell.metadata.get("predict", {}).get("right"))


def room(ask: str) -> str:
    """How far off a typed number is still right, in parts of it; "" for not at all.

    The question says so, since its reader has to know: "to within a twentieth".
    """
    said = WITHIN.search(ask)
    return ROOMS[said[1]] if said else ""


def opening(cell: NotebookNode) -> str:
    """The HTML of a prediction up to where the output stands.

    Without JavaScript the question is a line above an output that is there; the
    script (learning.js) makes buttons, or a field to type in, and hides the output.
    """
    asked = cell.metadata.predict
    ask, right = inline(asked.ask), escape(asked.right)
    choices = sorted(asked.answers, key=_by_chance)
    items = "".join(f"<li>{escape(choice)}</li>" for choice in choices)
    within = room(asked.ask)
    near = f' data-within="{within}"' if within else ""
    listed = f'<ul class="predict-choices" data-search-exclude>{items}</ul>'
    return (
        f'<div class="predict" data-right="{right}"{near}>'
        f'<p class="predict-ask">{ask}</p>'
        + (listed if choices else "")
        + '<div class="predict-output">'
    )


def closing(cell: NotebookNode) -> str:
    """The HTML after the output: why it is so."""
    return f'<p class="predict-why">{inline(cell.metadata.predict.why)}</p></div></div>'


def _by_chance(choice: str) -> str:
    """An order of choices that says nothing, and stays the same."""
    return hashlib.sha256(choice.encode()).hexdigest()


def inline(text: str) -> str:
    """A line of Markdown as HTML without a paragraph around it."""
    html = MARKDOWN.reset().convert(text)
    return html.removeprefix("<p>").removesuffix("</p>")


def load_questions(path: Path, lessons: list[Lesson]) -> dict[str, list[Question]]:
    """The questions at the end of each lesson, by its stem.

    A question is known by its words: one that is put otherwise is a new one.
    """
    found: dict[str, Any] = read_yaml(path) if path.exists() else {}
    return {
        lesson.stem: [
            {
                "id": hashlib.sha256(entry["asks"].encode()).hexdigest()[:10],
                "page": lesson.address,
                "title": lesson.title,
                "asks": inline(entry["asks"]),
                "answer": inline(entry["answer"]),
            }
            for entry in found.get(lesson.stem, [])
        ]
        for lesson in lessons
    }


def questions_html(questions: Sequence[Question]) -> str:
    """Questions as cards that are turned over, for the end of a lesson."""
    cards = [
        f'<details class="recall" data-question="{one["id"]}">'
        f"<summary>{one['asks']}</summary><p>{one['answer']}</p></details>"
        for one in questions
    ]
    return "\n".join(cards)
