"""Getting offloaded content back from the remotes that hold it, when it is needed or asked for.

What arrives is hashed in quarantine, blobs in chunks as a whole, and only then taken over;
afterwards it is content like any other. A remote that is recorded is asked first, then every other
remote of the project: the hash says whether what it has is right.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import msgspec

from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteError, RemoteUntrusted
from aura_vcs.history.left_out import place_left_out
from aura_vcs.history.lookup.select_files import ChosenFiles, SelectedFile, files_in, shown_path
from aura_vcs.ids import ObjectId
from aura_vcs.layout import PACKS, pack_path
from aura_vcs.objects.availability import ALL_READERS, find_in_packs, missing_parts, offloaded_error
from aura_vcs.objects.base import StoredObject
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.plain_text import now
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RangeReadable
from aura_vcs.sync.remotes.config import remote_config, remotes
from aura_vcs.sync.remotes.connect import open_named
from aura_vcs.sync.state.cache import RemoteCache, clear
from aura_vcs.sync.state.manifest_update import add_retired_packs
from aura_vcs.sync.state.pack_table import PackTable
from aura_vcs.sync.state.reader import RemoteReader
from aura_vcs.sync.state.snapshot import RemoteSnapshot, load_snapshot
from aura_vcs.sync.transfer.download import Downloaded, Quarantine, plan_packs

Connect = Callable[[str], RangeReadable]
"""Opens a remote of the project by its name. Raises RemoteError."""
Parts = dict[ObjectId, tuple[ObjectId, ...]]


class _ContentRequest(msgspec.Struct):
    """What is asked of one remote: objects, and the lists that are here of blobs in chunks."""

    objects: set[ObjectId]
    listed: dict[ObjectId, bytes]


class LazyFetcher:
    """Brings content to one project. Remotes are opened when they are first asked."""

    def __init__(self, repo: Repository, connect: Connect | None = None) -> None:
        self._repo = self.repo = repo
        self.connect = connect or self._open
        self._snapshots: dict[str, tuple[RemoteSnapshot, PackTable]] = {}

    def fetch(self, blobs: Mapping[ObjectId, str]) -> None:
        """Make blobs whole here; `blobs` has a path for each, for messages.

        Raises:
            ObjectOffloaded: no remote that can be asked now has all of it. What came, stays.
        RemoteUntrusted: likewise, and the person has not agreed to the host of one.
        """
        repo = self._repo
        reasons: list[str] = []
        untrusted: RemoteUntrusted | None = None
        with repo.locks.shared("objects"):
            parts = missing_parts(repo.store, blobs)
            for name in self.order(parts):
                if not parts:
                    break
                try:
                    self._fetch_from(name, parts, blobs)
                except RemoteUntrusted as error:  # the person can change that, now
                    untrusted = untrusted or error
                except (RemoteError, RecordCorrupt) as error:
                    reasons.append(error.message if isinstance(error, RemoteError) else f"{name}: {error.message}")
                parts = missing_parts(repo.store, parts)
            if parts and untrusted is not None:
                raise untrusted
            if parts:
                raise offloaded_error(repo.store, {blob: blobs[blob] for blob in parts}, "; ".join(reasons))
            self._forget(blobs)

    def _forget(self, blobs: Iterable[ObjectId]) -> None:
        try:
            with self._repo.locks.exclusive("offloaded"):
                self._repo.store.offloaded.forget(self._repo.replica, blobs, now())
        except RecordCorrupt:
            return  # fsck reports it; what is here is here whatever the record says

    def order(self, blobs: Iterable[ObjectId]) -> list[str]:
        """List the remotes to ask: those that are recorded for most of the blobs, then the others."""
        configured = remotes(self._repo)
        recorded = self._repo.store.offloaded.all()
        votes = Counter(name for blob in blobs if blob in recorded for name in recorded[blob].remotes)
        first = [name for name, _ in votes.most_common() if name in configured]
        return first + [name for name in configured if name not in votes]

    def _open(self, name: str) -> RangeReadable:
        return open_named(self._repo, *remote_config(self._repo, name))

    def _snapshot(self, name: str, cache: RemoteCache, *, again: bool) -> tuple[RemoteSnapshot, PackTable]:
        """Return the remote as it was when it was first asked; with `again`, as it is now."""
        if name not in self._snapshots or again:
            before = self._snapshots.pop(name, None)
            remote = self.connect(name) if before is None else before[0].remote
            try:  # an older state than was seen is good enough: content is hashed
                snapshot = load_snapshot(remote, cache, self._repo.format.project, accept_older=True)
                self._snapshots[name] = snapshot, snapshot.table(self._repo)
                add_retired_packs(*self._snapshots[name])
            except BaseException:
                remote.close()
                raise
        return self._snapshots[name]

    def _fetch_from(self, name: str, parts: Parts, paths: Mapping[ObjectId, str]) -> None:
        cache = RemoteCache(self._repo, name)
        with self._repo.locks.exclusive(f"content-{cache.lock}"):  # a push to that remote may hold its own lock
            is_old = name in self._snapshots
            snapshot, table = self._snapshot(name, cache, again=False)
            wanted = self._request_for(snapshot, table, parts)
            if is_old and not all(wanted.objects.issuperset(absent) for absent in parts.values()):
                snapshot, table = self._snapshot(name, cache, again=True)  # somebody may have pushed it since
                wanted = self._request_for(snapshot, table, parts)
            if not wanted.objects:
                return
            held = [blob for blob, absent in parts.items() if wanted.objects.issuperset(absent)]
            self._report(name, held, paths)
            arrived = self._receive(cache, snapshot, table, wanted)
            self._keep_private(parts)
            self._record_locations(arrived)
            clear(cache.content)

    def _keep_private(self, parts: Parts) -> None:
        """Let nobody read what has come back who could not read it before it went."""
        store = self._repo.store
        recorded = store.offloaded.all()
        for blob, absent in parts.items():
            if blob in recorded and recorded[blob].readers != ALL_READERS:
                for place in find_in_packs(store, set(absent)).values():
                    store.storage.restrict(pack_path(place.pack), recorded[blob].readers)

    def _report(self, name: str, blobs: list[ObjectId], paths: Mapping[ObjectId, str]) -> None:
        recorded = self._repo.store.offloaded.all()
        what = f"{len(blobs)} files"
        if len(blobs) == 1:
            what = paths[blobs[0]] or (recorded[blobs[0]].path if blobs[0] in recorded else blobs[0][:12])
        self._repo.progress.note(f"Fetching the content of {what} from {name}")

    def _request_for(self, snapshot: RemoteSnapshot, table: PackTable, parts: Parts) -> _ContentRequest:
        """Build the request for what this remote can give: only of blobs that it can make whole."""
        wanted = _ContentRequest(set(), {})
        reader = RemoteReader(snapshot, table)
        for blob, absent in parts.items():
            found = table.find(blob)
            if absent != (blob,):
                if all(part in table for part in absent):
                    place = self._repo.store.location(blob)
                    assert place is not None  # its list is here: that is how its chunks are known
                    wanted.listed[blob] = self._repo.store.packs.read(place)
                    wanted.objects.update(absent)
            elif found is not None and found.entry.chunked:
                chunks = {chunk for chunk, _ in decode_chunk_list(reader.raw(found), blob)}
                wanted.objects |= {blob} | (chunks - find_in_packs(self._repo.store, chunks).keys())
            elif found is not None:
                wanted.objects.add(blob)
        return wanted

    def _receive(
        self, cache: RemoteCache, snapshot: RemoteSnapshot, table: PackTable, wanted: _ContentRequest
    ) -> Downloaded:
        def receive() -> Downloaded:
            incoming = plan_packs(table, RemoteReader(snapshot, table), wanted.objects)
            with Quarantine(self._repo, snapshot, cache.content) as room:
                return room.receive(incoming, table, listed=wanted.listed)

        try:
            return receive()
        except RemoteCorrupt:
            if not cache.content.list(PACKS):
                raise
            clear(cache.content)  # what an earlier attempt left may have been the damage: once more without it
            return receive()

    def _record_locations(self, arrived: Downloaded) -> None:
        """Note in the index where things lie now."""
        repo = self._repo
        places = repo.store.places.find_many(arrived.stored)
        gone = {pack for pack in {p.pack for p in places.values()} if repo.storage.stat(pack_path(pack)) is None}
        new = repo.index.unlocated(arrived.stored) | {i for i, place in places.items() if place.pack in gone}
        queries = repo.queries
        turned = {}
        for blob, chunks in arrived.chunks.items():
            record = queries.object(blob)
            if record is not None and record.refcount > 0 and not record.chunked:
                turned[blob] = chunks
        found: dict[ObjectId, StoredObject] = {i: item for i, item in arrived.stored.items() if i in new}
        repo.index.update_locations(found, turned)

    def close(self) -> None:
        """Let go of connections."""
        while self._snapshots:
            self._snapshots.popitem()[1][0].remote.close()


def enable_lazy_fetch(repo: Repository, connect: Connect | None = None) -> LazyFetcher:
    """Let the project fetch offloaded content by itself from now on, whatever reads it.

    `connect` opens a remote by its name; without it, remotes are opened as the settings say.
    """
    content = LazyFetcher(repo, connect)
    repo.store.fetch = content.fetch
    return content


class Brought(msgspec.Struct, frozen=True):
    """What came back: files by path, and bytes of content."""

    files: tuple[SelectedFile, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all of them."""
        return sum(file.size for file in self.files)


def plan_content(repo: Repository, chosen: ChosenFiles) -> Brought:
    """Plan what to fetch of the chosen versions and paths: what is not here, offloaded or missing."""
    files = {file.id: file for file in files_in(repo, [record.tree for record in chosen.versions], chosen.paths)}
    absent = missing_parts(repo.store, files)
    return Brought(tuple(sorted((files[blob] for blob in absent), key=lambda file: file.path)))


def fetch_content(content: LazyFetcher, plan: Brought) -> Brought:
    """Bring it back; from then on it is content like any other, and files that were left out for it are put there.

    Also what was lost comes, if a remote has it.

    Raises:
        ObjectOffloaded: no remote that can be asked now has all of it. What came, stays.
        RemoteUntrusted: likewise, and the person has not agreed to the host of one.
    """
    content.fetch({file.id: shown_path(file.path) for file in plan.files})
    place_left_out(content.repo)
    return plan
