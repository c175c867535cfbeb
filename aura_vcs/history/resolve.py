"""Deciding open conflicts, today or later, on this machine or another: edits of the worktree.

A decision changes the file and takes the conflict off the list, in one step that undo takes back.
Committing it is an ordinary commit.
"""

import os
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from aura_vcs.compare.merge.file import MergedFile, resolve_file
from aura_vcs.compare.merge.model import TreeEntry
from aura_vcs.compare.merge.tree import MergedTree, TreeConflict, resolve_tree
from aura_vcs.errors import InputError
from aura_vcs.errors.compare import ChoiceImpossible, ConflictUnknown
from aura_vcs.errors.integrity import ObjectMissing
from aura_vcs.errors.worktree import FileUnstable
from aura_vcs.formats.jsondoc.values import split_pointer
from aura_vcs.formats.media.sequences import covers
from aura_vcs.history.checkout import CheckoutResult, StepRequest, replace_worktree
from aura_vcs.history.file_edits import read_document
from aura_vcs.history.merging.conflict_anchors import relocate
from aura_vcs.history.merging.conflict_choice import also_resolved, check_source, conflict_same_place, is_from, select
from aura_vcs.history.merging.conflicts import OpenConflict, decode, encode
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.steps import StepScope
from aura_vcs.history.recording.tree_steps import change_tree, for_comparison
from aura_vcs.history.recording.version_builder import WorktreeBase
from aura_vcs.history.undo import operation_of
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.layout import CONFLICTS
from aura_vcs.model import Entry, EntryKind, HeadChange, Inverse, Kind, Operation, TreeChange
from aura_vcs.objects.batch import Batch
from aura_vcs.plain_text import readable_name
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction

Decision = Literal["ours", "theirs", "base", "both", "as_is"]


class Resolved(msgspec.Struct, frozen=True):
    """What was decided, and what is still open in the whole project."""

    decided: tuple[OpenConflict, ...]
    remaining: tuple[OpenConflict, ...]
    files: CheckoutResult


def open_conflicts(repo: Repository) -> tuple[OpenConflict, ...]:
    """List what is in conflict in the worktree now.

    Raises:
        RecordCorrupt, FormatUnsupported: the list cannot be read.
    """
    data = read_document(repo, CONFLICTS)
    return () if data is None else decode(data)


def conflicts_at(items: Sequence[OpenConflict], path: str, place: str = "") -> tuple[OpenConflict, ...]:
    """Select the conflicts about a file, the file set aside, or in a folder ("" for all); only at `place` in it.

    `path` may name frames of a sequence: `shot.[0012-0030].exr`.
    """

    def is_meant(item: OpenConflict) -> bool:
        paths = [item.path, item.tree.aside] if item.tree is not None else [item.path]
        is_named = not path or any(name == path or name.startswith(f"{path}/") for name in paths)
        return is_named or (item.tree is not None and covers(path, item.path))

    return tuple(item for item in items if is_meant(item) and (not place or _is_at(item, place)))


def resolve_conflicts(repo: Repository, path: str, place: str, decision: Decision, *, source: str = "") -> Resolved:
    """Decide what is open at a path: all of it, or only at `place`, a JSON pointer or a line.

    `path` may be a file, the file that was set aside, a folder, frames of a sequence (`shot.[0012-0030].exr`), or
    "" for everything. "both" keeps
    both where that can be; "as_is" takes what the folder has now, edited by hand perhaps. With
    `source`, only what came in from there ("v3", a branch) is decided; where several sides came in
    at one place, taking one of them decides the place. The same decision that was interrupted is
    finished, and that is all.

    Raises:
        ConflictUnknown: nothing is open there. ChoiceImpossible: says why.
        InputError: nothing came from `source`.
        FileUnstable: the folder is being written to.
        ObjectMissing: the other side's content is not here.
    """
    shown = readable_name(f"{path}#{place}" if place else path or "everything")
    whose = f" from {source}" if source else ""
    what = f"Resolved {shown} ({decision.replace('_', ' ')}{whose})"
    finished = recover(repo)
    if finished is not None and (finished.type, finished.description) == ("resolve", what):
        return _recovered(repo, finished)
    work = _ResolveStep(repo, path, place, decision, source)

    def draft(_: Transaction, base: WorktreeBase, before: ObjectId, after: ObjectId) -> Draft:
        return Draft(
            "resolve",
            what,
            head=HeadChange(base.head, base.head),
            worktree=TreeChange(before, after),
            inverse=Inverse("resolve.revert"),
        )

    files = replace_worktree(repo, work, draft, StepRequest("PreResolve", f"Before resolving {shown}"[:200]))
    return Resolved(tuple(work.decided), tuple(work.left), files)


