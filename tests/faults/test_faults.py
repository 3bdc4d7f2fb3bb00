"""Builds of a small project under what machines and people do to them."""

import io
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from page_runner.folders import PREFIX
from page_runner.processes import descendants, kill
from tools.projects import set_up

ROOT = Path(__file__).parents[2]
KILLS = 20
SEE = Callable[[str], None]
FACTS = re.compile(rb"\d+(\.\d+)?(\xc2\xa0| |&nbsp;)s\b|\d{4}-\d\d-\d\d")
BUILD = """\
set -e
"{python}" -m pytest "{root}/tests/test_pages.py" -p no:cacheprovider -q \
  -c "{root}/pyproject.toml" --rootdir="{root}" --snippets="$PWD/snippets"
"{python}" -m mkdocs build --strict
"""


def make_project(folder: Path) -> Path:
    """A project of two pages with this site's set-up, none of which has run."""
    set_up(folder)
    samples = ROOT / "tests" / "samples"
    recordings = folder / "tests" / "expected"
    recordings.mkdir(parents=True)
    (folder / "snippets").mkdir()
    for name in ("11_good", "12_as_good"):
        shutil.copy(samples / "11_good.py", folder / "snippets" / f"{name}.py")
        shutil.copy(samples / "expected" / "11_good.txt", recordings / f"{name}.txt")
    shutil.copy(ROOT / "snippets" / "load.py", folder / "snippets")
    return folder


