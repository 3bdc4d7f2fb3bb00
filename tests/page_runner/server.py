"""The process that pages are forked from, and what each does before it runs.

It has imported torch and the rest (`preload`), so that a page costs its own work and
not seconds of imports. It is plain Python with one thread: what is forked from it sees
what `python page.py` sees. It reads from its stdin the pages to start, one a line:
the seconds that it may take at most, and its folder. It writes to its stdout what
becomes of them: JSON with the folder's name and one of `pid` (with that of its
`keeper`), `started`, `cell`, `done`, `exit`. When its stdin ends, for that its runner
has died, it ends every page and leaves no folder behind.

Between the server and each page stands a keeper. It waits for the page's end, or ends
it, and then ends all that the page has started, in whatever session. When the server
is killed, each keeper ends its page; when a keeper is killed, its page ends with it,
and the server ends what that leaves. So nothing outlives a run but what is left when
all of these are killed in the same moment, and that is ended at the next start.
"""

import faulthandler
import json
import os
import pickle
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from page_runner.environment import memory_limit
from page_runner.processes import (
    adopt_orphans,
    descendants,
    end_group,
    end_with,
    kill,
)

_PAGES: dict[int, Path] = {}  # the folders of the pages that run, by their keepers
_HEARD = {signal.SIGCHLD, signal.SIGTERM} if hasattr(signal, "SIGCHLD") else set()
_ENDING = 2.0  # seconds in which processes that were killed are gone


def main() -> None:
    """Fork a page for each line; with the argument `spawned`, become the first.

    The other arguments: the folder, and descriptors by which it is known to be in use.
    """
    root, in_use = Path(sys.argv[1]), [int(number) for number in sys.argv[3:]]
    for descriptor in in_use:
        os.set_inheritable(descriptor, False)
    messages = os.dup(1)
    os.dup2(2, 1)  # a stray print is no message
    try:
        if "spawned" in sys.argv:
            folder = Path(sys.stdin.readline().strip().partition(" ")[2])
            lifeline = os.dup(0)
            threading.Thread(
                target=_end_with_runner, args=[lifeline, root], daemon=True
            ).start()
            _become_page(folder, messages)
        import page_runner.preload  # noqa: F401

        adopt_orphans()
        signal.signal(signal.SIGCHLD, lambda *_: _reap(messages))
        for line in sys.stdin:
            seconds, _, folder_name = line.strip().partition(" ")
            _fork(Path(folder_name), float(seconds), messages, in_use)
    finally:
        _end_pages()
        shutil.rmtree(root, ignore_errors=True)
    os._exit(0)  # at once: nothing is left to do


def _end_pages() -> None:
    """Have the keepers end their pages, and wait for them."""
    for keeper in list(_PAGES):
        with suppress(ProcessLookupError):
            os.kill(keeper, signal.SIGTERM)
    deadline = time.monotonic() + _ENDING
    while _PAGES and time.monotonic() < deadline:
        time.sleep(0.005)  # `_reap` interrupts it


def _fork(folder: Path, seconds: float, messages: int, in_use: list[int]) -> None:
    server = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
    keeper = os.fork()
    if keeper == 0:
        try:
            for descriptor in in_use:
                os.close(descriptor)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            end_with(server, signal.SIGTERM)
            _keep(folder, seconds, messages)
        finally:
            os._exit(1)  # whatever happens: this is not the server
    _PAGES[keeper] = folder
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)


def _reap(messages: int) -> None:
    """Say which pages have lost their keepers, and end what these have left."""
    with suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG):
            folder = _PAGES.pop(ended.si_pid, None)
            if folder and ended.si_status != 0:
                was_killed = ended.si_code != os.CLD_EXITED
                code = -ended.si_status if was_killed else ended.si_status
                _say(messages, folder, exit=code)
                kill(descendants(os.getpid(), spare=_PAGES))


def _keep(folder: Path, seconds: float, messages: int) -> NoReturn:
    """Fork a page and wait for its end; then end all that it has started.

    It is ended when its seconds have passed, as it is when its runner is stopped or
    hangs, and when this process gets SIGTERM.
    """
    adopt_orphans()
    keeper = os.getpid()
    page = os.fork()
    if page == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        end_with(keeper, signal.SIGKILL)
        _become_page(folder, messages)
    deadline = time.monotonic() + seconds
    code = None
    while code is None:
        heard = signal.sigtimedwait(_HEARD, max(0.0, deadline - time.monotonic()))
        if heard is None or heard.si_signo == signal.SIGTERM:
            break
        code, _ = _reap_children(page)
    deadline = time.monotonic() + _ENDING
    while time.monotonic() < deadline:
        found, are_left = _reap_children(page)
        code = found if code is None else code
        if not are_left:
            break
        kill(descendants(keeper))
        time.sleep(0.005)
    _say(messages, folder, exit=-signal.SIGKILL if code is None else code)
    os._exit(0)


def _reap_children(page: int) -> tuple[int | None, bool]:
    """The exit code of a page, if it has ended; whether any children are left."""
    code = None
    try:
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == page:
                code = os.waitstatus_to_exitcode(ended[1])
    except ChildProcessError:
        return code, False
    return code, True


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
        _say(messages, folder, pid=os.getpid(), keeper=os.getppid())
        _run_page(folder, messages)
        code = 0
    except BaseException:
        if folder.exists():  # else nobody waits for it any more
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
    crash = (folder / "crash").open("wb")
    faulthandler.enable(crash)

    import page_runner.preload  # noqa: F401  (done already where the page was forked)

    os.environ.clear()  # also of what imports have set
    os.environ.update(environment)
    _set_limits(environment)
    from page_runner.execute import run_page

    variation.begin()
    _say(messages, folder, started=True)

    def on_cell(number: int) -> None:
        _say(messages, folder, cell=number)

    run = run_page(page, folder, on_cell, variation.measure)
    (folder / "run").write_bytes(pickle.dumps(run))
    _say(messages, folder, done=True)


def _set_limits(environment: dict[str, str]) -> None:
    """No file of a crash; and where no accelerator maps what nobody uses, the memory.

    So an allocation that is too large fails on its line. What grows in workers is seen
    by the runner.
    """
    with suppress(ImportError):
        import resource

        limits = {resource.RLIMIT_CORE: 0}
        if environment.get("CUDA_VISIBLE_DEVICES") == "":
            limits[resource.RLIMIT_DATA] = memory_limit(environment)
        for kind, limit in limits.items():
            _, most = resource.getrlimit(kind)
            allowed = limit if most == resource.RLIM_INFINITY else min(limit, most)
            resource.setrlimit(kind, (allowed, most))
