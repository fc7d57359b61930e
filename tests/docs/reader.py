"""Somebody who does what a page says, block by block."""

import doctest
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from centrum.cli import app
from tests.docs.pages import Block, blocks_of

FINDINGS = ("Look at these:", "Notes:")
"""Headings of indented lines."""

ALIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass
class Reader:
    """Runs the Python of a page in one session; with `shell` its commands too.

    What a command prints has to be what the page shows below it; where `exact` is off, because
    the patients are others, it has to be as many lines of the same kinds.
    """

    page: Path
    shell: bool = False
    exact: bool = True
    names: dict[str, Any] = field(default_factory=dict)
    printed: str = ""

    def follow(self) -> None:
        for block in (b for b in blocks_of(self.page) if not b.quoted):
            if block.title:
                Path(block.title).write_text(block.text, encoding="utf-8")
            elif block.language == "pycon":
                self.converse(block)
            elif block.language == "python":
                exec(compile("\n" * block.line + block.text, str(self.page), "exec"), self.names)
            elif block.language == "bash" and self.shell:
                self.printed = "".join(map(self.command, block.text.splitlines()))
            elif block.language == "text" and self.shell:
                self.compare(block)

    def converse(self, block: Block) -> None:
        """A session with prompts."""
        session = doctest.DocTestParser().get_doctest(
            block.text, self.names, self.page.name, str(self.page), block.line
        )
        assert session.examples
        told: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(session, out=told.append, clear_globs=False)
        assert told == [], "".join(told)
        self.names.update(session.globs)

    def command(self, line: str) -> str:
        program, *words = line.split()
        assert program == "centrum"
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    def compare(self, block: Block) -> None:
        shown, printed = block.text, self.printed
        if not self.exact:
            shown, printed = beginnings(shown), beginnings(printed)
        assert doctest.OutputChecker().check_output(shown, printed, ALIKE), (
            f"{self.page.name}, line {block.line}, shows\n{shown}\nbut this was printed:\n{printed}"
        )


def beginnings(text: str) -> str:
    """The first word of every line, its number left out; none of what to look at."""
    lines = [line for line in text.splitlines() if line[:1].strip() and line not in FINDINGS]
    return re.sub(r"\d+", "0", "\n".join(line.split()[0] for line in lines))
