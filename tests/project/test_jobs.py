"""Checkpoints, export jobs and a project's run state keep their rules."""

from typing import Any

import msgspec
import pytest
from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors.documents import DocumentMalformed, ExportFailed, InvalidTransition, InvalidValue, ProjectError
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.project.records import checkpoints, exports
from aura_vcs.project.records.checkpoints import CheckpointRequest, RenderCheckpoint, create_checkpoint
from aura_vcs.project.records.exports import ExportRecord
from aura_vcs.project.render.job import ExportResult
from aura_vcs.project.render.presets import find_preset

NOON, LATER = "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z"
RESULT = ExportResult("/tmp/film.mp4", "Draft Preview", "Generic", 1234, 76.0, 2280, "1280x720", "libx264")


def _checkpoint(time: str = NOON, stage: str = "Render", done: int = 3, **more: Any) -> RenderCheckpoint:
    return create_checkpoint("p", CheckpointRequest(stage, time, done, 10, **more))


def test_a_checkpoint_survives_its_encoding() -> None:
    """Every field comes back, whatever JSON the renderer put into its data."""
    checkpoint = _checkpoint(data={"seed": 2**60, "done": ["a", None, {"ü": 1.5}]}, output_file_path="out.mp4")
    assert checkpoints.decode_checkpoint(msgspec.json.encode(checkpoint), "x") == checkpoint
    assert checkpoints.progress_percent(checkpoint) == 30.0
    assert checkpoints.progress_percent(msgspec.structs.replace(checkpoint, total_scenes=0)) == 100.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"stage": "Rendering"},
            "'Rendering' is not a stage; there are Script, TTS, Images",
        ),
        ({"done": 11}, "more than all 10 scenes"),
        ({"done": -1}, "counted from 0"),
        ({"time": "noon"}, "is not a time"),
        ({"data": {"x": object()}}, "it is not JSON"),
        ({"data": {"x": "\ud800"}}, "it is not JSON"),
    ],
)
def test_a_checkpoint_that_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    """Nothing that could not be read back is made."""
    with pytest.raises(InvalidValue, match=message):
        _checkpoint(**change)


def _queued() -> ExportRecord:
    return exports.queue_export("a" * 64, find_preset("draft"), "/tmp/film.mp4", now=NOON, export_id="export-1")


def test_an_export_runs_through_its_states() -> None:
    """Queued, at work, completed: with times, size, duration and codec at the end."""
    record = exports.started(_queued(), now=LATER)
    assert (record.status, record.started_at, record.progress) == ("InProgress", LATER, 0.0)
    record = exports.advanced(exports.advanced(record, 60), 40)
    assert record.progress == 60
    record = exports.completed(record, RESULT, now=LATER)
    assert (record.status, record.progress, record.file_size) == ("Completed", 100.0, 1234)
    assert (record.duration_seconds, record.resolution, record.codec) == (76.0, "1280x720", "libx264")
    assert decode_record(encode_record(record), ExportRecord, "x") == record


def test_a_failed_export_keeps_its_reason_and_can_be_retried() -> None:
    """The message names the scene; a retry forgets the failure but not the version."""
    error = ExportFailed("x.png does not exist", scene="Scene 3")
    record = exports.failed(exports.started(_queued(), now=NOON), error, now=LATER)
    assert (record.status, record.error_message) == ("Failed", "Scene 3: x.png does not exist")
    again = exports.retried(record, now=LATER)
    assert (again.status, again.error_message, again.input_file) == ("Queued", None, "a" * 64)
    assert len(exports.failed(_queued(), "x" * 9999, now=NOON).error_message or "") == 2000


def test_steps_that_an_export_cannot_take() -> None:
    """A finished job stays finished; the message says what it is and the hint what it could become."""
    done = exports.completed(exports.started(_queued(), now=NOON), RESULT, now=NOON)
    for step in (
        lambda: exports.started(done, now=NOON),
        lambda: exports.failed(done, "x", now=NOON),
        lambda: exports.retried(_queued(), now=NOON),
        lambda: exports.completed(_queued(), RESULT, now=NOON),
        lambda: exports.advanced(_queued(), 5),
    ):
        with pytest.raises(InvalidTransition):
            step()
    with pytest.raises(InvalidTransition, match="is Completed and cannot become InProgress") as caught:
        exports.started(done, now=NOON)
    assert caught.value.hint == "Completed is final."


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"status": "Odd"}', b'{"id": 1}', b'{"progress": 101}']
)
def test_damaged_records_are_named(data: bytes) -> None:
    """Whatever lies in a record's file, the error names the file."""
    with pytest.raises(RecordCorrupt, match=r"refs/x\.json cannot be read"):
        checkpoints.decode_checkpoint(data, "refs/x.json")
    with pytest.raises(RecordCorrupt, match=r"refs/x\.json cannot be read"):
        decode_record(data, ExportRecord, "refs/x.json")


def test_exit_codes_of_this_room_are_its_own() -> None:
    """The project's errors have codes 60 to 69, one each, and their names are stable words."""
    codes = [cls.exit_code for cls in ProjectError.__subclasses__()]
    assert len(set(codes)) == len(codes)
    assert set(codes) <= set(range(61, 70))
    assert DocumentMalformed("x", 1, 2, "y").code == "document_malformed"
