"""Open conflicts asked about one by one, on a terminal."""

import os
from typing import TYPE_CHECKING, cast

import click

from aura_vcs.cli.output.conflicts import group_lines
from aura_vcs.cli.output.console import Console, faint, green
from aura_vcs.cli.output.humanize import count
from aura_vcs.cli.shared.checkout_report import print_skipped
from aura_vcs.cli.shared.conflict_media import conflict_media
from aura_vcs.errors import AuraError
from aura_vcs.history.merging.conflict_groups import group_conflicts
from aura_vcs.history.resolve import open_conflicts, resolve_conflicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aura_vcs.history.merging.conflict_groups import ConflictGroup
    from aura_vcs.history.resolve import Decision
    from aura_vcs.repository.repository import Repository

ANSWERS = {
    "o": "ours", "ours": "ours", "1": "ours",
    "t": "theirs", "theirs": "theirs", "2": "theirs",
    "b": "both", "both": "both",
    "e": "edit", "edit": "edit",
    "s": "skip", "skip": "skip", "": "skip",
    "q": "quit", "quit": "quit",
}  # fmt: skip
QUESTION = "(o)urs, (t)heirs, (b)oth, (e)dit the file, (s)kip or (q)uit"


def ask_conflicts(
    repo: "Repository", console: Console, chosen: "Sequence[ConflictGroup]", numbers: "Mapping[str, int]"
) -> None:
    """Ask about each of these conflicts, and carry every answer out at once; `aura undo` takes back the last one.

    `numbers` are those of the list by id, as `aura resolve NUMBER` takes them before the first answer.
    What is skipped stays open. An answer that cannot be is said, and asked again.
    """
    wanted = [group.first.id for group in chosen]
    media = conflict_media(repo, [item for group in chosen for item in group.items])
    decided = 0
    for id_ in wanted:
        group = next((one for one in group_conflicts(open_conflicts(repo)) if one.first.id == id_), None)
        if group is None:
            continue  # another answer has decided it as well
        for line in group_lines(group, numbers[id_], media):
            console.line(*line)
        answer = _answer(repo, console, group)
        if answer == "quit":
            break
        decided += answer != "skip"
    left = len(group_conflicts(open_conflicts(repo)))
    if left:
        console.line(f"{count(decided, 'conflict')} decided, {left:,} still open: `aura resolve` continues.")
    else:
        console.line(green("No conflict is left."), ' Save it with `aura commit -m "…"`.')
    if decided:
        console.line(faint("Take the last answer back with `aura undo`."))


def _answer(repo: "Repository", console: Console, item: "ConflictGroup") -> str:
    """Ask until there is an answer that can be carried out, and do it."""
    while True:
        given = click.prompt(QUESTION, default="", show_default=False, err=True).strip().lower()
        answer = ANSWERS.get(given)
        if answer is None:
            console.note(f"{given!r} is none of the answers.")
            continue
        if answer in {"skip", "quit"}:
            return answer
        try:
            if answer == "edit":
                if not _edited(repo, console, item):
                    continue
                answer = "as_is"
            decide(repo, console, item, cast("Decision", answer))
        except AuraError as error:
            console.note(f"{error.message}. {error.hint}".rstrip())
            continue
        return answer


def decide(repo: "Repository", console: Console, group: "ConflictGroup", decision: "Decision") -> None:
    """Decide one conflict, or those of a sequence's frames, and nothing else at the same place."""
    place = group.location.removeprefix(group.path).removeprefix("#")
    ids, places = {item.id for item in group.items}, {item.location for item in group.items}
    rivals = [other for other in open_conflicts(repo) if other.location in places and other.id not in ids]
    source = group.first.theirs_label if rivals else ""
    done = resolve_conflicts(repo, group.path, place, decision, source=source)
    print_skipped(console, done.files)


def _edited(repo: "Repository", console: Console, item: "ConflictGroup") -> bool:
    """Open the file in the person's editor; whether it is right as it is afterwards."""
    path = os.path.join(repo.root, *item.path.split("/"))
    if not os.path.isfile(path):
        console.note(f"{item.path} is not a file here that could be edited.")
        return False
    try:
        click.edit(filename=path)
    except click.ClickException as error:
        console.note(error.format_message())
        return False
    return click.confirm(f"Is {item.path} right there as it is now?", default=True, err=True)
