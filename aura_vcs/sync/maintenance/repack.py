"""Packs of a remote written anew, without what nobody needs: fetched by frames, hashed, packed here."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from aura_vcs.errors.integrity import ObjectCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.objects.packs.folder_packs import write_packs
from aura_vcs.objects.packs.format import PackEntry
from aura_vcs.objects.packs.verify import check_entries
from aura_vcs.objects.packs.writer import NewObject
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage
from aura_vcs.sync.state.cache import clear
from aura_vcs.sync.state.manifest import PackInfo
from aura_vcs.sync.state.pack_table import PackTable
from aura_vcs.sync.state.reader import RemoteReader, runs
from aura_vcs.sync.state.snapshot import RemoteSnapshot


class PackRewrite(msgspec.Struct, frozen=True):
    """A pack to be written anew with `living` only; `dead_bytes` is what that frees."""

    pack: PackInfo
    living: tuple[PackEntry, ...]
    dead_bytes: int


def rewrite(
    repo: Repository,
    snapshot: RemoteSnapshot,
    table: PackTable,
    shrinks: Sequence[PackRewrite],
    outgoing: LocalStorage,
    pack_bytes: int | None,
) -> list[str]:
    """Write what lives in the packs into new ones in `outgoing`; returns their names.

    The names are such as no pack ever had. Memory holds a few frames.

    Raises:
        RemoteCorrupt: an object there does not hash to its name.
    """
    clear(outgoing)
    repo.progress.start("Rewriting packs", sum(s.pack.size - s.dead_bytes for s in shrinks), "bytes")
    frames = _frames(snapshot, table, shrinks)
    names = write_packs(outgoing, frames, repo.progress, unique_names=True, pack_bytes=pack_bytes)
    repo.progress.finish()
    return names


def _frames(snapshot: RemoteSnapshot, table: PackTable, shrinks: Sequence[PackRewrite]) -> Iterator[list[NewObject]]:
    for shrink in shrinks:
        by_frame: defaultdict[int, list[PackEntry]] = defaultdict(list)
        for entry in shrink.living:
            by_frame[entry.frame].append(entry)
        reader = RemoteReader(snapshot, table)
        for run in runs(table.footers[shrink.pack].frames, sorted(by_frame)):
            reader.cache_run(shrink.pack, run)
            for number in run:
                if number not in by_frame:
                    continue
                data = reader.frame(shrink.pack, number)
                try:
                    check_entries(data, by_frame[number], shrink.pack.name)
                except ObjectCorrupt as error:
                    raise RemoteCorrupt(snapshot.remote.location, f"nothing was deleted: {error.message}") from error
                yield [
                    NewObject(e.id, e.kind, data[e.offset : e.offset + e.length], e.chunked) for e in by_frame[number]
                ]
