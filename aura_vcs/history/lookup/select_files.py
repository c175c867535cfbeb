"""Which content a person means by versions and paths, to offload it or to bring it back."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from aura_vcs.errors.input import UnknownName, UnknownVersion
from aura_vcs.history.names.revisions import resolve
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import EntryKind
from aura_vcs.objects.graph import TreeVisit, Walk, pass_over
from aura_vcs.plain_text import readable_name
from aura_vcs.repository.repository import Repository
from aura_vcs.suggestions import suggest
from aura_vcs.worktree.scan.selection import Selection

DOCUMENT_SUFFIXES = (".json", ".otio")
"""Documents are compared, searched and counted: they always stay here."""


class SelectedFile(msgspec.Struct, frozen=True):
    """A file of some version: its blob, a path it has had, its size in bytes."""

    id: ObjectId
    path: str
    size: int


class ChosenFiles(msgspec.Struct, frozen=True):
    """Live versions, and the paths in them that are meant; no paths: all. With `only`, none but these contents."""

    versions: tuple[VersionRecord, ...]
    paths: tuple[str, ...]
    only: frozenset[ObjectId] | None = None


def select_files(
    repo: Repository,
    names: Iterable[str],
    *,
    before: str | None = None,
    as_path: Callable[[str], str] = lambda name: name,
) -> ChosenFiles:
    """Resolve names to versions and paths: what is not a version is a path, relative to the project.

    Without a version among them, all live versions count; with `before`, those made before that time.

    Raises:
        UnknownName: a path that no chosen version has. AmbiguousVersion.
    """
    versions: dict[ObjectId, VersionRecord] = {}
    paths: list[str] = []
    for name in names:
        try:
            record = resolve(repo, name)
            versions[record.id] = record
        except UnknownVersion:
            paths.append(as_path(name))
    return select(repo, versions.values(), paths, before=before)


def select(
    repo: Repository, versions: Iterable[VersionRecord], paths: Iterable[str], *, before: str | None = None
) -> ChosenFiles:
    """Return the live ones of versions (of all, if none is named) and the paths that are meant in them.

    Raises:
        UnknownName: a path that none of them has.
    """
    wanted, paths = {record.id for record in versions}, tuple(paths)
    live = [record for record in repo.queries.all_versions(VersionFilter()) if record.is_live]
    chosen = [record for record in live if not wanted or record.id in wanted]
    if before is not None:
        chosen = [record for record in chosen if record.created_at < before]
    for path in paths:
        _check_path(repo, chosen, path)
    return ChosenFiles(tuple(chosen), paths)


def _check_path(repo: Repository, versions: Iterable[VersionRecord], path: str) -> None:
    known: set[str] = set()
    for record in versions:
        if repo.trees.entry(record.tree, path) is not None:
            return
        known.update(inner for inner, _ in repo.trees.walk(record.tree))
    raise UnknownName("version or path", path, suggest(path, known), hint="`aura log --all` lists the versions.")


def files_in(repo: Repository, trees: Iterable[ObjectId], paths: Iterable[str] = ()) -> Iterator[SelectedFile]:
    """Yield the files below trees, with `paths` only those; a folder that trees share at one place is opened once.

    Links are left out: they are a few bytes. What cannot be read is passed over.
    """
    selection = Selection(tuple(paths) or None)

    def selected(level: Sequence[TreeVisit]) -> list[TreeVisit]:
        names = [(step, step.path.removesuffix("/")) for step in level]
        return [step for step, name in names if not name or selection.covers(name) or selection.leads_into(name)]

    for folder in Walk(repo.graph, prune=selected, on_fault=pass_over, each_path=True).below(*map(TreeVisit, trees)):
        for path, entry in folder.files():
            if entry.kind is EntryKind.FILE and selection.covers(path):
                yield SelectedFile(entry.id, path, entry.size)


def is_document(path: str) -> bool:
    """Tell whether a file is one of the documents, which always stay."""
    return path.endswith(DOCUMENT_SUFFIXES)


def shown_path(path: str) -> str:
    """Format a path as records and messages have it."""
    return readable_name(path)
