"""`aura debug`: stored objects, refs and the index as they are."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.groups import CommandEntry, LazyGroup
from aura_vcs.cli.options import HELP, POSITIVE, examples, json_option
from aura_vcs.cli.output.console import Console, faint, strong, to_json, yellow
from aura_vcs.cli.output.humanize import count, local_time, size
from aura_vcs.cli.session import pass_repository
from aura_vcs.index.table_dump import table_sizes

if TYPE_CHECKING:
    from aura_vcs.history.lookup.blob_versions import HoldingVersions
    from aura_vcs.index.records import ObjectRecord
    from aura_vcs.repository.repository import Repository

CONTENT_TYPES = ("Brief", "Plan", "Voice", "Render", "Timeline", "Asset")
_CATALOG = {
    "object": CommandEntry(__name__, "object_command", "Show what is known about an object"),
    "blobs": CommandEntry(__name__, "blobs_command", "List stored contents: type, references, when last referenced"),
    "ref": CommandEntry(__name__, "ref_command", "List the refs, or show one as it is stored"),
    "index": CommandEntry(__name__, "index_command", "List the index's tables, or rows of one"),
}


@click.group(
    "debug",
    cls=LazyGroup,
    catalog=_CATALOG,
    context_settings=HELP,
    epilog=examples("aura debug object 3fa2c1", "aura debug ref", "aura debug index versions"),
)
def debug_command() -> None:
    """Look at stored objects, refs and the index

    Helps to find out what went wrong; changes nothing.
    """


@click.command("object", context_settings=HELP, epilog=examples("aura debug object 3fa2c1"))
@click.argument("object_id", metavar="ID")
@json_option
@pass_repository
def object_command(repo: "Repository", console: Console, object_id: str) -> None:
    """Show what is known about an object

    Its row in the index, where it lies, whether its bytes hash to its name, and what it holds.
    """
    from aura_vcs.history.inspect import inspect_object

    found = inspect_object(repo, object_id)
    if console.as_json:
        console.data(found)
    else:
        for line in to_json(found).splitlines():
            console.line(line)


@click.command(
    "blobs", context_settings=HELP, epilog=examples("aura debug blobs --type Brief", "aura debug blobs --sort count")
)
@click.option("--type", "type_", type=click.Choice(CONTENT_TYPES, case_sensitive=False), help="Only this type")
@click.option("--sort", type=click.Choice(["referenced", "count", "size"]), default="referenced", show_default=True)
@click.option("-n", "limit", metavar="COUNT", type=POSITIVE, default=50, show_default=True)
@json_option
@pass_repository
def blobs_command(repo: "Repository", console: Console, type_: str | None, sort: Any, limit: int) -> None:
    """List stored contents: type, references, when last referenced

    Every content is stored once. The first number counts the folders that hold it (versions share
    folders that did not change); the second one counts the versions.
    """
    from aura_vcs.history.lookup.blob_versions import find_holding_versions

    found = repo.queries.blobs(type_=type_, sort=sort, limit=limit)
    held = find_holding_versions(repo, [record.id for record in found])
    shapes = [_blob_to_json(record, held.get(record.id)) for record in found]
    if sort == "referenced":
        shapes.sort(key=lambda shape: shape["last_referenced_at"], reverse=True)
    if console.as_json:
        console.data({"blobs": shapes})
        return
    for shape in shapes:
        numbers = f"{shape['reference_count']:>6}  {shape['version_count']:>6}  {size(shape['size_bytes']):>10}  "
        when = local_time(shape["last_referenced_at"])
        console.line(yellow(shape["content_hash"][:12]), f"  {shape['content_type'] or '':9}", numbers, faint(when))
    if not found:
        console.line("No matching content.")


def _blob_to_json(record: "ObjectRecord", held: "HoldingVersions | None") -> dict[str, Any]:
    """Convert a blob to the entity ContentBlob; `reference_count` counts trees, `version_count` versions."""
    newest = held.last_at if held is not None else None
    return {
        "content_hash": record.id,
        "content_type": record.content_type,
        "size_bytes": record.size,
        "stored_bytes": record.stored_size,
        "created_at": record.created_at,
        "last_referenced_at": max(record.last_referenced_at, newest or ""),
        "reference_count": record.refcount,
        "version_count": held.versions if held is not None else 0,
    }


@click.command("ref", context_settings=HELP, epilog=examples("aura debug ref", "aura debug ref branches/main"))
@click.argument("start", metavar="[REF]", default="")
@json_option
@pass_repository
def ref_command(repo: "Repository", console: Console, start: str) -> None:
    """List the refs, or show one as it is stored

    REF is the beginning of a name; one that is complete is shown with its content.
    """
    from aura_vcs.history.inspect import inspect_refs

    found = inspect_refs(repo, start)
    if console.as_json:
        console.data({"refs": found})
        return
    for item in found:
        console.line(yellow(item.name), faint(f"  {item.path}"))
        if len(found) == 1:
            for line in to_json(item.content).splitlines():
                console.line(line)
    if not found:
        console.line(faint("No matching refs."))


@click.command("index", context_settings=HELP, epilog=examples("aura debug index", "aura debug index versions -n 5"))
@click.argument("table", metavar="[TABLE]", default="")
@click.option("-n", "limit", metavar="COUNT", type=POSITIVE, default=20, show_default=True, help="Rows")
@json_option
@pass_repository
def index_command(repo: "Repository", console: Console, table: str, limit: int) -> None:
    """List the index's tables, or rows of one"""
    from aura_vcs.history.inspect import inspect_table

    if not table:
        sizes = table_sizes(repo.index)
        if console.as_json:
            console.data({"tables": sizes})
        for name, number in sizes.items():
            console.line(strong(name.ljust(16)), f" {count(number, 'row')}")
        return
    rows = inspect_table(repo, table, limit)
    if console.as_json:
        console.data({"table": table, "rows": rows})
        return
    for row in rows:
        console.line("  ".join(f"{name}={value}" for name, value in row.items()))
