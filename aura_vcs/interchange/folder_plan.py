"""Copies of a film with names such as "film_v1", "film_v2 (final)" and "film-2024-03-01.zip", put in order.

The plan is a file that a person can edit before anything is imported: the order of its versions is the order of the
history; what is taken out is left out. Pure, but for `plan_folder`, which looks at names and dates.
"""

import json
import os
import re
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from aura_vcs.codec import convert
from aura_vcs.errors import InputError, place_without_password
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.history.sources.content_source import unsafe_reason
from aura_vcs.layout import is_own_folder
from aura_vcs.plain_text import format_time, parse_time, readable_name
from aura_vcs.storage.plain_files import open_regular

FORMAT = "aura folder import 1"
SOURCES_LIMIT = 10_000
PLAN_BYTES_LIMIT = 16 << 20
_LOOKED_AT = 200_000
"""So many files of a copy are asked for the newest date."""
_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_. ]?(0[1-9]|1[0-2])[-_. ]?(0[1-9]|[12]\d|3[01])"
    r"(?:[T_ -]?([01]\d|2[0-3])[-:.]?([0-5]\d))?(?!\d)"
)
_NUMBER = re.compile(
    r"(?:^|[\s_.-])(?:v|ver|version|rev|take|cut)[\s_.-]?(\d{1,6})(?![a-z0-9])|\((\d{1,6})\)|[\s_-](\d{1,4})$",
    re.IGNORECASE,
)
_WORDS = {
    "old": -2, "draft": -1, "rough": -1, "wip": -1, "copy": 0, "new": 1, "edit": 1, "edited": 1, "final": 2,
    "finished": 2, "really": 3, "real": 3, "last": 3, "approved": 3, "master": 3, "def": 3, "definitive": 3,
}  # fmt: skip
_LITTER = frozenset({".ds_store", "thumbs.db", "desktop.ini", "__macosx"})

Kind = Literal["folder", "zip", "file"]


class PlannedCopy(msgspec.Struct, frozen=True):
    """A version to be made: from a folder or ZIP with all files, or of one file, which is called `path` then."""

    source: str
    kind: Kind
    date: str
    name: str
    path: str = ""


class FolderPlan(msgspec.Struct, frozen=True):
    """What `folder` is to become, in order; `left` are names in it that are none of these."""

    folder: str
    versions: tuple[PlannedCopy, ...]
    left: tuple[str, ...] = ()
    format: str = FORMAT


