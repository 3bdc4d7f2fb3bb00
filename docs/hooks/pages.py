"""Every page as Markdown, as it is before any generator has seen it.

The hook hands these pages to MkDocs, and `build_folder.py` to any other generator.
Nothing here knows of one. An output is a mark at first, which stands for its HTML: what
was printed is no Markdown, and a drawing is most of a page and no text, so neither goes
through what is done to prose.
"""

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import jinja2
from nbformat import NotebookNode

from asking import (
    Question,
    closing,
    is_asked,
    load_questions,
    opening,
    questions_html,
)
from downloads import runnable_notebook, runnable_script
from lessons import (
    Chapter,
    Lesson,
    by_chapter,
    load_lessons,
    load_reading,
    load_sources,
    load_terms,
)
from outputs import is_picture, output_html, output_markdown
from policy import end_of_cell
from practice import practice_notebook
from prose import Link, split_list

log = logging.getLogger("mkdocs.hooks.lessons")  # strict builds count its warnings

TEMPLATES = Path(__file__).parent / "templates"
QUESTIONS = "published/questions.js"  # of all lessons, for the page that asks them
VERBATIM = "verbatim"  # kind of a fenced block whose content is HTML
TAB = "\ue009"  # stands for a tab in code: Markdown makes spaces of tabs


@dataclass(kw_only=True)
class Outputs:
    """What a page shows beside its Markdown: outputs as HTML, pictures as files."""

    source: str  # of the page, for warnings
    uri: str  # where the page lies in the site
    outputs: dict[str, str] = field(default_factory=dict)  # HTML, by its mark
    pictures: dict[str, bytes] = field(default_factory=dict)  # WebP, by its address

    def output(self, output: NotebookNode, alt: str, where: str = "") -> str:
        """An output of a cell as Markdown: of all but Markdown itself, only a mark."""
        if is_picture(output) and not alt:
            self.warn("has a figure without a text alternative (alt)", where)
        if text := output_markdown(output):
            return text
        number = 1 + len(self.outputs)
        mark = f"<!--output {number}-->"
        try:
            html = output_html(output, alt, f"f{number}-", self._save)
        except ValueError as error:
            self.warn(f"has {error}: show it as text, a table or a picture", where)
            html = ""
        self.outputs[mark] = html
        return fence(mark, VERBATIM)

    def warn(self, message: str, where: str = "") -> None:
        """A warning about a place of this page, which stops a strict build."""
        log.warning(f"{where or self.source} {message}")

    def _save(self, picture: bytes) -> str:
        """Add a picture to the site; its address from this page."""
        uri = f"figures/{PurePosixPath(self.uri).stem}-{1 + len(self.pictures)}.webp"
        self.add_picture(uri, picture)
        return self.address(uri)

    def add_picture(self, uri: str, picture: bytes) -> None:
        """Keep a picture under its address in the site."""
        self.pictures[uri] = picture

    def address(self, uri: str) -> str:
        """What a link on this page to a file of the site says: pages lie at its top."""
        return uri


