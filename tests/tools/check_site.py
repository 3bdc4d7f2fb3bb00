"""Whether a built site is whole, whichever program built it.

    PYTHONPATH=tests python -m tools.check_site SITE

No page may show a mark of a template, and each script of snippets/ has its page. A
generator that does not run our hook builds a site without a warning, and with neither.
It needs nothing but Python, for nox has an environment of its own.
"""

import re
import sys
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

SNIPPETS = Path(__file__).parents[2] / "snippets"
MARK = re.compile(r"\{[{%#]")  # begins a variable, a statement, a comment of Jinja
AROUND = 20  # characters shown on both sides of a mark
VERBATIM = ("code", "pre", "samp", "script", "style")  # may hold what looks like a mark
TITLE = re.compile(r"^# # (.+)$", re.MULTILINE)  # in a script
H1 = re.compile(r"<h1\b.*?</h1>", re.DOTALL)


class Text(HTMLParser):
    """What some HTML says outside code, in its text and its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._verbatim: list[str] = []  # elements of that kind that are open
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in VERBATIM:
            self._verbatim.append(tag)
        elif not self._verbatim:
            self.parts += [value for _, value in attrs if value]

    def handle_data(self, data: str) -> None:
        if not self._verbatim:
            self.parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        if self._verbatim and tag == self._verbatim[-1]:
            self._verbatim.pop()


def problems(site: Path, snippets: Path = SNIPPETS) -> Iterator[str]:
    """What is wrong with a site: each names a page, and what to do."""
    pages = sorted(site.rglob("*.html"))
    if not pages:
        yield f"{site} holds no page: build it first"
        return
    for page in pages:
        yield from left_marks(page, page.relative_to(site).as_posix())
    for script in sorted(snippets.glob("[0-9]*.py")):
        yield from unlike_its_script(site, script)


def left_marks(page: Path, name: str) -> Iterator[str]:
    """Marks of a template that a page shows."""
    html = page.read_text(encoding="utf-8")
    parts = Text(html).parts if MARK.search(html) else []  # parsing takes time
    for part in parts:
        for mark in MARK.finditer(part):
            start, end = max(0, mark.start() - AROUND), mark.end() + AROUND
            around = " ".join(part[start:end].split())
            yield (
                f"{name} shows `{around}`, a template's mark: fill the page in before "
                "it is rendered (docs/hooks), or write it as code"
            )


def unlike_its_script(site: Path, script: Path) -> Iterator[str]:
    """What is wrong with a lesson's page: it is not there, or is of something else."""
    place = script.stem.partition("_")[2].replace("_", "-")
    names = [f"{place}.html", f"{place}/index.html"]
    found = [name for name in names if (site / name).is_file()]
    source = f"{script.parent.name}/{script.name}"
    if not found:
        yield (
            f"{source} has no page, neither {' nor '.join(names)}: hand the lessons "
            "over (the hook in mkdocs.yml, or a build folder) and build again"
        )
        return
    wanted = TITLE.search(script.read_text(encoding="utf-8"))
    h1 = H1.search((site / found[0]).read_text(encoding="utf-8"))
    title = unescape(re.sub("<[^>]*>", "", h1[0])).strip() if h1 else ""
    if wanted and letters(title) != letters(wanted[1]):
        yield (
            f"{found[0]} has the title {title!r}, and not that of {source}, "
            f"{wanted[1]!r}: build it again, or rename one of the two"
        )


def letters(title: str) -> str:
    """A title as letters and digits: no marks of Markdown, no sign of a link."""
    return re.sub(r"[\W_]", "", title)


def main() -> None:
    """Say what is wrong with the site that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tools.check_site SITE")
    found = list(problems(Path(sys.argv[1])))
    for problem in found:
        print(problem)
    if found:
        sys.exit(f"{len(found)} problems in {sys.argv[1]}")


if __name__ == "__main__":
    main()
