"""Push: what the remote lacks goes there, then its manifest moves, in one step, from what was seen.

Packs and records are sent first; nothing sees them until the manifest lists them. What was sent
is looked at again there before it is listed. Interrupted at any moment, the remote is as before,
and the next push finds what has arrived already. Of two racing pushes one moves the manifest; the
other looks again, and goes on unless they moved one branch apart.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from blake3 import blake3

from aura_vcs.codec import encode_compact
from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import PathLocked, PushRejected
from aura_vcs.history.names.branches import newest_heads
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import describe, describe_numbered
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import VERSIONS
from aura_vcs.model import BranchEntry, Kind, Label
from aura_vcs.refs.merge import heads, merge_labels, renamed_apart
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.locks.push_check import check_locked, locked_changes
from aura_vcs.sync.state.annotations import (
    Annotations,
    merge_settings,
    newer_annotations,
    own_annotations,
    travelling_settings,
)
from aura_vcs.sync.state.cache import RemoteCache, clear
from aura_vcs.sync.state.diverged_tags import report_diverged_tags
from aura_vcs.sync.state.lock_record import PathLock
from aura_vcs.sync.state.manifest import (
    ANNOTATIONS,
    EVICTED,
    MANIFEST,
    Manifest,
    merge_entries,
    merge_tags,
)
from aura_vcs.sync.state.manifest_update import (
    UPDATE_ATTEMPTS,
    has_unseen_tombstones,
    tombstoned_packs,
    update_manifest,
    with_files,
)
from aura_vcs.sync.state.own_entries import check_own_entries
from aura_vcs.sync.state.pack_sizes import pack_bytes
from aura_vcs.sync.state.snapshot import RemoteSnapshot, load_snapshot, state_of
from aura_vcs.sync.transfer.plan import TransferPlan
from aura_vcs.sync.transfer.push_negotiation import (
    OwnRefs,
    deleted_but_referenced,
    negotiate,
    own_labels,
    read_own_refs,
    versions_to_push,
)

if TYPE_CHECKING:
    from aura_vcs.sync.transfer.push_packs import PushPacks


class PushPlan(TransferPlan, frozen=True):
    """What a push would do. `sent_bytes` is an estimate: gathered objects are compressed anew.

    `locked` are locks of others on what it changes: expired ones, and all where they are ignored.
    """

    sent_bytes: int = 0
    through_bytes: int = 0
    """Content among it that is offloaded, and is fetched from another remote on its way."""
    locked: tuple[PathLock, ...] = ()


class _Options(msgspec.Struct, frozen=True):
    """How to push; see `push`."""

    all_versions: bool
    keep_both: bool
    ignore_locks: bool
    through: bool = False
    """Whether content that is offloaded was asked for: it passes through here."""


class _PushDraft(msgspec.Struct, frozen=True):
    """A plan with all that is needed to execute it."""

    plan: PushPlan
    snapshot: RemoteSnapshot
    packs: "PushPacks"
    labels: dict[VersionId, Label]
    manifest: Manifest
    annotations: Annotations


def plan_push(
    repo: Repository,
    remote: RemoteStorage,
    cache: RemoteCache,
    *,
    all_versions: bool = False,
    keep_both: bool = False,
    ignore_locks: bool = False,
) -> PushPlan:
    """Say what `push` would send; changes nothing.

    Raises:
        PushRejected, PathLocked: as `push`.
    """
    snapshot = load_snapshot(remote, cache, repo.format.project)
    options = _Options(all_versions, keep_both, ignore_locks)
    plan = _draft(repo, snapshot, read_own_refs(repo), remote.pack_bytes, options).plan
    if not ignore_locks:
        check_locked(remote.location, repo.author, plan.locked)
    return plan


def push(
    repo: Repository,
    remote: RemoteStorage,
    cache: RemoteCache,
    *,
    all_versions: bool = False,
    keep_both: bool = False,
    ignore_locks: bool = False,
) -> PushPlan:
    """Send what the remote lacks; returns what was sent.

    Branches and tags travel with the history they stand on, autosaves and restore points only with
    `all_versions`. With `keep_both`, a branch that has diverged goes there with all its heads. With
    `ignore_locks`, changes to paths that others have locked go there, too.

    Raises:
        PathLocked: somebody else has locked a path that is changed; nothing there was moved.
        PushRejected: the remote's branch has versions that this project does not have, or that its
            own do not build on; nothing there was moved.
        RemoteError: it refused, or could not be reached.
        ObjectMissing, ObjectCorrupt: this project is damaged; nothing there was moved.
        ObjectOffloaded: content that is at another remote must pass through here, and cannot be fetched.
        LockBusy: another transfer with this remote is under way here.
    """
    with repo.locks.exclusive(cache.lock):
        return _push_alone(repo, remote, cache, _Options(all_versions, keep_both, ignore_locks))


def publish(
    repo: Repository, remote: RemoteStorage, cache: RemoteCache, snapshot: RemoteSnapshot, *, always: bool
) -> RemoteSnapshot:
    """Bring the manifest of the project's own folder up to what it has; see sync.project_remote.

    `snapshot` is the manifest as it was seen, with the packs that the project has now; with `always` it is written even
    where nothing is new.

    Raises:
        RefMoved: the manifest has moved since it was seen.
    """
    with repo.locks.shared("objects"):
        options = _Options(all_versions=True, keep_both=True, ignore_locks=True)
        draft = _draft(repo, snapshot, read_own_refs(repo), None, options)
        if draft.plan.is_empty and not always:
            return snapshot
        return _execute(repo, remote, cache, draft)[1]


def _push_alone(repo: Repository, remote: RemoteStorage, cache: RemoteCache, options: _Options) -> PushPlan:
    for _ in range(UPDATE_ATTEMPTS):
        repo.refresh()
        snapshot = load_snapshot(remote, cache, repo.format.project)
        check_own_entries(repo, snapshot.top.branches)
        own, before = read_own_refs(repo), cache.state()
        state = local_state(repo, own, all_versions=options.all_versions)
        if before.pushed == _pair(state, snapshot.digest):
            return PushPlan(remote.location)
        with repo.locks.shared("objects"):
            draft = _draft(repo, snapshot, own, remote.pack_bytes, options)
            if not options.ignore_locks:
                _check_locks(repo, cache, draft)
            if draft.plan.through_bytes:  # only now: it may take long
                draft = _draft(repo, snapshot, own, remote.pack_bytes, msgspec.structs.replace(options, through=True))
            done, after = draft.plan, snapshot
            try:
                if not done.is_empty:
                    report_diverged_tags(repo, own.tags, snapshot)
                    done, after = _execute(repo, remote, cache, draft)
                elif has_unseen_tombstones(repo, snapshot):
                    after = update_manifest(
                        repo, remote, snapshot, snapshot.manifest
                    )  # what leaves waits until we have seen it
            except RefMoved:
                continue  # somebody else moved the manifest: look again
        cache.remember(state_of(after, before, pushed=_pair(state, after.digest)))
        return done
    raise RefMoved(f"{remote.location}/{MANIFEST}", "where it was seen", "moving all the time")


def _check_locks(repo: Repository, cache: RemoteCache, draft: _PushDraft) -> None:
    """Refuse to go on against locks; what was seen of them is remembered for `commit` and `status`."""
    try:
        check_locked(draft.snapshot.remote.location, repo.author, draft.plan.locked)
    except PathLocked:
        cache.remember(state_of(draft.snapshot, cache.state()))
        raise


def local_state(repo: Repository, own: OwnRefs, *, all_versions: bool) -> str:
    """Hash the local state: the hash is another one as soon as there may be something to push."""
    date = repo.storage.look(VERSIONS)  # both dates: a tool that mirrors folders sets one of them back
    parts = [
        repr(sorted(repo.logs.sizes().items())),
        f"{date.st_mtime_ns}.{date.st_ctime_ns}" if date is not None else "0",
        str(all_versions),
        *(name + encode_compact(merge_entries(entries, ())).decode() for name, entries in own.branches.items()),
    ]
    return blake3("\n".join(parts).encode()).hexdigest()


def _pair(local: str, remote: str) -> str:
    return f"{local[:32]}{remote[:32]}"


def _draft(
    repo: Repository, snapshot: RemoteSnapshot, own: OwnRefs, wanted_bytes: int | None, options: _Options
) -> _PushDraft:
    from aura_vcs.sync.transfer.push_packs import offloaded_objects, plan_packs, without_evicted  # often nothing is new

    branches = _merged_branches(repo, snapshot, own, keep_both=options.keep_both)
    there = snapshot.labels()
    records = versions_to_push(repo, own, all_versions=options.all_versions)
    labels, changed = _labels(repo, records, there)
    records = [record for record in records if record.id in labels]
    whole = [version for version, label in there.items() if label.is_live]
    named = deleted_but_referenced(repo, own, labels)
    table = snapshot.table(repo) if changed or named else None  # else nothing is needed: what is new has a new label
    found = negotiate(
        repo,
        records,
        whole,
        lambda record: labels[record.id].is_live or record.id in named,
        lambda i: table is None or i in table,
    )
    needed = without_evicted(repo, found.needed)
    away = offloaded_objects(repo, needed)
    if options.through and away:
        repo.store.require({item.id: item.path for item in needed.values() if item.kind is Kind.BLOB})
        needed = without_evicted(repo, found.needed)
    sent = {i: item for i, item in needed.items() if options.through or i not in away}
    packs = plan_packs(repo, sent, tombstoned_packs(snapshot.manifest), pack_bytes(wanted_bytes, snapshot.manifest))
    settings = merge_settings(snapshot.manifest.settings, travelling_settings(repo.refs.settings()))
    annotations = newer_annotations(snapshot.annotations(), own_annotations(repo))
    features = {*snapshot.manifest.features, *((ANNOTATIONS,) if annotations else ())}
    features |= {EVICTED} if len(needed) < len(found.needed) else set()
    features |= packs.features
    manifest = msgspec.structs.replace(
        snapshot.manifest,
        features=tuple(sorted(features)),
        branches=branches,
        tags=merge_tags(snapshot.manifest.tags, own.tags),
        settings=settings,
    )
    before = snapshot.manifest.branches
    moved = [name for name, found in branches.items() if _tips(repo, found) != _tips(repo, before.get(name, ()))]
    moved += [name for name, tag in manifest.tags.items() if snapshot.manifest.tags.get(name) != tag]
    fresh = [record for record in records if record.id not in there]
    plan = PushPlan(
        remote=snapshot.remote.location,
        versions=tuple(record.id for record in fresh),
        branches=tuple(moved),
        objects=len(needed),
        labels=len(changed),
        sent_bytes=packs.stored_bytes + (0 if options.through else sum(away.values())),
        through_bytes=sum(away.values()),
        locked=locked_changes(repo, fresh, snapshot.manifest.locks),
        settings=tuple(key for key, field in settings.items() if snapshot.manifest.settings.get(key) != field),
        annotations=len(annotations),
    )
    return _PushDraft(plan, snapshot, packs, changed, manifest, annotations)


def _labels(
    repo: Repository, records: Sequence[VersionRecord], there: Mapping[VersionId, Label]
) -> tuple[dict[VersionId, Label], dict[VersionId, Label]]:
    """Merge both sides' labels of versions; return them, and those that are new there."""
    here = repo.queries.labels()
    labels: dict[VersionId, Label] = {}
    changed: dict[VersionId, Label] = {}
    for record in records:
        own, theirs = here.get(record.id), there.get(record.id)
        if own is None:
            continue
        labels[record.id] = own if theirs is None or own == theirs else merge_labels(theirs, own)
        if labels[record.id] != theirs:
            changed[record.id] = labels[record.id]
    return labels, changed


