"""A line between a client and a server that cuts connections in the middle of what they say."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import urlsplit

PIECE_BYTES = 16 << 10


class FaultyLine:
    """Passes bytes on to a server. `cut_up` and `cut_down` say how the next connections end.

    Each entry is for one connection: after how many bytes to the server (or from it) both sides are
    cut off, with a reset; None lets one pass. Without entries every connection passes.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._server = (parts.hostname or "", parts.port or 80)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.cut_up: list[int | None] = []
        self.cut_down: list[int | None] = []
        self.cuts = 0
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Nobody is connected any more."""
        self._listening.close()
        with self._lock:
            for end in self._open:
                end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
            except OSError:
                return
            with self._lock:
                self._open |= {client, server}
                up = self.cut_up.pop(0) if self.cut_up else None
                down = self.cut_down.pop(0) if self.cut_down else None
            Thread(target=self._pass, args=(client, server, up), daemon=True).start()
            Thread(target=self._pass, args=(server, client, down), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, limit: int | None) -> None:
        left = limit
        with suppress(OSError):
            while left is None or left > 0:
                data = source.recv(PIECE_BYTES if left is None else min(left, PIECE_BYTES))
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                target.sendall(data)
                left = None if left is None else left - len(data)
            with self._lock:
                self.cuts += 1
        for end in (source, target):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                end.shutdown(socket.SHUT_RDWR)
                end.close()


@contextmanager
def faulty_line(endpoint: str) -> Iterator[FaultyLine]:
    """A line to the server at an endpoint."""
    line = FaultyLine(endpoint)
    try:
        yield line
    finally:
        line.close()
