"""What a sync tool brings between two looks of one command is counted, by that command or by the next."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aura_vcs import Repository
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.layout import loose_path
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.storage.local import LocalStorage

from tests.helpers.project import save, write
from tests.helpers.sampling import some

LOOKS = ("list", "stat", "open", "read")
LOOKS_TRIED = 12
"""Before so many of them something comes, by default."""


class Mirror:
    """Brings the files of one store to another, one by one, in any order."""

    def __init__(self, source: Path, target: Path, chance: random.Random) -> None:
        self._source, self._target, self._chance = source / ".aura", target / ".aura", chance
        found = [path.relative_to(self._source) for path in sorted(self._source.rglob("*")) if path.is_file()]
        self.waiting = [path for path in found if path.parts[0] != "local" and self._differs(path)]
        chance.shuffle(self.waiting)

    def _differs(self, path: Path) -> bool:
        target = self._target / path
        return not target.exists() or target.read_bytes() != (self._source / path).read_bytes()

    def bring(self, rate: float = 1.0) -> None:
        """Files come, as many as chance has it."""
        while self.waiting and self._chance.random() < rate:
            path = self.waiting.pop()
            (self._target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self._source / path, self._target / path)

    def before_look(self, patch: pytest.MonkeyPatch, number: int) -> list[None]:
        """All that waits comes before that look at the target; returns a list that grows with each look."""
        looks: list[None] = []

        def comes() -> None:
            looks.append(None)
            if len(looks) == number:
                self.bring()

        for name in LOOKS:
            patch.setattr(LocalStorage, name, self._after(comes, getattr(LocalStorage, name)))
        return looks

    def between_looks(self, patch: pytest.MonkeyPatch, rate: float) -> None:
        """From now on something may come before each look at the target."""
        for name in LOOKS:
            patch.setattr(LocalStorage, name, self._after(lambda: self.bring(rate), getattr(LocalStorage, name)))

    def _after(self, comes: Callable[[], None], look: Callable[..., Any]) -> Callable[..., Any]:
        def looked(storage: LocalStorage, *args: Any, **options: Any) -> Any:
            if Path(storage.root) == self._target:
                comes()
            return look(storage, *args, **options)

        return looked


@pytest.fixture
def pair(first: Repository, tmp_path: Path) -> tuple[Repository, Path]:
    """A project, and the folder of another machine that has a copy of it without `local`."""
    target = tmp_path / "other"
    shutil.copytree(first.root, target, symlinks=True, ignore=shutil.ignore_patterns("local"))
    Repository.open(str(target)).close()
    return first, target


@pytest.mark.parametrize("seed", range(10))
def test_whatever_comes_between_two_looks_is_counted(
    pair: tuple[Repository, Path], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every count is right as soon as all is here, whichever file came between which two looks."""
    repo, target = pair
    root, chance = Path(repo.root), random.Random(seed)
    for round_ in range(3):
        write(root, {f"scenes/{seed}/{round_}.json": f"{seed} {round_}", "notes.txt": f"{round_}"})
        (root / "assets/sky.png").rename(root / f"assets/{round_}.png")
        save(repo, f"Round {round_}")
        (root / f"assets/{round_}.png").rename(root / "assets/sky.png")
        save(repo, f"Round {round_} again")  # whose folders, and all in them, are known already
        mirror = Mirror(root, target, chance)
        with monkeypatch.context() as patch:
            mirror.between_looks(patch, chance.choice((0.02, 0.1, 0.4)))
            for _ in range(3):
                with Repository.open(str(target), author="B", host="B") as other:
                    other.refresh()
            if chance.random() < 0.3:
                with Repository.open(str(target), author="B", host="B") as other:
                    commit(other, CommitRequest("Meanwhile", allow_empty=True))
        mirror.bring()
        with Repository.open(str(target), author="B", host="B") as other:
            assert [(problem.kind, problem.detail) for problem in fsck(other).problems] == []


@pytest.mark.parametrize(
    ("is_folder", "is_whole"),
    [(True, False), *(pytest.param(is_folder, True, marks=pytest.mark.slow) for is_folder in (True, False))],
)
def test_one_file_that_comes_late_is_counted_before_whichever_look(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_folder: bool, is_whole: bool
) -> None:
    """A version of which everything is known but its folder, or its object, its label or its line, which comes now."""
    root, target = Path(repo.root), tmp_path / "other"
    write(root, {"a.txt": "one", "b.txt": "two"})
    save(repo, "First")
    shutil.copytree(root, target, symlinks=True, ignore=shutil.ignore_patterns("local"))
    Repository.open(str(target)).close()
    (root / "a.txt").unlink()
    (root / "b.txt").rename(root / "c.txt")
    tree = loose_path(save(repo, "Second").tree)

    def comes_before(path: Path, number: int) -> int:
        """The file comes before that look; how many looks there were."""
        other = tmp_path / f"{path.name[:8]}-{number}"
        shutil.copytree(target, other, symlinks=True, copy_function=shutil.copy2)
        Repository.open(str(other)).close()
        mirror = Mirror(root, other, random.Random(0))
        mirror.waiting.remove(path)
        mirror.bring()
        mirror.waiting = [path]
        with monkeypatch.context() as patch:
            looks = mirror.before_look(patch, number)
            Repository.open(str(other)).close()
        mirror.bring()
        with Repository.open(str(other)) as opened:
            found = fsck(opened).problems
        assert [(problem.kind, problem.detail) for problem in found] == [], (path, number)
        shutil.rmtree(other)
        return len(looks)

    late = Mirror(root, target, random.Random(0)).waiting
    for path in (path for path in late if str(path).startswith(tree) is is_folder):
        count = comes_before(path, 1)
        if not is_whole:
            for number in some(range(2, count + 1), LOOKS_TRIED, "late"):
                comes_before(path, number)
            continue
        number = 2
        while number <= count:
            count, number = comes_before(path, number), number + 1
