"""Pages run two at a time, each in a process of its own, within its time limit.

On Linux a page's process is forked from a server (`server.py`), one for each
environment that pages are run in. Elsewhere fork is missing or unsafe, and each page
gets a fresh process.
"""

import atexit
import json
import os
import pickle
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from page_runner.checkout import changes, snapshot
from page_runner.environment import (
    SET_BY_PAGE,
    memory_limit,
    over,
    page_environment,
)
from page_runner.folders import clear_abandoned, new_folder
from page_runner.processes import descendants, end_group, memory
from page_runner.run import Complaint, Run
from page_runner.script import Page
from page_runner.variations import PLAIN, Variation

GRACE = 2.0  # seconds for a process to end that was told to
START_LIMIT = 120.0  # seconds to start and import, before a page's own limit counts
INTERVAL = 0.5  # seconds between looks at what a page has written, and holds
MAX_FILE = 10_000_000  # bytes that a page may write to stdout or to stderr
STDERR_LINES = 20  # of the end of what a page that died wrote
OWN_FILES = {  # of a page's folder
    *("page", "run", "stdout", "stderr", "complaints", "crash", "current", "tmp")
}

TESTS = Path(__file__).resolve().parents[1]
SERVER = "from page_runner.server import main; main()"


class PageDied(Exception):
    """A page's process ended without a result: in which cell, on which line, how."""

    def __init__(self, cell: int, line: int, message: str) -> None:
        self.cell, self.line, self.message = cell, line, message
        super().__init__(message)


@dataclass
class Job:
    """A run of a page that somebody waits for."""

    page: Page
    variation: Variation
    future: Future[Run] = field(default_factory=Future)


class PagePool:
    """Runs pages, at most `jobs` at a time; use as a context manager.

    device: "cpu" hides every accelerator from the pages; "cuda" does not.
    data_root: the folder that pages load data from.
    start_method: "fork" from a server, or "spawn" a fresh process for each page.
    may_change: what the paths of files begin with that others write to meanwhile.
    """

    def __init__(
        self,
        device: str,
        data_root: Path,
        jobs: int = 2,
        start_method: str = "fork" if sys.platform == "linux" else "spawn",
        may_change: tuple[str, ...] = (),
    ) -> None:
        self.device, self.data_root = device, data_root
        self.may_change = may_change
        self._forks = start_method == "fork"
        self._is_closed = False
        self._running: set[PageProcess] = set()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        # Daemons: when the runner is interrupted twice, nothing waits for their pages.
        self._threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(jobs)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "PagePool":
        return self

    def __exit__(self, *_: object) -> None:
        """End the pages that still run; returns when they have ended."""
        self._is_closed = True
        for process in list(self._running):
            process.stop()
        self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, page: Page, variation: Variation = PLAIN) -> Future[Run]:
        """Run a page in its turn; the future raises PageDied where its process died."""
        job = Job(page, variation)
        self._jobs.put(job)
        return job.future

    def prepare(self) -> None:
        """Start the server that pages are forked from, if it is not running."""
        if self._forks:
            running_server(page_environment(self.device, self.data_root))

    def _work(self) -> None:
        """Run what was submitted, one after the other; what comes too late is not."""
        while job := self._jobs.get():
            if self._is_closed:
                job.future.cancel()
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                job.future.set_result(self._run(job.page, job.variation))
            except BaseException as error:
                job.future.set_exception(error)
        self._jobs.put(None)  # for the next one

    def _run(self, page: Page, variation: Variation) -> Run:
        environment = page_environment(
            self.device, self.data_root, variation.environment
        )
        server = (
            running_server(environment)
            if self._forks
            else Server(environment, forks=False)
        )
        before = snapshot(page.path.parents[1], self.may_change)
        process = PageProcess(page, environment, variation, server)
        self._note_neighbours(process)
        if self._is_closed:
            process.stop()
        try:
            run = process.result()
        finally:
            strays = process.strays()
            process.end()
            self._running.discard(process)
            if not self._forks:
                server.stop()
        strays = strays or changes(
            before, snapshot(page.path.parents[1], self.may_change)
        )
        if strays:
            message = f"{strays}{process.who_else()}; a page writes to temporary files"
            run.complaints.append(Complaint(1, "files outside its folder", message))
        return run

    def _note_neighbours(self, process: "PageProcess") -> None:
        """Let pages that run at the same time know of each other."""
        for other in list(self._running):
            other.neighbours.add(process.page.path.name)
            process.neighbours.add(other.page.path.name)
        self._running.add(process)


