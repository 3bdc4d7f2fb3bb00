"""The site, served and on a disk; the browser that looks at it."""

import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from browser.browsing import SITE, Visit, chromium, served

expect.set_options(timeout=30_000)  # ms, as for all that is waited for: slow machines


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    with served(SITE) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address on disk of the zip that the site offers, unpacked."""
    folder = tmp_path_factory.mktemp("zip")
    (name,) = SITE.glob("*.zip")
    with zipfile.ZipFile(name) as archive:
        archive.extractall(folder)
    return f"{(folder / name.stem).as_uri()}/"


@pytest.fixture(params=["http", "file"])
def base(request: pytest.FixtureRequest, address: str, unpacked: str) -> str:
    """The site on a server, and from a folder on disk."""
    return address if request.param == "http" else unpacked


@pytest.fixture
def visit(browser: Browser, base: str) -> Iterator[Visit]:
    """A visit in which nothing may be complained about."""
    with browser.new_context(reduced_motion="reduce") as context:
        visit = Visit(context, base)
        yield visit
        assert visit.complaints == []
