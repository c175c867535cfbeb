"""Import of copies that somebody kept in a folder: each becomes a version with its date, in the order of a plan.

A version's origin has its source and its content, so that the next import takes only what is new. Interrupted,
versions that were recorded stay; the next import goes on behind them, and brings the branch to them.
"""

import os

import msgspec

from aura_vcs.codec import EXTRA_LIMIT, encode_tree
from aura_vcs.history.names.follow_branch import follow_branch
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.past_versions import PastVersion, record_past_versions
from aura_vcs.history.recording.tree_steps import change_tree
from aura_vcs.ids import ObjectId, VersionId, new_operation_id
from aura_vcs.interchange.copied_files import store_file, store_folder, store_zip, without_files_for_folders
from aura_vcs.interchange.folder_plan import FolderPlan, PlannedCopy
from aura_vcs.interchange.git_import import LEFT_LIMIT
from aura_vcs.interchange.git_refs import LeftOut
from aura_vcs.interchange.imported_branch import put_in_place
from aura_vcs.model import DEFAULT_BRANCH, DOCUMENTS, ORIGIN, Entry, Kind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.batch import WORLD_READABLE, Batch
from aura_vcs.objects.trees import EMPTY_TREE, documents_of
from aura_vcs.plain_text import readable_name
from aura_vcs.repository.repository import Repository

PREFIX = "folder "
"""What the origin of a version begins with that was a copy in a folder."""
BESIDE = "copies"
"""The branch that gets what came where `main` went on here meanwhile."""


class FolderImported(msgspec.Struct, frozen=True):
    """What an import did. `versions` are new here, `known` had come before; `same` had nothing else than the last."""

    folder: str
    versions: int
    known: int
    same: int
    branch: str | None
    left: tuple[LeftOut, ...] = ()
    left_count: int = 0


def import_folder(repo: Repository, plan: FolderPlan) -> FolderImported:
    """Make a version of every copy that the plan names, with its date and name.

    Of a folder or ZIP the version has all files; of a single file it has the files of the one before, and this one
    under the path that the plan says. A copy with nothing else than the one before makes none. Without versions
    before, they are `main`; else they go on where the last import ended, on a branch beside it if `main` went on.
    A copy that belongs between two that came before gets a branch beside it too: those two stay as they are.
    One undo takes the branch back, and importing again brings it here again. What cannot be taken is told.
    """
    recover(repo)
    follow_branch(repo)
    return _FolderImport(repo, plan).run()


