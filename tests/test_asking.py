"""What pages ask: predictions in their cells, questions in docs/questions.yml."""

import re
from pathlib import Path

import pytest
import yaml

from asking import room
from page_runner import expected
from page_runner.compare import without_moving
from page_runner.script import find_pages, parse
from page_runner.store import expected_path

ROOT = Path(__file__).parents[1]
SCRIPTS = find_pages(ROOT / "snippets")
STEMS = [script.stem for script in SCRIPTS]
QUESTIONS = yaml.safe_load((ROOT / "docs" / "questions.yml").read_text("utf-8"))
LONGEST_ASK, LONGEST_WHY, LONGEST_ANSWER = 140, 160, 240  # letters


def test_questions_are_of_pages_and_each_is_asked_once() -> None:
    assert list(QUESTIONS) == STEMS
    asks = [entry["asks"] for entries in QUESTIONS.values() for entry in entries]
    assert len(asks) == len(set(asks))


@pytest.mark.parametrize("stem", STEMS)
def test_a_page_ends_with_three_to_five_short_questions(stem: str) -> None:
    """Which say what they speak of, since they come back far from their page."""
    assert 3 <= len(QUESTIONS[stem]) <= 5
    for entry in QUESTIONS[stem]:
        assert set(entry) == {"asks", "answer"}
        assert len(entry["asks"]) <= LONGEST_ASK
        assert len(entry["answer"]) <= LONGEST_ANSWER
        assert entry["asks"].endswith("?")
        assert not re.search(r"this page|\bhere\b", entry["asks"])


@pytest.mark.parametrize("script", SCRIPTS, ids=STEMS)
def test_a_page_asks_what_its_recording_answers(script: Path) -> None:
    page = parse(script)
    recording = expected.read(expected_path(script))
    asked = [cell for cell in page.code if cell.prediction]
    assert 2 <= len(asked) <= 3
    for cell in asked:
        assert cell.prediction is not None
        assert recording is not None
        printed = without_moving(recording.cells[cell.number])
        assert cell.prediction.problem(printed) is None
        assert cell.prediction.ask.endswith("?")
        assert len(cell.prediction.why) <= LONGEST_WHY
        typed = not cell.prediction.answers
        (right,) = cell.prediction.right_ones(printed)
        is_loose = "to within" in cell.prediction.ask
        assert bool(room(cell.prediction.ask)) == is_loose  # its words are known
        assert typed or not is_loose
        assert not typed or is_loose or right.replace(",", "").isdecimal()


@pytest.mark.parametrize(
    ("ask", "allowed"),
    [
        ("How many parameters, to within a twentieth?", "0.05"),
        ("How many parameters?", ""),
        ("To within a smidgen?", ""),
    ],
)
def test_a_question_says_how_near_is_right(ask: str, allowed: str) -> None:
    assert room(ask) == allowed
