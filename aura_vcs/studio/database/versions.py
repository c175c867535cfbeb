"""The versions that the database has of a project, and the one that closes them, as versions to be recorded.

A version's origin names its row, so that the next import knows it. Autosaves and restore points hang off the
version that they were made on, as they do here; the versions that somebody made, and the closing ones, are the line.
"""

import hashlib
from collections.abc import Collection, Mapping
from itertools import count
from typing import Any

import msgspec

from aura_vcs.codec import encode_tree
from aura_vcs.history.recording.past_versions import PastVersion
from aura_vcs.history.recording.tree_steps import change_tree
from aura_vcs.history.recording.version_builder import NAME_LIMIT
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import DOCUMENTS, ORIGIN, Entry, EntryKind, Kind, VersionType
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.trees import EMPTY_TREE, documents_of
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.database.cells import flag, identity, integer, long_text, raw, text, time
from aura_vcs.studio.database.database_file import DatabaseFile, Row
from aura_vcs.studio.database.media import MediaPlaces
from aura_vcs.studio.database.present import DOCUMENT_COLUMNS, taken_document, title_of
from aura_vcs.studio.database.report import Losses

PREFIX = "aura-studio "
"""What the origin of a version begins with that came from a database."""
VERSION_PREFIX = f"{PREFIX}version "
STATE_PREFIX = f"{PREFIX}state "
CLOSING_NAME = "As it is in the Aura studio"
_NUMBER = "aura-studio.number"
_HIGHEST = 10**9
_COLUMNS = {**DOCUMENT_COLUMNS, "timeline": "timelinejson"}
_TYPES = {
    "manual": VersionType.MANUAL,
    "autosave": VersionType.AUTOSAVE,
    "restorepoint": VersionType.RESTORE_POINT,
}


class VersionDocuments(msgspec.Struct, frozen=True):
    """A row of the database's versions and the documents that it holds, by kind."""

    row: Row
    documents: dict[str, bytes]

    @property
    def type(self) -> VersionType:
        """Why it was made."""
        return _TYPES.get((text(self.row, "versiontype") or "").lower(), VersionType.MANUAL)


def read_versions(
    database: DatabaseFile, project: Row, places: MediaPlaces, losses: Losses, known: Collection[str]
) -> list[VersionDocuments]:
    """Read the versions of a project that are not `known` (ids), in the order of their numbers."""
    rows = sorted(
        database.rows("ProjectVersions", projectid=str(project.get("id"))),
        key=lambda row: (integer(row, "versionnumber") or 0, str(row.get("createdat")), str(row.get("id"))),
    )
    reader = _ContentReader(database, losses)
    found = []
    for row in rows:
        if identity(row) in known:
            continue
        documents = {}
        for kind, column in _COLUMNS.items():
            what = f"{kind} of version {row.get('versionnumber')} of {title_of(project)}"
            content = reader.content(row, column, f"{kind}hash", what)
            if content is not None:
                documents[kind] = taken_document(kind, content, places, losses, what)
        found.append(VersionDocuments(row, documents))
    return found


class _ContentReader:
    """Reads documents of versions: from the row, or from the blob that it names by the hash of its text."""

    def __init__(self, database: DatabaseFile, losses: Losses) -> None:
        self._database, self._losses = database, losses

    def content(self, row: Row, column: str, hash_column: str, what: str) -> str | None:
        name = (text(row, hash_column) or "").lower()
        content = raw(row, column)
        if content is None and name:
            blob = next(self._database.rows("ContentBlobs", contenthash=name), None)
            content = raw(blob, "content") if blob is not None else None
            if content is None:
                self._losses.leave("documents", "their content is not in the database", what)
        if content is not None and name and hashlib.sha256(content.encode("utf-8", "replace")).hexdigest() != name:
            self._losses.leave("documents", "they do not hash to what the database says; taken as they stand", what)
        return content


class TreeMaker:
    """Stores files and makes trees of them, in a batch."""

    def __init__(self, repo: Repository, batch: Batch) -> None:
        self._repo, self._batch = repo, batch

    def entry(self, path: str, data: bytes) -> Entry:
        """Store a file's content, and return its entry."""
        return Entry("", EntryKind.FILE, self._batch.add(Kind.BLOB, data, path), len(data))

    def tree(self, entries: Mapping[str, Entry]) -> tuple[ObjectId, int, dict[str, ObjectId | None]]:
        """Make a tree of entries by path: its id, the size of its files, and its documents."""
        tree = change_tree(
            self._repo.trees, EMPTY_TREE_ID, entries, lambda data, path: self._batch.add(Kind.TREE, data, path)
        )  # fmt: skip
        if tree == EMPTY_TREE_ID:
            self._batch.add(Kind.TREE, encode_tree(EMPTY_TREE)[1], "")
            return tree, 0, dict.fromkeys(DOCUMENTS)
        found = self._repo.trees.tree(tree)
        return tree, found.size, documents_of(found)


