"""The place of the project at hand in the studio's list: brought up to date where the studio is used, or a warning."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aura_vcs.errors import AuraError

if TYPE_CHECKING:
    from aura_vcs.cli.output.console import Console
    from aura_vcs.studio.project_configuration import OpenStudio


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