class Server:
    """The process that pages are forked from; without `forks`, that of one page."""

    def __init__(self, environment: dict[str, str], forks: bool) -> None:
        clear_abandoned()
        self.environment, self.forks = environment, forks
        self.root, in_use = new_folder()
        self.log = self.root / "log"
        arguments = [str(self.root), "forking" if forks else "spawned"]
        arguments += map(str, in_use)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVER, *arguments],
                cwd=TESTS,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=in_use,  # the server's as well, in case it is left alone
                start_new_session=True,  # Ctrl-C is for the runner
            )
        self._in_use = in_use
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._replies = self._process.stdin, self._process.stdout
        self._messages: dict[str, queue.Queue[dict[str, Any]]] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def is_alive(self) -> bool:
        """Whether it can still start a page."""
        return self._process.poll() is None

    def serves(self, environment: dict[str, str]) -> bool:
        """Whether a page with an environment can be forked from it."""
        names = (environment.keys() | self.environment.keys()) - SET_BY_PAGE
        same = (environment.get(n) == self.environment.get(n) for n in names)
        return self.is_alive() and all(same)

    def start(self, folder: Path, seconds: float) -> "queue.Queue[dict[str, Any]]":
        """Start the page of a folder; what becomes of it is put into the queue.

        After so many seconds it is ended even if nobody asks for that.
        """
        messages = self._messages[folder.name] = queue.Queue()
        try:
            os.write(self._requests.fileno(), f"{seconds} {folder}\n".encode())
        except OSError:
            messages.put({"exit": self._process.wait()})
        return messages

    def stop(self) -> None:
        """End the server, and with it all of its pages; leaves no folder behind."""
        self._requests.close()
        try:
            self._process.wait(GRACE / 2)
        except subprocess.TimeoutExpired:
            end_group(self._process.pid)
            self._process.wait()
        shutil.rmtree(self.root, ignore_errors=True)
        while self._in_use:
            os.close(self._in_use.pop())

    def _listen(self) -> None:
        with self._replies as lines:
            for line in lines:
                message = json.loads(line)
                self._messages[message["page"]].put(message)
        code = self._process.wait()
        for messages in list(self._messages.values()):
            messages.put({"exit": code})


_SERVERS: list[Server] = []
_LOCK = threading.Lock()


def running_server(environment: dict[str, str]) -> Server:
    """A server that pages of an environment are forked from; it serves all pools."""
    with _LOCK:
        for server in _SERVERS:
            if server.serves(environment):
                return server
        _SERVERS.append(Server(environment, forks=True))
        atexit.register(_SERVERS[-1].stop)
        return _SERVERS[-1]


