"""Fetch: what the remote has and this project lacks comes here, as one operation.

The order is that of a commit: objects, hashed and durable, then the operation, then refs. Of the
remote's refs only those come that build on what came with them: a branch never points outside.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.history.names.branches import BranchMove, branch, branch_update
from aura_vcs.ids import ObjectId, ReplicaId, VersionId, new_operation_id
from aura_vcs.model import BranchEntry, Field, Inverse, Kind, Label, RefChange, Tag, Version
from aura_vcs.objects.availability import ALL_READERS
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.operation_log import annotation_change, branch_change, label_change, setting_change, tag_change
from aura_vcs.plain_text import now, readable_name
from aura_vcs.refs.merge import furthest_entry, merge_labels, renamed_apart
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction
from aura_vcs.storage.remotes.base import RangeReadable
from aura_vcs.sync.remotes.config import remotes
from aura_vcs.sync.state.annotations import Annotations, in_lines, newer_annotations, newer_settings, own_annotations
from aura_vcs.sync.state.cache import RemoteCache, clear
from aura_vcs.sync.state.diverged_tags import report_diverged_tags
from aura_vcs.sync.state.manifest import merge_tags
from aura_vcs.sync.state.own_entries import check_own_entries
from aura_vcs.sync.state.pack_table import PackTable
from aura_vcs.sync.state.snapshot import RemoteSnapshot, load_snapshot, named_versions, state_of
from aura_vcs.sync.transfer.plan import TransferPlan
from aura_vcs.sync.transfer.push_negotiation import own_labels

if TYPE_CHECKING:
    from aura_vcs.sync.transfer.download import Downloaded, FetchPacks, Quarantine
    from aura_vcs.sync.transfer.fetch_negotiation import FetchNegotiation

LABELS_AT_ONCE = 2000
"""More labels than these are recorded in several operations: a line of the log stays readable."""


class FetchPlan(TransferPlan, frozen=True):
    """What a fetch would bring."""

    received_bytes: int = 0
    offloaded_bytes: int = 0
    """Content that stays at the remote until it is needed."""


class Fetched(msgspec.Struct, frozen=True):
    """What a fetch brought, and the branches that have several heads now."""

    plan: FetchPlan
    diverged: tuple[str, ...] = ()


class IncomingVersions(msgspec.Struct, frozen=True):
    """What comes with a fetch, and where it will lie in the store."""

    versions: dict[VersionId, Version]
    entries: dict[str, tuple[BranchEntry, ...]]
    stored: Mapping[ObjectId, StoredObject]


class Expecting(Protocol):
    """Whoever makes use of what comes before it is recorded."""

    def prepare(self, coming: IncomingVersions) -> None:
        """Hear what comes, while it is hashed."""

    def arrive(self) -> None:
        """Hear that it is in the store, and not recorded yet."""


class _FetchDraft(msgspec.Struct, frozen=True):
    plan: FetchPlan
    snapshot: RemoteSnapshot
    negotiation: "FetchNegotiation"
    packs: "FetchPacks"
    labels: dict[VersionId, Label]
    entries: dict[str, tuple[BranchEntry, ...]]
    tags: dict[str, Tag]
    settings: dict[str, Field]
    annotations: Annotations


def plan_fetch(repo: Repository, remote: RangeReadable, cache: RemoteCache, *, all_versions: bool = False) -> FetchPlan:
    """Say what `fetch` would bring; changes nothing but what is remembered of the remote."""
    with repo.locks.exclusive(cache.lock):
        return _draft(repo, load_snapshot(remote, cache, repo.format.project), cache, all_versions=all_versions).plan


def fetch(
    repo: Repository,
    remote: RangeReadable,
    cache: RemoteCache,
    *,
    all_versions: bool = False,
    undoable: bool = True,
    expecting: Expecting | None = None,
) -> Fetched:
    """Bring what the remote has; the worktree stays as it is.

    Autosaves and restore points come only with `all_versions`. Where branches simply went on, our
    own entries follow, in one operation that `undo` takes back; what came stays. With
    `undoable=False` that is left to the caller. Interrupted, nothing has happened but that packs lie
    ready for the next attempt.

    Raises:
        RemoteCorrupt: something there is not what it should be; nothing of it was kept.
        RemoteRewound, RemoteMismatch, RemoteUnreachable.
        LockBusy: another transfer with this remote is under way here.
    """
    with repo.locks.exclusive(cache.lock):
        repo.refresh()
        return _fetch_alone(repo, remote, cache, expecting, all_versions=all_versions, undoable=undoable)


def _fetch_alone(
    repo: Repository,
    remote: RangeReadable,
    cache: RemoteCache,
    expecting: Expecting | None,
    *,
    all_versions: bool,
    undoable: bool,
) -> Fetched:
    snapshot = load_snapshot(remote, cache, repo.format.project)
    check_own_entries(repo, snapshot.top.branches)
    state = _state(snapshot, all_versions=all_versions)
    if cache.state().fetched == state:
        return Fetched(FetchPlan(remote.location))
    try:
        fetched = _fetch(repo, snapshot, cache, expecting, all_versions=all_versions)
    except RemoteCorrupt:
        now = load_snapshot(remote, cache, repo.format.project)
        if now.digest == snapshot.digest and not cache.incoming.list("objects/packs"):
            raise
        snapshot, state = now, _state(now, all_versions=all_versions)  # a collection may have moved what we wanted
        clear(cache.incoming)  # or what an earlier attempt left may have been the damage: once more without it
        fetched = _fetch(repo, snapshot, cache, expecting, all_versions=all_versions)
    if undoable and not fetched.plan.is_empty:
        fast_forward(repo, f"Fast-forwarded to what was fetched from {remote.location}")
    cache.remember(state_of(snapshot, cache.state(), fetched=state))
    return fetched


def _state(snapshot: RemoteSnapshot, *, all_versions: bool) -> str:
    return f"{snapshot.digest}{'+' if all_versions else ''}"


def _fetch(
    repo: Repository, snapshot: RemoteSnapshot, cache: RemoteCache, expecting: Expecting | None, *, all_versions: bool
) -> Fetched:
    from aura_vcs.sync.transfer.download import Downloaded, Quarantine  # most often there is nothing new

    with repo.locks.shared("objects"), Quarantine(repo, snapshot, cache.incoming) as room:
        draft = _draft(repo, snapshot, cache, all_versions=all_versions, room=room)
        if draft.plan.is_empty:
            return Fetched(draft.plan)
        arrived = Downloaded({}, {})
        for object_id, tree in draft.negotiation.trees.items():  # hashed already, and soon in the store
            repo.trees.remember(object_id, tree)
        if draft.negotiation.table is not None and draft.plan.objects:
            arrived = _receive(room, draft, draft.negotiation.table, expecting)
        report_diverged_tags(repo, repo.refs.all_tags(), snapshot)
        _record(repo, draft, _record_offloaded(repo, draft, cache, arrived))
    clear(cache.incoming)
    found = [branch(repo, name) for name in draft.entries]
    return Fetched(draft.plan, tuple(b.name for b in found if b is not None and b.diverged))


def _receive(room: "Quarantine", draft: _FetchDraft, table: PackTable, expecting: Expecting | None) -> "Downloaded":
    if expecting is not None:
        expected = room.expected(draft.packs, table)
        expecting.prepare(IncomingVersions(draft.negotiation.versions, draft.entries, expected))
    arrived = room.receive(draft.packs, table, bare=draft.negotiation.left.keys())
    if expecting is not None:
        expecting.arrive()
    return arrived


def _record_offloaded(repo: Repository, draft: _FetchDraft, cache: RemoteCache, arrived: "Downloaded") -> "Downloaded":
    """Record what stays at the remote as offloaded before anything refers to it; add it to what arrived."""
    if draft.negotiation.evicted:
        arrived = _with_evicted(repo, draft, arrived)
    if not draft.negotiation.left:
        return arrived
    where = {cache.name: draft.snapshot.remote.location}
    content = {
        file.id: (file.size, readable_name(file.path), where, ALL_READERS) for file in draft.negotiation.left.values()
    }
    with repo.locks.exclusive("offloaded"):
        repo.store.offloaded.note(repo.replica, content, now())
    away: dict[ObjectId, StoredObject] = {}
    for blob, file in draft.negotiation.left.items():
        if blob not in arrived.chunks:
            away[blob] = StoredObject(blob, Kind.BLOB, file.size, 0)
            continue
        place = arrived.stored[blob].location
        assert place is not None
        listed = decode_chunk_list(repo.store.packs.read(place), blob)
        away |= {chunk: StoredObject(chunk, Kind.CHUNK, size, 0) for chunk, size in listed}
    new = repo.index.unlocated(away)
    left = {i: item for i, item in away.items() if i in new}
    return msgspec.structs.replace(arrived, stored=left | arrived.stored)


def _with_evicted(repo: Repository, draft: _FetchDraft, arrived: "Downloaded") -> "Downloaded":
    """Record what nobody has because it can be made again, before anything refers to it; add it to what arrived."""
    from aura_vcs.sync.offload.record_evicted import record_evicted  # few projects evict anything

    files = draft.negotiation.evicted
    record_evicted(repo, {file.id: (file.size, readable_name(file.path), ALL_READERS) for file in files.values()})
    new = repo.index.unlocated(files)
    evicted = {blob: StoredObject(blob, Kind.BLOB, file.size, 0) for blob, file in files.items() if blob in new}
    return msgspec.structs.replace(arrived, stored=evicted | arrived.stored)


def _draft(
    repo: Repository,
    snapshot: RemoteSnapshot,
    cache: RemoteCache,
    *,
    all_versions: bool,
    room: "Quarantine | None" = None,
) -> _FetchDraft:
    from aura_vcs.sync.transfer.download import FetchPacks, plan_packs
    from aura_vcs.sync.transfer.fetch_negotiation import FetchNegotiation

    labels = snapshot.labels()
    wanted = FetchNegotiation(repo, snapshot, partial=_is_partial(repo, cache))
    named = sorted(named_versions(snapshot.manifest))
    wanted.ancestry(named)
    if all_versions:
        wanted.ancestry(labels)
    if room is not None and wanted.table is not None and wanted.is_all_of(labels):
        room.begin(wanted.table)
    for version, record in wanted.versions.items():
        if version not in labels:
            raise RemoteCorrupt(snapshot.remote.location, f"version {version[:12]} (v{record.number}) has no label")
    joined = _merged_labels(repo, labels, wanted)
    both = {**labels, **joined}
    for version in joined.keys() | wanted.versions.keys():
        if both[version].is_live:
            wanted.content(version)
    for label in (both[version] for version in named if version in labels):
        if label.purged_at is None and not label.is_live:
            wanted.content_if_present(label.version)
    table = wanted.table
    needed = wanted.needed
    incoming = FetchPacks((), {}, 0) if table is None else plan_packs(table, wanted.reader(), needed)
    entries = _newer_entries(repo, snapshot.manifest.branches)
    own_tags = repo.refs.all_tags()
    tags = {n: t for n, t in merge_tags(own_tags, snapshot.manifest.tags).items() if t != own_tags.get(n)}
    settings = newer_settings(repo.replica, repo.refs.settings(), snapshot.manifest.settings)
    annotations = newer_annotations(own_annotations(repo), snapshot.annotations()) if snapshot.annotations() else {}
    plan = FetchPlan(
        remote=snapshot.remote.location,
        versions=tuple(sorted(wanted.versions, key=lambda v: wanted.versions[v].number)),
        branches=(*entries, *tags),
        objects=len(needed),
        labels=len(joined),
        received_bytes=incoming.stored_bytes,
        offloaded_bytes=sum(file.size for file in wanted.left.values()),
        settings=tuple(settings),
        annotations=len(annotations),
    )
    return _FetchDraft(plan, snapshot, wanted, incoming, joined, entries, tags, settings, annotations)


def _merged_labels(
    repo: Repository, labels: Mapping[VersionId, Label], wanted: "FetchNegotiation"
) -> dict[VersionId, Label]:
    """Merge both sides' labels of versions that come or are here; return those that are new here."""
    here = own_labels(repo)
    queries = repo.queries
    joined: dict[VersionId, Label] = {}
    for version, label in labels.items():
        if version not in wanted.versions and queries.version(version) is None:
            continue
        own = here.get(version)
        merged = label if own is None else merge_labels(own, label)
        if merged != own:
            joined[version] = merged
    return joined


