"""`aura resolve`."""

import shlex
from typing import TYPE_CHECKING, cast

import click

from aura_vcs.cli.completion import complete_path
from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.conflicts import conflict_lines
from aura_vcs.cli.output.console import Console, faint, good
from aura_vcs.cli.output.humanize import count
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.cli.shared.checkout_report import print_left, print_restore_point

if TYPE_CHECKING:
    from aura_vcs.history.resolve import Decision, Resolved
    from aura_vcs.repository.repository import Repository

DECISIONS = {
    "ours": "Take our side",
    "theirs": "Take their side",
    "base": "Take it as it was before both",
    "both": "Keep both, where that can be",
    "as-is": "It is right as it is in your folder now",
}


@click.command(
    "resolve",
    context_settings=HELP,
    epilog=examples(
        "aura resolve",
        "aura resolve --theirs brief.json#/tone",
        "aura resolve --ours scenes",
        "aura resolve --as-is script.md",
        "aura resolve --theirs brief.json#/tone --from laptop",
    ),
)
@click.argument("path", metavar="[PATH[#/POINTER|#LINE]]", required=False, shell_complete=complete_path)
@click.option("--ours", is_flag=True, help=DECISIONS["ours"])
@click.option("--theirs", is_flag=True, help=DECISIONS["theirs"])
@click.option("--base", is_flag=True, help=DECISIONS["base"])
@click.option("--both", is_flag=True, help=DECISIONS["both"])
@click.option("--as-is", is_flag=True, help=DECISIONS["as-is"])
@click.option("--from", "source", metavar="VERSION|BRANCH", default="", help="Only what came in from there")
@json_option
@pass_repository
def resolve_command(repo: "Repository", console: Console, /, *, path: str | None, source: str, **choices: bool) -> None:
    """Decide what a merge left open

    Without a decision, lists what is open and what each side has. PATH may be a file, a folder or `.` for
    everything; `#/tone` or `#12` means one place in it. Where several sides came in at one place, --from
    says whose. Conflicts may wait: commit, carry the project to another machine, decide there.
    """
    chosen = [name for name, is_chosen in choices.items() if is_chosen]
    if len(chosen) > 1:
        raise click.UsageError("Choose one: a conflict cannot be decided in two ways.")
    if not chosen:
        if source:
            raise click.UsageError("--from goes with a decision, such as --theirs.")
        _list(repo, console, path)
        return
    if path is None:
        raise click.UsageError("Say which: PATH, PATH#/pointer, or `.` for everything.")
    from aura_vcs.history.resolve import resolve_conflicts

    file, place = _parted(repo, path)
    done = resolve_conflicts(repo, file, place, cast("Decision", chosen[0]), source=source)
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import conflict_shape, moved_shape

        shape = {"decided": [conflict_shape(item) for item in done.decided]}
        left = {"left": [conflict_shape(item) for item in done.left]}
        console.data({**shape, **left, **moved_shape(repo, done.files.head, done.files)})
    else:
        _show(console, done)
    print_left(console, done.files)


def _parted(repo: "Repository", path: str) -> tuple[str, str]:
    """File and place; a `#` that is part of a file's own name stays there."""
    from aura_vcs.history.resolve import open_conflicts

    file, mark, place = path.rpartition("#")
    whole = project_paths(repo, (path,))[0]
    known = {name for item in open_conflicts(repo) for name in (item.path, item.tree.aside if item.tree else "")}
    if not mark or whole in known or not (place.startswith("/") or place.isdecimal() or not place):
        return whole, ""
    return project_paths(repo, (file or ".",))[0], place


def _list(repo: "Repository", console: Console, path: str | None) -> None:
    from aura_vcs.history.merging.conflicts import in_order
    from aura_vcs.history.resolve import conflicts_at, open_conflicts

    found = tuple(in_order(open_conflicts(repo)))
    if path is not None:
        found = conflicts_at(found, *_parted(repo, path))
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import conflict_shape

        console.data({"conflicts": [conflict_shape(item) for item in found]})
        return
    if not found:
        console.line(good("Nothing is open."))
        return
    console.lines((line for item in found for line in conflict_lines(item)), paged=True)
    where = shlex.quote(found[0].place) if set(" '()&;") & set(found[0].place) else found[0].place
    console.line(faint(f"Decide with `aura resolve --ours {where}`, or --theirs, --base, --both, --as-is."))


def _show(console: Console, done: "Resolved") -> None:
    for place in dict.fromkeys(item.place for item in done.decided):
        console.line("Decided ", place)
    print_restore_point(console, done.files)
    if done.left:
        console.line(f"{count(len(done.left), 'conflict')} still open: `aura resolve` lists them.")
    else:
        console.line(good("Nothing is open any more."), ' Save it with `aura commit -m "…"`.')
    console.line(faint("Take it back with `aura undo`."))
