"""Which file of a new version is a file of the old one under another name.

In this order: names that are one on disks which ignore case or Unicode form; equal content; and,
where it matters because the other side changed the file too, documents with the same id or
texts that are mostly alike.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping

from aura_vcs.compare.diff.list_match import strong_identity
from aura_vcs.compare.merge.conflict_names import folded
from aura_vcs.compare.merge.model import TreeEntry
from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.text import read_text

Entries = Mapping[str, TreeEntry]
ReadFile = Callable[[TreeEntry], bytes | None]
"""The content of a file, None where it is too large to be looked into."""
ALIKE = 0.6
"""Share of equal lines or fields from which a file counts as another one that was changed."""
PAIRS_LIMIT = 2_000
"""So many files that went and came are compared with one another; beyond, content alone tells."""


def find_renames(base: Entries, side: Entries) -> dict[str, str]:
    """Map old path to new path of what a side only gave another name.

    Among several files with one content, equal names in other folders go together first, then
    they pair in order.
    """
    gone = [path for path in sorted(base.keys() - side.keys()) if base[path].kind != "dir"]
    come = sorted(side.keys() - base.keys())
    renames = _by_spelling(base, side, gone, come)
    known = set(renames.values())
    left: dict[tuple[str, str], list[str]] = {}
    for path in gone:
        if path not in renames:
            left.setdefault((base[path].kind, base[path].id), []).append(path)
    new: dict[tuple[str, str], list[str]] = {}
    for path in come:
        key: tuple[str, str] = (side[path].kind, side[path].id)
        if key in left and path not in known:
            new.setdefault(key, []).append(path)
    for key, news in new.items():
        renames |= _paired(left[key], news)
    return renames


def _by_spelling(base: Entries, side: Entries, gone: list[str], come: list[str]) -> dict[str, str]:
    if not gone or not come:
        return {}
    spelled: dict[str, list[str]] = {}
    for path in come:
        spelled.setdefault(folded(path), []).append(path)
    found = {}
    for path in gone:
        news = spelled.get(folded(path), [])
        if len(news) == 1 and side[news[0]].kind == base[path].kind:
            found[path] = news.pop()
    return found


def _paired(olds: list[str], news: list[str]) -> dict[str, str]:
    """Pair files of one content: old names to new ones."""
    renames: dict[str, str] = {}
    by_name = {_name(path): path for path in reversed(olds)}
    waiting = []
    for new in news:
        old = by_name.pop(_name(new), None)
        if old is None:
            waiting.append(new)
        else:
            renames[old] = new
    return renames | dict(zip([old for old in olds if old not in renames], waiting, strict=False))


def changed_renames(
    base: Entries, side: Entries, other: Entries, known: tuple[Mapping[str, str], Mapping[str, str]], read: ReadFile
) -> dict[str, str]:
    """Find what a side renamed and changed at once, of those files that the other side changed or renamed as well.

    `known` are the renames of this side and of the other that are certain. For what only this
    side touched it makes no difference, so no content is read for it.
    """
    mine, others = known
    gone = []
    for path in sorted(base.keys() - side.keys() - mine.keys()):
        there = other.get(others.get(path, path))
        if base[path].kind == "file" and there is not None and (there != base[path] or path in others):
            gone.append(path)
    taken = set(mine.values())
    come = [path for path in sorted(side.keys() - base.keys()) if side[path].kind == "file" and path not in taken]
    return pair_alike({path: base[path] for path in gone}, {path: side[path] for path in come}, read)


def pair_alike(gone: Entries, come: Entries, read: ReadFile) -> dict[str, str]:
    """Map old path to new path of the files that are mostly alike, the most alike first, each once."""
    by_ending: dict[str, list[str]] = {}
    for path in come:
        by_ending.setdefault(ending(path), []).append(path)
    likely = [(old, by_ending.get(ending(old), [])) for old in gone]
    if sum(len(news) for _, news in likely) > PAIRS_LIMIT:  # counted before there are so many
        return {}
    pairs = [(old, new) for old, news in likely for new in news]
    looks = Looks(read)
    scored = [(looks.likeness(gone[old], come[new]), _name(old) == _name(new), old, new) for old, new in pairs]
    found: dict[str, str] = {}
    for share, _, old, new in sorted(scored, key=lambda each: (-each[0], not each[1], each[2], each[3])):
        if share >= ALIKE and old not in found and new not in found.values():
            found[old] = new
    return found


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def ending(path: str) -> str:
    """Return the ending of a file's name, which says its kind; only files with the same one are compared."""
    return _name(path).rpartition(".")[2].casefold()


class Looks:
    """What files are recognised by; each is read once."""

    def __init__(self, read: ReadFile) -> None:
        self._read = read
        self._known: dict[str, tuple[object, Counter[str]]] = {}

    def likeness(self, old: TreeEntry, new: TreeEntry) -> float:
        """Return a likeness from 0 (nothing in common, or two things by their ids) to 1.

        Raises:
            what `read` raises.
        """
        (one_id, one), (other_id, other) = self._of(old), self._of(new)
        if one_id is not None and other_id is not None:
            return 1.0 if one_id == other_id else 0.0
        total = one.total() + other.total()
        return 2 * (one & other).total() / total if total else 0.0

    def _of(self, file: TreeEntry) -> tuple[object, Counter[str]]:
        if file.id not in self._known:
            self._known[file.id] = _features(self._read(file) or b"")
        return self._known[file.id]


def _features(data: bytes) -> tuple[object, Counter[str]]:
    document = parse_document(data)
    if isinstance(document, ParsedDocument) and isinstance(document.value, dict | list):
        return strong_identity(document.value), Counter(_fields(document.value, ""))
    text = read_text(data)
    lines = text.splitlines() if isinstance(text, str) else []
    return None, Counter(line.strip() for line in lines if line.strip())


def _fields(value: JsonValue, at: str) -> list[str]:
    if isinstance(value, dict):
        return [field for key, inner in value.items() for field in _fields(inner, f"{at}/{key}")]
    if isinstance(value, list):
        return [field for inner in value for field in _fields(inner, f"{at}/")]
    return [f"{at}={json.dumps(value)}"]
