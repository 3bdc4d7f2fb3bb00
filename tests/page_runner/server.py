"""The process that pages are forked from, and what each does before it runs.

It has imported torch and the rest (`preload`), so that a page costs its own work and
not seconds of imports. It is plain Python with one thread: what is forked from it sees
what `python page.py` sees. It reads from its stdin the folders of the pages to start,
one a line, and writes to its stdout what becomes of them: JSON with the folder's name
and one of `pid`, `started`, `cell`, `done`, `exit`. When its stdin ends, for that its
runner has died, it ends every page and leaves no folder behind.
"""

import faulthandler
import json
import os
import pickle
import shutil
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

_PAGES: dict[int, Path] = {}  # the folders of the pages that run, by process


def main() -> None:
    """Fork a page for each folder; with the argument `spawned`, become the first."""
    root = Path(sys.argv[1])
    messages = os.dup(1)
    os.dup2(2, 1)  # a stray print is no message
    try:
        if "spawned" in sys.argv:
            folder = Path(sys.stdin.readline().strip())
            lifeline = os.dup(0)
            threading.Thread(
                target=_end_with_runner, args=[lifeline, root], daemon=True
            ).start()
            _become_page(folder, messages)
        import page_runner.preload  # noqa: F401

        signal.signal(signal.SIGCHLD, lambda *_: _reap(messages))
        for line in sys.stdin:
            _fork(Path(line.strip()), messages)
    finally:
        for pid in _PAGES:
            end_group(pid)
        shutil.rmtree(root, ignore_errors=True)
    os._exit(0)  # at once: nothing is left to do


def end_group(pid: int) -> None:
    """Kill a page's process and the workers that it started."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


def _fork(folder: Path, messages: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        _become_page(folder, messages)
    with suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)  # here as well as there: whoever is first
    _PAGES[pid] = folder
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def _reap(messages: int) -> None:
    """Say how pages ended, and end the workers that they left."""
    with suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            end_group(ended.si_pid)  # before its number can be another process's
            _, status = os.waitpid(ended.si_pid, 0)
            if folder := _PAGES.pop(ended.si_pid, None):
                _say(messages, folder, exit=os.waitstatus_to_exitcode(status))


def _say(messages: int, folder: Path, **message: object) -> None:
    """One message: short enough to be written whole, whoever else writes."""
    with suppress(BrokenPipeError):
        os.write(messages, f"{json.dumps({'page': folder.name, **message})}\n".encode())


def _end_with_runner(lifeline: int, root: Path) -> None:
    while os.read(lifeline, 1024):
        pass
    shutil.rmtree(root, ignore_errors=True)
    end_group(os.getpid())


def _become_page(folder: Path, messages: int) -> NoReturn:
    """Run the page of a folder in this process, write its result there, and end."""
    code = 1
    try:
        if hasattr(os, "setpgid"):
            with suppress(PermissionError):  # a leader of a session leads its group
                os.setpgid(0, 0)  # so that its workers are ended with it
        _say(messages, folder, pid=os.getpid())
        _run_page(folder, messages)
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with suppress(ValueError):
            sys.stderr.flush()
        os._exit(code)


def _run_page(folder: Path, messages: int) -> None:
    page, environment, variation = pickle.loads((folder / "page").read_bytes())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    with suppress(ImportError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    crash = (folder / "crash").open("wb")
    faulthandler.enable(crash)

    import page_runner.preload  # noqa: F401  (done already where the page was forked)

    os.environ.clear()  # also of what imports have set
    os.environ.update(environment)
    from page_runner.execute import run_page

    variation.begin()
    _say(messages, folder, started=True)

    def on_cell(number: int) -> None:
        _say(messages, folder, cell=number)

    run = run_page(page, folder, on_cell, variation.measure)
    (folder / "run").write_bytes(pickle.dumps(run))
    _say(messages, folder, done=True)
