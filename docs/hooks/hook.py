"""Hands executed pages to MkDocs, so that they become pages like the hand-written ones.

A lesson enters the site as a notebook file (`on_files`), which mkdocs-jupyter makes a
page of. Every page comes as Markdown from `pages.py`, which knows of no generator: a
lesson by a template, a hand-written page as a template, which knows the lessons
(`on_page_markdown`). MkDocs renders both with all extensions and its checks of links
and anchors (`render`).

What a page has become is kept, in two steps: what Markdown makes of it, and the whole
page as the theme makes it, with its entries in the search index. Each is taken from an
earlier build as long as nothing has changed of all that it is made of (`kept.py`). A
page that warns is not kept, so that it warns again.
"""

import atexit
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Any

import jinja2
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page
from watchdog.observers.polling import PollingObserver

from finishing import compact, valid, write_archive
from kept import Kept, digest, digest_of_files, installed
from lessons import CannotPublish, Lesson, counted, duration, page_path
from maths import KATEX, Typesetter
from pages import QUESTIONS, VERBATIM, Book, fence, log, sources_of
from policy import closed, is_closed
from rendering import Rendering, generated_file

HERE = Path(__file__).parent
LOOK, SETTLE = 0.1, 0.2  # seconds, when served live

# What renders, as it was when it was imported: a later edit is of the next start.
PROGRAM = digest(digest_of_files(HERE), installed())


class LessonFile(File):
    """An executed notebook that is a page of the site."""

    def is_documentation_page(self) -> bool:
        return True


class Site:
    """What the events have to tell each other in one build."""

    book: Book
    now: Rendering
    rendered: dict[str, Rendering]  # by the page's uri
    kept: Kept
    settings: str  # digest of all that decides how any page is shown
    files: str  # digest of the addresses of all files, which links lead to
    nav: Navigation
    env: jinja2.Environment  # of the theme, for what hand-written pages include
    typesetter = Typesetter()
    indexed: int  # entries in the search index, before those of the present page
    live: bool = False  # served, with a script of MkDocs that reloads the page


site = Site()


@contextmanager
def told_to_mkdocs() -> Iterator[None]:
    """What keeps a page from being published, as an error that MkDocs shows."""
    try:
        yield
    except CannotPublish as error:
        raise PluginError(str(error)) from error


def on_startup(command: str, **_: Any) -> None:
    """Note whether the site is served live."""
    site.live = command == "serve"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Have Markdown let pass what is HTML already; note what all pages depend on."""
    config.repo_url = (config.repo_url or "").rstrip("/")
    superfences = config.mdx_configs.setdefault("pymdownx.superfences", {})
    superfences.setdefault("custom_fences", []).append(
        {"name": VERBATIM, "class": VERBATIM, "format": lambda source, *_, **__: source}
    )
    site.rendered, site.indexed = {}, 0
    site.kept = Kept(root(config) / ".cache" / ("live" if site.live else "rendered"))
    site.settings = settings_digest(config)
    return config


def settings_digest(config: MkDocsConfig) -> str:
    """Of all that decides how every page is shown: programs, templates, mkdocs.yml.

    The file may name environment variables, and the command line change some of it.
    """
    settings = Path(config.config_file_path).read_text(encoding="utf-8")
    names = re.findall(r"!ENV\s*\[?\s*(\w+)", settings)
    return digest(
        PROGRAM,
        KATEX.read_text(encoding="utf-8"),
        digest_of_files(*map(Path, filter(None, [config.theme.custom_dir]))),
        settings,
        [os.environ.get(name) for name in names],
        [config.site_url, config.repo_url, config.theme.name],
        config.use_directory_urls,
        site.live,
    )


def on_serve(server: LiveReloadServer, config: MkDocsConfig, **_: Any) -> None:
    """Run pages that are saved; build again when one is saved, and when it has run."""
    scripts = root(config) / "snippets"
    run_on_save = [sys.executable, "-m", "page_runner.watch", str(scripts)]
    environment = {**os.environ, "PYTHONPATH": str(root(config) / "tests")}
    watcher = subprocess.Popen(run_on_save, env=environment, cwd=root(config))
    atexit.register(watcher.terminate)
    look_often(server, config)
    server.watch(str(scripts))
    server.watch(str(root(config) / ".cache" / "pages"))


def look_often(server: LiveReloadServer, config: MkDocsConfig) -> None:
    """Have the server look for changes ten times a second; MkDocs does so twice.

    Then it waits for more of them, until a saved page's file has been written.
    """
    watched = []
    for path in [config.docs_dir, config.config_file_path, *config.theme.dirs]:
        with suppress(KeyError):  # of these it may not watch all
            server.unwatch(path)
            watched.append(path)
    server.observer = PollingObserver(timeout=LOOK)
    for path in watched:
        server.watch(path)
    server.build_delay = SETTLE


@event_priority(-50)  # mkdocs-jupyter's own handling of files comes first
@told_to_mkdocs()
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the lessons, their downloads and their places in the navigation."""
    snippets, docs = root(config) / "snippets", Path(config.docs_dir)
    site.book = Book.load(snippets, docs, config.extra, site.live)
    site.env = prepared(config.theme.get_env(), config)
    counted.update(site.kept.take("words", PROGRAM) or {})
    taken = {file.dest_uri: file.src_uri for file in files}
    for lesson in site.book.lessons.values():
        for file in lesson_files(lesson, config):
            if file.dest_uri in taken:
                other = taken[file.dest_uri]
                raise PluginError(f"{lesson.uri} and {other} have the same address")
            taken[file.dest_uri] = file.src_uri
            files.append(file)
    files.append(generated_file(config, QUESTIONS, site.book.questions_script()))
    site.files = digest(sorted((f.src_uri, f.url, f.inclusion.name) for f in files))
    config.nav = site.book.navigation(config.nav or [], lambda lesson: lesson.uri)
    return files


