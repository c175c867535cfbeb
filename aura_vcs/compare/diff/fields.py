"""The fields of a JSON document, one by one, and which of them another version of it has too.

Made for looking at many versions of one document: equal parts are recognised by their bytes and
not taken apart, so a version costs about what differs in it.
"""

from collections.abc import Iterator
from itertools import accumulate

import msgspec

from aura_vcs.compare.diff.list_match import Fingerprints, is_vector, match_elements, strong_identity
from aura_vcs.compare.diff.sequences import WorkBudget
from aura_vcs.formats.jsondoc.values import JsonValue, join_pointer

FieldSet = int
"""A set of fields as bits: bit n is the n-th field of the document."""


class Leaves:
    """A document's fields, numbered in the order in which they are written.

    A field is what is not a container, or an empty one. The document must stay unchanged meanwhile.
    """

    def __init__(self, document: JsonValue) -> None:
        self._document = document
        self._starts: dict[int, list[int]] = {}
        self._written: dict[int, bytes] = {}
        self._names: dict[int, list[object]] = {}
        self.all: FieldSet = (1 << self._count(document)) - 1

    def listed(self) -> Iterator[tuple[str, str]]:
        """Yield every field's JSON pointer and its value as JSON."""
        stack: list[tuple[str, JsonValue]] = [("", self._document)]
        while stack:
            pointer, value = stack.pop()
            if isinstance(value, dict) and value:
                inner = [(pointer + join_pointer((name,)), item) for name, item in value.items()]
                stack.extend(reversed(inner))
            elif isinstance(value, list) and value:
                stack.extend((f"{pointer}/{n}", value[n]) for n in range(len(value) - 1, -1, -1))
            else:
                yield pointer, msgspec.json.encode(value).decode()

    def shared_with(self, other: JsonValue) -> FieldSet:
        """Return the fields that another version has at the same place, with the same value.

        Elements of lists are recognised by their ids, by being equal, or by likeness; where they
        stand does not count, but in lists of numbers.
        """
        found: list[tuple[int, int]] = []
        effort = WorkBudget()
        stack: list[tuple[JsonValue, JsonValue, int]] = [(self._document, other, 0)]
        while stack:
            here, there, first = stack.pop()
            if type(here) is not type(there):
                continue
            if self._write(here) == msgspec.json.encode(there):
                found.append((first, first + self._count(here)))
            elif isinstance(here, dict):
                starts = self._starts_in(here, first)
                stack.extend(
                    (item, there[name], at)
                    for (name, item), at in zip(here.items(), starts, strict=False)
                    if name in there
                )
            elif isinstance(here, list):
                starts = self._starts_in(here, first)
                stack.extend((here[n], there[m], starts[n]) for n, m in self._partners(here, there, effort).items())
        return _as_set(found)

    def _count(self, value: JsonValue) -> int:
        """Count the fields that a value holds; recursion is as deep as documents may be."""
        if not isinstance(value, dict | list) or not value:
            return 1
        if id(value) not in self._starts:
            parts = value.values() if isinstance(value, dict) else value
            self._starts[id(value)] = list(accumulate(map(self._count, parts), initial=0))
        return self._starts[id(value)][-1]

    def _starts_in(self, container: JsonValue, first: int) -> list[int]:
        """Return the number of the first field of each of a container's values, when its own first is `first`."""
        self._count(container)
        starts = self._starts.get(id(container), [])
        return [first + start for start in starts] if first else starts

    def _write(self, value: JsonValue) -> bytes:
        if not isinstance(value, dict | list):
            return msgspec.json.encode(value)
        if id(value) not in self._written:
            self._written[id(value)] = msgspec.json.encode(value)
        return self._written[id(value)]

    def _partners(self, here: list[JsonValue], there: list[JsonValue], effort: WorkBudget) -> dict[int, int]:
        """Match elements of the other list to ours, by our positions."""
        if is_vector(here) and is_vector(there) and len(here) == len(there):
            return {n: n for n in range(len(here))}
        known: dict[object, list[int]] = {}
        for n in range(len(there) - 1, -1, -1):
            known.setdefault(strong_identity(there[n]) or msgspec.json.encode(there[n]), []).append(n)
        if id(here) not in self._names:
            self._names[id(here)] = [strong_identity(item) or self._write(item) for item in here]
        partners: dict[int, int] = {}
        for n, name in enumerate(self._names[id(here)]):
            found = known.get(name)
            if found:
                partners[n] = found.pop()
        taken = set(partners.values())
        ours = [n for n in range(len(here)) if n not in partners]
        theirs = [n for n in range(len(there)) if n not in taken]
        if ours and theirs:
            left, right = [there[n] for n in theirs], [here[n] for n in ours]
            pairs = match_elements(left, right, Fingerprints(left, right), effort)
            partners.update((ours[new], theirs[old]) for old, new in pairs)
        return partners


def _as_set(ranges: list[tuple[int, int]]) -> FieldSet:
    """Return the bits of some ranges; neighbours are joined first, because every step costs the whole length."""
    result, start, end = 0, 0, 0
    for low, high in sorted(ranges):
        if low != end:
            result |= ((1 << (end - start)) - 1) << start
            start = low
        end = high
    return result | ((1 << (end - start)) - 1) << start
