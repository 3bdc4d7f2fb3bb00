"""The site's hook: what it makes of executed pages, without a browser."""

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jupytext
import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort
from mkdocs.livereload import LiveReloadServer
from nbformat import NotebookNode
from PIL import Image

import build_folder
from downloads import needed_source, runnable_script
from finishing import compact, valid, write_archive
from hook import LOOK, SETTLE, colab, look_often
from lessons import (
    CannotPublish,
    duration,
    load_if_changed,
    load_lesson,
    load_lessons,
)
from made_pages import wait_until
from outputs import inline_svg, output_html
from page_runner import store
from page_runner.script import parse
from pages import fence, grouped
from policy import Inspector, closed, end_of_cell
from prose import difference, links, plain_text, split_list
from tools.check_site import problems
from tools.luck import code_digest
from tools.projects import set_up

ROOT = Path(__file__).parents[1]

HELPER = '''"""Data."""

import gzip
import os.path
from pathlib import Path

# The folder of the data.
ROOT = Path("data")
UNUSED = gzip.open
used: dict[str, str] = {}


def _note(name: str) -> None:
    used[name] = os.path.join("real", name)


def mnist() -> list[int]:
    """Three digits."""
    _note("mnist")
    return [1, 2, 3]


def cifar10():
    return UNUSED
'''

HEADER = """# ---
# jupyter:
#   page:
#     teaches: {{}}
#     level: beginner
#     read_first: [{read_first}]
# ---

# %% [markdown]
"""

FIRST = (
    HEADER.format(read_first="")
    + """# # The first `page`
#
# It shows *what* $w$ is.
# More on [checking](../docs/about.md) and [the second](12_second_page.py#a-part).
#
# !!! note "A note"
#     With a footnote.[^1]
#
# [^1]: The footnote.

# %%
from load import mnist

print(len(mnist()))  # (1)!

# %% [markdown]
# 1. How many digits there are.
#
# Then prose.

# %% alt="A line & a dot"
plt.show()

# %% tags=["solution"]
print("```")

# %% [markdown] tags=["solution"]
# Ticks.

# %% [markdown]
# ## What next
"""
)
SECOND = (
    HEADER.format(read_first="11_first_page")
    + """# # The second page
#
# Back to [the first](11_first_page.py).
#
# ## A part

# %% tags=["predict"] answers=["1", "<2"] why="It is `1`."
print(1)
"""
)

READING = """\
11_first_page:
  - {name: D2L, author: Zhang, year: 2023, address: "https://d2l.ai/", gives: a book}
"""

QUESTIONS = """\
12_second_page:
  - {asks: "What does `print(1)` write?", answer: A one.}
"""

SVG = """<?xml version="1.0" encoding="utf-8"?>
<svg xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg"
 width="36pt" height="18pt" viewBox="0 0 36 18" version="1.1">
 <metadata>who and when</metadata>
 <defs><style type="text/css">*{stroke-linejoin: round}</style></defs>
 <g id="figure_1"><defs><path id="m1" d="M 0 0.123456
L 3.5 -1.0" style="stroke: currentColor; stroke-width: 0.8"/></defs>
 <use xlink:href="#m1" x="5"/><g clip-path="url(#p1)"/>
 <text style="font-size: 10px; font-family: 'DejaVu Sans'">w</text></g>
 <defs><clipPath id="p1"><rect x="0"/></clipPath></defs>
</svg>"""

NO_BREAK = "\N{NO-BREAK SPACE}"


OUTPUTS = {  # of the cells that hold a word
    "mnist": nbformat.v4.new_output("stream", text="3\n"),
    "plt": nbformat.v4.new_output("display_data", {"image/svg+xml": SVG}),
    "print(1)": nbformat.v4.new_output("stream", text="1\n"),
    '"```"': nbformat.v4.new_output("stream", text="```\n<b>\n\n  end\n"),
}


def hand_over(script: Path, **shown: NotebookNode) -> None:
    """Write the file of a page that passed; `shown` are outputs, as in OUTPUTS."""
    page = parse(script)
    outputs = {**OUTPUTS, **shown}
    has_data = "first" in script.name
    facts = {
        "seconds": 0.34,
        "device": "cpu",
        "device_name": "CPU, one thread",
        "torch": "2.14.1",
        "python": "3.11.7",
        "date": "2026-11-21",
        "data": {"mnist": "stand-in 12345678"} if has_data else {},
        "altered": {"mnist": "each digit was blurred"} if has_data else {},
        "result": None,
        "compared": 7,
        "margins": {"1": "3.0 ± 0.2"},
        "dependencies": store.dependencies(page, "cpu"),
    }
    by_cell = {
        cell.number: [output for word, output in outputs.items() if word in cell.source]
        for cell in page.code
    }
    store.save(page, store.script_digest(script), by_cell, facts, "cpu")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two pages with this site's set-up."""
    set_up(tmp_path, about="  - about.md\n")
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "load.py").write_text(HELPER)
    (tmp_path / "snippets" / "11_first_page.py").write_text(FIRST)
    (tmp_path / "snippets" / "12_second_page.py").write_text(SECOND)
    (tmp_path / "docs" / "index.md").write_text(
        '# Home\n\n{{ figure(lesson("11_first_page"), 1) }}\n\n{{ learning_path }}\n'
    )
    (tmp_path / "docs" / "about.md").write_text(
        "# About\n\n[One](../snippets/11_first_page.py#what-next)\n"
    )
    (tmp_path / "docs" / "reading.yml").write_text(READING)
    (tmp_path / "docs" / "questions.yml").write_text(QUESTIONS)
    return tmp_path


def build_site(project: Path, **shown: NotebookNode) -> Path:
    """What `mkdocs build --strict` makes of a project whose pages have passed."""
    for script in (project / "snippets").glob("[0-9]*.py"):
        hand_over(script, **shown)
    return render(project)


def render(project: Path) -> Path:
    """What `mkdocs build --strict` makes of a project as it is."""
    config = load_config(str(project / "mkdocs.yml"), strict=True)
    build(config)
    return project / "site"


def files_of(site: Path) -> dict[str, bytes]:
    """All of a site, by path; less the time of the build, in the map of the site."""
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in site.rglob("*")
        if path.is_file() and path.suffix != ".gz"
    }


def tree(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(), "html.parser")


