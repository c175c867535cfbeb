"""What changed between two JSON documents, as exact RFC 6902 operations.

Applying the operations to the old document gives the new one, types included. Lists are
compared by what their elements are (see `list_match`), and a moved element is one `move`.
Outer changes come before inner ones, so an operation's path is right when its turn comes and
the paths above it are already those of the new document.

One element that went elsewhere is one move: what keeps its order is a longest increasing
subsequence, only the rest moves.
"""

from msgspec import UNSET, Struct

from aura_vcs.compare.diff.list_match import Fingerprints, Identity, match_elements, strong_identity
from aura_vcs.compare.diff.sequences import Fenwick, WorkBudget, longest_increasing
from aura_vcs.formats.jsondoc.parse import ParsedDocument, Unstructured, parse_document
from aura_vcs.formats.jsondoc.patch import PatchOperation
from aura_vcs.formats.jsondoc.values import JsonValue, escape


class MoveStep(Struct, frozen=True):
    """One change of a list: `source` is absent for an addition, `target` for a removal.

    Positions are those at the moment of the step, the way RFC 6902 counts: the target of a move
    counts after the element was taken out. `old` and `new` are positions in the whole lists.
    """

    source: int | None
    target: int | None
    old: int | None
    new: int | None


def plan_steps(old_length: int, new_length: int, pairs: list[tuple[int, int]]) -> list[MoveStep]:
    """Plan the steps that bring the matched elements of the old list to their new places.

    `pairs` are (old, new) positions sorted by new position. O(n log n).
    """
    partner = {j: i for i, j in pairs}
    kept = set(partner.values())
    steps = [MoveStep(i, None, i, None) for i in range(old_length - 1, -1, -1) if i not in kept]
    stays = {pairs[n] for n in longest_increasing([i for i, _ in pairs])}
    if len(stays) == new_length:
        return steps
    board = _Board(old_length, stays, kept)
    for j in range(new_length):
        i = partner.get(j)
        if i is not None and (i, j) in stays:
            board.bring_to(i)
        elif i is None:
            steps.append(MoveStep(None, j + board.waiting_before_here(), None, j))
        else:
            source = board.take(i, placed=j)
            target = j + board.waiting_before_here()
            if source != target:
                steps.append(MoveStep(source, target, i, j))
    return steps


class _Board:
    """The list while it is rearranged from left to right.

    What is placed follows the last stayer that was reached; elements that wait for their move
    still stand among the stayers, where they stood in the old list.
    """

    def __init__(self, old_length: int, stays: set[tuple[int, int]], kept: set[int]) -> None:
        ordered = sorted(stays)
        self._stay_old = [i for i, _ in ordered]
        self._stay_new = [j for _, j in ordered]
        self._waiting = Fenwick(old_length)
        for i in kept.difference(self._stay_old):
            self._waiting.add(i, 1)
        self._stays_before = Fenwick(old_length)
        for i in self._stay_old:
            self._stays_before.add(i, 1)
        self._reached = 0

    def bring_to(self, i: int) -> None:
        """Go on to the stayer that stood at `i`."""
        self._reached = self._stays_before.before(i) + 1

    def waiting_before_here(self) -> int:
        """Count waiting elements that stand before the place that is filled next."""
        return self._waiting.before(self._stay_old[self._reached - 1]) if self._reached else 0

    def take(self, i: int, *, placed: int) -> int:
        """Take the waiting element of `i` out; where it stood, when `placed` elements are in place."""
        stays_before = self._stays_before.before(i)
        waiting_before = self._waiting.before(i)
        self._waiting.add(i, -1)
        if stays_before >= self._reached:
            return placed + (stays_before - self._reached) + waiting_before
        return self._stay_new[stays_before] + waiting_before


OPERATIONS_LIMIT = 100_000
"""From this many changes on, the whole document counts as replaced."""


class FieldsDiff(Struct, frozen=True):
    """The fields that changed; `fallback` says why they are not listed one by one, if they are not."""

    operations: tuple[PatchOperation, ...]
    fallback: str = ""


def diff_values(old: JsonValue, new: JsonValue, *, identity: Identity = strong_identity) -> tuple[PatchOperation, ...]:
    """Return the operations that turn `old` into `new`: `same(apply_patch(old, operations), new)`.

    Nothing when the two are the same; the order of an object's keys does not count. Time and
    memory grow with the size of the documents, not with its square. Values are shared with
    the documents, not copied.

    Raises:
        LimitExceeded: a document is nested deeper than 200 levels.
    """
    diff = _Diff(Fingerprints(old, new), identity)
    diff.values("", old, new)
    if len(diff.operations) > OPERATIONS_LIMIT:
        return (PatchOperation("replace", "", value=new, old=old),)
    return tuple(diff.operations)


