"""What is damaged on disk is noticed, named, and never published."""

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lessons import NotHandedOver, load_lesson
from page_runner import expected, runner, store
from page_runner.runner import PageRunner, Report
from page_runner.script import parse

SAMPLES = Path(__file__).parent / "samples"
FLIPS = 400


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script of a page that has passed."""
    root = tmp_path_factory.mktemp("project")
    (root / "snippets").mkdir()
    script = root / "snippets" / "11_good.py"
    shutil.copy(SAMPLES / script.name, script)
    shutil.copytree(SAMPLES / "expected", root / "tests" / "expected")
    assert run(script).status == "ran"
    return script


def run(script: Path, **options: bool) -> Report:
    with PageRunner("cpu", **options) as runner:
        return runner.finish(script)


def damaged(content: bytes) -> list[bytes]:
    """A content cut short, emptied, and with one bit or one character changed."""
    generator = random.Random(0)
    found = [b"", content[:-1], content[: len(content) // 2], content + b"x"]
    for _ in range(FLIPS):
        flipped = bytearray(content)
        flipped[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        found.append(bytes(flipped))
    return found


def test_damaged_page_file_is_never_taken_for_a_whole_one(passed: Path) -> None:
    """Neither by the runner nor by the site, which names it and says what to do."""
    path = store.page_path(passed)
    whole = path.read_bytes()
    document = json.loads(whole)
    noticed = 0
    try:
        for content in damaged(whole):
            path.write_bytes(content)
            found = store.read(passed)
            if found is None:
                noticed += 1
                with pytest.raises(NotHandedOver, match=r"damaged .* run `nox"):
                    load_lesson(passed)
            else:  # what is changed is white space, or how a letter is written
                assert {**document, "metadata": None} == {**found, "metadata": None}
                assert load_lesson(passed).notebook == found
    finally:
        path.write_bytes(whole)
    assert noticed > 0.8 * FLIPS


def test_damaged_recording_is_refused(passed: Path) -> None:
    """Each one, whatever is changed: digits, words, spreads or headings."""
    path = store.expected_path(passed)
    text = path.read_text().replace("0.3125", "0.3125±0.0625")
    folder = passed.parents[2] / "recordings"
    folder.mkdir()
    recording = folder / path.name
    recording.write_text(text)
    sums = {path.name: expected.checksum(text.encode())}
    (folder / expected.SUMS).write_text(expected.render_sums(sums))
    assert expected.read(recording) is not None
    for content in damaged(text.encode()):
        recording.write_bytes(content)
        with pytest.raises(ValueError, match=str(recording)):
            expected.read(recording)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace(b"0.3125", b"0.3125\xb10.5"), "is damaged .*0xb1"),
        (
            lambda text: text.replace(b"0.3125", "0.3125±0.5".encode()),
            "is not what was",
        ),
        (lambda text: b"", "is not what was recorded: see SHA256SUMS"),
    ],
)
def test_page_whose_recording_is_damaged_says_so(
    passed: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[bytes], bytes],
    message: str,
) -> None:
    monkeypatch.setattr(runner, "VARIATIONS", ())  # what moves is recorded elsewhere
    path = store.expected_path(passed)
    whole = path.read_bytes()
    sums = path.with_name(expected.SUMS)
    sums.write_text(expected.render_sums({path.name: expected.checksum(whole)}))
    try:
        path.write_bytes(damage(whole))
        (problem,) = run(passed).problems
        assert problem.startswith(f"11_good.py:1: {path} is ")
        assert re.search(message, problem)
        assert "`git restore` brings it back" in problem
        assert "`nox -s record -- 11_good` makes it anew" in problem
        assert run(passed, record=True).problems == []
        assert expected.read_sums(path.parent)[path.name] == expected.checksum(
            path.read_bytes()
        )
        assert run(passed).status == "cached"
    finally:
        path.write_bytes(whole)
        sums.unlink()


def test_recording_may_hold_what_python_takes_for_the_end_of_a_line(
    tmp_path: Path, passed: Path
) -> None:
    printed = expected.Expected(cells={2: "one\u2028two\x85three"})
    path = tmp_path / "11_good.txt"
    path.write_text(expected.render(parse(passed), printed))
    assert expected.read(path) == printed
