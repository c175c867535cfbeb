"""`aura locks`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, red
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.locks import lock_to_json, remote_option, until, whose
from aura_vcs.cli.shared.transfers import connected
from aura_vcs.plain_text import now
from aura_vcs.sync.locks.locks import check_lockable, remote_locks
from aura_vcs.sync.state.lock_record import is_active

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.state.lock_record import PathLock


@click.command("locks", context_settings=HELP, epilog=examples("aura locks", "aura locks --remote nas --json"))
@remote_option
@json_option
@pass_repository
def locks_command(repo: "Repository", console: Console, *, remote: str | None) -> None:
    """List who has locked what"""
    check_lockable(repo, remote)
    with connected(repo, remote) as link:
        found = remote_locks(repo, link.remote, link.cache)
    if console.as_json:
        console.data({"remote": link.name, "locks": [lock_to_json(repo, lock) for lock in found]})
        return
    for lock in found:
        _line(repo, console, lock)
    if not found:
        console.line("Nothing is locked on ", cyan(link.name), faint(": `aura lock FILE` locks a file."))


def _line(repo: "Repository", console: Console, lock: "PathLock") -> None:
    mine = green("  yours") if lock.replica == repo.replica else ""
    console.line(cyan(lock.path), mine)
    if is_active(lock, now()):
        console.line("    ", whose(lock), faint(f" ({until(lock)})"))
    else:
        console.line("    ", whose(lock), red(" expired"), faint(": anybody can take it over"))
