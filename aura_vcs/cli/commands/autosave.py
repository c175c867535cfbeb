"""`aura autosave`: once, or whenever files have changed."""

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.autosave_report import print_saved, saved_to_json
from aura_vcs.cli.shared.studio import retention_rules, setting
from aura_vcs.layout import AURA

if TYPE_CHECKING:
    from aura_vcs.history.autosave import Saved
    from aura_vcs.repository.repository import Repository


@click.command("autosave", context_settings=HELP, epilog=examples("aura autosave", "aura autosave --watch"))
@click.option("--watch", is_flag=True, help="Stay, and save while you work, until Ctrl-C")
@click.option("--no-prune", is_flag=True, help="Let old autosaves and restore points stay")
@json_option
@pass_repository
def autosave_command(repo: "Repository", console: Console, watch: bool, no_prune: bool) -> None:
    """Save the folder if it has changed, beside the branch

    With --watch: every five minutes while files change, at least two minutes after any version,
    and not while files are being written (`aura config describe` lists the times). Old autosaves
    go by the rules of `aura prune`.
    """
    if watch:
        _watch(repo, console, prune=not no_prune)
        return
    saved, pruned = _save(repo, prune=not no_prune)
    if console.as_json:
        console.data(saved_to_json(saved, pruned))
    elif saved.version is None:
        console.line("Nothing has changed.")
    else:
        print_saved(repo, console, saved, pruned)


def _save(repo: "Repository", *, prune: bool) -> "tuple[Saved, int]":
    from aura_vcs.history.autosave import autosave
    from aura_vcs.maintenance.retention import execute_prune, plan_prune
    from aura_vcs.project.documents.state import note_autosave

    saved = autosave(repo)
    if saved.version is None:
        return saved, 0
    note_autosave(repo, saved.version.created_at)
    return saved, execute_prune(repo, plan_prune(repo, retention_rules(repo)), by_itself=True) if prune else 0


def _watch(repo: "Repository", console: Console, *, prune: bool) -> None:
    from aura_vcs.errors import AuraError
    from aura_vcs.errors.input import LockBusy
    from aura_vcs.errors.worktree import ProjectGone
    from aura_vcs.history.autosave import WATCH_LOCK, Schedule, is_there, newest_save

    if not setting(repo, "autosave.enabled"):
        console.line("Autosaves are switched off (autosave.enabled).")
        return
    schedule = Schedule(
        interval=60.0 * setting(repo, "autosave.interval_minutes"),
        least=60.0 * setting(repo, "autosave.least_minutes"),
        quiet=float(setting(repo, "autosave.quiet_seconds")),
    )
    with repo.locks.exclusive(WATCH_LOCK, wait_seconds=0):
        console.note("Watching ", repo.root, "; Ctrl-C ends it")
        schedule.changed(time.time())  # what changed before we came
        ours = os.path.join(repo.root, AURA)
        for found in _rounds(repo.root):
            if not is_there(repo):
                raise ProjectGone(repo.root)
            if any(not path.startswith(ours) for _, path in found):
                schedule.changed(time.time())
            repo.refresh()
            if schedule.seconds_left(time.time(), newest_save(repo)) != 0:
                continue
            try:
                saved, pruned = _save(repo, prune=prune)
            except LockBusy:
                continue  # a long checkout or collection is at work; the next turn comes soon
            except AuraError as error:
                if not is_there(repo):
                    raise ProjectGone(repo.root) from error
                console.warn("not saved: ", error.message, "; the next change is tried again")
                schedule.saved()
                continue
            schedule.saved()
            if saved.version is not None:
                print_saved(repo, console, saved, pruned)
        console.note("Stopped watching.")


def _rounds(root: str) -> Iterator[set[tuple[Any, str]]]:
    """What changed, second by second, until Ctrl-C. That ends a save as any command; while waiting, only this."""
    from watchfiles import watch

    try:  # unfiltered: a renderer that writes checkpoints must not keep a round from ending
        yield from watch(root, watch_filter=None, rust_timeout=1000, yield_on_timeout=True, raise_interrupt=True)
    except KeyboardInterrupt:
        return
