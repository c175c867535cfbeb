"""Changes of a project's documents, scenes and media as actions that undo takes back.

`expire_days` says after how many days undo no longer takes one back; 0 is never.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET

from aura_vcs.errors import InputError
from aura_vcs.errors.documents import InvalidValue
from aura_vcs.formats.jsondoc.parse import value_in
from aura_vcs.history.file_edits import EditResult, RemovedFiles, edit_files, remove_files
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.index.entities import AssetRow
from aura_vcs.plain_text import now
from aura_vcs.project.documents.assets import is_temporary
from aura_vcs.project.documents.folder_index import files_of, refresh_folder
from aura_vcs.project.documents.load import PROJECT_NAME
from aura_vcs.project.documents.models import ProjectDocument
from aura_vcs.project.documents.set_field import edit_document
from aura_vcs.project.scenes.scenes import FIELDS, SceneChanges, add_scene, move_scene, remove_scene, set_scene
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.undo_stack import expiry

AUTOMATIC = {
    "id": "A project keeps its id.",
    "created_at": "It says when the project was made.",
    "created_by": "It says who made the project.",
    "updated_at": "It follows from what is done to the project.",
    "modified_by": "It follows from what is done to the project.",
    "completed_at": "It follows from the status: `aura project set status=Completed`.",
    "deleted_at": "`aura project delete` hides the project.",
    "deleted_by": "`aura project delete` hides the project.",
    "last_auto_save_at": "It says when the last autosave was made.",
}
"""Fields of a project that nobody sets, and where they come from."""


class SceneChanged(msgspec.Struct, frozen=True):
    """What an edit did: the files it wrote and deleted, and what a person should know of it."""

    written: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def set_project(
    repo: Repository, values: Mapping[str, str], *, expire_days: float = 0, correlation_id: str | None = None
) -> SceneChanged:
    """Set fields of project.json (`title`, `tags` …) or of a document (`brief.tone`, `plan.pacing`).

    Text is read as the field has it: JSON where the field is not text; an empty value of an
    optional field is null; tags may stand between commas.

    Raises:
        UnknownField, InvalidValue, DocumentMalformed: nothing was changed.
    """
    source, files = FolderSource(repo.root), dict[str, bytes]()
    for name, text in values.items():
        file, pointer = _commit_edit(name)
        if file not in files:
            files[file] = _document(source, file)
        files[file] = _edited(files[file], file, pointer, text)
    return _edit(repo, files, (), "project.set", f"Set {', '.join(values)}", expire_days, correlation_id)


def change_scene(repo: Repository, name: str, values: Mapping[str, str], *, expire_days: float = 0) -> SceneChanged:
    """Set fields of a scene; see `scenes.set_scene`."""
    source = FolderSource(repo.root)
    made = set_scene(source, name, _scene_values(values))
    return _apply(repo, made, "scene.set", f"Set {', '.join(values)} of scene {name}", expire_days)


def new_scene(
    repo: Repository, values: Mapping[str, str], *, at: int | None = None, expire_days: float = 0
) -> SceneChanged:
    """Add a scene; see `scenes.add_scene`."""
    made = add_scene(FolderSource(repo.root), _scene_values(values), at=at, created_at=now())
    heading = values.get("heading") or "without a heading"
    return _apply(repo, made, "scene.add", f"Added scene {heading}", expire_days)


def drop_scene(repo: Repository, name: str, *, expire_days: float = 0) -> SceneChanged:
    """Remove a scene; its media stays; see `scenes.remove_scene`."""
    made = remove_scene(FolderSource(repo.root), name)
    return _apply(repo, made, "scene.remove", f"Removed scene {name}", expire_days)


def place_scene(repo: Repository, name: str, to: int, *, expire_days: float = 0) -> SceneChanged:
    """Move a scene to another index; see `scenes.move_scene`."""
    made = move_scene(FolderSource(repo.root), name, to)
    return _apply(repo, made, "scene.move", f"Moved scene {name} to {to}", expire_days)


def plan_cleaning(repo: Repository, *, older_than_seconds: float = 0, at: datetime | None = None) -> list[AssetRow]:
    """List the temporary media that cleaning would delete: those not written for so long.

    What a version takes in is not temporary, whatever it is called: .auraignore may take it back
    (`!temp/`), and what is versioned stays so.
    """
    cutoff = (at or datetime.now(UTC)) - timedelta(seconds=older_than_seconds)
    found = refresh_folder(repo).assets(temporary=True)
    old = [row for row in found if is_temporary(row.file_path) and datetime.fromisoformat(row.created_at) <= cutoff]
    if not old:
        return []
    scan = repo.worktree.scan(worktree_base(repo).tree)
    return [row for row in old if scan.file(row.file_path) is None]


def clean_temporary(repo: Repository, plan: Sequence[AssetRow], *, for_good: bool = False) -> RemovedFiles:
    """Delete the temporary media of a plan; returns what went. A file that was written since stays.

    What they hold is stored first, and undo brings them back; with `for_good` it is not, and nothing does.
    """
    recover(repo)
    entities = refresh_folder(repo)
    current = {row.file_path: row for row in entities.assets(temporary=True)}
    scan = repo.worktree.scan(worktree_base(repo).tree)
    to_delete = {
        row.file_path for row in plan if current.get(row.file_path) == row and scan.file(row.file_path) is None
    }
    if not for_good:
        count = len(to_delete)
        what = f"Deleted {count} temporary file{'s' if count != 1 else ''}"
        removed = remove_files(repo, sorted(to_delete), type_="asset.clean", description=what)
    else:
        with repo.locks.exclusive("worktree"):
            seen = [seen for seen in files_of(repo.root) if seen.path in to_delete]
            gone = [found for found in seen if repo.worktree.discard(found.path, found.size, found.mtime_ns)]
        paths = tuple(found.path for found in gone)
        left = tuple(sorted(to_delete.difference(paths)))
        removed = RemovedFiles(paths, sum(found.size for found in gone), left)
    refresh_folder(repo)
    return removed


def _apply(repo: Repository, made: SceneChanges, type_: str, description: str, expire_days: float) -> SceneChanged:
    done = _edit(repo, made.write, made.delete, type_, description, expire_days)
    return msgspec.structs.replace(done, notes=(*made.notes, *done.notes))


def _edit(
    repo: Repository,
    write: Mapping[str, bytes],
    delete: Sequence[str],
    type_: str,
    description: str,
    expire_days: float,
    correlation_id: str | None = None,
) -> SceneChanged:
    """Edit files as one action; what sets fields is batched with what set them a moment ago."""
    draft = Draft(
        type_, description[:500], can_batch=type_.endswith(".set"), expires_at=expiry(expire_days),
        correlation_id=correlation_id,
    )  # fmt: skip
    edited: EditResult | None = edit_files(repo, write, delete, draft=draft)
    if edited is None:
        return SceneChanged(notes=("Nothing is changed by that.",))
    notes = tuple(f"{path} was written by another program meanwhile and left as it is" for path in edited.skipped)
    return SceneChanged(tuple(sorted(write)), tuple(delete), notes)


def _commit_edit(name: str) -> tuple[str, str]:
    document, dot, rest = name.partition(".")
    field = rest if dot and document == "project" else name
    if field in AUTOMATIC:
        raise InvalidValue(PROJECT_NAME, f"/{field}", "it is set by itself and cannot be given", hint=AUTOMATIC[field])
    if dot and document in {"project", "brief", "plan", "voice", "render", "timeline"}:
        return f"{document}.json", "/" + rest.replace(".", "/")
    return PROJECT_NAME, f"/{name}"


def _document(source: FolderSource, file: str) -> bytes:
    """Read the document's bytes; an empty document where there is none yet."""
    if file not in source.names():
        return b"{}\n"
    with source.open(file) as stream:
        return stream.read()