def resolve_by_hand(repo: Repository, path: str, data: bytes, shown: ObjectId) -> Resolved:
    """Write a file anew, and take that as the decision about all that is open in it, in one step.

    `shown` is the content that whoever wrote `data` had before them. What was set aside beside the file goes; undo
    brings everything back.

    Raises:
        InputError: the file has another content by now. ConflictUnknown: nothing is open there.
        FileUnstable: the folder is being written to.
    """
    what = f"Resolved {readable_name(path)} (written by hand)"
    finished = recover(repo)
    is_same = finished is not None and (finished.type, finished.description) == ("resolve", what)
    if finished is not None and is_same and read_document(repo, path) == data:
        return _recovered(repo, finished)
    work = _WrittenStep(repo, path, data, shown)

    def draft(_: Transaction, base: WorktreeBase, before: ObjectId, after: ObjectId) -> Draft:
        head = HeadChange(base.head, base.head)
        change = TreeChange(before, after)
        return Draft("resolve", what, head=head, worktree=change, inverse=Inverse("resolve.revert"))

    files = replace_worktree(repo, work, draft, StepRequest("PreResolve", f"Before: {what}"[:200]))
    return Resolved(tuple(work.decided), tuple(work.left), files)


def _recovered(repo: Repository, operation: Operation) -> Resolved:
    """Report what an interrupted decision did, now that it has been carried out."""
    change = operation.worktree
    assert change is not None
    before, after = (conflicts_in(repo, tree) for tree in (change.before, change.after))
    left = {item.id for item in after}
    return Resolved(
        tuple(item for item in before if item.id not in left),
        after,
        CheckoutResult(repo.head(), None, sum(1 for _ in repo.trees.differences(change.before, change.after)), ()),
    )


def conflicts_in(repo: Repository, tree: ObjectId) -> tuple[OpenConflict, ...]:
    """List what is in conflict in a version's tree."""
    entry = repo.trees.entry(tree, CONFLICTS)
    return () if entry is None else decode(repo.store.read(entry.id))


def _tree_after_last(repo: Repository) -> ObjectId | None:
    """Return the folder as the last operation left it: nothing in it is unsaved that undo would not bring back."""
    actions = [action for action in repo.queries.actions(limit=20) if action.replica == repo.replica]
    if not actions:
        return None
    change = operation_of(repo, actions[0]).worktree
    return change.after if change is not None else None


