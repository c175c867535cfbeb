"""`aura show`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.blob import write_content
from aura_vcs.cli.output.console import Console, Line, cyan, faint, strong, yellow
from aura_vcs.cli.output.humanize import age, call, count, join_words, local_time, marks, names_of_versions, size
from aura_vcs.cli.session import pass_repository
from aura_vcs.history.lookup.content import locate

if TYPE_CHECKING:
    from aura_vcs.history.lookup.content import LocatedContent
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.repository.repository import Repository


@click.command(
    "show",
    context_settings=HELP,
    epilog=examples(
        "aura show v3",
        "aura show v3:brief.json",
        "aura show v3:scenes",
        "aura show main:assets/intro.wav > intro.wav",
    ),
)
@click.argument("what", metavar="VERSION[:PATH]", default="HEAD", shell_complete=completing("content"))
@json_option
@pass_repository
def show_command(repo: "Repository", console: Console, what: str) -> None:
    """Show one version, or a file as a version has it

    For a version: who made it and when, and what it changed. With a path: the file's content, or a list
    of the folder; `VERSION:` lists everything.
    """
    located = locate(repo, what)
    if located.path is None:
        _version(repo, console, located.record)
    elif located.is_folder:
        _folder(repo, console, located)
    elif console.as_json:
        from aura_vcs.cli.output.json_shapes import entry_to_json

        console.data({**_head(located), **entry_to_json(located.path, located.entry)})
    else:
        write_content(console, repo.store.stream(located.entry.id), what)


def _version(repo: "Repository", console: Console, record: "VersionRecord") -> None:
    from aura_vcs.history.diff.tree_diff import compare_with_parent

    changes = compare_with_parent(repo, record)
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import change_to_json, offloaded_to_json, version_to_json
        from aura_vcs.history.lookup.offloaded_summary import OffloadedFiles

        shown = None if changes is None else [change_to_json(c.path, c.change, c.old_path) for c in changes]
        purge = {"by": record.purged_by, "reason": record.purge_reason} if record.purged_at is not None else None
        away = offloaded_to_json(OffloadedFiles(repo).below(record.tree))
        console.data({"version": version_to_json(record), "changes": shown, "purge": purge, "offloaded": away})
        return
    lines = list(_about(repo, record))
    if changes is None:
        lines.append([faint("Its content is not here any more, so what it changed is not known.")])
    else:
        from aura_vcs.cli.output.sequence_lists import changed_lines

        lines += changed_lines(changes)
        lines.append(
            [faint(f"{count(len(changes), 'path')} changed. `aura show {call(repo, record)}:` lists all files.")]
        )
    console.lines(lines, paged=True)


def _about(repo: "Repository", record: "VersionRecord") -> Iterator[Line]:
    yield [yellow(call(repo, record)), "  ", strong(record.name), *marks(record)]
    standing = names_of_versions(repo).get(record.id, [])
    if standing:
        yield ["  here:     ", *standing[:1], *(part for name in standing[1:] for part in (", ", name))]
    yield ["  by:       ", record.author]
    yield ["  when:     ", f"{local_time(record.created_at)} ({age(record.created_at)})"]
    if record.branch is not None:
        yield ["  made on:  ", cyan(record.branch)]
    if record.trigger is not None:
        yield ["  made by:  ", record.trigger]
    yield ["  size:     ", size(record.size_bytes)]
    yield ["  id:       ", record.id]
    if record.purged_at is not None:
        why = f": {record.purge_reason}" if record.purge_reason else ""
        yield ["  purged:   ", f"{local_time(record.purged_at)} by {record.purged_by}{why}"]
    elif record.deleted_at is not None:
        yield ["  deleted:  ", f"{local_time(record.deleted_at)} by {record.deleted_by}"]
    if away := _offloaded(repo, record):
        yield ["  offloaded: ", away]
    for text in record.description.splitlines():
        yield [f"    {text}"]


def _offloaded(repo: "Repository", record: "VersionRecord") -> str:
    from aura_vcs.history.lookup.offloaded_summary import OffloadedFiles

    found = OffloadedFiles(repo).below(record.tree)
    if not found.files:
        return ""
    return f"{count(found.files, 'file')}, {size(found.size_bytes)}, to {join_words(found.remotes)}"


def _folder(repo: "Repository", console: Console, located: "LocatedContent") -> None:
    assert located.path is not None
    prefix = f"{located.path}/" if located.path else ""
    found = [(path, entry) for path, entry in repo.trees.walk(located.entry.id, prefix)]
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import entry_to_json

        console.data({**_head(located), "entries": [entry_to_json(path, entry) for path, entry in found]})
        return
    shown = [(path, entry) for path, entry in found if entry.kind != "dir"]
    console.lines(([size(entry.size).rjust(12), "  ", path] for path, entry in shown), paged=True)
    if not shown:
        console.line(faint("There is no file in it."))


def _head(located: "LocatedContent") -> dict[str, Any]:
    from aura_vcs.cli.output.json_shapes import restore_point_to_json

    return {"version": restore_point_to_json(located.record)}
