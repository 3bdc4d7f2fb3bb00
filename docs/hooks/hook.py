"""Hands executed pages to MkDocs, so that they become pages like the hand-written ones.

A lesson enters the site as a notebook file (`on_files`). mkdocs-jupyter renders it with
the template in `templates/`, which writes Markdown and passes it to `site_markdown`:
that is MkDocs' own rendering, with all extensions and its checks of links and anchors.
Hand-written pages are Jinja templates, which know the lessons (`on_page_markdown`).
"""

import atexit
import os
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
import mkdocs_jupyter.config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page
from nbconvert.exporters.templateexporter import default_filters
from nbformat import NotebookNode

from downloads import runnable_notebook, runnable_script
from finishing import compact, valid, write_archive
from lessons import (
    Chapter,
    Lesson,
    by_chapter,
    duration,
    load_lessons,
    load_reading,
    load_sources,
    load_terms,
    page_path,
)
from policy import closed, is_closed
from prose import Link
from rendering import (
    VERBATIM,
    Rendering,
    cell_end,
    code_block,
    fence,
    generated_file,
    grouped,
    log,
)

HERE = Path(__file__).parent
NAV_PLACEHOLDER = "lessons"  # in mkdocs.yml's nav: where the chapters go


class LessonFile(File):
    """An executed notebook that is a page of the site."""

    def is_documentation_page(self) -> bool:
        return True


class Site:
    """What the events have to tell each other in one build."""

    lessons: dict[str, Lesson]  # by stem, in order
    chapters: list[Chapter]
    reading: dict[str, list[str]]  # places to read on, by stem
    now: Rendering
    live: bool = False  # served, with a script of MkDocs that reloads the page

    def __init__(self) -> None:
        self.rendered: dict[str, Rendering] = {}  # by the page's uri
        self.written: dict[str, tuple[Lesson, dict[str, str]]] = {}  # by stem


site = Site()


def on_startup(command: str, **_: Any) -> None:
    """Note whether the site is served live."""
    site.live = command == "serve"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Point mkdocs-jupyter to our template, and give that what it calls."""
    config.repo_url = (config.repo_url or "").rstrip("/")
    mkdocs_jupyter.config.settings.templates_dir = str(HERE / "templates")
    jupyter = config.plugins["mkdocs-jupyter"].config
    jupyter["mathjax_version"] = 2  # from 0.27, each other one loads a foreign script
    default_filters["grouped"] = grouped
    default_filters["code_block"] = code_block
    default_filters["cell_end"] = cell_end
    default_filters["shown"] = shown
    default_filters["reading_on"] = reading_on
    default_filters["site_markdown"] = lambda text: site.now.markdown(text)
    superfences = config.mdx_configs.setdefault("pymdownx.superfences", {})
    superfences.setdefault("custom_fences", []).append(
        {"name": VERBATIM, "class": VERBATIM, "format": lambda source, *_, **__: source}
    )
    return config


def on_serve(server: LiveReloadServer, config: MkDocsConfig, **_: Any) -> None:
    """Run pages that are saved; build again when one is saved, and when it has run."""
    scripts = root(config) / "snippets"
    run_on_save = [sys.executable, "-m", "page_runner.watch", str(scripts)]
    environment = {**os.environ, "PYTHONPATH": str(root(config) / "tests")}
    watcher = subprocess.Popen(run_on_save, env=environment, cwd=root(config))
    atexit.register(watcher.terminate)
    server.watch(str(scripts))
    server.watch(str(root(config) / ".cache" / "pages"))


@event_priority(-50)  # mkdocs-jupyter's own handling of files comes first
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the lessons, their downloads and their places in the navigation."""
    lessons = load_lessons(root(config) / "snippets", site.live)
    site.lessons = {lesson.stem: lesson for lesson in lessons}
    site.chapters = by_chapter(lessons, config.extra["chapters"])
    site.reading = load_reading(Path(config.docs_dir, "reading.yml"))
    taken = {file.dest_uri: file.src_uri for file in files}
    for lesson in lessons:
        for file in lesson_files(lesson, config):
            if file.dest_uri in taken:
                other = taken[file.dest_uri]
                raise PluginError(f"{lesson.uri} and {other} have the same address")
            taken[file.dest_uri] = file.src_uri
            files.append(file)
    config.nav = with_chapters(config.nav or [])
    return files


