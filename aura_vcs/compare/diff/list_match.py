"""Which element of an old list is which element of a new one: by identity, never just by position.

In this order: the same id; equal and in place; equal elsewhere; the same name, where names are
unique; most alike; and what is left between two matched neighbours pairs up in order. Elements
with different ids are never taken for one another.

Hash consing: a container's key is made of its children's numbers, so comparing two subtrees of
any size costs one comparison, and there are no collisions to think about.
"""

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from heapq import nsmallest

from aura_vcs.compare.diff.sequences import WorkBudget, common_pairs, longest_increasing
from aura_vcs.formats.jsondoc.values import JsonValue, check_depth, kind_of


class Fingerprints:
    """Gives out the numbers for the values of a comparison.

    Remembers containers by their address: the documents must stay alive and unchanged while
    this object is used, which `add` ensures by holding on to them.
    """

    def __init__(self, *documents: JsonValue) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._containers: dict[int, int] = {}
        self._alive: list[JsonValue] = []
        for document in documents:
            self.add(document)

    def add(self, document: JsonValue) -> int:
        """Take in a document and all its parts.

        Raises:
            LimitExceeded: it is nested too deeply.
        """
        check_depth(document)
        self._alive.append(document)
        return self._number(document)

    def of(self, value: JsonValue) -> int:
        """Return the number of a value that is part of a document taken in."""
        if isinstance(value, dict | list):
            return self._containers[id(value)]
        return self._number(value)

    def _number(self, value: JsonValue) -> int:
        kind = type(value)
        key: Hashable
        numbers = self._numbers
        if kind is str:
            key = value
        elif kind is dict:  # texts are most of what there is: they get their numbers without a call
            key = ("{", *sorted([
                (name, numbers.setdefault(item, len(numbers)) if type(item) is str else self._number(item))
                for name, item in value.items()
            ]))  # fmt: skip
        elif kind is list:
            key = ("[", *[
                numbers.setdefault(item, len(numbers)) if type(item) is str else self._number(item) for item in value
            ])  # fmt: skip
        elif kind is float:
            key = (float, repr(value))  # keeps 0.0 and -0.0 apart, and any NaN equal to itself
        else:
            key = (kind, value)
        number = numbers.setdefault(key, len(numbers))
        if kind is dict or kind is list:
            self._containers[id(value)] = number
        return number


STRONG_KEYS = ("id", "uuid", "guid", "key")
WEAK_KEYS = ("name", "heading", "title", "file_path", "path")
ALIKE = 0.5
"""Share of common features from which two elements count as one that was changed."""
FEATURES_LIMIT = 64
COMMON_LIMIT = 40
ELEMENTS_LIMIT = 200_000
"""Elements of both lists together that are matched by what they are."""

Identity = Callable[[JsonValue], Hashable | None]
"""What names an element beyond doubt, or None when nothing does."""
Pairs = list[tuple[int, int]]


def strong_identity(element: JsonValue) -> Hashable | None:
    """Return the id of an object, under whichever of the usual keys it has one."""
    return _named(element, STRONG_KEYS)


def _named(element: JsonValue, keys: Iterable[str]) -> Hashable | None:
    if isinstance(element, dict):
        for key in keys:
            value = element.get(key)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                return key, type(value), value
    return None


def match_elements(
    old: list[JsonValue],
    new: list[JsonValue],
    prints: Fingerprints,
    effort: WorkBudget,
    identity: Identity = strong_identity,
) -> Pairs:
    """Return pairs (old position, new position) of what is the same element, sorted by new position.

    Each position occurs at most once. Lists of numbers of unchanged length are vectors: there
    the position is the identity. Time grows with n log n beside what `effort` allows. Beyond
    `ELEMENTS_LIMIT` only equal beginnings and ends are looked for, the rest pairs up in order.
    """
    if is_vector(old) and is_vector(new) and len(old) == len(new):
        return [(n, n) for n in range(len(old))]
    if len(old) + len(new) > ELEMENTS_LIMIT:
        return _by_ends(old, new, prints)
    match = _Match(old, new, prints, effort, identity)
    for stage in match.stages:
        if len(match.pairs) == min(len(old), len(new)):
            break  # whatever is left came or went
        stage()
    return sorted(match.pairs, key=lambda pair: pair[1])


def is_vector(elements: list[JsonValue]) -> bool:
    """Tell whether a list is one of numbers only, where a place means something."""
    return all(isinstance(element, int | float) and not isinstance(element, bool) for element in elements)


def _by_ends(old: list[JsonValue], new: list[JsonValue], prints: Fingerprints) -> Pairs:
    """Pair equal beginnings and ends, and by place between them. Linear, for lists beyond all measure."""
    shortest = min(len(old), len(new))
    end = 0
    while end < shortest and prints.of(old[-1 - end]) == prints.of(new[-1 - end]):
        end += 1
    pairs = [(n, n) for n in range(shortest - end)]
    return pairs + [(len(old) - n, len(new) - n) for n in range(end, 0, -1)]


