"""`aura sync`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.transfers import (
    all_versions_option,
    connected,
    ignore_locks_option,
    merge_when_apart,
    print_fetched,
    print_pulled,
    print_pushed,
    print_unsaved,
    pull_to_json,
    push_to_json,
    unsaved_paths,
)
from aura_vcs.sync.pull import is_exchanged, sync, sync_pushed
from aura_vcs.sync.remotes.config import remotes

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.pull import Synced


@click.command("sync", context_settings=HELP, epilog=examples("aura sync", "aura sync nas --json"))
@click.argument("remote", required=False, shell_complete=completing("remote"))
@all_versions_option
@ignore_locks_option
@json_option
@pass_repository
def sync_command(
    repo: "Repository", console: Console, *, remote: str | None, all_versions: bool, ignore_locks: bool
) -> None:
    """Bring both sides together: pull, then push

    Safe to repeat. Says which files are not saved in a version, because only versions are sent. If two
    machines moved the branch apart, what they did is merged if that leaves no conflicts (see the
    setting sync.merge); otherwise both are kept on both machines. A change to a file that somebody else
    has locked is not sent: the command then ends with exit code 100, after the pull. In a project
    without remotes that others clone and push to, takes what they pushed.
    """
    if remote is None and is_exchanged(repo) and not remotes(repo):
        _print(repo, console, sync_pushed(repo, merge=merge_when_apart), None)
        return
    with connected(repo, remote) as link:
        done = sync(
            repo, link.remote, link.cache, all_versions=all_versions, ignore_locks=ignore_locks,
            merge=merge_when_apart,
        )  # fmt: skip
    _print(repo, console, done, link.name)


def _print(repo: "Repository", console: Console, done: "Synced", remote: str | None) -> None:
    unsaved = unsaved_paths(repo)
    if console.as_json:
        shape = {"pulled": pull_to_json(repo, done.pulled), "pushed": push_to_json(repo, done.pushed)}
        console.data({**shape, "unsaved": unsaved})
    elif remote is None:
        pulled = done.pulled
        if pulled.files is None and not (pulled.diverged or pulled.in_the_way or pulled.without_content):
            console.line("Nothing to pull. Others fetch from here what they do not have: this project has no remote.")
    elif done.pulled.fetched.plan.is_empty and done.pushed.is_empty:
        console.line(f"Both sides have {'every version' if unsaved else 'everything'}")
    else:
        print_fetched(console, remote, done.pulled.fetched.plan)
        print_pushed(console, remote, done.pushed)
    print_pulled(repo, console, done.pulled)
    if not (console.as_json or done.pulled.in_the_way):  # which are named already
        print_unsaved(console, unsaved)
