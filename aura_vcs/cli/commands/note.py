"""`aura note`: what people and programs say about versions and files."""

import os
from collections import Counter
from typing import TYPE_CHECKING

import click

from aura_vcs.annotations.notes import (
    add_note,
    delete_note,
    each_note,
    edit_note,
    find_note,
    reopen_note,
    reply,
    resolve_note,
)
from aura_vcs.annotations.targets import Target, clock, describe_place, split_places
from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import HELP, POSITIVE, TEXT, Moment, completing, examples, json_option
from aura_vcs.cli.output.console import Console, Line, Part, cyan, faint, green, red, strong, yellow
from aura_vcs.cli.output.humanize import call, count, local_time
from aura_vcs.cli.session import Session, current_session, pass_repository, project_paths
from aura_vcs.cli.shared.notes import KnownVersions, located_to_json, note_to_json, shown_target

if TYPE_CHECKING:
    from aura_vcs.annotations.notes import Note
    from aura_vcs.annotations.places import Located
    from aura_vcs.repository.repository import Repository

_STATES = ("open", "resolved", "deleted")
_PAINT = {"open": red, "resolved": green, "deleted": faint}
_LISTED = 50
_WHERE = "[VERSION:]FILE[@PLACE]"


@click.group(
    "note",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples(
        'aura note add v3:cut.mp4@0:12-0:15 "logo too big"',
        "aura note list --open",
        'aura note reply 3fa2 "smaller now"',
        "aura note resolve 3fa2",
    ),
)
def note_command() -> None:
    """Write notes on a version, a file or a place in it

    A note is about a version (`v3`), a file as HEAD has it (`cut.mp4`) or as a version has it
    (`v3:cut.mp4`), or a place in a file, after an `@`: a moment or stretch of time (`@0:12-0:15`,
    `@300f` in frames), a region of the picture (`@10%,20%,30%x40%`, or in pixels), a clip of a timeline
    (`@clip=Title`), a field of a document (`@/title`). It follows the file through renames. Notes
    travel with `aura push` and `aura sync`, and merge.
    """


@note_command.command(
    "add",
    context_settings=HELP,
    epilog=examples(
        'aura note add v3 "approved by the client"',
        'aura note add cut.mp4@1:02.5 "cut on the beat" --color red',
        'aura note add poster.png@120,40,300x200 "this face is soft"',
    ),
)
@click.argument("where", metavar=_WHERE, shell_complete=completing("version"))
@click.argument("text", type=TEXT)
@click.option("--color", metavar="NAME", type=TEXT, default="", help="How it is shown: red, #ff8800, …")
@json_option
@pass_repository
def add_command(repo: "Repository", console: Console, where: str, text: str, color: str) -> None:
    """Write a note on a version, a file, or a place in a file"""
    _print_done(repo, console, "Noted", add_note(repo, _where(repo, where), text, color=color))


@note_command.command(
    "list", context_settings=HELP, epilog=examples("aura note list --open", "aura note list cut.mp4 --since 2d")
)
@click.argument("where", metavar="[FILE|VERSION]", required=False, shell_complete=completing("version"))
@click.option("--open", "state", flag_value="open", help="Only those that are not resolved")
@click.option("--state", "state", type=click.Choice(_STATES), help="Only those in this state")
@click.option("--since", metavar="TIME", type=Moment("start"), help="Not older: 2d, yesterday, monday or 2026-11-23")
@click.option(
    "-n", "limit", metavar="COUNT", type=POSITIVE, default=_LISTED, show_default=True, help="At most this many"
)
@json_option
@pass_repository
def list_command(
    repo: "Repository", console: Console, *, where: str | None, state: str | None, since: str | None, limit: int
) -> None:
    """List notes, newest first

    Those on a file are listed under every name that the file has had.
    """
    meant = _where(repo, where) if where is not None else None
    found = each_note(repo, meant, state=state, since=since, limit=limit)  # type: ignore[arg-type]  # one of _STATES
    known: KnownVersions = {}
    if console.as_json:
        console.items("notes", (note_to_json(repo, note, known) for note in found))
        return
    shown = Counter[str]()
    console.lines((line for note in found for line in _lines(repo, note, known, shown)), paged=True)
    if not shown["notes"]:
        chosen = any(value is not None for value in (where, state, since))
        console.line("No matching notes." if chosen else 'There are no notes yet. `aura note add FILE "…"` makes one.')
    elif shown["notes"] == limit:
        console.line(faint(f"These are the newest {limit:,}; -n shows more."))


