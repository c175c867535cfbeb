"""`aura lock`."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, TEXT, Duration, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, yellow
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.cli.shared.locks import lock_to_json, remote_option, until, whose
from aura_vcs.cli.shared.transfers import connected
from aura_vcs.index.queries import describe_numbered
from aura_vcs.suggestions import quote_path
from aura_vcs.sync.locks.locks import check_lockable, lock_paths

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.locks.locks import LockResult
    from aura_vcs.sync.locks.staleness import NewerVersion


@click.command(
    "lock",
    context_settings=HELP,
    epilog=examples(
        "aura lock titles.aep",
        'aura lock assets/video/intro.mp4 --reason "new colours" --expires 8h',
    ),
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(readable=False))
@click.option("--reason", metavar="TEXT", type=TEXT, default="", help="What you are doing, for the others")
@click.option(
    "--expires", metavar="TIME", type=Duration(), help="Others may take it after this time: 8h, 2d (default: never)"
)
@remote_option
@json_option
@pass_repository
def lock_command(
    repo: "Repository",
    console: Console,
    *,
    paths: tuple[str, ...],
    reason: str,
    expires: float | None,
    remote: str | None,
) -> None:
    """Tell everybody that you work on a file that cannot be merged

    The lock is kept by the remote, so that of two people exactly one gets it; pushes of others that
    change the file are refused. A folder is locked with everything in it. Ends with exit code 3 if the
    remote has a newer version of a file than you: get that first, with `aura pull`.
    """
    check_lockable(repo, remote)
    with connected(repo, remote) as link:
        wanted = project_paths(repo, paths)
        done = lock_paths(repo, link.remote, link.cache, wanted, reason=reason, seconds=expires)
    branch = repo.head().branch
    behind = [item for item in done.newer if item.branch == branch]
    if behind:
        console.exit_code = 3
    if console.as_json:
        console.data(
            {
                "remote": link.name,
                "locks": [lock_to_json(repo, lock) for lock in done.locks],
                "taken_over": [lock_to_json(repo, lock) for lock in done.taken_over],
                "newer": [_newer_to_json(item) for item in done.newer],
                "behind": bool(behind),
            }
        )
        return
    _show(repo, console, link.name, done, behind)


def _newer_to_json(item: "NewerVersion") -> dict[str, Any]:
    return {
        "path": item.path,
        "branch": item.branch,
        "version": {"id": item.version, "number": item.number},
        "name": item.name,
        "author": item.author,
    }


def _show(repo: "Repository", console: Console, remote: str, done: "LockResult", behind: list["NewerVersion"]) -> None:
    for lock in done.locks:
        console.line("Locked ", cyan(lock.path), " on ", remote, ", ", until(lock))
    for lock in done.taken_over:
        console.line(faint(f"  {lock.path} had been locked by {whose(lock)}; that lock had expired"))
    for item in done.newer:
        version = f'{describe_numbered(repo.queries, item.version, item.number)} "{item.name}" by {item.author}'
        if item in behind:
            console.warn(f"you are behind: {version} has a newer {item.path}. Run `aura pull` before you change it.")
        else:
            console.note("On the branch ", yellow(item.branch), f" {version} has another {item.path}.")
    if done.locks:
        console.line(faint(f"Unlock it with `aura unlock {quote_path(done.locks[0].path)}` when you have pushed."))
