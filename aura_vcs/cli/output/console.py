"""What is written to the terminal, and how: text in parts that are all escaped, or JSON.

Data goes to stdout, notes and warnings to stderr. Nothing but `Console` makes escape sequences,
and only for a terminal that wants colour.

File names, notes, messages: all of it is escaped before it is shown. Escaped are control
characters (ESC and with it every OSC and CSI sequence, newlines, C1), marks that turn the
direction of writing (U+202E and its kin), everything else Unicode calls not printable, and bytes
of names that are not UTF-8. Left alone are spaces of every width and the joiners that Persian
and emoji are written with.
"""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import Any

import click
import msgspec

from aura_vcs.plain_text import readable_name

_SUSPECT_IN_JSON = "[^\n -~\xa1-\u02ff]"
_JOINERS = "\u200c\u200d"
_SURROGATE_ESCAPES = range(0xDC80, 0xDD00)
"""What stands for a byte that is not UTF-8 (PEP 383)."""


def escape(text: str) -> str:
    """Escape the text to one line that any terminal can be given: `\\x1b`, `\\n`, `\\u202e`, `\\xe9`.

    Text without anything to escape comes back as it is. In other text, backslashes are doubled.
    """
    if text.isprintable() or all(map(_is_plain, text)):
        return text
    return "".join(map(_escaped, text))


def _is_plain(char: str) -> bool:
    return char.isprintable() or char in _JOINERS or (char.isspace() and ord(char) >= 0xA0 and not _breaks(char))


def _breaks(char: str) -> bool:
    return char in "\u2028\u2029"


