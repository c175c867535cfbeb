"""Lists of changed paths, with sequences of pictures as one line each."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from aura_vcs.cli.output.console import Line, faint
from aura_vcs.cli.output.humanize import changed_path, count
from aura_vcs.formats.media.sequences import FrameSequence, find_sequences, frame_name, moved_sequences


class Listed(Protocol):
    """A change as lists have it."""

    @property
    def path(self) -> str: ...
    @property
    def change(self) -> str: ...
    @property
    def old_path(self) -> str | None: ...


class ListedChange(Struct, frozen=True):
    """A line of a list: one path, or a sequence of several; `paths` are all of them."""

    change: str
    path: str
    old_path: str | None
    paths: tuple[str, ...]


def fold_listed(changes: Sequence[Listed]) -> list[ListedChange]:
    """Return the changes in their order; files of one sequence to which the same happened are one."""
    by_change: dict[str, dict[str, str]] = {}
    for change in changes:
        if frame_name(change.path) is not None:
            by_change.setdefault(change.change, {})[change.path] = change.old_path or ""
    folded: dict[str, ListedChange] = {}
    for kind, paths in by_change.items():
        renamed = {path: old_path for path, old_path in paths.items() if old_path}
        pairs: list[tuple[FrameSequence | None, FrameSequence]]
        pairs = [(None, one) for one in find_sequences(paths.keys() - renamed.keys())]
        pairs += moved_sequences(renamed)
        for old, new in pairs:
            files = tuple(map(new.path, new.numbers))
            listed = ListedChange(kind, new.pattern, old.pattern if old is not None else None, files)
            folded.update(dict.fromkeys(files, listed))
    found, told = [], set()
    for change in changes:
        one = folded.get(change.path)
        if one is None:
            found.append(ListedChange(change.change, change.path, change.old_path, (change.path,)))
        elif one.paths[0] not in told:
            told.add(one.paths[0])
            found.append(one)
    return found


def changed_lines(changes: Sequence[Listed]) -> list[Line]:
    """Format a list of changes, a line for each path or sequence."""
    return [[*changed_path(one.change, one.path, one.old_path), *how_many(one.paths)] for one in fold_listed(changes)]


def how_many(paths: Sequence[str]) -> Line:
    """Say how many files a line stands for, where it is more than one."""
    return [faint(f"  {count(len(paths), 'file')}")] if len(paths) > 1 else []
