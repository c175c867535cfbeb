"""What an operation records of refs that it moves: the ref's name in the operation, its state before and after."""

from typing import Any

import msgspec

from aura_vcs import layout
from aura_vcs.codec import to_plain
from aura_vcs.ids import ReplicaId
from aura_vcs.model import Annotation, BranchEntry, Field, Label, RefChange, Tag


def branch_change(name: str, before: BranchEntry | None, after: BranchEntry) -> tuple[str, RefChange]:
    """Build an operation's record of a branch entry that moved."""
    ref = layout.branch_ref(name, after.replica).removeprefix(f"{layout.REFS}/").removesuffix(".json")
    return ref, RefChange(None if before is None else to_plain(before), to_plain(after))


def label_change(before: Label | None, after: Label) -> tuple[str, RefChange]:
    """Build an operation's record of a label that changed."""
    return f"versions/{after.version}", RefChange(None if before is None else to_plain(before), to_plain(after))


class Giver(msgspec.Struct, frozen=True):
    """Who gives a value: a replica, at a time, and the person there."""

    replica: ReplicaId
    at: str
    by: str


def field_change(room: str, key: str, before: Field | None, value: Any, giver: Giver) -> tuple[str, RefChange]:
    """Build an operation's record of a value that is given to a setting or a field of the state."""
    counter = (before.stamp[0] if before is not None else 0) + 1
    after = Field(value, (counter, giver.replica), giver.at, giver.by)
    return f"{room}/{key}", RefChange(None if before is None else to_plain(before), to_plain(after))


def setting_change(key: str, before: Field | None, after: Field) -> tuple[str, RefChange]:
    """Build an operation's record of a setting that another machine gave."""
    return f"settings/{key}", RefChange(None if before is None else to_plain(before), to_plain(after))


def checkpoint_change(name: str, before: dict[str, Any], changes: dict[str, Any]) -> tuple[str, RefChange]:
    """Build an operation's record of a checkpoint, some of whose CHECKPOINT_FIELDS changed."""
    after = {**before, **changes, "revision": before.get("revision", 0) + 1}
    return f"checkpoints/{name}", RefChange(before, after)


def annotation_change(room: str, before: Annotation | None, after: Annotation) -> tuple[str, RefChange]:
    """Build an operation's record of a note, a provenance or a recipe that changed."""
    return f"{room}/{after.id}", RefChange(None if before is None else to_plain(before), to_plain(after))


def tag_change(name: str, before: Tag | None, after: Tag) -> tuple[str, RefChange]:
    """Build an operation's record of a tag that changed."""
    ref = layout.tag_ref(name).removeprefix(f"{layout.REFS}/").removesuffix(".json")
    return ref, RefChange(None if before is None else to_plain(before), to_plain(after))
