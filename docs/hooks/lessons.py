"""What the site knows of a lesson before it is rendered."""

import hashlib
import json
import logging
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

import nbformat
import yaml
from markdown.extensions.toc import slugify
from nbformat import NotebookNode

from outputs import is_picture
from prose import difference, plain_text, sentences

log = logging.getLogger("mkdocs.hooks.lessons")  # strict builds count its warnings

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
ENOUGH_TO_SAY = 60  # letters of a summary
DATA_NAMES = {"mnist": "MNIST", "cifar10": "CIFAR-10", "diabetes": "diabetes table"}


counted: dict[str, int] = {}  # words of prose, by the checksum of the page file


@dataclass(frozen=True)
class Lesson:
    """A page of `snippets/` as the runner handed it over.

    Served live, it may be what an earlier script gave; then it is not current.
    """

    script: Path
    notebook: NotebookNode
    is_current: bool = True
    checksum: str = ""  # of the page file

    @property
    def stem(self) -> str:
        """Name of the script: `33_mnist_logistic_regression`."""
        return self.script.stem

    @property
    def chapter(self) -> int:
        """Number of the chapter: the first digit of the name."""
        return place_of(self.script)[0]

    @property
    def name(self) -> str:
        """Name without its number: `mnist_logistic_regression`."""
        return self.stem.partition("_")[2]

    @property
    def address(self) -> str:
        """Where the page lies in the site: `mnist-logistic-regression.html`."""
        return self.name.replace("_", "-") + ".html"

    @property
    def uri(self) -> str:
        """The script seen from docs/, as pages link to it and as MkDocs knows it."""
        return f"../{self.script.parent.name}/{self.script.name}"

    @cached_property
    def title(self) -> str:
        """The text of the H1."""
        return plain_text(self.notebook.metadata.page.title)

    @cached_property
    def summary(self) -> str:
        """The first sentences after the H1: as many as say something together."""
        summary = ""
        for sentence in sentences(self.notebook.cells[0].source):
            if len(summary) < ENOUGH_TO_SAY:
                summary = f"{summary} {sentence}".strip()
        return summary

    @property
    def words(self) -> int:
        """Number of words of its prose."""
        if self.checksum not in counted:
            cells = self.notebook.cells
            prose = [cell.source for cell in cells if cell.cell_type == "markdown"]
            words = (re.findall(r"\w+", plain_text(text)) for text in prose)
            counted[self.checksum] = sum(map(len, words))
        return counted[self.checksum]

    @cached_property
    def code(self) -> str:
        """Digest of the code alone, by which what was measured of a page knows it."""
        cells = [cell for cell in self.notebook.cells if cell.cell_type == "code"]
        text = json.dumps([cell.source for cell in cells])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def level(self) -> str:
        return self.notebook.metadata.page.level

    @property
    def read_first(self) -> list[str]:
        """Stems of the lessons to read before this one."""
        return self.notebook.metadata.page.get("read_first", [])

    @property
    def run(self) -> NotebookNode:
        """What the runner noted: seconds, device, versions, date, data, result."""
        return self.notebook.metadata.run

    @property
    def data(self) -> list[str]:
        """The data sets of the published run, by the names that people use."""
        return [DATA_NAMES.get(name, name) for name in self.run.data]

    @property
    def altered(self) -> list[str]:
        """What was done to data of the published run that is no original."""
        changes = self.run.get("altered", {})
        return [f"{DATA_NAMES.get(name, name)}: {changes[name]}" for name in changes]

    @property
    def stand_ins(self) -> list[str]:
        """Names of the data sets that were drawn by code in the published run."""
        return [
            DATA_NAMES.get(name, name)
            for name, kind in self.run.data.items()
            if kind.startswith("stand-in")
        ]

    @property
    def published(self) -> dict[str, str]:
        """Scripts that hold the files the page wrote for its widgets, by address.

        A script, because a page on disk may load scripts and may not read files.
        """
        return {
            f"published/{Path(name).stem}.js": (
                f"(window.published ??= {{}})[{json.dumps(name)}] = {text};\n"
            )
            for name, text in self.run.get("files", {}).items()
        }

    @property
    def teaches(self) -> dict[str, str]:
        """Rows of the sources that the page teaches, with the section that does."""
        return self.notebook.metadata.page.teaches

    @property
    def figures(self) -> list[tuple[NotebookNode, str]]:
        """The pictures that the page drew, each with its text alternative."""
        return [
            (output, cell.metadata.get("alt", ""))
            for cell in self.notebook.cells
            for output in cell.get("outputs", [])
            if is_picture(output)
        ]

    @property
    def result(self) -> tuple[str, str] | None:
        """Name and figure of the headline result: `("test accuracy", "92.3%")`."""
        name = self.notebook.metadata.page.get("result")
        if name is None or self.run.result is None:
            return None
        return name.replace("_", " "), figure_text(name, self.run.result)

    @property
    def source_result(self) -> str | None:
        """What the old tutorial reported for the same figure."""
        page = self.notebook.metadata.page
        if page.get("result") is None or page.get("source_result") is None:
            return None
        return figure_text(page.result, page.source_result)

    def where(self, cell: NotebookNode, row: int = 0) -> str:
        """A line of a cell, counted from 0, as the runner's messages name it."""
        place = f"{self.script.parent.name}/{self.script.name}"
        place = f"{place}:{cell.metadata.line + row}:"
        is_code = cell.cell_type == "code"
        return f"{place} cell {cell.execution_count}" if is_code else place

    def place_of_text(self, text: str) -> str:
        """The place where a text of one or more lines begins; else the script."""
        for cell in self.notebook.cells:
            before, found, _ = cell.source.partition(text)
            if found:
                return self.where(cell, before.count("\n"))
        return self.script.name

    def place(self, identity: str) -> str:
        """The place of the cell of that name; else the script."""
        found = [cell for cell in self.notebook.cells if cell.id == identity]
        return self.where(found[0]) if found else self.script.name

    @cached_property
    def differences(self) -> list[str]:
        """Where a notebook shows its prose otherwise than the site."""
        found = [
            (cell, difference(cell.source))
            for cell in self.notebook.cells
            if cell.cell_type == "markdown"
        ]
        return [f"{self.where(cell, it[0])} {it[1]}" for cell, it in found if it]


