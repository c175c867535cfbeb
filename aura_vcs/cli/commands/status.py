"""`aura status`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, red, yellow
from aura_vcs.cli.output.humanize import call, changed_path, count, join_words, short_path, shown_pointer, size, titled
from aura_vcs.cli.session import pass_repository
from aura_vcs.history.status import is_newly_tracked_ignored, status
from aura_vcs.index.queries import describe
from aura_vcs.layout import CONFIG
from aura_vcs.project.documents.cached_check import folder_problems, has_editors_projects, remembered_missing
from aura_vcs.repository.format_file import ANNOTATIONS
from aura_vcs.suggestions import quote_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aura_vcs.cli.output.console import Line, Part
    from aura_vcs.history.status import Status
    from aura_vcs.project.documents.problems import DocumentProblem
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.locks.advice import Advice
    from aura_vcs.sync.sent import Unsent

NEW = ("added", "modified", "type_changed")
TOLD_FROM = 100_000
"""Bytes from which a file's size is told: it is what takes room and time."""
PAGE_LINES = 40
"""From more changes on, they are shown in a pager."""
SEQUENCE_FROM = 3
"""Fewer files are no sequence of pictures."""
SHOWN = 20
"""So many open conflicts are listed."""


@click.command("status", context_settings=HELP, epilog=examples("aura status", "aura status --json"))
@json_option
@pass_repository
def status_command(repo: "Repository", console: Console) -> None:
    """Show what has changed since the last version

    Renamed files are recognised by their content. Problems in documents and media are listed too; they
    never keep you from committing.
    """
    found = status(repo)
    problems = folder_problems(repo, found)
    missing = missing_media(repo, found)
    advice = _advice_on(repo, found)
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import offloaded_to_json, problems_to_json, status_to_json
        from aura_vcs.cli.shared.locks import advice_to_json
        from aura_vcs.history.lookup.offloaded_summary import OffloadedFiles

        away = offloaded_to_json(OffloadedFiles(repo).everywhere())
        unsent = [{"remote": u.remote, "versions": u.versions, "more": u.is_more} for u in _unsent(repo, found)]
        held = {"offloaded": away, "locks": advice_to_json(repo, advice), "unsent": unsent, "missing_media": missing}
        held["stale"] = _stale(repo, found)
        console.data({**status_to_json(found), **problems_to_json(problems), **held})
    else:
        _show(repo, console, found)
        _print_problems(console, problems or ())
        _print_missing(console, missing)
        for path, changed in _stale(repo, found).items():
            console.line(yellow(f"{short_path(path)} is stale: {', '.join(changed[:3])} changed since it was made. "),
                         f"`aura derived make {quote_path(path)}` makes it again.")  # fmt: skip
        if advice:
            from aura_vcs.cli.shared.locks import print_advice  # seldom needed

            print_advice(console, advice)
    _print_tracked_ignored(repo, console, found)
    for skipped in found.skipped:
        if skipped.is_evicted:
            console.note(faint(f"{short_path(skipped.path)} is not here: {skipped.reason}"))
        else:
            console.warn(f"{short_path(skipped.path)} cannot be saved: {skipped.reason}")
    for path in found.unstable:
        console.warn(f"{path} is being written right now")


def _stale(repo: "Repository", found: "Status") -> dict[str, list[str]]:
    """Map files that were made from what has changed since to what has; {} where nothing is known to be made so."""
    if ANNOTATIONS not in repo.format.features:
        return {}
    from aura_vcs.annotations.recipes import stale  # few projects have recipes

    return stale(repo, {path for change in found.changes for path in (change.path, change.old_path) if path})