def _escaped(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if _is_plain(char):
        return char
    code = ord(char)
    if code in _SURROGATE_ESCAPES:
        return f"\\x{code - 0xDC00:02x}"
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    return short or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")


def clean_input(text: str) -> str:
    """Text from the command line or the environment as records can hold it: U+FFFD for stray bytes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def escape_json(text: str) -> str:
    """JSON in which whatever is not printable is a `\\uXXXX`: harmless to a terminal, the same to a parser."""
    return re.sub(_SUSPECT_IN_JSON, _json_escaped, text)


def _json_escaped(match: re.Match[str]) -> str:
    char = match[0]
    if char.isprintable():
        return char
    data = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{data[i]:02x}{data[i + 1]:02x}" for i in range(0, len(data), 2))


BLOCK_LINES = 200
"""So many lines are written at once."""


class Painted(msgspec.Struct, frozen=True):
    """A piece of a line with a colour or weight."""

    text: str
    colour: str | None = None
    bold: bool = False
    dim: bool = False


Part = str | Painted
"""A piece of a line: escaped when it is written, whatever it is."""
Line = Sequence[Part]


def strong(text: str) -> Painted:
    """Paint bold what the line is about."""
    return Painted(text, bold=True)


def green(text: str) -> Painted:
    """Paint green what was added or went well."""
    return Painted(text, "green")


def red(text: str) -> Painted:
    """Paint red what was removed or went wrong."""
    return Painted(text, "red")


def yellow(text: str) -> Painted:
    """Paint yellow a version, or something to look at."""
    return Painted(text, "yellow")


def cyan(text: str) -> Painted:
    """Paint cyan a place: a branch, a heading."""
    return Painted(text, "cyan")


def faint(text: str) -> Painted:
    """Paint faint what is beside the point."""
    return Painted(text, dim=True)


def written(line: Line) -> str:
    """Format the line with its escape sequences; all its text is escaped."""
    return "".join(_paint(part) if isinstance(part, Painted) else escape(part) for part in line)


def _paint(part: Painted) -> str:
    text = escape(part.text)
    if part.colour is None and not part.bold and not part.dim:
        return text
    start, end = _sequences(part.colour, bold=part.bold, dim=part.dim)
    return f"{start}{text}{end}"


@cache
def _sequences(colour: str | None, *, bold: bool, dim: bool) -> tuple[str, str]:
    """Return the escape sequences before and after a painted text."""
    start, _, end = click.style("|", fg=colour, bold=bold or None, dim=dim or None).partition("|")
    return start, end


class Console:
    """Where a command's results go. `as_json` says what the person asked for."""

    def __init__(self, *, as_json: bool = False, pager: bool = True) -> None:
        self.as_json = as_json
        self.pager = pager
        self.exit_code = 0
        """What the command ends with although it did not fail: 3 where something was left out."""
        self.lost: OSError | None = None
        """Why some of the output could not be written; the command goes on with its work."""

    def line(self, *parts: Part) -> None:
        """Write one line of data; nothing where JSON was asked for."""
        if not self.as_json:
            self._write(written(parts))

    def note(self, *parts: Part) -> None:
        """Write one line to stderr, for a person; where nothing can be written, it is not said."""
        with suppress(OSError):
            click.echo(written(parts), err=True, color=uses_colour())

    def warn(self, *parts: Part) -> None:
        """Write a warning to stderr."""
        self.note(Painted("warning: ", "yellow"), *parts)

    def data(self, value: Any) -> None:
        """Write the JSON that was asked for."""
        self._write(to_json(value))

    def items(self, key: str, items: Iterable[Any]) -> None:
        """Write the JSON that was asked for, a list under one key, while its items are still being found.

        An error on the way leaves it cut off, which no parser takes for the whole.
        """
        head, tail = f'{{\n  "{key}": [\n', "\n  ]\n}"
        remaining = iter(items)
        written_any = False
        while block := list(islice(remaining, BLOCK_LINES)):
            text = to_json({key: block})[len(head) : -len(tail)]
            self._write(f",\n{text}" if written_any else f"{head}{text}", end="")
            written_any = True
            if self.lost is not None:
                return
        self._write(tail if written_any else to_json({key: []}))

    def _write(self, text: str, end: str = "\n") -> None:
        """Write text and a line break to stdout.

        A pipe that nobody reads any more ends the command (BrokenPipeError); what a full disk refuses is
        lost, and told at the end.
        """
        try:
            click.echo(text + end, nl=False, color=uses_colour())
        except BrokenPipeError:
            raise
        except OSError as error:
            self.lost = error

    def lines(self, lines: Iterable[Line], *, paged: bool = False) -> None:
        """Write many lines; on a terminal through a pager, if `paged`."""
        if paged and self.pager and is_terminal(sys.stdout) and is_terminal(sys.stdin):
            from aura_vcs.cli.output import pager  # for a person alone

            pager.page((written(line) for line in lines), colour=uses_colour())
            return
        if self.as_json:
            return
        remaining = iter(lines)
        while block := [written(line) for line in islice(remaining, BLOCK_LINES)]:
            self._write("\n".join(block))
            if self.lost is not None:
                return

    def ask(self, question: str) -> bool:
        """Ask whether the person says yes; no where there is nobody to ask."""
        if self.as_json or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            return False
        return click.confirm(escape(question), default=False, err=True)


def is_terminal(stream: Any) -> bool:
    """Tell whether a person sits at the stream; it may be closed, or absent."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def uses_colour() -> bool | None:
    """Return False where NO_COLOR is set or the terminal knows no colours, else None: it depends on the terminal."""
    return False if os.environ.get("NO_COLOR") or is_dumb() else None


def is_dumb() -> bool:
    """Tell whether the terminal says that it understands nothing but text."""
    return os.environ.get("TERM") == "dumb"


def to_json(value: Any) -> str:
    """Format the value as indented JSON that is safe on a terminal.

    Strings that are not Unicode (names of files, mostly) have `\\xNN` for the bytes that are not.
    """
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        data = msgspec.json.encode(_as_unicode(msgspec.to_builtins(value)))
    return escape_json(msgspec.json.format(data, indent=2).decode())


def _as_unicode(value: Any) -> Any:
    if isinstance(value, str):
        return readable_name(value)
    if isinstance(value, list | tuple):
        return [_as_unicode(item) for item in value]
    if isinstance(value, dict):
        return {_as_unicode(key): _as_unicode(item) for key, item in value.items()}
    return value
