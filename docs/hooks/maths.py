"""Sets the maths of a page while the site is built, with the KaTeX that lies in docs/.

A reader's browser gets finished formulas, which need no script: they are there with the
text, in print, and where JavaScript is off. For screen readers, each that is more than
a letter is there in MathML, too.
"""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import quickjs

KATEX = Path(__file__).parents[1] / "assets" / "vendor" / "katex" / "katex.min.js"
# As pymdownx.arithmatex leaves it; what follows it is to stay on its line.
FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">(?P<tex>.*?)</(?P=tag)>'
    r"(?P<mark>[.,;:?!)]*)",
    re.DOTALL,
)
# The engine's strings that are sums of others are none for Python; what it joins, is.
SET = "(tex, displayMode) => [katex.renderToString(tex, { displayMode })].join('')"
BEFORE_REASON = re.compile(r".*KaTeX parse error: ")
SHORT = 30  # letters of TeX that fit into a line of a phone
# HTML knows MathML without its name space; the TeX is for programs that want it back.
UNREAD = re.compile(
    r' xmlns="http://www.w3.org/1998/Math/MathML"|</?semantics>'
    r"|<annotation.*?</annotation>|;(?=\")",
    re.DOTALL,
)
# A letter alone is read as it is seen; around it are some 300 bytes that do nothing.
LETTER = re.compile(
    r'<span class="katex">.*<span class="katex-strut"[^>]*></span>'
    r'(<span class="mord mathnormal"[^>]*>\w</span>)</span></span></span>'
)


def reason(error: quickjs.JSException) -> str:
    """What KaTeX says of some TeX, without where in its own code it says so."""
    return BEFORE_REASON.sub("", str(error).splitlines()[0])


class Typesetter:
    """KaTeX in an engine for JavaScript, which starts with the first formula."""

    def __init__(self) -> None:
        self._katex: Callable[[str, bool], str] | None = None
        self._set: dict[tuple[str, bool], str] = {}

    def typeset(self, html: str) -> tuple[str, list[tuple[str, str]]]:
        """A page with its formulas set, and those that cannot be, with the reason."""
        mistakes = []

        def put(found: re.Match[str]) -> str:
            tex, is_block = unescape(found["tex"]).strip(), found["tag"] == "div"
            try:
                formula = self._formula(tex, is_block)
            except quickjs.JSException as error:
                mistakes.append((tex, reason(error)))
                return found[0]
            tag, mark = found["tag"], found["mark"]
            shown = f'<{tag} class="arithmatex">{formula}</{tag}>'
            if mark and not is_block and len(tex) <= SHORT:
                return f'<span class="together">{shown}{mark}</span>'
            return shown + mark

        return FORMULA.sub(put, html), mistakes

    def _formula(self, tex: str, is_block: bool) -> str:
        """The HTML and MathML of some TeX. quickjs.JSException where it is no TeX."""
        if (tex, is_block) not in self._set:
            if not self._katex:
                engine = quickjs.Context()
                engine.eval(KATEX.read_text(encoding="utf-8"))
                self._katex = engine.eval(SET)
            html = UNREAD.sub("", self._katex(tex, is_block))
            if letter := LETTER.fullmatch(html):
                html = f'<span class="katex">{letter[1]}</span>'
            self._set[tex, is_block] = html
        return self._set[tex, is_block]