def start(project: Path, **environment: str | None) -> subprocess.Popen[str]:
    """Run the pages, then build the site; None takes a variable away."""
    named = {**os.environ, "NO_MKDOCS_2_WARNING": "1", **environment}
    return subprocess.Popen(
        ["bash", "-c", BUILD.format(python=sys.executable, root=ROOT)],
        cwd=project,
        env={name: value for name, value in named.items() if value is not None},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def build(project: Path, **environment: str | None) -> tuple[int, str]:
    """The exit code of a build, and what it said."""
    process = start(project, **environment)
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


def contents(site: Path) -> dict[str, bytes]:
    """The files of a site without the facts of its run: when, and how long it took."""
    found = {}
    for path in sorted(site.rglob("*")):
        if path.is_file() and path.suffix != ".gz":
            name, content = path.relative_to(site).as_posix(), path.read_bytes()
            if path.suffix == ".zip":
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    parts = [n.encode() + archive.read(n) for n in archive.namelist()]
                content = b"".join(parts)
            found[name] = FACTS.sub(b"", content)
    return found


def difference(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Names of the files that two sites do not share, byte for byte."""
    names = one.keys() | other.keys()
    return sorted(name for name in names if one.get(name) != other.get(name))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The site that a build gives that nothing happens to."""
    project = make_project(tmp_path_factory.mktemp("undisturbed"))
    code, said = build(project)
    assert code == 0, said
    return contents(project / "site")


def test_two_cold_builds(
    tmp_path: Path, undisturbed: dict[str, bytes], seen: SEE
) -> None:
    """Two cold builds."""
    project = make_project(tmp_path)
    assert build(project)[0] == 0
    assert difference(contents(project / "site"), undisturbed) == []
    archive = next((project / "site").glob("*.zip"))
    before = archive.read_bytes()
    assert build(project)[0] == 0
    assert archive.read_bytes() == before
    seen(f"{len(undisturbed)} files the same; the zip built again, byte for byte")


def test_killed_at_random_moments(
    tmp_path: Path, undisturbed: dict[str, bytes], seen: SEE
) -> None:
    """SIGKILL of everything at twenty random moments of a build, then a build."""
    project, temporary = make_project(tmp_path / "project"), tmp_path / "tmp"
    temporary.mkdir()
    started = time.monotonic()
    assert build(project)[0] == 0
    takes = time.monotonic() - started
    generator, moments = random.Random(0), 0
    for number in range(KILLS):
        for folder in (".cache", "site"):
            if number % 2 == 0:
                shutil.rmtree(project / folder, ignore_errors=True)
        process = start(project, TMPDIR=str(temporary))
        time.sleep(generator.uniform(0.2, takes if number % 2 == 0 else takes / 2))
        everything = [process.pid, *descendants(process.pid)]
        moments += process.poll() is None
        kill(everything)
        process.communicate()
        code, said = build(project, TMPDIR=str(temporary))
        assert code == 0, said
        assert difference(contents(project / "site"), undisturbed) == []
        assert list(temporary.glob(f"*{PREFIX}*")) == []
        assert named_by_processes(str(temporary)) == []
    assert moments > KILLS / 2
    seen(f"{KILLS} of {KILLS} builds after it the same, no folder and no process left")


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("with blänks and ümlauts", {}),
        ("no-home", {"HOME": None}),
        ("home-not-there", {"HOME": "/nowhere/at/all"}),
        ("LANG=C", {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": None}),
    ],
    ids=["a path with blanks and umlauts", "no HOME", "a HOME not there", "LANG=C"],
)
def test_surroundings(
    tmp_path: Path,
    undisturbed: dict[str, bytes],
    seen: SEE,
    name: str,
    environment: dict[str, str | None],
) -> None:
    """A build with {}."""
    project = make_project(tmp_path / name)
    code, said = build(project, **environment)
    assert code == 0, said
    assert difference(contents(project / "site"), undisturbed) == []
    seen("the same site")


def test_symbolic_link(
    tmp_path: Path, undisturbed: dict[str, bytes], seen: SEE
) -> None:
    """A checkout reached by a symbolic link."""
    make_project(tmp_path / "true")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "true")
    code, said = build(link)
    assert code == 0, said
    assert difference(contents(link / "site"), undisturbed) == []
    seen("the same site")


def test_two_builds_at_once(
    tmp_path: Path, undisturbed: dict[str, bytes], seen: SEE
) -> None:
    """Two builds of one checkout at once, then a third."""
    project = make_project(tmp_path)
    both = [start(project), start(project)]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert all("passed" in text for text in said), said  # the pages, in each
    code, text = build(project)
    assert code == 0, text
    assert difference(contents(project / "site"), undisturbed) == []
    seen("pages pass in both; the third gives the same site")


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A folder in memory of its own; skips where one may not be mounted."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("place", [".cache", "site"])
def test_full_disk(
    tmp_path: Path, undisturbed: dict[str, bytes], seen: SEE, place: str
) -> None:
    """A disk that is full, under {}."""
    project = make_project(tmp_path)
    with mounted(project / place, "size=16k"):
        code, said = build(project)
        assert code != 0
        assert "No space left on device" in said
    shutil.rmtree(project / place)
    assert build(project)[0] == 0
    assert difference(contents(project / "site"), undisturbed) == []
    seen("it says so; with room again, the same site")


def test_read_only(tmp_path: Path, seen: SEE) -> None:
    """A checkout that cannot be written."""
    with mounted(tmp_path / "project", "size=64m") as project:
        make_project(project / "inside")
        again = ["mount", "-o", "remount,ro", str(project)]
        subprocess.run(again, check=True)
        code, said = build(project / "inside")
    assert code != 0
    assert "Read-only file system" in said
    assert "inside/.cache" in said
    seen("it says so, with the path")


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, signal.SIGTERM, signal.SIGKILL],
    ids=lambda number: number.name,
)
def test_stopped_while_it_is_served(
    tmp_path: Path, seen: SEE, number: signal.Signals
) -> None:
    """{} of the live server while a page runs."""
    project, temporary = make_project(tmp_path / "project"), tmp_path / "tmp"
    temporary.mkdir()
    assert build(project)[0] == 0
    script = project / "snippets" / "11_good.py"
    script.write_text(f"{script.read_text()}\nimport time; time.sleep(600)\n")
    shutil.copy(ROOT / "pyproject.toml", project)
    (project / "tests" / "page_runner").symlink_to(ROOT / "tests" / "page_runner")
    serve = subprocess.Popen(
        [sys.executable, "-m", "mkdocs", "serve", "--dev-addr=127.0.0.1:0"],
        cwd=project,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: bool(list(temporary.glob(f"{PREFIX}*/*/current"))), 120)
        everything = [serve.pid, *descendants(serve.pid)]
        stopped = time.monotonic()
        serve.send_signal(number)
        serve.wait(timeout=10)
        wait_until(lambda: not any(Path(f"/proc/{p}").exists() for p in everything), 10)
        wait_until(lambda: not list(temporary.glob(f"*{PREFIX}*")), 10)
    finally:
        serve.kill()
    seen(f"all processes and folders gone in {time.monotonic() - stopped:.1f} s")


def named_by_processes(text: str) -> list[str]:
    """The commands of processes that name something, as servers and pages their folder.

    One that ends meanwhile names nothing.
    """
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            command = file.read_bytes().decode(errors="replace")
            found += [command] if text in command else []
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
