"""Which packs of a remote may hold an object: a file of numbers on this machine, for remotes that hold very many.

Each object has a row: the first six bytes of its id, and the number of its pack. A row is a hint: whoever finds one
looks into the footer of the pack, which hashes to its name. The file can be thrown away at any time, and is where it
is damaged: it is made again from the footers.
"""

import sqlite3
import weakref
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar

from aura_vcs.errors import AuraError
from aura_vcs.ids import ObjectId
from aura_vcs.storage import databases
from aura_vcs.storage.local import LocalStorage

T = TypeVar("T")

PAGE_BYTES = 4096
CACHE_KIB = 32 << 10
BUSY_SECONDS = 60
DIGITS = 12
"""So many hexadecimal digits of an id are kept: with a hundred million others, one in three million is mistaken."""
_MIDDLE = 1 << (4 * DIGITS - 1)
"""What is taken from the number of these digits: SQLite keeps it in six bytes then."""
LOOKUP = 500
"""So many ids are looked up with one statement."""
STALE_SHARE = 2
"""When so many times as many packs were entered as are there, the file is made anew."""
FEW_PACKS = 1000
TABLES = """
CREATE TABLE IF NOT EXISTS packs (number INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS locations (start INTEGER NOT NULL, pack INTEGER NOT NULL, PRIMARY KEY (start, pack))
  WITHOUT ROWID;
"""


class LocationsLost(Exception):
    """What was known is known no longer, and is to be entered again."""


class RemoteLocations:
    """The file of one remote; in memory where the disk has no room for it, or there is no `place`."""

    def __init__(self, place: LocalStorage | None, name: str) -> None:
        self._place = place
        self._name = name
        self._open_one: list[sqlite3.Connection] = [self._opened()]
        weakref.finalize(self, _close, self._open_one)

    def packs(self) -> set[str]:
        """Return the names of the packs whose objects are entered.

        Raises:
            LocationsLost.
        """
        return self._asked(lambda found: {name.hex() for (name,) in found.execute("SELECT name FROM packs")})

    def enter(self, packs: Mapping[str, Iterable[ObjectId]]) -> None:
        """Enter packs with the ids of what they hold, all or none.

        Raises:
            LocationsLost.
        """

        def write(found: sqlite3.Connection) -> None:
            found.execute("BEGIN IMMEDIATE")
            try:
                rows: list[tuple[int, int]] = []
                for name, object_ids in packs.items():
                    made = found.execute("INSERT OR IGNORE INTO packs (name) VALUES (?)", (bytes.fromhex(name),))
                    if made.rowcount and made.lastrowid is not None:  # else another process was quicker
                        rows += [(_start(object_id), made.lastrowid) for object_id in object_ids]
                rows.sort()  # neighbours in the file are written one after the other
                found.executemany("INSERT OR IGNORE INTO locations VALUES (?, ?)", rows)
                found.execute("COMMIT")
            except BaseException:
                if found.in_transaction:
                    found.execute("ROLLBACK")
                raise

        self._asked(write)

    def forget(self, packs: Collection[str]) -> None:
        """Forget packs that are not there any more; their rows lead nowhere from now on.

        Raises:
            LocationsLost: also when too many of them do.
        """
        if not packs:
            return
        names = [(bytes.fromhex(name),) for name in packs]
        self._asked(lambda found: found.executemany("DELETE FROM packs WHERE name = ?", names))
        count, most = self._asked(
            lambda found: found.execute("SELECT count(*), coalesce(max(number), 0) FROM packs").fetchone()
        )
        if most > FEW_PACKS and most > STALE_SHARE * count:
            self.start_over()
            raise LocationsLost

    def find(self, object_ids: Iterable[ObjectId]) -> dict[ObjectId, list[str]]:
        """Map those of the objects that may be there to the names of the packs that may hold them.

        Raises:
            LocationsLost.
        """
        waiting = iter(object_ids)
        found: dict[ObjectId, list[str]] = {}
        while some := list(islice(waiting, LOOKUP)):
            starts = defaultdict[int, list[ObjectId]](list)
            for object_id in some:
                starts[_start(object_id)].append(object_id)
            for start, name in self._rows(list(starts)):
                for object_id in starts[start]:
                    found.setdefault(object_id, []).append(name)
        return found

    def start_over(self, *, on_disk: bool = True) -> None:
        """Throw the file away, and begin with nothing; where the disk refuses, in memory."""
        _close(self._open_one)
        if self._place is not None:
            try:
                databases.remove(self._place, self._name)
            except AuraError:
                on_disk = False
        if not on_disk:
            self._place = None
        self._open_one.append(self._opened())

    def _rows(self, starts: list[int]) -> Iterator[tuple[int, str]]:
        marks = ", ".join("?" * len(starts))
        text = f"SELECT start, name FROM locations JOIN packs ON number = pack WHERE start IN ({marks})"
        return iter(
            [(start, name.hex()) for start, name in self._asked(lambda found: list(found.execute(text, starts)))]
        )

    def _asked(self, ask: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return ask(self._open_one[0])
        except (sqlite3.DatabaseError, AuraError) as error:
            self.start_over(on_disk=False)
            raise LocationsLost from error

    def _opened(self) -> sqlite3.Connection:
        if self._place is not None:
            connection = None
            try:
                connection = databases.connect(self._place, self._name, timeout=BUSY_SECONDS, page_bytes=PAGE_BYTES)
                connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
                connection.executescript(TABLES)
                return connection
            except (sqlite3.DatabaseError, AuraError, databases.ManyNames):
                if connection is not None:
                    connection.close()
                self._place = None
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        memory.executescript(TABLES)
        return memory


def _close(opened: list[sqlite3.Connection]) -> None:
    while opened:
        opened.pop().close()


def _start(object_id: ObjectId) -> int:
    return int(object_id[:DIGITS], 16) - _MIDDLE
