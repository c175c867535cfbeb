"""A large file that lies at a remote, read where it is asked for: only chunks that are read travel, and none stays.

Every chunk is hashed before a byte of it is handed out. Chunks that are here are taken from here.
"""

import io
from collections.abc import Callable
from typing import BinaryIO, cast

from aura_vcs.errors.remotes import RemoteCorrupt, RemoteError
from aura_vcs.history.sources.content_source import ChunkedFile
from aura_vcs.ids import ObjectId
from aura_vcs.model import Kind
from aura_vcs.objects.availability import find_in_packs, missing_parts
from aura_vcs.objects.chunking import decode_chunk_list
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RangeReadable
from aura_vcs.sync.offload.fetch_content import LazyFetcher
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.reader import RemoteReader
from aura_vcs.sync.state.snapshot import load_snapshot


def open_at_remote(repo: Repository, content: LazyFetcher, blob: ObjectId) -> BinaryIO | None:
    """Open a blob that is not here as a seekable stream of its chunks at a remote.

    None where it is here, where it is too small to be in chunks, or where no remote that can be asked now has
    all of it: then it is fetched whole, or the error says why that cannot be. The stream has a connection of
    its own, and lets go of it when it is closed.
    """
    parts = missing_parts(repo.store, [blob])
    for name in content.order(parts) if parts else ():
        try:
            remote = content.connect(name)
        except RemoteError:
            continue
        try:
            found = _open(repo, name, remote, blob)
        except RemoteError:
            found = None
        except BaseException:
            remote.close()
            raise
        if found is not None:
            return cast("BinaryIO", io.BufferedReader(found))
        remote.close()
    return None


def _open(repo: Repository, name: str, remote: RangeReadable, blob: ObjectId) -> "_RemoteFile | None":
    cache = RemoteCache(repo, name)
    with repo.locks.exclusive(f"content-{cache.lock}"):
        snapshot = load_snapshot(remote, cache, repo.format.project, accept_older=True)
        table = snapshot.table(repo)
    reader = RemoteReader(snapshot, table)
    listed = table.find(blob)
    here = find_in_packs(repo.store, [blob]).get(blob)
    if here is None and (listed is None or not listed.entry.chunked):
        return None
    data = repo.store.packs.read(here) if here is not None else reader.raw(reader.locate(blob))
    chunks = list(decode_chunk_list(data, blob))
    ids = {chunk for chunk, _ in chunks}
    if any(chunk not in table for chunk in ids - find_in_packs(repo.store, ids).keys()):
        return None

    def read(chunk: ObjectId) -> bytes:
        try:
            return reader.read(chunk, Kind.CHUNK) if chunk in table else repo.store.read(chunk, Kind.CHUNK)
        except RemoteCorrupt:
            return repo.store.read(chunk, Kind.CHUNK)  # which says that it is not here, if it is not

    return _RemoteFile(chunks, read, remote.close)


class _RemoteFile(ChunkedFile):
    def __init__(
        self, chunks: list[tuple[ObjectId, int]], read: Callable[[ObjectId], bytes], release: Callable[[], None]
    ) -> None:
        super().__init__(chunks, read)
        self._release = release

    def close(self) -> None:
        """Let go of the connection."""
        if not self.closed:
            self._release()
        super().close()