def _tips(repo: Repository, entries: Sequence[BranchEntry]) -> set[VersionId | None]:
    """Return what a branch stands on. Entries that say the same again, or lag behind, are no reason for a push."""
    found = {entry.version for entry in heads(entries)}
    known = found - {None}
    if len(known) < 2:
        return found
    queries = repo.queries
    return found - {
        old for old in known for new in known if old and new and old != new and queries.is_ancestor(old, new)
    }


def _merged_branches(
    repo: Repository, snapshot: RemoteSnapshot, refs: OwnRefs, *, keep_both: bool
) -> dict[str, tuple[BranchEntry, ...]]:
    """Merge the entries of branches as they are after the push.

    Raises:
        PushRejected: one would come apart.
    """
    joined = dict(snapshot.manifest.branches)
    for name, entries in refs.branches.items():
        own, theirs = merge_entries(entries, ()), joined.get(name, ())
        if not own:
            continue
        joined[name] = merge_entries([renamed_apart(entry, theirs) for entry in own], theirs)
        if not keep_both and joined[name] != theirs:
            _check_together(repo, snapshot, name, joined[name], theirs)
    return dict(sorted(joined.items()))


def _check_together(
    repo: Repository, snapshot: RemoteSnapshot, name: str, entries: Sequence[BranchEntry], theirs: Sequence[BranchEntry]
) -> None:
    queries = repo.queries
    tips = list(dict.fromkeys(entry.version for entry in heads(entries) if entry.version is not None))
    newest = newest_heads(queries, tips)
    if len(newest) <= 1 or all(entry.version is None for entry in heads(theirs)):
        return  # a branch that is not there yet goes there as it is: whoever backs up is not asked to merge
    standing = next((e for e in heads(theirs) if e.version in newest and e.replica != repo.replica), None)
    other = standing or next((e for e in heads(entries) if e.version in newest and e.replica != repo.replica), None)
    if other is None or other.version is None:
        return
    label = snapshot.labels().get(other.version) or own_labels(repo).get(other.version)
    called = describe(queries, other.version)
    if label is not None:
        called = f"{describe_numbered(queries, other.version, label.number)} {label.name!r}"
    raise PushRejected(
        snapshot.remote.location,
        name,
        f"{called} by {other.updated_by}",
        is_here=repo.index.knows(other.version),
        would_diverge=standing is None,
    )