def only(part: BeautifulSoup | Tag, selector: str) -> Tag:
    """The one element that a selector finds."""
    (found,) = part.select(selector)
    return found


def test_a_lesson_is_a_page_like_a_hand_written_one(project: Path) -> None:
    site = build_site(project)
    page = (site / "first-page.html").read_text()
    article = page[page.index("<article") : page.index("</article>")]

    assert "<title>The first page - " in page
    assert 'content="It shows what w is. More on checking and the second."' in page
    assert 'href="about.html">checking' in article
    assert 'href="second-page.html#a-part">the second' in article
    assert '<div class="admonition note">' in article
    assert 'class="footnote"' in article
    assert article.count("The footnote.") == 1
    assert '<span class="arithmatex"><span class="katex">' in article
    assert article.count("<h1") == 1
    assert 'id="what-next"' in article
    assert f"0.3{NO_BREAK}s" in article
    assert "Made with stand-in data" in article
    assert "MNIST: each digit was blurred." in article
    assert "<style" not in page
    assert "jp-" not in page

    assert 'href="https://d2l.ai/">D2L</a> (Zhang, 2023): a book.' in article
    assert article.index("<samp>3</samp>") < article.index(
        '<p class="margins">On another machine: 3.0 ± 0.2</p>'
    )
    notebook = nbformat.read(site / "downloads" / "first_page.ipynb", as_version=4)
    assert "On another machine: 3.0 ± 0.2" in [cell.source for cell in notebook.cells]
    assert "[D2L](https://d2l.ai/) (Zhang, 2023): a book." in notebook.cells[-1].source

    note = article.index("How many digits")  # Material wants it right after the code
    assert article.index("mnist()") < note < article.index("<samp>3</samp>")
    solution = article[article.index("<details") : article.index("</details>")]
    assert "<samp>```\n&lt;b&gt;\n\n  end</samp>" in solution
    assert "Ticks." in solution
    assert 'aria-label="A line &amp; a dot"' in article
    assert 'href="#what-next"' in page[: page.index("<article")]  # on this page

    second = (site / "second-page.html").read_text()
    assert 'href="first-page.html">The first page</a>' in second
    home = (site / "index.html").read_text()
    assert 'role="img"' in home
    assert "1. Tensors and gradients" in home


def test_a_page_asks_before_it_shows(project: Path) -> None:
    """What is hidden stands in the page, for print and for readers without scripts."""
    site = build_site(project)
    asked = only(tree(site / "second-page.html"), ".predict")
    assert asked["data-right"] == "1"
    assert only(asked, ".predict-ask").text == "What will it print?"
    assert {item.text for item in asked.select(".predict-choices > li")} == {"1", "<2"}
    assert only(asked, ".predict-output samp").text == "1"
    assert str(only(asked, ".predict-why > code")) == "<code>1</code>"
    notebook = nbformat.read(site / "downloads" / "second_page.ipynb", as_version=4)
    assert [cell for cell in notebook.cells if "predict" in cell.metadata] == []


def test_an_output_that_bears_out_no_answer_is_shown_as_any_other(
    project: Path,
) -> None:
    """As where a page ran on drawn data."""
    script = project / "snippets" / "12_second_page.py"
    script.write_text(SECOND.replace('"1", "<2"', '"2", "3"'))
    page = tree(build_site(project) / "second-page.html")
    assert page.select(".predict") == []
    assert only(page, "article samp").text == "1"


def test_a_page_says_how_near_a_typed_number_has_to_be(project: Path) -> None:
    script = project / "snippets" / "12_second_page.py"
    choices = 'answers=["1", "<2"]'
    for ask, near in [
        ("How many, to within a tenth?", {"data-within": "0.1"}),
        ("?", {}),
    ]:
        script.write_text(SECOND.replace(choices, f'ask="{ask}"'))
        asked = only(tree(build_site(project) / "second-page.html"), ".predict")
        assert asked.attrs == {"class": ["predict"], "data-right": "1", **near}


def test_a_page_ends_with_its_questions(project: Path) -> None:
    site = build_site(project)
    card = only(tree(site / "second-page.html"), "details.recall")
    assert str(only(card, "summary > code")) == "<code>print(1)</code>"
    assert only(card, "p").text == "A one."
    assert tree(site / "first-page.html").select("details.recall") == []
    script = (site / "published" / "questions.js").read_text()
    (known,) = json.loads(script.partition(" = ")[2].rstrip(";\n"))
    assert known["id"] == card["data-question"]
    assert known["page"] == "second-page.html"
    notebook = nbformat.read(site / "downloads" / "second_page.ipynb", as_version=4)
    assert "<summary>What does <code>print(1)" in notebook.cells[-1].source


