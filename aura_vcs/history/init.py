"""Starting a project: a folder gets its `.aura` and, if it has none, a `project.json`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from aura_vcs.codec import decode_json
from aura_vcs.errors import InputError
from aura_vcs.errors.input import ProjectExists
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import new_uuid
from aura_vcs.plain_text import now, one_line
from aura_vcs.repository.find_project import project_storage
from aura_vcs.repository.format_file import is_project
from aura_vcs.repository.replicas import author_name
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.plain_files import open_below
from aura_vcs.worktree.checkout.create_file import create_file

PROJECT_FILE = "project.json"
TITLE_LIMIT = 500
_READ_LIMIT = 1 << 20


class InitResult(msgspec.Struct, frozen=True):
    """What a new project is called, and whether its `project.json` was written just now."""

    title: str | None
    wrote_document: bool


class _ProjectFields(msgspec.Struct):
    """What is read of a `project.json` that is there."""

    id: str = ""
    title: str | None = None


class _Document(msgspec.Struct):
    """A `project.json` as it begins."""

    id: str
    title: str
    created_at: str
    created_by: str


@contextmanager
def start_project(path: str, *, title: str | None = None, **options: Any) -> Iterator[tuple[Repository, InitResult]]:
    """Make the folder a project and open it; the folder is made if need be.

    An existing `project.json` is never changed: its id, if it is a UUID, becomes the project's.
    Without one, one is written with a new id and the title (without a title, the folder's name).
    Interrupted, it is not a project yet and can be started again. `options` are Repository's.

    Raises:
        ProjectExists: it is one already. InputError: the title is too long, or `path` is a file.
    """
    root = os.path.abspath(path)
    title = one_line(title) if title is not None else None
    if title is not None and len(title) > TITLE_LIMIT:
        raise InputError(f"The title has {len(title)} characters; {TITLE_LIMIT} is the limit")
    if os.path.lexists(root) and not os.path.isdir(root):
        raise InputError(f"{root} is not a folder")
    if is_project(root):
        raise ProjectExists(root)
    found = _existing(root)
    name = title or one_line(os.path.basename(root)) or "Untitled"
    wanted = _Document(new_uuid(), name, now(), author_name(options.get("author")))
    wrote = found is None and _write(root, wanted)
    document = wanted if wrote else found or _ProjectFields()
    with Repository.init(root, project=_uuid(document.id), **options) as repo:
        yield repo, InitResult(document.title, wrote)


def _write(root: str, document: _Document) -> bool:
    project_storage(root).make_folder("")
    data = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
    return create_file(root, PROJECT_FILE, data)


def _existing(root: str) -> _ProjectFields | None:
    """Read the folder's `project.json`; empty if it cannot be read, None if there is none."""
    if not os.path.lexists(os.path.join(root, PROJECT_FILE)):
        return None
    try:
        with open(open_below(root, PROJECT_FILE), "rb") as file:
            return decode_json(file.read(_READ_LIMIT), _ProjectFields)
    except (OSError, ValueError, RecursionError, IntegrityError):
        return _ProjectFields()


def _uuid(text: str) -> str | None:
    """Normalize an id to its usual spelling, None if it is none."""
    parts = text.strip().lower().split("-")
    hexadecimal = all(part and set(part) <= set("0123456789abcdef") for part in parts)
    return "-".join(parts) if hexadecimal and [len(p) for p in parts] == [8, 4, 4, 4, 12] else None
