"""Offload: free the local content of large files that remotes provably hold.

A plan first: which content goes, what it frees, which remotes hold it, what stays and why. Then the
deed, under the objects lock: the record of where content went is durable before the first byte goes,
so that a crash anywhere leaves content that is here, or recorded, or both. Versions, trees,
documents and lists of chunks stay. What the worktree stands on, and what a version needs that the
remotes do not have, stays too.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import PlanStale
from aura_vcs.history.lookup.select_files import ChosenFiles, SelectedFile, files_in, is_document, shown_path
from aura_vcs.history.recording.journal import pending, recover
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import VersionFilter, describe
from aura_vcs.index.records import ObjectRecord, VersionRecord
from aura_vcs.maintenance.delete_objects import ObjectRemoval
from aura_vcs.objects.availability import missing_parts
from aura_vcs.objects.chunking import LARGE_BYTES
from aura_vcs.plain_text import now
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.sync.offload.chunk_lists import ChunkList, blob_parts, put_lists, remote_list
from aura_vcs.sync.offload.proof import StorageProof, StorageProver
from aura_vcs.worktree.checkout.new_file import StoredReaders

OFFLOAD_BYTES = LARGE_BYTES
"""Smaller files stay, unless another limit is given."""


class OffloadedFile(msgspec.Struct, frozen=True):
    """A file whose content goes, or stays for a reason; `remotes` are those that hold it now."""

    id: ObjectId
    path: str
    size_bytes: int
    remotes: tuple[str, ...] = ()
    reason: str = ""


class OffloadPlan(msgspec.Struct, frozen=True):
    """What an offload would do.

    `freed_bytes` count stored bytes; `staying` are large files that were meant and stay. `faults` are
    what is wrong with remotes, in words. `versions` are all that were looked at, for comparing.
    """

    to_free: tuple[OffloadedFile, ...]
    staying: tuple[OffloadedFile, ...]
    faults: tuple[str, ...]
    freed_bytes: int
    copies: int
    read_bytes: int
    places: dict[str, str]
    objects: tuple[ObjectRecord, ...]
    lists: dict[ObjectId, ChunkList]
    versions: frozenset[VersionId]
    head: VersionId | None


class Freed(msgspec.Struct, frozen=True):
    """What an offload did: files, and stored bytes that were freed."""

    files: int
    freed_bytes: int


class _Selection(msgspec.Struct, frozen=True):
    """What is meant to go, before anything was proved: files, and what stays with the reason."""

    files: dict[ObjectId, SelectedFile]
    staying: dict[ObjectId, OffloadedFile]


def plan_offload(
    repo: Repository,
    witnesses: Sequence[StorageProver],
    chosen: ChosenFiles,
    *,
    copies: int = 1,
    least_bytes: int = OFFLOAD_BYTES,
    everything: bool = False,
) -> OffloadPlan:
    """Find what can go, and fetch the proof that `copies` of the remotes hold it. Changes nothing.

    Files of `chosen` with at least `least_bytes`. With `everything`, every byte that is relied on is
    read from the remotes and hashed, not samples. In a preview nothing is read of the content: what the
    remotes list counts, and `execute_offload` is not for such a plan.

    Raises:
        InputError: fewer remotes than copies. RemoteError: a remote cannot be asked.
    """
    if not 1 <= copies <= len(witnesses):
        raise InputError(
            f"{copies} copies are asked for, and {len(witnesses)} remotes to keep them",
            hint="Name more remotes with --remote, or give --copies a lower number.",
        )
    if repo.is_preview:
        recover(repo)
    wish = _select(repo, witnesses, chosen, copies, least_bytes)
    lists = _lists(repo, witnesses, wish.files)
    parts = {blob: lists[blob].chunks if blob in lists else blob_parts(repo, blob) for blob in wish.files}
    wanted = {part for blob_parts_ in parts.values() for part in blob_parts_} | lists.keys()
    proofs = [witness.listed(wanted) for witness in witnesses]
    going, kept, objects = _chosen(repo, wish, parts, lists, proofs, copies)
    if everything or not repo.is_preview:
        freed = wanted if everything else {record.id for record in objects} | _of_lists(going, lists)
        proofs = [witness.prove(freed, repo.progress, listed=wanted, everything=everything) for witness in witnesses]
        going, kept, objects = _chosen(repo, wish, parts, lists, proofs, copies)
    return OffloadPlan(
        to_free=tuple(going.values()),
        staying=(*wish.staying.values(), *kept),
        faults=tuple(f"{proof.name}: {fault}" for proof in proofs for fault in proof.faults),
        freed_bytes=sum(item.stored_size for item in objects),
        copies=copies,
        read_bytes=sum(proof.read_bytes for proof in proofs),
        places={proof.name: proof.location for proof in proofs},
        objects=tuple(objects),
        lists={blob: listed for blob, listed in lists.items() if blob in going},
        versions=_live(repo),
        head=repo.head().version,
    )


def _chosen(
    repo: Repository,
    wish: _Selection,
    parts: Mapping[ObjectId, Sequence[ObjectId]],
    lists: Mapping[ObjectId, ChunkList],
    proofs: Sequence[StorageProof],
    copies: int,
) -> tuple[dict[ObjectId, OffloadedFile], list[OffloadedFile], list[ObjectRecord]]:
    """Split files by what remotes have into what goes and what stays; list also the objects that are freed by it."""
    going, kept = _split_by_copies(wish, parts, lists.keys(), proofs, copies)
    objects = removable_objects(repo, going, parts, lists)
    going, shared = _worthwhile(repo, going, parts, {record.id for record in objects})
    return going, [*kept, *shared], objects


def _of_lists(going: Collection[ObjectId], lists: Mapping[ObjectId, ChunkList]) -> set[ObjectId]:
    """Collect what a remote must have of files that are in pieces only there: the pieces, and their list."""
    return {part for blob, listed in lists.items() if blob in going for part in (*listed.chunks, blob)}


def _live(repo: Repository) -> frozenset[VersionId]:
    return frozenset(version for version, _ in repo.queries.live_versions())


def _select(
    repo: Repository, witnesses: Sequence[StorageProver], chosen: ChosenFiles, copies: int, least_bytes: int
) -> _Selection:
    """Select the chosen files that are large, whole, and needed by no version that has to stay."""
    staying = _RequiredContent(repo, witnesses, chosen, copies)
    found = files_in(repo, [record.tree for record in chosen.versions], chosen.paths)
    only = chosen.only
    meant = {file.id: file for file in found if file.size >= least_bytes and (only is None or file.id in only)}
    absent = missing_parts(repo.store, meant)
    recorded = repo.store.offloaded.all()
    reasons = staying.reasons(meant.keys())
    files, kept = {}, {}
    for blob, file in meant.items():
        if blob in absent and (blob not in recorded or len(absent[blob]) == len(set(blob_parts(repo, blob)))):
            continue  # missing, which fsck says, or offloaded already as a whole
        if blob in reasons:
            kept[blob] = OffloadedFile(blob, shown_path(file.path), file.size, reason=reasons[blob])
        else:
            files[blob] = file
    return _Selection(files, kept)


def reasons_to_stay(
    repo: Repository, blobs: Collection[ObjectId], trees: Iterable[tuple[ObjectId, str]]
) -> dict[ObjectId, str]:
    """Map each of the blobs that stays to the reason: it is in one of the trees, a document, or in a checkpoint."""
    found: dict[ObjectId, str] = {}
    for tree, reason in trees:
        for file in files_in(repo, [tree]):
            if file.id in blobs:
                found.setdefault(file.id, reason)
    live = [record.tree for record in repo.queries.all_versions(VersionFilter()) if record.is_live]
    found.update((f.id, "documents stay") for f in files_in(repo, live) if f.id in blobs and is_document(f.path))
    for blob in repo.refs.checkpoint_objects() & set(blobs):
        found.setdefault(blob, "a render checkpoint needs it")
    return found


class _RequiredContent:
    """What has to stay, and why."""

    def __init__(self, repo: Repository, witnesses: Sequence[StorageProver], chosen: ChosenFiles, copies: int) -> None:
        self._repo = repo
        self._chosen = {record.id for record in chosen.versions}
        self._carried = Counter(version for witness in witnesses for version in witness.versions)
        self._copies = copies

    def reasons(self, blobs: Collection[ObjectId]) -> dict[ObjectId, str]:
        """Map each of the blobs that stays to the reason."""
        repo = self._repo
        found = reasons_to_stay(repo, blobs, self._trees())
        for folder in repo.worktree.scan(worktree_base(repo).tree).walk():
            for state in folder.files.values():
                if state.id and state.id.hex() in blobs:
                    found.setdefault(ObjectId(state.id.hex()), "it is among your files")
        return found

    def _trees(self) -> Iterable[tuple[ObjectId, str]]:
        """Yield trees whose files stay, with the reason; the weightiest first."""
        yield worktree_base(self._repo).tree, "HEAD is on it"
        begun = pending(self._repo)
        if begun is not None:
            yield from ((begun.before, "a command is unfinished"), (begun.after, "a command is unfinished"))
        queries = self._repo.queries
        for record in queries.all_versions(VersionFilter()):
            if not record.is_live:
                continue
            if self._carried[record.id] < self._copies:
                yield record.tree, f"{describe(queries, record.id)} is not pushed{_describe_purge(record)}"
            elif record.id not in self._chosen:
                yield record.tree, f"{describe(queries, record.id)} has it too"


def _describe_purge(record: VersionRecord) -> str:
    return "" if record.type == "manual" else " (autosaves and restore points go with `--all-versions`)"


def _lists(
    repo: Repository, witnesses: Sequence[StorageProver], files: Mapping[ObjectId, SelectedFile]
) -> dict[ObjectId, ChunkList]:
    """Find the lists of blobs that are whole here and in chunks at a remote, checked against what is here."""
    found = {}
    for blob in files:
        if repo.store.loose.find(blob) is None:
            continue
        for witness in witnesses:
            listed = remote_list(repo, witness, blob)
            if listed is not None:
                found[blob] = listed
                break
    return found


def _split_by_copies(
    wish: _Selection,
    parts: Mapping[ObjectId, Iterable[ObjectId]],
    lists: Collection[ObjectId],
    proofs: Sequence[StorageProof],
    copies: int,
) -> tuple[dict[ObjectId, OffloadedFile], list[OffloadedFile]]:
    """Divide the files into those that enough remotes hold, and the others."""
    going: dict[ObjectId, OffloadedFile] = {}
    kept = []
    for blob, file in wish.files.items():
        needed = {*parts[blob], blob} if blob in lists else set(parts[blob])
        holders = tuple(proof.name for proof in proofs if proof.held >= needed)
        item = OffloadedFile(blob, shown_path(file.path), file.size, holders)
        if len(holders) >= copies:
            going[blob] = item
        else:
            reason = f"{len(holders)} of {copies} copies are proved"
            kept.append(msgspec.structs.replace(item, reason=reason))
    return going, kept


def removable_objects(
    repo: Repository,
    going: Collection[ObjectId],
    parts: Mapping[ObjectId, Sequence[ObjectId]],
    lists: Mapping[ObjectId, ChunkList],
) -> list[ObjectRecord]:
    """List the objects that only what goes, or went before, needs."""
    queries = repo.queries
    needed = Counter(part for blob in going for part in set(parts[blob]) if blob not in lists)
    before = [blob for blob in repo.store.offloaded.all() if blob not in going]
    records = {blob: queries.object(blob) for blob in before}
    for blob, record in records.items():
        if record is not None and record.refcount > 0 and record.chunked:
            needed.update(part for part in set(blob_parts(repo, blob)) if part in needed)
    wanted_back: set[ObjectId] = set()
    for record in queries.unreferenced():
        if record.chunked:
            wanted_back.update(blob_parts(repo, record.id))  # undo may want it back, and it may share chunks
    found = []
    for part in needed.keys() | {chunk for blob in lists if blob in going for chunk in lists[blob].chunks}:
        record = queries.object(part)
        if record is None or part in wanted_back or repo.index.unlocated([part]):
            continue
        if part in going or record.refcount <= needed[part]:
            found.append(record)
    return found + [record for blob in lists if blob in going and (record := queries.object(blob)) is not None]


def _worthwhile(
    repo: Repository,
    going: Mapping[ObjectId, OffloadedFile],
    parts: Mapping[ObjectId, Sequence[ObjectId]],
    removable: Collection[ObjectId],
) -> tuple[dict[ObjectId, OffloadedFile], list[OffloadedFile]]:
    """Split off the files of which nothing would go, unless they are offloaded already, with the reason."""
    worth = {b: file for b, file in going.items() if b in removable or any(p in removable for p in parts[b])}
    recorded = repo.store.offloaded.all()
    rest = [file for blob, file in going.items() if blob not in worth and blob not in recorded]
    return worth, [msgspec.structs.replace(file, reason="other files share all of its content") for file in rest]


def execute_offload(repo: Repository, plan: OffloadPlan, *, at: Callable[[], str] = now) -> Freed:
    """Record where the content goes, then free it. Nobody stores anything meanwhile.

    Interrupted, some of it is freed and the rest still here; the same command goes on.

    Raises:
        PlanStale: versions came or went, or HEAD moved, since the plan was made, or an interrupted command had to be
            finished first; nothing was freed, and a new plan can be carried out.
        LockBusy: somebody is storing for longer than the lock's patience.
    """
    repo.free_disk_space()
    if pending(repo) is not None:
        recover(repo)
        raise PlanStale("An interrupted command was finished first", hint="Nothing was freed. Run it again.")
    if not plan.to_free:
        return Freed(0, 0)
    with repo.locks.exclusive("objects"):
        repo.refresh()
        if _live(repo) != plan.versions or repo.head().version != plan.head or pending(repo) is not None:
            raise PlanStale("Versions came or went since the plan was made", hint="Nothing was freed. Run it again.")
        with repo.locks.exclusive("offloaded"):
            readers = StoredReaders(repo.store)
            gone = {
                f.id: (f.size_bytes, f.path, {name: plan.places[name] for name in f.remotes}, readers.of_stored(f.id))
                for f in plan.to_free
            }
            repo.store.offloaded.note(repo.replica, gone, at())
        _record(repo, plan)
        written = put_lists(repo, plan.lists)
        freed = repo.store.loose.delete(plan.lists)
        freed += ObjectRemoval(repo, offloaded=True).remove(_current_objects(repo, plan))[1]
        return Freed(len(plan.to_free), max(0, freed - written))


def _current_objects(repo: Repository, plan: OffloadPlan) -> list[ObjectRecord]:
    """List the objects that go, wherever they lie by now."""
    queries = repo.queries
    ids = [record.id for record in plan.objects if record.id not in plan.lists]
    away = repo.index.unlocated(ids)
    return [record for i in ids if i not in away and (record := queries.object(i)) is not None]


def _record(repo: Repository, plan: OffloadPlan) -> None:
    count = len(plan.to_free)
    names = sorted({name for file in plan.to_free for name in file.remotes})
    with repo.transaction() as transaction:
        transaction.record(
            Draft(
                "offload",
                f"Offloaded {count} file{'' if count == 1 else 's'} to {', '.join(names)}",
                payload={"files": count, "bytes": plan.freed_bytes, "remotes": names},
            )
        )