def on_nav(nav: Navigation, **_: Any) -> Navigation:
    """Remember the navigation, which every page shows."""
    site.nav = nav
    return nav


@event_priority(-50)  # mkdocs-jupyter puts its way of rendering there first
def on_pre_page(page: Page, **_: Any) -> Page:
    """Render each page in our way."""
    page.render = render  # type: ignore[method-assign]
    return page


def on_page_read_source(page: Page, **_: Any) -> str | None:
    """Do not read a notebook again, of which MkDocs needs no source."""
    return "" if lesson_of(page) else None


@told_to_mkdocs()
def on_page_markdown(
    markdown: str, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Remember the page; fill in what a hand-written one says of the lessons."""
    now = site.now = Rendering.of(page, config, files)
    if lesson := lesson_of(page):
        first = site.book.read_first(lesson, now)
        summary = escape(lesson.summary)
        page.meta.update(lesson=lesson, read_first=first, description=summary)
        return markdown
    return site.book.written_markdown(markdown, now, site.env, learning_path())


def render(config: MkDocsConfig, files: Files) -> None:
    """Render the present page's Markdown, or take what an earlier build made of it."""
    now, page = site.now, site.now.page
    lesson = lesson_of(page)
    now.made_of = digest(
        site.settings,
        site.files,
        site.book.made_from(lesson) if lesson else page.markdown,
        now.outputs,  # that a hand-written page has filled in by now
        shown_meta(page),
        vars(page).get("title"),  # from the navigation
    )
    name = kept_name(page, "content")
    if work := site.kept.take(name, now.made_of):
        now.repeat(work)
        return
    if lesson:
        for difference in lesson.differences:
            log.warning(f"{difference}: write what both dialects read alike")
    text = site.book.lesson_markdown(lesson, now) if lesson else page.markdown
    now.markdown(text or "")
    if not now.has_warned():
        site.kept.keep(name, now.made_of, now.work())


def kept_name(page: Page, step: str) -> str:
    """By which what a page has become is kept."""
    return f"{page.file.dest_uri}.{step}".replace("/", "--")


def shown_meta(page: Page) -> dict[str, Any]:
    """What a page says of itself beside its text, and what the navigation shows."""
    ours = ("lesson", "read_first")
    return {name: value for name, value in page.meta.items() if name not in ours}


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Hand on the page with what is no drawing in it, for the search to read."""
    rendering = site.rendered[page.file.src_uri] = site.now
    rendering.has_warned()  # until now: what follows is of the next page
    return rendering.with_outputs(rendering.content, drawings=False)


def on_env(
    env: jinja2.Environment, config: MkDocsConfig, **_: Any
) -> jinja2.Environment:
    """Find out which pages need not be finished, for an earlier build has done it.

    Now all titles are known. Such a page gets a template of one line, and no entry in
    the search index but those that it had.
    """
    navigation = [
        (item.title, item.url if isinstance(item, Page) else "", depth)
        for item, depth in walk(site.nav.items)
    ]
    others = [(page.url, shown_meta(page)) for page in site.nav.pages]
    for _address, said in others:
        said.pop("description", None)  # only the page itself shows it
    shared = digest(navigation, others)
    for rendering in site.rendered.values():
        page, lesson = rendering.page, lesson_of(rendering.page)
        first = page.meta.get("read_first", [])
        rendering.made_of = digest(
            rendering.made_of,
            shared,
            page.meta.get("description"),
            [(one.address, one.title) for one in first],
            lesson is None or lesson.is_current,
        )
        work = site.kept.take(kept_name(page, "page"), rendering.made_of)
        if work and not rendering.warned:
            rendering.finished = work
            page.meta.update(template="kept.html", search={"exclude": True})
    return prepared(env, config)


def walk(items: list[Any], depth: int = 0) -> Iterator[tuple[Any, int]]:
    """All of the navigation, in order, each with how deep it lies."""
    for item in items:
        yield item, depth
        if isinstance(item, Section):
            yield from walk(item.children, depth + 1)


def prepared(env: jinja2.Environment, config: MkDocsConfig) -> jinja2.Environment:
    """Give the theme's templates what a lesson's header needs."""
    env.filters["duration"] = duration
    env.globals["colab"] = colab(config.repo_url)
    compiled = root(config) / ".cache" / "templates"
    compiled.mkdir(parents=True, exist_ok=True)
    env.bytecode_cache = jinja2.FileSystemBytecodeCache(str(compiled))
    return env


@event_priority(-50)  # the search has read by then what was printed
def on_page_context(context: dict, page: Page, config: MkDocsConfig, **_: Any) -> dict:
    """Leave only marks of all outputs, which are put in when the page is finished."""
    rendering = site.rendered[page.file.src_uri]
    page.content = rendering.content
    if rendering.finished:
        search_entries(config).extend(rendering.finished["search"])
    rendering.take_turn()
    return context


def search_entries(config: MkDocsConfig) -> list[dict[str, Any]]:
    """The search index as it is now, which the plugin has begun anew in this build."""
    plugin: Any = config.plugins[f"{config.theme.name}/search"]
    provider = getattr(plugin, "provider", plugin)  # in Material's continuation
    return provider.search_index.entries


def on_post_page(output: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    """Finish a page, and put in its outputs; keep it, unless it has warned."""
    rendering = site.rendered[page.file.src_uri]
    entries = search_entries(config)[site.indexed :]
    site.indexed += len(entries)
    if rendering.finished:
        return rendering.finished["html"]
    html = finished(output, page.file.src_uri, rendering)
    if not rendering.has_warned():
        work = {"html": html, "search": entries}
        site.kept.keep(kept_name(page, "page"), rendering.made_of, work)
    return html


def on_post_template(output_content: str, template_name: str, **_: Any) -> str:
    """Finish the theme's own pages, such as 404.html."""
    is_page = template_name.endswith(".html")
    return finished(output_content, template_name) if is_page else output_content


@event_priority(-200)  # the offline plugin writes its search index at -100
def on_post_build(config: MkDocsConfig, **_: Any) -> None:
    """Finish pages that were only copied; offer the site as a zip."""
    words = {lesson.checksum: lesson.words for lesson in site.book.lessons.values()}
    if words != site.kept.take("words", PROGRAM):
        site.kept.keep("words", PROGRAM, words)
    site.kept.drop_others()
    if site.live:
        return
    for path in Path(config.site_dir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if not is_closed(text):
            path.write_text(finished(text, path.name), encoding="utf-8")
    write_archive(Path(config.site_dir), config.extra["archive"])


def finished(html: str, name: str, rendering: Rendering | None = None) -> str:
    """A page's HTML; the live server adds a script that the policy would forbid."""
    lesson = lesson_of(rendering.page) if rendering else None
    html, mistakes = site.typesetter.typeset(valid(compact(html)))
    for tex, why in mistakes:
        where = lesson.place_of_text(tex) if lesson else name
        log.warning(f"{where} has ${tex}$, which KaTeX cannot set: {why}")
    if rendering:
        html = rendering.with_outputs(html)
    if site.live:
        return html
    html, complaints = closed(html)
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
    return site.book.lessons[Path(page.file.src_uri).stem] if is_lesson else None


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

    for address, content in {**lesson.published, **downloads(lesson, config)}.items():
        yield generated_file(config, address, content)


def downloads(lesson: Lesson, config: MkDocsConfig) -> dict[str, str]:
    """A lesson as a script and as notebooks that run on their own, by address."""
    made_of = digest(
        PROGRAM,
        site.book.made_from(lesson),
        [path.read_text(encoding="utf-8") for path in sources_of(lesson)],
        [one.address for one in site.book.lessons.values()],
        config.site_url,
    )
    name = f"{lesson.name}.downloads"
    if kept := site.kept.take(name, made_of):
        return kept
    made = site.book.downloads(lesson, config.site_url)
    site.kept.keep(name, made_of, made)
    return made


def colab(repository: str | None) -> str | None:
    """Where Colab opens files of the published site; None if it is not on GitHub.

    The notebooks are in no commit but those of the branch that Pages are made of.
    """
    _, _, owner_and_name = (repository or "").partition("github.com/")
    if not owner_and_name:
        return None
    return f"https://colab.research.google.com/github/{owner_and_name}/blob/gh-pages"


def learning_path() -> str:
    """All lessons with what they give, for a hand-written page."""
    template = site.env.get_template("partials/learning-path.html")
    return fence(template.render(chapters=site.book.chapters), VERBATIM)
