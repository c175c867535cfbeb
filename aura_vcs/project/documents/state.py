"""Where the making of a project stands: status, stage, wizard step, progress, job, error.

What the project *is* lies in project.json and is versioned. Status, stage and wizard step are of the
project on every machine: they lie among its settings (TRAVELLING) and travel with them. Progress,
job, error, the last autosave and whether a list shows the project are of this machine
(`local/state.json`). All together are the state of the project.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from aura_vcs.codec import convert
from aura_vcs.errors.documents import InvalidValue
from aura_vcs.errors.studio import ProjectDeleted
from aura_vcs.history.project_settings import note_fields, set_fields, value_of
from aura_vcs.layout import STATE
from aura_vcs.model import Field, Operation
from aura_vcs.plain_text import now
from aura_vcs.project.documents.models import STAGE_ALIASES, Stage, Status

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

STEPS = ("brief", "plan", "voice", "generate")
"""The steps of the wizard, counted from 0."""
MESSAGE_LIMIT = 4000
"""Characters of an error message that are kept."""


class ProjectState(msgspec.Struct, frozen=True):
    """The state of one project on this machine; `updated_at` is None where nothing was ever set."""

    status: Status = "InProgress"
    current_wizard_step: int = 0
    current_stage: Stage | None = None
    progress_percent: float = 0.0
    job_id: str | None = None
    error_message: str | None = None
    output_file_path: str | None = None
    last_auto_save_at: str | None = None
    completed_at: str | None = None
    deleted_at: str | None = None
    deleted_by: str | None = None
    updated_at: str | None = None
    modified_by: str | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether it is hidden from every list."""
        return self.deleted_at is not None


SETTABLE = ("status", "current_wizard_step", "current_stage", "progress_percent", "job_id", "error_message")
"""The fields that a person or a renderer sets; the others follow."""
TRAVELLING = ("status", "current_wizard_step", "current_stage", "completed_at")
"""What is so on every machine, under `project.<field>` among the project's settings."""
_PREFIX = "project."


def state_from(fields: Mapping[str, Field]) -> ProjectState:
    """Build the state from stored fields; a value that cannot be is passed over."""
    known = {name: field for name, field in fields.items() if name in ProjectState.__struct_fields__}
    newest = max(fields.values(), key=lambda field: field.updated_at, default=None)
    values = {name: field.value for name, field in known.items() if field.value is not None}
    for name in list(values):
        try:
            convert({name: values[name]}, ProjectState)
        except msgspec.ValidationError:
            del values[name]
    if newest is not None:
        values |= {"updated_at": newest.updated_at, "modified_by": newest.updated_by}
    return convert(values, ProjectState)


def merged_state(own: Mapping[str, Field], settings: Mapping[str, Field]) -> dict[str, Field]:
    """Merge this machine's fields with those that travel. An older program's among the first count until set."""
    shared = {name: settings[_PREFIX + name] for name in TRAVELLING if _PREFIX + name in settings}
    return {**own, **shared}


def project_state(repo: "Repository") -> ProjectState:
    """Read the state of the project's production."""
    return state_from(merged_state(repo.refs.state(), repo.refs.settings()))


def set_state(repo: "Repository", values: Mapping[str, Any], *, correlation_id: str | None = None) -> Operation | None:
    """Set fields of SETTABLE as one action that undo takes back; None if they were so already.

    `completed_at` follows the status, and the error goes when the status no longer is Failed.

    Raises:
        InvalidValue: a value that the field cannot have.
    """
    checked = check_state(values)
    said = ", ".join(f"no {name}" if value is None else f"{name} = {value}" for name, value in checked.items())[:200]
    rooms = _rooms(_following(repo, checked))
    return set_fields(repo, rooms, f"Set {said}", type_="project.state", correlation_id=correlation_id)


def note_autosave(repo: "Repository", at: str) -> None:
    """Remember when the last autosave was made."""
    note_fields(repo, {"state": {"last_auto_save_at": at}})


def note_output(repo: "Repository", path: str) -> None:
    """Remember the film that was exported last."""
    note_fields(repo, {"state": {"output_file_path": path}})


def _rooms(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Split the values by where they are stored: "settings" or "state"."""
    shared = {_PREFIX + name: value for name, value in values.items() if name in TRAVELLING}
    return {"settings": shared, "state": {name: value for name, value in values.items() if name not in TRAVELLING}}


def check_state(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check the values; return them as they are stored.

    Raises:
        InvalidValue: names the field and what it can have.
    """
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in SETTABLE:
            raise InvalidValue(STATE, f"/{name}", "there is no such field", hint=f"There is: {', '.join(SETTABLE)}")
        checked[name] = _checked(name, value)
    return checked


def _checked(name: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    if name == "current_wizard_step" and isinstance(value, str) and value.lower() in STEPS:
        return STEPS.index(value.lower())
    choices = {"status": Status, "current_stage": Stage}.get(name)
    if choices is not None:
        names: dict[str, str] = {choice.lower(): choice for choice in choices.__args__}  # type: ignore[attr-defined]
        found = names.get(str(value).lower())
        if found is None and name == "current_stage":
            found = STAGE_ALIASES.get(str(value).lower())
        if found is None:
            raise InvalidValue(STATE, f"/{name}", f"{value!r} is none of {', '.join(names.values())}")
        return found
    if name in {"current_wizard_step", "progress_percent"}:
        return _number(name, value)
    text = "".join(c for c in str(value) if c.isprintable() or c in "\n\t")
    return text[:MESSAGE_LIMIT]


def _number(name: str, value: Any) -> float | int:
    highest = 3 if name == "current_wizard_step" else 100
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = -1.0
    whole = name == "current_wizard_step"
    if not 0 <= number <= highest or (whole and number != int(number)):
        steps = f" ({', '.join(STEPS)})" if whole else ""
        raise InvalidValue(STATE, f"/{name}", f"it is a number from 0 to {highest}{steps}, not {value!r}")
    return int(number) if whole else number


def _following(repo: "Repository", values: dict[str, Any]) -> dict[str, Any]:
    """Add to the values those that follow from a new status."""
    status = values.get("status")
    if status is None:
        return values
    done = project_state(repo).completed_at or now()
    follow: dict[str, Any] = {"completed_at": done if status == "Completed" else None}
    if status != "Failed":
        follow["error_message"] = None
    if status == "Completed":
        follow["progress_percent"] = 100.0
    return {**follow, **values}


def delete_project(repo: "Repository") -> Operation:
    """Hide the project from every list; nothing of it is removed.

    Raises:
        ProjectDeleted: it is deleted already.
    """
    if project_state(repo).is_deleted:
        raise ProjectDeleted("The project is deleted already", hint="`aura project undelete` brings it back.")
    values = {"deleted_at": now(), "deleted_by": repo.author}
    done = set_fields(repo, {"state": values}, "Deleted the project", type_="project.delete")
    assert done is not None
    return done


def undelete_project(repo: "Repository") -> Operation:
    """Show a deleted project again.

    Raises:
        ProjectDeleted: it is not deleted.
    """
    if value_of(repo.refs.state().get("deleted_at")) is None:
        raise ProjectDeleted("The project is not deleted")
    values = {"deleted_at": None, "deleted_by": None}
    done = set_fields(repo, {"state": values}, "Brought the project back", type_="project.undelete")
    assert done is not None
    return done
