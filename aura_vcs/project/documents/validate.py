"""Compares a JSON value with a view's types and reports everything that differs, not only the first.

The result is always a view: what is wrong takes its default, so one bad field does not hide what
is wrong elsewhere. Fields that the view does not know are none of our business.
"""

import difflib
import math
import re
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from aura_vcs.codec import convert
from aura_vcs.formats.jsondoc.values import escape
from aura_vcs.formats.timeline import durations
from aura_vcs.history.sources.content_source import unsafe_reason
from aura_vcs.project.documents.problems import DocumentProblem, Reference

View = TypeVar("View", bound=msgspec.Struct)

_TIME = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])[Tt ](?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)"
    r"(?:\.\d{1,9})?(?:[Zz]|[+-][0-2]\d:[0-5]\d)",
    re.ASCII,
)
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?")
_NAMES = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}
_MISSING = object()
_INVALID = object()
MAX_PROBLEMS_PER_FILE = 200


def validate(value: Any, view: type[View], file: str) -> tuple[View, list[DocumentProblem], list[Reference]]:
    """Read `value` as a view; return it, what is wrong, and the media it names. Never raises for bad data.

    At most `MAX_PROBLEMS_PER_FILE` problems are listed.
    """
    walk = _Walk(file)
    cleaned = walk.struct(value, inspect.type_info(view), "")
    result = convert({} if cleaned is _INVALID else cleaned, view)
    return result, walk.problems, walk.references


def is_time(text: str) -> bool:
    """Tell whether `text` is a time as RFC 3339 writes it."""
    return _TIME.fullmatch(text) is not None


def kind_of(value: Any) -> str:
    """Name the kind of a JSON value in words."""
    return "nothing" if value is None else _NAMES.get(type(value), "a value")


class _Walk:
    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[DocumentProblem] = []
        self.references: list[Reference] = []

    def fail(self, pointer: str, message: str, expected: str) -> Any:
        """Note a problem; the value counts as absent."""
        if len(self.problems) < MAX_PROBLEMS_PER_FILE:
            self.problems.append(DocumentProblem(self.file, pointer, "error", message, expected))
        return _INVALID

    def struct(self, value: Any, info: Any, pointer: str) -> Any:
        if not isinstance(value, dict):
            return self.fail(pointer, f"this is {kind_of(value)}", "an object")
        cleaned = {}
        for field in info.fields:
            place = f"{pointer}/{escape(field.encode_name)}"
            found = value.get(field.encode_name, _MISSING)
            if found is _MISSING:
                if _extra(field.type).get("required"):
                    near = difflib.get_close_matches(field.encode_name, list(value)[:50], 1, 0.8)
                    hint = f" (is {near[0]!r} meant to be it?)" if near else ""
                    self.fail(place, f"{field.encode_name} is missing{hint}", _describe(field.type))
                continue
            result = self.value(found, field.type, place)
            if result is not _INVALID:
                cleaned[field.encode_name] = result
        return cleaned

    def value(self, value: Any, info: Any, pointer: str) -> Any:
        """Convert `value` to what the type wants, or return `_INVALID` after noting why not."""
        extra, info = _extra(info), _bare(info)
        if isinstance(info, inspect.UnionType):
            if value is None and info.includes_none:
                return None
            return self.value(value, _member(info), pointer)
        if extra.get("kind"):
            return self.special(value, extra, pointer)
        if isinstance(info, inspect.StructType):
            return self.struct(value, info, pointer)
        if isinstance(info, inspect.ListType):
            return self.items(value, info, pointer)
        return self.scalar(value, info, pointer)

    def items(self, value: Any, info: Any, pointer: str) -> Any:
        if not isinstance(value, list):
            return self.fail(pointer, f"this is {kind_of(value)}", "a list")
        cleaned = []
        for index, item in enumerate(value):
            result = self.value(item, info.item_type, f"{pointer}/{index}")
            if result is not _INVALID:
                cleaned.append(result)
            elif isinstance(_bare(info.item_type), inspect.StructType):
                cleaned.append({})  # keeps the places of the items after it
        return cleaned

    def scalar(self, value: Any, info: Any, pointer: str) -> Any:
        expected = _describe(info)
        if isinstance(info, inspect.LiteralType):
            return self.choice(value, [str(choice) for choice in info.values], pointer)
        wanted = _ACCEPTED.get(type(info), ())
        if isinstance(info, inspect.AnyType):
            return value
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            return self.fail(pointer, f"this is {kind_of(value)}", expected)
        if isinstance(info, inspect.IntType) and value != _as_integer(value):
            return self.fail(pointer, f"{_show(value)} is not a whole number", expected)
        if not _within(value, info):
            return self.fail(pointer, f"{_show(value)} is out of range", expected)
        return _as_integer(value) if isinstance(info, inspect.IntType) else value

    def choice(self, value: Any, choices: list[str], pointer: str) -> Any:
        if isinstance(value, str) and value in choices:
            return value
        short = isinstance(value, str) and len(value) < 60
        near = difflib.get_close_matches(value, choices, 1, 0.5) if short else []
        hint = f"; did you mean {near[0]!r}?" if near else ""
        expected = " or ".join(choices) if len(choices) < 3 else "one of " + ", ".join(choices)
        return self.fail(pointer, f"{_show(value)} is not one of the choices{hint}", expected)

    def special(self, value: Any, extra: dict[str, Any], pointer: str) -> Any:
        """Check and convert fields whose text has a meaning of its own."""
        kind = extra["kind"]
        if kind == "duration":
            seconds = durations.parse_duration(value)
            if seconds is None:
                return self.fail(pointer, f"{_show(value)} is not a duration", durations.EXPECTED)
            return seconds
        expected = _EXPECTED[kind]
        if not isinstance(value, str):
            return self.fail(pointer, f"this is {kind_of(value)}", expected)
        if kind == "media":
            return self.media(value, extra, pointer)
        pattern = _TIME if kind == "time" else _COLOUR
        if not pattern.fullmatch(value):
            return self.fail(pointer, f"{_show(value)} is not {'a time' if kind == 'time' else 'a colour'}", expected)
        return value

    def media(self, value: str, extra: dict[str, Any], pointer: str) -> Any:
        if not value:
            return self.fail(pointer, "no file is named", _EXPECTED["media"]) if extra.get("required") else ""
        reason = unsafe_reason(value)
        if reason:
            return self.fail(pointer, f"{_show(value)} cannot be a file of the project: {reason}", _EXPECTED["media"])
        self.references.append(Reference(self.file, pointer, value, tuple(extra["types"])))
        return value


