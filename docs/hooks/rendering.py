"""One page on its way through Markdown, and what a notebook's cells are on that way."""

import base64
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents, get_toc
from mkdocs.utils import get_relative_url
from nbformat import NotebookNode

from outputs import is_picture, output_html, output_markdown
from policy import end_of_cell
from prose import split_list

log = logging.getLogger("mkdocs.hooks.lessons")  # strict builds count its warnings

VERBATIM = "verbatim"  # kind of a fenced block whose content is HTML
TAB = "\ue009"  # stands for a tab in code: Markdown makes spaces of tabs


class Warnings(logging.Handler):
    """Counts the warnings of MkDocs and of what belongs to it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.count = 0
        self.logger = logging.getLogger("mkdocs")
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.count += 1

    def since(self, count: int) -> bool:
        """Whether one may have come since there were so many: `--quiet` hides them."""
        return self.count > count or not self.logger.isEnabledFor(logging.WARNING)


heard = Warnings()


@dataclass
class Rendering:
    """The page that MkDocs renders at present, and what has come of it."""

    page: Page
    config: MkDocsConfig
    files: Files
    outputs: dict[str, str] = field(default_factory=dict)  # HTML, by its mark
    pictures: dict[str, bytes] = field(default_factory=dict)  # WebP, by its address
    content: str = ""
    made_of: str = ""  # digest of all that decides what it is
    finished: dict[str, Any] | None = None  # what an earlier build kept of it
    warned: bool = False  # about this page
    warned_before: int = field(default_factory=lambda: heard.count)

    def markdown(self, text: str) -> None:
        """Render a page's Markdown, as MkDocs does, into `content` and the page."""
        self.page.markdown = text.replace("](../docs/", "](/")  # as MkDocs names them
        Page.render(self.page, self.config, self.files)  # mkdocs-jupyter has its own
        self.content = (self.page.content or "").replace(TAB, "\t")

    def take_turn(self) -> None:
        """Hear warnings from now on as this page's."""
        self.warned_before = heard.count

    def has_warned(self) -> bool:
        """Whether there was a warning about this page, in this turn or before."""
        self.warned = self.warned or heard.since(self.warned_before)
        return self.warned

    def output(self, output: NotebookNode, alt: str, where: str = "") -> str:
        """An output of a cell as Markdown: of all but Markdown itself, only a mark.

        What was printed is no Markdown, and a drawing is most of a page and no text:
        neither goes through what is done to prose.
        """
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
        log.warning(f"{where or self.page.file.src_uri} {message}")

    def with_outputs(self, html: str, drawings: bool = True) -> str:
        """The page's HTML with its outputs in the place of their marks."""
        for mark, output in self.outputs.items():
            if drawings or "<svg" not in output:
                html = html.replace(mark, output)
        return html

    def _save(self, picture: bytes) -> str:
        """Add a picture to the site; its address from this page."""
        stem = Path(self.page.file.dest_uri).stem
        uri = f"figures/{stem}-{1 + len(self.pictures)}.webp"
        self._add_picture(uri, picture)
        return get_relative_url(uri, self.page.url)

    def _add_picture(self, uri: str, picture: bytes) -> None:
        self.pictures[uri] = picture
        self.files.append(generated_file(self.config, uri, picture))

    def work(self) -> dict[str, Any]:
        """What has come of the page until now, as JSON can hold it."""
        links = self.page.links_to_anchors or {}
        return {
            "content": self.content,
            "outputs": self.outputs,
            "pictures": {
                uri: base64.b64encode(picture).decode()
                for uri, picture in self.pictures.items()
            },
            "title": self.page.title,
            "toc": _toc_tokens(self.page.toc),
            "anchors": sorted(self.page.present_anchor_ids or ()),
            "links": {file.src_uri: anchors for file, anchors in links.items()},
        }

    def repeat(self, work: dict[str, Any]) -> None:
        """Take over what came of the same page in an earlier build."""
        page = self.page
        self.content = page.content = work["content"]
        self.outputs = work["outputs"]
        for uri, picture in work["pictures"].items():
            if uri not in self.pictures:  # a hand-written page has added its own
                self._add_picture(uri, base64.b64decode(picture))
        page.title = work["title"]
        page.toc = get_toc(work["toc"])
        page.present_anchor_ids = set(work["anchors"])
        page.links_to_anchors = {
            self.files.src_uris[uri]: anchors for uri, anchors in work["links"].items()
        }


def _toc_tokens(links: TableOfContents | list[AnchorLink]) -> list[Any]:
    """A table of contents as that from which MkDocs makes one."""
    return [
        {
            "name": link.title,
            "id": link.id,
            "level": link.level,
            "children": _toc_tokens(link.children),
        }
        for link in links
    ]


def generated_file(config: MkDocsConfig, uri: str, content: str | bytes) -> File:
    """A file of the site that is in no folder; no pattern of mkdocs.yml excludes it."""
    return File.generated(
        config, uri, content=content, inclusion=InclusionLevel.INCLUDED
    )


def fence(text: str, kind: str) -> str:
    """A fenced block that nothing in its text can end."""
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{ticks}{kind}\n{text}\n{ticks}"


def code_block(cell: NotebookNode) -> str:
    """The code of a cell as a fenced block."""
    return fence(cell.source.replace("\t", TAB), "python")


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