@event_priority(-50)  # mkdocs-jupyter puts its way of rendering there first
def on_pre_page(page: Page, **_: Any) -> Page:
    """Served live, do not render a lesson again that has not changed."""
    lesson, earlier = lesson_of(page), site.rendered.get(page.file.src_uri)
    if site.live and lesson and earlier and earlier.page.meta["lesson"] == lesson:
        page.render = lambda *_: site.now.repeat(earlier)  # type: ignore[method-assign]
    return page


def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Remember the page; fill in what a hand-written one says of the lessons."""
    site.now = Rendering(page, config, files)
    if lesson := lesson_of(page):
        first = [found for stem in lesson.read_first if (found := find_lesson(stem))]
        summary = escape(lesson.summary)
        page.meta.update(lesson=lesson, read_first=first, description=summary)
        for difference in lesson.differences:
            log.warning(f"{difference}: write what both dialects read alike")
        return markdown
    env = on_env(config.theme.get_env(), config)
    template = env.overlay(
        undefined=jinja2.StrictUndefined,
        comment_start_string="<!--#",  # `{#` starts an id in Markdown
        comment_end_string="#-->",
    ).from_string(markdown)
    lessons = list(site.lessons.values())
    return template.render(
        lessons=lessons,
        lesson=find_lesson,
        sources=lambda: load_sources(Path(config.docs_dir, "sources.yml"), lessons),
        glossary=lambda: load_terms(Path(config.docs_dir, "glossary.yml")),
        reading=reading_list,
        figure=figure,
        archive=config.extra["archive"],
        chapters=site.chapters,
        learning_path=learning_path(env),
    )


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Take a lesson's HTML and contents from our rendering, not from mkdocs-jupyter.

    It got neither: nbconvert would parse the HTML once more, at the cost of the rest.
    """
    rendering = site.rendered[page.file.src_uri] = site.now
    if lesson_of(page):
        page.toc = rendering.toc
    else:
        rendering.content = html
    return rendering.with_outputs(rendering.content, drawings=False)


@event_priority(-50)  # the search has read by then what was printed
def on_page_context(context: dict, page: Page, **_: Any) -> dict:
    """Leave only marks of all outputs, which are put in when the page is finished."""
    page.content = site.rendered[page.file.src_uri].content
    return context


def on_env(
    env: jinja2.Environment, config: MkDocsConfig, **_: Any
) -> jinja2.Environment:
    """Give the theme's templates what a lesson's header needs."""
    env.filters["duration"] = duration
    env.globals["colab"] = colab(config.repo_url)
    compiled = root(config) / ".cache" / "templates"
    compiled.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = jinja2.FileSystemBytecodeCache(str(compiled))
    return env


def on_post_page(output: str, page: Page, **_: Any) -> str:
    """Finish a page, and put in its outputs."""
    return finished(output, page.file.src_uri, site.rendered[page.file.src_uri])


def on_post_template(output_content: str, template_name: str, **_: Any) -> str:
    """Finish the theme's own pages, such as 404.html."""
    is_page = template_name.endswith(".html")
    return finished(output_content, template_name) if is_page else output_content