def plan_folder(folder: str, *, project: str | None = None) -> FolderPlan:
    """Look at a folder of copies, and put them in order: by dates in names, else by numbers, else by their own dates.

    The folder `project`, which gets the versions, is none of the copies.

    Raises:
        InputError: there is no such folder, or too much is in it.
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise InputError(f"{place_without_password(folder)} cannot be read: {error.strerror or error}") from error
    if len(names) > SOURCES_LIMIT:
        raise InputError(f"{folder} has {len(names):,} entries; at most {SOURCES_LIMIT:,} are taken for copies")
    found: list[PlannedCopy] = []
    left: list[str] = []
    for name in names:
        if project is not None and _is_same(os.path.join(folder, name), project):
            continue
        made = _copy_of(folder, name)
        if made is not None:
            found.append(made)
        elif name.lower() not in _LITTER and not name.startswith("."):
            left.append(readable_name(name))
    return FolderPlan(os.path.abspath(folder), tuple(in_order(found)), tuple(left))


def in_order(copies: Sequence[PlannedCopy]) -> list[PlannedCopy]:
    """Put copies in order. Where all names have dates, these count; where all have numbers, these, then words."""
    dated = [date_in(copy.source) for copy in copies]
    numbered = [number_in(copy.source) for copy in copies]
    if copies and all(date is not None for date in dated):
        return sorted(copies, key=lambda copy: (date_in(copy.source) or "", _words(copy.source), copy.source))
    if copies and all(number is not None for number in numbered):
        return sorted(copies, key=lambda copy: (number_in(copy.source) or 0, _words(copy.source), copy.date))
    return sorted(copies, key=lambda copy: (copy.date, _words(copy.source), copy.source))


def date_in(name: str) -> str | None:
    """Return the date in a name, as records have it; None where there is none that can be."""
    found = _DATE.search(name)
    if found is None:
        return None
    year, month, day, hour, minute = found.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour or 12), int(minute or 0), tzinfo=UTC)
    except ValueError:
        return None
    return format_time(moment)


def number_in(name: str) -> int | None:
    """Return the number of a version in a name, such as 2 in "film_v2 (final)"; None where there is none."""
    stem = _DATE.sub(" ", _stem(name))
    found = _NUMBER.search(stem)
    return None if found is None else int(next(group for group in found.groups() if group is not None))


def title_in(name: str) -> str:
    """Return what is left of a name without number, date and words for how final it is: "film" of "film_v2 (final)"."""
    stem = _NUMBER.sub(" ", _DATE.sub(" ", _stem(name)))
    words = [word for word in re.split(r"[\s_().-]+", stem) if word and word.lower() not in _WORDS]
    return "-".join(words) or "film"


def encode_plan(plan: FolderPlan) -> bytes:
    """Encode a plan as a file that can be edited."""
    value: dict[str, Any] = {
        "format": plan.format,
        "about": "The order is that of the versions. Change dates and names; take out what is to be left out.",
        "folder": plan.folder,
        "versions": [msgspec.to_builtins(copy) for copy in plan.versions],
    }
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def read_plan(file: str) -> FolderPlan:
    """Read a plan from a file; see `decode_plan`.

    Raises:
        InputError.
    """
    try:
        with open(open_regular(file), "rb") as source:
            return decode_plan(source.read(PLAN_BYTES_LIMIT + 1), file)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}") from error


def decode_plan(data: bytes, file: str) -> FolderPlan:
    """Decode a plan that a person may have edited.

    Raises:
        InputError: it is not a plan; says what is wrong.
    """
    try:
        value = msgspec.json.decode(data[:PLAN_BYTES_LIMIT])
        plan = convert(value, FolderPlan)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        hint = "`aura import folder DIR --plan FILE` writes one."
        raise InputError(f"{file} is not a plan: {error}", hint=hint) from error
    if plan.format != FORMAT:
        raise InputError(f"{file} is not a plan: its format is {plan.format[:50]!r}, not {FORMAT!r}")
    return checked_plan(plan, file)


def checked_plan(plan: FolderPlan, file: str) -> FolderPlan:
    """Check what a plan names; `file` is where it stands.

    Raises:
        InputError.
    """
    return msgspec.structs.replace(plan, versions=tuple(_checked(copy, file) for copy in plan.versions))


def _checked(copy: PlannedCopy, file: str) -> PlannedCopy:
    try:
        date = format_time(parse_time(copy.date if ":" in copy.date else f"{copy.date}T12:00:00Z"))
    except (RecordCorrupt, ValueError, OverflowError) as error:
        said = f"{file}: {copy.date!r} of {copy.source!r} is not a date"
        raise InputError(said, hint="For example 2024-03-01, or 2024-03-01T12:00:00Z.") from error
    if copy.kind == "file" and (reason := unsafe_reason(copy.path)):
        raise InputError(f"{file}: {copy.path!r} of {copy.source!r} cannot be a file of the project: {reason}")
    if copy.source in {"", ".", ".."} or "/" in copy.source or "\0" in copy.source:
        raise InputError(f"{file}: {copy.source!r} is not a name in the folder")
    return msgspec.structs.replace(copy, date=date)


def _copy_of(folder: str, name: str) -> PlannedCopy | None:
    path = os.path.join(folder, name)
    try:
        found = os.lstat(path)
    except OSError:
        return None
    if is_own_folder(name) or name.startswith(".") or name.lower() in _LITTER:
        return None
    date = date_in(name) or _date_of(path, found)
    if stat.S_ISDIR(found.st_mode):
        return PlannedCopy(name, "folder", date, name)
    if not stat.S_ISREG(found.st_mode):
        return None
    if name.lower().endswith(".zip"):
        return PlannedCopy(name, "zip", date, name[:-4])
    return PlannedCopy(name, "file", date, name, title_in(name) + os.path.splitext(name)[1].lower())


def _is_same(path: str, other: str) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _date_of(path: str, found: os.stat_result) -> str:
    """Return when a copy was changed last: the newest date of its files."""
    newest = 0.0 if stat.S_ISDIR(found.st_mode) else found.st_mtime
    if stat.S_ISDIR(found.st_mode):
        looked = 0
        for above, folders, names in os.walk(path):
            folders[:] = [inner for inner in folders if not is_own_folder(inner) and inner != ".git"]
            for name in names:
                looked += 1
                try:
                    inner = os.lstat(os.path.join(above, name))
                except OSError:
                    continue
                newest = max(newest, inner.st_mtime if stat.S_ISREG(inner.st_mode) else 0.0)
            if looked > _LOOKED_AT:
                break
        newest = newest or found.st_mtime
    try:
        return format_time(datetime.fromtimestamp(newest, UTC))
    except (ValueError, OverflowError, OSError):
        return format_time(datetime.fromtimestamp(0, UTC))


def _stem(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return stem if dot and stem and len(extension) <= 5 and extension.isalnum() else name


def _words(name: str) -> int:
    return sum(_WORDS.get(word.lower(), 0) for word in re.split(r"[\s_().-]+|(?<=[a-z])(?=\d)", _stem(name)))
