"""The Markdown of a lesson as a parsed document: its text, its links, its dialect.

Readers meet it in two dialects: the site renders it with Python-Markdown, Jupyter and
Colab with CommonMark.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from html.parser import HTMLParser
from itertools import pairwise

import markdown
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, link
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

FOOTNOTE = re.compile(r"\[\^[^\]]+\]")
ASIDE = ("p", "div", "span", "eq", "code", "thead", "tbody")  # written differently


@dataclass(frozen=True)
class Link:
    """A link, and where it stands in its Markdown."""

    start: int
    end: int
    text: str  # as Markdown
    target: str


def _note_link(state: StateInline, silent: bool) -> bool:
    """CommonMark's rule for links, which also notes where one starts and ends."""
    start, before = state.pos, len(state.tokens)
    if not link(state, silent):
        return False
    if not silent:
        opening = next(t for t in state.tokens[before:] if t.type == "link_open")
        label = state.src[start + 1 : state.md.helpers.parseLinkLabel(state, start)]
        opening.meta = {"start": start, "end": state.pos, "label": label}
    return True


NOTEBOOK = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
NOTEBOOK.inline.ruler.at("link", _note_link)
SITE = markdown.Markdown(
    extensions=[
        "tables",
        "pymdownx.arithmatex",
        "pymdownx.highlight",
        "pymdownx.superfences",
    ],
    extension_configs={
        "pymdownx.arithmatex": {"generic": True},
        "pymdownx.highlight": {"use_pygments": False},
    },
)


def _inline(text: str) -> Iterator[Token]:
    """The parts of a text that hold words, maths and links."""
    return (token for token in NOTEBOOK.parse(text) if token.type == "inline")


def plain_text(text: str) -> str:
    """Markdown as the words that a reader sees, without marks or footnotes."""
    return " ".join(map(_words, _inline(text)))


def sentences(text: str) -> list[str]:
    """The first paragraph after a title, line by line, as plain text."""
    tokens = NOTEBOOK.parse(text)
    for before, token in pairwise(tokens):
        if before.type == "paragraph_open":
            return _words(token, "\n").splitlines()
    return []


def split_list(text: str) -> tuple[str, str]:
    """The numbered list that some Markdown starts with, if it does, and the rest."""
    tokens, lines = NOTEBOOK.parse(text), text.splitlines(keepends=True)
    starts = bool(tokens) and tokens[0].type == "ordered_list_open"
    end = tokens[0].map[1] if starts and tokens[0].map else 0
    return "".join(lines[:end]).strip(), "".join(lines[end:])


def _words(token: Token, line_end: str = " ") -> str:
    parts = [
        line_end if child.type in ("softbreak", "hardbreak") else child.content
        for child in token.children or []
        if child.type != "html_inline"
    ]
    return re.sub(" +", " ", FOOTNOTE.sub("", "".join(parts))).strip()


def links(text: str) -> list[Link]:
    """The links of some Markdown, in order; those in code or maths are none."""
    found = []
    for token in _inline(text):
        for child in token.children or []:
            if child.type == "link_open" and child.meta:  # not `<https://...>`
                start = _place(text, token, child.meta["start"])
                end = _place(text, token, child.meta["end"])
                target = str(child.attrs["href"])
                found.append(Link(start, end, child.meta["label"], target))
    return found


def _place(text: str, token: Token, offset: int) -> int:
    """Where in some Markdown an offset of a token's content lies.

    A line of the content is one of the text, less what quotes or indents it.
    """
    row = token.content.count("\n", 0, offset)
    content = token.content.split("\n")
    column = offset - sum(len(line) + 1 for line in content[:row])
    lines = text.splitlines(keepends=True)
    at = row + (token.map[0] if token.map else 0)
    return sum(map(len, lines[:at])) + lines[at].index(content[row]) + column


def difference(text: str) -> tuple[int, str] | None:
    """What the site and a notebook first show differently, and its line, from 0.

    None where both see the same lists, code, tables, emphasis and so on. What only the
    site knows, such as admonitions, is plain text to both.
    """
    tokens = NOTEBOOK.parse(text)
    for token in tokens:
        if token.map and token.nesting >= 0:
            token.attrSet("data-line", str(token.map[0]))
    notebook = Outline(NOTEBOOK.renderer.render(tokens, NOTEBOOK.options, {}))
    site = Outline(SITE.reset().convert(text))
    matcher = SequenceMatcher(None, notebook.parts, site.parts, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            theirs = " ".join(notebook.parts[a:b]) or "nothing"
            ours = " ".join(site.parts[c:d]) or "nothing"
            starts = [i for i in range(a, b) if not notebook.parts[i].startswith("</")]
            at = next(iter(starts), a - 1)  # else after what comes before
            line = notebook.lines[at] if at >= 0 else 0
            return line, f"a notebook shows {theirs} where the site shows {ours}"
    return None


class Outline(HTMLParser):
    """The elements of some HTML, in order, and on which line of Markdown each stands.

    Left out is what the two dialects write differently, but show alike.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.lines: list[int] = []
        self.line = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.line = int(found.get("data-line") or self.line)
        if (found.get("class") or "").startswith(("arithmatex", "math")):
            tag = "maths"
        if tag not in ASIDE:
            self._add("<emphasis>" if tag in ("em", "strong") else f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("ul", "ol", "blockquote"):
            self._add(f"</{tag}>")

    def _add(self, part: str) -> None:
        self.parts.append(part)
        self.lines.append(self.line)
