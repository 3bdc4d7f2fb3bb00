"""Several machines share the pages, and join what they ran to one site."""

import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from page_runner import store
from page_runner.script import find_pages
from page_runner.seconds import read_seconds, seconds_path, write_seconds
from shards import Shard
from tools.projects import set_up

TESTS = Path(__file__).parent
ROOT = TESTS.parent
SNIPPETS = ROOT / "snippets"
STEMS = [script.stem for script in find_pages(SNIPPETS)]
FACTS_OF_THE_RUN = {"seconds": 1.0, "date": "2026-01-01"}


def shares(count: int, seconds: dict[str, float], others: float = 0) -> list[set[str]]:
    numbers = range(1, count + 1)
    return [Shard(number, count).share(STEMS, seconds, others) for number in numbers]


@pytest.mark.parametrize("others", [0.0, 10_000.0])
@pytest.mark.parametrize("count", [1, 2, 3, 5, len(STEMS)])
def test_every_page_belongs_to_one_share(count: int, others: float) -> None:
    """And each share but the first, which has other tests, to some page."""
    for seconds in (read_seconds(SNIPPETS), {}, dict.fromkeys(STEMS, 0.0)):
        found = shares(count, seconds, others)
        assert sorted(chain(*found)) == STEMS
        assert all(found[1:])
        assert found[0] or others


def test_shares_take_about_the_same_time() -> None:
    """No share is longer than the shortest by more than its own shortest page."""
    seconds = dict(zip(STEMS, [90, 50, 40, 30, 20, *[5.0] * len(STEMS)], strict=False))
    loads = [sum(seconds[stem] for stem in share) for share in shares(3, seconds)]
    assert max(loads) - min(loads) <= 5
    first, *rest = shares(3, seconds, others=60)
    others_and_first = 60 + sum(seconds[stem] for stem in first)
    loads = [others_and_first, *(sum(seconds[stem] for stem in x) for x in rest)]
    assert max(loads) - min(loads) <= 5


def test_time_of_every_page_is_known() -> None:
    seconds = read_seconds(SNIPPETS)
    assert list(seconds) == STEMS, "`nox -s record` writes tests/expected/seconds.json"


def test_times_of_pages_that_are_no_more_are_forgotten(tmp_path: Path) -> None:
    snippets = tmp_path / "snippets"
    seconds_path(snippets).parent.mkdir(parents=True)
    assert read_seconds(snippets) == {}
    write_seconds(snippets, ["12_b", "11_a"], {"12_b": 1.23, "11_a": 4.0})
    write_seconds(snippets, ["12_b", "13_c"], {"13_c": 0.04})
    assert read_seconds(snippets) == {"12_b": 1.2, "13_c": 0.0}


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "1/3/5", "-1/3"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the second of five is `2/5`"):
        Shard.parse(text)


def collected(*options: str) -> list[str]:
    """The names of the tests that a run of the pages and of more would have."""
    paths = ["tests/test_pages.py", "tests/test_shards.py", "README.md"]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", *paths]
    command += [*options, "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_shards_together_are_the_whole_run() -> None:
    """Each test once; the first shard has all that are about no single page."""
    whole = collected()
    parts = [collected("--shard", f"{number}/3") for number in (1, 2, 3)]
    assert sorted(chain(*parts)) == sorted(whole)
    others = [name for name in whole if "::test_page[" not in name]
    assert {name.partition(":")[0] for name in others} == {
        "README.md",
        "tests/test_shards.py",
    }
    assert set(others) <= set(parts[0])


# Joining ------------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Five small pages, with the set-up of this site."""
    root = tmp_path / "whole"
    set_up(root)
    (root / "snippets").mkdir()
    (root / "tests" / "expected").mkdir(parents=True)
    shutil.copy(SNIPPETS / "load.py", root / "snippets")
    for stem in ("11_one", "12_two", "13_three", "21_four", "22_five"):
        text = (TESTS / "samples" / "11_good.py").read_text()
        title = text.replace("A good page", f"Page {stem}")
        (root / "snippets" / f"{stem}.py").write_text(title)
        recording = TESTS / "samples" / "expected" / "11_good.txt"
        shutil.copy(recording, root / "tests" / "expected" / f"{stem}.txt")
    return root


def run_pages(project: Path, *options: str) -> str:
    """Run a project's pages; what the run said."""
    command = [sys.executable, "-m", "pytest", str(TESTS / "test_pages.py"), *options]
    command += [f"--snippets={project / 'snippets'}", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def pages_of(project: Path) -> dict[str, str]:
    """Its page files by name, all signed with the same time and date of the run."""
    files = {}
    for script in find_pages(project / "snippets"):
        document = store.read(script)
        assert document is not None
        document.metadata.run.update(FACTS_OF_THE_RUN)
        path = store.page_path(script)
        store._write_file(path, document)
        files[path.name] = path.read_text()
    return files


def site_of(project: Path) -> dict[str, bytes]:
    """All files of its site, by address."""
    build(load_config(str(project / "mkdocs.yml"), strict=True))
    site = project / "site"
    files = [path for path in site.rglob("*") if path.is_file()]
    return {path.relative_to(site).as_posix(): path.read_bytes() for path in files}


def test_three_shards_join_to_the_pages_and_the_site_of_one_run(project: Path) -> None:
    machines = [project.with_name(f"machine {number}") for number in (1, 2, 3)]
    joined = project.with_name("joined")
    for copy in (*machines, joined):
        shutil.copytree(project, copy)
    assert "5 ran, 0 cached" in run_pages(project)
    for number, machine in enumerate(machines, start=1):
        said = run_pages(machine, "--shard", f"{number}/3")
        count = 1 if number == 3 else 2
        assert f"shard {number}/3: {count} of 5 pages" in said
        assert f"{count} ran, 0 cached" in said
        pages = machine / ".cache" / "pages"
        shutil.copytree(pages, joined / ".cache" / "pages", dirs_exist_ok=True)
    assert pages_of(joined) == pages_of(project)
    site = site_of(joined)
    assert "five.html" in site
    assert site == site_of(project)


def test_more_shards_than_pages_are_refused(project: Path) -> None:
    with pytest.raises(AssertionError, match=r"5 pages make no 6 shares"):
        run_pages(project, "--shard", "1/6")
