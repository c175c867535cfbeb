"""A project as it stands in the database: the files that its folder gets, media by reference.

Old versions in the database hold documents only. Scenes, media and what the project is now come with one closing
version, which holds what this module makes.
"""

import os
import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.formats.jsondoc.values import MAX_DOCUMENT_BYTES
from aura_vcs.history.sources.content_source import unsafe_reason
from aura_vcs.project.documents.load import PROJECT_NAME, SCENES_FOLDER, TIMELINE_NAME
from aura_vcs.studio.database.cells import flag, identity, integer, long_text, number, raw, text, time
from aura_vcs.studio.database.database_file import DatabaseFile, Row
from aura_vcs.studio.database.media import MediaPlaces
from aura_vcs.studio.database.report import Losses
from aura_vcs.studio.database.translate import document, encoded

DOCUMENT_COLUMNS = {"brief": "briefjson", "plan": "planspecjson", "voice": "voicespecjson", "render": "renderspecjson"}
ACTIONS_NAME = "studio-actions.jsonl"
"""The studio's log of what was done to the project, a line each, as it was written there."""
_ID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_JOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
SCENE_STEP = 10
SLUG_LIMIT = 40


class PresentState(msgspec.Struct, frozen=True):
    """The files of the closing version; its media lie in `MediaPlaces.sources`."""

    files: dict[str, bytes]
    scenes: int


class ProjectTraces(msgspec.Struct, frozen=True):
    """What else says how a project stands.

    `jobs` are folders that may have one of the job's name; without a timeline there, the last version's stays.
    `actions` are those of the studio's log that touched the project.
    """

    jobs: Sequence[str]
    last_timeline: bytes | None
    actions: Sequence[Row]


def present_state(
    database: DatabaseFile,
    row: Row,
    places: MediaPlaces,
    losses: Losses,
    traces: ProjectTraces,
) -> PresentState:
    """Collect what the database and the folder of the project's job say of it now."""
    files: dict[str, bytes] = {}
    _collect_assets(database, row, places, losses)
    timeline = _job_timeline(row, places, losses, traces.jobs) or traces.last_timeline
    scenes = _scenes(database, row, places, losses, _headings(timeline))
    files |= scenes
    for kind, column in DOCUMENT_COLUMNS.items():
        content = raw(row, column)
        if content is not None:
            files[f"{kind}.json"] = taken_document(kind, content, places, losses, f"{kind} of {title_of(row)}")
    if timeline is not None:
        files[TIMELINE_NAME] = timeline
    files[PROJECT_NAME] = _project_document(row, places)
    if traces.actions:
        files[ACTIONS_NAME] = _action_lines(traces.actions)
    return PresentState(files, len(scenes))


def taken_document(kind: str, content: str, places: MediaPlaces, losses: Losses, what: str) -> bytes:
    """Translate a document; one that is not a JSON object is taken as it stands, and counted."""
    made = document(kind, content, places.path_of)
    if made is not None:
        return made
    losses.leave("documents", "no JSON object; taken as they stand", what)
    return content.encode("utf-8", "replace")


def title_of(row: Row) -> str:
    """Return a project's title, or what takes its place."""
    return text(row, "title") or "Untitled"


def tags_of(row: Row) -> list[str]:
    """Return tags, which the database has in one text with commas between them."""
    words = (text(row, "tags", 10_000) or "").split(",")
    return list(dict.fromkeys(word.strip()[:100] for word in words if word.strip()))


