"""What is wrong with media files themselves, as far as it is known without decoding anything now."""

from collections.abc import Iterator, Mapping

from aura_vcs.formats.media.index_entry import EntryHead, MediaEntry
from aura_vcs.formats.media.sequence_entry import SequenceFrame
from aura_vcs.formats.media.sequences import FrameSequence, find_sequences, frames_words
from aura_vcs.history.diff.media_findings import has_media_name
from aura_vcs.history.media_index.sequences import find_sequence, numbered
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.ids import ObjectId
from aura_vcs.project.documents.problems import DocumentProblem
from aura_vcs.project.documents.validate import MAX_PROBLEMS_PER_FILE
from aura_vcs.repository.repository import Repository

GAPS_SHOWN = 12


def known_media_problems(repo: Repository) -> tuple[DocumentProblem, ...]:
    """Say which sequences of pictures lack frames, or have frames of several sizes, and which files are damaged.

    Damage and sizes are known of files that the media index has: see `aura media index`. All are warnings, at most
    `MAX_PROBLEMS_PER_FILE` of each kind.

    Raises:
        FileUnreadable: a folder cannot be read.
    """
    scan = repo.worktree.scan(worktree_base(repo).tree)
    contents = {
        folder.join(name): ObjectId(state.id.hex()) if state.id else None
        for folder in scan.walk()
        for name, state in folder.files.items()
        if has_media_name(name) and not state.is_symlink
    }
    index = MediaIndexStore.of(repo)
    found = [_gaps(sequence) for sequence in find_sequences(contents) if sequence.missing][:MAX_PROBLEMS_PER_FILE]
    frames = _known_frames(index, contents)
    damaged, sizes = [], {}
    for path, content in contents.items():
        one = frames.get(path) or (index.get(content) if content is not None else None)
        head = one.head if isinstance(one, MediaEntry) else one
        if head is None:
            continue
        problem, partial = head.problem, head.partial if isinstance(head, EntryHead) else ""
        if problem or partial:
            words = partial or f"it cannot be looked into: {problem}"
            damaged.append(DocumentProblem(path, "", "warning", words))
        if head.picture is not None:
            sizes[path] = head.picture.width, head.picture.height
    mixed = [problem for sequence in find_sequences(sizes) for problem in _mixed(sequence, sizes)]
    return (*found, *damaged[:MAX_PROBLEMS_PER_FILE], *mixed[:MAX_PROBLEMS_PER_FILE])


def _known_frames(index: MediaIndexStore, contents: Mapping[str, ObjectId | None]) -> dict[str, SequenceFrame]:
    """Return what the entries of whole sequences have of files: one is read instead of thousands."""
    ids = {path: str(content) for path, content in contents.items() if content is not None}
    found: dict[str, SequenceFrame] = {}
    for sequence in find_sequences(ids):
        whole = find_sequence(index, numbered(sequence, ids))
        if whole is not None:
            found.update(zip(map(sequence.path, sequence.numbers), whole.frames, strict=True))
    return found


def _gaps(sequence: FrameSequence) -> DocumentProblem:
    missing = sequence.missing
    more = f" and {len(missing) - GAPS_SHOWN:,} more gaps" if len(missing) > GAPS_SHOWN else ""
    is_one = len(missing) == 1 and missing[0][0] == missing[0][1]
    words = f"{frames_words(missing[:GAPS_SHOWN])}{more} {'is' if is_one else 'are'} missing"
    return DocumentProblem(sequence.pattern, "", "warning", words)


def _mixed(sequence: FrameSequence, sizes: dict[str, tuple[int, int]]) -> Iterator[DocumentProblem]:
    """Yield a warning for a sequence whose frames do not all have one size."""
    counted: dict[tuple[int, int], int] = {}
    for number in sequence.numbers:
        size = sizes.get(sequence.path(number))
        if size is not None:
            counted[size] = counted.get(size, 0) + 1
    if len(counted) > 1:
        listed = ", ".join(f"{wide}×{high} ({count:,})" for (wide, high), count in sorted(counted.items()))
        yield DocumentProblem(sequence.pattern, "", "warning", f"its frames have several sizes: {listed}")
