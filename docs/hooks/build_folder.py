"""Writes all pages, finished, into a folder that any generator of sites can take.

    python docs/hooks/build_folder.py [FOLDER]

`FOLDER/pages/` has every lesson and every hand-written page as Markdown with front
matter, with outputs in place and relative links to other `.md` files, and beside them
all that they show or offer: figures, downloads, style sheets, scripts. No template is
left in them, and no program of ours is needed to read them. `FOLDER/mkdocs.yml` has
what a generator has to be told, as MkDocs wants it and others read it.
"""

import logging
import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2
import yaml

from downloads import with_links
from finishing import ARCHIVE_OFFER
from lessons import CannotPublish, Lesson, duration
from pages import QUESTIONS, TAB, TEMPLATES, VERBATIM, Book, Outputs, log
from policy import END_OF_CELL
from prose import Link, plain_text

ROOT = Path(__file__).parents[2]
FRONT_MATTER = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
FENCED = re.compile(rf"^(`{{3,}}){VERBATIM}\n(.*?)\n\1$", re.DOTALL | re.MULTILINE)
BLANK = re.compile(
    r"(?P<code>^(`{3,})[^\n]*\n.*?\n\2$)|\n{3,}", re.DOTALL | re.MULTILINE
)
SPECIAL = re.compile(r"[\\`*_\[\]<>$]")  # what Markdown may take for more than itself
WIDGET = re.compile(r'data-widget="([\w-]+)"')
LEARNING = "assets/learning.js"  # questions and what was read, kept by the browser
KATEX = "assets/vendor/katex/katex.min"
MARK = ".build-folder"  # in a folder that was written here, and may be written anew
KEPT = ("site_name", "site_description", "copyright", "markdown_extensions")


class Settings(yaml.SafeLoader):
    """Reads mkdocs.yml, which names environment variables."""


def environment(loader: Settings, node: yaml.SequenceNode) -> str | None:
    """An environment variable, or what stands beside its name."""
    name, default = loader.construct_sequence(node)
    return os.environ.get(name, default)


Settings.add_constructor("!ENV", environment)


def as_yaml(values: dict[str, Any]) -> str:
    """Values as YAML, in their order, a text on one line."""
    return yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=10**6)


class Heard(logging.Handler):
    """Remembers the warnings about pages."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def page_name(lesson: Lesson) -> str:
    """The file of a lesson's page: `rings.md`."""
    return lesson.address.removesuffix(".html") + ".md"


def literal(text: str) -> str:
    """Plain text as Markdown that shows just that."""
    return SPECIAL.sub(r"\\\g<0>", text)


def script(address: str) -> str:
    """A script, as a block of HTML."""
    return f'\n<script src="{address}"></script>'


def widget_files(text: str, published: Iterable[str]) -> list[str]:
    """The styles and scripts of the widgets on a page, as blocks of HTML."""
    if not (names := WIDGET.findall(text)):
        return []
    names = ["parts", *names]  # what they share comes first
    scripts = [*published, *(f"assets/widgets/{name}.js" for name in names)]
    return [
        *(f'\n<link rel="stylesheet" href="assets/widgets/{n}.css">' for n in names),
        *map(script, scripts),
    ]