def slug(words: str, limit: int = SLUG_LIMIT) -> str:
    """Return words as a file name has them: small letters, digits and hyphens; empty if nothing is left."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:limit].strip("-")


def _project_document(row: Row, places: MediaPlaces) -> bytes:
    thumbnail, output = raw(row, "thumbnailpath"), raw(row, "outputfilepath")
    fields: dict[str, Any] = {
        "id": identity(row),
        "title": title_of(row),
        "description": long_text(row, "description"),
        "category": text(row, "category"),
        "tags": tags_of(row) or None,
        "template_id": text(row, "templateid"),
        "thumbnail_path": places.path_of(thumbnail) if thumbnail else None,
        "output_file_path": places.path_of(output)[:500] if output else None,
        "duration_seconds": number(row, "durationseconds"),
        "created_at": time(row, "createdat"),
        "updated_at": time(row, "updatedat"),
        "completed_at": time(row, "completedat"),
        "created_by": text(row, "createdby"),
        "modified_by": text(row, "modifiedby"),
    }
    return encoded({key: value for key, value in fields.items() if value is not None})


def _collect_assets(database: DatabaseFile, row: Row, places: MediaPlaces, losses: Losses) -> None:
    rows = sorted(database.rows("AssetStates", projectid=str(row.get("id"))), key=lambda one: str(one.get("filepath")))
    for one in rows:
        path = raw(one, "filepath")
        if path is None:
            losses.leave("assets", "they name no file", identity(one))
        elif flag(one, "istemporary"):
            losses.note("Temporary files of the studio were left where they are")
        else:
            places.place(path, text(one, "assettype"), integer(one, "filesizebytes"))


def _scenes(
    database: DatabaseFile, row: Row, places: MediaPlaces, losses: Losses, headings: dict[int, tuple[str, str]]
) -> dict[str, bytes]:
    """Make a file of every scene, in their order; gaps and doubles in the numbers go."""
    rows = sorted(
        database.rows("SceneStates", projectid=str(row.get("id"))),
        key=lambda one: (integer(one, "sceneindex") or 0, str(one.get("createdat")), str(one.get("id"))),
    )
    if [one.get("sceneindex") for one in rows] != list(range(len(rows))):
        losses.note(f"Scenes of {title_of(row)} were renumbered: their numbers had gaps or duplicates")
    found: dict[str, bytes] = {}
    for index, one in enumerate(rows):
        script = long_text(one, "scripttext", 100_000) or ""
        heading, said = headings.get(index, ("", ""))
        heading = heading if said.split() == script.split() else ""
        audio, image = raw(one, "audiofilepath"), raw(one, "imagefilepath")
        fields = {
            "id": identity(one),
            "index": index,
            "heading": heading or None,
            "script_text": script,
            "audio_file_path": (places.place(audio, "Audio") or audio) if audio else None,
            "image_file_path": (places.place(image, "Image") or image) if image else None,
            "duration_seconds": number(one, "durationseconds"),
            "created_at": time(one, "createdat"),
        }
        name = slug(heading) or slug(" ".join(script.split()[:5])) or "scene"
        found[f"{SCENES_FOLDER}/{(index + 1) * SCENE_STEP:03}-{name}.json"] = encoded(
            {key: value for key, value in fields.items() if value is not None}
        )
    return found


def _headings(timeline: bytes | None) -> dict[int, tuple[str, str]]:
    """Return the heading and script of every scene of a timeline, by its place."""
    found: dict[int, tuple[str, str]] = {}
    with suppress(AuraError):
        value = parse(timeline, TIMELINE_NAME).value() if timeline is not None else {}
        scenes = value.get("scenes") if isinstance(value, dict) else None
        for index, scene in enumerate(scenes if isinstance(scenes, list) else []):
            if isinstance(scene, dict) and isinstance(scene.get("heading"), str):
                found[index] = (" ".join(scene["heading"].split())[:500], str(scene.get("script", "")))
    return found


def job_of(row: Row) -> str | None:
    """Return the id of the project's job, if it can be the name of a folder."""
    job = text(row, "jobid")
    return job if job is not None and _JOB.fullmatch(job) and not unsafe_reason(job) else None


def _job_timeline(row: Row, places: MediaPlaces, losses: Losses, jobs: Sequence[str]) -> bytes | None:
    job = job_of(row)
    for folder in jobs if job is not None else ():
        path = os.path.join(folder, str(job), TIMELINE_NAME)
        if os.path.islink(path) or not os.path.isfile(path):
            continue
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_DOCUMENT_BYTES + 1)
        except OSError as error:
            losses.leave("timelines", error.strerror or str(error), path)
            continue
        if len(data) > MAX_DOCUMENT_BYTES:
            losses.leave("timelines", f"more than {MAX_DOCUMENT_BYTES:,} bytes", path)
            continue
        content = data.decode("utf-8-sig", "replace")
        return taken_document("timeline", content, places, losses, f"timeline of {title_of(row)}")
    return None


def actions_by_project(database: DatabaseFile, losses: Losses) -> dict[str, list[Row]]:
    """Return the actions of the log by the id of each project that they name among what they touch."""
    projects = {identity(row) for row in database.rows("ProjectStates")}
    found: dict[str, list[Row]] = {}
    for row in database.rows("ActionLogs"):
        named = {name.lower() for name in _ID.findall(str(row.get("affectedresourceids", "")))} & projects
        for name in named:
            found.setdefault(name, []).append(row)
        if not named:
            losses.leave("actions", "they touch none of the projects", text(row, "description") or identity(row))
    return found


def _action_lines(actions: Sequence[Row]) -> bytes:
    ordered = sorted(actions, key=lambda row: (str(row.get("timestamp")), str(row.get("id"))))
    return b"".join(encoded(action_fields(row), in_lines=False) for row in ordered)


_ACTION_FIELDS = {
    "id": "id", "userid": "user_id", "actiontype": "action_type", "description": "description",
    "timestamp": "timestamp", "status": "status", "affectedresourceids": "affected_resource_ids",
    "payloadjson": "payload", "inverseactiontype": "inverse_action_type", "inversepayloadjson": "inverse_payload",
    "canbatch": "can_batch", "ispersistent": "is_persistent", "undoneat": "undone_at", "undonebyuserid": "undone_by",
    "expiresat": "expires_at", "errormessage": "error_message", "correlationid": "correlation_id",
}  # fmt: skip


def action_fields(row: Row) -> dict[str, Any]:
    """Return an action as the log of the data model has it; payloads that are JSON as such."""
    fields: dict[str, Any] = {}
    for column, value in row.items():
        name = _ACTION_FIELDS.get(column, column)
        if value is None:
            continue
        if name in {"timestamp", "undone_at", "expires_at"}:
            value = time(row, column) or value  # noqa: PLW2901
        elif name in {"can_batch", "is_persistent"}:
            value = flag(row, column)  # noqa: PLW2901
        elif name in {"payload", "inverse_payload"} and isinstance(value, str):
            with suppress(AuraError):
                value = parse(value.encode("utf-8", "replace"), name).value()  # noqa: PLW2901
        elif isinstance(value, bytes):
            value = value.hex()  # noqa: PLW2901
        fields[name] = value
    return fields
