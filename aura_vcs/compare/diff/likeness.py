"""How much two files are alike: documents by their ids and fields, texts by their lines."""

import json
import posixpath
from collections import Counter
from collections.abc import Callable, Mapping

from aura_vcs.compare.diff.list_match import strong_identity
from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.text import read_text

ReadContent = Callable[[str], bytes | None]
"""The content that an id stands for, None where it is too large to be looked into."""
ALIKE = 0.6
"""Share of equal lines or fields from which a file counts as another one that was changed."""
LOOK_BYTES_LIMIT = 1 << 20
"""A file is looked into up to this size."""
PAIRS_LIMIT = 2_000
"""So many files that went and came are compared with one another; beyond, content alone tells."""


def pair_alike(gone: Mapping[str, str], come: Mapping[str, str], read: ReadContent) -> dict[str, str]:
    """Map old path to new path of the files that are mostly alike, the most alike first, each once.

    Both are paths with the ids of their content; only files with the same ending are compared.
    """
    by_ending: dict[str, list[str]] = {}
    for path in come:
        by_ending.setdefault(_ending(path), []).append(path)
    likely = [(old, by_ending.get(_ending(old), [])) for old in gone]
    if sum(len(news) for _, news in likely) > PAIRS_LIMIT:  # counted before there are so many
        return {}
    pairs = [(old, new) for old, news in likely for new in news]
    looks = Looks(read)
    name = posixpath.basename
    scored = [(looks.likeness(gone[old], come[new]), name(old) == name(new), old, new) for old, new in pairs]
    found: dict[str, str] = {}
    for share, _, old, new in sorted(scored, key=lambda each: (-each[0], not each[1], each[2], each[3])):
        if share >= ALIKE and old not in found and new not in found.values():
            found[old] = new
    return found


def _ending(path: str) -> str:
    return posixpath.basename(path).rpartition(".")[2].casefold()


class Looks:
    """What files are recognised by; each is read once."""

    def __init__(self, read: ReadContent) -> None:
        self._read = read
        self._known: dict[str, tuple[object, Counter[str]]] = {}

    def likeness(self, old: str, new: str) -> float:
        """Return a likeness from 0 (nothing in common, or two things by their ids) to 1.

        Raises:
            what `read` raises.
        """
        (one_id, one), (other_id, other) = self._of(old), self._of(new)
        if one_id is not None and other_id is not None:
            return 1.0 if one_id == other_id else 0.0
        total = one.total() + other.total()
        return 2 * (one & other).total() / total if total else 0.0

    def _of(self, content: str) -> tuple[object, Counter[str]]:
        if content not in self._known:
            self._known[content] = _features(self._read(content) or b"")
        return self._known[content]


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
