"""A look at a large folder is not a silence: it says how many files it has come to."""

from pathlib import Path

from aura_vcs.maintenance.disk_usage import storage_report
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.progress import Silent
from aura_vcs.repository.repository import Repository


class Counted(Silent):
    """Adds up what is told, by phase."""

    def __init__(self) -> None:
        self.phase = ""
        self.told: dict[str, int] = {}

    def start(self, phase: str, total: int | None, unit: str) -> None:
        """Begin a phase."""
        self.phase = phase
        self.told.setdefault(phase, 0)

    def advance(self, amount: int) -> None:
        """Add to the phase that began last."""
        self.told[self.phase] += amount


def test_every_file_of_a_look_is_told(tmp_path: Path) -> None:
    """Also those in folders below."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    for number in range(30):
        (tmp_path / "a" / "b" / f"{number}.txt").write_text(str(number))
    counted = Counted()
    with Repository.init(str(tmp_path), author="anna", progress=counted) as repo:
        found = repo.worktree.scan(EMPTY_TREE_ID)
        assert counted.told["Looking at files"] == found.count >= 30


def test_a_report_of_the_space_tells_its_versions(tmp_path: Path) -> None:
    """Opening every tree of a long history takes a while."""
    from aura_vcs.history.commit import commit

    counted = Counted()
    with Repository.init(str(tmp_path), author="anna", progress=counted) as repo:
        for number in range(3):
            (tmp_path / "notes.txt").write_text(str(number))
            commit(repo, f"Cut {number}")
        storage_report(repo)
    assert counted.told["Looking through versions"] == counted.told["Counting what each version holds"] == 3
