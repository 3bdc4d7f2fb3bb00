"""No technical term is used before a page has introduced it."""

import re
from pathlib import Path

import pytest
import yaml

from page_runner.script import find_pages, parse

ROOT = Path(__file__).parents[1]
GLOSSARY: dict[str, dict[str, str]] = yaml.safe_load(
    (ROOT / "docs" / "glossary.yml").read_text(encoding="utf-8")
)
CHAPTERS = "12"  # whose marked terms all have an entry
NOT_PROSE = re.compile(
    r"```.*?```"  # a block of code
    r"|`[^`]*`"  # code
    r"|\$\$.*?\$\$|\$[^$\n]*\$"  # maths
    r"|<[^>]*>"  # a tag
    r"|\[[^\]]*\]\(\w+\.py\)"  # the name of the page that a link leads to
    r"|(?<=\])\([^)]*\)",  # the address of a link
    re.DOTALL,
)
INTRODUCED = re.compile(r"\*\*(.+?)\*\*|^#{1,3} (.+)$", re.MULTILINE)  # bold, or titles
PLURALS = {"y": "(?:y|ies)", "x": "(?:x|xes|ices)"}  # by the last letter


def prose(script: Path) -> str:
    """The text that a page's reader reads, without code, maths and links."""
    cells = [cell.source for cell in parse(script).cells if cell.kind == "markdown"]
    return NOT_PROSE.sub(" ", "\n\n".join(cells))


def pattern(term: str) -> re.Pattern[str]:
    """Finds a term in any of its forms: `tensor`, `Tensors`, `mini-\\nbatches`."""
    stem, last = term[:-1], term[-1]
    words = r"[\s-]+".join(re.escape(word) for word in re.split("[ -]", stem))
    end = PLURALS.get(last, re.escape(last) + "(?:s|es)?")
    return re.compile(rf"(?<!\w){words}{end}(?!\w)", re.IGNORECASE)


TEXTS = {script.stem: prose(script) for script in find_pages(ROOT / "snippets")}


def introduces(stem: str, term: str) -> bool:
    """Whether a page has the term in bold or in a title."""
    marked = ["".join(match.groups("")) for match in INTRODUCED.finditer(TEXTS[stem])]
    return any(pattern(term).search(text) for text in marked)


@pytest.mark.parametrize("term", GLOSSARY)
def test_term_is_introduced_before_it_is_used(term: str) -> None:
    entry = GLOSSARY[term]
    assert set(entry) == {"page", "text"}
    assert introduces(entry["page"], term), f"{entry['page']} has no **{term}**"
    first = next(stem for stem, text in TEXTS.items() if pattern(term).search(text))
    assert introduces(first, term), (
        f"{first} uses {term!r}, which {entry['page']} introduces: put it in bold and "
        "say what it means, or use another word"
    )


def test_what_is_bold_is_in_the_glossary() -> None:
    """Each term that a page marks in bold has an entry."""
    known = [pattern(term) for term in GLOSSARY]
    marked = [
        (stem, match[1])
        for stem, text in TEXTS.items()
        if stem[0] in CHAPTERS
        for match in INTRODUCED.finditer(text)
        if match[1] and not match[1].endswith(".")  # no number, no title in a line
    ]
    assert [pair for pair in marked if not any(p.search(pair[1]) for p in known)] == []


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("mini-batch", "in mini-batches", True),
        ("accuracy", "two accuracies", True),
        ("mean squared error", "Mean\nsquared errors", True),
        ("view", "to review", False),
        ("loss", "the gloss", False),
    ],
)
def test_forms_of_a_term(term: str, text: str, found: bool) -> None:
    assert bool(pattern(term).search(text)) == found
