"""A line between a client and a server that is slow, or cuts connections in the middle of what they say."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import urlsplit

PIECE_BYTES = 16 << 10


class FaultyLine:
    """Passes bytes on to a server. `cut_up` and `cut_down` say how the next connections end.

    Each entry is for one connection: after how many bytes to the server (or from it) both sides are
    cut off, with a reset; None lets one pass. Without entries every connection passes.

    `rate_up` and `rate_down` are bytes a second that all connections have together; None is not a limit.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._server = (parts.hostname or "", parts.port or 80)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.cut_up: list[int | None] = []
        self.cut_down: list[int | None] = []
        self.cuts = 0
        self.rate_up: int | None = None
        self.rate_down: int | None = None
        self.passed_up = 0
        self._free_at = {"up": 0.0, "down": 0.0}
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        self._accepting = Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Nobody is connected any more."""
        with self._lock:
            self._closed = True
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()
        self._listening.shutdown(socket.SHUT_RDWR)  # whoever waits for connections hears of it
        self._accepting.join()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()
                continue
            with self._lock:
                if self._closed:
                    client.close()
                    server.close()
                    return
                self._open |= {client, server}
                up = self.cut_up.pop(0) if self.cut_up else None
                down = self.cut_down.pop(0) if self.cut_down else None
            Thread(target=self._pass, args=(client, server, up, "up"), daemon=True).start()
            Thread(target=self._pass, args=(server, client, down, "down"), daemon=True).start()

    def _wait_for_room(self, way: str, count: int) -> None:
        rate = self.rate_up if way == "up" else self.rate_down
        with self._lock:
            self.passed_up += count if way == "up" else 0
            if rate is None:
                return
            self._free_at[way] = max(self._free_at[way], time.monotonic()) + count / rate
            pause = self._free_at[way] - time.monotonic()
        time.sleep(max(0.0, pause))

    def _pass(self, source: socket.socket, target: socket.socket, limit: int | None, way: str) -> None:
        left = limit
        with suppress(OSError):
            while left is None or left > 0:
                data = source.recv(PIECE_BYTES if left is None else min(left, PIECE_BYTES))
                if not data:
                    target.shutdown(socket.SHUT_WR)
                    return
                self._wait_for_room(way, len(data))
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
