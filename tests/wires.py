"""A wire between two processes of this machine: cut, or pulled out and put in again."""

import socket
import threading
from contextlib import suppress


class Wire:
    """Passes on what comes to its address to another one, both ways, as long as it is whole."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._flows = threading.Event()
        self._flows.set()
        self._sockets: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listening.getsockname()[1]}"
        self._start(self._accept)

    def _start(self, work, *ends: socket.socket) -> None:
        threading.Thread(target=work, args=ends, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(self._to)
                self._sockets += [near, far]
                self._start(self._pass, near, far)
                self._start(self._pass, far, near)

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                self._flows.wait()
                other.sendall(data)
        _close(one, other)

    def cut(self) -> None:
        """Both sides are told that the connection is closed, and no new one can be made."""
        _close(self._listening, *self._sockets)
        self._flows.set()

    def pull_out(self) -> None:
        """Nothing arrives any more, and nobody is told."""
        self._flows.clear()

    def put_in(self) -> None:
        """What was under way arrives."""
        self._flows.set()


def _close(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
