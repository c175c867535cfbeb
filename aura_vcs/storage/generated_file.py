"""Files that are made while they are read: nothing of them lies on a disk or in memory."""

import io
from typing import Any


class GeneratedFile(io.RawIOBase):
    """Reads and seeks as a file of `size` bytes; `_piece` makes them. It can be read again from anywhere."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size
        self._at = 0

    def _piece(self, most: int) -> bytes:
        """Return at least one and at most `most` bytes from `_at` on, which is before the end."""
        raise NotImplementedError

    def readable(self) -> bool:
        """Return True: it can be read."""
        return True

    def seekable(self) -> bool:
        """Return True: it can seek."""
        return True

    def tell(self) -> int:
        """Return the position in the file."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go elsewhere."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Read as many bytes as asked for, fewer only at the end."""
        end = self._size if size is None or size < 0 else min(self._at + size, self._size)
        parts = []
        while self._at < end:
            part = self._piece(end - self._at)
            parts.append(part)
            self._at += len(part)
        return b"".join(parts)

    def readall(self) -> bytes:
        """Read all that is left."""
        return self.read()

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, as `read` does."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
