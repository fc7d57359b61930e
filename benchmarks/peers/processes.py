"""Talk to the processes of `serve.py`, each in the environment of its tool."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from peers.build import available

HERE = Path(__file__).resolve().parent

ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "NUMBA", "PICTOLOGICS")
} | {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}


class ToolError(Exception):
    """What a tool raised, or that its process ended."""


@dataclass(frozen=True)
class Tool:
    """A way to extract features: the peer it is ("" for centrum itself), script and task."""

    name: str
    peer: str
    command: tuple[str, ...]
    task: Mapping[str, Any] = field(default_factory=dict)

    @property
    def python(self) -> Path | None:
        """The interpreter to run it with, or None if the peer has not been built."""
        return available(self.peer) if self.peer else Path(sys.executable)

    def start(self) -> "Process":
        """A fresh process of it."""
        return Process(self)


class Process:
    """A running tool; ends with the `with` block."""

    def __init__(self, tool: Tool) -> None:
        script, *arguments = tool.command
        self.tool = tool
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115, closed with the process
        self._process = subprocess.Popen(
            [str(tool.python), str(HERE / script), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | ONE_THREAD,
        )

    def ask(self, do: str, **task: Any) -> dict[str, Any]:
        """The reply to one request.

        Raises
        ------
        ToolError
            The tool raised, or its process ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"do": do, **task}), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise ToolError(f"ended with code {self._process.wait()}: {self._last_words()}")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise ToolError(reply["error"])
        return reply

    def _last_words(self) -> str:
        self._errors.seek(0)
        return (self._errors.read().strip().splitlines() or [""])[-1]

    def load(self, case: Mapping[str, Any], **task: Any) -> None:
        """Read a case and prepare the work on it."""
        self.ask("load", **case, **self.tool.task, **task)

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._errors.close()
