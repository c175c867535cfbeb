"""A film of its own made from another one: the same files, another identity.

A folder that is copied by hand stays the same project: the two exchange versions, and one id stands for both.
"""

import os
from contextlib import suppress

import msgspec

from aura_vcs.errors import AuraError, InputError
from aura_vcs.formats.jsondoc.edit import get, set_values
from aura_vcs.history.commit import commit
from aura_vcs.history.init import PROJECT_FILE, TITLE_LIMIT, start_project
from aura_vcs.history.names.revisions import resolve
from aura_vcs.ids import new_uuid
from aura_vcs.index.queries import describe
from aura_vcs.interchange.export_version import export_version
from aura_vcs.plain_text import now, one_line
from aura_vcs.project.duplicate_history import duplicate_history
from aura_vcs.repository.find_project import project_storage
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.checkout.create_file import create_file


class Duplicated(msgspec.Struct, frozen=True):
    """A new project: its folder, id, title, how many files it begins with, and what of the history it has.

    `versions` counts all; `branches` and `tags` are names.
    """

    path: str
    project: str
    title: str
    files: int
    versions: int = 1
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def duplicate(
    repo: Repository, folder: str, *, version: str | None = None, title: str | None = None, with_history: bool = True
) -> Duplicated:
    """Make a new project in `folder` with the files of a version, an id of its own and a last version that has both.

    Without a `version`, it goes on from HEAD and has all branches and tags; with one, what leads to that. Without
    `with_history`, there is one version. What is not committed, autosaves, restore points, notes and remotes stay with
    the original. Without a `title`, it is that of the original with "(copy)" behind it. Interrupted, a folder is left
    that has none of the branches, and may be removed.

    Raises:
        TargetExists: the folder is there. UnknownVersion, ObjectPurged. InputError: the title is too long.
    """
    record = resolve(repo, version or "HEAD")
    entry = repo.trees.entry(record.tree, PROJECT_FILE)
    document = repo.store.read(entry.id) if entry is not None else b"{}"
    old = _title(document) or os.path.basename(repo.root)
    name = one_line(title or "").strip() or f"{old} (copy)"
    if len(name) > TITLE_LIMIT:
        raise InputError(f"The title has {len(name)} characters; {TITLE_LIMIT} is the limit")
    values = {"/id": new_uuid(), "/title": name, "/created_at": now(), "/created_by": repo.author}
    try:
        changed = set_values(document, values, name=PROJECT_FILE)
    except AuraError as error:
        raise InputError(f"{PROJECT_FILE} of that version cannot be changed: {error.message}") from error
    names = [entry.name for entry in repo.trees.tree(record.tree).entries if entry.name != PROJECT_FILE]
    written = export_version(repo, record.id, folder, names) if names else None
    root = os.path.abspath(folder)
    project_storage(root).make_folder("")
    create_file(root, PROJECT_FILE, changed)
    with start_project(root, author=repo.author) as (made, _):
        done = duplicate_history(repo, made, record, alone=version is not None) if with_history else None
        commit(made, f"Duplicated from {old}, {describe(repo.queries, record.id)}")
        files = 1 + (written.files if written is not None else 0)
        project = made.format.project
        if done is None:
            return Duplicated(root, project, name, files)
        return Duplicated(root, project, name, files, done.versions + 1, done.branches, done.tags)


def _title(document: bytes) -> str:
    with suppress(AuraError):
        found = get(document, "/title", name=PROJECT_FILE)
        return found if isinstance(found, str) else ""
    return ""
