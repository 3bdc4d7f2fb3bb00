"""Runs the pages that are not current, judges each run, and keeps what passed."""

import datetime
import traceback
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from page_runner import expected as recorded
from page_runner import store
from page_runner.judge import Verdict, describe, judge, uses_stand_in
from page_runner.pool import PageDied, PagePool
from page_runner.run import Run
from page_runner.script import Page, PageError, parse


@dataclass
class Report:
    """What became of one page."""

    stem: str
    problems: list[str]
    status: str = "failed"  # or "ran", "cached"
    reason: str = ""  # why it ran
    seconds: float = 0.0
    compared: int = 0
    not_compared: str = ""
    stand_in: bool = False

    def line(self) -> str:
        """One line for the terminal."""
        status = f"ran ({self.reason})" if self.status == "ran" else self.status
        numbers = f"{self.compared} numbers compared"
        judged = f"not compared: {self.not_compared}" if self.not_compared else numbers
        return f"{status}, {self.seconds:.1f} s, {judged}"


class PageRunner:
    """Runs pages on one device; use as a context manager.

    With `record`, what a page prints is written down instead of compared.
    """

    def __init__(self, device: str, record: bool = False, jobs: int = 2) -> None:
        self.device, self.record = device, record
        self._pool = PagePool(device, store.data_root(), jobs)
        self._runs: dict[Path, tuple[Page, str, Future[Run]]] = {}
        self._reports: dict[Path, Report] = {}

    def __enter__(self) -> "PageRunner":
        self._pool.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.__exit__(*error)

    def prepare(self) -> None:
        """Get ready to run the first page at once."""
        self._pool.prepare()

    def start(self, script: Path) -> None:
        """Put a page in the queue, unless its executed notebook is current."""
        try:
            page = parse(script)
            changes = store.changed(page, self.device)
        except PageError as error:
            self._reports[script] = Report(script.stem, [str(error)])
            return
        except Exception as error:
            self._reports[script] = _unforeseen(script, error)
            return
        if changes or self.record:
            reason = ", ".join(changes) or "record"
            self._runs[script] = page, reason, self._pool.submit(page)
        else:
            self._reports[script] = self._cached(script)

    def finish(self, script: Path) -> Report:
        """Wait for a page that was started; judge and store its run."""
        if script in self._reports:
            return self._reports.pop(script)
        page, reason, future = self._runs.pop(script)
        try:
            return self._finish(page, reason, future.result())
        except PageDied as died:
            cell = page.code[died.cell - 1] if died.cell else None
            message = f"{died.message}\n    Run it alone: python {page.path}"
            return Report(page.stem, [describe(page, cell, message, died.line)])
        except Exception as error:
            return _unforeseen(script, error)

    def _finish(self, page: Page, reason: str, run: Run) -> Report:
        """Judge and store a run."""
        verdict = self._judge(page, run)
        report = _report(page, run, verdict, reason)
        if not report.problems:
            store.save(page, run.outputs, self._describe(run, verdict), self.device)
        return report

    def _cached(self, script: Path) -> Report:
        run = store.current_notebook(script, self.device).metadata.run
        return Report(
            stem=script.stem,
            problems=[],
            status="cached",
            seconds=run.seconds,
            compared=run.compared,
            not_compared=run.not_compared,
            stand_in=uses_stand_in(run.data),
        )

    def _judge(self, page: Page, run: Run) -> Verdict:
        """Judge a run against the recording, which is written first when recording."""
        path = store.expected_path(page.path)
        if self.record and not run.failure:
            if uses_stand_in(run.data):
                message = "not recorded: it ran on stand-in data"
                return Verdict([describe(page, None, message)])
            text = recorded.render(page, run.printed(), run.data)
            store.write_whole(path, text)
        try:
            expected = recorded.read(path)
        except ValueError as error:
            return Verdict(
                [f"{error}\n    `nox -s record -- {page.stem}` rewrites it."]
            )
        return judge(page, run, expected, self.device)

    def _describe(self, run: Run, verdict: Verdict) -> dict:
        """What the site says of a run."""
        return {
            "date": datetime.date.today().isoformat(),
            "seconds": round(run.seconds, 2),
            "device": self.device,
            "device_name": run.device_name,
            **run.versions,
            "data": run.data,
            "files": run.files,
            "result": run.result,
            "compared": verdict.compared,
            "not_compared": verdict.not_compared,
        }


def _unforeseen(script: Path, error: Exception) -> Report:
    """The report of a page with which the runner itself cannot cope."""
    where = "".join(traceback.format_exception(error))
    message = f"{script.name}:1: the runner failed on this page: {error}\n{where}"
    return Report(script.stem, [message])


def _report(page: Page, run: Run, verdict: Verdict, reason: str) -> Report:
    return Report(
        stem=page.stem,
        problems=verdict.problems,
        status="failed" if verdict.problems else "ran",
        reason=reason,
        seconds=run.seconds,
        compared=verdict.compared,
        not_compared=verdict.not_compared,
        stand_in=uses_stand_in(run.data),
    )
