"""The pages that add something to the package, followed in a copy of it, change by change."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ADDING, ROOT, Block, blocks_of, name_of

RUN = """
import doctest, sys
import centrum
assert centrum.__file__.startswith(sys.argv[1]), centrum.__file__
session = doctest.DocTestParser().get_doctest(sys.stdin.read(), {}, "page", None, 0)
assert session.examples
sys.exit(doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session).failed)
"""


def changed(text: str, diff: str) -> str:
    """A text with the lines of a diff changed, which stand in it once.

    >>> changed("a\\nb\\nc\\n", " b\\n+x\\n-c\\n")
    'a\\nb\\nx\\n'
    """
    lines = diff.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] in marks) for marks in (" -", " +"))
    assert text.count(old) == 1, f"stands {text.count(old)} times:\n{old}"
    return text.replace(old, new)


def make(block: Block, copy: Path) -> None:
    place = copy / block.title
    if block.language == "diff":
        place.write_text(changed(place.read_text(encoding="utf-8"), block.text), encoding="utf-8")
    else:
        assert not place.exists()
        place.write_text(block.text, encoding="utf-8")


def follow(page: Path, folder: Path, without: int = -1) -> subprocess.CompletedProcess:
    """Make the changes of a page, but perhaps one of them, in a copy of the package, and run it."""
    shutil.copytree(ROOT / "src" / "centrum", folder / "centrum")  # and what is compiled of it
    changes = [block for block in blocks_of(page) if block.title]
    for k, block in enumerate(changes):
        if k != without:
            make(block, folder)
    (session,) = (block for block in blocks_of(page) if block.language == "pycon")
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-c", RUN, str(folder)],
        input=session.text, capture_output=True, text=True, check=False, cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


@pytest.mark.parametrize("page", ADDING, ids=name_of)
def test_following_the_page_works(page: Path, tmp_path: Path) -> None:
    done = follow(page, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "without", "told"),
    [
        ("feature-family", 4, "do not know the same families: means"),
        ("feature-family", 5, "'means'"),
        ("filter", 1, "'power'"),
        ("classifier", 3, "'discriminant'"),
        ("table-format", 4, "'prefixed'"),
    ],
)
def test_what_is_forgotten_is_said(name: str, without: int, told: str, tmp_path: Path) -> None:
    """Whoever leaves a step out reads a sentence that names what is missing."""
    (page,) = (page for page in ADDING if page.stem == f"add-a-{name}")
    done = follow(page, tmp_path, without)
    assert done.returncode != 0
    assert told in (done.stdout + done.stderr).strip().splitlines()[-1] or told in done.stdout
