"""`aura fetch`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, strong
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.output.json_shapes import path_to_json
from aura_vcs.cli.session import FetchWhenMissing, pass_repository, project_paths
from aura_vcs.cli.shared.transfers import all_versions_option, connected, fetch_to_json, print_fetched
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.sync.fetch import fetch, plan_fetch

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

SHOWN = 10


@click.command(
    "fetch",
    context_settings=HELP,
    epilog=examples(
        "aura fetch", "aura fetch nas --all-versions", "aura fetch --content", "aura fetch --content v3 assets/raw"
    ),
)
@click.argument("what", metavar="[REMOTE]", nargs=-1)
@click.option("--content", is_flag=True, help="Bring offloaded content back: of these VERSIONS and PATHS, or all of it")
@all_versions_option
@dry_run_option
@json_option
@pass_repository
def fetch_command(
    repo: "Repository", console: Console, what: tuple[str, ...], *, content: bool, all_versions: bool, dry_run: bool
) -> None:
    """Bring versions from a remote; your files stay as they are

    Continues where it was stopped. Everything that arrives is checked before it is kept. With
    --content, what was offloaded (or is missing) comes back from whichever remote has it, and stays.
    """
    if content:
        _fetch_content(repo, console, what, dry_run=dry_run)
        return
    if len(what) > 1:
        raise click.UsageError("Name one remote; versions and paths need --content")
    _fetch(repo, console, what[0] if what else None, all_versions=all_versions, dry_run=dry_run)


def _fetch(repo: "Repository", console: Console, remote: str | None, *, all_versions: bool, dry_run: bool) -> None:
    with connected(repo, remote) as link:
        if dry_run:
            plan = plan_fetch(repo, link.remote, link.cache, all_versions=all_versions)
            if console.as_json:
                console.data({"dry_run": True, **fetch_to_json(plan)})
                return
            console.line(f"Would fetch {count(len(plan.versions), 'version')}, {size(plan.received_bytes)}")
            return
        fetched = fetch(repo, link.remote, link.cache, all_versions=all_versions)
    if console.as_json:
        console.data({"dry_run": False, **fetch_to_json(fetched.plan), "diverged": list(fetched.diverged)})
        return
    print_fetched(console, link.name, fetched.plan)
    for name in fetched.diverged:
        console.warn(
            f"branch {name} has diverged: two machines committed to it. Both sides are kept; `aura merge` merges them."
        )
    if fetched.plan.branches:
        console.line(faint("`aura pull` brings your files along."))


def _fetch_content(repo: "Repository", console: Console, what: tuple[str, ...], *, dry_run: bool) -> None:
    from aura_vcs.sync.offload.fetch_content import fetch_content, plan_content

    chosen = select_files(repo, what, as_path=lambda name: project_paths(repo, (name,))[0])
    plan = plan_content(repo, chosen)
    fetcher = repo.store.fetch
    assert isinstance(fetcher, FetchWhenMissing)
    if not dry_run:
        fetch_content(fetcher.made().content(), plan)
    if console.as_json:
        files = [{"id": file.id, **path_to_json(file.path), "size_bytes": file.size} for file in plan.files]
        console.data({"dry_run": dry_run, "content": files, "bytes": plan.size_bytes})
        return
    if not plan.files:
        console.line("All of that content is here.")
        return
    verb = "Would bring back " if dry_run else green("Brought back ")
    console.line(verb, strong(size(plan.size_bytes)), f", {count(len(plan.files), 'file')}")
    for file in plan.files[:SHOWN]:
        console.line(f"{size(file.size).rjust(12)}  ", cyan(file.path))
    if len(plan.files) > SHOWN:
        console.line(faint(f"              and {len(plan.files) - SHOWN:,} more"))
