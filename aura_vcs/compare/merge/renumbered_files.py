"""Files that changed places among names that stay: scenes that were renumbered because one came in front.

`scenes/1.json` is another scene then, and the old one is `scenes/2.json`. Documents are followed by their id, other
files by their content, where nothing of the old content is left at the old name.
"""

from collections import Counter
from collections.abc import Hashable, Mapping

from msgspec import Struct

from aura_vcs.compare.diff.likeness import ALIKE, Looks, ReadContent
from aura_vcs.compare.diff.list_match import strong_identity
from aura_vcs.compare.merge.model import TreeEntry
from aura_vcs.compare.merge.renames import Entries
from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document

ENDING = ".json"


class Renumbered(Struct, frozen=True):
    """What a side did to names that are still there: old path to new path, and paths whose old file is gone."""

    moved: dict[str, str] = {}
    replaced: frozenset[str] = frozenset()


def find_renumbered(
    base: Entries, side: Entries, other: Entries, renames: Mapping[str, str], read: ReadContent
) -> Renumbered:
    """Find what a side renumbered; `renames` are those that are known already.

    Nothing is read unless the other side touched a name too that this one touched.
    """
    mine, others = _touched(base, side), _touched(base, other)
    if not mine & others:
        return Renumbered()
    names = Identities(read)
    moved, replaced = _by_identity(base, side, mine, names)
    known = {**renames, **moved}
    moved |= _by_content(base, side, mine - replaced, known, Looks(read))
    overtaken = set(moved.values()) & (base.keys() - moved.keys() - renames.keys())
    stays = {path for path in overtaken if path in side}
    return Renumbered(moved, frozenset((replaced | stays) - moved.keys()))


def _touched(base: Entries, side: Entries) -> set[str]:
    return {path for path in base.keys() | side.keys() if base.get(path) != side.get(path)}


class Identities:
    """The ids of documents; each is read once."""

    def __init__(self, read: ReadContent) -> None:
        self._read = read
        self._known: dict[str, Hashable | None] = {}

    def of(self, path: str, entry: TreeEntry | None) -> Hashable | None:
        """Return the id of the document that lies at a path; None for what has none or is none."""
        if entry is None or entry.kind != "file" or not path.lower().endswith(ENDING):
            return None
        if entry.id not in self._known:
            document = parse_document(self._read(entry.id) or b"")
            value = document.value if isinstance(document, ParsedDocument) else None
            self._known[entry.id] = strong_identity(value) if isinstance(value, dict) else None
        return self._known[entry.id]


def _by_identity(base: Entries, side: Entries, touched: set[str], names: Identities) -> tuple[dict[str, str], set[str]]:
    """Find documents that have another path now, and paths that are another document's now."""
    here = {path: name for path in touched if (name := names.of(path, side.get(path))) is not None}
    unique = Counter(here.values())
    now = {name: path for path, name in here.items() if unique[name] == 1}
    moved: dict[str, str] = {}
    replaced: set[str] = set()
    for path in sorted(touched & base.keys()):
        name = names.of(path, base[path])
        if name is None or here.get(path) == name:
            continue
        if name in now:
            moved[path] = now[name]
        elif path in here:
            replaced.add(path)
    return moved, replaced


def _by_content(
    base: Entries, side: Entries, touched: set[str], known: Mapping[str, str], looks: Looks
) -> dict[str, str]:
    """Find other files whose content is at another touched name, while their own name has something else."""
    was = Counter(entry.id for entry in base.values() if entry.kind == "file")
    now: dict[str, list[str]] = {}
    taken = set(known.values())
    for path in touched & side.keys():
        if path not in taken and side[path].kind == "file":
            now.setdefault(side[path].id, []).append(path)
    moved = {}
    for path in sorted((touched & base.keys() & side.keys()) - known.keys()):
        old, new = base[path], side[path]
        places = now.get(old.id, [])
        if old.kind != "file" or was[old.id] != 1 or len(places) != 1 or places[0] == path:
            continue
        if was[new.id] or (new.kind == "file" and looks.likeness(old.id, new.id) < ALIKE):
            moved[path] = places[0]
    return {path: place for path, place in moved.items() if place not in base or place in moved or place in known}
