"""`aura diff`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.completing import complete_version
from aura_vcs.cli.console import Console, Line, Part, bad, cool, faint, good, strong
from aura_vcs.cli.options import HELP, PathsCommand, examples, json_option
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.cli.words import changed_path, count, size, titled

if TYPE_CHECKING:
    from pathlib import Path

    from aura_vcs.compare.text_diff import TextDiff
    from aura_vcs.compare.versions import Comparison, PathChange
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.repository.repository import Repository

TEXT_LINES = 60
"""So many lines of a text's difference are shown per file; `aura show V:PATH` has all of it."""


@click.command(
    "diff",
    cls=PathsCommand,
    context_settings=HELP,
    epilog=examples(
        "aura diff",
        "aura diff v1",
        "aura diff v1 v3 --stat",
        "aura diff v1 v3 -- brief.json scenes",
        "aura diff v1 v3 --html report.html",
    ),
)
@click.argument("versions", metavar="[A [B]]", nargs=-1, shell_complete=complete_version)
@click.option("--stat", is_flag=True, help="Only sizes and counts")
@click.option("--name-only", is_flag=True, help="Only the paths")
@click.option("--details", is_flag=True, help="Every change inside documents and timelines, not only the first")
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a report to look at or send: timelines, fields, pictures, in one file",
)
@json_option
@pass_repository
def diff_command(
    repo: "Repository",
    console: Console,
    *,
    versions: tuple[str, ...],
    stat: bool,
    name_only: bool,
    details: bool,
    page: str | None,
    paths: tuple[str, ...],
) -> None:
    """Show what changed between versions, or since one

    Without A: from the last version to your folder. With A: from A to your folder. With A and B:
    from A to B. Documents are compared field by field, texts line by line.
    """
    if len(versions) > 2:
        raise click.UsageError("At most two versions can be compared. Put paths behind `--`.")
    hashed = console.as_json or not (stat or name_only)
    old, new, comparison = _compare(repo, versions, project_paths(repo, paths), hashed=hashed)
    if page is not None:
        _write_report(console, page, old, new, comparison)
    elif console.as_json:
        from aura_vcs.cli.shapes import diff_shape

        console.data(diff_shape(old, new, comparison))
    elif name_only:
        console.lines(([change.path] for change in comparison.changes), paged=True)
    elif not comparison.changes:
        console.line(good("Nothing differs."))
    else:
        console.lines(_lines(old, new, comparison, stat=stat, details=details), paged=True)
    for path in comparison.unstable:
        console.warn(f"{path} is being written right now")


def _compare(
    repo: "Repository", versions: tuple[str, ...], paths: list[str], *, hashed: bool
) -> "tuple[VersionRecord | None, VersionRecord | None, Comparison]":
    from aura_vcs.compare.versions import compare_folder, compare_trees
    from aura_vcs.history.going import check_content
    from aura_vcs.history.revisions import resolve
    from aura_vcs.index.queries import Queries
    from aura_vcs.objects.trees import EMPTY_TREE_ID

    head = repo.head().version
    chosen = [resolve(repo, name) for name in versions]
    if not chosen and head is not None and (record := Queries(repo.index).version(head)) is not None:
        chosen = [record]
    for record in chosen:
        check_content(record)
    old = chosen[0] if chosen else None
    new = chosen[1] if len(chosen) == 2 else None
    tree = old.tree if old is not None else EMPTY_TREE_ID
    if new is not None:
        return old, new, compare_trees(repo, tree, new.tree, paths)
    return old, None, compare_folder(repo, tree, paths, hashed=hashed)


def _lines(
    old: "VersionRecord | None", new: "VersionRecord | None", comparison: "Comparison", *, stat: bool, details: bool
) -> Iterator[Line]:
    start, end = _names(old, new)
    yield [strong(f"From {start} to {end}")]
    for change in comparison.changes:
        yield [*changed_path(change.change, change.path, change.old_path), *_sizes(change)]
        if not stat:
            yield from _inside(comparison, change, details=details)
    yield [faint(_summary(comparison))]


def _names(old: "VersionRecord | None", new: "VersionRecord | None") -> tuple[str, str]:
    return titled(old) if old is not None else "nothing", titled(new) if new is not None else "your folder"


def _write_report(
    console: Console, page: str, old: "VersionRecord | None", new: "VersionRecord | None", comparison: "Comparison"
) -> None:
    from pathlib import Path

    from aura_vcs.compare.report import render_report
    from aura_vcs.compare.version_report import version_report
    from aura_vcs.errors import FileUnreadable, InputError

    start, end = _names(old, new)
    target = Path(page)
    if target.exists() and not _is_page(target):
        raise InputError(f"{page} is there already and is no report", hint="Choose another name.")
    report = version_report(comparison, f"{start} → {end}", start, end)
    try:
        target.write_text(render_report(report), "utf-8")
    except OSError as error:
        raise FileUnreadable(page, error.strerror or str(error)) from error
    if console.as_json:
        console.data({"report": page, "files": len(report.files)})
    else:
        console.line("Wrote ", strong(page), f": {count(len(report.files), 'file')} compared. Open it in a browser.")


def _is_page(target: "Path") -> bool:
    """Whether a file is a page, which may be replaced by a newer one."""
    try:
        with target.open("rb") as file:
            return file.read(15).lower() in {b"<!doctype html>", b""}
    except OSError:
        return False


def _sizes(change: "PathChange") -> list[Part]:
    old, new = change.old, change.new
    if old is not None and new is not None:
        if old.id == new.id and old.executable != new.executable:
            return [faint("  now executable" if new.executable else "  no longer executable")]
        return [faint(f"  {size(old.size)} → {size(new.size)}")] if old.size != new.size else []
    entry = old or new
    return [faint(f"  {size(entry.size)}")] if entry is not None else []


def _inside(comparison: "Comparison", change: "PathChange", *, details: bool) -> Iterator[Line]:
    from aura_vcs.compare.versions import content_diff

    found = content_diff(comparison, change, details=details)
    for line in found.lines:
        yield ["      ", line]
    if found.text is not None:
        yield from _text(found.text)


def _text(text: "TextDiff") -> Iterator[Line]:
    shown = 0
    for hunk in text.hunks:
        yield ["      ", cool(f"line {hunk.new_start or hunk.old_start}")]
        for line in hunk.lines:
            shown += 1
            if shown > TEXT_LINES:
                yield ["      ", faint("… and more lines")]
                return
            painter = {"+": good, "-": bad}.get(line.mark)
            content = f"{line.mark} {line.text.rstrip(chr(10))}"
            yield ["      ", painter(content) if painter else content]


def _summary(comparison: "Comparison") -> str:
    changed = [name for name, differs in comparison.documents.items() if differs]
    documents = f"; changed documents: {', '.join(changed)}" if changed else ""
    return f"{count(len(comparison.changes), 'path')} differ{'s' if len(comparison.changes) == 1 else ''}{documents}"
