"""Re-runs a page when it is saved: `python -m page_runner.watch snippets`.

The site's live server starts this beside itself. It prints what became of each page;
the server renders a page again when its page file is written, for edited prose at once.
"""

import os
import sys
import threading
import time
from pathlib import Path

from page_runner.runner import PageRunner
from page_runner.script import find_pages
from page_runner.store import expected_path

INTERVAL = 0.05  # seconds between looks at the folder


def stamp(script: Path) -> tuple[int, ...]:
    """When the files that a page is made of were last changed; 0 for one not there."""
    files = script, script.parent / "load.py", expected_path(script)
    return tuple(_time_of_change(file) for file in files)


def _time_of_change(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:  # not there, or not just now: an editor may replace it
        return 0


class Watcher:
    """Runs each page of a folder that is not current, and again whenever it changes."""

    def __init__(self, runner: PageRunner, folder: Path) -> None:
        self.runner, self.folder = runner, folder
        self._seen: dict[Path, tuple[int, ...]] = {}
        self._running: set[Path] = set()

    def look(self) -> None:
        """Start a run of each page that has changed since it was last looked at."""
        for script in find_pages(self.folder):
            now = stamp(script)
            if script not in self._running and self._seen.get(script) != now:
                self._seen[script] = now
                self._running.add(script)
                threading.Thread(target=self._run, args=[script], daemon=True).start()

    def _run(self, script: Path) -> None:
        try:
            self.runner.start(script)
            report = self.runner.finish(script)
        finally:
            self._running.discard(script)
        if report.problems:
            print("\n".join([f"{report.stem} FAILED", *report.problems]), flush=True)
        elif report.status != "cached":
            print(f"{report.stem} {report.line()}", flush=True)


def main() -> None:
    """Watch the folder named on the command line until the parent process ends."""
    parent = os.getppid()
    with PageRunner("cpu", live=True) as runner:
        runner.prepare()
        watcher = Watcher(runner, Path(sys.argv[1]).resolve())
        while os.getppid() == parent:
            watcher.look()
            time.sleep(INTERVAL)


if __name__ == "__main__":
    main()
