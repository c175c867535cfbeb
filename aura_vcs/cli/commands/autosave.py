"""`aura autosave`: once, or whenever files have changed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console
from aura_vcs.cli.session import current_session, pass_repository
from aura_vcs.cli.shared.autosave_report import print_saved, saved_to_json
from aura_vcs.cli.shared.housekeeping import keep_house
from aura_vcs.cli.shared.studio import retention_rules, setting
from aura_vcs.errors import AuraError
from aura_vcs.history.autosave import AutosaveSchedule
from aura_vcs.project.autosave_loop import autosave_and_prune, folder_changes, keep_saving

if TYPE_CHECKING:
    from aura_vcs.history.autosave import AutosaveResult
    from aura_vcs.maintenance.retention import RetentionRules
    from aura_vcs.repository.repository import Repository


@click.command("autosave", context_settings=HELP, epilog=examples("aura autosave", "aura autosave --watch"))
@click.option("--watch", is_flag=True, help="Keep running, and save while you work, until Ctrl-C")
@click.option("--no-prune", is_flag=True, help="Do not delete old autosaves and restore points")
@json_option
@pass_repository
def autosave_command(repo: "Repository", console: Console, watch: bool, no_prune: bool) -> None:
    """Save your files if they have changed, beside the branch

    With --watch: every five minutes while files change, at least two minutes after any version, and not
    while files are being written (`aura config describe` lists the times). Old autosaves are removed by
    the rules of `aura prune`. When nothing has changed for a minute, new media are indexed, at the
    lowest priority; `aura config set maintenance.auto off` stops that.
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
    keep_house(repo, console)


def _save(repo: "Repository", *, prune: bool) -> "tuple[AutosaveResult, int]":
    done = autosave_and_prune(repo, _rules(repo) if prune else None)
    assert done.saved is not None
    return done.saved, done.pruned


def _rules(repo: "Repository") -> "RetentionRules | None":
    """Read what is to be pruned; nothing, with a warning, where the settings cannot be read: saving goes on."""
    try:
        return retention_rules(repo)
    except AuraError as error:
        current_session().console.warn("no autosave is pruned: ", error.message)
        return None


def _watch(repo: "Repository", console: Console, *, prune: bool) -> None:
    from aura_vcs.cli.shared.idle_indexing import IdleIndexer
    from aura_vcs.cli.shared.watcher import start_watcher_unless_off
    from aura_vcs.media.build_entries import can_look_into

    if not setting(repo, "autosave.enabled"):
        console.line("Autosaves are switched off (autosave.enabled).")
        return
    schedule = AutosaveSchedule(
        interval=60.0 * setting(repo, "autosave.interval_minutes"),
        least=60.0 * setting(repo, "autosave.least_minutes"),
        quiet=float(setting(repo, "autosave.quiet_seconds")),
    )
    start_watcher_unless_off(repo)
    changes: Iterator[list[str]] = _rounds(repo.root, console)
    if can_look_into() and current_session().is_process and setting(repo, "maintenance.auto"):
        changes = IdleIndexer(repo.root).follow(changes)
    for found in keep_saving(repo, schedule, lambda: _rules(repo) if prune else None, changes):
        if found.error is not None:
            console.warn("not saved: ", found.error.message, "; the next change will be saved again")
        elif found.saved is not None:
            print_saved(repo, console, found.saved, found.pruned)
            keep_house(repo, console)
    console.note("Stopped watching.")


def _rounds(root: str, console: Console) -> Iterator[list[str]]:
    """Yield what changed, second by second, until Ctrl-C. That ends a save as any command; while waiting, only this."""
    console.note("Watching ", root, "; Ctrl-C ends it")
    try:
        yield from folder_changes(root)
    except KeyboardInterrupt:
        return
