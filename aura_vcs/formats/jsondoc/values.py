"""JSON values as Python holds them: what "the same" means for them, their addresses (RFC 6901), how large they may be.

Python says `1 == True == 1.0`; a document does not. Everything here walks with a stack of its
own, so no nesting depth ends in a `RecursionError`.
"""

import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from aura_vcs.errors.compare import PointerInvalid, PointerUnknown
from aura_vcs.errors.integrity import LimitExceeded

MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
"""Above this a document is compared as bytes, and not edited; a project's documents have a few KB."""
MAX_VALUES = 1_000_000
"""Values in one document, containers counted; a 10 MB timeline has a quarter of that."""
MAX_DEPTH = 200
"""Levels of nesting; real documents have under 30."""


class Limits(Struct, frozen=True):
    """How large a document may be that is read by structure."""

    size: int
    values: int
    depth: int


DOCUMENT_LIMITS = Limits(MAX_DOCUMENT_BYTES, MAX_VALUES, MAX_DEPTH)


JsonValue = Any
"""None, bool, int, float, str, list or dict with str keys, nested. Never changed in place."""


def same(one: JsonValue, other: JsonValue) -> bool:
    """Tell whether two values are equal including their types: 1, 1.0 and true are three values.

    The order of an object's keys does not count. -0.0 and 0.0 differ.
    """
    stack = [(one, other)]
    while stack:
        a, b = stack.pop()
        if a is b:
            continue
        if type(a) is not type(b):
            return False
        if isinstance(a, dict):
            if a.keys() != b.keys():
                return False
            stack.extend((value, b[key]) for key, value in a.items())
        elif isinstance(a, list):
            if len(a) != len(b):
                return False
            stack.extend(zip(a, b, strict=True))
        elif a != b or (isinstance(a, float) and str(a) != str(b)):
            return False
    return True


def equal_numbers(one: JsonValue, other: JsonValue) -> bool:
    """Tell whether two values are equal as RFC 6902, section 4.6 wants it: 1 equals 1.0, but not true."""
    stack = [(one, other)]
    while stack:
        a, b = stack.pop()
        if isinstance(a, dict) and isinstance(b, dict):
            if a.keys() != b.keys():
                return False
            stack.extend((value, b[key]) for key, value in a.items())
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            stack.extend(zip(a, b, strict=True))
        elif kind_of(a) != kind_of(b) or a != b:
            return False
    return True


def kind_of(value: JsonValue) -> str:
    """Return the JSON name of a value's type: object, list, text, number, flag or nothing."""
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "list"
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "flag"
    return "nothing" if value is None else "number"


def depth_of(value: JsonValue, limit: int) -> int:
    """Count the levels of containers in `value`, at most `limit` + 1: the walk stops there."""
    deepest, level = 0, [value] if isinstance(value, dict | list) else []
    while level and deepest <= limit:
        below: list[JsonValue] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        deepest += 1
        level = [item for item in below if isinstance(item, dict | list)]
    return deepest


def check_depth(*values: JsonValue) -> None:
    """Refuse values that are nested deeper than `MAX_DEPTH`.

    Raises:
        LimitExceeded: one of them is.
    """
    for value in values:
        if depth_of(value, MAX_DEPTH) > MAX_DEPTH:
            raise LimitExceeded("The nesting of a document", MAX_DEPTH)


def count_values(value: JsonValue, limit: int) -> int:
    """Count the values that `value` is made of, at most `limit` + 1: the walk stops there."""
    count, stack = 0, [value]
    while stack and count <= limit:
        item = stack.pop()
        count += 1
        if isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return count


_INDEX = r"(?a)0|[1-9][0-9]{0,15}"
_BAD_ESCAPE = r"~(?![01])"


def split_pointer(pointer: str) -> tuple[str, ...]:
    """Split a pointer into its unescaped tokens; none for the whole document.

    Raises:
        PointerInvalid: it does not begin with `/`, or has a `~` that is neither `~0` nor `~1`.
    """
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise PointerInvalid(pointer, "it must be empty or begin with '/'")
    if re.search(_BAD_ESCAPE, pointer):
        raise PointerInvalid(pointer, "'~' must be written '~0' (and '/' inside a name '~1')")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))


def escape(token: str) -> str:
    """Write a token as it stands in a pointer."""
    return token.replace("~", "~0").replace("/", "~1")


def join_pointer(tokens: Iterable[str | int]) -> str:
    """Build the pointer with these tokens, escaped."""
    return "".join(f"/{escape(str(token))}" for token in tokens)


def list_index(token: str) -> int | None:
    """Return the list index that `token` spells, or None: no sign, no leading zero, ASCII digits."""
    return int(token) if re.fullmatch(_INDEX, token) else None


def step(value: JsonValue, token: str, pointer: str) -> JsonValue:
    """Return the value that `token` names inside `value`; `pointer` is for the message only.

    Raises:
        PointerUnknown: nothing is there.
    """
    if isinstance(value, dict):
        if token in value:
            return value[token]
        raise PointerUnknown(pointer, f"there is no field {token!r}")
    if isinstance(value, list):
        index = list_index(token)
        if index is None:
            raise PointerUnknown(pointer, f"{token!r} is not a position in a list")
        if index < len(value):
            return value[index]
        raise PointerUnknown(pointer, f"the list has {len(value):,} elements, there is no position {index}")
    raise PointerUnknown(pointer, f"{token!r} is looked for inside a plain value")


def resolve_pointer(document: JsonValue, pointer: str) -> JsonValue:
    """Return the value that `pointer` points at, not copied.

    Raises:
        PointerInvalid: it is not a JSON pointer.
        PointerUnknown: it points at nothing in `document`.
    """
    value = document
    for token in split_pointer(pointer):
        value = step(value, token, pointer)
    return value
