"""What a person configured, read for every version that is made: the studio is not imported for that."""

import msgspec

from aura_vcs.codec import decode_record
from aura_vcs.errors import AuraError
from aura_vcs.storage.local import LocalStorage

CONFIG_FILE = "config.json"
"""See studio.folder; what this file has is set by studio.configuration, which refuses what is not a name."""


class _Value(msgspec.Struct, frozen=True):
    value: object = None
    is_active: bool = True


class _Values(msgspec.Struct, frozen=True, rename={"name": "identity.name", "mail": "identity.mail"}):
    name: _Value | None = None
    mail: _Value | None = None


class _ConfigFile(msgspec.Struct, frozen=True):
    configurations: _Values = _Values()


def configured_name(folder: str) -> str:
    """Return the name set in the studio's folder, and behind it `<MAIL>` where there is one; "" where nobody was asked.

    So it is where the file cannot be read: `aura config list` says what is wrong with it.
    """
    try:
        data = LocalStorage(folder).read(CONFIG_FILE)
        values = decode_record(data, _ConfigFile, CONFIG_FILE).configurations
    except (FileNotFoundError, AuraError):
        return ""
    name, mail = _line(values.name), _line(values.mail)
    return f"{name} <{mail}>" if name and mail else name


def may_be_configured(folder: str, key: str) -> bool:
    """Tell whether the person may have given a key a value: the configuration has the word, or cannot be read."""
    try:
        return key.encode() in LocalStorage(folder).read(CONFIG_FILE)
    except FileNotFoundError:
        return False
    except AuraError:
        return True


def _line(given: _Value | None) -> str:
    """Return the text of a value, "" where it is none that the key can have, or is not set any more."""
    if given is None or not given.is_active or not isinstance(given.value, str):
        return ""
    text = given.value
    return text if text.isprintable() and text == text.strip() else ""
