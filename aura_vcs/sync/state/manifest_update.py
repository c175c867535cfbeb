"""Files that leave a remote: never in one step, and never under a name that comes back.

A file that no manifest lists may be an upload under way. So it is first noted; if nobody lists it
for the grace period, it gets a tombstone: from then on its name is not used again, and whoever wants to send the
same bytes sends them under another name. Only files with a tombstone are deleted, and a deletion that comes
late (a laptop slept in the middle of it) hits nothing that is in use. Every step is a move of the
manifest, so that a push that began before it has to look again.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec

from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.objects.packs.format import TRAILER_BYTES, footer_length
from aura_vcs.plain_text import now
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage, Swappable
from aura_vcs.sync.state.manifest import (
    MANIFEST,
    PACKS,
    TOMBSTONE_FIELDS,
    Machine,
    Manifest,
    PackInfo,
    RecordInfo,
    Tombstone,
    decode_manifest,
    encode_manifest,
    pack_name,
    record_name,
)
from aura_vcs.sync.state.pack_table import PackTable
from aura_vcs.sync.state.pieces import ROOM, create_record, in_pieces
from aura_vcs.sync.state.snapshot import RemoteSnapshot

UPDATE_ATTEMPTS = 8
"""How often a change of the manifest is begun again because somebody else moved it meanwhile."""


def tombstones(manifest: Manifest) -> set[str]:
    """Return names that are never listed again."""
    if not manifest.leaving:
        return set(manifest.gone)
    return {name for name, leaving in manifest.leaving.items() if leaving.final} | manifest.gone.keys()


def tombstoned_packs(manifest: Manifest) -> set[str]:
    """Return the names of packs that are never listed again, as projects call them."""
    return {name[len("packs/") : -len(".pack")] for name in tombstones(manifest) if name.startswith("packs/")}


def listed_files(manifest: Manifest) -> set[str]:
    """Return the names of every file that the manifest lists."""
    return {*map(pack_name, manifest.packs), *map(record_name, (*manifest.records, *manifest.pieces))}


def with_files(manifest: Manifest, packs: Sequence[PackInfo], records: Sequence[RecordInfo]) -> Manifest:
    """Return the manifest with other packs and records; what it lists is no longer leaving."""
    changed = msgspec.structs.replace(manifest, packs=tuple(packs), records=tuple(records))
    names = listed_files(changed)
    leaving = {name: item for name, item in manifest.leaving.items() if name not in names}
    return msgspec.structs.replace(changed, leaving=leaving)


def has_unseen_tombstones(repo: Repository, snapshot: RemoteSnapshot) -> bool:
    """Tell whether something was retired that this machine, which pushes there, has not said it saw."""
    manifest = snapshot.manifest
    own = manifest.machines.get(repo.replica)
    newest = max((item.generation for item in manifest.leaving.values() if item.final), default=-1)
    return own is not None and own.seen < newest


def retire(manifest: Manifest, names: Iterable[str]) -> Manifest:
    """Mark files that the manifest does not list as gone for good from its next state on: their names are spent."""
    item = Tombstone(now(), manifest.generation + 1, final=True)
    leaving = manifest.leaving | {name: item for name in names if name not in listed_files(manifest)}
    return msgspec.structs.replace(
        manifest, leaving=leaving, features=tuple(sorted({*manifest.features, TOMBSTONE_FIELDS}))
    )


def update_manifest(
    repo: Repository, remote: Swappable, snapshot: RemoteSnapshot, manifest: Manifest, *, has_all: bool = True
) -> RemoteSnapshot:
    """Move the remote from what was seen to the next state; with `has_all`, all that this machine has is there.

    The pieces of its list of packs that are new are there before it. Interrupted, they lie there unlisted.

    Raises:
        RefMoved: the remote has moved since it was seen.
    """
    generation = snapshot.manifest.generation + 1
    machines = manifest.machines
    if has_all:
        machines = {**machines, repo.replica: Machine(generation, now(), repo.host)}
    changed = msgspec.structs.replace(
        manifest,
        generation=generation,
        previous=snapshot.digest,
        updated_at=now(),
        updated_by=repo.author,
        machines=machines,
    )
    there = snapshot.pieces
    intact = {info: packs for info, packs in there.packs.items() if info not in there.damaged}
    barred = tombstones(changed) | set(map(record_name, (*there.damaged, *there.lost)))
    stored, new = in_pieces(changed, intact, barred)
    for info, piece in new.items():
        create_record(remote, info, piece)
        snapshot.cache.store(ROOM, info.name, piece)
    data = encode_manifest(stored)
    top = decode_manifest(data, remote.location)  # before it is there: nobody could read another one
    token = remote.swap(MANIFEST, data, snapshot.token)
    return RemoteSnapshot(remote, snapshot.cache, top, data, token)


def add_retired_packs(snapshot: RemoteSnapshot, table: PackTable) -> None:
    """Enter the packs that are retired and still there: the last place of what somebody offloaded.

    A machine that made a version with such content offline gets it from there, and sends it anew.
    """
    for name, item in snapshot.manifest.leaving.items():
        size = snapshot.remote.size(name) if item.final and name.startswith(f"{PACKS}/") else None
        info = unlisted_pack(snapshot, name, size or 0)
        if info is not None:
            table.add(info, snapshot.footer(info))


def unlisted_pack(snapshot: RemoteSnapshot, name: str, size: int) -> PackInfo | None:
    """Look at the end of a file that the manifest does not list; None where it is no pack of that name."""
    if size <= TRAILER_BYTES:
        return None
    pack = name[len(f"{PACKS}/") : -len(".pack")]
    with suppress(RecordCorrupt, RemoteCorrupt, FileNotFoundError):
        trailer = snapshot.remote.read_range(name, size - TRAILER_BYTES, TRAILER_BYTES)
        info = PackInfo(pack, size, footer_length(trailer, size, pack) + TRAILER_BYTES)
        snapshot.footer(info)
        return info
    return None


def create_remote(remote: RemoteStorage, project: str, author: str) -> None:
    """Make an empty remote for a project.

    Raises:
        RefMoved: somebody else made one there meanwhile.
    """
    manifest = Manifest(1, project, 0, "", now(), author)
    remote.swap(MANIFEST, encode_manifest(manifest), None)
