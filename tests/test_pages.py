"""Every page runs, and what it prints and claims is true."""

from collections.abc import Callable
from pathlib import Path

import pytest

from page_runner.runner import PageRunner


def test_page(
    script: Path,
    page_runner: PageRunner,
    record_property: Callable[[str, object], None],
) -> None:
    report = page_runner.finish(script)
    record_property("page_report", report)
    if report.problems:
        pytest.fail("\n\n".join(report.problems), pytrace=False)