class _ResolveStep:
    """The decision, made on the folder as the snapshot has it; see Step."""

    paths: tuple[str, ...] = ()

    def __init__(self, repo: Repository, path: str, place: str, decision: Decision, source: str) -> None:
        self._repo = repo
        self._path = path
        self._place = place
        self._decision = decision
        self._source = source
        self.source: ObjectId | None = None
        self.decided: list[OpenConflict] = []
        self.left: list[OpenConflict] = []

    def scope(self, base: WorktreeBase) -> StepScope:
        """Return the scope: all of the folder; undoing the last operation would bring back what that left there."""
        last = _tree_after_last(self._repo)
        return StepScope(base.tree, (base.tree,) if last is None else (base.tree, last))

    def tree(self, batch: Batch, folder: ObjectId) -> ObjectId:
        """Build the folder with the decision carried out."""
        items = decode(self._content(folder, CONFLICTS)) if self._entry(folder, CONFLICTS) is not None else ()
        chosen = conflicts_at(items, self._path)
        if not chosen:
            raise ConflictUnknown(self._path or "the project", [item.location for item in items[:5]])
        if self._place and len({item.path for item in chosen}) > 1:
            raise InputError(f"{self._path} is more than one file", hint="Name the file before the `#`.")
        check_source(chosen, self._source)
        kept: dict[str, OpenConflict] = {item.id: item for item in items}
        changes: dict[str, Entry | None] = {}
        for path in dict.fromkeys(item.path for item in chosen):
            here = [item for item in chosen if item.path == path]
            decided = self._decide(batch, folder, here, changes, kept)
            self.decided += decided
            for item in decided:
                kept.pop(item.id, None)
        self.left = list(kept.values())
        changes[CONFLICTS] = self._blob(batch, CONFLICTS, encode(self.left), executable=False) if self.left else None
        return change_tree(self._repo.trees, folder, changes, lambda data, at: batch.add(Kind.TREE, data, at))

    def _decide(
        self,
        batch: Batch,
        folder: ObjectId,
        items: Sequence[OpenConflict],
        changes: dict[str, Entry | None],
        kept: dict[str, OpenConflict],
    ) -> list[OpenConflict]:
        """Decide about one path; fills in what changes and what moves; returns what was decided."""
        whole = [item for item in items if item.tree is not None and is_from(item, self._source)]
        inside = [item for item in items if item.tree is None]
        if self._place and not inside:
            raise ConflictUnknown(f"{self._path}#{self._place}", [item.location for item in items])
        at_place = [item for item in inside if _is_at(item, self._place)]
        if inside and not at_place:
            raise ConflictUnknown(f"{self._path}#{self._place}", [item.location for item in inside[:5]])
        meant = [item for item in at_place if is_from(item, self._source)]
        asked = meant if self._place else [*meant, *whole]
        if self._decision == "as_is":
            return asked
        chosen = select(asked, self._decision)
        rivals = [other for item in chosen for other in also_resolved(item, self._decision, kept.values())]
        decided = list({item.id: item for item in [*asked, *rivals]}.values())
        apart = [
            item for item in inside if item in chosen or not any(conflict_same_place(item, other) for other in chosen)
        ]
        if any(item in chosen for item in meant):
            self._decide_inside(batch, folder, apart, [item for item in meant if item in chosen], changes, kept)
        for item in decided:
            if item.tree is not None:
                self._decide_file(folder, item, changes, is_taken=item in chosen)
        return decided

    def _decide_inside(
        self,
        batch: Batch,
        folder: ObjectId,
        inside: Sequence[OpenConflict],
        meant: Sequence[OpenConflict],
        changes: dict[str, Entry | None],
        kept: dict[str, OpenConflict],
    ) -> None:
        path = inside[0].path
        entry = self._entry(folder, path)
        if entry is None or entry.kind is not EntryKind.FILE:
            reason = "the file is not in the folder any more"
            raise ChoiceImpossible(path, self._decision, reason, hint="`aura resolve --as-is` takes it as it is.")
        data = self._content(folder, path)
        waiting = list(inside)
        if inside[0].field is not None:
            waiting = relocate(data, inside, self._decision, [item.id for item in meant])
        wanted = [item.id for item in meant]
        if len(meant) == len(inside):
            data, waiting = self._resolve(data, waiting, "")
        while open_ones := [item for item in waiting if item.id in wanted]:
            data, waiting = self._resolve(data, waiting, _spot(open_ones[0]))
        changes[path] = self._blob(batch, path, data, executable=entry.executable)
        kept.update((item.id, item) for item in waiting)

    def _resolve(self, data: bytes, items: Sequence[OpenConflict], place: str) -> tuple[bytes, list[OpenConflict]]:
        """Decide the conflicts at a place of the document; return it, and what is left, where it is then."""
        assert self._decision != "as_is"
        merged = MergedFile(
            None,
            items[0].by,
            tuple(item.field for item in items if item.field is not None),
            tuple(item.text for item in items if item.text is not None),
        )
        done = resolve_file(data, merged, place, self._decision)
        others = [item for item in items if not _is_at(item, place)]
        if items[0].text is not None:
            left = [
                msgspec.structs.replace(item, text=now) for item, now in zip(others, done.text_conflicts, strict=True)
            ]
        else:
            left = [msgspec.structs.replace(item, field=now) for item, now in zip(others, done.conflicts, strict=True)]
        return done.data or b"", left

    def _decide_file(
        self, folder: ObjectId, item: OpenConflict, changes: dict[str, Entry | None], *, is_taken: bool
    ) -> None:
        """Carry out a decision about whole files; of a side that another one was taken before, only the copy goes."""
        conflict = item.tree
        assert conflict is not None
        if not is_taken:
            if conflict.aside and self._entry(folder, conflict.aside) is not None:
                changes[conflict.aside] = None
            return
        assert self._decision != "as_is"
        paths = [path for path in (conflict.path, conflict.aside) if path]
        found = {path: entry for path in paths if (entry := self._entry(folder, path)) is not None}
        here = for_comparison(found)
        wanted = dict(resolve_tree(MergedTree(dict(here), (), (conflict,)), conflict.path, self._decision).entries)
        taken = _path_of_side(conflict, self._decision)
        if taken in here and wanted.get(conflict.path) is not None:
            wanted[conflict.path] = here[taken]  # worked on since, perhaps: what is taken is what is there now
        for path in paths:
            if wanted.get(path) != here.get(path):
                changes[path] = self._as_entry(wanted.get(path), path, found.values())

    def _as_entry(self, file: TreeEntry | None, path: str, here: Iterable[Entry]) -> Entry | None:
        if file is None:
            return None
        for entry in here:
            if entry.id == file.id and entry.kind == file.kind:
                return msgspec.structs.replace(entry, name="", executable=file.executable)
        record = self._repo.queries.object(ObjectId(file.id))
        if record is None:
            raise ObjectMissing(ObjectId(file.id), path)
        return Entry("", EntryKind(file.kind), record.id, record.size, file.executable)

    def _entry(self, folder: ObjectId, path: str) -> Entry | None:
        return self._repo.trees.entry(folder, path)

    def _content(self, folder: ObjectId, path: str) -> bytes:
        """Read a document as the snapshot has it; what is only in the folder is not in the store yet."""
        entry = self._entry(folder, path)
        data = read_document(self._repo, path)
        if data is None or entry is None or blob_id(data) != entry.id:
            raise FileUnstable([path])
        return data

    def _blob(self, batch: Batch, path: str, data: bytes, *, executable: bool) -> Entry:
        return Entry(os.path.basename(path), EntryKind.FILE, batch.add(Kind.BLOB, data, path), len(data), executable)


