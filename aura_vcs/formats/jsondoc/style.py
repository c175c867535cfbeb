"""Writing a JSON document the way another one is written: indentation, line ends, inline lists.

The text is a fresh one, so what no style can say (several spaces after one comma, a comment-like
alignment) is not kept; what was not changed at all is never written anew.
"""

import json
import re
from collections.abc import Iterator

from msgspec import Struct

from aura_vcs.formats.jsondoc.values import JsonValue, same

_INDENT = re.compile(r"[\[{][ \t]*\r?\n([ \t]+)[^ \t\r\n]")
_ESCAPED_LETTER = re.compile(r"\\u(?!00[0-7])[0-9a-fA-F]{4}")
_INLINE_LIST = re.compile(r"\[[ \t]*[^\s\[\]{}][^\n\[\]{}]*\]")
_BROKEN_LIST = re.compile(r"\[\s*\n\s*(?![\[{\]\s])")
_INLINE_OBJECT = re.compile(r'\{[ \t]*"[^\n{}\[\]]*\}')
_BROKEN_OBJECT = re.compile(r"\{\s*\n")


class Style(Struct, frozen=True):
    """How a document is written. `indent` is None for a document on one line."""

    indent: str | None
    comma: str
    colon: str
    line_end: str
    tail: str
    ascii_only: bool
    inline_lists: bool
    inline_objects: bool


def style_of(data: bytes) -> Style:
    """Read the style of a JSON document that parses; what it does not show is written as most programs do."""
    text = data.decode("utf-8")
    body = text.rstrip()
    found = _INDENT.search(body)
    multi_line = "\n" in body
    dense = '": ' not in text and re.search(r'":[^ ]', text) is not None
    comma = ", " if multi_line or re.search(r', ["\d\[{]', text) or ("," not in text and not dense) else ","
    spaced = '": ' in text or (comma == ", " and not dense)
    return Style(
        indent=_unit(body, found) if found is not None else ("" if multi_line else None),
        comma=comma,
        colon=": " if spaced else ":",
        line_end="\r\n" if "\r\n" in text else "\n",
        tail=text[len(body) :],
        ascii_only=text.isascii() and _ESCAPED_LETTER.search(text) is not None,
        inline_lists=_prefers(_INLINE_LIST, _BROKEN_LIST, text),
        inline_objects=_prefers(_INLINE_OBJECT, _BROKEN_OBJECT, text, strictly=True),
    )


def _unit(text: str, found: re.Match[str]) -> str:
    """Return one step of indentation: the blanks before the first element that has a line of its own."""
    before = re.sub(r'"(?:[^"\\]|\\.)*"', "", text[: found.start() + 1])
    depth = sum(map(before.count, "[{")) - sum(map(before.count, "]}"))
    return found[1][: max(1, len(found[1]) // max(1, depth))]


def _prefers(inline: re.Pattern[str], broken: re.Pattern[str], text: str, *, strictly: bool = False) -> bool:
    """Tell whether containers of plain values are written on one line."""
    sample = text[:1_000_000]
    count = len(inline.findall(sample))
    return count > 0 and (strictly or count >= len(broken.findall(sample)))


def _spellings(text: str) -> dict[float, str]:
    """Collect the numbers that are not written the way Python would, such as 1.50 or 1E5."""
    found: dict[float, str] = {}

    def note(written: str) -> float:
        number = float(written)
        if repr(number) != written:
            found[number] = written
        return number

    json.loads(text, parse_float=note)
    return found


def write_like(value: JsonValue, model: bytes, model_value: JsonValue) -> bytes:
    """Write `value` as a document in the style of `model`; the model's own bytes when nothing differs.

    `value` must be at most `MAX_DEPTH` deep and made of JSON values. Parsing the result gives
    the same value again.
    """
    if same(value, model_value):
        return model
    style = style_of(model)
    pieces = _pieces(value, style, _spellings(model.decode("utf-8")), style.line_end)
    return ("".join(pieces) + style.tail).encode("utf-8")


def _pieces(value: JsonValue, style: Style, numbers: dict[float, str], line: str) -> Iterator[str]:
    """Yield the text of a value in pieces; `line` is a line end with the indentation in force."""
    if isinstance(value, dict) and value:
        yield from _container(value, style, numbers, line, brackets="{}")
    elif isinstance(value, list) and value:
        yield from _container(value, style, numbers, line, brackets="[]")
    elif isinstance(value, float):
        yield numbers.get(value, repr(value)) if value else repr(value)
    else:
        yield json.dumps(value, ensure_ascii=style.ascii_only)


def _container(
    value: dict[str, JsonValue] | list[JsonValue], style: Style, numbers: dict[float, str], line: str, *, brackets: str
) -> Iterator[str]:
    parts = value.values() if isinstance(value, dict) else value
    inline = style.inline_objects if isinstance(value, dict) else style.inline_lists
    flat = style.indent is None or (inline and not any(isinstance(part, dict | list) for part in parts))
    inner = line if style.indent is None or flat else line + style.indent
    yield brackets[0]
    items = value.items() if isinstance(value, dict) else ((None, part) for part in value)
    for n, (key, part) in enumerate(items):
        if n:
            yield style.comma if flat else ","
        if not flat:
            yield inner
        if key is not None:
            yield json.dumps(key, ensure_ascii=style.ascii_only) + style.colon
        yield from _pieces(part, style, numbers, inner)
    if not flat:
        yield line
    yield brackets[1]
