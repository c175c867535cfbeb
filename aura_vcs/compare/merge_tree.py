"""Joining two versions of a whole project: which files come from which side.

Only names, kinds and ids are looked at. Files whose content both sides changed are handed back
as `Join`s; whoever has the bytes calls `merge_file` on each, and where that cannot join them,
`set_aside` names the place for their copy. Nothing a side has is left out of the result unless
the other side removed it and this one had not touched it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from aura_vcs.compare.merge_model import Choice
from aura_vcs.errors import ConflictUnknown

Kind = Literal["file", "symlink", "dir"]


class TreeEntry(Struct, frozen=True):
    """What stands at a path. `dir` is an empty folder; folders with something in them have no entry."""

    kind: Kind
    id: str
    executable: bool = False


class Join(Struct, frozen=True):
    """A file whose content both sides changed; `base` is None when both added it.

    The result has our entry at `path` until the contents are joined.
    """

    path: str
    base: TreeEntry | None
    ours: TreeEntry
    theirs: TreeEntry


class TreeConflict(Struct, frozen=True, omit_defaults=True):
    """Two changes of one path that cannot both be.

    `kind` is "changed" (contents that do not join: theirs is kept at `aside`), "removed_by_ours"
    or "removed_by_theirs" (and changed on the other side: it stays), "renamed" (to `path` by us
    and to `aside` by them: it has our name), or "blocked" (a file where the other side has a
    folder or another file: it was set aside).
    """

    kind: Literal["changed", "removed_by_ours", "removed_by_theirs", "renamed", "blocked"]
    path: str
    base: TreeEntry | None = None
    ours: TreeEntry | None = None
    theirs: TreeEntry | None = None
    aside: str = ""


class MergedTree(Struct, frozen=True):
    """The joined project, the files whose contents are still to be joined, and what is left to decide."""

    entries: dict[str, TreeEntry]
    joins: tuple[Join, ...] = ()
    conflicts: tuple[TreeConflict, ...] = ()


Entries = Mapping[str, TreeEntry]
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


def merge_tree(
    base: Entries, ours: Entries, theirs: Entries, *, ours_label: str = "ours", theirs_label: str = "theirs"
) -> MergedTree:
    """Join two changed versions of a project by path; renames are recognised by equal content.

    Labels say where a side comes from ("v14 from laptop") in the names of what is set aside.
    One-sided changes always land; the time is linear in the number of paths.
    """
    merge = _TreeMerge(base, ours, theirs, (ours_label, theirs_label))
    for path in sorted(base):
        merge.known(path)
    merge.additions()
    merge.unblock()
    return MergedTree(
        dict(sorted(merge.entries.items())),
        tuple(sorted(merge.joins, key=lambda join: join.path)),
        tuple(sorted(merge.conflicts, key=lambda conflict: (conflict.path, conflict.kind))),
    )


def set_aside(path: str, label: str, taken: Iterable[str]) -> str:
    """A free name beside `path`: `shot (v14 from laptop).mp4`, or with a number when that is taken.

    Names that differ only in upper and lower case count as one.
    """
    return _free_name(path, label, {other.casefold() for other in taken})


def _free_name(path: str, label: str, used: set[str]) -> str:
    words = _FORBIDDEN.sub(" ", label).strip(" .") or "other"
    folder, slash, name = path.rpartition("/")
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    number = 1
    while True:
        mark = f" ({words})" if number == 1 else f" ({words} {number})"
        candidate = f"{folder}{slash}{stem}{mark}{dot}{suffix}"
        if candidate.casefold() not in used:
            return candidate
        number += 1


def keep_both(merged: MergedTree, joins: Iterable[Join], label: str) -> MergedTree:
    """The result when the contents of these `joins` do not join: ours at its path, theirs set aside."""
    entries, conflicts, done = dict(merged.entries), list(merged.conflicts), set()
    used = {path.casefold() for path in entries}
    for join in joins:
        aside = _free_name(join.path, label, used)
        used.add(aside.casefold())
        done.add(join.path)
        entries[join.path], entries[aside] = join.ours, join.theirs
        conflicts.append(TreeConflict("changed", join.path, join.base, join.ours, join.theirs, aside))
    return MergedTree(
        dict(sorted(entries.items())),
        tuple(join for join in merged.joins if join.path not in done),
        tuple(sorted(conflicts, key=lambda conflict: (conflict.path, conflict.kind))),
    )


def resolve_tree(merged: MergedTree, path: str, choice: Choice) -> MergedTree:
    """Decide the conflicts at `path`; `both` leaves what stands there now.

    Raises:
        ConflictUnknown: there is none at that path.
    """
    chosen = [conflict for conflict in merged.conflicts if path in (conflict.path, conflict.aside)]
    if not chosen:
        raise ConflictUnknown(path, [conflict.path for conflict in merged.conflicts[:5]])
    entries = dict(merged.entries)
    for conflict in chosen:
        if choice != "both":
            _decide(entries, conflict, choice)
    left = tuple(conflict for conflict in merged.conflicts if conflict not in chosen)
    return MergedTree(dict(sorted(entries.items())), merged.joins, left)


def _decide(entries: dict[str, TreeEntry], conflict: TreeConflict, choice: Choice) -> None:
    sides = {"ours": conflict.ours, "theirs": conflict.theirs, "base": conflict.base}
    if conflict.kind == "renamed":
        if choice == "theirs" and conflict.aside not in entries and conflict.path in entries:
            entries[conflict.aside] = entries.pop(conflict.path)
        return
    if conflict.aside:
        entries.pop(conflict.aside, None)
    wanted = sides[choice]
    if wanted is not None:
        entries[conflict.path] = wanted
    else:
        entries.pop(conflict.path, None)


class _TreeMerge:
    def __init__(self, base: Entries, ours: Entries, theirs: Entries, labels: tuple[str, str]) -> None:
        self.base, self.ours, self.theirs = base, ours, theirs
        self.labels = labels
        self.to_ours, self.to_theirs = find_renames(base, ours), find_renames(base, theirs)
        self.entries: dict[str, TreeEntry] = {}
        self.joins: list[Join] = []
        self.conflicts: list[TreeConflict] = []
        self.owners: dict[str, int] = {}
        self.used: set[str] = set()

    def known(self, path: str) -> None:
        """A path of the common version: wherever each side has it now."""
        at_ours, at_theirs = self.to_ours.get(path, path), self.to_theirs.get(path, path)
        was, here, there = self.base[path], self.ours.get(at_ours), self.theirs.get(at_theirs)
        if here is None and there is None:
            return
        if here is None or there is None:
            self._kept(path, was, here, there)
            return
        target = at_theirs if at_ours == path else at_ours
        if path not in (at_ours, at_theirs) and at_ours != at_theirs:
            self.conflicts.append(TreeConflict("renamed", at_ours, was, here, there, at_theirs))
        self._join(target, was, here, there)

    def _kept(self, path: str, was: TreeEntry, here: TreeEntry | None, there: TreeEntry | None) -> None:
        """One side removed it: it goes, unless the other changed or renamed it."""
        mine = here is not None
        left = here if here is not None else there
        assert left is not None
        at = (self.to_ours if mine else self.to_theirs).get(path, path)
        if left == was and at == path:
            return
        self._put(at, left, owner=0 if mine else 1)
        if mine:
            self.conflicts.append(TreeConflict("removed_by_theirs", at, was, here, None))
        else:
            self.conflicts.append(TreeConflict("removed_by_ours", at, was, None, there))

    def _join(self, path: str, was: TreeEntry | None, here: TreeEntry, there: TreeEntry) -> None:
        if there in (was, here):
            self._put(path, here, owner=0)
        elif here == was:
            self._put(path, there, owner=1)
        elif here.kind == there.kind == "file":
            was = was if was is not None and was.kind == "file" else None
            executable = _either(was.executable if was else None, here.executable, there.executable)
            ids = (was.id if was else None, here.id, there.id)
            if ids[2] in (ids[0], ids[1]) or ids[1] == ids[0]:
                content = ids[1] if ids[2] in (ids[0], ids[1]) else ids[2]
                self._put(path, TreeEntry("file", content, executable), owner=0)
                return
            self._put(path, TreeEntry("file", here.id, executable), owner=0)
            self.joins.append(Join(path, was, self.entries[path], TreeEntry("file", there.id, executable)))
        else:
            self._put(path, here, owner=0)
            aside = self._aside(path, 1)
            self.conflicts.append(TreeConflict("changed", path, was, here, there, aside))
            self._put(aside, there, owner=1)

    def additions(self) -> None:
        """What a side has that the common version has under no name."""
        new_ours = self.ours.keys() - self.base.keys() - set(self.to_ours.values())
        new_theirs = self.theirs.keys() - self.base.keys() - set(self.to_theirs.values())
        for path in sorted(new_ours | new_theirs):
            here = self.ours[path] if path in new_ours else None
            there = self.theirs[path] if path in new_theirs else None
            if here is not None and there is not None:
                self._join(path, None, here, there)
            elif here is not None:
                self._put(path, here, owner=0)
            elif there is not None:
                self._put(path, there, owner=1)

    def _aside(self, path: str, owner: int) -> str:
        """A name that no side uses for anything."""
        if not self.used:
            every = (self.base, self.ours, self.theirs, self.entries)
            self.used = {name.casefold() for entries in every for name in entries}
        name = _free_name(path, self.labels[owner], self.used)
        self.used.add(name.casefold())
        return name

    def _put(self, path: str, entry: TreeEntry, *, owner: int) -> None:
        """Place an entry; what stands there already stays, and this one goes beside it."""
        standing = self.entries.get(path)
        if standing is None or standing == entry:
            self.entries[path] = entry
            self.owners[path] = owner
            return
        first, second = (standing, entry) if self.owners[path] <= owner else (entry, standing)
        self.entries[path] = first
        aside = self._aside(path, 1)
        self.entries[aside] = second
        self.owners[path], self.owners[aside] = 0, 1
        self.conflicts.append(TreeConflict("blocked", path, None, first, second, aside))

    def unblock(self) -> None:
        """A file and a folder of one name: the file goes aside. An empty folder that got something goes."""
        folders: set[str] = set()
        for path in self.entries:
            parts = path.split("/")
            folders.update("/".join(parts[:n]) for n in range(1, len(parts)))
        for path in sorted(folders & self.entries.keys()):
            entry = self.entries.pop(path)
            if entry.kind == "dir":
                continue
            owner = self.owners[path]
            aside = self._aside(path, owner)
            self.entries[aside] = entry
            mine, other = (entry, None) if owner == 0 else (None, entry)
            self.joins = [
                Join(aside, join.base, join.ours, join.theirs) if join.path == path else join for join in self.joins
            ]
            self.conflicts.append(TreeConflict("blocked", path, None, mine, other, aside))


def _either(was: bool | None, here: bool, there: bool) -> bool:
    """A flag that one side changed has the new value; added twice, it is set if either set it."""
    if was is None:
        return here or there
    return there if here == was else here


def find_renames(base: Entries, side: Entries) -> dict[str, str]:
    """Old path to new path of what a side only gave another name: the same kind and content.

    Among several files with one content, equal names in other folders go together first, then
    they pair in order.
    """
    gone: dict[tuple[Kind, str], list[str]] = {}
    for path in sorted(base.keys() - side.keys()):
        if base[path].kind != "dir":
            gone.setdefault((base[path].kind, base[path].id), []).append(path)
    come: dict[tuple[Kind, str], list[str]] = {}
    for path in sorted(side.keys() - base.keys()):
        key = (side[path].kind, side[path].id)
        if key in gone:
            come.setdefault(key, []).append(path)
    renames: dict[str, str] = {}
    for key, news in come.items():
        olds = gone[key]
        by_name = {_name(path): path for path in reversed(olds)}
        for new in list(news):
            old = by_name.pop(_name(new), None)
            if old is not None:
                renames[old] = new
                news.remove(new)
        renames |= dict(zip([old for old in olds if old not in renames], news, strict=False))
    return renames


def _name(path: str) -> str:
    return path.rpartition("/")[2]