def test_a_problem_is_reported_where_there_is_a_repository(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tree(build_site(project) / "second-page.html").select(".report") == []
    monkeypatch.setenv("REPO_URL", "https://github.com/a/b")
    link = only(tree(build_site(project) / "second-page.html"), "a.report")
    address = urlsplit(str(link["href"]))
    assert address.path == "/a/b/issues/new"
    said = parse_qs(address.query)
    assert said["title"] == ["The second page: "]
    assert said["body"][0].startswith(
        "Page: 12_second_page.py\nPublished: torch 2.14.1 on CPU"
    )
    asks = "\nMy torch and device:\n\nWhat I saw:\n\n\nWhat I expected:\n"
    assert said["body"][0].endswith(asks)


FIRST_SCRIPT, SECOND_SCRIPT = "snippets/11_first_page.py", "snippets/12_second_page.py"
HOME = "index.html"  # shows a summary of every lesson
ALL = {HOME, "first-page.html", "second-page.html", "about.html", "review.html"}
FACTS, LESSON = "overrides/partials/lesson-facts.html", "hooks/templates/lesson.md.j2"
EDITS = {  # file, old text, new text, and the pages that are then finished anew
    "nothing": (FIRST_SCRIPT, "", "", set()),
    "a sentence": (FIRST_SCRIPT, "Ticks.", "Marks.", {"first-page.html"}),
    "a summary": (FIRST_SCRIPT, "It shows", "It tells", {"first-page.html", HOME}),
    "a title": (SECOND_SCRIPT, "# The second", "# The other", ALL),
    "a level": (SECOND_SCRIPT, "beginner", "advanced", {"second-page.html", HOME}),
    "a hand-written page": ("docs/about.md", "[One]", "[1]", {"about.html"}),
    "reading": ("docs/reading.yml", "a book", "two books", {"first-page.html"}),
    "a question": ("docs/questions.yml", "A one", "One", {"second-page.html"}),
    "a template": ("docs/overrides/partials/content.html", "</h1>\n", "</h1><hr>", ALL),
    "a lesson's header": (f"docs/{FACTS}", ">Level<", ">For<", ALL),
    "a lesson's template": (f"docs/{LESSON}", "On another", "On an other", ALL),
    "a hook": ("docs/hooks/outputs.py", '"Output"', '"Printed"', ALL),
    "a hook for downloads": ("docs/hooks/downloads.py", "The data", "All data", ALL),
    "the settings": ("mkdocs.yml", "site_name: Torch", "site_name: Other", ALL),
    "what chapters give": ("mkdocs.yml", "A model of one", "Models of one", ALL),
    "the helper": ("snippets/load.py", "Three digits", "3 digits", {"first-page.html"}),
}


@pytest.mark.parametrize(("file", "old", "new", "pages"), EDITS.values(), ids=EDITS)
def test_a_site_built_on_what_was_kept_is_that_of_a_new_start(
    project: Path, file: str, old: str, new: str, pages: set[str]
) -> None:
    """After an edit of each kind; only pages that show what changed are made anew."""
    build_anew = build_apart if "hooks/" in file else build_site
    build_anew(project)
    kept = project / ".cache" / "rendered"
    before = {path: path.stat().st_ino for path in kept.iterdir()}
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new, 1))
    build_anew(project)
    warm = files_of(project / "site")
    made = {
        path.name.removesuffix(".page")
        for path in kept.glob("*.page")
        if before.get(path) != path.stat().st_ino
    }
    assert made == pages
    shutil.rmtree(project / ".cache")
    build_anew(project)
    assert warm == files_of(project / "site")


