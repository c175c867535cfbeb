"""`aura storage`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.groups import CommandEntry, ShorthandGroup
from aura_vcs.cli.options import HELP, ByteSize, examples, json_option
from aura_vcs.cli.output.console import Console, Line, faint, green, strong, yellow
from aura_vcs.cli.output.humanize import call, count, size
from aura_vcs.cli.session import pass_repository
from aura_vcs.ids import ObjectId, VersionId

if TYPE_CHECKING:
    from aura_vcs.maintenance.disk_usage import Sizes, StorageReport
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.offload.space_plan import SpaceFreed, SpaceItem, SpacePlan

VERSIONS_SHOWN = 10
PARTS = {
    "content": "content of files",
    "history": "versions and their folders",
    "pack_tables": "tables of packs",
    "log": "log of operations",
    "caches": "caches of files, media and remotes",
    "unfinished": "left by a command that is running or was stopped",
    "second_names": "files that only another machine deleted",
    "settings": "identity and settings",
    "blocks": "folders, and the rest of blocks",
}
"""What the parts of a report are called."""


_CATALOG = {
    "show": CommandEntry(__name__, "show_command", "Show what takes up space"),
    "plan": CommandEntry(__name__, "plan_command", "Plan what to delete to free that much space, and do it"),
}


@click.group(
    "storage",
    cls=ShorthandGroup,
    catalog=_CATALOG,
    shorthands={},
    bare="show",
    otherwise="show",
    context_settings=HELP,
    subcommand_metavar="[COMMAND ...]",
    epilog=examples("aura storage", "aura storage --json", "aura storage plan --free 20GB"),
)
def storage_command() -> None:
    """Show what takes up space

    Without arguments: the space by kind of version and of file, the largest files, and what deleting a
    version would free. `plan` says what could be deleted.
    """


@click.command("show", context_settings=HELP, epilog=examples("aura storage", "aura storage --json"))
@json_option
@pass_repository
def show_command(repo: "Repository", console: Console) -> None:
    """Show what takes up space

    By kind of version and file, the largest files, and what deleting one version would free.
    """
    from aura_vcs.maintenance.disk_usage import storage_report

    report = storage_report(repo)
    if console.as_json:
        console.data(report)
    else:
        console.lines(_lines(repo, report), paged=True)


def _lines(repo: "Repository", report: "StorageReport") -> Iterator[Line]:
    versions = count(report.total.count, "version")
    yield [
        strong(size(report.folder_bytes)),
        f" on disk, {size(report.total.stored_bytes)} of it content, for {versions} of "
        f"{size(report.total.logical_bytes)} in all",
    ]
    if report.garbage.stored_bytes:
        yield [
            faint(f"{size(report.garbage.stored_bytes)} of it is garbage; `aura gc` frees it after the grace period")
        ]
    if report.unfinished.stored_bytes:
        files = f"{count(report.unfinished.count, 'file')}, {size(report.unfinished.stored_bytes)}"
        left = f"{files}, besides: left by a command that is running or was stopped"
        yield [faint(f"{left}; `aura gc` removes them a day later")]
    if report.media_index.count:
        entries = count(report.media_index.count, "media file")
        frees = "`aura gc --media-index` frees it, and it is made again when needed"
        yield [faint(f"{size(report.media_index.stored_bytes)} for what was found in {entries}; {frees}")]
    if report.unwrapped.count:
        files = count(report.unwrapped.count, "gzip or ZIP file")
        taken = f"{size(report.unwrapped.logical_bytes)} take {size(report.unwrapped.stored_bytes)}"
        yield [faint(f"{files} of {taken}: stored as what is in them")]
    if report.offloaded.count:
        files = count(report.offloaded.count, "file")
        yield [faint(f"{files} of {size(report.offloaded.logical_bytes)} more are offloaded: remotes hold them")]
    if report.disk_bytes != report.folder_bytes:
        yield [faint(f"With folders and whole blocks of the disk: {size(report.disk_bytes)}, as `du` says")]
    yield from _table("What it is", {PARTS.get(name, name): part for name, part in report.parts.items()})
    yield from _table("By kind of version (what only they hold)", report.by_version_type)
    yield from _table("By kind of file", report.by_file_type)
    if report.largest:
        yield [strong("Largest files")]
        for item in report.largest:
            yield [size(item.size_bytes).rjust(12), f"  {item.path}", faint(f"  ({size(item.stored_bytes)} on disk)")]
    holding = [share for share in report.versions if share.alone_bytes]
    shares = sorted(holding, key=lambda share: -share.alone_bytes)[:VERSIONS_SHOWN]
    if shares:
        yield [strong("What deleting one version would free")]
        for share in shares:
            yield [
                size(share.alone_bytes).rjust(12),
                "  ",
                yellow(call(repo, repo.queries.version(VersionId(ObjectId(share.id))))),
                f"  {share.name}",
            ]


def _table(title: str, rows: "dict[str, Sizes]") -> Iterator[Line]:
    ordered = sorted(rows.items(), key=lambda item: -item[1].stored_bytes)
    shown = {name: row for name, row in ordered if row.count or row.stored_bytes > 0}
    if shown:
        yield [strong(title)]
    for name, row in shown.items():
        number = [faint(f"  ({row.count:,})")] if row.count else []
        yield [size(row.stored_bytes).rjust(12), f"  {name.replace('_', ' ')}", *number]


@click.command(
    "plan",
    context_settings=HELP,
    epilog=examples(
        "aura storage plan --free 20GB", "aura storage plan --free 20GB --execute", "aura storage plan --free 5G --json"
    ),
)
@click.option("--free", "wanted", type=ByteSize(), metavar="SIZE", required=True, help="Free this much")
@click.option("--execute", "is_executed", is_flag=True, help="Carry the plan out")
@click.option(
    "--keep", "kept", metavar="NAME", multiple=True, help="Leave this out: a version or file, as the plan names it"
)
@click.option("--yes", is_flag=True, help="Do not ask")
@json_option
@pass_repository
def plan_command(
    repo: "Repository", console: Console, *, wanted: int, is_executed: bool, kept: tuple[str, ...], yes: bool
) -> None:
    """Plan what to delete to free that much space, and do it

    First garbage whose grace period is over, then old autosaves and restore points, then renders that
    can be made again, then large files that a remote proves to hold. What you committed, marked
    important or tagged stays. Nothing is deleted without --execute; deleted versions come back with
    `aura undo` until their grace period is over, renders with `aura derived make`, files are fetched
    when they are needed.
    """
    from aura_vcs.cli.shared.transfers import connect_to
    from aura_vcs.sync.offload.space_plan import execute_space, plan_space

    repo.adopt_unrecorded_objects()
    plan = plan_space(repo, wanted, connect_to(repo))
    chosen = [item for item in plan.items if item.needed and not {item.id, item.name, item.name.split()[0]} & set(kept)]
    for name, reason in plan.unreachable.items():
        console.warn(f"{name} cannot be asked: {reason}")
    if not console.as_json:
        console.lines(_plan_lines(plan, chosen), paged=not is_executed)
    if is_executed and chosen and not yes and not console.as_json:
        is_executed = console.ask("Let this go?")
    done = execute_space(repo, [item.id for item in chosen], connect_to(repo)) if is_executed and chosen else None
    if console.as_json:
        console.data({**space_plan_to_json(plan), "done": done})
    elif done is not None:
        console.line(green("Freed "), strong(size(done.freed_bytes)), _later(done))
        if done.versions:
            console.line(faint("`aura undo` brings the versions back."))
        if done.renders:
            console.line(faint("`aura derived make` makes the renders again."))


def space_plan_to_json(plan: "SpacePlan") -> dict[str, Any]:
    """Convert a plan to JSON."""
    return {
        "wanted_bytes": plan.wanted_bytes,
        "planned_bytes": plan.planned_bytes,
        "items": list(plan.items),
        "unreachable": plan.unreachable,
    }


def _later(done: "SpaceFreed") -> str:
    if not done.versions:
        return ""
    return f"; about {size(done.later_bytes)} of {count(done.versions, 'version')} follow when their grace period ends"


def _plan_lines(plan: "SpacePlan", chosen: "list[SpaceItem]") -> Iterator[Line]:
    if not plan.items:
        yield ["There is nothing to delete: no old autosaves, no renders, and no large files that a remote holds."]
        return
    total = sum(item.bytes for item in chosen)
    yield [strong(f"{count(len(chosen), 'thing')}, about {size(total)}")]
    for item in chosen:
        later = faint(" when its grace period ends") if item.when == "later" else ""
        yield [size(item.bytes).rjust(12), f"  {item.name}  ", faint(item.reason), later]
    if total < plan.wanted_bytes:
        yield [yellow(f"{size(plan.wanted_bytes - total)} less than you asked for: nothing else can be deleted.")]
