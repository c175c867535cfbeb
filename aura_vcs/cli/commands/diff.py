"""`aura diff`."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from aura_vcs.cli.options import HELP, PathsCommand, completing, examples, json_option
from aura_vcs.cli.output.console import Console, Line, faint, green, strong
from aura_vcs.cli.output.diff_lines import cut, inside_lines, sequence_lines, sizes
from aura_vcs.cli.output.humanize import call, changed_path, count, titled
from aura_vcs.cli.output.paths import versions_and_paths
from aura_vcs.cli.session import current_session, pass_repository, project_paths
from aura_vcs.errors import InputError
from aura_vcs.errors.input import NotAProject
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.model import PICTURE_SUFFIXES

if TYPE_CHECKING:
    from pathlib import Path

    from aura_vcs.formats.media.findings import PictureKind
    from aura_vcs.history.diff.fold_sequences import SequenceChange
    from aura_vcs.history.diff.media_findings import MediaFindings
    from aura_vcs.history.diff.tree_diff import Comparison, PathChange
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.progress import Progress
    from aura_vcs.repository.repository import Repository

PAGE_START = b"<!doctype html>"
_KINDS = {"heat_map": "with what differs in red", "side_by_side": "before and after"}


@click.command(
    "diff",
    cls=PathsCommand,
    context_settings=HELP,
    epilog=examples(
        "aura diff",
        "aura diff v1",
        "aura diff v1 v3 --stat",
        "aura diff assets",
        "aura diff v1 v3 -- brief.json scenes",
        "aura diff v1 v3 --html report.html",
        "aura diff v1 --heat-map changed.png -- assets/sky.png",
        "aura diff --files ~/Desktop/trip.kdenlive trip-from-ana.kdenlive",
    ),
)
@click.argument("versions", metavar="[A [B]]", nargs=-1, shell_complete=completing("version_or_path"))
@click.option("--stat", is_flag=True, help="Only sizes and counts")
@click.option("--name-only", is_flag=True, help="Only the paths")
@click.option("--details", is_flag=True, help="Every change inside documents and timelines, not only the first")
@click.option(
    "--media/--no-media",
    "thorough",
    default=None,
    help="Look into all pictures, sounds and videos, or only at their headers; without either, for some seconds",
)
@click.option(
    "--heat-map",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a PNG file that shows in red where a picture differs; name the picture after `--`",
)
@click.option(
    "--side-by-side",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a PNG file that shows a picture before and after; name the picture after `--`",
)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a report to look at or send: timelines, fields, pictures, in one file",
)
@click.option("--files", is_flag=True, help="A and B are two files, wherever they are; no project is needed")
@json_option
def diff_command(*, versions: tuple[str, ...], paths: tuple[str, ...], files: bool, **options: Any) -> None:
    """Show what changed between versions, or since one

    Without A: from the last version to your folder. With A: from A to your folder. With A and B: from A
    to B. Files and folders can follow; after `--`, also those that have the name of a version.
    Documents are compared field by field, timelines and the projects of editors clip by clip, texts
    line by line, pictures by how they look, sound and video by what is heard and seen.
    """
    wanted = DiffRequest(**options)
    if not files:
        try:
            _diff(versions, paths, wanted)
        except NotAProject as error:
            named = (*versions, *paths)
            if len(named) == 2 and all(map(os.path.isfile, named)):
                import shlex  # seldom needed

                error.hint = f"Two files are compared with `aura diff --files {shlex.join(named)}`."
            raise
        return
    named = (*versions, *paths)
    if len(named) != 2:
        raise click.UsageError("With --files, name the two files.")
    from aura_vcs.history.diff.loose_diff import compare_files

    session = current_session()
    sides = Sides(None, None, compare_files(*named), (named[0], named[1]))
    _show(session.console, session.options()["progress"], sides, wanted, None)


class DiffRequest(NamedTuple):
    """What of a comparison is asked for, and how."""

    stat: bool
    name_only: bool
    details: bool
    thorough: bool | None
    heat_map: str | None
    side_by_side: str | None
    page: str | None


class Sides(NamedTuple):
    """What is compared: two versions, one and the folder (None), or two files; `names` is how both are called."""

    old: "VersionRecord | None"
    new: "VersionRecord | None"
    comparison: "Comparison"
    names: tuple[str, str]
    provenance: Mapping[str, tuple[str, ...]] = {}
    """How differently files came to be, in words, by path."""


@pass_repository
def _diff(
    repo: "Repository", console: Console, versions: tuple[str, ...], paths: tuple[str, ...], wanted: DiffRequest
) -> None:
    from aura_vcs.history.compare_versions import compare_versions

    versions, paths = versions_and_paths(repo, current_session().folder, versions, paths)
    if len(versions) > 2:
        raise click.UsageError("At most two versions can be compared. Put paths after `--`.")
    hashed = console.as_json or not (wanted.stat or wanted.name_only)
    compared = compare_versions(repo, versions, project_paths(repo, paths), hashed=hashed)
    names = _names(repo, compared.old, compared.new)
    said = _provenance(repo, compared.comparison) if hashed else {}
    _show(console, repo.progress, Sides(compared.old, compared.new, compared.comparison, names, said), wanted, repo)
    _leave_unversioned(repo, wanted.heat_map, wanted.side_by_side, wanted.page)


def _provenance(repo: "Repository", comparison: "Comparison") -> Mapping[str, tuple[str, ...]]:
    """Say how differently the media files came to be, where there are any."""
    from aura_vcs.history.diff.media_findings import is_media

    if not any(map(is_media, comparison.changes)):
        return {}
    from aura_vcs.annotations.provenance import compared

    return compared(repo, comparison)


def _show(console: Console, progress: "Progress", sides: Sides, wanted: DiffRequest, repo: "Repository | None") -> None:
    comparison = sides.comparison
    if wanted.heat_map is not None or wanted.side_by_side is not None:
        _write_pictures(console, comparison, {"heat_map": wanted.heat_map, "side_by_side": wanted.side_by_side})
    elif wanted.page is not None:
        media = _media(progress, comparison, wanted.thorough, repo, is_report=True)
        _write_report(console, wanted.page, sides, media)
    elif console.as_json:
        from aura_vcs.cli.output.json_shapes import diff_to_json

        media = _media(progress, comparison, wanted.thorough, repo)
        console.data(diff_to_json(sides.old, sides.new, comparison, media.by_path, sides.provenance))
    elif wanted.name_only:
        console.lines(([change.path] for change in comparison.changes), paged=True)
    elif not comparison.changes:
        console.line(green("Nothing differs."))
    elif wanted.stat:
        console.lines(_lines(sides, None, details=wanted.details), paged=True)
    else:
        media = _media(progress, comparison, wanted.thorough, repo)
        console.lines(_lines(sides, media, details=wanted.details), paged=True)
    for path in comparison.unstable:
        console.warn(f"{path} is being written right now")


def _media(
    progress: "Progress",
    comparison: "Comparison",
    thorough: bool | None,
    repo: "Repository | None",
    *,
    is_report: bool = False,
) -> "MediaFindings":
    """Compare pictures, sounds and videos, for as long as the person wants to wait."""
    from aura_vcs.history.diff.media_findings import MediaFindings, is_media

    if not any(map(is_media, comparison.changes)):
        return MediaFindings()
    from aura_vcs.cli.remote_environment import worker_environment
    from aura_vcs.history.diff.media_diff import NOTHING, QUICK, REPORT, THOROUGH, look_into_media
    from aura_vcs.history.media_index.store import MediaIndexStore

    return look_into_media(
        comparison,
        {True: THOROUGH, False: NOTHING, None: REPORT if is_report else QUICK}[thorough],
        index=MediaIndexStore.of(repo) if repo is not None else None,
        thumbnails=is_report,
        environment=worker_environment(),
        progress=progress,
    )


def _lines(sides: Sides, media: "MediaFindings | None", *, details: bool) -> Iterator[Line]:
    """Yield the lines of a comparison; `media` is None where only sizes and counts are wanted."""
    from aura_vcs.history.diff.tree_diff import PathChange

    start, end = sides.names
    comparison = sides.comparison
    yield [strong(f"From {start} to {end}")]
    for change in _folded(comparison, media):
        if not isinstance(change, PathChange):
            yield from sequence_lines(change, is_brief=media is None)
            continue
        yield [*changed_path(change.change, change.path, change.old_path), *sizes(change)]
        if media is not None:
            yield from inside_lines(comparison, change, media.by_path.get(change.path), details=details)
            yield from (["      ", line if details else cut(line)] for line in sides.provenance.get(change.path, ()))
    yield [faint(_summary(comparison))]
    if media is not None and media.needs_extra:
        yield [faint("Media files were compared by their headers only. To hear and see more of them:")]
        yield [faint(f"  {_media_command()}")]
    elif media is not None and media.header_only:
        were = "was" if media.header_only == 1 else "were"
        files = count(media.header_only, "media file")
        yield [faint(f"{files} {were} compared by the header only. For all: aura diff --media")]


def _folded(comparison: "Comparison", media: "MediaFindings | None") -> "Sequence[PathChange | SequenceChange]":
    """Return what differs, sequences of pictures as one thing each."""
    from aura_vcs.history.diff.media_findings import may_have_sequences

    if not may_have_sequences(comparison.changes):
        return comparison.changes
    from aura_vcs.history.diff.fold_sequences import fold_sequences  # only where pictures differ

    return fold_sequences(comparison, media.by_path if media is not None else {})


def _media_command() -> str:
    from aura_vcs.cli.installation import how_to_install

    return how_to_install("media")


def _names(repo: "Repository", old: "VersionRecord | None", new: "VersionRecord | None") -> tuple[str, str]:
    start = titled(old, call(repo, old)) if old is not None else "nothing"
    return start, titled(new, call(repo, new)) if new is not None else "your folder"


def _write_report(console: Console, page: str, sides: Sides, media: "MediaFindings") -> None:
    from aura_vcs.compare.report.page import render_report
    from aura_vcs.history.diff.report import version_report

    start, end = sides.names
    report = version_report(sides.comparison, f"{start} → {end}", start, end, media)
    _write(page, render_report(report).encode(), PAGE_START, "report")
    if console.as_json:
        console.data({"report": page, "files": len(report.files)})
    else:
        console.line("Wrote ", strong(page), f": {count(len(report.files), 'file')} compared. Open it in a browser.")


def _leave_unversioned(repo: "Repository", *written: str | None) -> None:
    for name in written:
        if name is not None:
            from aura_vcs.history.recording.unversioned_output import leave_unversioned  # most is printed

            leave_unversioned(repo, name)


def _write_pictures(console: Console, comparison: "Comparison", wanted: "dict[PictureKind, str | None]") -> None:
    from aura_vcs.cli.remote_environment import worker_environment
    from aura_vcs.history.diff.media_diff import show_picture
    from aura_vcs.media.pictures import MARK

    change = _picture(comparison)
    for kind, target in wanted.items():
        if target is None:
            continue
        _write(
            target,
            show_picture(comparison, change, kind, environment=worker_environment()),
            MARK,
            "picture of aura",
        )
        if not console.as_json:
            console.line("Wrote ", strong(target), f": {change.path} {_KINDS[kind]}.")
    if console.as_json:
        console.data({"path": change.path, **wanted})


def _picture(comparison: "Comparison") -> "PathChange":
    """Find the one picture that differs.

    Raises:
        InputError: there is none, or there are several.
    """
    from pathlib import PurePosixPath

    found = [
        change
        for change in comparison.changes
        if change.change == "modified" and PurePosixPath(change.path).suffix.lower() in PICTURE_SUFFIXES
    ]
    if not found:
        raise InputError("No picture differs here", hint="`aura diff` without options shows what does.")
    if len(found) > 1:
        first = ", ".join(change.path for change in found[:4])
        more = f" and {len(found) - 4:,} more" if len(found) > 4 else ""
        hint = "Name one of them at the end: `-- PATH`."
        raise InputError(f"{len(found):,} pictures differ: {first}{more}", hint=hint)
    return found[0]


def _write(name: str, data: bytes, start: bytes, noun: str) -> None:
    """Write a file of ours; an older one is replaced, anything else is left alone.

    Raises:
        InputError: there is a file that we did not write. FileUnreadable.
    """
    from pathlib import Path

    target = Path(name)
    if target.exists() and not _is_ours(target, start):
        raise InputError(f"{name} already exists and is not a {noun}", hint="Choose another name.")
    try:
        target.write_bytes(data)
    except OSError as error:
        raise FileUnreadable(name, error.strerror or str(error)) from error


def _is_ours(target: "Path", mark: bytes) -> bool:
    """Tell whether a file is empty or one that we wrote, which may be replaced by a newer one."""
    try:
        with target.open("rb") as file:
            start = file.read(200)
    except OSError:
        return False
    return not start or mark in start.lower()


def _summary(comparison: "Comparison") -> str:
    paths = {path for change in comparison.changes for path in (change.path, change.old_path)}
    shown = {name for name in comparison.documents if {f"{name}.json", f"{name}.otio"} & paths}
    changed = [name for name, differs in comparison.documents.items() if differs and name in shown]
    documents = f"; changed documents: {', '.join(changed)}" if changed else ""
    return f"{count(len(comparison.changes), 'path')} differ{'s' if len(comparison.changes) == 1 else ''}{documents}"
