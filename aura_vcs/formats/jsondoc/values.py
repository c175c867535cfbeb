"""JSON values as Python holds them, and what "the same" means for them.

Python says `1 == True == 1.0`; a document does not. Everything here walks with a stack of its
own, so no nesting depth ends in a `RecursionError`.
"""

from typing import Any

from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.formats.jsondoc.limits import MAX_DEPTH

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
    deepest, level = 0, [value]
    while level and deepest <= limit:
        below: list[JsonValue] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        deepest += any(isinstance(item, dict | list) for item in level)
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
