"""One browser for the tests of the page; without one they skip, in CI they fail."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.browser.places import Room, make_study, open_room
from tests.web.browser.sight import ARGUMENTS, CHROMIUM, Eyes


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright.

    It lives as long as the tests of this package: its loop runs in this thread, and other tests
    want to start one of their own.
    """
    if CHROMIUM is None and "CI" not in os.environ:
        pytest.skip("there is no browser (chromium)")
    if "CI" in os.environ:
        from playwright.sync_api import sync_playwright
    else:
        reason = "there is no playwright"
        sync_playwright = pytest.importorskip("playwright.sync_api", reason=reason).sync_playwright
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A room of one reader, in which each test opens a fresh case; see `places`."""
    with open_room(make_study(tmp_path_factory.mktemp("room") / "study")) as found:
        yield found


@pytest.fixture(scope="module")
def entered(browser: Any, room: Room) -> Iterator[Eyes]:
    """A reader who has entered, for the tests of a module."""
    with Eyes.before(browser, room) as found:
        yield found


@pytest.fixture
def eyes(entered: Eyes) -> Iterator[Eyes]:
    """That reader before the worklist, in a tab of this test alone."""
    with entered.fresh_tab() as found:
        yield found