@note_command.command("show", context_settings=HELP, epilog=examples("aura note show 3fa2"))
@click.argument("note", metavar="ID")
@json_option
@pass_repository
def show_command(repo: "Repository", console: Console, note: str) -> None:
    """Show one note: its replies, earlier wordings, and where its place is now"""
    from aura_vcs.annotations.places import find_now

    found = find_note(repo, note)
    now = find_now(repo, found.target)
    if console.as_json:
        console.data({"note": {**note_to_json(repo, found), "now": located_to_json(repo, now)}})
        return
    console.lines(_lines(repo, found))
    if now is not None:
        console.line(faint("    now: "), *_now(repo, found, now))
    for text in found.earlier:
        console.line(faint("    was: "), *_indented(text, "         "))


@note_command.command("reply", context_settings=HELP, epilog=examples('aura note reply 3fa2 "smaller now"'))
@click.argument("note", metavar="ID")
@click.argument("text", type=TEXT)
@json_option
@pass_repository
def reply_command(repo: "Repository", console: Console, note: str, text: str) -> None:
    """Answer a note"""
    _print_done(repo, console, "Replied to", reply(repo, note, text))


@note_command.command("resolve", context_settings=HELP, epilog=examples("aura note resolve 3fa2"))
@click.argument("note", metavar="ID")
@json_option
@pass_repository
def resolve_command(repo: "Repository", console: Console, note: str) -> None:
    """Mark a note as resolved"""
    _print_done(repo, console, "Resolved", resolve_note(repo, note))


@note_command.command("reopen", context_settings=HELP, epilog=examples("aura note reopen 3fa2"))
@click.argument("note", metavar="ID")
@json_option
@pass_repository
def reopen_command(repo: "Repository", console: Console, note: str) -> None:
    """Open a note again that was resolved or deleted"""
    _print_done(repo, console, "Reopened", reopen_note(repo, note))


@note_command.command("edit", context_settings=HELP, epilog=examples('aura note edit 3fa2 "logo far too big"'))
@click.argument("note", metavar="ID")
@click.argument("text", type=TEXT, required=False)
@click.option("--color", metavar="NAME", type=TEXT, help="How it is shown: red, #ff8800, …")
@json_option
@pass_repository
def edit_command(repo: "Repository", console: Console, note: str, text: str | None, color: str | None) -> None:
    """Give a note another wording or colour; earlier wordings are kept"""
    if text is None and color is None:
        raise click.UsageError("Give the new TEXT, or --color.")
    _print_done(repo, console, "Changed", edit_note(repo, note, text=text, color=color))


@note_command.command("delete", context_settings=HELP, epilog=examples("aura note delete 3fa2"))
@click.argument("note", metavar="ID")
@json_option
@pass_repository
def delete_command(repo: "Repository", console: Console, note: str) -> None:
    """Delete a note; `aura undo` and `aura note reopen` bring it back

    If somebody on another machine changes or answers it without knowing of the deletion, that brings it
    back as well.
    """
    _print_done(repo, console, "Deleted", delete_note(repo, note))


@note_command.command("import", context_settings=HELP, epilog=examples("aura note import cut.otio"))
@click.argument("where", metavar="[VERSION:]FILE", shell_complete=completing("version"))
@json_option
@pass_repository
def import_command(repo: "Repository", console: Console, where: str) -> None:
    """Make notes of the markers of a timeline or an editor's project

    FILE is read from a version, by default the last one: the timeline's markers and, where the program
    writes them, those of clips, tracks and media. A marker that already has a note is skipped.
    """
    from aura_vcs.annotations.markers import import_markers

    found = import_markers(repo, _where(repo, where))
    if console.as_json:
        console.data({"notes": [note_to_json(repo, note) for note in found]})
        return
    console.lines(line for note in found for line in _lines(repo, note))
    console.line(f"{count(len(found), 'new note')} from markers.")