def place_of(script: Path) -> tuple[int, int, str]:
    """Chapter and place of a script, by which lessons are in order: 36 before 310."""
    chapter, place = re.findall(r"^(\d)(\d*)", script.stem)[0]
    return int(chapter), int(place or 0), script.stem


class CannotPublish(Exception):
    """Something that no site may show; the message says what, and what to do."""


class NotHandedOver(Exception):
    """There is no page file to show; the message names it, and a cure."""


def page_path(script: Path) -> Path:
    """Where the runner puts the file of a page that passed."""
    return script.parents[1] / ".cache" / "pages" / f"{script.stem}.ipynb"


def load_lesson(script: Path) -> Lesson:
    """The lesson of a script. Raises NotHandedOver, OSError."""
    path = page_path(script)
    name = path.relative_to(script.parents[1])
    recording = script.parents[1] / "tests" / "expected" / f"{script.stem}.txt"
    session = "tests" if recording.exists() else "record"
    cure = f"run `nox -s {session} -- {script.stem}`, which writes it"
    try:
        document = json.loads(path.read_bytes())
        checksum = document["metadata"].pop("checksum")
    except FileNotFoundError:
        raise NotHandedOver(f"{name} is not there: {cure}") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotHandedOver(f"{name} is damaged ({error!r}): {cure}") from error
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    if hashlib.sha256(canonical.encode()).hexdigest() != checksum:
        raise NotHandedOver(f"{name} is damaged (its checksum is another): {cure}")
    notebook = nbformat.from_dict(document)
    return Lesson(script, notebook, belongs(notebook, script), checksum)


def belongs(notebook: NotebookNode, script: Path) -> bool:
    """Whether a page file is of the script, and of load.py, as they are now."""
    files = {script: notebook.metadata.script}
    if helper := notebook.metadata.run.dependencies.get("load.py"):
        files[script.with_name("load.py")] = helper
    return all(
        hashlib.sha256(path.read_bytes()).hexdigest().startswith(digest)
        for path, digest in files.items()
    )


loaded: dict[Path, tuple[list, Lesson]] = {}  # with when its files were written


def load_if_changed(script: Path) -> Lesson:
    """The same lesson as before, as long as no file of it has been written."""
    files = [script, script.with_name("load.py"), page_path(script)]
    written = [path.stat().st_mtime_ns if path.exists() else None for path in files]
    before, lesson = loaded.get(script, (None, None))
    if written != before or lesson is None:
        lesson = load_lesson(script)
        loaded[script] = (written, lesson)
    return lesson


@dataclass(frozen=True)
class Chapter:
    """Lessons that belong together."""

    number: int
    title: str
    gives: str  # what one has learned at its end, in a sentence
    lessons: list[Lesson]

    @property
    def name(self) -> str:
        """Its title with its number: `1. Tensors and gradients`."""
        return f"{self.number}. {self.title}"

    @property
    def words(self) -> int:
        """Number of words of its lessons' prose."""
        return sum(lesson.words for lesson in self.lessons)

    @property
    def seconds(self) -> float:
        """How long its lessons ran, one after the other."""
        return sum(lesson.run.seconds for lesson in self.lessons)


