"""Saving by itself while a person works: once, or whenever files have changed."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.input import LockBusy
from aura_vcs.errors.worktree import ProjectGone
from aura_vcs.history.autosave import (
    WATCH_LOCK,
    AutosaveResult,
    AutosaveSchedule,
    autosave,
    is_project_present,
    newest_save,
)
from aura_vcs.layout import AURA
from aura_vcs.maintenance.retention import RetentionRules, execute_prune, plan_prune
from aura_vcs.project.documents.state import note_autosave
from aura_vcs.repository.repository import Repository


class AutosaveRound(msgspec.Struct, frozen=True):
    """An autosave that was due: what it saved, how many old ones went, or why nothing could be saved."""

    saved: AutosaveResult | None = None
    pruned: int = 0
    error: AuraError | None = None


def autosave_and_prune(repo: Repository, rules: RetentionRules | None) -> AutosaveRound:
    """Save the folder if it has changed, then let old autosaves go by the rules, if there are any.

    Raises:
        FileUnreadable, StorageError.
    """
    saved = autosave(repo)
    if saved.version is None:
        return AutosaveRound(saved)
    note_autosave(repo, saved.version.created_at)
    return AutosaveRound(
        saved, execute_prune(repo, plan_prune(repo, rules), by_itself=True) if rules is not None else 0
    )


def keep_saving(
    repo: Repository,
    schedule: AutosaveSchedule,
    rules: Callable[[], RetentionRules | None],
    changes: Iterable[Iterable[str]],
) -> Iterator[AutosaveRound]:
    """Save whenever the schedule says so; yields what was saved, or why not.

    `rules` are asked before old ones go. `changes` has the paths that changed, about once a second, also
    none; its end is that of the loop. See `folder_changes`.

    Raises:
        LockBusy: somebody watches the project already. ProjectGone: it was moved, or its disk is gone.
    """
    ours = os.path.join(repo.root, AURA)
    with repo.locks.exclusive(WATCH_LOCK, wait_seconds=0):
        schedule.changed(time.time())  # what changed before we came
        for paths in changes:
            if not is_project_present(repo):
                raise ProjectGone(repo.root)
            if any(not path.startswith(ours) for path in paths):
                schedule.changed(time.time())
            repo.refresh()
            if schedule.seconds_left(time.time(), newest_save(repo)) != 0:
                continue
            found = _try(repo, rules)
            if found is not None:
                schedule.saved()
                if found.error is not None or (found.saved is not None and found.saved.version is not None):
                    yield found


def _try(repo: Repository, rules: Callable[[], RetentionRules | None]) -> AutosaveRound | None:
    """Save; None where a long checkout or collection is at work, so that the next turn comes soon."""
    try:
        return autosave_and_prune(repo, rules())
    except LockBusy:
        return None
    except AuraError as error:
        if not is_project_present(repo):
            raise ProjectGone(repo.root) from error
        return AutosaveRound(error=error)


def folder_changes(root: str, stop: threading.Event | None = None) -> Iterator[list[str]]:
    """Yield the paths that changed in a folder, second by second, also none, until `stop` or Ctrl-C.

    Unfiltered: a renderer that writes checkpoints must not keep a round from ending.

    Raises:
        KeyboardInterrupt.
    """
    from watchfiles import watch  # takes long to import, and saving once needs none of it

    rounds = watch(
        root, watch_filter=None, stop_event=stop, rust_timeout=1000, yield_on_timeout=True, raise_interrupt=True
    )
    for found in rounds:
        yield [path for _, path in found]
