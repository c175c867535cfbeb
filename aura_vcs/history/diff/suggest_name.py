"""A name for a version, made from what it would change: "Trimmed 2 clips, new music"."""

import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence

from aura_vcs.errors import AuraError
from aura_vcs.history.diff.file_diff import UNSEEN, FileDiff, diff_change, is_timeline_path
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.diff.worktree_diff import compare_worktree
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.layout import CONFLICTS
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.repository import Repository

FIRST = "First cut"
PARTS = 3
"""So many things are named; the rest is a count."""
NAME_LENGTH = 72
FILE_LENGTH = 32
"""Characters of a file's name that are repeated."""
LOOKED_INTO = 3
"""So many timelines are compared clip by clip."""
_KINDS = {
    "picture": (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".exr", ".dpx", ".psd", ".svg"),
    "sound": (".wav", ".mp3", ".aac", ".m4a", ".flac", ".ogg", ".opus", ".aif", ".aiff"),
    "clip": (".mp4", ".mov", ".mkv", ".avi", ".mxf", ".webm", ".m4v", ".mts", ".braw", ".r3d"),
}
_DONE = {
    "added": "added",
    "removed": "removed",
    "split": "split",
    "trimmed": "trimmed",
    "slipped": "slipped",
    "retimed": "retimed",
    "moved": "moved",
    "text": "reworded",
}
"""What a change of a timeline is called, most telling first."""


def suggest_name(repo: Repository, paths: Sequence[str] = ()) -> str:
    """Return a name for the version that a commit of the folder, or of `paths`, would make; "" for none.

    Timelines are compared clip by clip, other files are told by their names: nothing large is read.
    """
    base = worktree_base(repo)
    if base.tree == EMPTY_TREE_ID:
        return FIRST
    try:
        comparison = compare_worktree(repo, base.tree, paths, hashed=False)
    except AuraError:
        return ""  # what is wrong with it is for the commit to say
    return describe_changes(comparison)


def describe_changes(comparison: Comparison) -> str:
    """Say in a few words what changed: "Trimmed 2 clips, new music"; "" where nothing did."""
    changes = [change for change in comparison.changes if change.path != CONFLICTS]
    parts = [*_timelines(comparison), *_files(changes)]
    if any(change.path == CONFLICTS and change.change != "added" for change in comparison.changes):
        parts.append("decided conflicts")
    if not parts:
        return ""
    shown = parts[:PARTS]
    if len(parts) > PARTS:
        shown.append("and more")
    text = ", ".join(shown)
    while len(text) > NAME_LENGTH and len(shown) > 1:
        shown = [*shown[:-2], "and more"] if shown[-1] == "and more" else [*shown[:-1], "and more"]
        if shown == ["and more"]:
            break
        text = ", ".join(shown)
    return text[:1].upper() + text[1:]


def _timelines(comparison: Comparison) -> Iterator[str]:
    """Yield in words what was done to the clips of timelines."""
    changed = [change for change in comparison.changes if _is_timeline(change)]
    counts: Counter[str] = Counter()
    is_same = len(changed) <= LOOKED_INTO
    for change in changed[:LOOKED_INTO]:
        compared = diff_change(comparison, change)
        found = compared.timeline
        owners = {(item.kind, item.owner) for item in found.changes} if found is not None else set()
        counts.update(kind for kind, _ in owners if kind in _DONE)
        is_same = is_same and _is_only_written_anew(compared)
    for kind, word in _DONE.items():
        if counts[kind]:
            yield f"{word} {counts[kind]:,} clip{'s' * (counts[kind] != 1)}"
    if changed and not counts:
        what = "the timeline" if len(changed) == 1 else f"{len(changed):,} timelines"
        yield f"saved {what} again, unchanged" if is_same else f"changed {what}"


def _is_only_written_anew(compared: FileDiff) -> bool:
    """Tell whether nothing in a timeline changed but how the file is written, or the playhead and the like."""
    found = compared.timeline
    is_noise = found is not None and bool(found.noise) and not found.changes and len(compared.lines) == 1
    return is_noise or compared.lines == (UNSEEN,)


def _is_timeline(change: PathChange) -> bool:
    return change.change == "modified" and is_timeline_path(change.path)


def _files(changes: Sequence[PathChange]) -> Iterator[str]:
    """Yield in words the files added, changed, renamed and deleted, in this order; one by name, several as a count."""
    others = [change for change in changes if not _is_timeline(change)]
    added = [change.path for change in others if change.change == "added"]
    music = [path for path in added if _kind(path) == "sound" and "music" in path.lower()]
    if music:
        yield "new music"
    for kind in (*_KINDS, "file"):
        found = [path for path in added if path not in music and _kind(path) == kind]
        if found:
            yield f"new {_short(found[0])}" if len(found) == 1 else f"{len(found):,} new {kind}s"
    for word, kinds in (
        ("changed", ("modified", "type_changed")),
        ("renamed", ("renamed",)),
        ("removed", ("deleted",)),
    ):
        paths = [change.path for change in others if change.change in kinds]
        if paths:
            yield f"{word} {_short(paths[0])}" if len(paths) == 1 else f"{word} {len(paths):,} {_noun(paths)}"


def _kind(path: str) -> str:
    end = posixpath.splitext(path.lower())[1]
    return next((kind for kind, ends in _KINDS.items() if end in ends), "file")


def _noun(paths: Sequence[str]) -> str:
    if all(path.startswith("scenes/") for path in paths):
        return "scenes"
    kinds = {_kind(path) for path in paths}
    return f"{kinds.pop()}s" if len(kinds) == 1 else "files"


def _short(path: str) -> str:
    """Return a file's name; a document's without the ending, as people speak of it."""
    name = posixpath.basename(path)
    name = name.removesuffix(".json")
    return name if len(name) <= FILE_LENGTH else f"{name[: FILE_LENGTH - 1]}…"