class Writer:
    """Writes the pages of a book into a folder."""

    def __init__(self, book: Book, folder: Path) -> None:
        self.book, self.folder = book, folder
        self.env = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES))
        self.env.filters.update(duration=duration, literal=literal, page=page_name)

    def write_lesson(self, lesson: Lesson, site_url: str | None) -> None:
        """A lesson's page with its figures, its downloads and what it publishes."""
        name = page_name(lesson)
        page = Outputs(source=lesson.uri, uri=name)
        text = self.linked(self.book.lesson_markdown(lesson, page))
        title, _, text = text.lstrip().partition("\n")
        facts = self.env.get_template("facts.md.j2").render(
            lesson=lesson, read_first=self.book.read_first(lesson, page)
        )
        about = {
            "title": lesson.title,
            "description": lesson.summary,
            "level": lesson.level,
            "date": lesson.run.date,
        }
        widgets = widget_files(text, lesson.published)
        parts = [title, "", facts, text, script(LEARNING), *widgets]
        self.write_page(about, "\n".join(parts), page)
        files = {**lesson.published, **self.book.downloads(lesson, site_url)}
        for address, content in files.items():
            self.write(address, content.encode())

    def write_written(self, path: Path) -> None:
        """A hand-written page."""
        source = path.relative_to(self.book.docs).as_posix()
        page = Outputs(source=source, uri=source)
        text = path.read_text(encoding="utf-8")
        front = FRONT_MATTER.match(text)
        title = TITLE.search(text)
        about = {"title": plain_text(title[1])} if title else {}
        about |= yaml.safe_load(front[1]) if front else {}
        path_of_learning = self.env.get_template("learning-path.md.j2")
        text = self.book.written_markdown(
            text[front.end() :] if front else text,
            page,
            self.env,
            path_of_learning.render(chapters=self.book.chapters),
        )
        text = self.linked(ARCHIVE_OFFER.sub("", text))
        parts = [text, script(LEARNING), *widget_files(text, [QUESTIONS])]
        self.write_page(about, "\n".join(parts), page)

    def write_page(self, about: dict[str, Any], text: str, page: Outputs) -> None:
        """A page with its front matter and its pictures; its outputs put in place."""
        text = FENCED.sub(lambda block: self.html(block[2], page), text)
        text = BLANK.sub(lambda found: found["code"] or "\n\n", text)
        front = as_yaml(about)
        text = f"---\n{front}---\n\n{text.strip()}\n".replace(TAB, "\t")
        self.write(page.uri, text.encode())
        for uri, picture in page.pictures.items():
            self.write(uri, picture)

    def html(self, mark: str, page: Outputs) -> str:
        """What a mark stands for, on one line: a blank one ends HTML in Markdown."""
        html = page.outputs.get(mark, END_OF_CELL.sub("", mark))
        return html.replace("\n", "&#10;")

    def linked(self, text: str) -> str:
        """Markdown with links to the files of this folder."""

        def link(found: Link) -> str:
            path, hash_sign, anchor = found.target.partition("#")
            known = self.book.lessons.get(Path(path).stem)
            if known and path.endswith(".py"):
                path = page_name(known)
            elif not path.startswith("../docs/"):
                return text[found.start : found.end]
            path = path.removeprefix("../docs/")
            return f"[{found.text}]({path}{hash_sign}{anchor})"

        return with_links(text, link)

    def write(self, address: str, content: bytes) -> None:
        """A file of the site."""
        path = self.folder / "pages" / address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def build(folder: Path, root: Path = ROOT) -> None:
    """Write the folder anew: a new one, or one that was written here. CannotPublish."""
    folder = folder.resolve()
    mark = folder / MARK
    if folder.exists() and not folder.is_dir():
        raise CannotPublish(f"{folder} is a file: name a folder")
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise CannotPublish(f"{folder} is no build folder: delete it, or name another")
    docs, text = root / "docs", (root / "mkdocs.yml").read_text(encoding="utf-8")
    settings = yaml.load(text, Settings)
    book = Book.load(root / "snippets", docs, settings["extra"])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark.touch()
    writer = Writer(book, folder)
    for lesson in book.lessons.values():
        writer.write_lesson(lesson, settings["site_url"])
    for path in docs.glob("*.md"):
        writer.write_written(path)
    writer.write(QUESTIONS, book.questions_script().encode())
    shutil.copytree(docs / "assets", folder / "pages" / "assets")
    told = {
        **{name: settings[name] for name in KEPT},
        "docs_dir": "pages",
        "use_directory_urls": False,
        "nav": book.navigation(settings["nav"], page_name),
        "extra_css": [f"{KATEX}.css"],
        "extra_javascript": [f"{KATEX}.js", "assets/maths.js"],
    }
    (folder / "mkdocs.yml").write_text(as_yaml(told), encoding="utf-8")


def main() -> None:
    """Write the folder that the command line names; fail where a page warns."""
    folder = Path(sys.argv[1]) if sys.argv[1:] else ROOT / ".cache" / "site-source"
    heard = Heard()
    log.addHandler(heard)
    try:
        build(folder)
    except CannotPublish as error:
        sys.exit(str(error))
    if heard.messages:
        sys.exit("\n".join(heard.messages))


if __name__ == "__main__":
    main()
