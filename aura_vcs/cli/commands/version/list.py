"""`aura version list`."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, POSITIVE, examples, json_option, since_until_options
from aura_vcs.cli.output.console import Console, faint, strong, yellow
from aura_vcs.cli.output.humanize import TYPES, call, local_time, marks, size
from aura_vcs.cli.output.json_shapes import version_to_json
from aura_vcs.cli.session import pass_repository
from aura_vcs.index.queries import VersionFilter
from aura_vcs.model import VersionType

if TYPE_CHECKING:
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.repository.repository import Repository


@click.command(
    "list",
    context_settings=HELP,
    epilog=examples("aura version list --type autosave", "aura version list --important"),
)
@click.option("--type", "types", type=click.Choice(TYPES), multiple=True, help="Only versions of this type")
@since_until_options
@click.option("--important", is_flag=True, help="Only those marked important")
@click.option("--deleted", is_flag=True, help="Deleted ones too")
@click.option("-n", "limit", metavar="COUNT", type=POSITIVE, help="At most this many")
@json_option
@pass_repository
def list_command(
    repo: "Repository",
    console: Console,
    *,
    types: tuple[str, ...],
    since: str | None,
    until: str | None,
    important: bool,
    deleted: bool,
    limit: int | None,
) -> None:
    """List versions of every type and branch, newest first"""
    wanted = VersionFilter(
        types=tuple(map(VersionType, types)),
        since=since,
        until=until,
        important=True if important else None,
        deleted=deleted,
        limit=limit,
    )
    found = repo.queries.all_versions(wanted)
    if console.as_json:
        console.data({"versions": [_audited(record) for record in found]})
        return
    names = {record.id: call(repo, record) for record in found}
    width = max(6, *(len(name) + 2 for name in names.values())) if names else 0
    console.lines(
        (
            [
                yellow(names[record.id].ljust(width)),
                faint(local_time(record.created_at)),
                faint(f"{size(record.size_bytes):>10}  "),
                strong(record.name),
                *marks(record),
                faint(f"  {record.trigger}" if record.trigger else ""),
            ]
            for record in found
        ),
        paged=True,
    )
    if not found:
        console.line("No matching versions.")


def _audited(record: "VersionRecord") -> dict[str, Any]:
    """V, with when and by whom its label was changed and it was deleted."""
    changed = {"updated_at": record.updated_at or record.created_at, "modified_by": record.updated_by or record.author}
    return {**version_to_json(record), "created_by": record.author, **changed, "deleted_by": record.deleted_by}