def fields(old: bytes, new: bytes) -> FieldsDiff:
    """Return the changed fields of a document's two versions, for `aura diff --json`.

    When either cannot be compared by structure, there are no operations and `fallback` is a
    sentence that says why; compare the two as text or bytes then. No operations and no fallback:
    only the writing differs (spaces, the order of keys).
    """
    return parsed_fields(parse_document(old), parse_document(new))


def parsed_fields(before: ParsedDocument | Unstructured, after: ParsedDocument | Unstructured) -> FieldsDiff:
    """Return the changed fields of two versions that were read; see `fields`."""
    for side, document in (("old", before), ("new", after)):
        if isinstance(document, Unstructured):
            return FieldsDiff((), f"The {side} document is not compared by fields: {document.reason}")
    assert not isinstance(before, Unstructured)
    assert not isinstance(after, Unstructured)
    operations = diff_values(before.value, after.value)
    if len(operations) == 1 and operations[0].path == "" and isinstance(after.value, dict | list):
        return FieldsDiff(operations, "So much changed that the document counts as replaced")
    return FieldsDiff(operations)


class _Diff:
    def __init__(self, prints: Fingerprints, identity: Identity) -> None:
        self.operations: list[PatchOperation] = []
        self._prints = prints
        self._identity = identity
        self._effort = WorkBudget()

    def values(self, path: str, old: JsonValue, new: JsonValue) -> None:
        if self._prints.of(old) == self._prints.of(new) or len(self.operations) > OPERATIONS_LIMIT:
            return
        if isinstance(old, dict) and isinstance(new, dict) and (not old or not new or old.keys() & new.keys()):
            self._objects(path, old, new)
        elif isinstance(old, list) and isinstance(new, list):
            self._lists(path, old, new)
        else:
            self.operations.append(PatchOperation("replace", path, value=new, old=old))

    def _objects(self, path: str, old: dict[str, JsonValue], new: dict[str, JsonValue]) -> None:
        renamed = self._renamed_keys(old, new)
        for key, value in old.items():
            if key in renamed:
                target = f"{path}/{escape(renamed[key])}"
                self.operations.append(PatchOperation("move", target, source=f"{path}/{escape(key)}", old=value))
            elif key not in new:
                self.operations.append(PatchOperation("remove", f"{path}/{escape(key)}", old=value))
        arrived = set(renamed.values())
        for key, value in new.items():
            if key not in old and key not in arrived:
                self.operations.append(PatchOperation("add", f"{path}/{escape(key)}", value=value))
        number = self._prints.of
        for key, value in new.items():
            if key not in old or (type(value) is str and value == old[key]):
                continue
            if number(old[key]) != number(value):
                self.values(f"{path}/{escape(key)}", old[key], value)

    def _renamed_keys(self, old: dict[str, JsonValue], new: dict[str, JsonValue]) -> dict[str, str]:
        """Find keys whose value went, unchanged, to a new key: only for values that can be distinguished."""
        gone = [key for key in old if key not in new and _is_telling(old[key])]
        come = [key for key in new if key not in old and _is_telling(new[key])]
        if not gone or not come:
            return {}
        targets: dict[int, list[str]] = {}
        for key in reversed(come):
            targets.setdefault(self._prints.of(new[key]), []).append(key)
        found: dict[str, str] = {}
        for key in gone:
            keys = targets.get(self._prints.of(old[key]))
            if keys:
                found[key] = keys.pop()
        return found

    def _lists(self, path: str, old: list[JsonValue], new: list[JsonValue]) -> None:
        pairs = match_elements(old, new, self._prints, self._effort, self._identity)
        for step in plan_steps(len(old), len(new), pairs):
            value = new[step.new] if step.new is not None else UNSET
            before = old[step.old] if step.old is not None else UNSET
            if step.target is None:
                self.operations.append(PatchOperation("remove", f"{path}/{step.source}", old=before))
            elif step.source is None:
                self.operations.append(PatchOperation("add", f"{path}/{step.target}", value=value))
            else:
                self.operations.append(
                    PatchOperation("move", f"{path}/{step.target}", source=f"{path}/{step.source}", old=before)
                )
        for i, j in pairs:
            self.values(f"{path}/{j}", old[i], new[j])


def _is_telling(value: JsonValue) -> bool:
    if isinstance(value, str):
        return len(value) >= 12
    return isinstance(value, dict | list) and len(value) > 0
