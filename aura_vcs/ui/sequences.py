"""Pictures that are a film together: `shot.0001.exr` and what follows it."""

from collections.abc import Sequence

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.formats.media.sequences import FrameSequence, find_sequences
from aura_vcs.history.lookup.content import locate
from aura_vcs.history.sources.content_source import is_file
from aura_vcs.model import Entry
from aura_vcs.repository.repository import Repository

MOST = 100_000


class PictureSequence(msgspec.Struct, frozen=True):
    """Numbered pictures of one folder, in the order of their numbers."""

    title: str
    paths: tuple[str, ...]
    missing: int
    """So many numbers between the first and the last have no picture."""


def sequences_among(paths: Sequence[str]) -> dict[str, PictureSequence]:
    """Find the sequences among the files of one folder, by how each is called: `render/shot.[0001-0240].exr`."""
    return {one.pattern: _shown(one) for one in find_sequences(paths) if len(one.numbers) <= MOST}


def sequence_of(path: str, paths: Sequence[str]) -> PictureSequence | None:
    """Return the sequence among the files that a path belongs to."""
    return next((one for one in sequences_among(paths).values() if path in one.paths), None)


def files_of_sequence(repo: Repository, version: str, path: str) -> tuple[tuple[str, Entry], ...]:
    """Return the files, in order, of the sequence in a version that a picture is a frame of.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged. InputError: it belongs to none.
    """
    folder = path.rpartition("/")[0]
    located = locate(repo, f"{version}:{folder}")
    prefix = f"{folder}/" if folder else ""
    entries = {prefix + item.name: item for item in repo.trees.tree(located.entry.id).entries if is_file(item)}
    found = sequence_of(path, list(entries))
    if found is None:
        raise InputError(f"{path} belongs to no sequence of pictures", hint="Look at it alone.")
    return tuple((name, entries[name]) for name in found.paths)


def _shown(one: FrameSequence) -> PictureSequence:
    missing = sum(last + 1 - first for first, last in one.missing)
    return PictureSequence(one.pattern.rpartition("/")[2], tuple(map(one.path, one.numbers)), missing)
