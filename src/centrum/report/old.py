"""A report that a later, failed run has left standing says at its top that it is old."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from centrum.stages import PAGE
from centrum.store import write_atomically

TOLD = f"{PAGE} is that of an earlier run; it says so at its top now."
"""What is said beside the error of the run."""

_BEGIN, _END = "<!-- old -->", "<!-- /old -->"


@contextmanager
def marking_old(results: Path) -> Iterator[None]:
    """Mark the report in the folder as old when what is done within fails."""
    try:
        yield
    except BaseException as error:
        if mark_as_old(results / PAGE) and TOLD not in getattr(error, "__notes__", ()):
            error.add_note(TOLD)
        raise


def mark_as_old(page: Path) -> bool:
    """Put a banner with today's date at the top of a page; whether there is a page.

    The next run that succeeds writes the page anew, since it is not as its stage left it.
    """
    if not page.is_file():
        return False
    text = page.read_text(encoding="utf-8")
    text = re.sub(f"{_BEGIN}.*?{_END}", "", text, flags=re.DOTALL)
    banner = (
        f'{_BEGIN}<p class="warning" role="alert"><strong>Old.</strong> A run of '
        f"{date.today():%d %B %Y} failed: this is the report of an earlier one and may not show "
        f"the study as it is now.</p>{_END}"
    )
    marked = re.sub(r"(<body[^>]*>)", lambda body: body[0] + banner, text, count=1)
    write_atomically(page, marked.encode())
    return True
