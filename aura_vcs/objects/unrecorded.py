"""What this machine has stored and not recorded yet: a list, so that gc knows what an interrupted command left.

A command notes the names of packs and loose objects before they get them, and the list goes when the operation
that needs them is in the log. An interrupted command leaves its list. It decides about nothing but how long garbage
is kept: what is in use is told by the refs and the log, whatever a list says. So it is not durable. A list that a
power failure took means that its content is kept as long as other garbage.
"""

import os
import re
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

import msgspec

from aura_vcs import layout
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import StorageFull
from aura_vcs.ids import ObjectId, ReplicaId
from aura_vcs.storage.base import FileStat
from aura_vcs.storage.local import LocalStorage

LINE = rb"(\d{1,19}) (pack|object) ([0-9a-f]{64})"
"""When it was noted, in nanoseconds since 1970, and what."""
LISTS = 4096
"""So many lists are looked at; the content of others is kept as long as other garbage."""


class Leftover(msgspec.Struct, frozen=True):
    """A pack or loose object on a list: its bytes, and when it was last written or relied on."""

    is_pack: bool
    name: str
    size: int
    touched_ns: int


class UnrecordedObjects:
    """The list of one open project; whoever has it is one command, or several one after the other.

    A project in which no list can be written has none, and nothing is raised but where the disk is full: what is
    about to be published could not be recorded either.
    """

    def __init__(self, storage: LocalStorage, replica: ReplicaId | None) -> None:
        self._storage = storage
        self._list: str | None = None
        self._size = 0
        self.replica = replica
        """Who writes. What another replica listed means nothing here: its log may say more than ours knows."""

    def note_pack(self, name: str) -> None:
        """Note a pack that is about to be published.

        Raises:
            StorageFull.
        """
        self._append([f"pack {name}"])

    def note_objects(self, object_ids: Iterable[ObjectId]) -> None:
        """Note loose objects that are about to be published, some of which may be there already.

        Raises:
            StorageFull.
        """
        self._append([f"object {object_id}" for object_id in object_ids])

    def forget(self) -> None:
        """Remove the list: what was stored is recorded."""
        name, self._list = self._list, None
        if name is not None:
            with suppress(AuraError):
                self._storage.forget(name)

    def leave(self) -> None:
        """Leave the list to gc: the command has failed. What comes next has a list of its own."""
        self._list = None

    def leftovers(self) -> list[Leftover]:
        """List what this replica's lists name and the disk has, those of commands that are running too.

        An object's time is that of its file, if that is later than the list's: who relies on content
        that is stored already renews its date.
        """
        found: dict[tuple[bool, str], Leftover] = {}
        for list_name in self._names():
            for is_pack, name, noted_ns in self._lines(list_name):
                file = self._stat(is_pack, name)
                if file is None:
                    continue
                touched = max(noted_ns, file.mtime_ns)
                before = found.get((is_pack, name))
                if before is None or before.touched_ns < touched:
                    found[is_pack, name] = Leftover(is_pack, name, file.size, touched)
        return list(found.values())

    def tidy(self, garbage: Collection[str]) -> None:
        """Remove lists that name no `garbage` any more: pack names and ids of loose objects.

        For whoever holds the `objects` lock alone, so that nobody is storing.
        """
        for list_name in self._names():
            if not any(name in garbage and self._stat(is_pack, name) for is_pack, name, _ in self._lines(list_name)):
                with suppress(AuraError):
                    self._storage.forget(list_name)

    def _append(self, names: list[str]) -> None:
        if self.replica is None or not names:
            return
        at = time.time_ns()
        data = "".join(f"{at} {name}\n" for name in names).encode()
        try:
            if self._list is None:
                self._list, self._size = f"{layout.UNRECORDED}/{self.replica}-{os.urandom(8).hex()}", 0
            self._storage.append(self._list, data, at=self._size, durable=False)
            self._size += len(data)
        except StorageFull:
            raise
        except AuraError:
            self._list = None

    def _names(self) -> list[str]:
        if self.replica is None:
            return []
        try:
            names = self._storage.list(layout.UNRECORDED)
        except AuraError:
            return []
        mine = [name for name in names if re.fullmatch(rf"{self.replica}-[0-9a-f]{{16}}", name)]
        return [f"{layout.UNRECORDED}/{name}" for name in mine[:LISTS]]

    def _lines(self, list_name: str) -> Iterator[tuple[bool, str, int]]:
        """Yield what a list names, and when it was noted; a torn line names nothing."""
        try:
            data = self._storage.read(list_name)
        except (AuraError, FileNotFoundError):
            return
        for line in data.split(b"\n")[:-1]:
            if (found := re.fullmatch(LINE, line)) is not None:
                yield found[2] == b"pack", found[3].decode(), int(found[1])

    def _stat(self, is_pack: bool, name: str) -> FileStat | None:
        paths = [layout.pack_path(name)] if is_pack else [layout.loose_path(ObjectId(name))]
        for path in paths if is_pack else [*paths, paths[0] + layout.COMPRESSED]:
            with suppress(AuraError):
                if (found := self._storage.stat(path)) is not None:
                    return found
        return None