def missing_media(repo: "Repository", found: "Status") -> dict[str, int]:
    """Count the missing media by project file; {} where there are none, and in a folder that is too large to look.

    Where nothing changed, or nothing that is a project, what is remembered of the version counts, and the readers of
    projects are not loaded.
    """
    known = remembered_missing(repo, found)
    if known is not None and (found.is_clean or not (known.projects or _may_be_projects(found))):
        return known.missing
    if known is None and not has_editors_projects(repo, found):
        return {}
    from aura_vcs.project.media.cached_missing import count_missing_media  # reads project files

    return count_missing_media(repo, found)


def _may_be_projects(found: "Status") -> bool:
    from aura_vcs.formats.timeline.endings import may_be_project  # only where something changed

    return any(may_be_project(path) for change in found.changes for path in (change.path, change.old_path) if path)


def _print_missing(console: Console, missing: dict[str, int]) -> None:
    if missing:
        whose = short_path(next(iter(missing))) if len(missing) == 1 else count(len(missing), "project file")
        lacking = count(sum(missing.values()), "media file")
        names = "names" if len(missing) == 1 else "name"
        verb, them = ("is", "it") if sum(missing.values()) == 1 else ("are", "them")
        console.line(f"{lacking} that {whose} {names} {verb} missing: `aura media relink` looks for {them}")


def _advice_on(repo: "Repository", found: "Status") -> tuple["Advice", ...]:
    paths = [path for change in found.changes for path in (change.path, change.old_path) if path is not None]
    if not paths:
        return ()
    from aura_vcs.cli.shared.locks import advice_on  # not where nothing has changed

    return advice_on(repo, paths)


def _print_tracked_ignored(repo: "Repository", console: Console, found: "Status") -> None:
    """Say once that rules do not take out of versions what is in them."""
    if console.as_json or not is_newly_tracked_ignored(repo, found.tracked_ignored):
        return
    shown = ", ".join(found.tracked_ignored[:SHOWN]) + (
        f" … ({len(found.tracked_ignored):,} in all)" if len(found.tracked_ignored) > SHOWN else ""
    )
    verb = "is" if len(found.tracked_ignored) == 1 else "are"
    console.note(f"{shown} {verb} ignored now, and stay{'s' if verb == 'is' else ''} in versions anyway.")
    console.note(faint("`aura untrack PATH` leaves files out of versions, but in the folder. This is shown only once."))


def _show(repo: "Repository", console: Console, found: "Status") -> None:
    if found.head is None and found.behind is not None:
        console.line("On branch ", cyan(found.branch or ""), ", but your files are at none of its versions yet")
    else:
        console.line(*shown_pointer(repo.head(), found.head, call(repo, found.head)))
    _print_branch(repo, console, found)
    if found.interrupted is not None:
        console.warn(f"this was interrupted and will be finished by the next command: {found.interrupted}")
    if found.conflicts:
        _print_conflicts(console, found.conflicts)
    console.lines(_change_lines(found), paged=len(found.changes) > PAGE_LINES)
    if found.changes:
        changes = count(len(found.changes), "change")
        new = sum(found.sizes.get(change.path, 0) for change in found.changes if change.change in NEW)
        amount = f", {size(new)} to save" if new >= TOLD_FROM else ""
        console.line(faint(f'{changes}{amount}. Save with `aura commit -m "…"`, look closer with `aura diff`.'))
    elif found.head is None and not found.files:
        console.line(faint("The folder is empty. Put your project's files here."))
    else:
        console.line(green("Nothing has changed."))
    _print_offloaded(repo, console)
    _print_unsent(console, _unsent(repo, found))


def _change_lines(found: "Status") -> "Iterator[Line]":
    """Format the list of changes; sequences of pictures are one line each."""
    if len(found.changes) < SEQUENCE_FROM:
        for change in found.changes:
            yield [
                *changed_path(change.change, change.path, change.old_path),
                *_how_large(found, change.change, change.path),
            ]
        return
    from aura_vcs.cli.output.sequence_lists import fold_listed, how_many  # not where little has changed

    for one in fold_listed(found.changes):
        many, large = how_many(one.paths), _how_large(found, one.change, *one.paths)
        yield [*changed_path(one.change, one.path, one.old_path), *many, *large]