def _execute(
    repo: Repository, remote: RemoteStorage, cache: RemoteCache, draft: _PushDraft
) -> tuple[PushPlan, RemoteSnapshot]:
    """Send packs and records and move the manifest; returns what was sent, and the snapshot after it.

    Raises:
        RefMoved: the manifest has moved since it was seen.
    """
    from aura_vcs.sync.transfer.push_packs import pack_objects
    from aura_vcs.sync.transfer.upload import send_labels, send_packs

    progress = repo.progress
    gathered: list[str] = []
    limit = pack_bytes(remote.pack_bytes, draft.snapshot.manifest)
    if draft.packs.loose:
        progress.start("Gathering", None, "bytes")
        unique_names = bool(tombstoned_packs(draft.manifest))
        gathered = pack_objects(
            repo, draft.packs.loose, cache.outgoing, progress, unique_names=unique_names, pack_bytes=limit
        )
        progress.finish()
    sources = [(repo.storage, name) for name in draft.packs.packs] + [(cache.outgoing, name) for name in gathered]
    delivered = send_packs(repo, remote, cache, sources, limit)
    records = send_labels(remote, draft.snapshot, draft.labels, draft.annotations)
    listed = {pack.name for pack in draft.manifest.packs}
    packs = [*draft.manifest.packs, *(pack for pack in delivered.packs if pack.name not in listed)]
    after = update_manifest(repo, remote, draft.snapshot, with_files(draft.manifest, packs, records))
    clear(cache.outgoing)
    sent = max(0, draft.plan.sent_bytes - delivered.arrived_bytes)
    return msgspec.structs.replace(draft.plan, sent_bytes=sent), after
