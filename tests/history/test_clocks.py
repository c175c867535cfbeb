"""Clocks that jump: what was done last is listed first, taken back first, and not thrown away."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.undo import undo
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import ActionFilter, VersionRecord
from aura_vcs.maintenance.retention import RetentionRules, decide
from aura_vcs.model import VersionType
from aura_vcs.objects.base import EMPTY_TREE_ID

from tests.helpers.project import save, write

TIMES = ["2026-01-01", "2038-02-01", "2026-01-02", "1970-01-01", "2026-01-03", "2030-01-01"]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """A project whose clock jumped to and fro from one version to the next."""
    with Repository.init(str(tmp_path)) as found:
        for number, day in enumerate(TIMES):
            monkeypatch.setattr("aura_vcs.repository.transaction.now", lambda day=day: f"{day}T00:00:00.000000Z")
            write(tmp_path, {"take.txt": str(number)})
            save(found, f"Take {number}")
        yield found


def test_what_was_done_last_is_first(repo: Repository) -> None:
    """Also of one page after the other, and undo takes back what stands first."""
    queries = Queries(repo.index)
    times = [action.time[:10] for action in queries.actions()]
    assert times == list(reversed(TIMES))
    assert [queries.actions(limit=1, offset=place)[0].time[:10] for place in range(len(TIMES))] == times
    for expected in reversed(range(len(TIMES))):
        (first, *_) = [action for action in queries.actions() if action.type == "commit" and action.status == "Applied"]
        assert first.description.endswith(f"'Take {expected}'")
        assert undo(repo).description.endswith(f"'Take {expected}'")


def test_of_one_kind_too(repo: Repository) -> None:
    """With a filter, a time to come stands where it was done."""
    found = [action.time[:10] for action in Queries(repo.index).actions(ActionFilter(type="commit"))]
    assert found == list(reversed(TIMES))


def test_an_autosave_of_a_clock_that_was_behind_is_not_the_oldest() -> None:
    """The newest autosaves are kept, whatever day they say it was."""
    days = [*["2026-01-01"] * 10, "2038-01-01", *["1970-01-01"] * 3]
    versions = [_autosave(number, day) for number, day in enumerate(days, 1)]
    decided = decide(versions, RetentionRules(keep_autosaves=3, autosave_days=7), datetime(2026, 6, 1, tzinfo=UTC), {})
    assert [item.version.number for item in decided if item.keep][:3] == [14, 13, 12]


def _autosave(number: int, day: str) -> VersionRecord:
    return VersionRecord(
        VersionId(ObjectId(f"{number:064x}")), number, VersionType.AUTOSAVE, None, f"n{number}", "", "ada",
        f"{day}T00:00:00.000000Z", (), EMPTY_TREE_ID, "main", False, None, None, None, None, None, 0, {}, None, None,
    )  # fmt: skip
