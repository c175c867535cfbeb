"""Words in the folder's documents and in those of every version.

Documents of versions are entered into the index when somebody searches, each content once: commits
and the building of an index are no slower for it. docs/decisions/full-text-index.md says why.
"""

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.full_text import Script, SearchHit, WordTable
from aura_vcs.model import Entry, EntryKind
from aura_vcs.plain_text import as_text
from aura_vcs.project.documents.folder_index import refresh_folder, view_of
from aura_vcs.project.documents.load import PROJECT_NAME, SCENES_FOLDER, is_scene_file
from aura_vcs.project.documents.models import ProjectDocument, SceneDocument
from aura_vcs.repository.repository import Repository

DOCUMENT_BYTES = 256 << 10
"""A larger document of an old version is not searched."""
BATCH = 200
"""Versions that are entered in one transaction."""


def search(repo: Repository, text: str, limit: int = 50) -> list[SearchHit]:
    """Find where all the words occur (each may go on): first in the folder and in what versions are called,
    then in scripts, names and descriptions that only older versions have.

    The first search reads the documents of all versions, later ones those of new versions. What only
    deleted or purged versions had is not found.
    """
    refresh_folder(repo)
    read_versions(repo)
    words = WordTable(repo.index.database)
    found = words.search(text, limit)
    old = words.search_old(text, limit - len(found)) if len(found) < limit else []
    return found + [item for item in (_in_live_version(repo, hit) for hit in old) if item is not None]


def read_versions(repo: Repository) -> None:
    """Enter the words of versions that have not been read."""
    words = WordTable(repo.index.database)
    unread = words.unread()
    if len(unread) > BATCH:
        repo.progress.start("Reading scripts of versions", len(unread), "versions")
    seen: set[ObjectId] = set()
    for start in range(0, len(unread), BATCH):
        group = unread[start : start + BATCH]
        scripts: list[Script] = []
        read: list[VersionId] = []
        for version, tree in group:
            try:
                scripts += _new_scripts(repo, words, version, tree, seen)
            except AuraError:
                continue  # not here (yet), or damaged, which fsck says: tried again by the next search
            read.append(version)
        words.add(scripts, read)
        if len(unread) > BATCH:
            repo.progress.advance(len(group))
    if len(unread) > BATCH:
        repo.progress.finish()


def _new_scripts(
    repo: Repository, words: WordTable, version: VersionId, tree: ObjectId, seen: set[ObjectId]
) -> list[Script]:
    """Find the documents of a version that no version before it had; `seen` gathers them and whole folders."""
    folders, documents = _documents(repo, tree, seen)
    new = documents.keys() - seen - words.indexed(documents)
    found = [_script(blob, documents[blob], version, repo.store.read(blob)) for blob in sorted(new)]
    seen.update(folders, documents)
    return found


def _documents(repo: Repository, tree: ObjectId, seen: set[ObjectId]) -> tuple[list[ObjectId], dict[ObjectId, str]]:
    """Return the new scene folders, and scenes and project.json by their blobs; no scenes of folders in `seen`."""
    folders, documents = list[ObjectId](), dict[ObjectId, str]()
    for entry in repo.trees.tree(tree).entries:
        if entry.name == PROJECT_NAME and _is_searched(entry):
            documents[entry.id] = PROJECT_NAME
        if entry.name == SCENES_FOLDER and entry.kind is EntryKind.DIR and entry.id not in seen:
            folders.append(entry.id)
            for scene in repo.trees.tree(entry.id).entries:
                path = f"{SCENES_FOLDER}/{scene.name}"
                if is_scene_file(path) and _is_searched(scene):
                    documents[scene.id] = path
    return folders, documents


def _is_searched(entry: Entry) -> bool:
    return entry.kind is EntryKind.FILE and entry.size <= DOCUMENT_BYTES


def _script(blob: ObjectId, path: str, version: VersionId, data: bytes) -> Script:
    if path == PROJECT_NAME:
        project = view_of(data, path, ProjectDocument)
        return Script(blob, path, version, project.title, project.description, "")
    scene = view_of(data, path, SceneDocument)
    return Script(blob, as_text(path), version, scene.heading, "", scene.script_text)


def _in_live_version(repo: Repository, hit: SearchHit) -> SearchHit | None:
    """Return the hit with a version that is not deleted and has the document at that path; None if there is none."""
    assert hit.version is not None
    record = repo.queries.version(hit.version)
    if record is not None and record.is_live:
        return hit
    for version, tree in repo.queries.live_versions():
        entry = repo.trees.entry(tree, hit.path or "")
        if entry is not None and entry.id == hit.blob:
            return msgspec.structs.replace(hit, version=version)
    return None
