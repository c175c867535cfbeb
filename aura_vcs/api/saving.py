"""Saving beside the branch, and hearing of what is done."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Unpack

from aura_vcs.api.opened import Part
from aura_vcs.api.reporting import NO_CALL, Call, CancelToken
from aura_vcs.api.results import RetentionRules
from aura_vcs.api.upkeep import PrunePlan, execute_prune, plan_prune
from aura_vcs.api.values import Autosaved, Operation, Version, time_text
from aura_vcs.history.autosave import INTERVAL_SECONDS, LEAST_SECONDS, QUIET_SECONDS, AutosaveSchedule, restore_point
from aura_vcs.history.watch import watch
from aura_vcs.project.autosave_loop import autosave_and_prune, folder_changes, keep_saving
from aura_vcs.repository.repository import Repository


class SavingMethods(Part):
    """Autosaves, restore points, and what happens meanwhile."""

    def autosave(self, *, rules: RetentionRules | None = None, **call: Unpack[Call]) -> Autosaved:
        """Save the folder beside the branch, if it has changed; with `rules`, old autosaves are deleted.

        Raises:
            FileUnreadable, StorageError.
        """
        done = Autosaved._of(self._opened.run(call, autosave_and_prune, rules))
        self._opened.keep_house()
        return done

    def autosaves(
        self,
        *,
        interval: timedelta = timedelta(seconds=INTERVAL_SECONDS),
        least: timedelta = timedelta(seconds=LEAST_SECONDS),
        quiet: timedelta = timedelta(seconds=QUIET_SECONDS),
        rules: RetentionRules | None = None,
        stop: CancelToken | None = None,
    ) -> Iterator[Autosaved]:
        """Save while a person works, and yield each autosave, until `stop` is cancelled or the loop is left.

        Saves `interval` after the first change, at least `least` after any version, and not before files have been
        unchanged for `quiet`. With `rules`, old autosaves are deleted. A project can have only one such loop; a
        program that does other things meanwhile gives it a `Project` and a thread of its own. If saving fails, the
        `error` is yielded, and the next change is saved again.

        Raises:
            LockBusy: somebody autosaves the project already. ProjectGone: it was moved, or its disk is gone.
        """
        schedule = AutosaveSchedule(
            interval=interval.total_seconds(), least=least.total_seconds(), quiet=quiet.total_seconds()
        )
        changes = folder_changes(str(self._opened.root), None if stop is None else stop._event)
        for saved in keep_saving(self._opened.repo, schedule, lambda: rules, changes):
            self._opened.keep_house()
            yield Autosaved._of(saved)

    def restore_point(self, trigger: str, *, name: str = "", description: str = "", **call: Unpack[Call]) -> Version:
        """Save the folder, changed or not, before a program changes a lot; `trigger` says why, in one word."""
        return self._opened.run(call, _restore_point, trigger, name, description)

    def plan_prune(self, rules: RetentionRules | None = None) -> PrunePlan:
        """Say which old autosaves and restore points the rules would delete; changes nothing."""
        return self._opened.run(NO_CALL, plan_prune, RetentionRules() if rules is None else rules)

    def prune(self, plan: PrunePlan | None = None) -> int:
        """Delete old autosaves and restore points, as planned; returns how many."""
        return self._opened.run(NO_CALL, execute_prune, self.plan_prune() if plan is None else plan)

    def watch(
        self,
        *,
        since: datetime | None = None,
        interval: float = 0.5,
        seconds: float | None = None,
        stop: CancelToken | None = None,
    ) -> Iterator[Operation]:
        """Yield what happens from now on, by this and other processes and machines, as it is recorded.

        With `since`, begins with what was done since then, in order, so a program that was not running misses
        nothing. Looks every `interval` seconds, for `seconds`, or until `stop` is cancelled or the loop is left.
        The project can be used inside the loop; what it does there is yielded too.
        """
        until: Callable[[], bool] = (lambda: False) if stop is None else (lambda: stop.is_cancelled)
        found = watch(self._opened.repo, interval=interval, seconds=seconds, until=until, since=time_text(since))
        return map(Operation._of, found)


def _restore_point(repo: Repository, trigger: str, name: str, description: str) -> Version:
    saved = restore_point(repo, trigger, name=name, description=description).version
    assert saved is not None  # a point in time is recorded whether anything has changed or not
    return Version._of(saved)
