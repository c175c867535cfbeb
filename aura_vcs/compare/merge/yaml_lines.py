"""Reading the plain part of YAML, to see whether a merge by line says what both sides said.

Maps, lists, comments, values on one line and blocks of text. Whoever writes anchors, tags, several documents or maps
over several lines in braces gets a ValueError, not a guess.
"""

import re

from aura_vcs.formats.jsondoc.values import MAX_DEPTH, JsonValue

_TEXT = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')"""
_KEY = re.compile(rf"""({_TEXT}|[^\s#&*!|>%@`"'{{}}\[\],?:-][^#:{{}}\[\]]*|-[^\s#:][^#:]*):(?:\s+(.*))?""")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?")
_QUOTED = re.compile(_TEXT)
_ODD = re.compile(r"[&*!%@`?]")


def read_yaml(text: str) -> JsonValue:
    """Read the value of a text; every plain value is the text that stands there.

    Raises:
        ValueError: it is not YAML, gives a key twice, or is built in a way that is not read here.
    """
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self._raw = text.replace("\r\n", "\n").split("\n")
        self._lines: list[tuple[int, int, str]] = []
        self._next = 0
        for number, raw in enumerate(self._raw):
            if raw.strip() and not raw.lstrip().startswith("#"):
                indent = len(raw) - len(raw.lstrip(" "))
                if raw[indent] == "\t":
                    raise ValueError("a tab stands where blanks should")
                self._lines.append((number, indent, raw.strip()))

    def document(self) -> JsonValue:
        if self._lines and self._lines[0][2] == "---":
            self._next = 1
        if self._next == len(self._lines):
            return None
        value = self._node(self._lines[self._next][1], 0)
        if self._next != len(self._lines):
            raise ValueError(f"line {self._lines[self._next][0] + 1} is not indented like those before it")
        return value

    def _node(self, indent: int, depth: int) -> JsonValue:
        if depth > MAX_DEPTH:
            raise ValueError("it is nested too deeply")
        _, _, text = self._lines[self._next]
        if text == "-" or text.startswith("- "):
            return self._list(indent, depth)
        if _KEY.fullmatch(text):
            return self._map(indent, depth)
        self._next += 1
        return self._value(text, indent, depth)

    def _list(self, indent: int, depth: int) -> list[JsonValue]:
        found: list[JsonValue] = []
        while self._is_at(indent) and (self._text() == "-" or self._text().startswith("- ")):
            number, _, text = self._lines[self._next]
            rest = text[1:].lstrip()
            if rest and (_KEY.fullmatch(rest) or rest == "-" or rest.startswith("- ")):
                inner = indent + len(text) - len(rest)
                self._lines[self._next] = (number, inner, rest)
                found.append(self._node(inner, depth + 1))
            else:
                self._next += 1
                found.append(self._value(rest, indent, depth))
        return found

    def _map(self, indent: int, depth: int) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        while self._is_at(indent) and (match := _KEY.fullmatch(self._text())):
            key = match.group(1).strip()
            if key in found or key == "<<":
                raise ValueError(f"the key {key} is given twice")
            self._next += 1
            rest = (match.group(2) or "").strip()
            if not _bare(rest) and self._is_at(indent) and self._text().startswith("-"):
                found[key] = self._list(indent, depth + 1)  # lists may stand as far left as their key
            else:
                found[key] = self._value(rest, indent, depth)
        return found

    def _is_at(self, indent: int) -> bool:
        return self._next < len(self._lines) and self._lines[self._next][1] == indent

    def _text(self) -> str:
        return self._lines[self._next][2]

    def _value(self, text: str, indent: int, depth: int) -> JsonValue:
        """Read the value after a key or a dash, or below it."""
        bare = _bare(text)
        if _BLOCK.fullmatch(bare):
            return self._block(indent)
        is_below = self._next < len(self._lines) and self._lines[self._next][1] > indent
        if not bare:
            return self._node(self._lines[self._next][1], depth + 1) if is_below else ""
        if is_below:
            raise ValueError("a value goes on in the next line")
        if bare[0] in "\"'":
            if not _QUOTED.fullmatch(bare):
                raise ValueError("a text in quotes does not end")
        elif _ODD.match(bare) or ": " in bare or (bare[0] in "[{") != (bare[-1] in "]}"):
            raise ValueError("a value is built in a way that is not read here")
        return bare

    def _block(self, indent: int) -> str:
        first = self._lines[self._next - 1][0] + 1
        end = first
        while end < len(self._raw) and (not self._raw[end].strip() or self._raw[end].startswith(" " * (indent + 1))):
            end += 1
        while self._next < len(self._lines) and self._lines[self._next][0] < end:
            self._next += 1
        return "\n".join(self._raw[first:end]).rstrip("\n")


def _bare(text: str) -> str:
    """Return a value without a comment behind it."""
    quoted = _QUOTED.match(text)
    if quoted:
        return quoted.group() if not _COMMENT.sub("", text[quoted.end() :]).strip() else text
    return _COMMENT.sub("", text).strip()
