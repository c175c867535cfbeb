"""`aura watch`."""

import os
import sys
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, faint, strong, yellow
from aura_vcs.cli.output.humanize import count, short_path
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.watcher import keep_watcher, start_watcher, stop_watcher, wait_for_watcher, watcher_state
from aura_vcs.errors import AuraError
from aura_vcs.layout import WATCHER_FAULT
from aura_vcs.worktree.watch.verify import recorded_fault

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository
    from aura_vcs.worktree.watch.about import WatcherState

_HINT = "Nothing depends on it: without it, every command looks at every file."


@click.group("watch", context_settings=HELP, epilog=examples("aura watch start", "aura watch status"))
def watch_command() -> None:
    """Keep a process that knows which files have changed

    With it, status, commit, diff and checkout look at the files that changed, not at all of them: that
    makes projects of tens of thousands of files quick. It answers only where the system reports every
    change, and every fiftieth answer is compared with a look at all files. It ends when nobody has
    asked it for a day. Linux only; AURA_NO_WATCHER=1 does without it for one command.
    """


@watch_command.command("status", context_settings=HELP)
@json_option
@pass_repository
def status(repo: "Repository", console: Console) -> None:
    """Say whether a watcher runs, what it watches, and whether it is believed"""
    found, fault = watcher_state(repo.root), recorded_fault(repo.storage)
    if console.as_json:
        told: dict[str, Any] = {"running": found is not None, "fault": asdict(fault) if fault is not None else None}
        console.data({**told, "watcher": asdict(found) if found is not None else None})
        return
    if fault is not None:
        paths = ", ".join(map(short_path, fault.paths)) or "what it was is not known"
        console.warn(f"switched off, because it once missed a changed file: {paths}")
        console.note(faint("`aura watch start --again` starts it anyway. Please report this."))
    if found is None:
        console.line("No watcher is running.", faint("  `aura watch start` starts one."))
        return
    console.line(
        "The watcher is running: process ", strong(str(found.pid)), f", {count(found.answers, 'answer')} so far."
    )
    _print_state(console, found)


def _print_state(console: Console, found: "WatcherState") -> None:
    if not found.believed:
        console.line(yellow("It is not used right now: "), found.reason or "it has just started over")
    if found.waiting:
        console.line(f"{count(found.waiting, 'file')} of {found.files:,} still to be compared.")
    else:
        console.line(f"{count(found.files, 'file')}; {found.watches:,} of {found.room:,} watches in use.")
    reasons = {
        "open for writing": found.open_for_writing,
        "not readable": found.unreadable,
        "beyond the number of watches (fs.inotify.max_user_watches)": found.beyond_the_limit,
        "with two names here": found.two_names,
    }
    for reason, files in reasons.items():
        if files:
            console.line(faint(f"  {count(files, 'file')} {reason}: looked at every time"))


@watch_command.command("start", context_settings=HELP)
@click.option("--again", is_flag=True, help="Even if it was switched off because it had been wrong")
@json_option
@pass_repository
def start(repo: "Repository", console: Console, *, again: bool) -> None:
    """Start a watcher for this project, and wait until it answers"""
    if sys.platform != "linux":
        raise AuraError("The watcher is for Linux.", hint=_HINT)
    if recorded_fault(repo.storage) is not None:
        if not again:
            raise AuraError(
                "The watcher is switched off for this project: it once missed a changed file.",
                hint="`aura watch status` names the file. `aura watch start --again` starts it anyway.",
            )
        repo.storage.delete(WATCHER_FAULT)
    found = wait_for_watcher(repo.root) if start_watcher(repo.root) else None
    keep_watcher(repo.root)
    if found is None:
        raise AuraError(f"No watcher could be started in {os.path.basename(repo.root)}.", hint=_HINT)
    if console.as_json:
        console.data({"running": True, "watcher": asdict(found)})
        return
    console.line("The watcher is running.")
    if not found.believed:
        console.warn(f"it is not used right now: {found.reason or 'it has just started over'}")


@watch_command.command("stop", context_settings=HELP)
@json_option
@pass_repository
def stop(repo: "Repository", console: Console) -> None:
    """End the watcher of this project"""
    ran = stop_watcher(repo.root)
    if console.as_json:
        console.data({"stopped": ran})
    else:
        console.line("The watcher has stopped." if ran else "No watcher was running.")
