"""Starting the collection of garbage by itself, in a process of its own that nobody waits for."""

import os
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aura_vcs.cli.background import start_in_background
from aura_vcs.cli.output.console import Console, faint
from aura_vcs.cli.session import current_session
from aura_vcs.errors import AuraError
from aura_vcs.layout import EVICTION_MARKED, UNRECORDED
from aura_vcs.model import GRACE_SECONDS
from aura_vcs.plain_text import format_time

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

LOWEST = 19
"""The niceness that lets everybody else go first."""


def keep_house(repo: "Repository", console: Console) -> None:
    """Begin what is due, if it is wanted, and say so in one line. The command's answer stands already.

    Where nothing is due, one row of the index, a file and a folder are looked for, and that is all. Only the command
    `aura` does it, in a process of its own: no program that uses the library, and no test, finds another process
    beside it.
    """
    cutoff = format_time(datetime.fromtimestamp(time.time() - GRACE_SECONDS, UTC))
    if not current_session().is_process:
        return
    is_marked = repo.storage.stat(EVICTION_MARKED) is not None
    if not is_marked and not repo.queries.has_garbage(cutoff) and not repo.storage.list(UNRECORDED):
        return
    from aura_vcs.cli.shared.studio import setting
    from aura_vcs.maintenance.housekeeping import begin, is_due

    try:
        if not is_due(repo) or not setting(repo, "maintenance.auto") or not begin(repo):
            return
    except AuraError as error:
        console.warn("nothing is freed by itself: ", error.message)
        return
    # -P: nothing of the person's folder is taken for a module of Python.
    if start_in_background([sys.executable, "-P", "-m", "aura_vcs", "-C", os.path.realpath(repo.root), "gc", "--auto"]):
        off = "`aura config set maintenance.auto off` stops that."
        console.note(faint(f"Freeing what nothing needs any more, in the background; {off}"))


def go_last() -> None:
    """Let everybody else go first, at the processor and, where the system counts it so, at the disk."""
    if hasattr(os, "nice"):
        os.nice(LOWEST)
