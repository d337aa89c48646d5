"""Debian's Chromium, without a window, as playwright drives it."""

import contextlib
import shutil

from natya_processes import WAIT_S

CHROMIUM = shutil.which("chromium")
WAIT_MS = 1_000 * WAIT_S


@contextlib.contextmanager
def a_browser():
    """Run it; it is not the one that playwright would fetch."""
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415  only who has a browser waits for it

    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM) as browser:
        yield browser


def watched_page(browser_or_context, complaints, asked):
    """Return a new page; its errors are added to `complaints`, and each URL that it asks for to `asked`."""
    page = browser_or_context.new_page()
    page.on("pageerror", lambda fault: complaints.append(str(fault)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda each: asked.append(each.url))
    return page
