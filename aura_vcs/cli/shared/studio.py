"""What the studio's commands share: settings of the project at hand, and its place in the list."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.configured_name import drop_project, enter_project
from aura_vcs.cli.output.console import clean_input
from aura_vcs.cli.session import Session, current_session
from aura_vcs.errors.input import ForeignOwner, NotAProject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from aura_vcs.cli.output.console import Console, Part
    from aura_vcs.maintenance.retention import RetentionRules
    from aura_vcs.repository.repository import Repository


def settings_here(session: Session) -> dict[str, Any]:
    """Return what the project that the folder is in sets; empty outside of a project."""
    try:
        with session.open() as repo:
            from aura_vcs.studio.project_configuration import project_settings  # it is a project

            return project_settings(repo)
    except (NotAProject, ForeignOwner):
        return {}


def setting(repo: "Repository", key: str) -> Any:
    """Return the value of a key that holds for this project."""
    from aura_vcs.studio.project_configuration import configured_value

    return configured_value(repo, current_session().studio, key)


def expire_days(repo: "Repository") -> float:
    """After how many days an edit of now can no longer be undone; 0 is never."""
    return float(setting(repo, "actions.expire_days"))


def retention_rules(repo: "Repository") -> "RetentionRules":
    """Read the rules of retention as they are configured for this project."""
    from aura_vcs.studio.retention_rules import configured_rules

    return configured_rules(repo, current_session().studio)


def note_project(root: str, console: "Console") -> None:
    """Keep the studio's list up to date with this project; a studio that was never used stays unused."""
    session = current_session()
    if (home := session.listing_folder()) is not None:
        enter_project(root, home, session.studio, console)


def forget_purged(root: str, console: "Console") -> None:
    """Take a project that is gone for good off the studio's list."""
    session = current_session()
    if (home := session.listing_folder()) is not None:
        drop_project(root, home, session.studio, console)


def assignments(values: "Iterable[str]") -> dict[str, str]:
    """`FIELD=VALUE` arguments as a dict.

    Raises:
        UsageError: an argument has no `=`.
    """
    found = {}
    for text in values:
        field, sign, value = text.partition("=")
        if not sign or not field:
            raise click.UsageError(f"{text!r} is not FIELD=VALUE, for example title='The Solar System'")
        found[field.strip()] = clean_input(value)
    return found


def table(console: "Console", rows: "Iterable[Mapping[str, Part]]") -> None:
    """Print rows of columns of the same names, each column as wide as its widest text."""
    listed = list(rows)
    if not listed:
        return
    console.lines(_rows(listed), paged=True)


def _rows(listed: "list[Mapping[str, Part]]") -> "Iterator[list[Part]]":
    widths = {name: max(len(_text(row[name])) for row in listed) for name in listed[0]}
    *names, last = listed[0]
    for row in listed:
        parts: list[Part] = []
        for name in names:
            parts += [row[name], " " * (widths[name] - len(_text(row[name])) + 2)]
        yield [*parts, row[last]]


def _text(part: "Part") -> str:
    return part if isinstance(part, str) else part.text
