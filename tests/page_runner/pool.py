"""Pages run two at a time, each in a process of its own, within its time limit.

On Linux a page's process is forked from a server that has imported torch and the rest
(`multiprocessing`'s forkserver): a page costs its own work, not seconds of imports, and
the server never touches an accelerator. Elsewhere fork is missing or unsafe, and
processes are spawned.
"""

import faulthandler
import multiprocessing
import multiprocessing.forkserver
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path

from page_runner.script import Page
from page_runner.variations import PLAIN, Variation, add_noise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from page_runner.execute import Run

GRACE = (
    2.0  # seconds between a page's time limit, when it says where it is, and its end
)
START_LIMIT = (
    120.0  # seconds for a process to start and import, before the limit counts
)

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
SERVER_ENVIRONMENT = {
    **ONE_THREAD,
    # torch.cuda.is_available() then asks the driver's library and leaves the device
    # untouched; a process that has touched it cannot be forked.
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
}

_LOCK = threading.Lock()


class PageDied(Exception):
    """A page's process ended without a result: in which cell, on which line, how."""

    def __init__(self, cell: int, line: int, message: str) -> None:
        self.cell, self.line, self.message = cell, line, message
        super().__init__(message)


class PagePool:
    """Runs pages, at most `jobs` at a time; use as a context manager.

    device: "cpu" hides every accelerator from the pages; "cuda" does not.
    data_root: the folder that pages load data from.
    """

    def __init__(
        self,
        device: str,
        data_root: Path,
        jobs: int = 2,
        start_method: str = "forkserver" if sys.platform == "linux" else "spawn",
    ) -> None:
        self.environment = {**ONE_THREAD, "SNIPPETS_DATA": str(data_root.resolve())}
        if device == "cpu":
            self.environment["CUDA_VISIBLE_DEVICES"] = ""
        self._context = multiprocessing.get_context(start_method)
        self._threads = ThreadPoolExecutor(max_workers=jobs)

    def __enter__(self) -> "PagePool":
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def submit(self, page: Page, variation: Variation = PLAIN) -> "Future[Run]":
        """Run a page in its turn; the future raises PageDied where its process died."""
        return self._threads.submit(self._run, page, variation)

    def _run(self, page: Page, variation: Variation) -> "Run":
        folder = Path(tempfile.mkdtemp(prefix=f"{page.stem}-"))
        try:
            return self._run_in(folder, page, variation)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run_in(self, folder: Path, page: Page, variation: Variation) -> "Run":
        """Run a page in a fresh process whose current folder is `folder`.

        What a process reads from its environment when it starts cannot be changed in
        a forked one: for such variations it is spawned.
        """
        threads = dict.fromkeys(ONE_THREAD, str(variation.threads))
        environment = {**self.environment, **threads, **variation.environment}
        spawned = bool(variation.environment) or variation.threads > 1
        context = multiprocessing.get_context("spawn") if spawned else self._context
        receiver, sender = context.Pipe(duplex=False)
        log = folder.with_suffix(".log")
        arguments = (page, sender, folder, log, environment, variation.noise)
        process = context.Process(target=_child, args=arguments)
        with _LOCK:  # the server starts with the first process
            prepare_server()
            with _environment(environment if spawned else {}):
                process.start()
        sender.close()
        try:
            return _await(page, process, receiver, log)
        finally:
            _kill(process)
            receiver.close()
            log.unlink(missing_ok=True)


def prepare_server() -> None:
    """Start the server that pages are forked from, if it is not running."""
    tests = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [tests, os.environ.get("PYTHONPATH")]))
    with _environment({**SERVER_ENVIRONMENT, "PYTHONPATH": path}):
        multiprocessing.set_forkserver_preload(["page_runner.preload"])
        if sys.platform == "linux":
            multiprocessing.forkserver.ensure_running()


@contextmanager
def _environment(values: dict[str, str]):
    """Environment variables for the processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _await(
    page: Page,
    process: multiprocessing.Process,
    receiver: Connection,
    log: Path,
) -> "Run":
    """The child's result; PageDied when it ends without one or outruns its limit."""
    cell, timeout = 0, START_LIMIT
    while True:
        ready = wait([receiver, process.sentinel], timeout)
        if receiver in ready or receiver.poll():
            try:
                message = receiver.recv()
            except EOFError:
                break
            if message == "started":
                timeout = page.header.time_limit + GRACE
            elif isinstance(message, int):
                cell = message
            else:
                return message
        else:
            break
    process.join(timeout=0 if not ready else GRACE)
    hung = process.exitcode is None
    line = _line_in_log(page, log) if hung else 0
    line = line or (page.code[cell - 1].line if cell else 1)
    how = (
        f"still running after its time limit of {page.header.time_limit:.0f} s"
        if hung
        else _describe_exit(process.exitcode)
    )
    raise PageDied(cell, line, how)


def _describe_exit(exitcode: int) -> str:
    if exitcode >= 0:
        return f"its process exited with code {exitcode} before the page had ended"
    name = signal.Signals(-exitcode).name
    hint = " (out of memory?)" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{hint}"


def _line_in_log(page: Page, log: Path) -> int:
    """The line of the script at which faulthandler found the page, from its log."""
    pattern = rf'File ".*{re.escape(page.path.name)}", line (\d+)'
    match = re.search(pattern, log.read_text(errors="replace") if log.exists() else "")
    return int(match[1]) if match else 0


def _kill(process: multiprocessing.Process) -> None:
    """End a process and the workers that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _child(
    page: Page,
    sender: Connection,
    folder: Path,
    log: Path,
    environment: dict[str, str],
    noise: int | None,
) -> None:
    """In the page's process: run it, send its result."""
    if hasattr(os, "setsid"):
        os.setsid()  # so that its workers are ended with it
    os.environ.update(environment)
    os.chdir(folder)
    log_file = log.open("wb")
    for descriptor in (1, 2):  # what compiled code writes; Python's own is captured
        os.dup2(log_file.fileno(), descriptor)

    import page_runner.preload  # noqa: F401  (done already where the process was forked)
    from page_runner.execute import run_page

    if noise is not None:
        add_noise(noise)
    faulthandler.enable(log_file)
    faulthandler.dump_traceback_later(page.header.time_limit, file=log_file)
    sender.send("started")
    run = run_page(page, on_cell=sender.send)
    faulthandler.cancel_dump_traceback_later()
    sender.send(run)
    sender.close()