@note_command.command(
    "export",
    context_settings=HELP,
    epilog=examples("aura note export cut.otio reviewed.otio", "aura note export film.kdenlive reviewed.kdenlive"),
)
@click.argument("where", metavar="[VERSION:]FILE", shell_complete=completing("version"))
@click.argument("output", metavar="OUTPUT", type=click.Path(readable=False))
@json_option
@pass_repository
def export_command(repo: "Repository", console: Console, where: str, output: str) -> None:
    """Write the notes on a file as markers, into a new file

    For an OpenTimelineIO timeline, or a project of Final Cut Pro (.fcpxml), Kdenlive or Shotcut, this
    is a copy with the markers added; for a film, an OpenTimelineIO timeline that plays it.
    """
    from aura_vcs.annotations.markers import export_markers

    written = export_markers(repo, _where(repo, where), os.path.join(current_session().folder, output))
    if console.as_json:
        console.data({"output": output, "markers": written})
        return
    console.line("Wrote ", strong(output), f": {count(written, 'marker')}")


def _where(repo: "Repository", text: str) -> str:
    """Convert the path of a file, as it was typed in a folder of the project, to the form that versions have."""
    name, _ = split_places(text)
    session = click.get_current_context().find_object(Session)
    folder = session.folder if session is not None else "."
    if ":" in name or not os.path.lexists(os.path.join(folder, name)):
        return text
    return project_paths(repo, (name,))[0] + text[len(name) :]


def _print_done(repo: "Repository", console: Console, verb: str, note: "Note") -> None:
    if console.as_json:
        console.data({"note": note_to_json(repo, note)})
        return
    console.line(f"{verb} ", yellow(note.id[:8]), " on ", cyan(shown_target(repo, note.target)))
    console.line(faint("Take it back with `aura undo`."))


def _lines(
    repo: "Repository", note: "Note", known: KnownVersions | None = None, shown: Counter[str] | None = None
) -> list[Line]:
    """Format a note; `known` is filled and read, and `shown` counts it."""
    if shown is not None:
        shown["notes"] += 1
    state = _PAINT[note.state](note.state)
    color = [f"  ({note.color})"] if note.color else []
    said: Line = [faint(f"    {note.created_by}, {local_time(note.created_at)}: ")]
    lines: list[Line] = [
        [yellow(note.id[:8]), "  ", state, "  ", cyan(shown_target(repo, note.target, known)), *color],
        [*said, *_indented(note.text, "      ")],
    ]
    for answer in note.replies:
        who = faint(f"      {answer.created_by}, {local_time(answer.created_at)}: ")
        lines.append([who, *_indented(answer.text, "        ")])
    if note.resolved_by is not None and note.resolved_at is not None:
        lines.append([faint(f"    resolved by {note.resolved_by}, {local_time(note.resolved_at)}")])
    return lines


def _indented(text: str, indent: str) -> list[Part]:
    return [strong(f"\n{indent}".join(text.splitlines()))]


def _now(repo: "Repository", note: "Note", now: "Located") -> list[Part]:
    if now.path is None:
        return ["the file no longer exists"]
    version = repo.queries.version(now.version)
    where = f"{call(repo, version)}:{now.path}" if version is not None else now.path
    if not now.is_found:
        return [cyan(where), ", where that place is gone"]
    place = f"@{now.field}" if now.field is not None else ""
    if now.start is not None:
        place = f"@{clock(now.start)}" + (f"-{clock(now.end)}" if now.end is not None else "")
    if note.target.region is not None:
        place += describe_place(Target(region=note.target.region))
    return [cyan(f"{where}{place}"), "" if now.is_same else ", which has changed since"]