@dataclass(frozen=True)
class Book:
    """All lessons, and what hand-written pages may say of them."""

    docs: Path
    lessons: dict[str, Lesson]  # by stem, in order
    chapters: list[Chapter]
    reading: dict[str, list[str]]  # places to read on, by stem
    questions: dict[str, list[Question]]  # to come back to, by stem
    archive: str  # name of the zip of the site

    @classmethod
    def load(
        cls, snippets: Path, docs: Path, extra: Mapping[str, Any], live: bool = False
    ) -> "Book":
        """The executed pages of a folder of scripts; `extra` is that of mkdocs.yml."""
        lessons = load_lessons(snippets, live)
        return cls(
            docs,
            {lesson.stem: lesson for lesson in lessons},
            by_chapter(lessons, extra["chapters"]),
            load_reading(docs / "reading.yml"),
            load_questions(docs / "questions.yml", lessons),
            extra["archive"],
        )

    def made_from(self, lesson: Lesson) -> list[Any]:
        """What the text of a lesson's page is made of, beside programs and settings."""
        stem = lesson.stem
        return [lesson.checksum, self.reading.get(stem), self.questions[stem]]

    def lesson_markdown(self, lesson: Lesson, page: Outputs) -> str:
        """An executed lesson as Markdown, with its outputs in `page`."""

        def shown(output: NotebookNode, cell: NotebookNode) -> str:
            return page.output(output, cell.metadata.get("alt", ""), lesson.where(cell))

        env = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATES))
        env.filters.update(
            grouped=grouped,
            code_block=code_block,
            cell_end=cell_end,
            shown=shown,
            is_asked=is_asked,
            opening=opening,
            closing=closing,
            verbatim=lambda html: fence(html, VERBATIM),
        )
        cells = deepcopy(lesson.notebook.cells)  # notes are moved to their code
        template = env.get_template("lesson.md.j2")
        return template.render(
            cells=cells,
            questions=questions_html(self.questions[lesson.stem]),
            reading_on=self.reading_on(lesson),
        )

    def written_markdown(
        self, text: str, page: Outputs, env: jinja2.Environment, learning_path: str
    ) -> str:
        """A hand-written page as Markdown: what it says of the lessons is filled in."""

        def figure(source: Lesson, number: int) -> str:
            if number > len(source.figures):
                log.warning(f"{source.script.name} draws {len(source.figures)} figures")
                return ""
            return page.output(*source.figures[number - 1])

        template = env.overlay(
            undefined=jinja2.StrictUndefined,
            comment_start_string="<!--#",  # `{#` starts an id in Markdown
            comment_end_string="#-->",
        ).from_string(text)
        lessons = list(self.lessons.values())
        return template.render(
            lessons=lessons,
            lesson=lambda stem: self.find(stem, page),
            sources=lambda: load_sources(self.docs / "sources.yml", lessons),
            glossary=lambda: load_terms(self.docs / "glossary.yml"),
            reading=self.reading_list,
            measured=lambda name: measured(self.docs / "measured" / name),
            source=lambda name: source(self.docs.parent / name),
            figure=figure,
            archive=self.archive,
            chapters=self.chapters,
            learning_path=learning_path,
        )

    def find(self, stem: str, page: Outputs) -> Lesson | None:
        """The lesson that a page names; None, and a warning, where there is none."""
        if stem not in self.lessons:
            page.warn(f"names {stem}, which is no lesson")
        return self.lessons.get(stem)

    def read_first(self, lesson: Lesson, page: Outputs) -> list[Lesson]:
        """The lessons to read before one."""
        found = (self.find(stem, page) for stem in lesson.read_first)
        return [first for first in found if first]

    def reading_on(self, lesson: Lesson) -> str:
        """Where to read on after a lesson, as Markdown."""
        places = self.reading_list(lesson)
        return f"### Read on {{ data-search-exclude }}\n\n{places}" if places else ""

    def reading_list(self, lesson: Lesson) -> str:
        """The places to read on after a lesson, as a list in Markdown."""
        return "\n".join(f"- {place}" for place in self.reading.get(lesson.stem, []))

    def downloads(self, lesson: Lesson, site_url: str | None) -> dict[str, str]:
        """A lesson as a script and as notebooks that run on their own, by address."""
        script, helper = (
            path.read_text(encoding="utf-8") for path in sources_of(lesson)
        )

        def link(found: Link) -> str:
            return self._published(found, lesson, site_url)

        notebook, name = lesson.notebook, f"downloads/{lesson.name}"
        reading = self.reading.get(lesson.stem, [])
        questions = self.questions[lesson.stem]
        return {
            f"{name}.py": runnable_script(script, helper),
            f"{name}.ipynb": runnable_notebook(
                notebook, helper, link, reading, questions
            ),
            f"{name}-practice.ipynb": practice_notebook(
                notebook, helper, link, reading
            ),
        }

    def questions_script(self) -> str:
        """All questions as a script, which a page on disk may load."""
        cards = [one for of_page in self.questions.values() for one in of_page]
        return f"window.questions = {json.dumps(cards)};\n"

    def _published(self, link: Link, lesson: Lesson, site_url: str | None) -> str:
        """A link in a notebook: to the published site, if it has an address."""
        if urlsplit(link.target).scheme:
            return f"[{link.text}]({link.target})"
        path, hash_sign, anchor = link.target.partition("#")
        known = self.lessons.get(Path(path).stem) if path else lesson
        address = known.address if known else f"{Path(path).stem}.html"
        at = f"{site_url}{address}{hash_sign}{anchor}"
        return f"[{link.text}]({at})" if site_url else link.text

    def navigation(self, nav: list, name: Callable[[Lesson], str]) -> list:
        """The navigation of mkdocs.yml, with lessons by `name` in their place."""
        chapters = [
            {chapter.name: [name(lesson) for lesson in chapter.lessons]}
            for chapter in self.chapters
        ]
        at = nav.index("lessons")
        return [*nav[:at], *chapters, *nav[at + 1 :]]


def sources_of(lesson: Lesson) -> tuple[Path, Path]:
    """The files of which a lesson's downloads are made: its script, and `load.py`."""
    return lesson.script, lesson.script.with_name("load.py")


def measured(stem: Path) -> dict[str, Any] | None:
    """What a session has measured and written down; None where none has."""
    path = stem.with_suffix(".json")
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def source(script: Path) -> str:
    """A script of the checkout, as Markdown that shows it."""
    return fence(script.read_text(encoding="utf-8").rstrip(), "python")


def fence(text: str, kind: str) -> str:
    """A fenced block that nothing in its text can end."""
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{ticks}{kind}\n{text}\n{ticks}"


def code_block(cell: NotebookNode) -> str:
    """The code of a cell as a fenced block; the search leaves out what draws."""
    draws = "alt" in cell.metadata
    kind = '{ .python data-search-exclude="true" }' if draws else "python"
    return fence(cell.source.replace("\t", TAB), kind)


def cell_end(cell: NotebookNode) -> str:
    """A mark after a cell, by which what is wrong with the page is told from where."""
    return fence(end_of_cell(cell.id), VERBATIM)


def grouped(cells: list[NotebookNode]) -> Iterator[tuple[bool, list[NotebookNode]]]:
    """Cells in their order, solutions that follow each other taken together."""
    place_annotations(cells)
    for is_solution, group in groupby(
        cells, lambda cell: "solution" in cell.metadata.get("tags", [])
    ):
        yield is_solution, list(group)


def place_annotations(cells: list[NotebookNode]) -> None:
    """Move the list that explains `# (1)!` in a cell to before the cell's outputs."""
    for cell, after in pairwise(cells):
        if cell.cell_type != "code" or "# (1)!" not in cell.source:
            continue
        cell.metadata["annotations"], after.source = split_list(after.source)
