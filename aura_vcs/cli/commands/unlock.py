"""`aura unlock`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, cyan
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.cli.shared.locks import lock_to_json, remote_option, whose
from aura_vcs.cli.shared.transfers import connected
from aura_vcs.sync.locks.locks import check_lockable, unlock_paths

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.locks.locks import UnlockResult


@click.command(
    "unlock",
    context_settings=HELP,
    epilog=examples("aura unlock titles.aep", "aura unlock --all", "aura unlock --force assets/video/intro.mp4"),
)
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@click.option("--all", "everything", is_flag=True, help="Release everything that is locked from here")
@click.option("--force", is_flag=True, help="Release somebody else's lock, too")
@remote_option
@json_option
@pass_repository
def unlock_command(
    repo: "Repository", console: Console, *, paths: tuple[str, ...], everything: bool, force: bool, remote: str | None
) -> None:
    """Release locks

    Releases exactly these PATHS, all or none. Somebody else's lock needs --force, unless it has
    expired. Ends with exit code 3 if your version of a file is not on the remote yet: others would
    begin with an old one.
    """
    if bool(paths) == everything:
        raise click.UsageError("Name the files to unlock, or give --all.")
    check_lockable(repo, remote)
    with connected(repo, remote) as link:
        wanted = None if everything else project_paths(repo, paths)
        done = unlock_paths(repo, link.remote, link.cache, wanted, force=force)
    if done.unsent:
        console.exit_code = 3
    if console.as_json:
        released = [lock_to_json(repo, lock) for lock in done.locks]
        console.data({"remote": link.name, "released": released, "unsent": list(done.unsent)})
        return
    _show(repo, console, done)


def _show(repo: "Repository", console: Console, done: "UnlockResult") -> None:
    for lock in done.locks:
        other = "" if lock.replica == repo.replica else f"; it was locked by {whose(lock)}"
        console.line("Unlocked ", cyan(lock.path), other)
    for path in done.unsent:
        console.warn(f"your {path} is not on the remote yet: commit and `aura push`, or others begin with an old one.")
    if not done.locks:
        console.line("Nothing is locked from here.")
