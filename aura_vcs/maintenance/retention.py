"""Which versions go by themselves, and why: a plan with a reason for every version, then the deed.

The newest autosaves stay, older ones go after some days; restore points go after some more. What
a person made (a commit), marked important, named by a branch or a tag, or stands on, always
stays; so does what was imported, unless the rules say otherwise. A pruned version is deleted like by
hand: it can be brought back until gc frees it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import PlanStale
from aura_vcs.history.names.branches import branches
from aura_vcs.ids import VersionId
from aura_vcs.index.queries import VersionFilter, describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import Inverse, VersionType
from aura_vcs.operation_log import label_change
from aura_vcs.plain_text import format_time, parse_time
from aura_vcs.refs.merge import stamp_label
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft


class RetentionRules(msgspec.Struct, frozen=True):
    """How long versions stay. `keep_hourly` and so on keep, of so many hours with an autosave, the newest one.

    With `keep_imported`, what came with another program's history stays, however old it was there.
    """

    keep_autosaves: int = 10
    autosave_days: float = 7
    restore_point_days: float = 30
    keep_hourly: int = 0
    keep_daily: int = 0
    keep_weekly: int = 0
    keep_monthly: int = 0
    keep_imported: bool = True

    def __post_init__(self) -> None:
        if any(value < 0 for value in msgspec.structs.astuple(self)):
            raise InputError("A rule of retention is a number from 0 on")


class RetentionDecision(msgspec.Struct, frozen=True):
    """What happens to one version, and why."""

    version: VersionRecord
    keep: bool
    reason: str


class PrunePlan(msgspec.Struct, frozen=True):
    """A decision for every live version, newest first; what is shown is what is executed."""

    decisions: tuple[RetentionDecision, ...]
    made_at: str

    @property
    def to_delete(self) -> tuple[RetentionDecision, ...]:
        """The versions that go."""
        return tuple(decision for decision in self.decisions if not decision.keep)


def plan_prune(repo: Repository, rules: RetentionRules, *, at: datetime | None = None) -> PrunePlan:
    """Decide which versions go at the moment `at` (now without one). Changes nothing."""
    moment = at or datetime.now(UTC)
    versions = repo.queries.all_versions(VersionFilter())
    live = [record for record in versions if record.is_live]
    return PrunePlan(tuple(decide(live, rules, moment, _named(repo), _imported(repo, rules))), format_time(moment))


def execute_prune(repo: Repository, plan: PrunePlan, *, by_itself: bool = False) -> int:
    """Delete the versions that the plan dooms; returns how many.

    As one operation that undo takes back; `by_itself` (after an autosave), undo passes over it,
    and `undelete_version` brings single versions back.

    Raises:
        PlanStale: one of the versions was deleted, named or marked important meanwhile.
    """
    repo.free_disk_space()
    if not plan.to_delete:
        return 0
    with repo.transaction() as transaction:
        named = _named(repo)
        labels = repo.refs.labels(decision.version.id for decision in plan.to_delete)
        refs = []
        for decision in plan.to_delete:
            label = labels.get(decision.version.id)
            if label is None or label.deleted_at or label.purged_at or label.important or label.version in named:
                name = describe(repo.queries, decision.version.id)
                raise PlanStale(f"{name} is not as it was when the plan was made")
            changes = {"deleted_at": transaction.at, "deleted_by": repo.author}
            after = stamp_label(label, transaction.replica, transaction.at, repo.author, **changes)
            refs.append(label_change(label, after))
        count = len(refs)
        transaction.record(
            Draft(
                "prune",
                f"Pruned {count} version{'' if count == 1 else 's'}",
                dict(refs),
                inverse=None if by_itself else Inverse("prune.revert"),
                payload={"reasons": {describe(repo.queries, d.version.id): d.reason for d in plan.to_delete}},
            )
        )
    return len(plan.to_delete)


def decide(
    versions: Iterable[VersionRecord],
    rules: RetentionRules,
    at: datetime,
    named: Mapping[VersionId, str],
    imported: frozenset[VersionId] = frozenset(),
) -> list[RetentionDecision]:
    """Decide about every version, newest first. Pure: no clock, no store. Versions in `imported` stay.

    The newest autosaves are those of the highest numbers and those of the latest dates: a clock that was set, or two
    machines, put them in another order, and both are kept.
    """
    newest_first = sorted(versions, key=lambda record: (record.number, parse_time(record.created_at)), reverse=True)
    stays = {
        **dict.fromkeys(imported, "it was imported"),
        **{version: f"{name} needs it" for version, name in named.items()},
    }
    autosaves = [record for record in newest_first if record.type is VersionType.AUTOSAVE and record.id not in imported]
    rank = {record.id: place for place, record in enumerate(autosaves)}
    by_date = sorted(autosaves, key=lambda record: (parse_time(record.created_at), record.number), reverse=True)
    rank = {record.id: min(place, rank[record.id]) for place, record in enumerate(by_date)}
    periodic = _periodic(autosaves, rules)
    return [_decided(record, rules, at, stays, rank, periodic) for record in newest_first]


def _decided(  # noqa: PLR0911 (one rule a line)
    record: VersionRecord,
    rules: RetentionRules,
    at: datetime,
    stays: Mapping[VersionId, str],
    rank: Mapping[VersionId, int],
    periodic: Mapping[VersionId, str],
) -> RetentionDecision:
    age = at - parse_time(record.created_at)
    if record.type is VersionType.MANUAL:
        return RetentionDecision(record, True, "a commit always stays")
    if record.important:
        return RetentionDecision(record, True, "it is marked important")
    if record.id in stays:
        return RetentionDecision(record, True, stays[record.id])
    if record.type is VersionType.RESTORE_POINT:
        return _by_age(record, age, rules.restore_point_days, "a restore point")
    if rank[record.id] < rules.keep_autosaves:
        return RetentionDecision(record, True, f"one of the newest {rules.keep_autosaves} autosaves")
    if record.id in periodic:
        return RetentionDecision(record, True, periodic[record.id])
    return _by_age(record, age, rules.autosave_days, "an autosave")


def _by_age(record: VersionRecord, age: timedelta, days: float, what: str) -> RetentionDecision:
    if age <= timedelta(days=days):
        return RetentionDecision(record, True, f"{what} of the last {days:g} days")
    return RetentionDecision(record, False, f"{what} older than {days:g} days")


def _periodic(autosaves: list[VersionRecord], rules: RetentionRules) -> dict[VersionId, str]:
    """Choose the autosaves that stay as the newest of an hour, day, week or month, newest first."""
    periods: tuple[tuple[int, str, Callable[[datetime], tuple[int, ...]]], ...] = (
        (rules.keep_hourly, "hour", lambda t: (t.year, t.month, t.day, t.hour)),
        (rules.keep_daily, "day", lambda t: (t.year, t.month, t.day)),
        (rules.keep_weekly, "week", lambda t: tuple(t.isocalendar()[:2])),
        (rules.keep_monthly, "month", lambda t: (t.year, t.month)),
    )
    kept: dict[VersionId, str] = {}
    for count, word, period_of in periods:
        seen: set[tuple[int, ...]] = set()
        for record in autosaves:
            period = period_of(parse_time(record.created_at))
            if period in seen or len(seen) >= count:
                continue
            seen.add(period)
            kept.setdefault(record.id, f"the newest autosave of its {word}")
    return kept


def _imported(repo: Repository, rules: RetentionRules) -> frozenset[VersionId]:
    """Find the versions that came with another program's history, if these are to be spared."""
    return frozenset(repo.queries.origins("").values()) if rules.keep_imported else frozenset()


def _named(repo: Repository) -> dict[VersionId, str]:
    """Find versions that a branch, a tag or the worktree stands on, and which."""
    named: dict[VersionId, str] = {}
    for found in branches(repo):
        for version in (found.version, *found.diverged):
            named[version] = f"branch {found.name}"
    for name, tag in repo.refs.tags().items():
        if tag.version is not None:
            named.setdefault(tag.version, f"tag {name}")
    head = repo.head().version
    if head is not None:
        named.setdefault(head, "HEAD")
    return named
