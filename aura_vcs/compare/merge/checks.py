"""Looking at what a merge made before it counts: it must be what all three versions were.

A table of settings that could be read must be readable afterwards, and say what merging its fields would say; the
rows of a table have their number of columns; what was counted is counted on; no two elements have one id.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator

from aura_vcs.compare.diff.list_match import strong_identity
from aura_vcs.compare.merge.cues import CUE_ENDINGS, read_cues
from aura_vcs.compare.merge.json_values import merge_values
from aura_vcs.compare.merge.yaml_lines import read_yaml
from aura_vcs.formats.jsondoc.values import JsonValue, same
from aura_vcs.formats.text import ending_of

Read = Callable[[str], JsonValue]
"""Reads a text as a value, or raises ValueError."""

REFERENCE = re.compile(r"(?:.*[_.:-])?(?:id|ids|uuid|guid|ref|refs|key)|.*(?:Id|Ids|ID|Ref|Uuid|Guid)")
"""Names of fields that hold the id of something else."""


def check_text(path: str, sides: tuple[bytes, bytes, bytes], merged: bytes, *, is_open: bool) -> str:
    """Say why the text that a merge made of three versions must not count; "" where it may.

    With `is_open`, questions are left in it, and our lines stand there meanwhile.
    """
    if merged in sides:
        return ""
    ending = ending_of(path)
    read = _READERS.get(ending)
    if read is None:
        return ""
    try:
        values = [read(data.decode("utf-8")) for data in sides]
    except (ValueError, RecursionError):
        return _UNREAD.get(ending, "")
    try:
        found = read(merged.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return f"merged by line, it could not be read any more ({error})"
    if ending in _BY_MEANING and not is_open:
        wanted = merge_values(values[0], values[1], values[2])
        if wanted.conflicts or not same(wanted.value, found):
            return "merged by line, it would say something else than both versions"
    return ""


def _read_toml(text: str) -> JsonValue:
    import tomllib  # only where a merge meets such a file

    return json.loads(json.dumps(tomllib.loads(text), default=str))


def _read_lines(text: str) -> JsonValue:
    """Read lines of JSON, each a value of its own; none has the id of another."""
    values = [json.loads(line) for line in text.split("\n") if line.strip()]
    _check_once([name for value in values if (name := strong_identity(value)) is not None])
    return values


def _read_table(delimiter: str) -> Read:
    def read(text: str) -> JsonValue:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
        if len({len(row) for row in rows}) > 1:
            raise ValueError("a row has another number of columns")
        for n, name in enumerate(rows[0] if rows else ()):
            if REFERENCE.fullmatch(name.strip().lower()) and name.strip().lower() in ("id", "uuid", "guid", "key"):
                _check_once([row[n] for row in rows[1:]])
        return rows

    return _translated(read)


def _translated(read: Read) -> Read:
    def readable(text: str) -> JsonValue:
        try:
            return read(text)
        except csv.Error as error:
            raise ValueError(str(error)) from error

    return readable


def _check_once(names: list[Hashable]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError("two of its rows have one id")


_READERS: dict[str, Read] = {
    **dict.fromkeys(CUE_ENDINGS, read_cues),
    "toml": _read_toml,
    "yaml": read_yaml,
    "yml": read_yaml,
    "jsonl": _read_lines,
    "ndjson": _read_lines,
    "csv": _read_table(","),
    "tsv": _read_table("\t"),
}
_BY_MEANING = frozenset(("toml", "yaml", "yml"))
_UNREAD = dict.fromkeys(("yaml", "yml"), "how it is built cannot be told for sure")
"""What cannot be read in one of the versions is merged by line all the same, but for these."""


def check_document(base: JsonValue, ours: JsonValue, theirs: JsonValue, merged: JsonValue) -> str:
    """Say why the document that a merge made of three must not count: ids that are there twice, or lead nowhere."""
    was, here, there, now = (_Ids(value) for value in (base, ours, theirs, merged))
    for place, count in now.places.items():
        if count > max(1, here.places[place], there.places[place]):
            return f"merged by field, two of its elements would have the id {place[1][2]!r}"
    for name, count in now.anywhere.items():
        if was.anywhere[name] and count > max(here.anywhere[name], there.anywhere[name], was.anywhere[name]):
            return f"merged by field, two of its elements would have the id {name[2]!r}"
    known = {value for each in (was, here, there) for value in each.values}
    for value in now.references - now.values:
        if value in known and not any(value in side.references - side.values for side in (was, here, there)):
            return f"merged by field, something in it would lead to {value!r}, which is not there any more"
    return ""


class _Ids:
    """The ids of the elements in a document's lists, and what leads to them."""

    def __init__(self, value: JsonValue) -> None:
        self.places: Counter[tuple[str, tuple[str, type, str | int]]] = Counter()
        self.anywhere: Counter[tuple[str, type, str | int]] = Counter()
        self.values: set[str] = set()
        for at, name in _identities(value):
            self.places[at, name] += 1
            self.anywhere[name] += 1
            if isinstance(name[2], str):
                self.values.add(name[2])
        self.references = set(_leading(value))


def _identities(value: JsonValue) -> Iterator[tuple[str, tuple[str, type, str | int]]]:
    stack: list[tuple[str, JsonValue]] = [("", value)]
    while stack:
        at, item = stack.pop()
        if isinstance(item, dict):
            name = strong_identity(item)
            if at.endswith("/*") and isinstance(name, tuple):
                yield at, name
            stack += [(f"{at}/{key}", part) for key, part in item.items()]
        elif isinstance(item, list):
            stack += [(f"{at}/*", part) for part in item if isinstance(part, dict | list)]


def _leading(value: JsonValue) -> Iterator[str]:
    """Yield texts in fields that by their name hold the id of something else."""
    stack: list[JsonValue] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack += [part for part in item if isinstance(part, dict | list)]
            continue
        for key, part in item.items() if isinstance(item, dict) else ():
            if isinstance(part, dict):
                stack.append(part)
            elif isinstance(part, list):
                stack.append(part)
                if REFERENCE.fullmatch(key):
                    yield from (text for text in part if isinstance(text, str))
            elif isinstance(part, str) and REFERENCE.fullmatch(key):
                yield part
