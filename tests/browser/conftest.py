"""The site, served; the browser that looks at it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from browser.browsing import SITE, chromium, served


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with served(SITE) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser
