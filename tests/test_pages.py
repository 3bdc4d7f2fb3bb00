"""Every page runs, and what it prints and claims is true."""

from collections.abc import Callable
from pathlib import Path

import pytest

from page_runner.runner import PageRunner, Report


def test_page(
    script: Path,
    page_runner: PageRunner,
    keep_report: Callable[[Report], None],
) -> None:
    report = page_runner.finish(script)
    keep_report(report)
    if report.problems:
        pytest.fail("\n\n".join(report.problems), pytrace=False)