class _Match:
    """The pairs found so far; every stage looks only at what is still free."""

    def __init__(
        self,
        old: list[JsonValue],
        new: list[JsonValue],
        prints: Fingerprints,
        effort: WorkBudget,
        identity: Identity,
    ) -> None:
        self.old, self.new, self.effort = old, new, effort
        self.prints = prints
        self.old_names = [identity(element) for element in old]
        self.new_names = [identity(element) for element in new]
        self.pairs: Pairs = []
        by_weak_keys = [partial(self.by_unique, key) for key in WEAK_KEYS]
        self.stages: list[Callable[[], None]] = [
            self.by_identity, self.by_equality, *by_weak_keys, self.by_likeness, self.by_place
        ]  # fmt: skip
        self._taken_old: set[int] = set()
        self._taken_new: set[int] = set()

    def take(self, i: int, j: int) -> None:
        self.pairs.append((i, j))
        self._taken_old.add(i)
        self._taken_new.add(j)

    def free_old(self) -> list[int]:
        return [i for i in range(len(self.old)) if i not in self._taken_old]

    def free_new(self) -> list[int]:
        return [j for j in range(len(self.new)) if j not in self._taken_new]

    def may_pair(self, i: int, j: int) -> bool:
        return self.old_names[i] is None or self.new_names[j] is None or self.old_names[i] == self.new_names[j]

    def by_identity(self) -> None:
        self._by_name(dict(enumerate(self.old_names)), dict(enumerate(self.new_names)))

    def by_unique(self, key: str) -> None:
        self._by_name(
            {i: _named(self.old[i], (key,)) for i in self.free_old()},
            {j: _named(self.new[j], (key,)) for j in self.free_new()},
        )

    def _by_name(self, old: dict[int, Hashable | None], new: dict[int, Hashable | None]) -> None:
        there, here = _unique_names(old), _unique_names(new)
        for name, i in there.items():
            j = here.get(name)
            if j is not None and self.may_pair(i, j):
                self.take(i, j)

    def by_equality(self) -> None:
        """Pair equal elements: first those that stayed in order, then the ones that went elsewhere."""
        old = {i: self.prints.of(self.old[i]) for i in self.free_old()}
        new = {j: self.prints.of(self.new[j]) for j in self.free_new()}
        free_old, free_new = list(old), list(new)
        for a, b in common_pairs(list(old.values()), list(new.values()), self.effort):
            self.take(free_old[a], free_new[b])
        waiting: dict[int, list[int]] = {}
        for i in reversed(self.free_old()):
            waiting.setdefault(old[i], []).append(i)
        for j in self.free_new():
            if waiting.get(new[j]):
                self.take(waiting[new[j]].pop(), j)

    def by_likeness(self) -> None:
        """Pair the most alike elements first; features that too many elements share say nothing and are skipped."""
        old = {i: _features(self.old[i], self.prints) for i in self.free_old()}
        new = {j: _features(self.new[j], self.prints) for j in self.free_new()}
        holders: dict[Hashable, list[int]] = {}
        for j, features in new.items():
            for feature in features:
                holders.setdefault(feature, []).append(j)
        ranked: list[tuple[float, int, int, int]] = []
        for i, features in old.items():
            shared: dict[int, int] = {}
            for feature in features:
                found = holders.get(feature, ())
                if len(found) <= COMMON_LIMIT and self.effort.take(len(found)):
                    for j in found:
                        shared[j] = shared.get(j, 0) + 1
            likely = []
            for j in shared:
                alike = 2 * len(features & new[j]) / (len(features) + len(new[j]))
                if alike >= ALIKE and self.may_pair(i, j):
                    likely.append((-alike, abs(i - j), i, j))
            ranked += nsmallest(5, likely)
        for _, _, i, j in sorted(ranked):
            if i not in self._taken_old and j not in self._taken_new:
                self.take(i, j)

    def by_place(self) -> None:
        """Pair what is left between two neighbours that stayed in order, in order, kind by kind."""
        ordered = sorted(self.pairs, key=lambda pair: pair[1])
        stayed = [ordered[n] for n in longest_increasing([i for i, _ in ordered])]
        above_i = above_j = -1
        for i, j in [*stayed, (len(self.old), len(self.new))]:
            left = [n for n in range(above_i + 1, i) if n not in self._taken_old]
            right = [n for n in range(above_j + 1, j) if n not in self._taken_new]
            if left and right:
                self._pair_up(left, right)
            above_i, above_j = i, j

    def _pair_up(self, left: list[int], right: list[int]) -> None:
        waiting: dict[str, list[int]] = {}
        for j in reversed(right):
            waiting.setdefault(_shape(self.new[j]), []).append(j)
        for i in left:
            partners = waiting.get(_shape(self.old[i]))
            if partners and self.may_pair(i, partners[-1]) and _similar_keys(self.old[i], self.new[partners[-1]]):
                self.take(i, partners.pop())


def _unique_names(names: dict[int, Hashable | None]) -> dict[Hashable, int]:
    found: dict[Hashable, int] = {}
    twice: set[Hashable] = set()
    for position, name in names.items():
        if name is None:
            continue
        if name in found:
            twice.add(name)
        found[name] = position
    return {name: position for name, position in found.items() if name not in twice}


def _shape(element: JsonValue) -> str:
    kind = kind_of(element)
    return kind if kind in ("object", "list") else "plain"


def _similar_keys(old: JsonValue, new: JsonValue) -> bool:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return True
    return 2 * len(old.keys() & new.keys()) >= max(len(old), len(new))


def _features(element: JsonValue, prints: Fingerprints) -> set[Hashable]:
    """Collect what an element is recognised by: its fields, three levels down, and its words."""
    found: set[Hashable] = set()
    if not isinstance(element, dict | list):
        return found
    level: list[tuple[str, JsonValue]] = [("", element)]
    for _ in range(3):
        below: list[tuple[str, JsonValue]] = []
        for name, container in level:
            items = container.items() if isinstance(container, dict) else (("", part) for part in container)
            for key, part in items:
                if len(found) >= FEATURES_LIMIT:
                    return found
                found.add((name, key, prints.of(part)))
                if isinstance(part, dict | list):
                    below.append((f"{name}/{key}", part))
                elif isinstance(part, str) and " " in part:
                    found.update((key, "word", word) for word in part[:400].split(" ")[:32])
        level = below
    return found