def build_apart(project: Path) -> Path:
    """Build a site in a process of its own, which imports the project's hooks."""
    for script in (project / "snippets").glob("[0-9]*.py"):
        hand_over(script)
    command = [sys.executable, "-W", "ignore", "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return project / "site"


def test_a_site_of_another_address_is_not_that_which_was_kept(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_site(project)
    monkeypatch.setenv("SITE_URL", "https://b.org/")
    warm = files_of(render(project))
    assert b"https://b.org/first-page.html" in warm["first-page.html"]
    shutil.rmtree(project / ".cache" / "rendered")
    assert files_of(render(project)) == warm


def test_a_page_that_warns_warns_again(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Of whatever step: Markdown, its dialect, an anchor, the policy, an output."""
    troubles = {
        "no/such.md": "[a](../docs/no/such.md)",
        "no-anchor": "[a](12_second_page.py#no-anchor)",
        "shows <ul>": "Text:\n# - a\n# - b",
        "holds an address": "![a](https://a.org/b.png)",
    }
    for trouble, prose in troubles.items():
        script = project / "snippets" / "11_first_page.py"
        script.write_text(FIRST.replace("It shows", f"{prose}\n#\n# It shows"))
        for build_again in (build_site, render):
            caplog.clear()
            with pytest.raises(Abort, match="warnings"):
                build_again(project)
            assert trouble in caplog.text


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "foreign"])
def test_what_is_kept_and_damaged_is_made_anew(project: Path, damage: str) -> None:
    whole = files_of(build_site(project))
    for path in (project / ".cache" / "rendered").iterdir():
        content = path.read_bytes()
        match damage:
            case "flipped":
                at = len(content) // 2
                content = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
            case "cut":
                content = content[:-10]
            case "empty":
                content = b""
            case "foreign":
                content = b"\xff\xfe{}\n"
        path.write_bytes(content)
    assert files_of(render(project)) == whole


def test_what_is_kept_of_a_page_that_goes_goes_with_it(project: Path) -> None:
    build_site(project)
    kept = project / ".cache" / "rendered"
    assert list(kept.glob("about.html.*"))
    (project / "docs" / "about.md").unlink()
    settings = (project / "mkdocs.yml").read_text()
    (project / "mkdocs.yml").write_text(settings.replace("  - about.md\n", ""))
    script = project / "snippets" / "11_first_page.py"
    script.write_text(FIRST.replace("(../docs/about.md)", "(12_second_page.py)"))
    build_site(project)
    assert not list(kept.glob("about.html.*"))


def test_a_site_is_built_where_nothing_can_be_kept(project: Path) -> None:
    (project / ".cache").mkdir()
    (project / ".cache" / "rendered").write_text("a file, and no folder")
    assert (build_site(project) / "first-page.html").exists()


def test_a_page_is_closed_to_other_hosts(project: Path) -> None:
    (project / "docs" / "copied.html").write_text(
        '<head>\n<meta charset="utf-8">\n<title>Copied</title>\n</head>'
    )
    site = build_site(project)
    pages = list(site.rglob("*.html"))
    assert site / "copied.html" in pages
    for page in pages:
        html = page.read_text()
        assert "default-src 'self'; " in html
        assert "frame-src 'none'" in html
        for address in re.findall(r'(?:src|srcset)="([^"]+)"', html):
            assert "//" not in address
        for link in re.findall(r"<link [^>]*>", html):
            assert "//" not in link
        assert "mathjax" not in html.lower()  # ours is KaTeX; a plugin's is a stranger


def test_words_and_code_are_found_once(project: Path) -> None:
    index = (build_site(project) / "search" / "search_index.json").read_text()
    assert index.count("len(mnist())") == 1
    assert index.count("Then prose.") == 1
    assert "figure_1" not in index
    assert "Copied" not in index
    assert "plt.show" not in index  # code that draws
    assert "&lt;2" not in index  # a wrong answer
    assert "Ticks." not in index  # a solution


@pytest.mark.parametrize(
    "link", ["13_no_page.py", "12_second_page.py#no-part", "../docs/no.md", "image.png"]
)
def test_a_broken_link_stops_the_build(project: Path, link: str) -> None:
    script = project / "snippets" / "11_first_page.py"
    script.write_text(FIRST.replace("12_second_page.py#a-part", link))
    with pytest.raises(Abort, match="1 warnings"):
        build_site(project)


def test_a_name_of_no_lesson_stops_the_build(project: Path) -> None:
    script = project / "snippets" / "12_second_page.py"
    script.write_text(SECOND.replace("[11_first_page]", "[10_no_page]"))
    with pytest.raises(Abort, match="1 warnings"):
        build_site(project)


def test_a_figure_without_alt_stops_the_build(project: Path) -> None:
    script = project / "snippets" / "11_first_page.py"
    script.write_text(FIRST.replace(' alt="A line & a dot"', ""))
    with pytest.raises(Abort, match="2 warnings"):  # there, and on the home page
        build_site(project)


SECOND_FILE = ".cache/pages/12_second_page.ipynb"
CURE = "run `nox -s tests -- 12_second_page`"


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("missing", f"{SECOND_FILE} is not there: {CURE}"),
        ("unrecorded", f"{SECOND_FILE} is not there: run `nox -s record -- 12_second"),
        ("edited", f"{SECOND_FILE} does not belong to snippets/12_second_page.py"),
        ("failed", f"{SECOND_FILE} does not belong to snippets/12_second_page.py"),
        ("helper", ".cache/pages/11_first_page.ipynb does not belong to"),
        ("flipped", f"{SECOND_FILE} is damaged (its checksum is another): {CURE}"),
        ("cut", f"{SECOND_FILE} is damaged (JSONDecodeError"),
        ("foreign", f"{SECOND_FILE} is damaged (KeyError"),
    ],
)
def test_a_page_file_that_is_not_of_its_script_stops_the_build(
    project: Path, caplog: pytest.LogCaptureFixture, trouble: str, message: str
) -> None:
    assert build_site(project).is_dir()
    expected = project / "tests" / "expected"
    expected.mkdir(parents=True)
    if trouble != "unrecorded":
        (expected / "12_second_page.txt").touch()
    script, file = project / "snippets" / "12_second_page.py", project / SECOND_FILE
    text = file.read_text()
    match trouble:
        case "missing" | "unrecorded":
            file.unlink()
        case "edited":
            script.write_text(SECOND.replace("Back to", "Back at"))
        case "failed":
            store.disown(script, "cpu")
        case "helper":
            (project / "snippets" / "load.py").write_text(HELPER + "\n")
        case "flipped":
            file.write_text(text.replace("0.34", "0.35"))
        case "cut":
            file.write_text(text[:-100])
        case "foreign":
            nbformat.write(nbformat.v4.new_notebook(), file)
    with pytest.raises(Abort):
        render(project)
    assert message in caplog.text
    assert re.search(r"run `nox -s (tests|record) -- 1", caplog.text)


def test_served_live_a_page_whose_code_has_changed_shows_its_last_run(
    project: Path,
) -> None:
    build_site(project)
    scripts = project / "snippets"
    (scripts / "12_second_page.py").write_text(SECOND.replace("print(1)", "print(2)"))
    (scripts / "13_new.py").write_text(SECOND)
    first, second = load_lessons(scripts, live=True)
    assert (first.is_current, second.is_current) == (True, False)
    assert second.notebook.cells[1].source == "print(1)"
    hand_over(scripts / "12_second_page.py")
    _, second = load_lessons(scripts, live=True)
    assert second.is_current


def test_live_server_builds_once_for_a_page_that_is_saved(project: Path) -> None:
    """A saved script is followed by its page file: the server waits for both."""
    config = load_config(str(project / "mkdocs.yml"))
    built: list[float] = []
    server = LiveReloadServer(
        builder=lambda: built.append(time.monotonic()),
        host="127.0.0.1",
        port=0,
        root=str(project),
    )
    server.watch(config.docs_dir)
    look_often(server, config)
    assert (server.observer.timeout, server.build_delay) == (LOOK, SETTLE)
    server.build_delay = slow = 1.0  # on a busy machine, too
    server.watch(str(project / "snippets"))
    serving = threading.Thread(target=server.serve)
    serving.start()
    try:
        for path in (project / "docs" / "about.md", project / "snippets" / "load.py"):
            time.sleep(slow)  # the server has seen all that is there
            built.clear()
            path.write_text(path.read_text() + "\n")
            time.sleep(2 * LOOK)
            (project / "snippets" / "12_second_page.py").touch()
            saved = time.monotonic()
            wait_until(lambda: bool(built), seconds=60)
            time.sleep(2 * slow)
            (at,) = built
            assert at - saved > slow / 2
    finally:
        server.shutdown()
        serving.join()


def test_site_is_rendered_without_torch_or_what_runs_pages(project: Path) -> None:
    """In an environment that has no torch, no IPython and not the runner."""
    build_site(project)
    shutil.rmtree(project / "site")
    code = f"""\
import sys
sys.modules.update(dict.fromkeys({["torch", "IPython", "page_runner", "matplotlib"]}))
from mkdocs.__main__ import cli
cli(["build", "--strict"])
"""
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "The first page" in (project / "site" / "first-page.html").read_text()
    assert not (project / ".cache" / "site").exists()


def test_prepared_build_waits_for_a_word(project: Path) -> None:
    """It builds when it is told to, and not where its caller has gone."""
    build_site(project)
    shutil.rmtree(project / "site")
    command = [sys.executable, "-W", "ignore", "-m", "tools.build_site"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    for word in ("", "build\n"):
        subprocess.run(command, input=word, text=True, env=environment, cwd=project)
        assert (project / "site" / "first-page.html").exists() == bool(word)


def test_hooks_import_nothing_of_the_tests() -> None:
    for module in (ROOT / "docs" / "hooks").glob("*.py"):
        text = module.read_text()
        assert not re.search(r"import page_runner|from page_runner|sys\.path", text)


def test_downloads_run_in_an_empty_folder(project: Path, tmp_path: Path) -> None:
    site = build_site(project)
    folder = tmp_path / "empty"
    folder.mkdir()
    script = (site / "downloads" / "first_page.py").read_text()
    (folder / "page.py").write_text(script.replace("plt.show()", ""))
    run = [sys.executable, "page.py"]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "3\n```\n"
    assert "cifar10" not in script
    assert "gzip" not in script

    notebook = nbformat.read(site / "downloads" / "first_page.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert "def mnist" in code[0].source
    assert "load" not in code[1].source
    assert code[1].outputs[0].text == "3\n"
    assert "(12_second_page.py" not in notebook.cells[0].source


def test_a_page_offers_its_practice_notebook(project: Path) -> None:
    """Which loads its data as the other notebook does, and has no solution."""
    script = project / "snippets" / "11_first_page.py"
    script.write_text(FIRST.replace('print("```")', 'ticks = "```"\nassert ticks'))
    site = build_site(project)
    name = "downloads/first_page-practice.ipynb"
    assert f'href="{name}" download' in (site / "first-page.html").read_text()
    notebook = nbformat.read(site / name, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs for cell in code)
    tools, helper, _, _, empty, check = [cell.source for cell in code]
    assert "def check_exercise" in tools
    assert "def mnist" in helper
    assert empty.endswith("\nticks = ...")
    assert '["ticks"]' in check
    assert "Ticks." not in nbformat.writes(notebook)
    assert "[D2L](https://d2l.ai/)" in notebook.cells[-1].source


def test_a_download_without_helper_is_the_page_itself() -> None:
    assert runnable_script(SECOND, HELPER) == SECOND


def test_helper_comes_before_its_first_use(project: Path) -> None:
    script = project / "snippets" / "11_first_page.py"
    second_use = "\n# %%\nfrom load import cifar10\n\nprint(cifar10())\n"
    script.write_text(FIRST + second_use)
    site = build_site(project)
    notebook = nbformat.read(site / "downloads" / "first_page.ipynb", as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    namespace: dict[str, object] = {}
    for source in code:
        if "plt" not in source:
            exec(source, namespace)
    assert "def mnist" in code[0]
    assert "def cifar10" in code[0]


def test_links_of_a_notebook_lead_to_the_site(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code and maths are no links; a link to an anchor stays on its page."""
    prose = (
        "`layers[0](x)` and $a[0](x)$, then [a *part*](#what-next),\n"
        "# [the\n# second](12_second_page.py#a-part) and [out](https://a.org/b.py)."
    )
    script = project / "snippets" / "11_first_page.py"
    script.write_text(FIRST.replace("It shows", prose.replace("\n[", "\n# [")))
    monkeypatch.setenv("SITE_URL", "https://b.org/")
    site = build_site(project)
    notebook = nbformat.read(site / "downloads" / "first_page.ipynb", as_version=4)
    for part in (
        "`layers[0](x)` and $a[0](x)$",
        "[a *part*](https://b.org/first-page.html#what-next)",
        "[the\nsecond](https://b.org/second-page.html#a-part)",
        "[out](https://a.org/b.py)",
    ):
        assert part in notebook.cells[0].source


def test_notes_of_code_are_the_list_after_it() -> None:
    notes = "1. One,\n   in two lines.\n\n2. Two."
    assert split_list(f"{notes}\n\nThen prose.") == (notes, "Then prose.")
    assert split_list("Prose.\n\n1. One") == ("", "Prose.\n\n1. One")


def test_links_are_those_of_the_parsed_text() -> None:
    text = (
        "> - [a](b.py)\n\n| [c](d.py) |\n| --- |\n\n`[e](f)` [g\n  h][i]\n\n[i]: j.py\n"
    )
    assert [(text[x.start : x.end], x.target) for x in links(text)] == [
        ("[a](b.py)", "b.py"),
        ("[c](d.py)", "d.py"),
        ("[g\n  h][i]", "j.py"),
    ]


@pytest.mark.parametrize(
    "statement", ["import load", "from load import mnist as m", "from load import nope"]
)
def test_helper_is_imported_in_one_way(statement: str) -> None:
    with pytest.raises(CannotPublish):
        runnable_script(f"# %%\n{statement}\n", HELPER)


def test_needed_source_keeps_order_and_comments() -> None:
    source = needed_source(HELPER, ("ROOT",))
    expected = "from pathlib import Path\n\n# The folder of the data.\n"
    assert source == expected + 'ROOT = Path("data")'


def test_description_is_the_text_of_the_page(project: Path) -> None:
    script = project / "snippets" / "11_first_page.py"
    prose = 'It says "one", `a * b`, `$x` and a <br> tag & more of $w$ here, at length.'
    script.write_text(FIRST.replace("It shows *what* $w$ is.", prose))
    page = BeautifulSoup(
        (build_site(project) / "first-page.html").read_text(), "html.parser"
    )
    description = page.find("meta", attrs={"name": "description"})
    assert description is not None
    assert description["content"] == (
        'It says "one", a * b, $x and a tag & more of w here, at length.'
    )
    home = (project / "site" / "index.html").read_text()
    assert "a * b, $x and a" in home


def test_what_is_published_is_what_was_printed(project: Path) -> None:
    text = (
        "\nempty line, then tabs: a\tb\n\tc\n\n\n   indented, trailing  \n"
        ' tabindex="" and <!--output 1--> 97.5 % \x0b\n\n'
    )
    site = build_site(
        project, **{"print(1)": nbformat.v4.new_output("stream", text=text)}
    )
    samp = tree(site / "second-page.html").find("samp")
    assert samp is not None
    assert samp.text == text[:-1]
    index = json.loads((site / "search" / "search_index.json").read_text())
    found = [entry["text"] for entry in index["docs"] if "second" in entry["location"]]
    assert any("indented, trailing" in entry for entry in found)


def test_code_keeps_its_tabs(project: Path) -> None:
    script = project / "snippets" / "12_second_page.py"
    script.write_text(SECOND.replace("print(1)", 'print("a\tb")'))
    page = tree(build_site(project) / "second-page.html")
    assert any("a\tb" in code.text for code in page.find_all("code"))


FOREIGN = {
    "raw": '<img src="//a.org/b.png" alt="">',
    "handler": '<b onclick="go()">b</b>',
    "script": "<script>go()</script>",
    "typed": '<script type="module">go()</script>',
    "frame": '<iframe src="a.html"></iframe>',
    "address": '<a href="javascript:go()">b</a>',
    "style": '<b style="background: url(http://a.org/b.png)">b</b>',
    "sheet": "<style>@import 'https://a.org/b.css';</style>",
    "video": '<video src="a.mp4"></video>',
    "object": '<object data="data:text/html,x"></object>',
    "form": '<form action="https://a.org"></form>',
    "link": '<link rel="stylesheet" href="https://a.org/b.css">',
    "svg": '<svg><image xlink:href="https://a.org/b.png"/></svg>',
    "connection": '<link rel="preconnect" href="https://a.org">',
    "name": '<link rel="dns-prefetch" href="//a.org">',
    "second picture": '<img srcset="a.png 1x,https://a.org/b.png 2x" alt="">',
}


@pytest.mark.parametrize("html", FOREIGN.values(), ids=FOREIGN)
def test_policy_stops(html: str) -> None:
    """What it would stop in a browser is found, and in which cell."""
    page = f"<script>ours()</script><article>{html}{end_of_cell('code-2')}</article>"
    ((cell, _),) = Inspector(page).complaints
    assert cell == "code-2"


def test_no_script_is_the_themes_behind_a_stray_end_of_the_article() -> None:
    inside = "<p>a</p></article><script>evil()</script>"
    page = f"<article>{inside}{end_of_cell('code-2')}</article>"
    ((_, complaint),) = Inspector(page).complaints
    assert "</article>" in complaint


def test_policy_lets_pass() -> None:
    page = """
      <link rel="canonical" href="https://a.org"><link rel="icon" href="a.svg">
      <link rel="next" href="b.html"><link rel="prefetch" href="a.css">
      <script src="a.js"></script><script type="application/json">{}</script>
      <article><a href="https://a.org">a</a><img src="data:image/png;base64,x" alt="">
      <svg><use href="#a"/></svg><b style="background: url(a.png)">b</b></article>"""
    assert Inspector(page).complaints == []


def test_page_without_a_place_for_the_policy() -> None:
    ((_, complaint),) = closed("<title>a</title>")[1]
    assert '<meta charset="utf-8">' in complaint


@pytest.mark.parametrize("kind", ["output", "prose"])
def test_what_the_policy_would_stop_stops_the_build(
    project: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    script, shown = project / "snippets" / "12_second_page.py", {}
    if kind == "prose":
        picture = "![a](https://a.org/b.png)"
        script.write_text(SECOND.replace("# ## A part", f"# {picture}\n#\n# ## A part"))
    else:
        data = {"text/html": '<b onclick="go()">b</b>', "text/plain": "x"}
        shown["print(1)"] = nbformat.v4.new_output("display_data", data)
    with pytest.raises(Abort, match="1 warnings"):
        build_site(project, **shown)
    where = {"prose": "12_second_page.py:10:", "output": "12_second_page.py:17: cell 1"}
    assert f"snippets/{where[kind]} holds " in caplog.text


def test_hand_written_page_is_held_to_the_policy(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (project / "docs" / "about.md").write_text("# About\n\n<script>go()</script>\n")
    with pytest.raises(Abort, match="1 warnings"):
        build_site(project)
    assert "about.md holds a script, 'go()'" in caplog.text


DIALECTS = {
    "list without a blank line": ("text:\n- a\n- b", 1, "<ul>"),
    "list two spaces in": ("1. a\n  - b\n2. c", 1, "<ul>"),
    "brackets for dots": ("1) a\n2) b", 0, "<ol>"),
    "dollars": ("\n\ncosts $5 and $6", 2, "<maths>"),
    "table without a blank line": ("text\n| a |\n|---|\n| 1 |", 1, "<table>"),
}


@pytest.mark.parametrize(("text", "line", "seen"), DIALECTS.values(), ids=DIALECTS)
def test_dialects_of_markdown_differ(text: str, line: int, seen: str) -> None:
    found = difference(text)
    assert found is not None
    assert found[0] == line
    assert seen in found[1]


def test_dialects_of_markdown_agree() -> None:
    text = (
        "# A `b`\n\n*c* **d** ***e*** $f$\n\n$$\ng\n$$\n\n- h\n    - i\n\n"
        "> j\n\n| k |\n| - |\n| l |\n\n```python\nm\n```\n\n!!! note\n    n[^1]\n"
    )
    assert difference(text) is None


def test_difference_of_dialects_stops_the_build(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    script = project / "snippets" / "12_second_page.py"
    script.write_text(SECOND.replace("# ## A part", "# Text:\n# - a\n#\n# ## A part"))
    with pytest.raises(Abort, match="1 warnings"):
        build_site(project)
    assert "snippets/12_second_page.py:15: a notebook shows <ul> <li>" in caplog.text


@pytest.mark.parametrize(
    ("written", "line", "tex"),
    [
        (r"# Half: $\frac{1$.", 14, r"\frac{1"),
        ("# Then:\n#\n# $$\n# 1 +\n# \\frac{1\n# $$", 17, "1 +\n\\frac{1"),
    ],
)
def test_tex_with_a_mistake_stops_the_build(
    project: Path, caplog: pytest.LogCaptureFixture, written: str, line: int, tex: str
) -> None:
    script = project / "snippets" / "12_second_page.py"
    script.write_text(SECOND.replace("# ## A part", f"{written}\n#\n# ## A part"))
    with pytest.raises(Abort, match="1 warnings"):
        build_site(project)
    message = f"snippets/12_second_page.py:{line}: has ${tex}$, which KaTeX cannot set"
    assert f"{message}: Unexpected end of input" in caplog.text


def test_rich_outputs_are_published_as_such(project: Path) -> None:
    """Markdown and TeX go through the site's own Markdown."""
    kinds = [
        {"text/markdown": "**b** and $w$"},
        {"text/latex": r"$\displaystyle w$"},
        {"text/latex": r"\begin{equation}w\end{equation}"},
    ]
    outputs = [
        nbformat.v4.new_output("display_data", {**data, "text/plain": "<IPython.core>"})
        for data in kinds
    ]
    words = ("print", "print(1", "print(1)")  # of the one cell
    site = build_site(project, **dict(zip(words, outputs, strict=True)))
    page = (site / "second-page.html").read_text()
    assert "<strong>b</strong>" in page
    assert page.count('<span class="arithmatex"><span class="katex">') == 2
    assert '<div class="arithmatex"><span class="katex-display">' in page
    assert "katex.min.css" in page
    assert "katex.min.js" not in page  # it is set already
    for absent in ("IPython.core", 'markdown="block"'):
        assert absent not in page


def test_output_that_cannot_be_shown_stops_the_build(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = {"application/json": {}, "text/plain": "<repr>"}
    with pytest.raises(Abort):
        build_site(project, print=nbformat.v4.new_output("display_data", data))
    assert "snippets/12_second_page.py:17: cell 1 has an output that" in caplog.text


def test_figures_of_one_page_do_not_meet() -> None:
    one, two = (inline_svg(SVG, "A 'line'", prefix) for prefix in ("f1-", "f2-"))
    ids = re.findall(r' id="([^"]+)"', one + two)
    assert len(ids) == len(set(ids)) == 4
    assert 'href="#f1-' in one
    assert "url(#f1-" in one
    root = ET.fromstring(one)
    assert (root.get("width"), root.get("height")) == ("48", "24")
    assert root.get("aria-label") == "A 'line'"
    for absent in ("style", "metadata", "xlink", "DejaVu", "0.123456"):
        assert absent not in one
    assert 'stroke-width="0.8"' in one
    assert 'd="M0 .12l3.5-1.12"' in one


def test_short_path_draws_the_same() -> None:
    """Also after many steps, each of which is less than what is kept of it."""
    points = [(0.004 * i, -0.003 * i) for i in range(1000)]
    path = "M " + "\nL ".join(f"{x:.6f} {y:.6f}" for x, y in points)
    svg = SVG.replace(
        "M 0 0.123456\nL 3.5 -1.0", f"{path} z M 7 7 L 8 9 C 1 2 3 4 5 6 z"
    )
    (short,) = re.findall(' d="([^"]+)"', inline_svg(svg, "", ""))
    assert len(short) < len(path) / 2
    line, rest = short.split("zM")
    assert rest == "7 7l1 2C1 2 3 4 5 6z"
    at = (0.0, 0.0)
    numbers = [float(x) for x in re.findall(r"-?[\d.]+", line)]
    steps = list(zip(numbers[::2], numbers[1::2], strict=True))
    for step, point in zip(steps, points, strict=True):
        at = (at[0] + step[0], at[1] + step[1])
        assert at == pytest.approx(point, abs=0.006)
    other = "M 0 0 A 1 1 0 0 1 2 2"
    assert other in inline_svg(SVG.replace("M 0 0.123456\nL 3.5 -1.0", other), "", "")


@pytest.mark.parametrize("kind", ["png", "jpeg"])
@pytest.mark.parametrize(
    ("said", "size"),
    [
        ({"dpi": (200, 200)}, 'width="192" height="96"'),
        ({}, 'width="400" height="200"'),
    ],
)
def test_picture_is_a_small_file_with_its_size_on_paper(
    kind: str, said: dict, size: str
) -> None:
    file = io.BytesIO()
    Image.new("RGB", (400, 200)).save(file, kind, **said)
    data = {f"image/{kind}": base64.b64encode(file.getvalue()).decode()}
    output = nbformat.v4.new_output("display_data", data)
    saved = []

    def save(picture: bytes) -> str:
        saved.append(picture)
        return "figures/x.webp"

    output.data["image/webp"] = base64.b64encode(b"made by the run").decode()
    html = output_html(output, 'say "a"', "f1-", save)
    assert f'<img src="figures/x.webp" {size}' in html
    assert "say &quot;a&quot;" in html
    assert saved == [b"made by the run"]


def test_outputs_of_each_kind() -> None:
    def html(kind: str, **content: object) -> str:
        return output_html(nbformat.v4.new_output(kind, **content), "", "", str)

    table = '<style scoped>x</style><table border="1" class="dataframe"></table>'
    shown = html("execute_result", data={"text/html": table, "text/plain": "t"})
    assert "style" not in shown
    assert "border" not in shown
    assert "<samp>1 &lt; 2</samp>" in html(
        "execute_result", data={"text/plain": "1 < 2"}
    )
    assert "Written to stderr" in html("stream", name="stderr", text="oh\n")


def test_text_in_tables_stands_to_the_left() -> None:
    table = (
        "<style scoped>x</style><table border='1'>"
        "<tr style='x'><th></th><th>old</th><th>share</th></tr>"
        "<tr><th>0</th><td>view</td><td>-1.5e-3</td></tr>"
        "<tr><th>1</th><td>2</td><td>97.5%</td></tr></table>"
    )
    output = nbformat.v4.new_output("display_data", {"text/html": table})
    html = output_html(output, "", "", str)
    for text in ("old", "view", "2"):
        assert re.search(rf'<t[hd] class="text">{text}</t[hd]>', html)
    for number in (
        "<th>share</th>",
        "<td>-1.5e-3</td>",
        "<td>97.5%</td>",
        "<th>0</th>",
    ):
        assert number in html
    assert "border" not in html
    assert "style" not in html


def test_fence_is_longer_than_what_it_holds() -> None:
    assert fence("x", "python") == "```python\nx\n```"
    assert fence("a ```` b", "text").startswith("`````text\n")


def test_solutions_are_taken_together() -> None:
    cells = jupytext.reads(FIRST, fmt="py:percent").cells
    assert [(done, len(group)) for done, group in grouped(cells)] == [
        (False, 4),
        (True, 2),
        (False, 1),
    ]


def test_finished_html() -> None:
    html = (
        '<meta charset="utf-8">\n   <p>\n   a</p>\n'
        '<pre>\n  <span class="n">x</span>  <span class="k">if</span></pre>'
        '<input type="checkbox" autocomplete="off"><i tabindex=""></i>'
        '<th class="a"></th><p>97.5 % <code>5 % 2</code></p>'
        "<script>1</script>"
    )
    small = valid(compact(html))
    assert "\n<p>\na</p>\n" in small
    assert '<pre>\n  x  <span class="k">if</span></pre>' in small
    assert "autocomplete" not in small
    assert "tabindex" not in small
    assert '<td class="a"></td>' in small
    assert f"97.5{NO_BREAK}% <code>5 % 2</code>" in small
    title = '<h1>CIFAR-10<a class="headerlink" href="#x">#</a></h1>'
    assert "CIFAR-\N{WORD JOINER}10" in compact(title)
    one = "'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='"
    html, complaints = closed(small)
    assert one in html
    assert complaints == []


def test_archive_is_the_same_twice_and_does_not_offer_itself(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.js").write_text("1")
    (tmp_path / "sub" / "a.js.map").write_text("2")
    offer = '<p class="archive">\n<a>zip</a></p>'
    (tmp_path / "index.html").write_text(f"<p>home</p>{offer}")
    write_archive(tmp_path, "lessons")
    first = (tmp_path / "lessons.zip").read_bytes()
    write_archive(tmp_path, "lessons")
    assert (tmp_path / "lessons.zip").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "lessons.zip") as archive:
        assert archive.namelist() == ["lessons/index.html", "lessons/sub/a.js"]
        assert archive.read("lessons/index.html") == b"<p>home</p>"


def test_colab_opens_the_published_notebook() -> None:
    site = "https://colab.research.google.com/github/someone/lessons/blob/gh-pages"
    assert colab("https://github.com/someone/lessons") == site
    assert colab("https://example.org/someone/lessons") is None
    assert colab("") is None


def test_lesson_is_loaded_again_only_when_a_file_of_it_was_written(
    project: Path,
) -> None:
    script = project / "snippets" / "11_first_page.py"
    hand_over(script)
    first = load_if_changed(script)
    assert load_if_changed(script) is first
    script.write_text(script.read_text().replace("It shows", "It tells"))
    hand_over(script)
    again = load_if_changed(script)
    assert again.summary.startswith("It tells")


def test_what_was_measured_knows_its_page_by_its_code(project: Path) -> None:
    """Prose may change; the site and the session see the same code."""
    script = project / "snippets" / "12_second_page.py"
    digests = []
    for text in (SECOND, SECOND.replace("Back to", "See"), SECOND + "print(2)\n"):
        script.write_text(text)
        hand_over(script)
        digests.append(code_digest(parse(script)))
        assert load_lesson(script).code == digests[-1]
    assert digests[0] == digests[1] != digests[2]


def test_texts() -> None:
    assert (
        plain_text("The `a_b` of *it*, [see](x.py), $w$.[^1]")
        == "The a_b of it, see, w."
    )
    times = [duration(s).replace(NO_BREAK, " ") for s in (0.004, 3.21, 12.3, 125)]
    assert times == ["0.1 s", "3.2 s", "12 s", "2 min 5 s"]


def article_text(page: Path) -> str:
    """What a page says but facts, links to headings and white space; formulas once."""
    soup = tree(page)
    for element in soup.select(".lesson-facts, .headerlink, script, .katex-html"):
        element.decompose()
    article = soup.select_one("article, [role=main]")
    assert article
    return re.sub(r"[\s\N{NO-BREAK SPACE}]", "", article.text)


def test_a_build_folder_has_finished_pages(project: Path) -> None:
    site = build_site(project)
    build_folder.build(project / "folder", project)
    pages = project / "folder" / "pages"

    first = (pages / "first-page.md").read_text()
    assert first.startswith("---\ntitle: The first page\ndescription: It shows what w")
    assert "# The first `page`\n\n- Level: beginner\n- Runs in: 0.3" in first
    assert "[checking](about.md) and [the second](second-page.md#a-part)" in first
    assert "[notebook](downloads/first_page.ipynb)" in first
    assert "[practice](downloads/first_page-practice.ipynb)" in first
    for page in pages.glob("*.md"):
        assert '\n<script src="assets/learning.js"></script>\n' in page.read_text()
    assert "MNIST: each digit was blurred." in first
    assert "in place of MNIST" in first
    solution = '<details class="solution" markdown="block" data-search-exclude="true">'
    assert f"{solution}\n<summary>Solution" in first
    assert "<pre><samp>```&#10;&lt;b&gt;&#10;&#10;  end</samp></pre>" in first
    assert 'aria-label="A line &amp; a dot"' in first
    assert (
        "Read first: [The first page](first-page.md)"
        in (pages / "second-page.md").read_text()
    )
    assert "1. [The first page](first-page.md)" in (pages / "index.md").read_text()
    assert (pages / "about.md").read_text().startswith("---\ntitle: About\n---\n\n#")
    for page in pages.glob("*.md"):
        text = page.read_text()
        assert not re.search(r"\{[{%]|verbatim|<!--|\d_\w+\.py|\.\./", text), page
        for link in links(text):
            target = link.target.partition("#")[0]
            assert "://" in target or (pages / target).exists(), link.target
    for file in (*site.glob("downloads/*"), *site.glob("assets/*.css")):
        assert (pages / file.relative_to(site)).read_bytes() == file.read_bytes()


def test_a_build_folder_needs_no_hook(project: Path) -> None:
    """MkDocs alone, with its own theme, makes the same text of it as with the hook."""
    site = build_site(project)
    build_folder.build(project / "folder", project)
    plain = render(project / "folder")
    assert list(problems(plain, project / "snippets")) == []
    ours = article_text(site / "first-page.html")
    theirs = article_text(plain / "first-page.html")
    start = ours.index("Itshows")
    assert theirs.endswith(ours[start:])
    assert len(tree(plain / "first-page.html").select("details.solution")) == 1
    assert len(tree(plain / "first-page.html").select("svg")) == 1


def test_a_build_folder_needs_no_mkdocs(project: Path) -> None:
    """Written by a Python that cannot import it."""
    build_site(project)
    code = (
        "import sys, pathlib; sys.modules['mkdocs'] = None; import build_folder; "
        "build_folder.build(pathlib.Path('folder'), pathlib.Path())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "docs" / "hooks")}
    subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=environment, check=True
    )
    assert (project / "folder" / "pages" / "first-page.md").exists()


def test_a_build_folder_replaces_none_but_its_own(project: Path) -> None:
    build_site(project)
    folder = project / "folder"
    build_folder.build(folder, project)
    (folder / "pages" / "old.md").write_text("old")
    build_folder.build(folder, project)
    assert not (folder / "pages" / "old.md").exists()
    with pytest.raises(CannotPublish, match="is a file"):
        build_folder.build(project / "mkdocs.yml", project)
    for other in (project / "docs", project):  # the latter has a mkdocs.yml as well
        with pytest.raises(CannotPublish, match="is no build folder"):
            build_folder.build(other, project)
    assert (project / "docs" / "about.md").exists()


def test_a_build_folder_of_a_page_that_warns_is_a_failure(project: Path) -> None:
    build_site(project)
    about = project / "docs" / "about.md"
    about.write_text('# About\n\n{% set one = lesson("13_none") %}\n')
    command = [sys.executable, "docs/hooks/build_folder.py", "folder"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 1
    assert "about.md names 13_none, which is no lesson" in done.stderr
