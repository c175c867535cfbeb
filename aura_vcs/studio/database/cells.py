"""What stands in a cell of the database, as records have it: dates, texts, numbers. Nothing raises for bad data."""

import math
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from aura_vcs.codec import NUMBER_LIMIT
from aura_vcs.plain_text import clean_text, format_time, one_line
from aura_vcs.studio.database.database_file import Row

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)?", re.ASCII)
_SPACE = UUID("2f6a1a5e-6b0b-5d5c-9a37-3c1f0f6f4d11")
"""The name space of ids that are made for rows without one."""


def text(row: Row, column: str, limit: int = 500) -> str | None:
    """Return a line of text, cut to so many characters; None where there is none."""
    value = row.get(column)
    found = one_line(value)[:limit].strip() if isinstance(value, str) else ""
    return found or None


def long_text(row: Row, column: str, limit: int = 2000) -> str | None:
    """Return a text of several lines, cut to so many characters; None where there is none."""
    value = row.get(column)
    found = clean_text(value).strip()[:limit].rstrip() if isinstance(value, str) else ""
    return found or None


def raw(row: Row, column: str) -> str | None:
    """Return a text as it stands; None where there is none."""
    value = row.get(column)
    return value if isinstance(value, str) and value.strip() else None


def time(row: Row, column: str) -> str | None:
    """Return a date as records have it, in UTC; None for none, and for the origin's "never", the year 1."""
    value = row.get(column)
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    day, clock, fraction = found.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}").replace(
            tzinfo=UTC, microsecond=int(f"{fraction or 0:0<6}"[:6])
        )
    except ValueError:
        return None
    return format_time(moment) if moment.year >= 1000 else None


def flag(row: Row, column: str) -> bool:
    """Return a yes or no, no where there is none."""
    return bool(row.get(column)) and row.get(column) not in {"0", "false", "False"}


def integer(row: Row, column: str, lowest: int = 0, highest: int = NUMBER_LIMIT) -> int | None:
    """Return a whole number within bounds; None where there is none."""
    value = row.get(column)
    fits = isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest
    return int(value) if fits and value is not None else None


def number(row: Row, column: str, lowest: float = 0, highest: float = 1e12) -> float | None:
    """Return a number within bounds; None where there is none."""
    value = row.get(column)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if math.isfinite(value) and lowest <= value <= highest else None


def identity(row: Row, column: str = "id") -> str:
    """Return a row's id as ids are written here; another one, always the same, where it is none."""
    value: Any = row.get(column)
    try:
        return str(UUID(str(value)))
    except ValueError:
        return str(uuid5(_SPACE, repr(value)[:1000]))
