"""Server-sent events: what was saved in one's own work, for the other tabs of the same reader."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, by which a lost connection is noticed."""

MOST_STREAMS = 8
"""Of one reader at a time; the oldest gives way."""

LONGEST_QUEUE = 256
"""Events that a tab may be behind; one that is farther behind reads the state anew."""

LOOK: dict[str, Any] = {"kind": "look"}
"""Sent to nobody: the streams look whether the screen was locked."""

_Queue = asyncio.Queue["dict[str, Any] | None"]


class Events:
    """Passes events to the streams of one reader, and never to those of another."""

    def __init__(self) -> None:
        self._streams: dict[str, list[_Queue]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def publish(self, reader: str, event: dict[str, Any]) -> None:
        """Tell the tabs of `reader`; may be called in any thread."""
        if self._loop is not None and self._streams.get(reader):
            self._loop.call_soon_threadsafe(self._spread, reader, event)

    def look(self, reader: str) -> None:
        """Have the streams of `reader` look whether they are inside still."""
        self.publish(reader, LOOK)

    def _spread(self, reader: str, event: dict[str, Any]) -> None:
        for queue in list(self._streams.get(reader, ())):
            if queue.full():
                self._end(reader, queue)
            else:
                queue.put_nowait(event)

    def _end(self, reader: str, queue: _Queue) -> None:
        self._left(reader, queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    def _left(self, reader: str, queue: _Queue) -> None:
        streams = self._streams.get(reader, [])
        if queue in streams:
            streams.remove(queue)
        if not streams:
            self._streams.pop(reader, None)

    async def stream(self, reader: str, inside: Callable[[], bool]) -> AsyncIterator[str]:
        """Events as they are sent, for as long as `reader` is `inside`."""
        self._loop = asyncio.get_running_loop()
        queue: _Queue = asyncio.Queue(LONGEST_QUEUE)
        streams = self._streams.setdefault(reader, [])
        while len(streams) >= MOST_STREAMS:
            self._end(reader, streams[0])
            streams = self._streams.setdefault(reader, [])
        streams.append(queue)
        try:
            yield ": the room\n\n"
            while inside():
                try:
                    event = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if event is None:
                    return
                if event is not LOOK:
                    yield as_sent(event)
            yield as_sent({"kind": "locked"})
        finally:
            self._left(reader, queue)


def as_sent(event: dict[str, Any]) -> str:
    r"""One event; its `kind` is the event's name.

    >>> as_sent({"kind": "saved", "revision": 3})
    'event: saved\ndata: {"kind": "saved", "revision": 3}\n\n'
    """
    return f"event: {event['kind']}\ndata: {json.dumps(event)}\n\n"
