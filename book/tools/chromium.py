"""The browser that prints the book and opens its pages in tests."""

from __future__ import annotations

import shutil


def find_chromium() -> str | None:
    """The path of a Chromium, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