_ACCEPTED: dict[Any, tuple[type, ...]] = {
    inspect.StrType: (str,),
    inspect.BoolType: (bool,),
    inspect.IntType: (int, float),
    inspect.FloatType: (int, float),
    inspect.DictType: (dict,),
}
_EXPECTED = {
    "media": "a path from the project folder, such as assets/images/sun.png",
    "time": "a time such as 2026-11-23T06:30:00Z",
    "colour": "a colour such as #FFFFFF",
    "duration": durations.EXPECTED,
}


def _bare(info: Any) -> Any:
    while isinstance(info, inspect.Metadata):
        info = info.type
    return info


def _member(info: Any) -> Any:
    """Return the type in `… | None`."""
    return next(member for member in info.types if not isinstance(member, inspect.NoneType))


def _extra(info: Any) -> dict[str, Any]:
    """Return what `fields` says about a type beyond its constraints, also inside `… | None`."""
    found: dict[str, Any] = {}
    while isinstance(info, inspect.Metadata):
        found.update(info.extra or {})
        info = info.type
    if isinstance(info, inspect.UnionType):
        for member in info.types:
            found.update(_extra(member))
    return found


def _as_integer(value: Any) -> Any:
    return int(value) if isinstance(value, float) and math.isfinite(value) else value


def _within(value: Any, info: Any) -> bool:
    if isinstance(value, (bool, dict)):
        return True
    if isinstance(value, str):
        return (info.min_length or 0) <= len(value) <= (len(value) if info.max_length is None else info.max_length)
    if isinstance(value, float) and not math.isfinite(value):
        return False
    least = -math.inf if info.ge is None else info.ge
    above = -math.inf if info.gt is None else info.gt
    most = math.inf if info.le is None else info.le
    return bool(least <= value <= most and (value > above or info.gt is None))


def _describe(info: Any) -> str:
    """Describe in words what a type accepts."""
    kind = _extra(info).get("kind")
    info = _bare(info)
    if kind:
        return _EXPECTED[kind]
    if isinstance(info, inspect.UnionType):
        return _describe(_member(info))
    if isinstance(info, inspect.LiteralType):
        return "one of " + ", ".join(map(str, info.values))
    if isinstance(info, inspect.StrType):
        least = "text" if not info.min_length else "text that is not empty"
        return least if info.max_length is None else f"{least}, at most {info.max_length} characters"
    if isinstance(info, (inspect.IntType, inspect.FloatType)):
        return _describe_number(info)
    plain: dict[Any, str] = {inspect.BoolType: "true or false", inspect.ListType: "a list"}
    return plain.get(type(info), "an object")


def _describe_number(info: Any) -> str:
    name = "a whole number" if isinstance(info, inspect.IntType) else "a number"
    if info.gt is not None:
        return f"{name} above {info.gt:g}" + (f", at most {info.le:g}" if info.le is not None else "")
    if info.ge is not None and info.le is not None:
        return f"{name} from {info.ge:,g} to {info.le:,g}" if info.le < 1e6 else f"{name} from {info.ge:g}"
    return name


def _show(value: Any) -> str:
    """Shorten a value for a message."""
    text = repr(value) if isinstance(value, (str, int, float, bool)) else kind_of(value)
    return text if len(text) <= 60 else text[:56] + " …" + text[-1]
