"""Formulas are set while the site is built."""

from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup

from maths import Typesetter

MISTAKE = "\\frac{1"

Typeset = Callable[[str], BeautifulSoup]


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    """With one engine for all tests."""
    return Typesetter()


def inline(tex: str) -> str:
    """TeX as Markdown leaves it in a line."""
    return f'<span class="arithmatex">{tex}</span>'


@pytest.fixture
def typeset(typesetter: Typesetter) -> Typeset:
    """Sets a page that has no mistake."""

    def parsed(html: str) -> BeautifulSoup:
        html, mistakes = typesetter.typeset(html)
        assert mistakes == []
        return BeautifulSoup(html, "html.parser")

    return parsed


def test_a_formula_is_there_to_be_seen_and_to_be_read_aloud(typeset: Typeset) -> None:
    page = typeset(f"<p>With {inline('w &lt; 1')} it is.</p>")
    (seen,) = page.select(".arithmatex .katex-html[aria-hidden=true]")
    assert seen.get_text() == "w<1"
    (read,) = page.select(".arithmatex math")
    assert read.get_text() == "w<1"
    assert read.attrs == {}


@pytest.mark.parametrize("letter", ["w", "W", r"\alpha"])
def test_a_letter_alone_is_read_as_it_is_seen(typeset: Typeset, letter: str) -> None:
    page = typeset(f"<p>Of {inline(letter)}.</p>")
    (seen,) = page.select(".katex .mathnormal")
    assert len(seen.get_text()) == 1
    assert page.select("math, [aria-hidden]") == []
    assert page.get_text() == f"Of {seen.get_text()}."


def test_a_block_is_set_as_one(typeset: Typeset) -> None:
    page = typeset('<div class="arithmatex">\n\\sum_k p_k\n</div><p>, and on.</p>')
    assert len(page.select("div.arithmatex > .katex-display")) == 1
    assert page.select(".together") == []


@pytest.mark.parametrize(
    ("tex", "after", "together"),
    [
        ("w", ", then", ","),
        ("w", "). Then", ")."),
        ("w", " then", None),
        ("a + b + c + d + e + f + g + h + i", ", then", None),  # too long for a phone
    ],
)
def test_no_line_begins_with_the_comma_after_a_formula(
    typeset: Typeset, tex: str, after: str, together: str | None
) -> None:
    page = typeset(inline(tex) + after)
    found = page.select(".together")
    assert len(found) == (together is not None)
    for one in found:
        assert str(one.contents[-1]) == together
    assert page.get_text().endswith(after)


def test_what_is_no_tex_is_named_and_stays(typesetter: Typesetter) -> None:
    html = f"{inline(MISTAKE)} and {inline('w')}"
    page, ((tex, why),) = typesetter.typeset(html)
    assert tex == MISTAKE
    assert why.startswith("Unexpected end of input")
    assert inline(tex) in page
    assert page.count('class="katex"') == 1


def test_an_engine_is_started_when_it_is_needed() -> None:
    typesetter = Typesetter()
    assert typesetter.typeset("<p>No maths.</p>") == ("<p>No maths.</p>", [])
    assert typesetter._katex is None
