"""Versions that are not commits: autosaves, and restore points that a program asks for.

Both hang off the version the folder is based on and move nothing. When an autosave is due is
decided by `AutosaveSchedule`, which knows no clock of its own.
"""

import msgspec

from aura_vcs.codec import decode_record
from aura_vcs.errors import AuraError, InputError
from aura_vcs.history.names.follow_branch import follow_branch
from aura_vcs.history.recording.half_written import hold_back
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.version_builder import (
    VersionSpec,
    record_side_version,
    report_unseen,
    take_snapshot,
    worktree_base,
)
from aura_vcs.index.queries import VersionFilter, describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import FORMAT
from aura_vcs.model import Format, VersionType
from aura_vcs.plain_text import parse_time
from aura_vcs.repository.repository import Repository

INTERVAL_SECONDS = 5 * 60.0
LEAST_SECONDS = 2 * 60.0
QUIET_SECONDS = 2.0
PATIENCE = 3
"""Files that never stop changing are saved all the same after so many intervals."""
TRIGGER_LIMIT = 100
LOCK = "autosave"
WATCH_LOCK = "autosave-watch"
"""Held by whoever watches a project, for as long as it does."""


class AutosaveResult(msgspec.Struct, frozen=True):
    """What an autosave or restore point did; `version` is None where nothing had changed.

    `unstable` are files that kept changing: the version has them as they were before.
    """

    version: VersionRecord | None
    unstable: tuple[str, ...] = ()


def autosave(repo: Repository) -> AutosaveResult:
    """Save the folder as an autosave, unless it is as the last version or autosave has it.

    The project file of an editor that is being saved right now is in it as it was before.

    One at a time, also beside another process: the second waits, and then finds nothing new.

    Raises:
        FileUnreadable, StorageError.
    """
    recover(repo)
    follow_branch(repo)
    with repo.locks.exclusive(LOCK), repo.locks.shared("worktree"), repo.locks.shared("objects"):
        repo.refresh()
        base = worktree_base(repo)
        with repo.store.batch(repo.progress) as batch:
            held: list[str] = []
            scan, snapshot = take_snapshot(repo, batch, base, hold_back=lambda *at: held.extend(hold_back(*at)))
            report_unseen(repo, scan)
            unstable = (*snapshot.unstable, *held)
            last = _newest(repo, VersionType.AUTOSAVE)
            known = {base.tree} if last is None or not last.is_live else {base.tree, last.tree}
            if snapshot.tree in known:
                if scan.changed:
                    repo.worktree.save(scan)
                return AutosaveResult(None, unstable)
            wanted = VersionSpec(VersionType.AUTOSAVE, f"Autosave{_of_base(repo)}")
            made = record_side_version(repo, batch, base, snapshot, wanted)
        repo.worktree.save(scan)
    return AutosaveResult(made, unstable)


def restore_point(repo: Repository, trigger: str, *, name: str = "", description: str = "") -> AutosaveResult:
    """Save your files before another program changes them; `trigger` says what, e.g. PreScriptRegeneration.

    Always makes a version, also of an unchanged folder: the point in time is what it records.

    Raises:
        InputError: no trigger, or no word that a program would use.
        FileUnreadable, StorageError.
    """
    word = trigger.strip()
    if not word or len(word) > TRIGGER_LIMIT or not all(c.isalnum() or c in "_-." for c in word):
        raise InputError(
            f"{trigger!r} cannot be a trigger",
            hint="One word of letters, digits, '_', '-' and '.', such as PreScriptRegeneration.",
        )
    recover(repo)
    follow_branch(repo)
    with repo.locks.shared("worktree"), repo.locks.shared("objects"):
        base = worktree_base(repo)
        with repo.store.batch(repo.progress) as batch:
            scan, snapshot = take_snapshot(repo, batch, base)
            report_unseen(repo, scan)
            wanted = VersionSpec(VersionType.RESTORE_POINT, (name or word)[:200], description, trigger=word)
            made = record_side_version(repo, batch, base, snapshot, wanted)
        repo.worktree.save(scan)
    return AutosaveResult(made, snapshot.unstable)


def _newest(repo: Repository, kind: VersionType) -> VersionRecord | None:
    found = repo.queries.all_versions(VersionFilter(types=(kind,), limit=1))
    return found[0] if found else None


def _of_base(repo: Repository) -> str:
    head = repo.head().version
    return "" if head is None or repo.queries.version(head) is None else f" of {describe(repo.queries, head)}"


def newest_save(repo: Repository) -> float | None:
    """Return when the newest version of any kind was made, in seconds since 1970; None before the first."""
    found = repo.queries.all_versions(VersionFilter(deleted=True, limit=1))
    return parse_time(found[0].created_at).timestamp() if found else None


def is_project_present(repo: Repository) -> bool:
    """Tell whether the project is still where it was opened: its folder may be moved, its disk go away."""
    try:
        found = decode_record(repo.storage.read(FORMAT), Format, FORMAT)
    except (OSError, AuraError):
        return False
    return found.project == repo.format.project


class AutosaveSchedule:
    """When a watcher saves: `interval` after the first change, at least `least` after any version,
    and not before files have been unchanged for `quiet` (all in seconds; times are the caller's).

    Files that never stop changing are saved after PATIENCE intervals.
    """

    def __init__(
        self, *, interval: float = INTERVAL_SECONDS, least: float = LEAST_SECONDS, quiet: float = QUIET_SECONDS
    ) -> None:
        self.interval, self.least, self.quiet = interval, least, quiet
        self._first_change: float | None = None
        self._last_change = 0.0

    def changed(self, now: float) -> None:
        """Note that a file was written."""
        if self._first_change is None:
            self._first_change = now
        self._last_change = now

    def saved(self) -> None:
        """Note that an autosave was made, or that nothing had changed."""
        self._first_change = None

    def seconds_left(self, now: float, newest: float | None) -> float | None:
        """Return the seconds until an autosave is due: 0 if it is now, None while nothing has changed.

        `newest` is when the newest version was made, by whomever. A clock that was set back delays
        an autosave by at most one interval.
        """
        if self._first_change is None:
            return None
        due = self._first_change + self.interval
        if newest is not None and newest <= now:
            due = max(due, newest + self.least)
        patience = self._first_change + PATIENCE * self.interval
        due = max(due, min(self._last_change + self.quiet, patience))
        return min(max(0.0, due - now), max(self.interval, self.least))
