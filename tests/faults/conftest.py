"""What was tried, what was seen and how long it took, as a table."""

import datetime
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from page_runner.execute import processor
from page_runner.store import write_whole

MEASURED = Path(__file__).parents[2] / "docs" / "measured" / "faults.json"
SEEN = pytest.StashKey[str]()


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says what was seen, for the table."""
    return lambda text: request.node.stash.setdefault(SEEN, text)


class Table:
    """The rows of the table, written when all has been tried."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self.terminal = terminal
        self.rows: list[dict[str, object]] = []
        self.left_out = False  # whether an option selects some of the tests

    def pytest_deselected(self) -> None:
        """Note that not all is tried."""
        self.left_out = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Iterator[None]:
        report = yield
        if call.when == "call":
            fault = (getattr(item, "obj", None).__doc__ or item.name).split("\n")[0]
            self.rows.append(
                {
                    "fault": fault.rstrip(".").replace("{}", _parameter(item)),
                    "seen": item.stash.get(SEEN, "") if call.excinfo is None else "",
                    "held": call.excinfo is None,
                    "seconds": round(call.duration, 1),
                }
            )
        return report

    def pytest_terminal_summary(self) -> None:
        self.terminal.section("faults")
        for row in self.rows:
            held = "held" if row["held"] else "DID NOT HOLD"
            line = f"{row['fault']}: {row['seen'] or held}, {row['seconds']} s"
            self.terminal.write_line(line, red=not row["held"])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the table down, if all was tried and held."""
        is_whole = (
            all(Path(str(name)).exists() for name in session.config.args)  # no test's
            and not self.left_out
            and not session.config.option.maxfail
        )
        if is_whole and self.rows and all(row["held"] for row in self.rows):
            about = {
                "date": datetime.date.today().isoformat(),
                "machine": f"{processor()}, {os.cpu_count()} cores",
            }
            text = json.dumps({**about, "rows": self.rows}, indent=1)
            write_whole(MEASURED, f"{text}\n")


def _parameter(item: pytest.Item) -> str:
    callspec = getattr(item, "callspec", None)
    return callspec.id if callspec else ""


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal:
        config.pluginmanager.register(Table(terminal))
