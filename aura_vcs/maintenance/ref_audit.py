"""Whether refs say what the operations that made them said.

A ref is a small file without a checksum, so that it can be read and merged by hand. What it should
hold is told by the logs, whose lines have one: a flipped bit in a ref is found by comparing.
"""

from collections.abc import Iterator
from functools import reduce
from typing import TypeVar

from msgspec.structs import replace

from aura_vcs import layout
from aura_vcs.codec import from_plain
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.model import Annotation, BranchEntry, Label, Tag
from aura_vcs.refs.annotations import ROOMS, merge_annotations
from aura_vcs.refs.merge import fields_of_stamp, merge_labels
from aura_vcs.repository.repository import Repository

T = TypeVar("T")
Afters = dict[str, list[object]]


def unrecorded_refs(repo: Repository) -> Iterator[tuple[str, str]]:
    """Yield refs that hold what no operation recorded, each with a sentence.

    A ref whose operations are not here is not judged: another machine's log may arrive after it, or
    end before what it recorded last.
    """
    afters: Afters = {}
    for line in repo.logs.read_all():
        for name, change in line.operation.refs.items() if line.operation is not None else ():
            if change.after is not None:
                afters.setdefault(name, []).append(change.after)
    for branch in repo.refs.branches():
        for entry in repo.refs.branch_entries(branch):
            name = _short(layout.branch_ref(branch, entry.replica))
            known = _all(afters, name, BranchEntry)
            if name in afters and entry not in known and not _is_ahead(repo, entry, known):
                yield f"refs/{name}", "it is not what any operation recorded"
    for tag_name, tag in repo.refs.tags().items():
        name = _short(layout.tag_ref(tag_name))
        recorded = _all(afters, name, Tag)
        is_recorded = any(tag == other or _has_seen_more(tag, other) for other in recorded)
        if name in afters and not is_recorded and not _is_tag_ahead(repo, tag, recorded):
            yield f"refs/{name}", "it is not what any operation recorded"
    for label in repo.refs.all_labels():
        name = f"versions/{label.version}"
        labels = _all(afters, name, Label)
        if labels and (wrong := _differing(label, reduce(merge_labels, labels))):
            yield f"refs/{name}", f"its {wrong} is not what any operation recorded"

    yield from _unrecorded_annotations(repo, afters)


def _unrecorded_annotations(repo: Repository, afters: Afters) -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for item in repo.refs.annotations.all(room):
            said = _all(afters, f"{room}/{item.id}", Annotation)
            if said and (key := _unrecorded_field(repo, item, reduce(merge_annotations, said))):
                yield f"refs/{room}/{item.id}", f"its field {key} is not what any operation recorded"


def _unrecorded_field(repo: Repository, item: Annotation, recorded: Annotation) -> str:
    """Return a field that is not as the logs have it; "" where all are, or are newer than another machine's log."""
    for key, field in item.fields.items():
        known = recorded.fields.get(key)
        is_newer = field.stamp[1] != repo.replica and (known is None or field.stamp > known.stamp)
        if field != known and not is_newer:
            return key
    return ""


def _is_ahead(repo: Repository, entry: BranchEntry, known: list[BranchEntry]) -> bool:
    """Tell whether another machine's entry was written after all that its log, as much as is here, records."""
    if entry.replica == repo.replica:
        return False
    return all(entry.counter > other.counter and entry.updated_at > other.updated_at for other in known)


def _has_seen_more(tag: Tag, recorded: Tag) -> bool:
    """Tell whether a tag is a recorded one that has seen others since: where copies merge, no operation says so."""
    if tag.seen is None or recorded.seen is None or replace(tag, seen=recorded.seen) != recorded:
        return False
    return all(tag.seen.get(replica, 0) >= counter for replica, counter in recorded.seen.items())


def _is_tag_ahead(repo: Repository, tag: Tag, known: list[Tag]) -> bool:
    """Tell whether a tag is newer than its log: a higher stamp alone, with the rest as it was recorded, is damage."""
    if tag.stamp[1] == repo.replica:
        return False
    moved = {(other.version, other.message, other.created_at, other.created_by) for other in known}
    same = (tag.version, tag.message, tag.created_at, tag.created_by) in moved
    return not same and all(tag.stamp > other.stamp for other in known)


def _short(path: str) -> str:
    return path.removeprefix(f"{layout.REFS}/").removesuffix(".json")


def _all(afters: Afters, name: str, shape: type[T]) -> list[T]:
    found = []
    for after in afters.get(name, ()):
        try:
            found.append(from_plain(after, shape, name))
        except RecordCorrupt:
            continue
    return found


def _differing(label: Label, recorded: Label) -> str:
    """Return the first field that differs although both have it from the same stamp."""
    for field in ("version", "number", "branch"):
        if getattr(label, field) != getattr(recorded, field):
            return field
    for stamp in ("name", "description", "important", "deleted", "purged"):
        if label.stamps.get(stamp) != recorded.stamps.get(stamp):
            continue
        for field in fields_of_stamp(stamp):
            if getattr(label, field) != getattr(recorded, field):
                return field
    return ""
