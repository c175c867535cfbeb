"""Where a project stands on its way through the studio: status, wizard step, stage, progress.

This half of the data model's ProjectState belongs to one machine and is no part of versions; the
other half is project.json (`documents.ProjectDocument`). Pure data and rules; the caller gives
the time and stores the record.

    InProgress ──▶ Completed, Failed, Cancelled ──▶ InProgress (resumed)
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aura_vcs.errors import InvalidTransition, InvalidValue, RecordCorrupt
from aura_vcs.project.documents import Stage, Status

WIZARD_STEPS = ("brief", "plan", "voice", "generate")
_FINAL: tuple[Status, ...] = ("Completed", "Failed", "Cancelled")


class RunState(msgspec.Struct, frozen=True, kw_only=True):
    """The machine's half of a project's state; times are UTC, RFC 3339."""

    status: Status = "InProgress"
    current_wizard_step: Annotated[int, Meta(ge=0, le=3)] = 0
    current_stage: Stage | None = None
    progress_percent: Annotated[float, Meta(ge=0, le=100)] = 0.0
    job_id: str | None = None
    error_message: str | None = None
    last_auto_save_at: str | None = None
    completed_at: str | None = None
    updated_at: str | None = None


def at_step(state: RunState, step: int | str, *, now: str) -> RunState:
    """The project at a wizard step, by number (0 to 3) or name.

    Raises:
        InvalidValue: there is no such step.
    """
    number = WIZARD_STEPS.index(step) if step in WIZARD_STEPS else step
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(WIZARD_STEPS):
        steps = ", ".join(f"{index} {name}" for index, name in enumerate(WIZARD_STEPS))
        raise InvalidValue("the project's state", "/current_wizard_step", f"{step!r} is no step", hint=steps)
    return msgspec.structs.replace(state, current_wizard_step=number, updated_at=now)


def at_work(state: RunState, stage: Stage, percent: float, *, now: str, job_id: str | None = None) -> RunState:
    """The project in a stage of its pipeline, so far done.

    Raises:
        InvalidTransition: it is not in progress; resume it first.
        InvalidValue: `percent` is not 0 to 100.
    """
    if state.status != "InProgress":
        raise InvalidTransition("The project", state.status, "InProgress", ("InProgress by resuming",))
    if not 0 <= percent <= 100:
        raise InvalidValue("the project's state", "/progress_percent", f"{percent} is not 0 to 100")
    return msgspec.structs.replace(
        state, current_stage=stage, progress_percent=percent, job_id=job_id or state.job_id, updated_at=now
    )


def ended(
    state: RunState, status: Literal["Completed", "Failed", "Cancelled"], *, now: str, error: str = ""
) -> RunState:
    """The project done, failed (with the error) or cancelled.

    Raises:
        InvalidTransition: it has ended before.
    """
    if state.status != "InProgress":
        raise InvalidTransition("The project", state.status, status, ("InProgress",))
    done = status == "Completed"
    return msgspec.structs.replace(
        state,
        status=status,
        progress_percent=100.0 if done else state.progress_percent,
        error_message=error or None,
        completed_at=now if done else None,
        job_id=None,
        updated_at=now,
    )


def resumed(state: RunState, *, now: str, job_id: str | None = None) -> RunState:
    """An ended project in progress again, at the stage where it stood.

    Raises:
        InvalidTransition: it is in progress.
    """
    if state.status not in _FINAL:
        raise InvalidTransition("The project", state.status, "InProgress", _FINAL)
    return msgspec.structs.replace(
        state, status="InProgress", error_message=None, completed_at=None, job_id=job_id, updated_at=now
    )


def encode_state(state: RunState) -> bytes:
    """The state as JSON, one field per line."""
    return msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n"


def decode_state(data: bytes, file: str) -> RunState:
    """The state that `file` holds.

    Raises:
        RecordCorrupt: it holds none.
    """
    try:
        return msgspec.json.decode(data, type=RunState)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordCorrupt(file, str(error)) from error