class PageProcess:
    """The process of one page, as its runner sees it."""

    def __init__(
        self,
        page: Page,
        environment: dict[str, str],
        variation: Variation,
        server: Server,
        most: float | None = None,
    ) -> None:
        """`most` seconds after its start it ends, even where nobody asks for that."""
        self.page, self.log = page, server.log
        self._has_keeper = server.forks
        self._most_memory = memory_limit(environment)
        self.folder = Path(tempfile.mkdtemp(prefix="", dir=server.root))
        asked = pickle.dumps((page, environment, variation))
        (self.folder / "page").write_bytes(asked)
        self.neighbours: set[str] = set()  # scripts that ran at the same time
        self.said: dict[str, Any] = {}  # pid, keeper, started, cell, done, exit
        self._is_stopped = False
        most = most or START_LIMIT + page.header.time_limit + 10 * GRACE
        self._messages = server.start(self.folder, most)

    def result(self) -> Run:
        """The page's run; PageDied where it ends without one or outruns its limit."""
        problem = self._wait()
        if not problem:
            return pickle.loads((self.folder / "run").read_bytes())
        if not self._is_stopped:
            self._ask_where_it_is()
        cell = self.said.get("cell", 0)
        line = self._line_of_crash() or (self.page.code[cell - 1].line if cell else 1)
        raise PageDied(cell, line, problem + self._last_words())

    def stop(self) -> None:
        """Have `result` end the page and raise PageDied; from another thread."""
        self._is_stopped = True
        self._messages.put({})

    def end(self) -> None:
        """End the page and its workers; when it has ended, its folder is gone."""
        self._signal(self._end)
        shutil.rmtree(self.folder, ignore_errors=True)

    def strays(self) -> str:
        """What a page has left beside its current folder, in words; "" if nothing."""
        names = {path.name for path in self.folder.glob("*")}  # none if it is deleted
        return ", ".join(f"new ../{name}" for name in sorted(names - OWN_FILES))

    def who_else(self) -> str:
        """Who may have changed files in its place, in words."""
        others = " or ".join(sorted(self.neighbours))
        return f" (if it was not {others}, which ran then)" if others else ""

    def _wait(self) -> str:
        """Wait until the page is done: what is wrong where it will not be, or ""."""
        limit = self.page.header.time_limit
        deadline = time.monotonic() + START_LIMIT
        started = False
        while not self.said.keys() & {"done", "exit"}:
            if "started" in self.said and not started:
                started, deadline = True, time.monotonic() + limit
            if self._is_stopped:
                return "it was stopped"
            if self._written() > MAX_FILE:
                return f"the page writes more than {MAX_FILE // 10**6} MB to a stream"
            if self._memory() > self._most_memory:
                return f"the page and its workers {over(self._most_memory)}"
            if time.monotonic() > deadline:
                return (
                    f"still running after its time limit of {limit:.0f} s"
                    if started
                    else f"its process did not start within {START_LIMIT:.0f} s"
                )
            self._hear(min(INTERVAL, deadline - time.monotonic()))
        return "" if "done" in self.said else describe_exit(self.said["exit"])

    def _hear(self, seconds: float) -> None:
        """Take in the next message, if one comes in time."""
        with suppress(queue.Empty):
            self.said.update(self._messages.get(timeout=max(0.0, seconds)))

    def _written(self) -> int:
        """Bytes in the larger of the files that stdout and stderr go to."""
        largest = 0
        for name in ("stdout", "stderr"):
            with suppress(FileNotFoundError):  # not yet there, or deleted by the page
                largest = max(largest, (self.folder / name).stat().st_size)
        return largest

    def _end(self, pid: int) -> None:
        """Have its keeper end a page with all that it has started."""
        if self._has_keeper:
            os.kill(self.said["keeper"], signal.SIGTERM)
        else:
            end_group(pid)

    def _memory(self) -> int:
        """Bytes that the page and all that it has started hold."""
        if "started" not in self.said or not self._has_keeper:
            return 0
        return memory(descendants(self.said["keeper"]), self._most_memory)

    def _ask_where_it_is(self) -> None:
        """End a page that runs so that faulthandler notes its line."""
        self._signal(lambda pid: os.kill(pid, signal.SIGABRT))

    def _signal(self, send: Callable[[int], None]) -> None:
        """Send a signal that ends the page, unless it has ended; wait for its end."""
        if "pid" not in self.said or "exit" in self.said:
            return
        with suppress(ProcessLookupError):
            send(self.said["pid"])
        deadline = time.monotonic() + GRACE
        while "exit" not in self.said and time.monotonic() < deadline:
            self._hear(deadline - time.monotonic())

    def _line_of_crash(self) -> int:
        """The line of the script where faulthandler found it, 0 where it did not."""
        log = self.folder / "crash"
        text = log.read_text(errors="replace") if log.exists() else ""
        _, _, current = text.partition("Current thread")
        pattern = rf'File "{re.escape(str(self.page.path))}", line (\d+)'
        lines = re.findall(pattern, current.partition("\n\n")[0])
        return int(lines[0]) if lines else 0

    def _last_words(self) -> str:
        """The end of what the page wrote to stderr, or of what its server did."""
        for file in (self.folder / "stderr", self.log):
            text = end_of(file) if file.exists() else ""
            if lines := text.strip().splitlines()[-STDERR_LINES:]:
                said = "\n".join(f"    {line}" for line in lines)
                return f"\n    On stderr it said:\n{said}"
        return ""


def end_of(file: Path, size: int = 10_000) -> str:
    """The last bytes of a file, as text."""
    with file.open("rb") as bytes_:
        bytes_.seek(max(0, file.stat().st_size - size))
        return bytes_.read().decode(errors="replace")


def describe_exit(code: int) -> str:
    """How a process ended, from its exit code; a negative one is a signal."""
    if code >= 0:
        return f"its process exited with code {code} before the page had ended"
    name = signal.Signals(-code).name
    hint = " (out of memory?)" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"
