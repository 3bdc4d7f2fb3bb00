"""What `check_site` says of sites in which something is wrong."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.check_site import problems

TESTS = Path(__file__).parent
LESSON = '<h1 id="a">A <code>page</code><a class="headerlink" href="#a">#</a></h1>'
HARMLESS = """\
<p title="{ {">{ { f(x) }</p> <pre><code>{{ a }} {# b #}</code> {% c %}</pre>
<samp>{{ d }}</samp> <script>if (e) {{ f() }}</script> <svg><style/></svg>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two lessons and their site, in which nothing is wrong."""
    (tmp_path / "snippets").mkdir()
    for stem, title in [("11_a_page", "A `page`"), ("12_other", "The $w$ of it")]:
        script = f"# %% [markdown]\n# # {title}\n\n# %%\nprint('# # no title')\n"
        (tmp_path / "snippets" / f"{stem}.py").write_text(script)
    (tmp_path / "site" / "about").mkdir(parents=True)
    (tmp_path / "site" / "a-page.html").write_text(LESSON + HARMLESS)
    (tmp_path / "site" / "other.html").write_text("<h1>The\n<b>w</b> of it</h1>")
    return tmp_path


def found(folder: Path) -> list[str]:
    return list(problems(folder / "site", folder / "snippets"))


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def test_a_whole_site_has_no_problem(folder: Path) -> None:
    assert found(folder) == []
    (folder / "site" / "other").mkdir()
    (folder / "site" / "other.html").rename(folder / "site" / "other" / "index.html")
    assert found(folder) == []


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a variable": (
        lambda site: append(site / "a-page.html", "<p>See {{ lessons[0].title }}</p>"),
        "a-page.html shows `See {{ lessons[0].title }}`, a template's mark",
    ),
    "a statement, in a folder": (
        lambda site: (site / "about" / "index.html").write_text("<p>{% for a in b %}"),
        "about/index.html shows `{% for a in b %}`",
    ),
    "a comment": (
        lambda site: append(site / "other.html", "<pre>a</pre>{# b #}"),
        "other.html shows `{# b #}`",
    ),
    "an address": (
        lambda site: append(site / "other.html", '<a href="{{ archive }}.zip">Zip</a>'),
        "other.html shows `{{ archive }}.zip`",
    ),
    "no lesson": (
        lambda site: (site / "other.html").unlink(),
        "12_other.py has no page, neither other.html nor other/index.html",
    ),
    "another lesson": (
        lambda site: (site / "other.html").write_text(LESSON),
        "other.html has the title 'A page#', and not that of",
    ),
    "no title": (
        lambda site: (site / "other.html").write_text("<p>The w of it"),
        "other.html has the title '', and not that of",
    ),
}


@pytest.mark.parametrize(("plant", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named(
    folder: Path, plant: Callable[[Path], object], message: str
) -> None:
    plant(folder / "site")
    (problem,) = found(folder)
    assert message in problem


def test_a_folder_without_pages_is_no_site(folder: Path) -> None:
    (problem,) = problems(folder / "snippets", folder / "snippets")
    assert "holds no page" in problem


def test_the_command_fails_where_a_lesson_is_missing(folder: Path) -> None:
    """The lessons are the project's own, of which this site has none."""
    command = [sys.executable, "-m", "tools.check_site", str(folder / "site")]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True)
    assert done.returncode == 1
    assert "snippets/12_shapes.py has no page" in done.stdout