class _WrittenStep(_ResolveStep):
    """A file that somebody wrote, as the decision about it."""

    def __init__(self, repo: Repository, path: str, data: bytes, shown: ObjectId) -> None:
        super().__init__(repo, path, "", "as_is", "")
        self._data = data
        self._shown = shown

    def tree(self, batch: Batch, folder: ObjectId) -> ObjectId:
        """Build the folder with the file as it was written."""
        items = decode(self._content(folder, CONFLICTS)) if self._entry(folder, CONFLICTS) is not None else ()
        self.decided = [item for item in items if item.path == self._path]
        self.left = [item for item in items if item.path != self._path]
        if not self.decided:
            raise ConflictUnknown(self._path, [item.location for item in items[:5]])
        entry = self._entry(folder, self._path)
        if entry is None or entry.kind is not EntryKind.FILE or entry.id != self._shown:
            hint = "Load the page again, and put what you wrote into what is there now."
            raise InputError(f"{readable_name(self._path)} was changed since it was shown", hint=hint)
        changes: dict[str, Entry | None] = {
            item.tree.aside: None
            for item in self.decided
            if item.tree is not None and item.tree.aside and self._entry(folder, item.tree.aside) is not None
        }
        changes[self._path] = self._blob(batch, self._path, self._data, executable=entry.executable)
        changes[CONFLICTS] = self._blob(batch, CONFLICTS, encode(self.left), executable=False) if self.left else None
        return change_tree(self._repo.trees, folder, changes, lambda data, at: batch.add(Kind.TREE, data, at))


def _path_of_side(conflict: TreeConflict, decision: str) -> str:
    """Return the path at which the folder has a side of a whole-file conflict; "" for none."""
    sides = {"ours": conflict.ours, "theirs": conflict.theirs}
    if conflict.kind == "renamed" or sides.get(decision) is None:
        return ""
    if not conflict.aside or (conflict.kind == "blocked" and conflict.theirs is None):
        return conflict.aside or conflict.path
    return conflict.path if decision == "ours" else conflict.aside


def _spot(item: OpenConflict) -> str:
    return str(item.text.line) if item.text is not None else item.field.pointer if item.field is not None else ""


def _is_at(item: OpenConflict, place: str) -> bool:
    """Tell whether a conflict inside a file is at the place or below it; "" is all of the file."""
    if not place:
        return True
    if item.text is not None:
        return str(item.text.line) == place
    at = split_pointer(place)
    return item.field is not None and split_pointer(item.field.pointer)[: len(at)] == at
