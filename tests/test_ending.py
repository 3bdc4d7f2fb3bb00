"""Whatever is stopped or killed, nothing of a page lives on.

The live server is stopped in tests/faults/.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from made_pages import (
    ENDLESS,
    TESTS,
    is_running,
    on_linux,
    page_of,
    patience,
    wait_until,
    written_to,
)
from page_runner import folders
from page_runner.environment import page_environment
from page_runner.pool import PageDied, PagePool, PageProcess, Server
from page_runner.variations import PLAIN

pytestmark = on_linux

# Twenty processes, each in a session of its own and without a parent that waits.
DAEMONS = """\
import os, subprocess, sys, time
from pathlib import Path
SLEEP = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
for i in range(10):
    sleeper = subprocess.Popen(SLEEP, start_new_session=True)
    with open({marker!r}, "a") as file: print(sleeper.pid, file=file)
for i in range(10):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open({marker!r}, "a") as file: print(os.getpid(), file=file)
            time.sleep(600)
        os._exit(0)
while Path({marker!r}).read_text().count("\\n") < 20: time.sleep(0.01)
"""


def started(marker: Path) -> list[int]:
    """The processes that a page has noted in a file; some are there."""
    return [int(pid) for pid in marker.read_text().split()]


def all_ended(pids: list[int]) -> bool:
    return not any(map(is_running, pids))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, still empty, of what a test starts."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    return folder


@pytest.fixture
def server(tmp_path: Path, temporary: Path) -> Iterator[Server]:
    """A server of a test's own, which may be killed."""
    server = Server(page_environment("cpu", tmp_path), forks=True)
    yield server
    server.stop()
    assert list(temporary.iterdir()) == []


def start(server: Server, folder: Path, code: str) -> PageProcess:
    return PageProcess(page_of(folder, code), server.environment, PLAIN, server)


@pytest.mark.parametrize(
    ("end", "limit"),
    [("", 600), ("time.sleep(60)", 10), ("os._exit(1)", 600), ("os.abort()", 600)],
)
def test_what_a_page_has_started_ends_with_it(
    tmp_path: Path, end: str, limit: float
) -> None:
    """However it ends, and in whatever session its twenty processes are."""
    marker = tmp_path / "pids"
    page = page_of(tmp_path, DAEMONS.format(marker=str(marker)) + end, limit)
    with PagePool("cpu", tmp_path) as pages:
        future = pages.submit(page)
        assert (future.exception() is None) == (end == "")
    assert len(started(marker)) == 20
    assert all_ended(started(marker))


