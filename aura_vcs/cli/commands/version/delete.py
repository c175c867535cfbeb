"""`aura version delete`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, faint, yellow
from aura_vcs.cli.output.humanize import call, count, size
from aura_vcs.cli.output.json_shapes import version_to_json
from aura_vcs.cli.session import pass_repository
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.versions import delete_version
from aura_vcs.maintenance.purge_plan import plan_purge

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command(
    "delete", context_settings=HELP, epilog=examples("aura version delete v2", "aura version delete v2 --dry-run")
)
@click.argument("version", shell_complete=completing("version"))
@dry_run_option
@json_option
@pass_repository
def delete_command(repo: "Repository", console: Console, *, version: str, dry_run: bool) -> None:
    """Hide a version; gc frees its space later

    Until gc's grace period is over, `aura version undelete` and `aura undo` bring it back.
    """
    before = resolve(repo, version)
    plan = plan_purge(repo, before)
    record = before if dry_run else delete_version(repo, before)
    if console.as_json:
        console.data(
            {
                "dry_run": dry_run,
                "version": version_to_json(record),
                "objects": plan.objects,
                "bytes": plan.stored_bytes,
            }
        )
        return
    name = yellow(call(repo, record))
    freed = f"{size(plan.stored_bytes)} ({count(plan.objects, 'object')})"
    if dry_run:
        console.line("Would delete ", name, f' "{record.name}" and later free {freed}; nothing was changed')
    elif before.deleted_at is not None:
        console.line(name, " was deleted already")
    else:
        console.line("Deleted ", name, f' "{record.name}"; `aura gc` frees {freed} after the grace period')
        console.line(faint(f"Until then `aura undo` or `aura version undelete {call(repo, record)}` brings it back."))
