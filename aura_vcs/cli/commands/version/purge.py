"""`aura version purge`."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, TEXT, completing, dry_run_option, examples, json_option, yes_option
from aura_vcs.cli.output.console import Console, faint, strong, yellow
from aura_vcs.cli.output.humanize import call, count, local_time, size
from aura_vcs.cli.output.json_shapes import version_to_json
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.transfers import connected
from aura_vcs.errors import InputError
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.versions import check_unused, purge_version
from aura_vcs.maintenance.purge_plan import PurgePlan, plan_purge

if TYPE_CHECKING:
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.repository.repository import Repository


@click.command(
    "purge",
    context_settings=HELP,
    epilog=examples("aura version purge v2 --dry-run", 'aura version purge v2 --reason "Wrong client\'s footage"'),
)
@click.argument("version", shell_complete=completing("version"))
@click.option("--reason", metavar="TEXT", type=TEXT, default="", help="Why; it stays on the version's record")
@click.option(
    "--remote",
    metavar="NAME",
    shell_complete=completing("remote"),
    help="Tell a remote at once, so that it can free the content, too",
)
@dry_run_option
@yes_option
@json_option
@pass_repository
def purge_command(
    repo: "Repository",
    console: Console,
    *,
    version: str,
    reason: str,
    remote: str | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Give up a version's content, keep its record

    The version stays in the list as purged: who, when and why. No other version changes, and
    content that others hold stays. `aura gc` deletes the rest after the grace period; until then
    `aura undo` brings it back. `aura gc --remote` does the same on a remote that knows of it.
    """
    record = resolve(repo, version)
    if record.purged_at is not None:
        _already(repo, console, record)
        if remote is not None and not dry_run:
            _report(repo, console, remote)
        return
    check_unused(repo, record)
    plan = plan_purge(repo, record)
    _show_plan(repo, console, record, plan)
    if remote is not None:
        _show_remote(repo, console, record, remote)
    if dry_run:
        _data(console, record, plan, dry_run=True)
        console.line(faint("Nothing was changed."))
        return
    name = call(repo, record)
    if not yes and not console.ask(f"Purge {name}?"):
        hint = "Run it again with --yes, or look with --dry-run."
        raise InputError(f"{name} was not purged: nobody said yes", hint=hint)
    purged = purge_version(repo, record, reason)
    _data(console, purged, plan, dry_run=False)
    console.line("Purged ", yellow(call(repo, record)), "; `aura gc` frees the space after the grace period")
    console.line(faint("Until then `aura undo` brings it back."))
    if remote is not None:
        _report(repo, console, remote)


def _show_remote(repo: "Repository", console: Console, record: "VersionRecord", remote: str) -> None:
    from aura_vcs.sync.maintenance.gc import plan_remote_purge

    with connected(repo, remote) as link:
        freed = plan_remote_purge(repo, link.remote, link.cache, record.id)
        console.line(f"  frees  {size(freed)} at {link.name}")


def _report(repo: "Repository", console: Console, remote: str) -> None:
    """Let a remote know what was purged; everything else that is new goes there with it."""
    from aura_vcs.sync.push import push

    with connected(repo, remote) as link:
        push(repo, link.remote, link.cache, keep_both=True)
        console.line(f"{link.name} knows; `aura gc --remote {link.name}` frees the space there after the grace period")


def _already(repo: "Repository", console: Console, record: "VersionRecord") -> None:
    if console.as_json:
        _data(console, record, PurgePlan(0, 0, 0), dry_run=False)
        return
    when = local_time(record.purged_at or "")
    console.line(yellow(call(repo, record)), f" was purged already, on {when} by {record.purged_by}")


def _show_plan(repo: "Repository", console: Console, record: "VersionRecord", plan: PurgePlan) -> None:
    console.line(
        "Purging ", yellow(call(repo, record)), " ", strong(record.name), f", {size(record.size_bytes)} in all:"
    )
    console.line(f"  frees  {size(plan.stored_bytes)}: {count(plan.objects, 'object')} that no other version holds")
    console.line(f"  keeps  {size(plan.shared_bytes)} that other versions hold too, and the version's record")


def _data(console: Console, record: "VersionRecord", plan: PurgePlan, *, dry_run: bool) -> None:
    if not console.as_json:
        return

    shape: dict[str, Any] = {
        "dry_run": dry_run,
        "version": version_to_json(record),
        "objects": plan.objects,
        "bytes": plan.stored_bytes,
        "reason": record.purge_reason,
    }
    console.data(shape)
