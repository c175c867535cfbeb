"""`aura resolve`."""

import sys
from typing import TYPE_CHECKING, cast

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.conflicts import group_lines
from aura_vcs.cli.output.console import Console, faint, green, is_terminal
from aura_vcs.cli.output.humanize import count
from aura_vcs.cli.output.json_shapes import checkout_to_json, conflict_to_json
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.cli.shared.ask_conflicts import ask_conflicts
from aura_vcs.cli.shared.checkout_report import print_restore_point, print_skipped
from aura_vcs.cli.shared.conflict_media import conflict_media
from aura_vcs.errors import InputError
from aura_vcs.history.merging.conflict_groups import group_conflicts, numbers_of
from aura_vcs.history.resolve import conflicts_at, open_conflicts, resolve_conflicts

if TYPE_CHECKING:
    from aura_vcs.history.merging.conflict_groups import ConflictGroup
    from aura_vcs.history.resolve import Decision, Resolved
    from aura_vcs.repository.repository import Repository

MAX_DIGITS = 9
"""No list is so long that its numbers have more."""
DECISIONS = {
    "ours": "Take our side",
    "theirs": "Take their side",
    "base": "Take it as it was before both changes",
    "both": "Keep both, where possible",
    "as-is": "Keep it as it is in your files now",
}


@click.command(
    "resolve",
    context_settings=HELP,
    epilog=examples(
        "aura resolve",
        "aura resolve --list",
        "aura resolve 2 --theirs",
        "aura resolve --theirs brief.json#/tone",
        "aura resolve --ours scenes",
        "aura resolve --theirs 'render/shot.[0012-0030].exr'",
        "aura resolve --as-is script.md",
        "aura resolve --theirs brief.json#/tone --from laptop",
    ),
)
@click.argument("path", metavar="[NUMBER|PATH[#/POINTER|#LINE]]", required=False, shell_complete=completing("conflict"))
@click.option("--list", "only_list", is_flag=True, help="List the conflicts, and ask nothing")
@click.option("--ours", is_flag=True, help=DECISIONS["ours"])
@click.option("--theirs", is_flag=True, help=DECISIONS["theirs"])
@click.option("--base", is_flag=True, help=DECISIONS["base"])
@click.option("--both", is_flag=True, help=DECISIONS["both"])
@click.option("--as-is", is_flag=True, help=DECISIONS["as-is"])
@click.option("--from", "source", metavar="VERSION|BRANCH", default="", help="Only what came in from there")
@json_option
@pass_repository
def resolve_command(
    repo: "Repository", console: Console, /, *, path: str | None, source: str, only_list: bool, **choices: bool
) -> None:
    """Decide what a merge left open

    Without a decision, asks about the conflicts one by one, with what each side has. With --list, or
    without a terminal, lists them. NUMBER is a number of that list. PATH may be a file, a folder, or
    `.` for everything; `#/tone` or `#12` means one place in the file. If several versions were merged
    at one place, --from says whose side is meant. Conflicts can wait: you may commit, take the project
    to another machine, and decide there.
    """
    chosen = [name for name, is_chosen in choices.items() if is_chosen]
    if len(chosen) > 1:
        raise click.UsageError("Choose one: a conflict cannot be decided in two ways.")
    if not chosen:
        if source:
            raise click.UsageError("--from needs a decision, such as --theirs.")
        _list(repo, console, path, only_list=only_list)
        return
    if path is None:
        raise click.UsageError("Name one: its number, PATH, PATH#/pointer, or `.` for everything.")

    if (group := _numbered(repo, path)) is not None:
        path, source = group.location, source or _source(repo, group)
        file, place = group.path, group.location.removeprefix(group.path).removeprefix("#")
    else:
        file, place = _parted(repo, path)
    done = resolve_conflicts(repo, file, place, cast("Decision", chosen[0]), source=source)
    if console.as_json:
        from aura_vcs.cli.output.conflict_json import numbered_conflicts

        shape = {"decided": [conflict_to_json(item) for item in done.decided]}
        left = numbered_conflicts(group_conflicts(done.remaining))
        console.data({**shape, "left": left, **checkout_to_json(repo, done.files.head, done.files)})
    else:
        _show(repo, console, done)
    print_skipped(console, done.files)


def _parted(repo: "Repository", path: str) -> tuple[str, str]:
    """File and place; a `#` that is part of a file's own name stays there."""
    file, mark, place = path.rpartition("#")
    whole = project_paths(repo, (path,))[0]
    known = {name for item in open_conflicts(repo) for name in (item.path, item.tree.aside if item.tree else "")}
    if not mark or whole in known or not (place.startswith("/") or place.isdecimal() or not place):
        return whole, ""
    return project_paths(repo, (file or ".",))[0], place


def _numbered(repo: "Repository", word: str) -> "ConflictGroup | None":
    """Find what has that number in the list; a file of that name goes first."""
    if not word.isdecimal():
        return None
    found = group_conflicts(open_conflicts(repo))
    if any(group.path == word for group in found):
        return None
    if len(word) > MAX_DIGITS or not 0 < int(word) <= len(found):
        hint = "`aura resolve --list` shows their numbers."
        left = f"There is no conflict {word}; {count(len(found), 'conflict')} open" if found else "No conflict is open"
        raise InputError(left, hint=hint if found else "`aura merge` says what it leaves open.")
    return found[int(word) - 1]


def _source(repo: "Repository", group: "ConflictGroup") -> str:
    """Return whose side is meant, where several came in at one place."""
    ids, places = {item.id for item in group.items}, {item.location for item in group.items}
    rivals = [other for other in open_conflicts(repo) if other.location in places and other.id not in ids]
    return group.first.theirs_label if rivals else ""


def _list(repo: "Repository", console: Console, path: str | None, *, only_list: bool) -> None:
    every = open_conflicts(repo)
    groups = group_conflicts(every)
    numbers = numbers_of(groups)
    if path is not None and (group := _numbered(repo, path)) is not None:
        groups = [group]
    elif path is not None:
        groups = group_conflicts(conflicts_at(every, *_parted(repo, path)))
    found = [item for group in groups for item in group.items]
    if console.as_json:
        from aura_vcs.cli.output.conflict_json import conflict_list

        console.data({"conflicts": conflict_list(groups, numbers, conflict_media(repo, found))})
        return
    if not found:
        console.line(green("No conflict is open."))
        return
    if not only_list and is_terminal(sys.stdin) and is_terminal(sys.stdout):
        ask_conflicts(repo, console, groups, numbers)
        return
    media = conflict_media(repo, found)
    lines = (line for group in groups for line in group_lines(group, numbers[group.first.id], media))
    console.lines(lines, paged=True)
    number = numbers[found[0].id]
    console.line(faint(f"Decide with `aura resolve {number} --ours`, or --theirs, --base, --both, --as-is."))


def _show(repo: "Repository", console: Console, done: "Resolved") -> None:
    for place in dict.fromkeys(group.location for group in group_conflicts(done.decided)):
        console.line("Decided ", place)
    print_restore_point(repo, console, done.files)
    if done.remaining:
        left = len(group_conflicts(done.remaining))
        console.line(f"{count(left, 'conflict')} still open: `aura resolve` lists them.")
    else:
        console.line(green("No conflict is left."), ' Save it with `aura commit -m "…"`.')
    console.line(faint("Take it back with `aura undo`."))
