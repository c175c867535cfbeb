"""Reading JSON documents without losing anything, or saying why that cannot be done.

A document is compared and joined field by field only when that is lossless: what Python would
read differently from what is written (a key given twice, NaN, a number no double can hold …)
is left alone and compared as text or bytes.
"""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

from msgspec import UNSET, Struct

from aura_vcs.formats.jsondoc.values import DOCUMENT_LIMITS, JsonValue, Limits, count_values, depth_of

MAX_DIGITS = 4_000
"""Digits of one integer; Python itself stops at 4,300."""
SAFE_DIGITS = 17
"""Significant digits that name a double; writers that give more mean more than a double holds."""

_UNUSUAL_NUMBER = rb"[0-9.]{%d}|[0-9][eE]|-0(?![.0-9])" % SAFE_DIGITS
"""What may be in a number that has to be looked at: many digits, an exponent, -0. It may stand in a text, too."""
_HALF_CHARACTER = rb"\\u[dD][89a-fA-F]"
_BOM = b"\xef\xbb\xbf"


class ParsedDocument(Struct, frozen=True):
    """A JSON document that can be compared by structure."""

    value: JsonValue


class Unstructured(Struct, frozen=True):
    """Bytes that cannot be compared by structure; `reason` continues "because …"."""

    reason: str


class _LossyError(Exception):
    """Reading would lose something; the message is the reason."""


def looks_like_json(data: bytes) -> bool:
    """Tell whether bytes begin like a JSON object or list."""
    return data[:256].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))


def parse_document(data: bytes, limits: Limits = DOCUMENT_LIMITS) -> ParsedDocument | Unstructured:
    """Read a JSON document, or say why it must be compared as text or bytes.

    Never guesses and never repairs. Bounded by `limits`. Numbers keep their type (1 and 1.0 differ), integers
    their size.
    """
    try:
        return ParsedDocument(_read(data, limits))
    except _LossyError as error:
        return Unstructured(str(error))
    except json.JSONDecodeError as error:
        return Unstructured(f"it is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})")
    except RecursionError:
        return Unstructured(_too_deep(limits))


def value_in(text: str | bytes) -> JsonValue:
    """Read JSON that stands where there may be anything: in a property of an editor's file, or typed by a person.

    What is none, or nested too deep to be read, is UNSET.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return UNSET


def _too_deep(limits: Limits) -> str:
    return f"it is nested deeper than {limits.depth} levels"


def _read(data: bytes, limits: Limits) -> JsonValue:
    if len(data) > limits.size:
        raise _LossyError(f"it is larger than {limits.size // 2**20} MiB")
    if data.startswith(_BOM):
        raise _LossyError("it begins with a byte order mark")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _LossyError(f"byte {error.start:,} is not valid UTF-8") from error
    if re.search(_UNUSUAL_NUMBER, data) is None:  # most documents: Python reads every number as it is written
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    else:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant
        )
    if depth_of(value, limits.depth) > limits.depth:
        raise _LossyError(_too_deep(limits))
    if _may_hold(data) > limits.values and count_values(value, limits.values) > limits.values:
        raise _LossyError(f"it holds more than {limits.values:,} values")
    if re.search(_HALF_CHARACTER, data) and _has_half_character(value):
        raise _LossyError("a text in it holds half a character (a lone surrogate)")
    return value


def _may_hold(data: bytes) -> int:
    """Return an upper bound of the number of values: each is the first of a container, or has a comma before it."""
    return 1 + sum(map(data.count, (b",", b"[", b"{")))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _LossyError(f"the key {key!r} is given twice in one object")
            seen.add(key)
    return result


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _LossyError(f"a number in it has more than {MAX_DIGITS:,} digits")
    if text == "-0":
        raise _LossyError("a number in it is written -0")
    return int(text)


def _float(text: str) -> float:
    if len(text) > MAX_DIGITS:
        raise _LossyError(f"a number in it has more than {MAX_DIGITS:,} digits")
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise _LossyError(f"the number {text[:40]} is too large for a double")
    if number == 0.0 or len(text) > SAFE_DIGITS:
        exact = Decimal(text)
        lost = exact != Decimal(repr(number))
        if lost and (number == 0.0 or len(exact.as_tuple().digits) > SAFE_DIGITS):
            raise _LossyError(f"a double cannot hold the number {text[:40]}")
    return number


def _constant(text: str) -> NoReturn:
    raise _LossyError(f"{text} is not a JSON number")


def _has_half_character(value: JsonValue) -> bool:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            stack.extend(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, str):
            try:
                item.encode("utf-8")
            except UnicodeEncodeError:
                return True
    return False
