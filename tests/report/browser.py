"""A page in a browser, and what its script says in its title."""

import html
import re
import shutil
import subprocess
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def titled(page: str, folder: Path) -> str:
    """The title of a page when its scripts have run."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000",
               f"--user-data-dir={folder / 'profile'}", "--dump-dom")  # fmt: skip
    done = subprocess.run(
        [str(CHROMIUM), *options, path.as_uri()],
        capture_output=True, check=True, timeout=120, text=True,
    )  # fmt: skip
    title = re.search("<title>(.*?)</title>", done.stdout)
    assert title is not None, done.stdout
    return html.unescape(title[1])
