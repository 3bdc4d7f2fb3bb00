"""What lies in the checkout before and after a run: a page changes none of it."""

import os
from collections.abc import Iterator
from pathlib import Path

PLACES = ("snippets", "docs", "tests", ".github")
FILES = ("*.md", "*.py", "*.toml", "*.yml", "*.cff", "constraints.txt", "matplotlibrc")
IGNORED = ("__pycache__", "figures", "data")  # folders that plain use writes into
MOST = 5  # changes that a message names

Snapshot = dict[str, tuple[int, int, int]]  # inode, size and time of change, by path


def snapshot(root: Path, may_change: tuple[str, ...] = ()) -> Snapshot:
    """The files of a project that belong to it; what lies about besides does not count.

    may_change: what the paths begin with of files that are left out; "" is all of them.
    """
    found = {}
    for path in () if "" in may_change else _files(root):
        name = path.relative_to(root).as_posix()
        if not name.startswith(may_change):
            try:
                status = path.lstat()
            except OSError:  # gone meanwhile
                continue
            found[name] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return found


def _files(root: Path) -> Iterator[Path]:
    for pattern in FILES:
        yield from root.glob(pattern)
    for place in PLACES:
        for folder, folders, names in os.walk(root / place):
            folders[:] = [
                name for name in folders if not name.startswith((".", *IGNORED))
            ]
            for name in names:
                if not (name.startswith(".") or name.endswith("~")):  # of an editor
                    yield Path(folder, name)


def changes(before: Snapshot, after: Snapshot) -> str:
    """What is new, changed and gone, in words; "" where nothing is."""
    found = [f"new {name}" for name in after.keys() - before.keys()]
    found += [f"gone {name}" for name in before.keys() - after.keys()]
    common = before.keys() & after.keys()
    found += [f"changed {name}" for name in common if before[name] != after[name]]
    found.sort()
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return ", ".join(found[:MOST]) + more
