"""Starting the watcher of a project's files, and asking it about itself."""

import os
import sys
import time
from typing import TYPE_CHECKING

from aura_vcs.cli.background import start_in_background
from aura_vcs.cli.shared.studio import setting
from aura_vcs.codec import decode_json
from aura_vcs.layout import WATCHER_FAULT
from aura_vcs.worktree.scan.watched import ABOUT, STAY, STOP, talk
from aura_vcs.worktree.watch.about import WatcherState

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

SWITCH = "AURA_NO_WATCHER"
"""Set to anything, a command asks no watcher and starts none."""
START_SECONDS = 10.0


def start_watcher(root: str, *, only_for: int | None = None) -> bool:
    """Start a watcher in a process of its own; whether that could be. Where one runs, the new one ends at once.

    `only_for` is a process with which it ends.
    """
    mode = ["-X", "utf8"] if sys.flags.utf8_mode else []
    words = [] if only_for is None else [str(only_for)]
    # -P: nothing of a person's folder is taken for a module of Python.
    return start_in_background([sys.executable, "-P", *mode, "-m", "aura_vcs.cli.watcher_main", root, *words])


def start_watcher_unless_off(repo: "Repository") -> None:
    """Start a watcher that ends with this process, unless it is switched off or was found to be wrong."""
    if sys.platform != "linux" or os.environ.get(SWITCH) or not setting(repo, "watcher.auto"):
        return
    if repo.storage.stat(WATCHER_FAULT) is None and watcher_state(repo.root) is None:
        start_watcher(repo.root, only_for=os.getpid())


def wait_for_watcher(root: str) -> WatcherState | None:
    """Wait until a watcher answers; None if none does after `START_SECONDS`."""
    until = time.monotonic() + START_SECONDS
    while (found := watcher_state(root)) is None and time.monotonic() < until:
        time.sleep(0.02)
    return found


def watcher_state(root: str) -> WatcherState | None:
    """Return what the watcher of a project says of itself; None where there is none."""
    told = talk(root, ABOUT)
    return decode_json(told[1], WatcherState) if told is not None else None


def keep_watcher(root: str) -> None:
    """Have a watcher stay that was started for another program."""
    talk(root, STAY)


def stop_watcher(root: str) -> bool:
    """End the watcher of a project; whether there was one."""
    return talk(root, STOP) is not None
