"""What commands take from the person's studio and tell it: the configured name, the project's place in the list."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from aura_vcs.codec import decode_record
from aura_vcs.errors import AuraError
from aura_vcs.storage.local import LocalStorage

if TYPE_CHECKING:
    from aura_vcs.cli.output.console import Console
    from aura_vcs.studio.project_configuration import OpenStudio


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


def enter_project(root: str, home: str, studio: "OpenStudio", console: "Console") -> None:
    """Bring the list up to date with the project at `root`; a studio that was never used stays unused."""
    if _is_used(home):
        from aura_vcs.studio.listing import enter_project as enter

        with _warning(console):
            enter(root, home, studio)


def drop_project(root: str, home: str, studio: "OpenStudio", console: "Console") -> None:
    """Take a project that is gone for good off the list."""
    if _is_used(home):
        from aura_vcs.studio.listing import drop_project as drop  # projects are seldom purged

        with _warning(console):
            drop(root, studio)


def _is_used(home: str) -> bool:
    return os.path.isdir(home) or bool(os.environ.get("AURA_HOME"))


@contextmanager
def _warning(console: "Console") -> Iterator[None]:
    try:
        yield
    except AuraError as error:
        console.warn("the studio's list could not be brought up to date: ", error.message)
    except OSError as error:  # AURA_HOME is no folder
        console.warn("the studio's list could not be brought up to date: ", str(error))