def _how_large(found: "Status", change: str, *paths: str) -> "list[Part]":
    """Format the size of what is new, where it counts: media, not documents."""
    amount = sum(found.sizes.get(path, 0) for path in paths)
    return [faint(f"  {size(amount)}")] if change in NEW and amount >= TOLD_FROM else []


def _unsent(repo: "Repository", found: "Status") -> "tuple[Unsent, ...]":
    """Find what of the branch is known not to be at a remote; nothing is imported where there never was one."""
    if found.head is None or repo.storage.stat(CONFIG) is None:
        return ()
    from aura_vcs.sync.sent import unsent

    return unsent(repo, found.head.id)


def _print_unsent(console: Console, places: "Sequence[Unsent]") -> None:
    """Print "2 versions not sent to nas": as the last sync with it left things, nobody is asked."""
    for item in places:
        more = "more than " if item.is_more else ""
        console.line(
            f"{more}{count(item.versions, 'version')} not sent to ", cyan(item.remote), f": `aura sync {item.remote}`."
        )


def _print_offloaded(repo: "Repository", console: Console) -> None:
    if not repo.files.offloaded.all():
        return
    from aura_vcs.history.lookup.offloaded_summary import OffloadedFiles

    found = OffloadedFiles(repo).everywhere()
    if found.files:
        console.line(
            faint(f"Offloaded: {count(found.files, 'file')} of older versions, {size(found.size_bytes)}, to "),
            cyan(join_words(found.remotes)),
        )


def _print_conflicts(console: Console, places: tuple[str, ...]) -> None:
    console.line(f"{count(len(places), 'conflict')} left by a merge, to be decided when you like:")
    for place_ in places[:SHOWN]:
        console.line("  ", red("open     "), " ", place_)
    if len(places) > SHOWN:
        console.line(faint(f"  … and {len(places) - SHOWN:,} more"))
    console.line(faint("`aura resolve` shows both sides and how to choose."))


def _print_problems(console: Console, problems: "Sequence[DocumentProblem]") -> None:
    """Print what is wrong with the documents: it can be saved all the same."""
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        first = errors[0]
        more = f" (and {count(len(errors) - 1, 'more error')})" if len(errors) > 1 else ""
        console.warn(f"{first.file}{first.pointer}: {first.message}{more}; `aura project check` lists all")
    elif problems:
        console.line(faint(f"{count(len(problems), 'warning')} about the documents: `aura project check`."))


def _print_branch(repo: "Repository", console: Console, found: "Status") -> None:
    queries = repo.queries
    if found.diverged:
        heads = " and ".join(describe(queries, version) for version in found.diverged)
        console.warn(
            f"branch {found.branch} has diverged: {heads} were made on different machines and moved this branch apart. "
            "Nothing is lost: both are kept, and `aura merge` makes one version of them."
        )
    elif found.behind is not None:
        newer = queries.version(found.behind)
        name = titled(newer, call(repo, newer)) if newer is not None else "another version"
        there = f"Go there with `aura pull`, or with `aura checkout {found.branch}`"
        if found.head is not None and queries.is_ancestor(found.behind, found.head.id):
            console.line(f"  Another machine moved the branch back to {name}. {there}, or commit here to continue.")
        else:
            console.line(f"  The branch has moved on to {name}. {there}.")
    for name, apart in found.tags_apart:
        console.warn(
            f"the tag {name} was given to two versions on two machines: the other one goes by {apart}. "
            f"`aura tag` shows both; remove the wrong one with `aura tag -d`"
        )
    if found.missing_heads:
        from aura_vcs.cli.shared.partial_sync import print_missing_heads  # seldom needed

        print_missing_heads(repo, console)
    if found.branch is None and found.head is not None:
        console.line(faint(f"  Commit here and a branch from-v{found.head.number} starts by itself."))
