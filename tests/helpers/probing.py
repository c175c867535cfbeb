"""Looking into media files and comparing two of them, without a project and an index."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from aura_vcs.compare.media.entries import compare_entries, facts_of
from aura_vcs.errors import MediaUnreadable
from aura_vcs.formats.media.findings import DecodeLimits, MediaDiff, MediaFacts
from aura_vcs.formats.media.headers import read_header
from aura_vcs.formats.media.index_entry import MediaEntry, read_entry
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.media.build_entries import FileToIndex, build_entries, processors

LIMITS = DecodeLimits()


def read_media_header(path: Path) -> MediaHeader | None:
    """Read the facts in the file's header, without any codec; None for what is not known media.

    Raises:
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        return read_header(file)


def probe_media(
    path: Path,
    *,
    thumbnails: bool = False,
    limits: DecodeLimits = LIMITS,
    environment: Mapping[str, str] | None = None,
) -> MediaFacts:
    """Look into one file, every frame and sample of it; with `thumbnails`, also what a person sees of it.

    `environment` is all the worker process gets to see; Windows needs SYSTEMROOT in it.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        MediaUnreadable: the file is damaged, hostile, too large, or no media.
    """
    (entry,) = _entries([path], limits, environment)
    return facts_of(entry, thumbnails=thumbnails)


def diff_media(
    old: Path,
    new: Path,
    *,
    thumbnails: bool = False,
    limits: DecodeLimits = LIMITS,
    environment: Mapping[str, str] | None = None,
) -> MediaDiff:
    """Compare two media files that are in no index: every frame and sample of both.

    Raises:
        ExtraMissing: the optional part `media` is not installed.
        MediaUnreadable: a file is damaged, hostile, too large, or no media.
    """
    before, after = _entries([old, new], limits, environment)
    return compare_entries(before, after, thumbnails=thumbnails)


def _entries(paths: Sequence[Path], limits: DecodeLimits, environment: Mapping[str, str] | None) -> list[MediaEntry]:
    """Look at files.

    Raises:
        ExtraMissing, MediaUnreadable.
    """
    found = []
    with ExitStack() as stack:
        files = [FileToIndex(stack.enter_context(path.open("rb")), str(n), str(path)) for n, path in enumerate(paths)]
        for one, result in build_entries(files, limits=limits, threads=processors(), environment=environment):
            if not isinstance(result, bytes):
                raise result
            entry = read_entry(result, one.content)
            if entry.head.problem:
                raise MediaUnreadable(one.name, entry.head.problem)
            found.append(entry)
    return found
