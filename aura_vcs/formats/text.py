"""Text as lines and words: what scripts and subtitles are compared and joined by."""

import re

from aura_vcs.formats.jsondoc.parse import Unstructured

TEXT_BYTES_LIMIT = 32 * 2**20
NO_TEXT = "it holds control characters"
"""The reason of what was never meant to be text."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_WORD = r"\w+(?:['’]\w+)*|\s|[^\w\s]"
_CONTROL = "[\x00-\x08\x0e-\x1a\x1c-\x1f]"


def read_text(data: bytes) -> str | Unstructured:
    """Decode the text of a file, or say why it is not shown as text; nothing is normalised.

    UTF-8, or UTF-16 with its byte order mark. Bytes that hold control characters are no text.
    """
    if len(data) > TEXT_BYTES_LIMIT:
        return Unstructured(f"it is larger than {TEXT_BYTES_LIMIT // 2**20} MiB")
    try:
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8")
    except UnicodeDecodeError as error:
        return Unstructured(NO_TEXT if b"\0" in data else f"byte {error.start:,} is not valid UTF-8")
    if re.search(_CONTROL, text):
        return Unstructured(NO_TEXT)
    return text


def split_lines(text: str) -> list[str]:
    """Split a text into lines with their ends; only a line feed ends a line, so joining them gives the text back."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def split_words(text: str) -> list[str]:
    """Split a text into words, single spaces and single signs; joining them gives the text back."""
    return re.findall(_WORD, text)
