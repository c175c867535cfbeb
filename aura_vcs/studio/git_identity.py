"""The name and mail address that a person gave git, as an answer to offer: read from its files, git is not run."""

import re
from collections.abc import Iterable

import msgspec

LIMIT_BYTES = 256 << 10
"""A longer file of settings is not looked into."""
_SECTION = re.compile(r"\[\s*(?P<name>[A-Za-z0-9.-]+)(\s+\"[^\"]*\")?\s*\]\s*(?P<rest>.*)")
_LINE = re.compile(r"(?P<key>[A-Za-z][A-Za-z0-9-]*)\s*=\s*(?P<value>.*)")


class GitIdentity(msgspec.Struct, frozen=True):
    """`user.name` and `user.email`, "" where they are not set."""

    name: str = ""
    mail: str = ""


def git_identity(files: Iterable[str]) -> GitIdentity:
    """Read the identity from files of git's settings, of which a later one counts more.

    Files that are not there, cannot be read or are too large are passed over. Files that they include are not
    followed. The syntax is that of git-config's documentation: sections, `key = value`, quotes, comments.
    """
    found: dict[str, str] = {}
    for path in files:
        try:
            with open(path, "rb") as file:
                data = file.read(LIMIT_BYTES + 1)
        except (OSError, ValueError):
            continue
        if len(data) <= LIMIT_BYTES:
            found |= _user_section(data.decode("utf-8", "replace"))
    return GitIdentity(found.get("name", ""), found.get("email", ""))


def _user_section(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    section = ""
    for raw in text.splitlines():
        line = raw.strip()
        if match := _SECTION.fullmatch(line):
            section = match["name"].lower() if match[2] is None else ""
            line = match["rest"]
        if section == "user" and (match := _LINE.fullmatch(line)):
            values[match["key"].lower()] = _value(match["value"])
    return values


def _value(text: str) -> str:
    """Return a value without its quotes, escapes and comment; one line of printable text."""
    parts: list[str] = []
    quoted = escaped = False
    for letter in text:
        if escaped:
            parts.append(letter)
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter == '"':
            quoted = not quoted
        elif letter in "#;" and not quoted:
            break
        else:
            parts.append(letter)
    return "".join(letter for letter in "".join(parts) if letter.isprintable()).strip()
