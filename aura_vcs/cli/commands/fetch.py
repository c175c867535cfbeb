"""`aura fetch`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.console import Console, faint
from aura_vcs.cli.options import HELP, dry_run_option, examples, json_option
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.transfers import all_versions_option, connected, fetch_shape, say_fetched
from aura_vcs.cli.words import count, size

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command("fetch", context_settings=HELP, epilog=examples("aura fetch", "aura fetch nas --all-versions"))
@click.argument("remote", required=False)
@all_versions_option
@dry_run_option
@json_option
@pass_repository
def fetch_command(
    repo: "Repository", console: Console, *, remote: str | None, all_versions: bool, dry_run: bool
) -> None:
    """Bring versions from a remote; your files stay as they are

    Goes on where it was stopped. Everything that arrives is checked before it is kept.
    """
    from aura_vcs.sync.receiving import fetch, plan_fetch

    with connected(repo, remote) as link:
        if dry_run:
            plan = plan_fetch(repo, link.remote, link.known, all_versions=all_versions)
            if console.as_json:
                console.data({"dry_run": True, **fetch_shape(plan)})
                return
            console.line(f"Would fetch {count(len(plan.versions), 'version')}, {size(plan.received_bytes)}")
            return
        fetched = fetch(repo, link.remote, link.known, all_versions=all_versions)
    if console.as_json:
        console.data({"dry_run": False, **fetch_shape(fetched.plan), "diverged": list(fetched.diverged)})
        return
    say_fetched(console, link.name, fetched.plan)
    for name in fetched.diverged:
        console.warn(f"{name} was moved apart by two machines. Both sides are kept; `aura merge` joins them.")
    if fetched.plan.branches:
        console.line(faint("`aura pull` brings your files along."))