def test_a_page_may_leave_its_group(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    code = "import os\nos.setpgid(0, os.getppid() and os.getpgid(os.getppid()))\n"
    page = page_of(tmp_path, code + ENDLESS.format(marker=str(marker)), 2)
    with PagePool("cpu", tmp_path) as pages, pytest.raises(PageDied, match="of 2 s"):
        pages.submit(page).result()
    assert not is_running(written_to(marker))


@pytest.mark.parametrize("killed", ["server", "keeper", "both"])
def test_page_ends_with_those_who_watch_it(
    tmp_path: Path, server: Server, killed: str
) -> None:
    marker = tmp_path / "pids"
    code = DAEMONS.format(marker=str(marker)) + "time.sleep(600)"
    process = start(server, tmp_path, code)
    wait_until(lambda: marker.exists() and len(started(marker)) == 20, seconds=120)
    process._hear(1)
    pids = [*started(marker), process.said["pid"], process.said["keeper"]]
    if killed in ("server", "both"):
        os.kill(server._process.pid, signal.SIGKILL)
    if killed in ("keeper", "both"):
        os.kill(process.said["keeper"], signal.SIGKILL)
    if killed != "both":
        wait_until(lambda: all_ended(pids), seconds=patience())
        with pytest.raises(PageDied):
            process.result()
    else:  # what it has started is found at the next start
        watching = [*pids[20:], server._process.pid]  # whose locks go with them
        wait_until(lambda: all_ended(watching), seconds=patience())
        for descriptor in server._in_use:  # as if its runner had been killed as well
            os.close(descriptor)
        server._in_use.clear()
        folders.clear_abandoned()
        assert not server.root.exists()
        wait_until(lambda: all_ended(pids), seconds=patience())


def test_page_ends_when_its_runner_hangs(tmp_path: Path, server: Server) -> None:
    """Nobody asks for its end when its time is over."""
    marker = tmp_path / "pid"
    page = page_of(tmp_path, ENDLESS.format(marker=str(marker)))
    process = PageProcess(page, server.environment, PLAIN, server, most=3.0)
    pid = written_to(marker)
    wait_until(lambda: not is_running(pid), seconds=3 + patience())
    process.end()


def test_folder_in_use_is_left_alone(temporary: Path) -> None:
    used, in_use = folders.new_folder()
    folders.clear_abandoned()
    assert list(temporary.iterdir()) == [used]
    for descriptor in in_use:
        os.close(descriptor)
    folders.clear_abandoned()
    assert list(temporary.iterdir()) == []


def test_what_is_not_ours_is_left_alone(temporary: Path) -> None:
    """Neither a folder nor a log that happens to begin as ours do, nor who writes."""
    other = temporary / f"{folders.PREFIX}mine"
    other.mkdir()
    with (temporary / f"{folders.PREFIX}run.log").open("w") as log:
        sleeper = subprocess.Popen(["sleep", "60"], stdout=log)
    try:
        folders.clear_abandoned()
        time.sleep(0.1)
        assert sleeper.poll() is None
        assert other.exists()
    finally:
        sleeper.kill()
        sleeper.wait()


def suite(
    script: Path, temporary: Path, stdout: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """The tests of pages, on those beside a script."""
    command = [sys.executable, "-m", "pytest", str(TESTS / "test_pages.py")]
    command += [f"--snippets={script.parent}", "-p", "no:cacheprovider"]
    return subprocess.Popen(
        command,
        cwd=TESTS.parent,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=stdout,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    "signals",
    [
        [signal.SIGINT, signal.SIGINT],
        [signal.SIGTERM],
        [signal.SIGKILL],
    ],
    ids=lambda signals: "-".join(number.name for number in signals),
)
def test_stopping_stops(
    tmp_path: Path, temporary: Path, signals: list[signal.Signals]
) -> None:
    """Two seconds after a signal there is no pytest, no page and no folder."""
    marker = tmp_path / "pid"
    page = page_of(tmp_path, ENDLESS.format(marker=str(marker)))
    running = suite(page.path, temporary)
    try:
        pid = written_to(marker)
        assert is_running(pid)
        for number in signals:
            running.send_signal(number)
            time.sleep(0.1)
        running.wait(timeout=patience())
        wait_until(lambda: not is_running(pid), seconds=patience())
        wait_until(lambda: not list(temporary.glob("*pages-*")), seconds=patience())
    finally:
        running.kill()
        running.wait()


def test_callers_pipe_closes_with_the_runner(tmp_path: Path, temporary: Path) -> None:
    """Whoever reads what the tests print is not kept waiting by what pages started."""
    marker = tmp_path / "pids"
    page = page_of(tmp_path, DAEMONS.format(marker=str(marker)) + "time.sleep(600)")
    running = suite(page.path, temporary, stdout=subprocess.PIPE)
    wait_until(lambda: marker.exists() and len(started(marker)) == 20, seconds=120)
    running.kill()
    running.communicate(timeout=patience())  # until the pipe is closed
    wait_until(lambda: all_ended(started(marker)), seconds=patience())


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_pages_have_no_descriptor_of_the_caller(
    tmp_path: Path, start_method: str
) -> None:
    code = """\
import os
from pathlib import Path
for link in Path("/proc/self/fd").iterdir():
    if link.exists(): print(link.readlink())"""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    with PagePool("cpu", tmp_path, start_method=start_method) as pages:
        run = pages.submit(page_of(tmp_path, code)).result()
    pipe = str(Path(f"/proc/self/fd/{writing}").readlink())
    os.close(reading)
    os.close(writing)
    assert "/stdout" in run.printed()[1]
    assert pipe not in run.printed()[1]


def test_pool_that_is_left_ends_its_pages(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    with PagePool("cpu", tmp_path) as pages:
        future = pages.submit(page_of(tmp_path, ENDLESS.format(marker=str(marker))))
        waiting = [pages.submit(page_of(tmp_path, "print(1)")) for _ in range(4)]
        pid = written_to(marker)
    with pytest.raises(PageDied, match="it was stopped"):
        future.result()
    assert not is_running(pid)
    assert all(one.done() for one in waiting)


def test_a_page_whose_folder_is_gone_leaves_no_words_to_others(
    server: Server, tmp_path: Path
) -> None:
    """The runner has given it up; what its server says is shown with other pages."""
    process = start(server, tmp_path, "print(1)")
    shutil.rmtree(process.folder)
    with pytest.raises(PageDied) as died:
        process.result()
    process.end()
    assert "exited with code 1" in str(died.value)
    assert "Traceback" not in server.log.read_text()


def test_a_page_may_delete_its_folder_while_it_is_looked_at(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any moment: the streams are there when one asks, and not a moment later."""
    process = start(server, tmp_path, "print(1)")
    process.result()
    process.end()
    monkeypatch.setattr(Path, "exists", lambda path: True)
    assert process._written() == 0
