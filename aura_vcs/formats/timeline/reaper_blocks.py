"""The blocks of a REAPER project: `<NAME …`, lines and blocks in it, `>`; with the places of all in the text.

REAPER quotes a field with the first of `"`, `'` and `` ` `` that is not in it.
"""

import re
from collections.abc import Iterator, Sequence

from aura_vcs.formats.jsondoc.parse import Unstructured

MAX_DEPTH = 60
MAX_LINES = 3_000_000
_FIELD = re.compile(r'"([^"]*)"|\'([^\']*)\'|`([^`]*)`|(\S+)')


class Block:
    """A block: its name, the rest of its first line, and what is in it, lines and blocks in order.

    `start` to `end` (exclusive) are the lines of the file that it takes, counted from 0.
    """

    __slots__ = ("_first", "_indexed", "children", "end", "head", "name", "start")

    def __init__(self, name: str, head: str, start: int) -> None:
        self.name = name
        self.head = head
        self.start = start
        self.end = start + 1
        self.children: list[Block | tuple[int, str]] = []
        self._first: dict[str, tuple[int, str]] = {}
        """By the first word of a line: the first line with it, of as many children as are looked through."""
        self._indexed = 0

    def lines(self) -> Iterator[tuple[int, str]]:
        """Return the lines directly in it, with their numbers."""
        return iter([child for child in self.children if isinstance(child, tuple)])

    def blocks(self, *names: str) -> Iterator["Block"]:
        """Return the blocks directly in it, of these names."""
        blocks = [child for child in self.children if isinstance(child, Block)]
        return iter([block for block in blocks if block.name in names] if names else blocks)

    def line(self, name: str) -> str:
        """Return what follows that name on the first line of it; "" where there is none."""
        return self._line(name)[1][len(name) + 1 :]

    def _line(self, name: str) -> tuple[int, str]:
        if self._indexed != len(self.children):
            lines = [child for child in self.children if isinstance(child, tuple)]
            self._first = {child[1].partition(" ")[0]: child for child in reversed(lines)}
            self._indexed = len(self.children)
        return self._first.get(name, (-1, ""))

    def number_of(self, name: str) -> int:
        """Return the line of the file on which that name stands first, -1 for nowhere."""
        return self._line(name)[0]

    def fields(self, name: str) -> list[str]:
        """Return the fields of the first line of that name."""
        return fields_of(self.line(name))


def fields_of(text: str) -> list[str]:
    """Split a line into fields, quotes undone."""
    if '"' not in text and "'" not in text and "`" not in text:
        return text.split()
    return ["".join(groups) for groups in _FIELD.findall(text)]


def quoted(text: str) -> str:
    """Write a field as REAPER does."""
    for quote in ('"', "'", "`"):
        if quote not in text:
            return f"{quote}{text}{quote}"
    return f"`{text.replace('`', chr(39))}`"


def parse_blocks(lines: Sequence[str]) -> Block | Unstructured:
    """Parse the one block that a project is, from its lines, or say why it is none."""
    if len(lines) > MAX_LINES:
        return Unstructured(f"it has more than {MAX_LINES:,} lines")
    try:
        return _parse(lines)
    except ValueError as error:
        return Unstructured(str(error))


def _parse(lines: Sequence[str]) -> Block:
    top = Block("", "", 0)
    stack = [top]
    add = top.children.append
    for n, line in enumerate(lines):
        text = line.strip()
        begin = text[:1]
        if begin not in "<>" and len(stack) > 1:  # nearly every line: first
            add((n, text))
        elif begin == "<":
            name, _, head = text[1:].partition(" ")
            block = Block(name, head, n)
            if len(stack) == 1 and top.children:
                raise ValueError(f"line {n + 1:,} begins a second project")
            add(block)
            stack.append(block)
            add = block.children.append
            if len(stack) > MAX_DEPTH:
                raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")
        elif text == ">":
            if len(stack) == 1:
                raise ValueError(f"line {n + 1:,} closes what was never opened")
            stack.pop().end = n + 1
            add = stack[-1].children.append
        elif len(stack) > 1:
            add((n, text))
        elif text:
            raise ValueError(f"line {n + 1:,} is in no block")
    first = next(top.blocks(), None)
    if first is None or len(stack) > 1:
        raise ValueError("a block in it is never closed" if first is not None else "it has no block in it")
    return first