class _FolderImport:
    def __init__(self, repo: Repository, plan: FolderPlan) -> None:
        self._repo, self._plan = repo, plan
        self._left: list[LeftOut] = []
        self._left_count = 0
        self._entries: dict[str, Entry] = {}
        self._ends: list[VersionId] = []
        self._made: set[VersionId] = set()
        self._together = new_operation_id()
        for name in plan.left:
            self._leave(name, "it is neither a folder nor a file")

    def _leave(self, what: str, reason: str) -> None:
        self._left_count += 1
        if len(self._left) < LEFT_LIMIT:
            self._left.append(LeftOut(what, reason))

    def run(self) -> FolderImported:
        repo, plan = self._repo, self._plan
        known, same, made = 0, 0, 0
        top, tree = self._last()
        origins = repo.queries.origins(PREFIX)
        repo.progress.start("Importing copies", len(plan.versions), "copies")
        for copy in plan.versions:
            done, now = self._take(copy, top, tree, origins)
            repo.progress.advance(1)
            if done == "known":
                known += 1
            elif done == "same":
                same += 1
            elif now is not None:
                made += 1
                self._made.add(now[0])
            if now is not None:
                top, tree = now
                self._ends_at(top)
        repo.progress.finish()
        return FolderImported(
            readable_name(plan.folder), made, known, same, self._put_in_place(), tuple(self._left), self._left_count
        )  # fmt: skip

    def _put_in_place(self) -> str | None:
        """Bring branches to where the copies end; returns that of what is new, one beside `main` before `main`."""
        said = f"copies from {readable_name(self._plan.folder)}"
        names = {end: put_in_place(self._repo, end, BESIDE, said) for end in self._ends}
        shown = [name for end, name in names.items() if end in self._made] or list(names.values())
        return next((name for name in shown if name != DEFAULT_BRANCH), shown[0] if shown else None)

    def _ends_at(self, version: VersionId) -> None:
        """Note that a branch is to lead to a version, and to none any more that leads to it."""
        is_ancestor = self._repo.queries.is_ancestor
        self._ends = [end for end in self._ends if not is_ancestor(end, version)]
        if not any(is_ancestor(version, end) for end in self._ends):
            self._ends.append(version)

    def _last(self) -> tuple[VersionId | None, ObjectId | None]:
        """Return the newest version that an import like this made, and its tree."""
        found = [self._repo.queries.version(one) for one in self._repo.queries.origins(PREFIX).values()]
        newest = max((one for one in found if one is not None), key=lambda one: one.number, default=None)
        return (newest.id, newest.tree) if newest is not None else (None, None)

    def _take(
        self, copy: PlannedCopy, top: VersionId | None, before: ObjectId | None, origins: dict[str, VersionId]
    ) -> tuple[str, tuple[VersionId, ObjectId] | None]:
        """Store a copy, and record its version; says what became of it, and what is the top now."""
        repo = self._repo
        with repo.locks.shared("objects"), repo.store.batch(repo.progress) as batch:
            entries = self._stored(batch, copy)
            if entries is None:
                return "left", None
            kept = self._entries if copy.kind == "file" else {}
            self._entries = without_files_for_folders({**kept, **entries}, self._leave)
            if repo.storage.is_shared:
                batch.read_by(WORLD_READABLE)  # trees are for everybody who works here
            tree, size, documents = _tree(repo, batch, self._entries)
            origin = f"{PREFIX}{tree} {readable_name(copy.source)}"[: EXTRA_LIMIT // 2]
            if origin in origins:
                return "known", (origins[origin], tree)
            if tree == before:
                return "same", None
            stored = batch.finish()
            past = PastVersion(
                tree=tree,
                size=size,
                documents=documents,
                parents=(top,) if top is not None else (),
                name=copy.name,
                description="",
                author=repo.author,
                created_at=copy.date,
                branch="main",
                extra={ORIGIN: origin},
            )
            said = f"Imported {readable_name(copy.source)}"
            made = record_past_versions(
                repo, [past], stored, batch.chunks, description=said, correlation_id=self._together
            )  # fmt: skip
        return "made", (made[0], tree)

    def _stored(self, batch: Batch, copy: PlannedCopy) -> dict[str, Entry] | None:
        path = os.path.join(self._plan.folder, copy.source)
        if os.path.islink(path) or not os.path.exists(path):
            self._leave(readable_name(copy.source), "it is not there, or it is a link")
            return None
        if copy.kind == "folder":
            left = self._left_count
            entries = store_folder(batch, path, self._leave)
            return None if not entries and self._left_count > left else entries
        if copy.kind == "zip":
            return store_zip(batch, path, self._leave) or None
        entry = store_file(batch, path, copy.path, self._leave)
        return None if entry is None else {copy.path: entry}


def _tree(
    repo: Repository, batch: Batch, entries: dict[str, Entry]
) -> tuple[ObjectId, int, dict[str, ObjectId | None]]:
    tree = change_tree(repo.trees, EMPTY_TREE_ID, entries, lambda data, path: batch.add(Kind.TREE, data, path))
    if tree == EMPTY_TREE_ID:
        batch.add(Kind.TREE, encode_tree(EMPTY_TREE)[1], "")
        return tree, 0, dict.fromkeys(DOCUMENTS)
    found = repo.trees.tree(tree)
    return tree, found.size, documents_of(found)
