"""The site's hook: what it makes of executed pages, without a browser."""

import base64
import io
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import jupytext
import nbformat
import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort, PluginError
from nbformat import NotebookNode
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "docs" / "hooks"), str(ROOT / "tests")]

from downloads import needed_source, runnable_notebook, runnable_script  # noqa: E402
from finishing import compact, valid, with_policy, write_archive  # noqa: E402
from hook import colab  # noqa: E402
from lessons import duration, load_if_changed, load_lessons, plain_text  # noqa: E402
from outputs import inline_svg, output_html  # noqa: E402
from rendering import fence, grouped  # noqa: E402

import page_runner.store  # noqa: E402

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

# %%
print(1)
"""
)

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


def executed(script: Path) -> NotebookNode:
    """A script as the runner's store would give it."""
    notebook = jupytext.reads(script.read_text(), fmt="py:percent")
    outputs = {
        "mnist": nbformat.v4.new_output("stream", text="3\n"),
        "plt": nbformat.v4.new_output("display_data", {"image/svg+xml": SVG}),
        '"```"': nbformat.v4.new_output("stream", text="```\n<b>\n\n  end\n"),
    }
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [o for word, o in outputs.items() if word in cell.source]
    notebook.metadata["run"] = NotebookNode(
        seconds=0.34,
        device="cpu",
        device_name="CPU, one thread",
        torch="2.14.1",
        python="3.11.7",
        date="2026-11-21",
        data={"mnist": "stand-in 12345678"} if "first" in script.name else {},
        result=None,
        compared=7,
    )
    notebook.nbformat_minor = 5
    return notebook


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two pages with this site's set-up."""
    for name in ("hooks", "overrides", "assets"):
        skip = shutil.ignore_patterns("__pycache__", "vendor", "fonts")
        shutil.copytree(ROOT / "docs" / name, tmp_path / "docs" / name, ignore=skip)
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
    settings = (ROOT / "mkdocs.yml").read_text()
    settings = re.sub(r"  - About:\n( {6}- .*\n)+", "  - about.md\n", settings)
    (tmp_path / "mkdocs.yml").write_text(settings)
    monkeypatch.setattr(page_runner.store, "current_notebook", executed)
    return tmp_path


def build_site(project: Path) -> Path:
    """What `mkdocs build --strict` makes of a project."""
    config = load_config(str(project / "mkdocs.yml"), strict=True)
    build(config)
    return project / "site"


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
    assert '<span class="arithmatex">w</span>' in article
    assert article.count("<h1") == 1
    assert 'id="what-next"' in article
    assert f"0.3{NO_BREAK}s" in article
    assert "Made with stand-in data" in article
    assert "<style" not in page
    assert "jp-" not in page

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


def test_a_page_is_closed_to_other_hosts(project: Path) -> None:
    site = build_site(project)
    for page in site.glob("*.html"):
        html = page.read_text()
        assert "default-src 'none'" in html
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


def test_a_page_without_a_run_stops_the_build(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_runner.store, "current_notebook", lambda script: None)
    with pytest.raises(PluginError) as error:
        load_lessons(project / "snippets")
    assert str(error.value).splitlines()[1] == (
        "snippets/12_second_page.py has no current run (never run): "
        "run `nox -s tests -- 12_second_page`"
    )


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


def test_a_download_without_helper_is_the_page_itself() -> None:
    assert runnable_script(SECOND, HELPER) == SECOND


def test_links_of_a_notebook_lead_to_the_site() -> None:
    notebook = jupytext.reads(SECOND, fmt="py:percent")
    text = runnable_notebook(notebook, HELPER, lambda text, to: f"<{text}:{to}>")
    assert "Back to <the first:11_first_page.py>." in text


@pytest.mark.parametrize(
    "statement", ["import load", "from load import mnist as m", "from load import nope"]
)
def test_helper_is_imported_in_one_way(statement: str) -> None:
    with pytest.raises(PluginError):
        runnable_script(f"# %%\n{statement}\n", HELPER)


def test_needed_source_keeps_order_and_comments() -> None:
    source = needed_source(HELPER, ("ROOT",))
    expected = "from pathlib import Path\n\n# The folder of the data.\n"
    assert source == expected + 'ROOT = Path("data")'


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
    assert 'd="M 0 0.12 L 3.5 -1"' in one


def test_picture_is_a_small_file_with_its_size_on_paper() -> None:
    png = io.BytesIO()
    Image.new("RGB", (400, 200)).save(png, "PNG", dpi=(200, 200))
    data = {"image/png": base64.b64encode(png.getvalue()).decode()}
    output = nbformat.v4.new_output("display_data", data)
    saved = []

    def save(picture: bytes) -> str:
        saved.append(picture)
        return "figures/x.webp"

    html = output_html(output, 'say "a"', "f1-", save)
    assert '<img src="figures/x.webp" width="192" height="96"' in html
    assert "say &quot;a&quot;" in html
    assert Image.open(io.BytesIO(*saved)).format == "WEBP"


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
    assert one in with_policy(small)


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
    first = load_if_changed(script)
    assert first is not None
    assert load_if_changed(script) is first
    script.write_text(script.read_text().replace("It shows", "It tells"))
    again = load_if_changed(script)
    assert again is not None
    assert again.summary.startswith("It tells")


def test_texts() -> None:
    assert (
        plain_text("The `a_b` of *it*, [see](x.py), $w$.[^1]")
        == "The a_b of it, see, w."
    )
    times = [duration(s).replace(NO_BREAK, " ") for s in (0.004, 3.21, 12.3, 125)]
    assert times == ["0.1 s", "3.2 s", "12 s", "2 min 5 s"]
