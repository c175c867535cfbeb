"""Values of the API as JSON, within limits: what a tool answers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

from aura_vcs.plain_text import readable_name

TEXT_BYTES = 200_000
"""Characters of one answer; a longer one is cut, and says so."""
ENTRIES = 500
"""Entries of one list in an answer."""


def plain(value: object) -> Any:  # noqa: PLR0911 (one kind of value a line)
    """Convert a value to JSON: what is not public in it is left out, long lists are cut and say how much more."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return readable_name(value)
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, PurePath):
        return readable_name(value.as_posix())
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value) if not field.name.startswith("_")]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        items = list(value)
        shown = [plain(item) for item in items[:ENTRIES]]
        return shown if len(items) <= ENTRIES else [*shown, f"… and {len(items) - ENTRIES} more"]
    return str(value)


def as_text(value: object) -> str:
    """Write a value as JSON, cut where it is longer than an answer may be."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=1)
    left = len(text) - TEXT_BYTES
    return text if left <= 0 else f"{text[:TEXT_BYTES]}\n… cut here: {left:,} more characters. Ask for less."
