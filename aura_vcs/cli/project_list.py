"""The place of the project at hand in the studio's list, kept up to date by what is done in it."""

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import StorageError
from aura_vcs.layout import AURA, LISTED, TEMPORARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from aura_vcs.cli.output.console import Console
    from aura_vcs.repository.repository import Repository
    from aura_vcs.studio.studio import Studio

    Opened = Callable[[], Studio]


def follow_project(repo: "Repository", home: str, studio: "Opened", console: "Console") -> None:
    """Enter a project in which something was done and that the list does not know, or knows elsewhere.

    `home` is the studio's folder. A project that was taken off the list stays off it: `local/listed`
    says where the project was when it was entered last, and in which studio.
    """
    try:
        if repo.storage.read(LISTED) == _mark(repo.root, home):
            return
    except (FileNotFoundError, StorageError):  # what cannot be read is written anew, if that is possible
        pass
    enter_project(repo.root, home, studio, console)


def enter_project(root: str, home: str, studio: "Opened", console: "Console") -> None:
    """Bring the list up to date with the project at `root`; a studio that was never used stays unused."""
    if _is_used(home):
        from aura_vcs.studio.projects import add_project

        _change(studio, lambda opened: add_project(opened, root, noticed=True), console)
        _remember(root, home)


def drop_project(root: str, home: str, studio: "Opened", console: "Console") -> None:
    """Take a project that is gone for good off the list."""
    if _is_used(home):
        from aura_vcs.studio.projects import drop_entry

        _change(studio, lambda opened: drop_entry(opened, root), console)


def _is_used(home: str) -> bool:
    return os.path.isdir(home) or bool(os.environ.get("AURA_HOME"))


def _change(studio: "Opened", change: "Callable[[Studio], object]", console: "Console") -> None:
    try:
        with studio() as opened:
            change(opened)
    except AuraError as error:
        console.warn("the studio's list could not be brought up to date: ", error.message)


def _remember(root: str, home: str) -> None:
    from aura_vcs.storage.local import LocalStorage

    with suppress(StorageError):  # the next command tries again
        LocalStorage(os.path.join(root, AURA), temporary=TEMPORARY).put(LISTED, _mark(root, home))


def _mark(root: str, home: str) -> bytes:
    return os.fsencode(f"{home}\n{os.path.realpath(root)}\n")
