"""One page on its way through MkDocs' Markdown."""

import base64
import logging
from dataclasses import dataclass, field
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import AnchorLink, TableOfContents, get_toc
from mkdocs.utils import get_relative_url

from pages import TAB, Outputs


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


@dataclass(kw_only=True)
class Rendering(Outputs):
    """The page that MkDocs renders at present, and what has come of it."""

    page: Page
    config: MkDocsConfig
    files: Files
    content: str = ""
    made_of: str = ""  # digest of all that decides what it is
    finished: dict[str, Any] | None = None  # what an earlier build kept of it
    warned: bool = False  # about this page
    warned_before: int = field(default_factory=lambda: heard.count)

    @classmethod
    def of(cls, page: Page, config: MkDocsConfig, files: Files) -> "Rendering":
        """The rendering of a page, of which nothing has come yet."""
        source, uri = page.file.src_uri, page.file.dest_uri
        return cls(source=source, uri=uri, page=page, config=config, files=files)

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

    def with_outputs(self, html: str, drawings: bool = True) -> str:
        """The page's HTML with its outputs in the place of their marks."""
        for mark, output in self.outputs.items():
            if drawings or "<svg" not in output:
                html = html.replace(mark, output)
        return html

    def add_picture(self, uri: str, picture: bytes) -> None:
        """Keep a picture, and make a file of the site of it."""
        super().add_picture(uri, picture)
        self.files.append(generated_file(self.config, uri, picture))

    def address(self, uri: str) -> str:
        """What a link on this page to a file of the site says."""
        return get_relative_url(uri, self.page.url)

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
                self.add_picture(uri, base64.b64decode(picture))
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
