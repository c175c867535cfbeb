"""What the commands about locks have in common: shapes, words, and the advice of `status` and `commit`."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aura_vcs.cli.configured_name import may_be_configured
from aura_vcs.cli.options import completing
from aura_vcs.cli.output.console import Console, Part, faint
from aura_vcs.cli.output.humanize import age, count, local_time
from aura_vcs.cli.session import current_session
from aura_vcs.errors import AuraError
from aura_vcs.layout import REMOTES
from aura_vcs.plain_text import now
from aura_vcs.suggestions import quote_path

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.locks.advice import Advice
    from aura_vcs.sync.state.lock_record import PathLock

F = TypeVar("F", bound=Callable[..., Any])

PATTERNS = "locks.patterns"
SHOWN = 10
"""So many files are named in a warning."""


def remote_option(command: F) -> F:
    """Add `--remote`: where the locks are."""
    return click.option(
        "--remote",
        metavar="NAME",
        shell_complete=completing("remote"),
        help="The remote that keeps the locks (default: origin)",
    )(command)


def lock_to_json(repo: "Repository", lock: "PathLock") -> dict[str, Any]:
    """L: a lock."""
    from aura_vcs.sync.state.lock_record import is_active

    return {
        "path": lock.path,
        "owner": lock.owner,
        "host": lock.host,
        "replica": lock.replica,
        "mine": lock.replica == repo.replica,
        "reason": lock.reason,
        "taken_at": lock.taken_at,
        "expires_at": lock.expires_at,
        "expired": not is_active(lock, now()),
    }


def until(lock: "PathLock") -> str:
    """Format how long it holds: "until 2026-11-24 18:00", "until it is unlocked"."""
    return f"until {local_time(lock.expires_at)}" if lock.expires_at is not None else "until it is unlocked"


def whose(lock: "PathLock") -> str:
    """Say whose it is and since when: "Ben on desktop, since 2 hours ago: new colours"."""
    return f"{lock.owner} on {lock.host}, {age(lock.taken_at)}{f': {lock.reason}' if lock.reason else ''}"


def advice_on(repo: "Repository", changed: Iterable[str]) -> tuple["Advice", ...]:
    """Return what is known here about locks on the paths; nothing is imported where there never was a remote."""
    if repo.storage.stat(REMOTES) is None or not (paths := list(changed)):
        return ()
    from aura_vcs.sync.locks.advice import lock_advice

    return lock_advice(repo, paths, _patterns(repo))


def _patterns(repo: "Repository") -> Sequence[object]:
    """Return what `locks.patterns` says; the studio is not opened where neither project nor person set it.

    What the person set counts for nothing, with a warning, where it cannot be read: a commit is made by then.
    """
    session = current_session()
    try:
        if PATTERNS not in repo.refs.settings() and not may_be_configured(session.studio_folder(), PATTERNS):
            return ()
        from aura_vcs.cli.shared.studio import setting

        found: Sequence[object] = setting(repo, PATTERNS)
    except AuraError as error:
        from aura_vcs.studio.project_configuration import configured_value  # a studio can be used, nearly always

        session.console.warn("your settings could not be read: ", error.message)
        found = configured_value(repo, None, PATTERNS)
    return found


def advice_to_json(repo: "Repository", advice: Iterable["Advice"]) -> list[dict[str, Any]]:
    """Convert the advice to JSON."""
    return [
        {
            "path": item.path,
            "problem": item.problem,
            "remote": item.remote,
            "lock": lock_to_json(repo, item.lock) if item.lock is not None else None,
        }
        for item in advice
    ]


def print_advice(console: Console, advice: Iterable["Advice"]) -> None:
    """Warn of changed files that others have locked, and of such that should be locked."""
    items = list(advice)
    for item in items[:SHOWN]:
        if item.lock is None:
            continue
        if item.problem == "expired":
            path = item.lock.path
            console.warn(f"your lock on {path} has expired; `aura lock {quote_path(path)}` renews it")
        else:
            console.warn(f"{item.path} is locked by {whose(item.lock)}. A push of your change will be refused.")
    _print_unlocked(console, [item.path for item in items if item.problem == "not_locked"])


def _print_unlocked(console: Console, paths: list[str]) -> None:
    if not paths:
        return
    named: list[Part] = [", ".join(paths[:SHOWN]) if len(paths) <= SHOWN else count(len(paths), "file")]
    verb = "is" if len(paths) == 1 else "are"

    console.note(*named, f" {verb} to be locked before others work on it too: `aura lock {quote_path(paths[0])}`")
    console.note(faint("What is known about locks is as old as your last sync."))
