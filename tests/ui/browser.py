"""Which browser the page is tried with, and a window of it."""

import re
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

    from tests.ui.conftest import ServedPage

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
WAIT_MS = 30_000
"""What is shown is waited for so long: others may use the machine, too."""
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
]


def open_window(browser: "Browser", served: "ServedPage", **settings: Any) -> "Iterator[Page]":
    """Yield a window that was let in, on the first page; what its console complains of fails the test."""
    from playwright.sync_api import expect  # where there is no Chromium, nobody opens a window

    context = browser.new_context(viewport={"width": 1280, "height": 860}, **settings)
    window = context.new_page()
    complaints: list[str] = []

    def listen(message: "ConsoleMessage") -> None:
        if message.type == "error" and "404" not in message.text:  # a picture that is not there yet
            complaints.append(f"{message.text} {message.location['url']}")

    window.on("console", listen)
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    window.goto(served.access.address)
    window.wait_for_url(re.compile(r"/p/|/projects"))
    yield window
    context.close()
    assert complaints == []
