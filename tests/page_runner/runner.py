"""Runs the pages that are not current, judges each run, and keeps what passed."""

import datetime
import math
import traceback
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from page_runner import expected as recorded
from page_runner import recording, store
from page_runner.judge import Verdict, judge, locate, unknown_data, uses_stand_in
from page_runner.pool import PageDied, PagePool
from page_runner.run import Run
from page_runner.script import Page, PageError, parse
from page_runner.seconds import read_seconds
from page_runner.variations import PLAIN, VARIATIONS, Variation


@dataclass
class Report:
    """What became of one page."""

    stem: str
    problems: list[str]
    status: str = "failed"  # or "ran", "cached"
    reason: str = ""  # why it ran
    seconds: float = 0.0
    compared: int = 0  # numbers
    words: int = 0  # compared
    figures: int = 0  # compared
    asserts: int = 0  # that ran
    not_compared: str = ""
    stand_in: bool = False

    @classmethod
    def of(
        cls, stem: str, status: str, facts: Mapping[str, Any], **more: Any
    ) -> "Report":
        """The report of a run with these facts."""
        return cls(
            stem=stem,
            status=status,
            seconds=facts["seconds"],
            compared=facts["compared"],
            words=facts["words"],
            figures=facts["figures"],
            asserts=facts["asserts"],
            not_compared=facts["not_compared"],
            stand_in=uses_stand_in(facts["data"]),
            **{"problems": [], **more},
        )

    def line(self) -> str:
        """One line for the terminal."""
        status = f"ran ({self.reason})" if self.status == "ran" else self.status
        compared = (
            f"{self.compared} numbers, {self.words} words and {self.figures} figures"
            " compared"
        )
        judged = f"not compared: {self.not_compared}" if self.not_compared else compared
        return f"{status}, {self.seconds:.1f} s, {self.asserts} asserts, {judged}"


@dataclass
class Started:
    """A page whose runs were asked for, and what the plain one depends on."""

    page: Page
    digest: str  # of the script as it was read
    dependencies: dict[str, Any]
    reason: str
    known_seconds: float  # of its last run
    runs: dict[Variation, Future[Run]] = field(default_factory=dict)


