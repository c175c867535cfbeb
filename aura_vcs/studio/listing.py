"""The place of a project in the studio's list, kept up to date by what is done in it."""

from typing import TYPE_CHECKING

from aura_vcs.repository.listed_mark import is_listed, mark_listed
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.projects import add_project, drop_entry

if TYPE_CHECKING:
    from aura_vcs.studio.project_configuration import OpenStudio


def follow_project(repo: Repository, home: str, studio: "OpenStudio") -> None:
    """Enter a project in which something was done and that the list does not know, or knows elsewhere.

    `home` is the studio's folder. A project that was taken off the list stays off it: it remembers that it was
    entered.

    Raises:
        AuraError: the list cannot be brought up to date.
    """
    if not is_listed(repo, home):
        enter_project(repo.root, home, studio)


def enter_project(root: str, home: str, studio: "OpenStudio") -> None:
    """Bring the list up to date with the project at `root`.

    Raises:
        AuraError: the list cannot be brought up to date.
    """
    with studio() as opened:
        add_project(opened, root, noticed=True)
    mark_listed(root, home)


def drop_project(root: str, studio: "OpenStudio") -> None:
    """Take a project that is gone for good off the list.

    Raises:
        AuraError: the list cannot be brought up to date.
    """
    with studio() as opened:
        drop_entry(opened, root)