def _is_partial(repo: Repository, cache: RemoteCache) -> bool:
    config = remotes(repo).get(cache.name)
    return config is not None and config.partial


def _newer_entries(
    repo: Repository, branches: Mapping[str, Sequence[BranchEntry]]
) -> dict[str, tuple[BranchEntry, ...]]:
    """Return entries of other machines that are newer than those here. Our own entry is ours to write."""
    found = {}
    for name, entries in branches.items():
        own: dict[ReplicaId, int] = {}
        here = repo.refs.branch_entries(name)
        for entry in here:
            own[entry.replica] = max(entry.counter, own.get(entry.replica, 0))
        there = [renamed_apart(entry, here) for entry in entries if entry.replica != repo.replica]
        newer = tuple(entry for entry in there if entry.counter > own.get(entry.replica, 0))
        if newer:
            found[name] = newer
    return found


def _record(repo: Repository, draft: _FetchDraft, arrived: "Downloaded") -> None:
    """Record what came; many labels take several operations, the last one brings the branches."""
    changes = [label_change(repo.refs.label(label.version), label) for label in draft.labels.values()]
    parts = [changes[at : at + LABELS_AT_ONCE] for at in range(0, len(changes), LABELS_AT_ONCE)]
    parts += [_annotation_changes(repo, part) for part in in_lines(draft.annotations, LABELS_AT_ONCE)]
    parts = parts or [[]]
    correlation = new_operation_id()
    count = len(draft.plan.versions)
    what = f"Fetched {count} version{'' if count == 1 else 's'} from {draft.snapshot.remote.location}"
    with repo.transaction() as transaction:
        for number, part in enumerate(parts, 1):
            refs = dict(part)
            if number == len(parts):
                refs |= _ref_changes(repo, draft)
            transaction.record(
                Draft("fetch", what, refs, correlation_id=correlation),
                arrived.stored if number == 1 else None,
                arrived.chunks if number == 1 else None,
            )