def past_versions(
    maker: TreeMaker,
    found: list[VersionDocuments],
    tip: VersionId | None,
    taken: Collection[int],
    losses: Losses,
    title: str,
) -> tuple[list[PastVersion], int | VersionId | None]:
    """Return the versions to be recorded on top of `tip`, and what is the top then: the place of one of them, or `tip`.

    A number that a version here has already is not given again: such a version gets the next one.
    """
    made: list[PastVersion] = []
    top: int | VersionId | None = tip
    for item, number in zip(found, _numbers(found, taken, losses, title), strict=True):
        entries = {f"{kind}.json": maker.entry(f"{kind}.json", data) for kind, data in item.documents.items()}
        tree, size, documents = maker.tree(entries)
        made.append(_past_version(item, tree, size, documents, top, number))
        if item.type is VersionType.MANUAL:
            top = len(made) - 1
    return made, top


def _numbers(found: list[VersionDocuments], taken: Collection[int], losses: Losses, title: str) -> list[int]:
    """Return each version's own number; one that is none, or is taken, is a new one above all others."""
    used = set(taken)
    numbers: list[int | None] = []
    for item in found:
        number = integer(item.row, "versionnumber", lowest=1, highest=_HIGHEST)
        if number in used:
            losses.note(f"Version {number} of {title} got another number: a version here has it")
            number = None
        if number is not None:
            used.add(number)
        numbers.append(number)
    above = count(max(used, default=0) + 1)
    return [number if number is not None else next(above) for number in numbers]


def _past_version(
    item: VersionDocuments,
    tree: ObjectId,
    size: int,
    documents: dict[str, ObjectId | None],
    parent: int | VersionId | None,
    number: int,
) -> PastVersion:
    row = item.row
    description = long_text(row, "description") or ""
    name = text(row, "name", NAME_LIMIT)
    if name is None:
        name, _, description = description.partition("\n")
    extra: dict[str, Any] = {ORIGIN: VERSION_PREFIX + identity(row)}
    if number != row.get("versionnumber"):
        extra[_NUMBER] = str(row.get("versionnumber"))[:50]
    return PastVersion(
        tree=tree,
        size=size,
        documents=documents,
        parents=() if parent is None else (parent,),
        name=name,
        description=description,
        author=text(row, "createdbyuserid", 200) or text(row, "createdby", 200) or "",
        created_at=time(row, "createdat") or "1970-01-01T00:00:00.000000Z",
        branch="main",
        number=number,
        type=item.type,
        trigger=text(row, "trigger", 100),
        important=flag(row, "ismarkedimportant"),
        deleted_at=_deleted_at(row),
        deleted_by=_deleted_by(row),
        extra=extra,
    )


def _deleted_at(row: Row) -> str | None:
    if not flag(row, "isdeleted"):
        return None
    return time(row, "deletedat") or time(row, "updatedat") or time(row, "createdat") or "1970-01-01T00:00:00.000000Z"


def _deleted_by(row: Row) -> str | None:
    if not flag(row, "isdeleted"):
        return None
    return text(row, "deletedby", 200) or text(row, "deletedbyuserid", 200) or "(nobody)"


def closing_version(
    project: Row,
    tree: tuple[ObjectId, int, dict[str, ObjectId | None]],
    parent: int | VersionId | None,
    at: str,
) -> PastVersion:
    """Return the version that closes an import: the project as it stands in the database, scenes and media included."""
    tree_id, size, documents = tree
    return PastVersion(
        tree=tree_id,
        size=size,
        documents=documents,
        parents=() if parent is None else (parent,),
        name=CLOSING_NAME,
        description="Scenes, media and what else the studio's own versions do not hold",
        author=text(project, "modifiedby", 200) or text(project, "createdby", 200) or "",
        created_at=time(project, "updatedat") or time(project, "createdat") or at,
        branch="main",
        extra={ORIGIN: f"{STATE_PREFIX}{identity(project)} {at}"},
    )
