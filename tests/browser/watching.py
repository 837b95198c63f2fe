"""What every visit of a page is watched for, and how long a test waits."""

from collections.abc import Callable

PATIENCE_MS = 180_000
"""How long a test waits before it gives up. It says nothing about speed: the machine may be busy."""


def watch(page, wrong: list[str], is_ours: Callable[[str], bool]) -> None:
    """Write down whatever must never happen on a page: a request to elsewhere, one that fails, an error."""
    page.on("request", lambda sent: is_ours(sent.url) or wrong.append(f"request to another host: {sent.url}"))
    page.on("requestfailed", lambda sent: is_left(sent) or wrong.append(f"request failed: {sent.url} {sent.failure}"))
    page.on("response", lambda got: got.status >= 400 and wrong.append(f"status {got.status}: {got.url}"))
    page.on("console", lambda said: said.type == "error" and wrong.append(f"console error: {said.text}"))
    page.on("pageerror", lambda error: wrong.append(f"page error: {error}"))


def expect(found, message: str | None = None):
    """Playwright's expectation of what is found on a page, which waits until it holds.

    Parts of a page arrive one after another, so what is read at once may be of before.
    """
    from playwright.sync_api import expect as expected  # not installed everywhere the tests are collected

    expected.set_options(timeout=PATIENCE_MS)
    return expected(found, message)


def is_left(sent) -> bool:
    """Whether the browser broke a request off itself, because its page was left before the answer came.

    A server that refuses, drops the line or never answers ends in another of Chromium's codes
    (``ERR_CONNECTION_REFUSED``, ``ERR_CONNECTION_RESET``, ``ERR_EMPTY_RESPONSE``, ``ERR_TIMED_OUT``).
    """
    return sent.failure == "net::ERR_ABORTED"
