"""Plain dictionaries that say what a commit of some paths must give, and random ways to name paths."""

import os
import random
from collections.abc import Iterable, Mapping
from pathlib import Path

from aura_vcs import Repository
from aura_vcs.ids import ObjectId
from aura_vcs.model import EntryKind

from tests.helpers.project import Seen, look

Flat = dict[str, Seen]
"""Every path of a folder or version, folders too."""
FOLDER: Seen = ("dir", b"", False)
_KINDS = {EntryKind.DIR: "dir", EntryKind.FILE: "file", EntryKind.SYMLINK: "link"}


def here(root: Path, base: Mapping[str, Seen], ignored_suffix: str) -> Flat:
    """The folder as a commit sees it: what is ignored counts only where the last version has it."""
    found = {os.fsdecode(path): seen for path, seen in look(root).items()}
    return {path: seen for path, seen in found.items() if not path.endswith(ignored_suffix) or path in base}


def content(repo: Repository, tree: ObjectId) -> Flat:
    """A version's tree, read file by file."""
    return {
        path: (_KINDS[e.kind], b"" if e.kind is EntryKind.DIR else repo.store.read(e.id), e.executable)
        for path, e in repo.trees.walk(tree)
    }


def committed(base: Flat, now: Flat, paths: Iterable[str]) -> Flat:
    """What the version has after a commit of `paths`: there as the folder is, elsewhere as before.

    A folder that the commit emptied goes, unless it is still in the folder.
    """
    chosen = set(paths)
    if "" in chosen:
        return dict(now)

    def is_chosen(path: str) -> bool:
        return not chosen.isdisjoint([path, *above(path)])

    found = {path: seen for path, seen in base.items() if not is_chosen(path)}
    for path in filter(is_chosen, now):
        found[path] = now[path]
        found.update(dict.fromkeys(above(path), FOLDER))
    for path in sorted(found, key=len, reverse=True):
        was_filled = base.get(path) == FOLDER and _is_filled(base, path)
        if found[path] == FOLDER and was_filled and not _is_filled(found, path) and now.get(path) != FOLDER:
            del found[path]
    return found


def changed_files(base: Flat, now: Flat) -> set[str]:
    """Paths that are not as they were, but for those that are only folders."""
    return {
        path
        for path in base.keys() | now.keys()
        if base.get(path) != now.get(path) and {base.get(path), now.get(path)} - {None, FOLDER}
    }


def spelled(path: str, root: Path, chance: random.Random) -> str:
    """The path as a person might type it in the project folder."""
    ways = [path, f"./{path}", f"{path}/", f"{path}/.", str(root / path), f"nowhere/../{path}", f"./{path}//"]
    return chance.choice(ways) if path else chance.choice([".", "./", str(root), "d/.."])


def above(path: str) -> list[str]:
    """The folders that a path is in."""
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def _is_filled(flat: Flat, folder: str) -> bool:
    return any(path.startswith(f"{folder}/") for path in flat)
