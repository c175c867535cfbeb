"""Joining two versions of a whole project: which files come from which side.

Only names, kinds and ids are looked at. Files whose content both sides changed are handed back
as `ContentMerge`s; whoever has the bytes calls `merge_file` on each, and where that cannot join them,
`keep_both` puts their copy beside ours. Nothing a side has is left out of the result unless
the other side removed it and this one had not touched it.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct, structs

from aura_vcs.compare.diff.likeness import ReadContent
from aura_vcs.compare.merge.conflict_names import free_name, taken_names
from aura_vcs.compare.merge.model import Choice, TreeEntry
from aura_vcs.compare.merge.renames import Entries, changed_renames, find_renames
from aura_vcs.compare.merge.renumbered_files import Identities, Renumbered, find_renumbered
from aura_vcs.errors.compare import ChoiceImpossible, ConflictUnknown
from aura_vcs.layout import fold_path


class ContentMerge(Struct, frozen=True):
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
    """The joined project, the files whose contents are still to be joined, and what is left to decide.

    `from_ours` and `from_theirs` say where a file is now that has another path on that side.
    """

    entries: dict[str, TreeEntry]
    content_merges: tuple[ContentMerge, ...] = ()
    conflicts: tuple[TreeConflict, ...] = ()
    from_ours: dict[str, str] = {}
    from_theirs: dict[str, str] = {}


def merge_tree(
    base: Entries,
    ours: Entries,
    theirs: Entries,
    *,
    ours_label: str = "ours",
    theirs_label: str = "theirs",
    read: ReadContent | None = None,
) -> MergedTree:
    """Join two changed versions of a project by path; renames are recognised by equal content.

    Labels say where a side comes from ("v14 from laptop") in the names of what is set aside.
    With `read`, a file that one side renamed and changed at once is recognised too, where the
    other changed it as well. One-sided changes always land; the time is linear in the number of
    paths.
    """
    merge = _TreeMerge(base, ours, theirs, (ours_label, theirs_label), read)
    for path in sorted(base):
        merge.known(path)
    merge.additions()
    merge.tell_apart()
    merge.unblock()
    return MergedTree(
        dict(sorted(merge.entries.items())),
        tuple(sorted(merge.joins, key=lambda join: join.path)),
        tuple(sorted(merge.conflicts, key=lambda conflict: (conflict.path, conflict.kind))),
        *merge.moved,
    )


def keep_both(merged: MergedTree, joins: Iterable[ContentMerge], label: str) -> MergedTree:
    """Return the result when the contents of these `joins` do not join: ours at its path, theirs set aside."""
    apart = tuple(joins)
    if not apart:
        return merged
    entries, conflicts, done = dict(merged.entries), list(merged.conflicts), set()
    used = taken_names(entries)
    for join in apart:
        aside = free_name(join.path, label, used)
        used.add(fold_path(aside))
        done.add(join.path)
        entries[join.path], entries[aside] = join.ours, join.theirs
        conflicts.append(TreeConflict("changed", join.path, join.base, join.ours, join.theirs, aside))
    return structs.replace(
        merged,
        entries=dict(sorted(entries.items())),
        content_merges=tuple(join for join in merged.content_merges if join.path not in done),
        conflicts=tuple(sorted(conflicts, key=lambda conflict: (conflict.path, conflict.kind))),
    )


def resolve_tree(merged: MergedTree, path: str, choice: Choice) -> MergedTree:
    """Decide the conflicts at `path`; `both` leaves what stands there now.

    Raises:
        ConflictUnknown: there is none at that path.
        ChoiceImpossible: `base` where the sides met under one name.
    """
    chosen = [conflict for conflict in merged.conflicts if path in (conflict.path, conflict.aside)]
    if not chosen:
        raise ConflictUnknown(path, [conflict.path for conflict in merged.conflicts[:5]])
    entries = dict(merged.entries)
    for conflict in chosen:
        if choice != "both":
            _decide(entries, conflict, choice)
    left = tuple(conflict for conflict in merged.conflicts if conflict not in chosen)
    return structs.replace(merged, entries=dict(sorted(entries.items())), conflicts=left)


def _decide(entries: dict[str, TreeEntry], conflict: TreeConflict, choice: Choice) -> None:
    sides = {"ours": conflict.ours, "theirs": conflict.theirs, "base": conflict.base}
    if conflict.kind == "renamed":
        if choice == "theirs" and conflict.aside not in entries and conflict.path in entries:
            entries[conflict.aside] = entries.pop(conflict.path)
        return
    if conflict.kind == "blocked" and choice == "base" and conflict.base is None:
        hint = "Choose --ours, --theirs or --both."
        raise ChoiceImpossible(conflict.path, choice, "before both there was neither", hint=hint)
    if conflict.aside:
        entries.pop(conflict.aside, None)
    wanted = sides[choice]
    if wanted is None and conflict.kind == "blocked":
        return  # that side has the folder that stands there
    if wanted is not None:
        for below in [path for path in entries if path.startswith(f"{conflict.path}/")]:
            del entries[below]
        entries[conflict.path] = wanted
    else:
        entries.pop(conflict.path, None)


class _TreeMerge:
    def __init__(
        self, base: Entries, ours: Entries, theirs: Entries, labels: tuple[str, str], read: ReadContent | None
    ) -> None:
        self.base, self.ours, self.theirs = base, ours, theirs
        self.labels = labels
        certain = find_renames(base, ours), find_renames(base, theirs)
        self.to_ours, self.to_theirs = certain
        if read is not None:
            self.to_ours = certain[0] | changed_renames(base, ours, theirs, certain, read)
            self.to_theirs = certain[1] | changed_renames(base, theirs, ours, certain[::-1], read)
        self.identities = Identities(read) if read is not None else None
        self.replaced = frozenset[str](), frozenset[str]()
        if read is not None:
            self._renumber(
                find_renumbered(base, ours, theirs, self.to_ours, read),
                find_renumbered(base, theirs, ours, self.to_theirs, read),
            )
        self.entries: dict[str, TreeEntry] = {}
        self.joins: list[ContentMerge] = []
        self.conflicts: list[TreeConflict] = []
        self.owners: dict[str, int] = {}
        self.moved: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self.used: set[str] = set()

    def _renumber(self, ours: Renumbered, theirs: Renumbered) -> None:
        """Rename documents by their ids, whatever else two names had in common."""
        for renames, found in ((self.to_ours, ours), (self.to_theirs, theirs)):
            taken = set(found.moved.values())
            for path in [old for old, new in renames.items() if new in taken and old not in found.moved]:
                del renames[path]
            renames.update(found.moved)
        self.replaced = ours.replaced, theirs.replaced

    def known(self, path: str) -> None:
        """Merge a path of the common version, wherever each side has it now."""
        at_ours, at_theirs = self.to_ours.get(path, path), self.to_theirs.get(path, path)
        was = self.base[path]
        here = None if path in self.replaced[0] else self.ours.get(at_ours)
        there = None if path in self.replaced[1] else self.theirs.get(at_theirs)
        if here is None and there is None:
            return
        if here is None or there is None:
            self._keep_one(path, was, here, there)
            return
        target = at_theirs if at_ours == path else at_ours
        if path not in (at_ours, at_theirs) and at_ours != at_theirs:
            self.conflicts.append(TreeConflict("renamed", at_ours, was, here, there, at_theirs))
        for owner, at in enumerate((at_ours, at_theirs)):
            if at != target:
                self.moved[owner][at] = target
        self._merge_content(target, was, here, there)

    def _keep_one(self, path: str, was: TreeEntry, here: TreeEntry | None, there: TreeEntry | None) -> None:
        """Remove what one side removed, unless the other changed or renamed it."""
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

    def _merge_content(self, path: str, was: TreeEntry | None, here: TreeEntry, there: TreeEntry) -> None:
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
            self.joins.append(ContentMerge(path, was, self.entries[path], TreeEntry("file", there.id, executable)))
        else:
            self._put(path, here, owner=0)
            aside = self._aside(path, 1)
            self.conflicts.append(TreeConflict("changed", path, was, here, there, aside))
            self._put(aside, there, owner=1)

    def additions(self) -> None:
        """Add what a side has that the common version has under no name."""
        new_ours = self._new(self.ours, self.to_ours, self.replaced[0])
        new_theirs = self._new(self.theirs, self.to_theirs, self.replaced[1])
        for mine, other in self._twins(new_ours, new_theirs):
            new_theirs.remove(other)
            new_ours.remove(mine)
            here, there = self.ours[mine], self.theirs[other]
            if mine != other:
                self.conflicts.append(TreeConflict("renamed", mine, None, here, there, other))
                self.moved[1][other] = mine
            self._merge_content(mine, None, here, there)
        for path in sorted(new_ours | new_theirs):
            found_here = self.ours[path] if path in new_ours else None
            found_there = self.theirs[path] if path in new_theirs else None
            if found_here is not None and found_there is not None:
                self._merge_content(path, None, found_here, found_there)
            elif found_here is not None:
                self._put(path, found_here, owner=0)
            elif found_there is not None:
                self._put(path, found_there, owner=1)

    def _new(self, side: Entries, renames: Mapping[str, str], replaced: frozenset[str]) -> set[str]:
        """Return the paths of a side at which nothing of the common version lies."""
        known = {renames.get(path, path) for path in self.base.keys() - replaced}
        return set(side.keys() - known)

    def _twins(self, ours: set[str], theirs: set[str]) -> list[tuple[str, str]]:
        """Pair documents that both added under one id, as paths; each once."""
        if self.identities is None or not ours or not theirs:
            return []
        named: dict[object, list[str]] = {}
        for path in sorted(theirs):
            named.setdefault(self.identities.of(path, self.theirs[path]), []).append(path)
        pairs = []
        for path in sorted(ours):
            name = self.identities.of(path, self.ours[path])
            places = named.get(name, []) if name is not None else []
            if places:
                pairs.append((path, places.pop(places.index(path) if path in places else 0)))
        return pairs

    def _aside(self, path: str, owner: int) -> str:
        """Make a name that no side uses for anything."""
        if not self.used:
            every = (self.base, self.ours, self.theirs, self.entries)
            self.used = taken_names(name for entries in every for name in entries)
        name = free_name(path, self.labels[owner], self.used)
        self.used.add(fold_path(name))
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

    def tell_apart(self) -> None:
        """Separate names of the two sides that some disks take for one: theirs goes aside, or is ours if equal."""
        groups: dict[str, list[str]] = {}
        for path in self.entries:
            groups.setdefault(fold_path(path), []).append(path)
        for paths in groups.values():
            mine = [path for path in sorted(paths) if path in self.ours]
            others = [path for path in sorted(paths) if path in self.theirs and path not in self.ours]
            if not mine or not others or all(path in self.theirs for path in mine):
                continue
            for path in others:
                self._set_apart(mine[0], path)

    def _set_apart(self, ours: str, theirs: str) -> None:
        entry = self.entries.pop(theirs)
        if entry == self.entries[ours] and all(join.path != theirs for join in self.joins):
            return
        aside = self._aside(ours, 1)
        self._merge_renamed(theirs, aside, 1)
        self.entries[aside], self.owners[aside] = entry, 1
        self.conflicts.append(TreeConflict("blocked", ours, None, self.entries[ours], entry, aside))

    def _merge_renamed(self, path: str, aside: str, owner: int) -> None:
        """Move what is still to be joined or decided at a path to another one."""
        moved = self.moved[owner]
        moved.update({at: aside for at, target in moved.items() if target == path}, **{path: aside})
        self.joins = [structs.replace(join, path=aside) if join.path == path else join for join in self.joins]
        self.conflicts = [
            structs.replace(conflict, path=aside) if conflict.path == path and not conflict.aside else conflict
            for conflict in self.conflicts
        ]

    def unblock(self) -> None:
        """Set a file aside that has the name of a folder, and drop an empty folder that got something."""
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
            was = self._finish(path)
            self._merge_renamed(path, aside, owner)
            self.conflicts.append(TreeConflict("blocked", path, was, mine, other, aside))

    def _finish(self, path: str) -> TreeEntry | None:
        """Drop the question whether a file goes that a folder took the name of; returns what it was before both."""
        asked = [c for c in self.conflicts if c.path == path and c.kind in ("removed_by_ours", "removed_by_theirs")]
        self.conflicts = [conflict for conflict in self.conflicts if conflict not in asked]
        return asked[0].base if asked else None


def _either(was: bool | None, here: bool, there: bool) -> bool:
    """Merge a flag: one that one side changed has the new value; added twice, it is set if either set it."""
    if was is None:
        return here or there
    return there if here == was else here
