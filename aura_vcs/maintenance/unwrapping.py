"""Finding out which stored files can be taken apart, before anything is locked: it takes a second for every 3 MB."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.formats.deflate.containers import is_container
from aura_vcs.formats.deflate.unwrapping import CONTENT_LIMIT, FilePart, unwrap
from aura_vcs.ids import ObjectId
from aura_vcs.model import Kind
from aura_vcs.repository.repository import Repository

AT_ONCE_BYTES = 128 << 20
"""So much content is looked at by one collection; what is left is for the next ones."""
FAILED_SHARE = 4
"""A file that cannot be taken apart counts as so many times its size."""
READ_BYTES = 64 << 20
"""So much of packs is read in search of such files: no more is packed anew at once."""

Recipes = Mapping[ObjectId, tuple[FilePart, ...]]
"""How files are taken apart, by their ids; each was proven."""
NO_RECIPES: Recipes = {}


def find_recipes(repo: Repository, loose: Iterable[ObjectId], packs: Iterable[str]) -> Recipes:
    """Find out how those of the files that are gzip or ZIP are taken apart so that they come back byte for byte.

    What is stored unwrapped already is not looked at. Nothing is written.
    """
    found: dict[ObjectId, tuple[FilePart, ...]] = {}
    left = AT_ONCE_BYTES
    repo.progress.start("Looking into gzip and ZIP files", None, "files")
    for object_id, data in _containers(repo, loose, packs):
        if left <= 0:
            break
        unwrapped = unwrap(data, min(left, CONTENT_LIMIT))
        left -= unwrapped.size if unwrapped is not None else FAILED_SHARE * len(data)
        if unwrapped is not None:
            found[object_id] = unwrapped.parts
        repo.progress.advance(1)
    repo.progress.finish()
    return found


def _containers(repo: Repository, loose: Iterable[ObjectId], packs: Iterable[str]) -> Iterator[tuple[ObjectId, bytes]]:
    """Yield gzip files and ZIP archives, verified; what is damaged or gone is passed over."""
    store = repo.store
    for object_id in loose:
        with suppress(IntegrityError, FileNotFoundError):
            data = store.loose.read(object_id)
            if is_container(data):
                store.check(object_id, Kind.BLOB, data)
                yield object_id, data
    read = 0
    for name in packs:
        if read > READ_BYTES:
            return
        with suppress(IntegrityError, FileNotFoundError):
            for item in store.pack_objects(name):
                place = item.location
                if place is None or place.chunked or item.kind is not Kind.BLOB or store.packs.is_unwrapped(place):
                    continue
                data = store.packs.read(place)
                read += len(data)
                if is_container(data):
                    store.check(item.id, item.kind, data)
                    yield item.id, data
