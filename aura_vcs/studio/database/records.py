"""What stands beside the versions of a project: the state of its making, checkpoints, exports."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from aura_vcs.errors import AuraError
from aura_vcs.errors.documents import InvalidValue
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.history.project_settings import note_fields
from aura_vcs.plain_text import now
from aura_vcs.project.documents.state import check_state
from aura_vcs.project.records.checkpoints import RenderCheckpoint, stage_named
from aura_vcs.project.records.exports import MAX_MESSAGE, ExportRecord, ExportStatus
from aura_vcs.project.records.past_records import record_past_checkpoint, record_past_export
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.database.cells import flag, identity, integer, long_text, number, raw, text, time
from aura_vcs.studio.database.database_file import DatabaseFile, Row
from aura_vcs.studio.database.media import MediaPlaces
from aura_vcs.studio.database.present import job_of, title_of
from aura_vcs.studio.database.report import Losses

_STATUSES: dict[str, tuple[ExportStatus, str | None]] = {
    "queued": ("Failed", "The studio had not begun with it"),
    "processing": ("Failed", "The studio had not finished it"),
    "inprogress": ("Failed", "The studio had not finished it"),
    "completed": ("Completed", None),
    "failed": ("Failed", None),
    "cancelled": ("Failed", "Cancelled"),
}
"""What becomes of an export's status: nothing goes on here with what the studio had begun."""
_MAX_COUNT = 1_000_000


def note_state(repo: Repository, project: Row, losses: Losses) -> None:
    """Put where the making of a project stands in place, as its state on this machine and its travelling fields."""
    values: dict[str, Any] = {}
    for name, value in (
        ("status", text(project, "status")),
        ("current_stage", text(project, "currentstage")),
        ("current_wizard_step", integer(project, "currentwizardstep")),
        ("progress_percent", number(project, "progresspercent")),
        ("job_id", text(project, "jobid")),
        ("error_message", long_text(project, "errormessage")),
    ):
        try:
            values |= check_state({name: value}) if value is not None else {}
        except InvalidValue as error:
            losses.leave("state", error.message, title_of(project))
    values["completed_at"] = time(project, "completedat")
    travelling = {"status", "current_stage", "current_wizard_step", "completed_at"}
    own = {name: value for name, value in values.items() if name not in travelling}
    own["last_auto_save_at"] = time(project, "lastautosaveat")
    if flag(project, "isdeleted"):
        own["deleted_at"] = time(project, "deletedat") or now()
        own["deleted_by"] = text(project, "deletedby", 200) or text(project, "deletedbyuserid", 200) or "(nobody)"
    note_fields(
        repo,
        {
            "settings": {f"project.{name}": value for name, value in values.items() if name in travelling},
            "state": own,
        },
    )


def record_checkpoints(
    repo: Repository, database: DatabaseFile, project: Row, places: MediaPlaces, losses: Losses
) -> int:
    """Record the checkpoints of a project; returns how many are new."""
    made = 0
    rows = database.rows("RenderCheckpoints", projectid=str(project.get("id")))
    for row in sorted(rows, key=lambda one: str(one.get("checkpointtime"))):
        found = _checkpoint(repo, project, row, places, losses)
        if found is None:
            continue
        data, content = None, raw(row, "checkpointdata")
        if content is not None:
            try:
                data = parse(content.encode("utf-8", "replace"), "checkpoint").value()
            except AuraError:
                data = content
        try:
            made += record_past_checkpoint(repo, found, data)
        except AuraError as error:
            losses.leave("checkpoints", error.message, found.id)
    return made


def _checkpoint(
    repo: Repository, project: Row, row: Row, places: MediaPlaces, losses: Losses
) -> RenderCheckpoint | None:
    stage, at = text(row, "stagename") or "", time(row, "checkpointtime")
    try:
        name = stage_named(stage)
    except InvalidValue:
        losses.leave("checkpoints", f"there is no stage {stage!r} here", identity(row))
        return None
    if at is None:
        losses.leave("checkpoints", "they have no date", identity(row))
        return None
    output = raw(row, "outputfilepath")
    place = places.place(output) if output is not None else None
    if output is not None and place is None:
        losses.note("Outputs of checkpoints that are not found here are not named by them")
    total = integer(row, "totalscenes", highest=_MAX_COUNT) or 0
    return RenderCheckpoint(
        id=identity(row),
        project=repo.format.project,
        stage_name=name,
        checkpoint_time=at,
        completed_scenes=min(integer(row, "completedscenes", highest=_MAX_COUNT) or 0, total),
        total_scenes=total,
        output_file_path=place,
        is_valid=flag(row, "isvalid"),
        job_id=job_of(project),
        updated_at=at,
    )


def exports_by_project(database: DatabaseFile, losses: Losses) -> dict[str, list[Row]]:
    """Return the exports by the project whose film, or job, they were made from."""
    outputs: dict[str, str] = {}
    jobs: dict[str, str] = {}
    for row in database.rows("ProjectStates"):
        if (output := raw(row, "outputfilepath")) is not None:
            outputs[output] = identity(row)
        if (job := job_of(row)) is not None:
            jobs[job] = identity(row)
    found: dict[str, list[Row]] = {}
    for row in database.rows("export_history"):
        source = raw(row, "inputfile") or ""
        owner = outputs.get(source) or _by_job(source, jobs)
        if owner is None:
            losses.leave(
                "exports", "they were made from none of the projects", text(row, "outputfile") or identity(row)
            )
        else:
            found.setdefault(owner, []).append(row)
    return found


def _by_job(path: str, jobs: Mapping[str, str]) -> str | None:
    parts = path.replace("\\", "/").split("/")
    return next((jobs[part] for part in parts if part in jobs), None)


def record_exports(repo: Repository, rows: list[Row], losses: Losses) -> int:
    """Record exports; returns how many are new."""
    made = 0
    for row in rows:
        status = _STATUSES.get((text(row, "status") or "").lower())
        at = time(row, "createdat")
        if status is None or at is None:
            reason = "they have no date" if at is None else f"there is no status {text(row, 'status')!r} here"
            losses.leave("exports", reason, text(row, "outputfile") or identity(row))
            continue
        message = long_text(row, "errormessage", MAX_MESSAGE) or status[1]
        record = ExportRecord(
            id=identity(row),
            input_file=text(row, "inputfile", 4000) or "",
            output_file=text(row, "outputfile", 4000) or "",
            preset_name=text(row, "presetname", 200) or "",
            status=status[0],
            progress=100.0 if status[0] == "Completed" else number(row, "progress", highest=100) or 0.0,
            created_at=at,
            started_at=time(row, "startedat"),
            completed_at=time(row, "completedat"),
            error_message=message if status[0] == "Failed" else None,
            file_size=integer(row, "filesize"),
            duration_seconds=number(row, "durationseconds"),
            platform=text(row, "platform", 100),
            resolution=text(row, "resolution", 100),
            codec=text(row, "codec", 100),
        )
        with suppress(FileExistsError):
            made += record_past_export(repo, record)
    return made
