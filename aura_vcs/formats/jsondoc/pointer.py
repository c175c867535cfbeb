"""Addresses inside a JSON document, after RFC 6901."""

import re
from collections.abc import Iterable

from aura_vcs.errors.compare import PointerInvalid, PointerUnknown
from aura_vcs.formats.jsondoc.values import JsonValue

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
