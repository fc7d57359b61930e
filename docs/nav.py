"""The site's tabs: one for each folder, its pages in the order in which its README links them.

A page that the README does not link comes last, so that a new one appears by itself.
"""

import re
from pathlib import Path
from typing import Any

TABS = {
    "Tutorials": "tutorials",
    "How-to": "how-to",
    "Concepts": "concepts",
    "Reference": "reference",
    "Decisions": "decisions",
}


def on_config(config: Any) -> Any:
    """Called by mkdocs before it reads the pages."""
    docs = Path(config.docs_dir)
    tabs = [
        {tab: [f"{folder}/{name}" for name in pages(docs / folder)]} for tab, folder in TABS.items()
    ]
    config.nav = [{"Home": "README.md"}, *tabs]
    return config


def pages(folder: Path) -> list[str]:
    """Names of a folder's pages: its README, what that links, the others."""
    there = sorted(path.name for path in folder.glob("*.md"))
    linked = re.findall(r"\]\(([\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    order = dict.fromkeys(["README.md", *linked, *there])
    return [name for name in order if name in there]
