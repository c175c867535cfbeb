"""`aura merge`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, TEXT, author_option, completing, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, strong
from aura_vcs.cli.output.humanize import call, changed_path, count, join_words, titled
from aura_vcs.cli.output.json_shapes import (
    checkout_to_json,
    conflict_to_json,
    path_to_json,
    restore_point_to_json,
    version_to_json,
)
from aura_vcs.cli.output.sequence_lists import ListedChange, fold_listed, how_many
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.checkout_report import print_kept_unsaved, print_skipped
from aura_vcs.cli.shared.conflict_media import conflict_media
from aura_vcs.cli.shared.media_warnings import warn_of_missing_media
from aura_vcs.cli.shared.partial_sync import print_missing_heads
from aura_vcs.cli.shared.undo_report import print_undone
from aura_vcs.history.abort_merge import abort_merge
from aura_vcs.history.merge import merge, plan_merge
from aura_vcs.layout import CONFLICTS

if TYPE_CHECKING:
    from aura_vcs.history.merge import Merged, MergePlan
    from aura_vcs.history.merging.media_changes import MediaSides
    from aura_vcs.repository.repository import Repository

PASSAGES = 5
"""So many lines with words of both sides are shown for a file."""
PASSAGE_LENGTH = 100
SHOWN = 30
"""So many paths and conflicts are listed."""


@click.command(
    "merge",
    context_settings=HELP,
    epilog=examples(
        "aura merge shorter-intro",
        "aura merge shorter-intro --dry-run",
        "aura merge",
        "aura merge --abort",
    ),
)
@click.argument("name", metavar="[BRANCH|VERSION]", required=False, shell_complete=completing("version"))
@click.option("-m", "--message", metavar="NAME", type=TEXT, default="", help="What the merged version is called")
@click.option("--abort", is_flag=True, help="Take the last merge back, files included")
@dry_run_option
@author_option
@json_option
@pass_repository
def merge_command(
    repo: "Repository", console: Console, *, name: str | None, message: str, abort: bool, dry_run: bool
) -> None:
    """Merge another branch or version into yours

    Documents are merged by field, timelines by clip, texts by line. What both sides changed differently
    becomes a conflict, with both sides kept: the merged version is saved, and you decide later with
    `aura resolve`. Without a name, merges what several machines did to this branch.
    """
    if abort:
        if name is not None or dry_run:
            raise click.UsageError("--abort cannot be combined with anything else.")

        print_undone(repo, console, abort_merge(repo), "Undid", "Do it again with `aura redo`.")
        return
    if dry_run:
        plan = plan_merge(repo, name)
        if console.as_json:
            console.data({"dry_run": True, **plan_to_json(plan, conflict_media(repo, plan.conflicts))})
        else:
            _show_plan(repo, console, plan)
        return
    done = merge(repo, name, message=message)
    if console.as_json:
        console.data(
            {
                "dry_run": False,
                **plan_to_json(done.plan, conflict_media(repo, done.plan.conflicts)),
                **done_to_json(repo, done),
            }
        )
    else:
        _show(repo, console, done)
    if done.plan.kind == "up_to_date" and name is None:
        print_missing_heads(repo, console)
    if done.files is not None:
        print_skipped(console, done.files)
        warn_of_missing_media(repo, console, done.plan.ours.tree, done.version.tree)


def plan_to_json(plan: "MergePlan", media: "Mapping[str, MediaSides] | None" = None) -> dict[str, Any]:
    """Convert what a merge will do, or did, to JSON; `media` is what became of media, by the ids of conflicts."""
    return {
        "kind": plan.kind,
        "ours": restore_point_to_json(plan.ours),
        "theirs": restore_point_to_json(plan.theirs),
        "changes": [path_to_json(path) for path in plan.changes],
        "joined": [
            {**path_to_json(item.path), "by": item.by, "mixed": [{"line": m.line, "text": m.text} for m in item.mixed]}
            for item in plan.merged_files
        ],
        "renamed": [{**path_to_json(new), **path_to_json(old, "old_path")} for old, new in plan.renamed.items()],
        "conflicts": [conflict_to_json(item, (media or {}).get(item.id)) for item in plan.conflicts],
        "heads_left": list(plan.remaining_heads),
    }


def done_to_json(repo: "Repository", done: "Merged") -> dict[str, Any]:
    """Convert to JSON what a merge made, and where the folder is now."""
    return {
        "version": version_to_json(done.version),
        "replaced": [path_to_json(path) for path in done.replaced],
        **checkout_to_json(repo, repo.head(), done.files),
    }


def _show_plan(repo: "Repository", console: Console, plan: "MergePlan") -> None:
    if plan.kind == "up_to_date":
        console.line(green("Already up to date: your branch has everything"))
        return
    if plan.kind == "forward":
        theirs = titled(plan.theirs, call(repo, plan.theirs))
        console.line(f"Your branch would be fast-forwarded to {theirs}; nothing needs merging")
    else:
        ours = titled(plan.ours, call(repo, plan.ours))
        console.line(f"{titled(plan.theirs, call(repo, plan.theirs))} would be merged into {ours}")
    _show_content(repo, console, plan)
    console.line(faint("Nothing was changed. Without --dry-run the same command does it."))


def _show(repo: "Repository", console: Console, done: "Merged") -> None:
    plan = done.plan
    if plan.kind == "up_to_date":
        console.line(green("Already up to date: your branch has everything"))
        return
    if plan.kind == "forward":
        console.line(
            "Fast-forwarded to ", strong(titled(done.version, call(repo, done.version))), "; nothing needed merging"
        )
    else:
        console.line("Merged as ", strong(titled(done.version, call(repo, done.version))))
    _show_content(repo, console, plan)
    _print_unsaved(repo, console, done)
    if plan.conflicts:
        console.line("The version is saved and you can go on. `aura resolve` asks about each, when you like.")
    if plan.remaining_heads:
        console.line(f"{count(len(plan.remaining_heads), 'head')} of the branch still apart: `aura merge` again.")
    console.line(faint("Take it back with `aura undo`."))


def _print_unsaved(repo: "Repository", console: Console, done: "Merged") -> None:
    point = done.files.restore_point if done.files is not None else None
    if done.files is not None:
        print_kept_unsaved(console, done.files)
    if point is None:
        return
    name = call(repo, point)
    kept = f"kept in the restore point {name}"
    if not done.replaced:
        console.line(f"What you had decided and not saved is {kept}.")
        return
    named = join_words(done.replaced[:5]) + (" and others" if len(done.replaced) > 5 else "")
    console.line(
        f"You had not saved {named}, which the merge changed too: your state is {kept}; "
        f"`aura merge {name}` merges it in."
    )


def _one_line(text: str) -> str:
    line = " ⏎ ".join(text.splitlines())
    return line if len(line) <= PASSAGE_LENGTH else f"{line[: PASSAGE_LENGTH - 1]}…"


def _listed(plan: "MergePlan", path: str, by: Mapping[str, str], old_paths: Mapping[str, str]) -> ListedChange:
    word = "deleted" if plan.changes[path] is None else "merged" if path in by else "taken"
    return ListedChange("renamed" if path in old_paths else word, path, old_paths.get(path), (path,))


def _show_content(repo: "Repository", console: Console, plan: "MergePlan") -> None:
    from aura_vcs.cli.output.conflicts import group_lines
    from aura_vcs.history.merging.conflict_groups import group_conflicts

    by = {item.path: item.by for item in plan.merged_files}
    mixed = {item.path: item.mixed for item in plan.merged_files}
    words = {"fields": "merged by field", "timeline": "merged by clip", "text": "merged by line"}
    old_paths = {new: old for old, new in plan.renamed.items()}
    paths = [path for path in plan.changes if path != CONFLICTS and path not in plan.renamed]
    shown = fold_listed([_listed(plan, path, by, old_paths) for path in paths])
    for one in shown[:SHOWN]:
        path, how = one.path, f"  {words[by[one.path]]}" if one.path in by else ""
        console.line(*changed_path(one.change, path, one.old_path), *how_many(one.paths), cyan(how))
        for passage in mixed.get(path, ())[:PASSAGES]:
            console.line(faint(f"      line {passage.line:,} has words of both: "), _one_line(passage.text))
        if len(mixed.get(path, ())) > PASSAGES:
            console.line(faint(f"      … and {len(mixed[path]) - PASSAGES:,} more lines with words of both"))
    if len(shown) > SHOWN:
        console.line(faint(f"  … and {count(len(shown) - SHOWN, 'more path')}"))
    groups = group_conflicts(plan.conflicts)
    media = conflict_media(repo, [item for group in groups[:SHOWN] for item in group.items])
    if groups:
        console.line(f"{count(len(groups), 'conflict')} left open:")
    for number, group in enumerate(groups[:SHOWN], 1):
        for line in group_lines(group, number, media):
            console.line(*line)
        if group.first.tree is not None and group.first.path in plan.reasons:
            console.line(faint(f"      {plan.reasons[group.first.path]}"))
    if len(groups) > SHOWN:
        console.line(faint(f"  … and {len(groups) - SHOWN:,} more"))
