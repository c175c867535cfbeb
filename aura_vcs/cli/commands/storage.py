"""`aura storage`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, Line, faint, strong, yellow
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.session import pass_repository

if TYPE_CHECKING:
    from aura_vcs.maintenance.disk_usage import Sizes, StorageReport
    from aura_vcs.repository.repository import Repository

VERSIONS_SHOWN = 10


@click.command("storage", context_settings=HELP, epilog=examples("aura storage", "aura storage --json"))
@json_option
@pass_repository
def storage_command(repo: "Repository", console: Console) -> None:
    """Show what takes how much space

    By kind of version and file, the largest files, and what deleting one version would free.
    """
    from aura_vcs.maintenance.disk_usage import storage_report

    report = storage_report(repo)
    if console.as_json:
        console.data(report)
    else:
        console.lines(_lines(report), paged=True)


def _lines(report: "StorageReport") -> Iterator[Line]:
    versions = count(report.total.count, "version")
    yield [
        strong(size(report.folder_bytes)),
        f" on disk, {size(report.total.stored_bytes)} of it content, for {versions} of "
        f"{size(report.total.logical_bytes)} in all",
    ]
    if report.garbage.stored_bytes:
        yield [faint(f"{size(report.garbage.stored_bytes)} of it is garbage; `aura gc` frees it after its grace time")]
    if report.unfinished.stored_bytes:
        files = count(report.unfinished.count, "file")
        left = f"{files}, {size(report.unfinished.stored_bytes)}, besides: unfinished, of a command at work or stopped"
        yield [faint(f"{left}; `aura gc` removes them a day later")]
    if report.offloaded.count:
        files = count(report.offloaded.count, "file")
        yield [faint(f"{files} of {size(report.offloaded.logical_bytes)} besides are offloaded: remotes hold them")]
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
            yield [size(share.alone_bytes).rjust(12), "  ", yellow(f"v{share.number}"), f"  {share.name}"]


def _table(title: str, rows: "dict[str, Sizes]") -> Iterator[Line]:
    shown = {name: row for name, row in sorted(rows.items(), key=lambda item: -item[1].stored_bytes) if row.count}
    if shown:
        yield [strong(title)]
    for name, row in shown.items():
        yield [size(row.stored_bytes).rjust(12), f"  {name.replace('_', ' ')}", faint(f"  ({row.count})")]
