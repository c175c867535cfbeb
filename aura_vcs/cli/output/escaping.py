"""Making text from outside harmless: what a terminal, or a reader's eye, would take for a command.

File names, notes, messages: all of it is escaped before it is shown. Escaped are control
characters (ESC and with it every OSC and CSI sequence, newlines, C1), marks that turn the
direction of writing (U+202E and its kin), everything else Unicode calls not printable, and bytes
of names that are not UTF-8. Left alone are spaces of every width and the joiners that Persian
and emoji are written with.
"""

import re

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
