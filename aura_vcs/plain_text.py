"""How times, names and paths are written in records and messages."""

import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from aura_vcs.errors.integrity import RecordCorrupt

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
FILE_SCHEME = "file://"
_STORED_FIELDS = "\n\t\u200c\u200d"


def name_bytes(name: str) -> bytes:
    """Encode the bytes of a file name."""
    return name.encode("utf-8", "surrogateescape")


def is_text(name: str) -> bool:
    """Tell whether a name is proper Unicode: none of its bytes had to be carried as a surrogate."""
    if name.isascii():
        return True
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def path_text(path: str) -> str:
    """Convert an absolute path to text for records and JSON: `file://` and `%NN` where its bytes are not UTF-8."""
    if is_text(path):
        return path
    from urllib.parse import quote

    return f"{FILE_SCHEME}{quote(name_bytes(path))}"


def path_of_text(text: str) -> str:
    """Convert a text of `path_text` back to the path."""
    if not text.startswith(FILE_SCHEME):
        return text
    from urllib.parse import unquote

    return unquote(text.removeprefix(FILE_SCHEME), errors="surrogateescape")


def readable_name(name: str) -> str:
    r"""Convert a name to what text can hold: bytes that are not UTF-8 become `\xNN`, the rest stays."""
    if is_text(name):
        return name
    return "".join(f"\\x{ord(c) - 0xDC00:02x}" if 0xDC80 <= ord(c) < 0xDD00 else c for c in name)


def as_text(path: str) -> str:
    """Convert a path to what SQLite and JSON can have: U+FFFD for bytes that are not UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def now() -> str:
    """Format the present moment as records have it."""
    return format_time(datetime.now(UTC))


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC, microseconds always there, so that text order is time order."""
    return f"{moment.astimezone(UTC).isoformat(timespec='microseconds')[:-6]}Z"  # without +00:00


@lru_cache(64)  # what a command records has one time
def microseconds(text: str) -> int:
    """Return the moment that a record names, in microseconds since 1970.

    Raises:
        RecordCorrupt: it is not a time.
    """
    return (parse_time(text) - _EPOCH) // _MICROSECOND


def time_at(moment: int) -> str:
    """Format a moment in microseconds since 1970 as records have it."""
    return f"{(_EPOCH + moment * _MICROSECOND).isoformat(timespec='microseconds')[:-6]}Z"  # without +00:00


def parse_time(text: str) -> datetime:
    """Parse the moment that a record names.

    Raises:
        RecordCorrupt: it is not a time.
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise RecordCorrupt(text, "not a time in RFC 3339") from error


def not_before(time: str, made: str | None) -> str:
    """Return the time, or when the thing was made, if that is later and no time to come: nothing changes before it."""
    try:
        earliest = format_time(parse_time(made)) if made is not None else ""
    except RecordCorrupt:
        return time
    return earliest if time < earliest <= now() else time


def clean_text(text: str) -> str:
    """Text as records have it: no control characters, no bytes that are not text.

    Line breaks and tabs stay, and so do the joiners that emoji and some scripts need.
    """
    if text.isprintable():
        return text  # as nearly every text is
    decoded = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c for c in decoded if c.isprintable() or c in _STORED_FIELDS or unicodedata.category(c) == "Zs")


def one_line(text: str) -> str:
    """Put the text on one line: no control characters, no bytes that are not text."""
    return " ".join(clean_text(text).split())
