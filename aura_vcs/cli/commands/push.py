"""`aura push`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.transfers import (
    all_versions_option,
    connected,
    ignore_locks_option,
    print_pushed,
    push_to_json,
)
from aura_vcs.sync.push import plan_push, push

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command("push", context_settings=HELP, epilog=examples("aura push", "aura push nas --dry-run"))
@click.argument("remote", required=False, shell_complete=completing("remote"))
@all_versions_option
@ignore_locks_option
@dry_run_option
@json_option
@pass_repository
def push_command(
    repo: "Repository", console: Console, *, remote: str | None, all_versions: bool, ignore_locks: bool, dry_run: bool
) -> None:
    """Send your versions to a remote

    Sends all branches and tags, with their versions. If somebody else has pushed versions that are not
    here, nothing is changed there and the command ends with exit code 97; `aura sync` sorts it out. A
    change to a file that somebody else has locked is refused with exit code 100.
    """
    with connected(repo, remote) as link:
        action = plan_push if dry_run else push
        plan = action(repo, link.remote, link.cache, all_versions=all_versions, ignore_locks=ignore_locks)
    if console.as_json:
        console.data({"dry_run": dry_run, **push_to_json(repo, plan)})
        return
    print_pushed(console, link.name, plan, verb="Would send" if dry_run else "Sent")
