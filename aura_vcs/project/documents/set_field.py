"""Sets fields of the known documents: checked against their views, every other byte left alone."""

from typing import Any

import msgspec

from aura_vcs.errors.documents import InvalidValue, UnknownField
from aura_vcs.formats.jsondoc.edit import keys_of, set_value
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.history.sources.content_source import unsafe_reason
from aura_vcs.project.documents.load import is_scene_file
from aura_vcs.project.documents.models import (
    BriefDocument,
    PlanDocument,
    ProjectDocument,
    RenderDocument,
    SceneDocument,
    VoiceDocument,
)
from aura_vcs.project.documents.timeline import TimelineDocument
from aura_vcs.project.documents.validate import validate

_VIEWS: dict[str, type[msgspec.Struct]] = {
    "project.json": ProjectDocument,
    "brief.json": BriefDocument,
    "plan.json": PlanDocument,
    "voice.json": VoiceDocument,
    "render.json": RenderDocument,
    "timeline.json": TimelineDocument,
}
_FILES_OF_THE_PROJECT = {("project.json", "/output_file_path")}
"""What may name any file elsewhere in documents that were brought along, but is set to files of the project only."""
_SHOWN = 80


def view_of(name: str) -> type[msgspec.Struct] | None:
    """Return the view that reads the document called `name`; None for other files."""
    return SceneDocument if is_scene_file(name) else _VIEWS.get(name)


def edit_document(data: bytes, name: str, pointer: str, value: Any, *, allow_new: bool = False) -> bytes:
    """Set `value` at `pointer` in the document `name`, if the field can have that value.

    What is wrong elsewhere in the document stays as it is and does not stand in the way. A key
    that neither the document nor the data model has is refused unless `allow_new`: it is most
    often a misspelling.

    Raises:
        DocumentMalformed: `data` is not JSON.
        UnknownField: there is no such field; the hint lists those there are.
        InvalidValue: the field cannot have that value; the message says what it can have.
    """
    view = view_of(name)
    if view is not None and not allow_new:
        _refuse_unknown(data, name, pointer, view)
    changed = set_value(data, pointer, value, name=name)
    if (name, pointer) in _FILES_OF_THE_PROJECT and isinstance(value, str) and (reason := unsafe_reason(value)):
        message = f"{value[:_SHOWN]!r} cannot be a file of the project: {reason}"
        raise InvalidValue(name, pointer, message, hint="Expected: a path from the project folder.")
    if view is not None:
        before = validate(parse(data, name).value(), view, name)[1]
        for problem in validate(parse(changed, name).value(), view, name)[1]:
            if problem not in before or problem.pointer == pointer or problem.pointer.startswith(f"{pointer}/"):
                raise InvalidValue(name, problem.pointer, problem.message, hint=f"Expected: {problem.expected}.")
    return changed


def _refuse_unknown(data: bytes, name: str, pointer: str, view: type[msgspec.Struct]) -> None:
    """Misspelt top-level fields; deeper ones belong to whoever wrote them."""
    keys = keys_of(pointer)
    known = list(view.__struct_fields__)
    root = parse(data, name).value()
    if len(keys) == 1 and isinstance(root, dict) and keys[0] not in root and keys[0] not in known:
        raise UnknownField(name, pointer, known)
