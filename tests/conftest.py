"""Options, fixtures and the closing summary of a test run."""

import os

# Before torch is imported: pages run beside the tests, and threads that wait spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import math
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import cast

import pytest

from page_runner.runner import PageRunner, Report
from page_runner.script import find_pages
from page_runner.seconds import read_seconds, write_seconds
from shards import OTHER_TESTS, Shard

REPORT = pytest.StashKey[Report]()
LONG = 60.0  # seconds of a page that starts before all other tests


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pages")
    group.addoption(
        "--device",
        choices=["cpu", "cuda"],
        default="cpu",
        help="the device that pages run on (default: cpu)",
    )
    group.addoption(
        "--record",
        action="store_true",
        help="write down what the pages print instead of comparing it",
    )
    group.addoption(
        "--claims-only",
        action="store_true",
        help="judge the pages' claims, warnings and figures; compare and keep nothing",
    )
    group.addoption(
        "--snippets",
        type=Path,
        default=Path(__file__).parents[1] / "snippets",
        help="the folder of pages (default: snippets/)",
    )
    group.addoption(
        "--shard",
        metavar="K/N",
        help="run the K-th of N shares of the pages; the first has all other tests",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`test_page` is run once for each page."""
    if "page_runner" in metafunc.fixturenames:
        scripts = find_pages(_snippets(metafunc.config))
        metafunc.parametrize("script", scripts, ids=[path.stem for path in scripts])


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what belongs to other shards; order the rest for xdist."""
    if shard := _shard(config):
        _leave_out_other_shards(config, shard, items)
    if getattr(config.option, "loadgroup", False):  # a worker's word for --dist
        _order(read_seconds(_snippets(config)), items)


def _leave_out_other_shards(
    config: pytest.Config, shard: Shard, items: list[pytest.Item]
) -> None:
    """Which pages those are depends on all pages, whatever `-k` selects of them."""
    stems = [script.stem for script in find_pages(_snippets(config))]
    if shard.of > len(stems):
        raise pytest.UsageError(
            f"--shard: {len(stems)} pages make no {shard.of} shares"
        )
    others = 0.0 if all(map(_is_page_test, items)) else OTHER_TESTS
    share = shard.share(stems, read_seconds(_snippets(config)), others)
    chosen: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        script = _script_of(item)
        belongs = script.stem in share if script else shard.has_other_tests
        (chosen if belongs else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = chosen


def _order(seconds: Mapping[str, float], items: list[pytest.Item]) -> None:
    """For `--dist=loadgroup`: long pages, then all other tests, then short pages.

    The longest page is first, so that none is left to run alone at the end. Each page
    is a group of its own; of the other tests, each file is one.
    """

    def place(item: pytest.Item) -> float:
        if not (script := _script_of(item)):
            item.add_marker(pytest.mark.xdist_group(item.path.name))
            return -LONG
        return -seconds.get(script.stem, math.inf)

    items.sort(key=place)


@pytest.fixture(scope="session")
def page_runner(request: pytest.FixtureRequest) -> Iterator[PageRunner]:
    """Runs all the selected pages, two at a time, while tests wait for theirs.

    Where pytest itself runs tests side by side (xdist), a page starts with its test.
    """
    option = request.config.getoption
    selected = [
        script
        for item in request.session.items
        if (script := _script_of(item)) and not hasattr(request.config, "workerinput")
    ]
    with PageRunner(
        option("--device"),
        record=option("--record"),
        claims_only=option("--claims-only"),
    ) as runner:
        runner.start(*selected)
        yield runner


@pytest.fixture
def keep_report(request: pytest.FixtureRequest) -> Callable[[Report], None]:
    """Keeps what became of a page for the terminal."""
    return lambda report: request.node.stash.setdefault(REPORT, report)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put that into the test's report as plain data, which can go to any process."""
    report = yield
    if page_report := item.stash.get(REPORT, None):
        vars(report)["page_report"] = asdict(page_report)
    return report


def _snippets(config: pytest.Config) -> Path:
    """The folder of pages."""
    return cast(Path, config.getoption("--snippets")).resolve()


def _shard(config: pytest.Config) -> Shard | None:
    """The share that was asked for; None for everything."""
    text = config.getoption("--shard")
    return Shard.parse(text) if text else None


def _is_page_test(item: pytest.Item) -> bool:
    """Whether a test runs a page; code blocks of Markdown files have no fixtures."""
    return "page_runner" in getattr(item, "fixturenames", ())


def _script_of(item: pytest.Item) -> Path | None:
    """The page that a test runs; None for any other test."""
    if not _is_page_test(item) or not isinstance(item, pytest.Function):
        return None
    return cast(Path, item.callspec.params["script"])


def _page_report(report: object) -> Report | None:
    """The report of the page that a test is about; None for any other test."""
    fields = getattr(report, "page_report", None)
    return Report(**fields) if fields else None


class PageReporter:
    """A line in the terminal for each page, and a closing summary."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self.terminal = terminal
        self.reports: list[Report] = []
        self.wants_pages = False  # whether a worker of xdist has collected one

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what became of each page."""
        if report.when == "call" and (page_report := _page_report(report)):
            self.reports.append(page_report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, str] | None:
        """What a page's line says in place of PASSED."""
        page_report = _page_report(report)
        if page_report and report.when == "call" and report.passed:
            return "passed", ".", page_report.line()
        return None

    def pytest_terminal_summary(self, config: pytest.Config) -> None:
        """How many pages ran, were cached, were compared, and ran on stand-in data."""
        if not self.reports:
            return
        count = Counter(report.status for report in self.reports)
        passed = [report for report in self.reports if report.status != "failed"]
        compared = [report for report in passed if not report.not_compared]
        numbers = sum(report.compared for report in compared)
        words = sum(report.words for report in compared)
        figures = sum(report.figures for report in compared)
        asserts = sum(report.asserts for report in passed)
        stand_ins = sum(report.stand_in for report in self.reports)
        self.terminal.section("pages")
        if shard := _shard(config):
            count_all = len(find_pages(_snippets(config)))
            self.terminal.write_line(
                f"shard {shard}: {len(self.reports)} of {count_all} pages"
            )
        self.terminal.write_line(
            f"{count['ran']} ran, {count['cached']} cached, {count['failed']} failed; "
            f"{len(compared)} compared ({numbers:,} numbers, {words:,} words, "
            f"{figures} figures), {asserts:,} asserts held, "
            f"{stand_ins} on stand-in data"
        )
        if config.getoption("--claims-only"):
            message = "claims only: nothing was compared with the recordings or kept"
            self.terminal.write_line(message, yellow=True)
            return
        for report in passed:
            if report.not_compared:
                message = f"{report.stem}: {report.not_compared}"
                self.terminal.write_line(f"not compared: {message}", yellow=True)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Note what a worker of xdist said at its end."""
        self.wants_pages |= getattr(node, "workeroutput", {}).get("pages", False)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A run that was asked for pages and executed none has failed."""
        wanted = self.wants_pages or any(map(_is_page_test, session.items))
        if wanted and not self.reports and not session.config.option.collectonly:
            self.terminal.write_line("no page was executed, none was cached", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if session.config.getoption("--record"):
            stems = [script.stem for script in find_pages(_snippets(session.config))]
            ran = [report for report in self.reports if report.status == "ran"]
            new = {report.stem: report.seconds for report in ran}
            write_seconds(_snippets(session.config), stems, new)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist says whether it collected a page: its runner collects none."""
    if output := getattr(session.config, "workeroutput", None):
        output["pages"] = any(map(_is_page_test, session.items))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many practice notebooks ran, and which were left to their session."""
    calls = [
        (stem, report.outcome)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, stem in report.user_properties
        if name == "practice notebook"
    ]
    if calls:
        left = sorted(stem for stem, outcome in calls if outcome == "skipped")
        terminalreporter.write_line(
            f"practice notebooks: {len(calls) - len(left)} ran, {len(left)} are left "
            f"to `nox -s practice`: {', '.join(left) or 'none'}"
        )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--record") and config.getoption("--claims-only"):
        raise pytest.UsageError("--claims-only compares nothing, --record writes it")
    if config.getoption("--record") and config.getoption("numprocesses", None):
        raise pytest.UsageError(
            "--record runs pages side by side itself: leave out --numprocesses, whose "
            "workers would overwrite each other's checksums"
        )
    try:
        _shard(config)
    except ValueError as error:
        raise pytest.UsageError(f"--shard: {error}") from error
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal:  # a worker of xdist has none
        config.pluginmanager.register(PageReporter(terminal))