class PageRunner:
    """Runs pages on one device; use as a context manager.

    With `record`, what a page prints is written down instead of compared: it runs once
    plainly, which is what is recorded, and in each variation, to see what moves.
    With `claims_only`, every page runs, nothing is compared, and nothing is kept. With
    `live`, somebody edits files meanwhile, so that no page is to blame for that.
    """

    def __init__(
        self,
        device: str,
        jobs: int = 2,
        *,
        record: bool = False,
        claims_only: bool = False,
        live: bool = False,
    ) -> None:
        self.device, self.record, self.claims_only = device, record, claims_only
        written = ("",) if live else ("tests/expected/",) if record else ()
        self._pool = PagePool(device, store.data_root(), jobs, may_change=written)
        self._started: dict[Path, Started] = {}
        self._reports: dict[Path, Report] = {}

    def __enter__(self) -> "PageRunner":
        self._pool.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.__exit__(*error)

    def prepare(self) -> None:
        """Get ready to run the first page at once."""
        self._pool.prepare()

    def start(self, *scripts: Path) -> None:
        """Put pages in the queue, but those whose file has a current run.

        The longest page starts first, so that none is left to run alone at the end.
        """
        waiting = []
        for script in scripts:
            try:
                if started := self._examine(script):
                    waiting.append(started)
                    self._pool.prepare()  # while the others are examined
            except Exception as error:
                self._reports[script] = _failed(script, error)
        ways = [PLAIN, *VARIATIONS] if self.record else [PLAIN]
        for started in sorted(waiting, key=lambda one: one.known_seconds, reverse=True):
            started.runs = {way: self._pool.submit(started.page, way) for way in ways}
            self._started[started.page.path] = started

    def _examine(self, script: Path) -> Started | None:
        """A page that has to run, and why; None where its report is there already."""
        digest = store.script_digest(script)  # before it is read: a later edit shows
        page = parse(script)
        if self.record and self.device != "cpu":
            message = (
                "not recorded: what the CPU prints is recorded; leave out --device"
            )
            self._reports[script] = Report(page.stem, [locate(page, None, message)])
            return None
        now = store.dependencies(page, self.device)
        stored = store.read(script, self.device)
        reasons = store.changes(stored, now)
        if stored is None and store.page_path(script, self.device).exists():
            reasons = ["its page file was damaged"]
        asked = "record" if self.record else "claims only" if self.claims_only else ""
        if stored is None or reasons or asked:
            reason = ", ".join(reasons) or asked
            # What was neither run nor recorded may be the longest.
            if stored:
                seconds = stored.metadata.run.seconds
            else:
                seconds = read_seconds(script.parent).get(page.stem, math.inf)
            return Started(page, digest, now, reason, seconds)
        store.refresh(page, digest, stored, self.device)
        self._reports[script] = Report.of(page.stem, "cached", stored.metadata.run)
        return None

    def finish(self, script: Path) -> Report:
        """Wait for a page, which is started if it was not; judge and store its run."""
        if script not in self._reports and script not in self._started:
            self.start(script)
        if script in self._reports:
            return self._reports.pop(script)
        started = self._started.pop(script)
        try:
            report = self._finish(started)
        except Exception as error:
            report = _failed(script, error)
        if report.problems and not self.claims_only:
            store.disown(script, self.device)
        return report

    def _finish(self, started: Started) -> Report:
        page, runs = started.page, {}
        for way, future in started.runs.items():
            try:
                runs[way] = future.result()
            except PageDied as died:
                cell = page.code[died.cell - 1] if died.cell else None
                message = f"{died.message}\n    "
                if way is PLAIN:
                    message += f"Run it alone: python {page.path}"
                else:
                    message += f"not recorded: that was {way.name}"
                return Report(page.stem, [locate(page, cell, message, died.line)])
        run = runs.pop(PLAIN)
        verdict = self._judge(page, run, runs)
        facts = self._facts(run, verdict)
        if verdict.problems:
            return Report.of(page.stem, "failed", facts, problems=verdict.problems)
        if self.record:
            started.dependencies |= store.recorded(page)
        if self.claims_only:
            return Report.of(page.stem, "ran", facts, reason=started.reason)
        facts["dependencies"] = started.dependencies
        store.save(page, started.digest, run.outputs, facts, self.device)
        return Report.of(page.stem, "ran", facts, reason=started.reason)

    def _judge(self, page: Page, run: Run, others: dict[Variation, Run]) -> Verdict:
        """Judge a run against the recording, which is written first when recording."""
        if self.device != "cpu" and not run.on_gpu:
            message = f"there is no device `{self.device}` here: leave out --device"
            return Verdict([locate(page, None, message)])
        path = store.expected_path(page.path)
        if self.record and not run.failure:
            if uses_stand_in(run.data):
                message = "not recorded: it ran on stand-in data"
                return Verdict([locate(page, None, message)])
            if problems := unknown_data(page, run):
                return Verdict(problems, not_compared="it was not recorded")
            measured, problems = recording.combine(page, run, others)
            if problems:
                return Verdict(problems, not_compared="it was not recorded")
            self._write_recording(path, recorded.render(page, measured))
        try:
            expected = None if self.claims_only else recorded.read(path)
        except ValueError as error:
            message = (
                f"{error}\n    `git restore` brings it back, "
                f"`nox -s record -- {page.stem}` makes it anew."
            )
            return Verdict([locate(page, None, message)])
        return judge(page, run, expected, self.device, self.claims_only)

    def _write_recording(self, path: Path, text: str) -> None:
        """Write a recording, and its checksum if those of the others are kept."""
        store.write_whole(path, text)
        if sums := recorded.read_sums(path.parent):
            sums[path.name] = recorded.checksum(text.encode())
            there = {name: sums[name] for name in sums if (path.parent / name).exists()}
            sums_path = path.parent / recorded.SUMS
            store.write_whole(sums_path, recorded.render_sums(there))

    def _facts(self, run: Run, verdict: Verdict) -> dict[str, Any]:
        """What the site says of a run."""
        return {
            "date": datetime.date.today().isoformat(),
            "seconds": round(run.seconds, 2),
            "device": self.device,
            "device_name": run.device_name,
            "processor": run.processor,
            **run.versions,
            "data": run.data,
            "altered": altered(run),
            "files": run.files,
            "result": run.result,
            "compared": verdict.compared,
            "words": verdict.words,
            "figures": verdict.figures,
            "asserts": len(run.claims),
            "not_compared": verdict.not_compared,
            "margins": verdict.margins,
        }


def altered(run: Run) -> dict[str, str]:
    """What was done to the data of a run, by data set, where it is no original."""
    copies = {
        name: run.copies.get(kind.replace("real", name, 1), "")
        for name, kind in run.data.items()
    }
    return {name: change for name, change in copies.items() if change}


def _failed(script: Path, error: Exception) -> Report:
    """The report of a page that is none, or on which the runner itself stumbled."""
    if isinstance(error, PageError):
        message = str(error)
    else:
        lines = traceback.format_exception(error)
        what = f"the runner failed on this page: {type(error).__name__}: {error}"
        message = f"{script.name}:1: {what}\n{''.join(lines)}"
    return Report(script.stem, [message])
