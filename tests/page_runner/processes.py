"""Processes, and those that they have started, as Linux knows them.

A process may leave its group and its session, and outlive who started it. On Linux it
is found all the same: it stays a descendant of whoever adopts orphans. Elsewhere only
the group of a page is ended (`end_group`), and nothing here does anything.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # of <linux/prctl.h>


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_with(parent: int, number: signal.Signals) -> None:
    """Get a signal when the parent, known by its pid, ends; at once if it has ended."""
    _prctl(_PR_SET_PDEATHSIG, number)
    if sys.platform == "linux" and os.getppid() != parent:
        os.kill(os.getpid(), number)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def end_group(pid: int) -> None:
    """Kill a process and the others of the group that it leads."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)


def kill(pids: Iterable[int]) -> None:
    """End processes at once, if they are there."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def descendants(pid: int, spare: Collection[int] = ()) -> list[int]:
    """The children of a process, theirs, and so on, whatever session they are in.

    Those in `spare` are left out, with what they have started.
    """
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        if child not in spare:
            children.setdefault(parent, []).append(child)
    found = list(children.get(pid, ()))
    for one in found:  # which grows
        found += children.get(one, ())
    return found


def _parents() -> Iterator[tuple[int, int]]:
    """Each process with its parent; one that ends meanwhile is left out."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # "pid (name) state parent ...", any name
            fields = stat.read_bytes().rpartition(b")")[2].split()
            yield int(stat.parent.name), int(fields[1])


def memory(pids: Iterable[int], enough: int) -> int:
    """Bytes that processes hold; what several share counts once.

    The exact number takes milliseconds a gigabyte. So it is found only where a number
    that is too large, and quick to have, is above `enough`.
    """
    pids = list(pids)
    held = sum(map(_private, pids))
    return held if held <= enough else sum(map(_share, pids))


def _private(pid: int) -> int:
    """Bytes of memory that are in no file; those shared since a fork count in each."""
    try:
        _, resident, in_files, *_ = Path(f"/proc/{pid}/statm").read_text().split()
    except (OSError, ValueError):  # it has ended
        return 0
    return (int(resident) - int(in_files)) * os.sysconf("SC_PAGE_SIZE")


def _share(pid: int) -> int:
    """Bytes of memory, of which what n processes share is counted as one nth."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