def _edited(data: bytes, file: str, pointer: str, text: str) -> bytes:
    """Set the value that the text means in the document: as text, or as JSON where that does not fit."""
    for value in _meanings(file, pointer, text):
        try:
            return edit_document(data, file, pointer, value)
        except InvalidValue as error:
            problem = error
    raise problem


def _meanings(file: str, pointer: str, text: str) -> list[Any]:
    """List what a text on the command line may mean, likeliest first."""
    if file == PROJECT_NAME and pointer == "/tags" and not text.lstrip().startswith("["):
        return [[word.strip() for word in text.split(",") if word.strip()]]
    optional = file != PROJECT_NAME or getattr(ProjectDocument(), pointer[1:], None) is None
    if text == "" and optional:
        return [None, ""]
    parsed = value_in(text)
    if parsed is UNSET:
        return [text]
    return [text, parsed] if isinstance(parsed, str) else [parsed, text]


def _scene_values(values: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in values.items():
        if name == "duration_seconds":
            try:
                found[name] = float(text)
            except ValueError:
                found[name] = text
        elif name in FIELDS:
            found[name] = text if text or name in {"heading", "script_text"} else None
        else:
            raise InputError(f"A scene has no field {name!r} to set", hint=f"There is: {', '.join(FIELDS)}")
    return found
