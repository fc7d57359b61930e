"""Run by the fixture within a network namespace: an archive, and a way out for each of its ports.

`python inside.py FOLDER PORT,PORT BACK PROGRAM...` brings the loopback device up and starts the
program. What comes to FOLDER/PORT.socket goes to PORT of the namespace's own 127.0.0.1, and what
comes to BACK within to FOLDER/BACK.socket. Only who can open the folder reaches it.
"""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

SET_FLAGS, UP = 0x8914, 1


def loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        fcntl.ioctl(device, SET_FLAGS, struct.pack("16sh14x", b"lo", UP))


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on until one side ends, then end both."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def relay(server: socket.socket, family: int, address: object) -> None:
    """Connect whoever comes to `server` with an address."""

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            other = socket.socket(family, socket.SOCK_STREAM)
            try:
                other.connect(address)
            except OSError:
                client.close()
                continue
            for end in (client, other):
                if end.family == socket.AF_INET:
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for pair in ((client, other), (other, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


def end_with(parent: int) -> None:
    """End the archive with the tests that started it, however they end."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


def main(folder: Path, ports: list[int], back: int, program: list[str]) -> int:
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    loopback_up()
    for port in ports:
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(str(folder / f"{port}.socket"))
        server.listen(64)
        relay(server, socket.AF_INET, ("127.0.0.1", port))
    door = socket.create_server(("127.0.0.1", back))
    relay(door, socket.AF_UNIX, str(folder / f"{back}.socket"))
    return subprocess.Popen(program, stdin=subprocess.DEVNULL).wait()


if __name__ == "__main__":
    folder, ports, back, *program = sys.argv[1:]
    sys.exit(main(Path(folder), [int(port) for port in ports.split(",")], int(back), program))
