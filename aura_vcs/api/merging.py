"""Merges: what one will do or did, and what it left to be decided."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, Unpack

from msgspec import UNSET

from aura_vcs.api.opened import Part, StrPath, project_paths
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.values import Moved, Undone, Version, VersionLike, moved_or_none, name_or_none, paths_of
from aura_vcs.compare.merge.model import TreeEntry
from aura_vcs.history import merge as merge_room, resolve as resolve_room
from aura_vcs.history.abort_merge import abort_merge
from aura_vcs.history.merging import conflicts
from aura_vcs.history.resolve import Decision
from aura_vcs.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Conflict:
    """One decision that a merge left open; your files have what was merged so far, and can be used.

    `place` is a JSON pointer or the number of a line, "" for a whole file. `kind` is "changed" (to two different
    things), "removed_by_ours", "removed_by_theirs", "moved", "renamed" or "blocked". `base`, `ours` and `theirs`
    are texts: a field as JSON, the lines of a passage, or what kind of thing is at the path; None for a side that
    has nothing there. `aside` is where the other side's file was put, if there is one.
    """

    id: str
    path: Path
    place: str
    kind: str
    base: str | None
    ours: str | None
    theirs: str | None
    ours_label: str
    theirs_label: str
    aside: Path | None

    @classmethod
    def _of(cls, item: conflicts.OpenConflict) -> Self:
        """Take over a question."""
        place, kind, aside = "", "changed", None
        sides: tuple[str | None, str | None, str | None] = (None, None, None)
        if item.field is not None:
            field = item.field
            place, kind = field.pointer, field.kind
            sides = _field_text(field.base), _field_text(field.ours), _field_text(field.theirs)
        elif item.text is not None:
            place, sides = str(item.text.line), (item.text.base, item.text.ours, item.text.theirs)
        elif item.tree is not None:
            tree = item.tree
            kind, aside = tree.kind, Path(tree.aside) if tree.aside else None
            sides = _entry_text(tree.base), _entry_text(tree.ours), _entry_text(tree.theirs)
        labels = item.ours_label, item.theirs_label
        return cls(item.id, Path(item.path), place, kind, *sides, *labels, aside)


@dataclass(frozen=True, slots=True)
class MergePlan:
    """What a merge will do, or did.

    `kind` is "up_to_date" (there is nothing to do), "forward" (their version builds on ours: the branch moves
    there) or "join" (a merge). `changed` are paths of the merged version that differ from ours, `deleted` those
    that it does not have, `renamed` maps new names to old ones. `heads_left` are ids of heads of the branch that
    are still apart afterwards.
    """

    kind: Literal["up_to_date", "forward", "join"]
    ours: Version
    theirs: Version
    changed: tuple[Path, ...]
    deleted: tuple[Path, ...]
    renamed: dict[Path, Path]
    conflicts: tuple[Conflict, ...]
    heads_left: tuple[str, ...]

    @classmethod
    def _of(cls, plan: merge_room.MergePlan) -> Self:
        """Take over a plan."""
        return cls(
            plan.kind,
            Version._of(plan.ours),
            Version._of(plan.theirs),
            paths_of(path for path, entry in plan.changes.items() if entry is not None),
            paths_of(path for path, entry in plan.changes.items() if entry is None),
            {Path(new): Path(old) for new, old in plan.renamed.items()},
            _conflicts(plan.conflicts),
            tuple(plan.remaining_heads),
        )


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did: `version` is where the branch is now, `files` what happened to yours, if anything.

    `replaced` are files with unsaved changes that the merge changed too: the restore point has them.
    """

    plan: MergePlan
    version: Version
    files: Moved | None
    replaced: tuple[Path, ...]

    @classmethod
    def _of(cls, repo: Repository, done: merge_room.Merged) -> Self:
        """Take over what was done."""
        files = moved_or_none(repo, done.files)
        return cls(MergePlan._of(done.plan), Version._of(done.version), files, paths_of(done.replaced))


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was decided, and what is still open in the whole project."""

    decided: tuple[Conflict, ...]
    left: tuple[Conflict, ...]
    files: Moved

    @classmethod
    def _of(cls, repo: Repository, done: resolve_room.Resolved) -> Self:
        """Take over what was done."""
        return cls(_conflicts(done.decided), _conflicts(done.remaining), Moved._of(repo, done.files))


class MergeMethods(Part):
    """Merges, and deciding what they leave open."""

    def plan_merge(self, version: VersionLike | None = None, **call: Unpack[Call]) -> MergePlan:
        """Merge in memory; changes nothing.

        Raises:
            UnknownVersion. InputError: nothing to merge with was named, and the branch has one head.
        """
        return self._opened.run(call, _plan_merge, name_or_none(version))

    def merge(
        self, version: VersionLike | None = None, *, message: str = "", author: str | None = None, **call: Unpack[Call]
    ) -> Merged:
        """Merge a branch or version into the current branch; without one, merge the branch's own heads.

        What both sides changed differently becomes a conflict, with both sides kept; see `conflicts` and `resolve`.
        """
        return self._opened.run(call, _merge, name_or_none(version), message, author)

    def abort_merge(self, **call: Unpack[Call]) -> Undone:
        """Take back the merge that your files are on, with the decisions made since."""
        return self._opened.run(call, _abort_merge)

    def conflicts(self) -> tuple[Conflict, ...]:
        """List the conflicts that merges left."""
        return self._opened.run(NO_CALL, _open_conflicts)

    def resolve(
        self, path: StrPath, decision: Decision, *, place: str = "", source: str = "", **call: Unpack[Call]
    ) -> Resolved:
        """Decide what is open at a path: all of it, or only at `place`, a JSON pointer or a line.

        If several versions were merged at one place, `source` says whose side is meant, as `ours_label` and
        `theirs_label` name them.

        Raises:
            ConflictUnknown: nothing is open there. ChoiceImpossible.
        """
        return self._opened.run(call, _resolve, path, place, decision, source)


def _plan_merge(repo: Repository, name: str | None) -> MergePlan:
    return MergePlan._of(merge_room.plan_merge(repo, name))


def _merge(repo: Repository, name: str | None, message: str, author: str | None) -> Merged:
    return Merged._of(repo, merge_room.merge(repo, name, message=message, author=author))


def _abort_merge(repo: Repository) -> Undone:
    return Undone._of(repo, abort_merge(repo))


def _open_conflicts(repo: Repository) -> tuple[Conflict, ...]:
    return _conflicts(resolve_room.open_conflicts(repo))


def _resolve(repo: Repository, path: StrPath, place: str, decision: Decision, source: str) -> Resolved:
    chosen = project_paths(repo, [path])[0]
    return Resolved._of(repo, resolve_room.resolve_conflicts(repo, chosen, place, decision, source=source))


def _conflicts(found: tuple[conflicts.OpenConflict, ...]) -> tuple[Conflict, ...]:
    return tuple(map(Conflict._of, conflicts.sort(found)))


def _field_text(value: object) -> str | None:
    return None if value is UNSET else json.dumps(value, ensure_ascii=False)


def _entry_text(entry: TreeEntry | None) -> str | None:
    return None if entry is None else entry.kind
