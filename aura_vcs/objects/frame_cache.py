"""Frames of packs that were used last, decoded or as they are stored, up to a number of bytes."""

from collections import OrderedDict


class FrameCache:
    """Keeps at most `limit` bytes of frames, by pack and number; the newest is kept however large it is."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._bytes = 0

    def get(self, pack: str, number: int) -> bytes | None:
        """Return the frame, if it is in the cache."""
        data = self._frames.get((pack, number))
        if data is not None:
            self._frames.move_to_end((pack, number))
        return data

    def put(self, pack: str, number: int, data: bytes) -> bytes:
        """Keep these bytes, and return them; what was used longest ago makes way."""
        self._bytes += len(data) - len(self._frames.pop((pack, number), b""))
        self._frames[pack, number] = data
        while self._bytes > self._limit and len(self._frames) > 1:
            self._bytes -= len(self._frames.popitem(last=False)[1])
        return data

    def forget(self, pack: str) -> None:
        """Keep nothing of the pack."""
        for key in [key for key in self._frames if key[0] == pack]:
            self._bytes -= len(self._frames.pop(key))

    def clear(self) -> None:
        """Keep nothing."""
        self._frames.clear()
        self._bytes = 0
