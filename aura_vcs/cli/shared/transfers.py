"""What the commands that talk to remotes have in common: a connection, and words for what moved."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aura_vcs.cli.output.console import Console, cyan, faint, strong, yellow
from aura_vcs.cli.output.humanize import call, count, join_words, short_path, size, titled
from aura_vcs.cli.remote_environment import surroundings
from aura_vcs.cli.session import Session
from aura_vcs.cli.shared.checkout_report import print_kept_unsaved, print_restore_point, print_skipped
from aura_vcs.index.queries import describe
from aura_vcs.layout import CONFLICTS
from aura_vcs.plain_text import now

if TYPE_CHECKING:
    from aura_vcs.cli.remote_keys import KeyHolder
    from aura_vcs.history.merge import Merged
    from aura_vcs.repository.repository import Repository
    from aura_vcs.storage.remotes.base import RemoteStorage
    from aura_vcs.sync.fetch import FetchPlan
    from aura_vcs.sync.heads_merged import HeadsMerged
    from aura_vcs.sync.pull import Pulled
    from aura_vcs.sync.push import PushPlan
    from aura_vcs.sync.remotes.link import Link
    from aura_vcs.sync.transfer.plan import TransferPlan

F = TypeVar("F", bound=Callable[..., Any])


SHOWN = 5
"""So many unsaved files are named."""


@contextmanager
def connected(repo: "Repository", name: str | None) -> "Iterator[Link]":
    """Yield a connection to a remote by its name, or the only one; it is closed afterwards."""
    from aura_vcs.sync.remotes import link

    with link.connected(repo, name, surroundings(), key_holder) as found:
        yield found


def connect_to(repo: "Repository") -> "Callable[[str], RemoteStorage]":
    """Return a function that opens a remote of the project by its name."""
    from aura_vcs.sync.remotes.link import open_link

    return lambda name: open_link(repo, name, surroundings(), key_holder).remote


def key_holder(known: str = "") -> "KeyHolder":
    """Build what asks for passphrases and key files; `known` is where the key file was the last time."""
    from aura_vcs.cli.remote_keys import KeyHolder

    session = click.get_current_context().find_object(Session)
    return KeyHolder(session.console if session is not None else Console(), known=known)


def all_versions_option(command: F) -> F:
    """Add `--all-versions`: autosaves and restore points too."""
    return click.option("--all-versions", is_flag=True, help="Include autosaves and restore points")(command)


def ignore_locks_option(command: F) -> F:
    """Add `--ignore-locks`: push changes to files that others have locked."""
    return click.option("--ignore-locks", is_flag=True, help="Send changes to files that others have locked, too")(
        command
    )


def merge_when_apart(repo: "Repository") -> "HeadsMerged":
    """Merge the heads of the current branch, as the setting `sync.merge` has it."""
    from aura_vcs.cli.shared.studio import setting
    from aura_vcs.sync.merge_heads import merge_heads

    return merge_heads(repo, setting(repo, "sync.merge"))


def fetch_to_json(plan: "FetchPlan") -> dict[str, Any]:
    """Convert to JSON what a fetch brought."""
    return _plan_to_json(plan, bytes=plan.received_bytes, left_bytes=plan.offloaded_bytes)


def push_to_json(repo: "Repository", plan: "PushPlan") -> dict[str, Any]:
    """Convert to JSON what a push sent, and the locks of others (expired, or ignored) on what it changes."""
    from aura_vcs.cli.shared.locks import lock_to_json

    locked = [lock_to_json(repo, lock) for lock in plan.locked]
    return {**_plan_to_json(plan, bytes=plan.sent_bytes, through_bytes=plan.through_bytes), "despite_locks": locked}


def _plan_to_json(plan: "TransferPlan", **amounts: int) -> dict[str, Any]:
    return {
        "remote": plan.remote,
        "versions": list(plan.versions),
        "refs": list(plan.branches),
        "objects": plan.objects,
        **amounts,
        "settings": list(plan.settings),
        "annotations": plan.annotations,
    }


def pull_to_json(repo: "Repository", pulled: "Pulled") -> dict[str, Any]:
    """Convert to JSON what a pull did."""
    from aura_vcs.cli.output.json_shapes import checkout_to_json, restore_point_to_json

    queries = repo.queries
    return {
        "fetched": fetch_to_json(pulled.fetched.plan),
        **checkout_to_json(repo, pulled.head, pulled.files),
        "diverged": [restore_point_to_json(queries.version(version)) for version in pulled.diverged],
        "in_the_way": list(pulled.in_the_way),
        "without_content": pulled.without_content,
        "merged": [_merged_to_json(merged) for merged in pulled.merging.merged],
        "open": list(pulled.merging.open_paths),
    }


def _merged_to_json(merged: "Merged") -> dict[str, Any]:
    from aura_vcs.cli.output.json_shapes import version_to_json

    return {
        "version": version_to_json(merged.version),
        "theirs": merged.plan.theirs.id,
        "changes": [path for path in merged.plan.changes if path != CONFLICTS],
        "joined": [item.path for item in merged.plan.merged_files],
        "conflicts": len(merged.plan.conflicts),
    }


def _what(plan: "TransferPlan") -> str:
    if plan.versions:
        return count(len(plan.versions), "version")
    if plan.annotations and not (plan.branches or plan.labels or plan.objects or plan.settings):
        return "notes and provenance"
    only_settings = plan.settings and not (plan.branches or plan.labels or plan.objects)
    return "settings of the project" if only_settings else "names and labels"


def print_fetched(console: Console, name: str, plan: "FetchPlan") -> None:
    """Print one line about what was fetched."""
    if plan.is_empty:
        console.line("Nothing new at ", cyan(name))
        return
    what = _what(plan)
    console.line("Fetched ", strong(what), f", {size(plan.received_bytes)}, from ", cyan(name))
    print_offloaded(console, name, plan)


def print_offloaded(console: Console, name: str, plan: "FetchPlan") -> None:
    """Say how much content stays at the remote until it is needed, if any does."""
    if plan.offloaded_bytes:
        console.line(
            faint(f"{size(plan.offloaded_bytes)} of media stay at {name} and are fetched when they are needed")
        )


def print_pushed(console: Console, name: str, plan: "PushPlan", *, verb: str = "Sent") -> None:
    """Print one line about what was sent."""
    if plan.is_empty:
        console.line(cyan(name), " has everything")
        return
    what = _what(plan)
    moved = f"; {join_words(plan.branches)} moved" if plan.branches and verb == "Sent" else ""
    console.line(f"{verb} ", strong(what), f", about {size(plan.sent_bytes)}, to ", cyan(name), moved)
    if plan.through_bytes:
        console.line(
            faint(f"{size(plan.through_bytes)} of it are offloaded and pass through here; they are here afterwards")
        )
    _print_locks(console, plan)


def _print_locks(console: Console, plan: "PushPlan") -> None:
    if not plan.locked:
        return
    from aura_vcs.cli.shared.locks import whose
    from aura_vcs.sync.state.lock_record import is_active

    at = now()
    for lock in plan.locked:
        state = "is locked" if is_active(lock, at) else "had been locked (it has expired)"
        console.warn(f"{lock.path} {state} by {whose(lock)}. Tell {lock.owner} that you have changed it.")


def print_pulled(repo: "Repository", console: Console, pulled: "Pulled") -> None:
    """Print what happened to the branch and the worktree."""
    queries = repo.queries
    if pulled.diverged:
        names = join_words(describe(queries, version) for version in pulled.diverged)
        console.warn(
            f"branch {pulled.head.branch} has diverged: {names} were made on different machines. Both are kept."
        )
        _print_unmerged(console, pulled)
    for merged in pulled.merging.merged:
        _print_merged(repo, console, merged)
    if pulled.in_the_way:
        console.warn("your unsaved changes are in files that the new version changes too:")
        for path in pulled.in_the_way:
            console.note("  ", path)
        console.note(faint("Nothing was touched. Commit them, or go there with `aura checkout` (they are kept)."))
    if pulled.without_content is not None:
        shown = describe(queries, pulled.without_content)
        console.warn(f"{pulled.head.branch} is on {shown}, which somebody deleted, and its content is not here.")
        console.note(faint("Your files stay as they are."))
    if pulled.files is not None and pulled.head.version is not None:
        console.line(
            "On branch ",
            cyan(pulled.head.branch or ""),
            " at ",
            yellow(describe(queries, pulled.head.version)),
            f", {count(pulled.files.changed, 'path')} changed",
        )
        print_restore_point(repo, console, pulled.files)
        print_kept_unsaved(console, pulled.files)
        print_skipped(console, pulled.files)
        console.line(faint("Take it back with `aura undo`."))
    if pulled.diverged or pulled.in_the_way or pulled.without_content is not None:
        console.exit_code = 3


def _print_unmerged(console: Console, pulled: "Pulled") -> None:
    """Say why the two were not merged, and how to go on."""
    merging = pulled.merging
    if not merging.open_paths:
        console.note(faint("Your files stay as they are. `aura merge` merges the two."))
        return
    shown = join_words([short_path(path) for path in merging.open_paths[:SHOWN]])
    more = f" and {len(merging.open_paths) - SHOWN:,} more" if len(merging.open_paths) > SHOWN else ""
    console.note(f"{count(merging.open_count, 'question')} would be left open, in {shown}{more}.")
    console.note(
        faint("Your files stay as they are. `aura merge` makes one version of the two, and `aura resolve` then asks.")
    )


def _print_merged(repo: "Repository", console: Console, merged: "Merged") -> None:
    """Say what came together."""
    from aura_vcs.cli.output.sequence_lists import ListedChange, changed_lines  # seldom needed

    plan = merged.plan
    theirs, made = titled(plan.theirs, call(repo, plan.theirs)), titled(merged.version, call(repo, merged.version))
    if plan.kind == "forward":
        console.line("Moved to ", strong(made), ", which has the same content as yours")
        return
    console.line(f"Merged {theirs} with yours: ", strong(made))
    joined = {item.path for item in plan.merged_files}
    changes = [
        ListedChange("merged" if path in joined else "deleted" if entry is None else "taken", path, None, (path,))
        for path, entry in plan.changes.items()
        if path != CONFLICTS
    ]
    lines = changed_lines(changes)
    for line in lines[:SHOWN]:
        console.line(*line)
    if len(lines) > SHOWN:
        console.line(faint(f"  … and {count(len(lines) - SHOWN, 'more path')}"))
    if plan.conflicts:
        from aura_vcs.history.merging.conflict_groups import group_conflicts

        console.line(
            f"{count(len(group_conflicts(plan.conflicts)), 'conflict')} left open: `aura resolve` asks about each."
        )


def unsaved_paths(repo: "Repository") -> list[str]:
    """List files that differ from the version that the folder is based on: they do not travel."""
    from aura_vcs.history.status import status

    return [change.path for change in status(repo).changes]


def print_unsaved(console: Console, paths: list[str]) -> None:
    """Say what was not sent because no version has it."""
    if not paths:
        return
    more = f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else ""
    verb = "is" if len(paths) == 1 else "are"
    console.warn(
        f"{count(len(paths), 'file')} {verb} not saved in a version, and not sent: ", join_words(paths[:SHOWN]), more
    )
    console.note(faint("`aura commit` saves them; then run `aura sync` again."))


def prepare_location(console: Console, root: str) -> None:
    """Make an empty folder that a project can be pushed to."""
    from aura_vcs.sync.remotes.new_place import make_empty_place

    path = make_empty_place(os.path.abspath(root))
    if console.as_json:
        console.data({"path": path, "bare": True})
        return
    console.line("Made ", cyan(path), " a place that a project can be pushed to")
    console.line(f"In the project: `aura remote add origin {path}`, from elsewhere `host:{path}`.")