def _annotation_changes(repo: Repository, annotations: Annotations) -> list[tuple[str, RefChange]]:
    found = []
    for name, after in annotations.items():
        room = name.partition("/")[0]
        found.append(annotation_change(room, repo.refs.annotations.get(room, after.id), after))
    return found


def _ref_changes(repo: Repository, draft: _FetchDraft) -> dict[str, RefChange]:
    """Build the changes of tags, the entries of other machines, and settings."""
    changes = dict(tag_change(name, repo.refs.tag(name), tag) for name, tag in draft.tags.items())
    for name, entries in draft.entries.items():
        before = {entry.replica: entry for entry in repo.refs.branch_entries(name)}
        changes |= dict(branch_change(name, before.get(entry.replica), entry) for entry in entries)
    own = repo.refs.settings()
    changes |= dict(setting_change(key, own.get(key), field) for key, field in draft.settings.items())
    return changes


def fast_forward_changes(repo: Repository, transaction: Transaction) -> dict[str, RefChange]:
    """Build the changes that bring our entries to where branches were fast-forwarded without diverging."""
    changes: dict[str, RefChange] = {}
    for name in repo.refs.branches():
        found = branch(repo, name)
        own = furthest_entry(repo.refs.branch_entries(name), repo.replica)
        if found is None or found.diverged or own is None:
            continue
        if own.version not in {found.version, None}:
            changes |= branch_update(repo, transaction, name, BranchMove(found.version))
    return changes


def fast_forward(repo: Repository, why: str) -> bool:
    """Bring our entries forward, as an operation that `undo` takes back; whether any moved."""
    with repo.transaction() as transaction:
        changes = fast_forward_changes(repo, transaction)
        if changes:
            transaction.record(Draft("fetch.forward", why, changes, inverse=Inverse("fetch.forward.revert")))
        return bool(changes)
