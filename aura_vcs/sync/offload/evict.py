"""Evict: free content that versions hold and that its recipe makes again.

First it is marked, by an operation that undo takes back; after the grace period the bytes go, with `aura gc`. At both
times its recipe, as it stands, must have made it again on this machine, or a remote that is asked hold the content; and
what it is made from is proved to be here, or at a remote. Nothing is run here: recipes are tried when a person says so,
and what is evicted comes back when a person has it made, or from a remote.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from aura_vcs.annotations.proofs import NOT_TRIED, is_proved
from aura_vcs.annotations.recipes import Recipe, is_agreed, needed_inputs, recipe_of
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.lookup.select_files import files_in, shown_path
from aura_vcs.history.recording.journal import pending
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.ids import ObjectId
from aura_vcs.index.annotations import AnnotationTable
from aura_vcs.index.queries import VersionFilter
from aura_vcs.maintenance.delete_objects import ObjectRemoval
from aura_vcs.maintenance.gc import Collected
from aura_vcs.maintenance.housekeeping import begin, is_due, is_eviction_due, keep_house as collect, note_eviction
from aura_vcs.model import GRACE_SECONDS, Annotation, Field, Inverse, Kind, RefChange
from aura_vcs.objects.availability import missing_parts
from aura_vcs.operation_log import annotation_change
from aura_vcs.plain_text import format_time, now
from aura_vcs.refs.annotations import EVICT, FREED, RECIPE, value_of, with_values
from aura_vcs.repository.format_file import ANNOTATIONS
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.sync.offload.chunk_lists import blob_parts
from aura_vcs.sync.offload.offload import reasons_to_stay, removable_objects
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.offload.record_evicted import record_evicted
from aura_vcs.worktree.checkout.new_file import StoredReaders


class EvictableFile(msgspec.Struct, frozen=True):
    """A file of versions that can be made again: it goes, or stays for a reason. `size` counts bytes of content."""

    id: ObjectId
    path: str
    size: int
    reason: str = ""


class VersionEviction(msgspec.Struct, frozen=True):
    """What goes and what stays of what versions hold."""

    going: tuple[EvictableFile, ...]
    staying: tuple[EvictableFile, ...]

    @property
    def size(self) -> int:
        """Bytes of content that go."""
        return sum(file.size for file in self.going)

    @property
    def untried(self) -> list[ObjectId]:
        """What stays only because its recipe was not tried yet."""
        return [file.id for file in self.staying if file.reason == NOT_TRIED]

    def with_faults(self, faults: Mapping[ObjectId, str]) -> "VersionEviction":
        """Say of those whose recipe was tried in vain what was wrong."""
        return VersionEviction(self.going, with_faults(self.staying, faults))


def plan_version_eviction(
    repo: Repository, older_than_seconds: float = 0, witnesses: Sequence[StorageProver] = ()
) -> VersionEviction:
    """Find content that only older versions hold and that its recipe makes again. Changes nothing.

    The recipe, as it stands, must have made it again on this machine, or a witness hold the content itself. What a
    recipe needs must be here, where it is hashed, or be proved by one of the witnesses.
    """
    before = format_time(datetime.now(UTC) - timedelta(seconds=older_than_seconds))
    items = [item for item in _recipes(repo) if value_of(item, EVICT) is None]
    return _plan(repo, items, witnesses, younger_than=before if older_than_seconds else None)


def _recipes(repo: Repository) -> list[Annotation]:
    return AnnotationTable(repo.index.database).select(RECIPE)


def _plan(
    repo: Repository, items: Sequence[Annotation], witnesses: Sequence[StorageProver], *, younger_than: str | None
) -> VersionEviction:
    found = {recipe.content: recipe for item in items if (recipe := recipe_of(item)) is not None}
    live = [record.tree for record in repo.queries.all_versions(VersionFilter()) if record.is_live]
    files = {file.id: file for file in files_in(repo, live) if file.id in found} if found else {}
    absent = missing_parts(repo.store, files)
    needed, stays = set(needed_inputs(repo)), _staying(repo, files.keys())
    evicted = {ObjectId(i.id) for i in _recipes(repo) if any(value_of(i, key) is not None for key in (EVICT, FREED))}
    going: list[EvictableFile] = []
    staying: list[EvictableFile] = []
    proved: set[ObjectId] = set()
    for blob, file in sorted(files.items(), key=lambda pair: (pair[1].path, pair[0])):
        if blob in absent:
            continue
        recipe = found[blob]
        reason = stays.get(blob, "")
        if not reason and younger_than is not None and recipe.made_at > younger_than:
            reason = "it is younger than that"
        if not reason and blob in needed:
            reason = "something that was evicted is made from it"
        if not reason and not is_agreed(repo, recipe):
            reason = "nobody has agreed to its recipe on this machine"
        if not reason and not is_proved(repo, recipe) and not _is_at_remote(repo, blob, witnesses):
            reason = NOT_TRIED
        reason = reason or _fault_of_inputs(repo, recipe, evicted | {item.id for item in going}, witnesses, proved)
        item = EvictableFile(blob, shown_path(file.path), file.size, reason)
        (staying if reason else going).append(item)
        if not reason:
            needed.update(entry.content for entry in recipe.inputs)
    return VersionEviction(tuple(going), tuple(staying))


def _staying(repo: Repository, blobs: Collection[ObjectId]) -> dict[ObjectId, str]:
    """Map each of the blobs that stays whatever its recipe says to the reason."""
    trees = [(worktree_base(repo).tree, "HEAD is on it")]
    begun = pending(repo)
    if begun is not None:
        trees += [(begun.before, "a command is unfinished"), (begun.after, "a command is unfinished")]
    return reasons_to_stay(repo, blobs, trees)


def _fault_of_inputs(
    repo: Repository,
    recipe: Recipe,
    evicted: Collection[ObjectId],
    witnesses: Sequence[StorageProver],
    proved: set[ObjectId],
) -> str:
    """Say what is wrong with what something is made from; "" where all of it is proved to be here or at a remote."""
    for item in recipe.inputs:
        name = shown_path(item.path)
        if item.content in evicted or item.content == recipe.content:
            return f"it is made from {name}, which is evicted itself"
        if item.content in proved:
            continue
        if missing_parts(repo.store, [item.content]):
            if not _is_at_remote(repo, item.content, witnesses):
                return f"{name}, which it is made from, is not here, and no remote proves that it has it"
        else:
            try:
                repo.store.verify(item.content, Kind.BLOB)
            except IntegrityError:
                return f"{name}, which it is made from, is damaged"
        proved.add(item.content)
    return ""


def _is_at_remote(repo: Repository, blob: ObjectId, witnesses: Iterable[StorageProver]) -> bool:
    for witness in witnesses:
        located = witness.table.find(blob)
        parts = set(blob_parts(repo, blob)) if repo.store.contains(blob) else {blob}
        if located is None or (located.entry.chunked and parts == {blob}):
            continue
        if witness.prove(parts, repo.progress, everything=True).held >= parts:
            return True
    return False


def with_faults(files: Iterable[EvictableFile], faults: Mapping[ObjectId, str]) -> tuple[EvictableFile, ...]:
    """Say of those whose recipe was tried in vain what was wrong, where only that keeps them."""
    return tuple(
        msgspec.structs.replace(file, reason=faults[file.id])
        if file.reason == NOT_TRIED and file.id in faults
        else file
        for file in files
    )


def find_untried(repo: Repository, plan: VersionEviction, witnesses: Sequence[StorageProver] = ()) -> list[ObjectId]:
    """List what could go, or was marked and could be freed, were its recipe only tried on this machine."""
    return [*plan.untried, *plan_freeing(repo, 0, witnesses).untried]


def mark_evicted(repo: Repository, plan: VersionEviction) -> int:
    """Mark what is to go, in one operation that undo takes back; return how many files."""
    if not plan.going:
        return 0
    with repo.transaction() as transaction:
        changes: dict[str, RefChange] = {}
        for file in plan.going:
            known = repo.refs.annotations.get(RECIPE, file.id)
            if known is None or value_of(known, EVICT) is not None:
                continue
            given = {EVICT: {"at": transaction.at, "size": file.size}}
            after = with_values(known, given, transaction.replica, transaction.at, repo.author, taken_back=True)
            changes |= dict([annotation_change(RECIPE, known, after)])
        if changes:
            many = f"{len(changes)} file{'' if len(changes) == 1 else 's'}"
            what = f"Marked {many} that can be made again to be freed"
            transaction.record(Draft("derived.evict", what, changes, inverse=Inverse("derived.evict.revert")))
    _note_waiting(repo)
    return len(changes)


def _note_waiting(repo: Repository, *, tried: bool = False) -> None:
    """Note since when marks of this machine wait, so that they are freed by themselves after the grace period.

    Those that were `tried` and stay are tried again after another one.
    """
    cutoff = format_time(datetime.now(UTC) - timedelta(seconds=GRACE_SECONDS))
    times = [field.updated_at for field in _own_marks(repo)]
    if tried:
        times = [now() if time <= cutoff else time for time in times]
    note_eviction(repo, min(times, default=None))


def _own_marks(repo: Repository) -> list[Field]:
    marks = (item.fields.get(EVICT) for item in _recipes(repo) if value_of(item, FREED) is None)
    return [mark for mark in marks if mark is not None and mark.value is not None and mark.stamp[1] == repo.replica]


class FreedEvicted(msgspec.Struct, frozen=True):
    """What an eviction freed, in files and stored bytes; `staying` what it did not, and why."""

    files: int
    freed_bytes: int
    staying: tuple[EvictableFile, ...] = ()


def plan_freeing(
    repo: Repository, grace_seconds: float = GRACE_SECONDS, witnesses: Sequence[StorageProver] = ()
) -> VersionEviction:
    """Find what this machine has marked longer ago than the grace period, and may go now. Changes nothing."""
    cutoff = format_time(datetime.now(UTC) - timedelta(seconds=grace_seconds))
    due = []
    for item in _recipes(repo):
        field = item.fields.get(EVICT)
        is_ours = field is not None and field.value is not None and field.stamp[1] == repo.replica
        if field is not None and is_ours and field.updated_at <= cutoff:
            due.append(item)
    return _plan(repo, due, witnesses, younger_than=None) if due else VersionEviction((), ())


def free_evicted(
    repo: Repository, grace_seconds: float = GRACE_SECONDS, witnesses: Sequence[StorageProver] = ()
) -> FreedEvicted:
    """Free what `plan_freeing` says, looked at again while nobody stores anything.

    The record of what goes is durable before the first byte goes. Interrupted, some of it is freed and the rest still
    here; the next one goes on.

    Raises:
        LockBusy: somebody is storing for longer than the lock's patience.
    """
    planned = plan_freeing(repo, grace_seconds, witnesses)
    if not planned.going:
        if is_eviction_due(repo):
            _note_waiting(repo, tried=True)
        return FreedEvicted(0, 0, planned.staying)
    repo.adopt_unrecorded_objects()
    with repo.locks.exclusive("objects"):
        repo.refresh()
        plan = plan_freeing(repo, grace_seconds, witnesses)
        if not plan.going:
            return FreedEvicted(0, 0, plan.staying)
        parts = {file.id: blob_parts(repo, file.id) for file in plan.going}
        objects = removable_objects(repo, parts.keys(), parts, {})
        readers = StoredReaders(repo.store)
        record_evicted(repo, {file.id: (file.size, file.path, readers.of_stored(file.id)) for file in plan.going})
        _record(repo, plan)
        freed = ObjectRemoval(repo, offloaded=True).remove(objects)[1]
    _note_waiting(repo, tried=True)
    return FreedEvicted(len(plan.going), freed, plan.staying)


def keep_house(repo: Repository, *, unwrap: bool = True, force: bool = False) -> tuple[Collected | None, FreedEvicted]:
    """Do by itself what is due: collect, at most once a day unless by `force`, and free what was marked in time.

    As `maintenance.housekeeping.keep_house`, nothing is raised: where anything is not as it should be, nothing is done.
    """
    nothing = FreedEvicted(0, 0)
    if not force and not (is_due(repo) and begin(repo)):
        return None, nothing
    collected = collect(repo, unwrap=unwrap)
    if ANNOTATIONS not in repo.format.features:
        return collected, nothing
    try:
        return collected, free_evicted(repo)
    except AuraError:
        return collected, nothing


def _record(repo: Repository, plan: VersionEviction) -> None:
    with repo.transaction() as transaction:
        changes: dict[str, RefChange] = {}
        for file in plan.going:
            known = repo.refs.annotations.get(RECIPE, file.id) or Annotation(file.id)
            given = {FREED: {"at": transaction.at}}
            after = with_values(known, given, transaction.replica, transaction.at, repo.author, taken_back=True)
            changes |= dict([annotation_change(RECIPE, known, after)])
        many = f"{len(changes)} file{'' if len(changes) == 1 else 's'}"
        payload: dict[str, object] = {"files": len(changes), "bytes": plan.size}
        transaction.record(Draft("derived.free", f"Freed {many} that can be made again", changes, payload=payload))
