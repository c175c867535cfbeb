"""`aura log`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_vcs.cli.options import COUNT, HELP, TEXT, examples, json_option, since_until_options
from aura_vcs.cli.output.console import Console, Line, Part, faint, green, red, strong, yellow
from aura_vcs.cli.output.humanize import TYPES, age, call, local_time, marks, names_of_versions, size
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.errors import InputError
from aura_vcs.index.queries import VersionFilter
from aura_vcs.model import VersionType

if TYPE_CHECKING:
    from aura_vcs.history.lookup.clip_history import ClipChange
    from aura_vcs.history.lookup.field_history import FieldChange
    from aura_vcs.history.lookup.offloaded_summary import OffloadedFiles
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.repository.repository import Repository

VALUE_LENGTH = 300
"""Characters of a value that are shown; --json has all of it."""


@click.command(
    "log",
    context_settings=HELP,
    epilog=examples(
        "aura log -n 20",
        "aura log --since '2 days ago' --grep intro",
        "aura log --all --oneline",
        "aura log -- scenes/010-opening.json",
        "aura log --graph",
        "aura log --field brief.json#/tone",
        "aura log --clip sea.mp4",
    ),
)
@click.option("-n", "limit", metavar="COUNT", type=COUNT, help="At most this many")
@click.option("--type", "types", type=click.Choice(TYPES), multiple=True, help="Only versions of this type")
@since_until_options
@click.option("--author", metavar="NAME", type=TEXT, help="Part of the author's name")
@click.option("--grep", metavar="TEXT", type=TEXT, help="Part of the name or description")
@click.option("--important", is_flag=True, help="Only those marked important")
@click.option("--deleted", is_flag=True, help="Deleted ones too")
@click.option("--all", "everything", is_flag=True, help="Every branch, autosaves and restore points too")
@click.option("--oneline", is_flag=True, help="One line each")
@click.option("--graph", "as_graph", is_flag=True, help="Draw how branches split and merge")
@click.option("--field", metavar="FILE#/POINTER", help="When a field of a document changed, from what to what, by whom")
@click.option("--clip", metavar="NAME", type=TEXT, help="What happened to a clip of an editor's project, and by whom")
@json_option
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@pass_repository
def log_command(
    repo: "Repository",
    console: Console,
    *,
    limit: int | None,
    types: tuple[str, ...],
    since: str | None,
    until: str | None,
    author: str | None,
    grep: str | None,
    important: bool,
    deleted: bool,
    everything: bool,
    oneline: bool,
    as_graph: bool,
    field: str | None,
    clip: str | None,
    paths: tuple[str, ...],
) -> None:
    """List the versions

    Those of the current branch, newest first. With PATHS, only versions that changed one of them, also
    under earlier names.
    """
    if field is not None or clip is not None:
        if any((types, since, until, author, grep, important, deleted, everything, oneline, as_graph)):
            raise click.UsageError("--field and --clip can only be combined with -n and --json.")
        if field is not None and (paths or clip is not None):
            raise click.UsageError("--field can only be combined with -n and --json.")
        _show_field(repo, console, field, limit) if field is not None else _show_clip(repo, console, clip, paths, limit)
        return
    from aura_vcs.history.log import log

    wanted = VersionFilter(
        types=tuple(map(VersionType, types)),
        since=since,
        until=until,
        author=author,
        grep=grep,
        important=True if important else None,
        deleted=deleted,
        limit=limit,
    )
    found = log(repo, wanted, everything=everything, paths=project_paths(repo, paths))
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import version_to_json

        console.data({"versions": [version_to_json(record) for record in found]})
    elif found and as_graph:
        console.lines(_drawn(repo, found, oneline=oneline), paged=True)
    elif found:
        console.lines(_listed(repo, found, oneline=oneline), paged=True)
    else:
        _print_none(repo, console, paths, everything=everything, is_filtered=wanted != VersionFilter(limit=limit))


def _print_none(
    repo: "Repository", console: Console, paths: tuple[str, ...], *, everything: bool, is_filtered: bool
) -> None:
    """Print why nothing is listed."""
    if repo.head().version is None and not everything:
        from aura_vcs.cli.shared.partial_sync import print_missing_heads  # seldom needed

        if not print_missing_heads(repo, console):
            console.line('There are no versions yet. Make the first with `aura commit -m "First cut"`.')
    elif paths and not is_filtered:
        from aura_vcs.cli.output.paths import is_version

        where = "No version" if everything else "No version of this branch"
        version = next((path for path in paths if is_version(repo, path)), None)
        console.line(f"{where} has {' or '.join(paths)}. ", faint("`aura status` shows files that are in none so far."))
        if version is not None:
            console.line(faint(f"{version} is a version: `aura show {version}` shows it."))
    else:
        console.line("No matching versions.")


def _listed(repo: "Repository", found: "list[VersionRecord]", *, oneline: bool) -> Iterator[Line]:
    about = _About(repo)
    width = _width(found, about) if oneline else 0
    for record in found:
        yield from [_oneline(record, about, width)] if oneline else _full(record, about)


def _width(found: "list[VersionRecord]", about: "_About") -> int:
    """Count the characters of the longest word for one of the versions."""
    return max(len(about.call(record)) for record in found)


def _offloaded(repo: "Repository") -> "OffloadedFiles | None":
    if not repo.files.offloaded.all():
        return None
    from aura_vcs.history.lookup.offloaded_summary import OffloadedFiles

    return OffloadedFiles(repo)


class _About:
    """What a list says of versions beside what they are: how to call them, what stands on them, what is offloaded."""

    def __init__(self, repo: "Repository") -> None:
        self.names = names_of_versions(repo)
        self._repo = repo
        self._files = _offloaded(repo)

    def call(self, record: "VersionRecord") -> str:
        """Name the version, see humanize.call."""
        return call(self._repo, record)

    def is_offloaded(self, record: "VersionRecord") -> bool:
        """Tell whether some of its content is offloaded."""
        return self._files is not None and record.is_live and self._files.below(record.tree).files > 0


def _drawn(repo: "Repository", found: "list[VersionRecord]", *, oneline: bool) -> Iterator[Line]:
    from aura_vcs.history.lookup.graph import graph

    about = _About(repo)
    width = _width(found, about) if oneline else 0
    for row in graph(found):
        lines = [_oneline(row.record, about, width)] if oneline else list(_full(row.record, about))
        for n, line in enumerate(lines):
            yield [green(row.at if n == 0 else row.below), "  ", *line]
        for columns in row.between:
            yield [green(columns)]


def _show_field(repo: "Repository", console: Console, field: str, limit: int | None) -> None:
    from aura_vcs.history.lookup.field_history import field_history
    from aura_vcs.history.names.revisions import resolve

    file, mark, pointer = field.partition("#")
    if not mark:
        raise InputError(f"{field!r} names no field", hint="Say FILE#/FIELD, for example brief.json#/tone.")
    found = field_history(repo, resolve(repo, "HEAD").id, project_paths(repo, (file,))[0], pointer)[:limit]
    if console.as_json:
        console.data({"field": pointer, "changes": [_field_to_json(change) for change in found]})
        return
    console.lines((line for change in found for line in _field_lines(repo, change)), paged=True)


def _show_clip(
    repo: "Repository", console: Console, clip: str | None, paths: tuple[str, ...], limit: int | None
) -> None:
    from aura_vcs.history.lookup.clip_history import clip_history
    from aura_vcs.history.names.revisions import resolve

    assert clip is not None
    found = clip_history(repo, resolve(repo, "HEAD").id, clip, project_paths(repo, paths))[:limit]
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import path_to_json, version_to_json

        changes = [
            {"version": version_to_json(c.version), **path_to_json(c.path), "kinds": c.kinds, "texts": c.texts}
            for c in found
        ]
        console.data({"clip": clip, "changes": changes})
        return
    console.lines((line for change in found for line in _clip_lines(repo, change)), paged=True)


def _clip_lines(repo: "Repository", change: "ClipChange") -> Iterator[Line]:
    record = change.version
    when = f"{record.author}, {local_time(record.created_at)} ({age(record.created_at)})"
    yield [yellow(call(repo, record)), "  ", strong(record.name), faint(f"  {when}")]
    for text in change.texts:
        yield ["    ", faint(f"{change.path}: "), text]


def _field_to_json(change: "FieldChange") -> dict[str, Any]:
    from aura_vcs.cli.output.json_shapes import path_to_json, version_to_json

    sides = {"before": change.before, "after": change.after}
    present = {name: value for name, value in sides.items() if value is not msgspec.UNSET}
    return {"version": version_to_json(change.version), **path_to_json(change.path), **present}


def _field_lines(repo: "Repository", change: "FieldChange") -> Iterator[Line]:
    record = change.version
    when = f"{record.author}, {local_time(record.created_at)} ({age(record.created_at)})"
    yield [yellow(call(repo, record)), "  ", strong(record.name), faint(f"  {when}")]
    yield ["    ", red(_value(change.before)), " → ", green(_value(change.after))]


def _value(value: Any) -> str:
    import json

    text = "nothing" if value is msgspec.UNSET else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_LENGTH else f"{text[: VALUE_LENGTH - 1]}…"


def _oneline(record: "VersionRecord", about: _About, width: int) -> Line:
    when, special = faint(local_time(record.created_at)), marks(record, offloaded=about.is_offloaded(record))
    return [yellow(about.call(record).ljust(width)), "  ", when, "  ", record.name, *special]


def _full(record: "VersionRecord", about: _About) -> Iterator[Line]:
    special = marks(record, offloaded=about.is_offloaded(record))
    yield [yellow(about.call(record)), "  ", strong(record.name), *special, *_standing(about.names.get(record.id, []))]
    when = f"{local_time(record.created_at)} ({age(record.created_at)})"
    yield [faint(f"    {record.author}, {when}, {size(record.size_bytes)}")]
    for text in record.description.splitlines():
        yield [f"    {text}"]


def _standing(names: list[Part]) -> list[Part]:
    parts: list[Part] = []
    for name in names:
        parts += [", " if parts else "  ← ", name]
    return parts
