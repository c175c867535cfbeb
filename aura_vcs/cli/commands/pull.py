"""`aura pull`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.transfers import (
    all_versions_option,
    connected,
    merge_when_apart,
    print_fetched,
    print_pulled,
    pull_to_json,
)
from aura_vcs.sync.pull import pull, take_pushed
from aura_vcs.sync.remotes.config import remotes

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.pull import Pulled


@click.command("pull", context_settings=HELP, epilog=examples("aura pull", "aura pull nas"))
@click.argument("remote", required=False, shell_complete=completing("remote"))
@all_versions_option
@json_option
@pass_repository
def pull_command(repo: "Repository", console: Console, *, remote: str | None, all_versions: bool) -> None:
    """Fetch, and bring your files to where the branch has gone

    Unsaved changes stay; if the new version changes the same files, nothing is touched and the command
    ends with exit code 3. If two machines moved the branch apart, what they did is merged if that
    leaves no conflicts; otherwise both sides are kept and it ends with exit code 3. The setting
    sync.merge changes that. In a project without remotes, takes what others have pushed into it.
    """
    if remote is None and not remotes(repo):
        _take_pushed(repo, console, take_pushed(repo, merge=merge_when_apart))
        return
    with connected(repo, remote) as link:
        pulled = pull(
            repo, link.remote, link.cache, all_versions=all_versions, merge=merge_when_apart
        )  # fmt: skip
    if console.as_json:
        console.data(pull_to_json(repo, pulled))
    else:
        print_fetched(console, link.name, pulled.fetched.plan)
    print_pulled(repo, console, pulled)


def _take_pushed(repo: "Repository", console: Console, pulled: "Pulled") -> None:
    if console.as_json:
        console.data(pull_to_json(repo, pulled))
    elif pulled.files is None and not (pulled.diverged or pulled.in_the_way or pulled.without_content):
        console.line("Nothing to pull: your files are where the branch is, and the project has no remote to ask.")
    print_pulled(repo, console, pulled)
