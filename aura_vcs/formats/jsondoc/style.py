"""Writing a JSON document the way another one is written: indentation, line ends, inline lists.

The text is a fresh one, so what no style can say (several spaces after one comma, a comment-like
alignment) is not kept; what was not changed at all is never written anew.
"""

import json
import re
from collections.abc import Iterator

from msgspec import Struct

from aura_vcs.formats.jsondoc.values import JsonValue, same

_INDENT = re.compile(r"[\[{]\r?\n([ \t]+)")
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
    numbers: dict[float, str]


def style_of(data: bytes) -> Style:
    """Read the style of a JSON document that parses."""
    text = data.decode("utf-8")
    found = _INDENT.search(text)
    indent = found.group(1) if found else None
    body = text.rstrip()
    multi_line = "\n" in body
    spaced = re.search(r'": ', text) is not None or re.search(r'":[^ ]', text) is None
    comma = ", " if multi_line or re.search(r', ["\d\[{]', text) or "," not in text else ","
    return Style(
        indent=indent if indent is not None else ("" if multi_line else None),
        comma=comma,
        colon=": " if spaced else ":",
        line_end="\r\n" if "\r\n" in text else "\n",
        tail=text[len(body) :],
        ascii_only=text.isascii() and re.search(r"\\u[0-9a-fA-F]{4}", text) is not None,
        inline_lists=_prefers(_INLINE_LIST, _BROKEN_LIST, text),
        inline_objects=_prefers(_INLINE_OBJECT, _BROKEN_OBJECT, text, strictly=True),
        numbers=_spellings(text),
    )


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
    return ("".join(_pieces(value, style, style.line_end)) + style.tail).encode("utf-8")


def _pieces(value: JsonValue, style: Style, line: str) -> Iterator[str]:
    """Yield the text of a value in pieces; `line` is a line end with the indentation in force."""
    if isinstance(value, dict) and value:
        yield from _container(value, style, line, brackets="{}")
    elif isinstance(value, list) and value:
        yield from _container(value, style, line, brackets="[]")
    elif isinstance(value, float):
        yield style.numbers.get(value, repr(value)) if value else repr(value)
    else:
        yield json.dumps(value, ensure_ascii=style.ascii_only)


def _container(
    value: dict[str, JsonValue] | list[JsonValue], style: Style, line: str, *, brackets: str
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
        yield from _pieces(part, style, inner)
    if not flat:
        yield line
    yield brackets[1]
