"""The folder of a server and its pages: cleared away at the latest at the next start.

Who uses a folder holds a lock on it, which the system lets go when they end, however
they end. What nobody uses is what a run that was killed has left.
"""

import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from page_runner.processes import kill

if sys.platform != "win32":  # there nothing is locked, and nothing cleared
    import fcntl

PREFIX = "torch-pages-"
MARK = ".torch-pages"  # in each folder of ours: nobody else's is cleared away


def new_folder() -> tuple[Path, list[int]]:
    """A new temporary folder, and the descriptors by which it is in use."""
    hidden = Path(tempfile.mkdtemp(prefix=f".{PREFIX}"))
    (hidden / MARK).touch()
    descriptors = []
    if sys.platform != "win32":
        descriptors.append(os.open(hidden, os.O_RDONLY))
        fcntl.flock(descriptors[0], fcntl.LOCK_EX)
    return hidden.rename(hidden.with_name(hidden.name[1:])), descriptors


def clear_abandoned() -> None:
    """End what still runs in the folders that nobody uses, and remove them."""
    if sys.platform == "win32":
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not _is_ours(folder):
            continue
        try:
            descriptor = os.open(folder, os.O_RDONLY)
        except OSError:  # gone
            continue
        with suppress(OSError):  # where it is in use
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            kill(_writing_into(folder))
            shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _is_ours(folder: Path) -> bool:
    """Whether `new_folder` has made it, for this user."""
    with suppress(OSError):
        return (folder / MARK).exists() and folder.stat().st_uid == os.getuid()
    return False


def _writing_into(folder: Path) -> list[int]:
    """Processes whose stdout or stderr is a file in a folder, as those of pages are."""
    found = []
    for descriptor in Path("/proc").glob("[0-9]*/fd/[12]"):
        with suppress(OSError):
            if descriptor.readlink().is_relative_to(folder):
                found.append(int(descriptor.parts[2]))
    return found
