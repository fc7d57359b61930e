"""Pages of the documentation, and the blocks of code in them."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

FENCED = re.compile(
    r'^(?P<indent> *)```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n'
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that the reader is to save it as, its place.

    A title that begins with src/ is that of a file which the block quotes.
    """

    language: str
    title: str
    text: str
    line: int

    @property
    def quoted(self) -> bool:
        return self.title.startswith("src/")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            found["language"],
            found["title"] or "",
            textwrap.dedent(found["text"]),
            text.count("\n", 0, found.start("text")),
        )
        for found in FENCED.finditer(text)
    ]


def prose_of(page: Path) -> str:
    """The page without its fenced blocks."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors_of(page: Path) -> set[str]:
    """The anchors of its headings, as the site and the code's host make them."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {
        re.sub(r"[^\w\s-]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


ADDING = [page for page in PAGES if any(b.title.startswith("centrum/") for b in blocks_of(page))]
"""Pages whose blocks are files of the package to write or to change."""
