"""Pages that tests make, run, and see end."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from page_runner.pool import PagePool
from page_runner.run import Run
from page_runner.script import Page, parse

TESTS = Path(__file__).parent
HEADER = (TESTS / "samples" / "11_good.py").read_text().partition("# %%")[0]

ENDLESS = """\
import os, time
from pathlib import Path
Path({marker!r}).write_text(str(os.getpid()))
while True: time.sleep(1)"""

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="pages are forked, and /proc is there, on Linux"
)


def patience() -> float:
    """Seconds in which all ends: two, and more while many share a processor."""
    return 2 * max(1, os.getloadavg()[0] / (os.cpu_count() or 1))


def page_of(
    folder: Path, code: str, time_limit: float | None = None, stem: str = "11_page"
) -> Page:
    """A page whose first code cell begins with `code`."""
    header = HEADER
    if time_limit:
        header = header.replace("level:", f"time_limit: {time_limit}\n#     level:")
        code = code.removeprefix("\n")
    script = folder / "snippets" / f"{stem}.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"{header}# %% [markdown]\n# # Title\n\n# %%\n{code}\n")
    return parse(script)


def run_page(folder: Path, code: str, **options: Any) -> Run:
    """What running a page gives; it may fail."""
    with PagePool("cpu", folder, **options) as pages:
        return pages.submit(page_of(folder, code)).result()


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie that waits for its parent."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def written_to(marker: Path) -> int:
    """The number that a page writes to a file when it has started."""
    wait_until(lambda: marker.exists() and marker.read_text() != "", seconds=120)
    return int(marker.read_text())


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for something to become true, and fail where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
