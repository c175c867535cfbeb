"""Sequences of pictures among the media of a project, listed and shown as one thing each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from aura_vcs.cli.output.console import Console, faint, strong
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.output.json_shapes import sequence_entry_to_json
from aura_vcs.cli.output.sequence_json import sequence_to_json
from aura_vcs.compare.media.words import describe_head
from aura_vcs.formats.media.describe import describe
from aura_vcs.formats.media.headers import read_header
from aura_vcs.formats.media.reader import MediaHeader
from aura_vcs.formats.media.sequences import FrameSequence, find_sequences, frames_words

if TYPE_CHECKING:
    from aura_vcs.formats.media.index_entry import EntryHead
    from aura_vcs.index.entities import AssetRow

GAPS_SHOWN = 12
HEADERS_LIMIT = 5_000
"""Files of a sequence whose headers are read."""
Listing = tuple[str, int, str, str]
"""Type, bytes, path and a note."""


class AssetSequence(Struct, frozen=True):
    """A sequence, and the files that it is made of."""

    sequence: FrameSequence
    rows: tuple["AssetRow", ...]

    @property
    def bytes(self) -> int:
        """What all files take together."""
        return sum(row.file_size_bytes for row in self.rows)

    def is_called(self, name: str, paths: Sequence[str]) -> bool:
        """Tell whether a person means this sequence by a name; `paths` are what the name means in the project."""
        return self.sequence.pattern in (name, *paths)

    def frames(self) -> str:
        """Say how many frames there are, and which are missing."""
        missing = self.sequence.missing
        more = f" and {len(missing) - GAPS_SHOWN:,} more gaps" if len(missing) > GAPS_SHOWN else ""
        gone = f"; missing: {frames_words(missing[:GAPS_SHOWN])}{more}" if missing else ""
        return f"{count(len(self.rows), 'frame')}{gone}"

    def to_json(self) -> dict[str, Any]:
        """Convert it; `size` is that of all files together."""
        return {**(sequence_to_json(self.sequence) or {}), "size": self.bytes}


def sequences_of(rows: Iterable["AssetRow"]) -> list[AssetSequence]:
    """Find the sequences among media."""
    by_path = {row.file_path: row for row in rows}
    return [
        AssetSequence(one, tuple(by_path[path] for path in map(one.path, one.numbers) if path in by_path))
        for one in find_sequences(by_path)
    ]


def listed_assets(rows: Sequence["AssetRow"]) -> Iterator[Listing]:
    """Yield what is listed: files, and sequences where their first frame would be."""
    folded = {row.file_path: one for one in sequences_of(rows) for row in one.rows}
    for row in rows:
        one = folded.get(row.file_path)
        if one is None:
            yield row.asset_type, row.file_size_bytes, row.file_path, _note(row)
        elif row.file_path == one.rows[0].file_path:
            yield row.asset_type, one.bytes, one.sequence.pattern, f"{_note(row)}, {one.frames()}"


def _note(row: "AssetRow") -> str:
    return "temporary" if row.is_temporary else row.mime_type


def print_sequence(console: Console, root: Path, one: AssetSequence, known: "EntryHead | None") -> None:
    """Print what a sequence is, as the headers of all frames have it, and what is `known` from looking at them."""
    headers = Counter(filter(None, (_header(root / row.file_path) for row in one.rows[:HEADERS_LIMIT])))
    if console.as_json:
        kinds = [{"frames": frames, **_header_to_json(header)} for header, frames in headers.most_common()]
        media = sequence_entry_to_json(known) if known is not None else None
        console.data({"sequence": one.to_json(), "headers": kinds, "media": media})
        return
    first = one.rows[0]
    console.line(strong(one.sequence.pattern), faint("  temporary" if first.is_temporary else ""))
    console.line(f"  {first.asset_type} sequence, {first.mime_type}, {one.frames()}, {size(one.bytes)}")
    for header, frames in headers.most_common(GAPS_SHOWN):
        console.line(f"  {describe(header)}", f": {count(frames, 'frame')}" if len(headers) > 1 else "")
    if known is not None:
        console.lines(["  ", line] for line in describe_head(known))
    unread = len(one.rows[:HEADERS_LIMIT]) - sum(headers.values())
    if unread:
        console.note(f"{count(unread, 'frame')} cannot be read")


def _header(path: Path) -> MediaHeader | None:
    try:
        with path.open("rb") as file:
            return read_header(file)
    except OSError:
        return None


def _header_to_json(header: MediaHeader) -> dict[str, Any]:
    return {"format": header.format, "width": header.width, "height": header.height, "bits": header.bits}
