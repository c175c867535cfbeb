"""Texts that are edited in a field of the page, and come back as the bytes that the file had, but for what was edited.

A field of a form knows one end of lines and no bytes. So only a text is edited whose bytes come out again where nothing
was changed.
"""

from aura_vcs.errors import InputError

MOST_BYTES = 512 << 10
"""A longer text is edited in a program for that."""
_BOM = "\ufeff"


def editable_text(data: bytes | None) -> str | None:
    """Return a text as a field shows it; None where a field could not give it back."""
    if data is None or len(data) > MOST_BYTES or b"\0" in data:
        return None
    try:
        text = data.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError:
        return None
    shown = text.replace("\r\n", "\n")
    return shown if edited_bytes(shown, data) == data else None


def edited_bytes(text: str, before: bytes) -> bytes:
    """Write an edited text as the file was written: with its ends of lines, and its mark at the beginning.

    Raises:
        InputError: it has what no file of text has.
    """
    if "\0" in text:
        raise InputError("A text has no NUL in it")
    plain = text.replace("\r\n", "\n")
    if b"\r\n" in before:
        plain = plain.replace("\n", "\r\n")
    mark = _BOM if before.startswith(_BOM.encode()) else ""
    try:
        return (mark + plain).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError("There is half a character in the text", hint="Write it once more.") from error