def load_lessons(folder: Path, live: bool = False) -> list[Lesson]:
    """Every lesson of a folder, in order; CannotPublish where one cannot be published.

    Served live, a lesson whose code has changed is shown with its last run that passed,
    and one of which none has passed is left out.
    """
    lessons, problems = [], []
    load = load_if_changed if live else load_lesson
    for script in sorted(folder.glob("[0-9]*.py"), key=place_of):
        try:
            lesson = load(script)
        except (NotHandedOver, OSError) as error:
            problems.append(str(error))
            continue
        if lesson.is_current or live:
            lessons.append(lesson)
        else:
            problems.append(
                f"{page_path(script).relative_to(folder.parent)} does not belong to "
                f"{folder.name}/{script.name} as it is: run `nox -s tests -- "
                f"{script.stem}`"
            )
    if live and lessons:
        for problem in problems:
            log.warning(problem)
        return lessons
    if not lessons and not problems:
        problems.append(f"{folder} holds no page")
    if problems:
        raise CannotPublish("\n".join(problems))
    return lessons


def by_chapter(
    lessons: list[Lesson], about: dict[str, dict[str, str]]
) -> list[Chapter]:
    """Lessons in their chapters, both in order; `about` has `title` and `gives`."""
    chapters = []
    for number, group in groupby(lessons, lambda lesson: lesson.chapter):
        members = list(group)
        if str(number) not in about:
            raise CannotPublish(
                f"{members[0].script.name} is of chapter {number}, which is not "
                "under `extra.chapters` in mkdocs.yml"
            )
        chapters.append(Chapter(number, **about[str(number)], lessons=members))
    return chapters


def read_yaml(path: Path) -> dict:
    """A file of YAML, by the parser in C where there is one: ten times as fast."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), loader)


def load_reading(path: Path) -> dict[str, list[str]]:
    """Places to read on, each as a line of Markdown, by the stem of the lesson."""
    if not path.exists():
        return {}
    reading = read_yaml(path)
    return {
        stem: [reading_line(**p) for p in places] for stem, places in reading.items()
    }


def reading_line(
    name: str, author: str, address: str, gives: str, year: int | None = None
) -> str:
    """One place to read on: a link, who wrote it and when, what one finds there."""
    written = f"{author}, {year}" if year else author
    return f"[{name}]({address}) ({written}): {gives}."


def load_terms(path: Path) -> list[tuple[str, str, str]]:
    """The glossary: term, meaning, and the stem of the lesson that introduces it."""
    terms = read_yaml(path)
    return [(term, entry["text"], entry["page"]) for term, entry in terms.items()]


def load_sources(
    path: Path, lessons: list[Lesson]
) -> list[tuple[str, list[tuple[str, str, list[tuple[Lesson, str, str]]]]]]:
    """The sources as titles with rows: name, text, and who teaches it in which section.

    A section is given by its text and its anchor. CannotPublish where a row has no
    lesson, or a lesson teaches a row that is none.
    """
    sources = read_yaml(path)
    taught = [(row, lesson) for lesson in lessons for row in lesson.teaches]
    known = {row for source in sources.values() for row in source["rows"]}
    if lost := known.symmetric_difference(row for row, _ in taught):
        raise CannotPublish(f"rows taught by no page, or unknown: {sorted(lost)}")

    def teachers(row: str) -> list[tuple[Lesson, str, str]]:
        found = [
            (lesson, lesson.teaches[row]) for name, lesson in taught if name == row
        ]
        return [
            (lesson, text, slugify(plain_text(text), "-")) for lesson, text in found
        ]

    return [
        (
            f"{letter}. {source['title']}",
            [(row, text, teachers(row)) for row, text in source["rows"].items()],
        )
        for letter, source in sources.items()
    ]


def duration(seconds: float) -> str:
    """A time to read, kept on one line: `0.3 s`, `12 s`, `2 min 5 s`."""
    minutes, rest = divmod(round(seconds), 60)
    if seconds < 9.95:
        text = f"{max(seconds, 0.1):.1f} s"
    else:
        text = f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return text.replace(" ", NO_BREAK_SPACE)


def figure_text(name: str, value: float) -> str:
    """A result to read: a share for an accuracy, else three digits."""
    return f"{value:.1%}" if "accuracy" in name else f"{value:.3g}"