@event_priority(-200)  # the offline plugin writes its search index at -100
def on_post_build(config: MkDocsConfig, **_: Any) -> None:
    """Finish pages that were only copied; offer the site as a zip."""
    if site.live:
        return
    for path in Path(config.site_dir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if not is_closed(text):
            path.write_text(finished(text, path.name), encoding="utf-8")
    write_archive(Path(config.site_dir), config.extra["archive"])


def finished(html: str, name: str, rendering: Rendering | None = None) -> str:
    """A page's HTML; the live server adds a script that the policy would forbid."""
    html = valid(compact(html))
    if rendering:
        html = rendering.with_outputs(html)
    if site.live:
        return html
    html, complaints = closed(html)
    lesson = lesson_of(rendering.page) if rendering else None
    for cell, what in complaints:
        where = lesson.place(cell) if lesson and cell else name
        log.warning(f"{where} holds {what}: no page of the site may")
    return html


def root(config: MkDocsConfig) -> Path:
    """The folder of mkdocs.yml."""
    return Path(config.config_file_path).parent


def lesson_of(page: Page) -> Lesson | None:
    """The lesson that a page shows; None for a hand-written page."""
    is_lesson = isinstance(page.file, LessonFile)
    return site.lessons[Path(page.file.src_uri).stem] if is_lesson else None


def lesson_files(lesson: Lesson, config: MkDocsConfig) -> Iterator[File]:
    """A lesson's page, its two downloads, and what it publishes for its widgets."""
    page = LessonFile.generated(
        config,
        lesson.uri,
        abs_src_path=str(page_path(lesson.script)),
        inclusion=InclusionLevel.INCLUDED,
    )
    page.dest_uri = lesson.address
    yield page

    written, others = site.written.get(lesson.stem, (None, {}))
    if written is not lesson:
        others = {**lesson.published, **downloads(lesson, config.site_url)}
        site.written[lesson.stem] = (lesson, others)
    for address, content in others.items():
        yield generated_file(config, address, content)


def downloads(lesson: Lesson, site_url: str | None) -> dict[str, str]:
    """A lesson as a script and as a notebook that run on their own, by address."""
    helper = lesson.script.with_name("load.py").read_text(encoding="utf-8")
    script = lesson.script.read_text(encoding="utf-8")
    return {
        f"downloads/{lesson.name}.py": runnable_script(script, helper),
        f"downloads/{lesson.name}.ipynb": runnable_notebook(
            lesson.notebook,
            helper,
            lambda link: download_link(link, lesson, site_url),
            site.reading.get(lesson.stem, []),
        ),
    }


def download_link(link: Link, lesson: Lesson, site_url: str | None) -> str:
    """A link in a downloaded notebook: to the published site, if it has an address."""
    if urlsplit(link.target).scheme:
        return f"[{link.text}]({link.target})"
    path, hash_sign, anchor = link.target.partition("#")
    known = site.lessons.get(Path(path).stem) if path else lesson
    address = known.address if known else f"{Path(path).stem}.html"
    at = f"{site_url}{address}{hash_sign}{anchor}"
    return f"[{link.text}]({at})" if site_url else link.text


def colab(repository: str | None) -> str | None:
    """Where Colab opens files of the published site; None if it is not on GitHub.

    The notebooks are in no commit but those of the branch that Pages are made of.
    """
    _, _, owner_and_name = (repository or "").partition("github.com/")
    if not owner_and_name:
        return None
    return f"https://colab.research.google.com/github/{owner_and_name}/blob/gh-pages"


def with_chapters(nav: list) -> list:
    """The navigation of mkdocs.yml with the chapters in their place."""
    chapters = [
        {chapter.name: [lesson.uri for lesson in chapter.lessons]}
        for chapter in site.chapters
    ]
    at = nav.index(NAV_PLACEHOLDER)
    return [*nav[:at], *chapters, *nav[at + 1 :]]


def find_lesson(stem: str) -> Lesson | None:
    """The lesson that a page names; None, and a warning, where there is none."""
    if stem not in site.lessons:
        log.warning(f"{site.now.page.file.src_uri} names {stem}, which is no lesson")
    return site.lessons.get(stem)


def figure(source: Lesson, number: int) -> str:
    """The n-th figure of a lesson, for a hand-written page."""
    if number > len(source.figures):
        log.warning(f"{source.script.name} draws {len(source.figures)} figures")
        return ""
    return site.now.output(*source.figures[number - 1])


def shown(output: NotebookNode, cell: NotebookNode) -> str:
    """An output of a lesson's cell as Markdown."""
    lesson = lesson_of(site.now.page)
    where = lesson.where(cell) if lesson else ""
    return site.now.output(output, cell.metadata.get("alt", ""), where)


def reading_on(_: NotebookNode) -> str:
    """Where to read on after the lesson that is rendered, as Markdown."""
    places = reading_list(lesson) if (lesson := lesson_of(site.now.page)) else ""
    return f"### Read on\n\n{places}" if places else ""


def reading_list(lesson: Lesson) -> str:
    """The places to read on after a lesson, as a list in Markdown."""
    return "\n".join(f"- {place}" for place in site.reading.get(lesson.stem, []))


def learning_path(env: jinja2.Environment) -> str:
    """All lessons with what they give, for a hand-written page."""
    template = env.get_template("partials/learning-path.html")
    return fence(template.render(chapters=site.chapters), VERBATIM)
