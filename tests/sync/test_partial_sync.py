"""Folder sync in the middle: refs before versions, versions before their content. No damage, and said so."""

import shutil
from pathlib import Path

import pytest
from aura_vcs.errors.integrity import NotArrived, ObjectMissing
from aura_vcs.history.checkout import checkout
from aura_vcs.history.names.branches import branch
from aura_vcs.history.names.partial_sync import delivery_error, missing_heads
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.names.tags import create_tag, delete_tag
from aura_vcs.history.status import status
from aura_vcs.layout import loose_path
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.model import Kind
from aura_vcs.objects.packs import writer as pack_writer
from aura_vcs.repository.repository import Repository

from .machines import OPENED, machine, save, write
from .test_push_pull import media
from .test_sync_commands import Person


class Pair:
    """The laptop's project with two versions, and the tablet's copy of it with the first."""

    def __init__(self, path: Path) -> None:
        self.laptop = machine(path / "laptop", "laptop")
        self.first = save(self.laptop, "brief.json", "{}", "First")
        shutil.copytree(path / "laptop", path / "tablet")
        self.made = save(self.laptop, "take.wav", media(1_500_000), "Take")
        self.source, self.target = path / "laptop/.aura", path / "tablet/.aura"

    def bring(self, *folders: str) -> None:
        """What the tool brings of the laptop's store."""
        for folder in folders:
            shutil.copytree(self.source / folder, self.target / folder, dirs_exist_ok=True)

    def bring_version(self) -> None:
        """The second version alone, as a file of its own."""
        path = self.target / loose_path(self.made.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.laptop.store.read(self.made.id, Kind.VERSION))

    def tablet(self) -> Repository:
        """The tablet's project."""
        OPENED.append(Repository.open(str(self.target.parent), author="tablet", host="tablet"))
        return OPENED[-1]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Laptop and tablet."""
    return Pair(tmp_path)


def test_refs_before_their_version(pair: Pair) -> None:
    """A branch that moved on to a version that is not here stays where it was known, and the version is named."""
    pair.bring("refs", "operations")
    repo = pair.tablet()
    assert repo.head().version == pair.first.id
    assert status(repo).missing_heads == (pair.made.id,)
    assert [item.title for item in missing_heads(repo, "main")] == ['v2 "Take" by laptop']
    for name in ("main", "v2", "Take", pair.made.id[:12]):
        with pytest.raises(NotArrived, match='v2 "Take" by laptop has not arrived'):
            resolve(repo, name)
    pair.bring("objects")
    repo.refresh()
    assert status(repo).missing_heads == ()
    checkout(repo, "main")
    assert branch(repo, "main").version == pair.made.id  # type: ignore[union-attr]


def test_a_version_before_its_tree(pair: Pair) -> None:
    """Going there says which version it is, and that it is coming; the folder was not touched."""
    pair.bring("refs", "operations")
    pair.bring_version()
    repo = pair.tablet()
    with pytest.raises(ObjectMissing) as caught:
        checkout(repo, "main")
    found = delivery_error(repo, caught.value)
    assert found is not None
    assert found.message == 'v2 "Take" by laptop has not arrived here yet'
    assert not (pair.target.parent / "take.wav").exists()


def test_a_version_before_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the pack of a large file is still on its way, the file is named; afterwards all is well."""
    monkeypatch.setattr(pack_writer, "PACK_BYTES", 300_000)
    pair = Pair(tmp_path)
    before = set((pair.source / "objects").rglob("*"))
    write(pair.laptop, "film.mp4", media(12_000_000, seed=2))
    save(pair.laptop, "take.wav", media(1_500_000, seed=3), "Film")
    shutil.copytree(pair.source / "objects", pair.target / "objects", dirs_exist_ok=True)
    pair.bring("refs", "operations")
    new = [path for path in set((pair.source / "objects").rglob("*")) - before if path.is_file()]
    assert len(new) >= 2
    (pair.target / max(new, key=lambda path: path.stat().st_size).relative_to(pair.source)).unlink()
    tablet = Person(pair.target.parent, "tablet")
    for command in (["checkout", "main"], ["restore", "main"], ["cat", "main:film.mp4"]):
        said = tablet.aura(*command, code=40)
        assert 'film.mp4 of v3 "Film" by laptop has not arrived here yet' in said
        assert "Let it finish, then run the command again" in said
    assert tablet.json("checkout", "main", code=40)["error"]["code"] == "not_arrived"
    pair.bring("objects")
    tablet.aura("checkout", "main")
    assert (pair.target.parent / "film.mp4").read_bytes() == media(12_000_000, seed=2)


def test_what_was_here_as_a_whole_is_damage(pair: Pair) -> None:
    """A version that this machine made is not awaited from anybody when something of it is gone."""
    pair.bring("refs", "operations", "objects")
    repo = pair.tablet()
    checkout(repo, "main")
    ours = save(repo, "plan.json", "{}", "Ours")
    assert delivery_error(repo, ObjectMissing(ours.tree)) is None
    assert delivery_error(repo, ObjectMissing(pair.made.tree)) is not None
    assert delivery_error(pair.laptop, ObjectMissing(pair.made.tree)) is None


def test_refs_ahead_of_their_log_are_no_damage(pair: Pair) -> None:
    """Another machine's branch and tag that came before the end of its log are not judged; ours are."""
    create_tag(pair.laptop, "sent", pair.first.id)
    pair.bring("refs", "operations", "objects")
    save(pair.laptop, "plan.json", "{}", "Plan")
    delete_tag(pair.laptop, "sent")
    create_tag(pair.laptop, "sent", pair.made.id)
    pair.bring("refs", "objects")
    repo = pair.tablet()
    assert fsck(repo).is_clean, fsck(repo).problems
    save(repo, "notes.txt", "n")
    ours = next((pair.target / "refs/branches/main").glob(f"{repo.replica}*"))
    ours.write_text(ours.read_text().replace('"counter": 1', '"counter": 9'))
    assert not fsck(repo).is_clean


def test_commands_say_what_is_on_its_way(pair: Pair) -> None:
    """Status, log, branch and merge name the version; nobody is told that there are no versions."""
    pair.bring("refs", "operations")
    shutil.rmtree(pair.target / "local")
    shutil.rmtree(pair.target / "objects")
    tablet = Person(pair.target.parent, "tablet")
    for command in ("status", "log", "branch"):
        said = tablet.aura(command)
        assert 'v2 "Take" by laptop has not arrived here yet' in said
        assert "first commit" not in said
        assert "There are no versions" not in said
    assert "has not arrived here yet" in tablet.aura("commit", "-m", "Mine")
    pair.bring("objects")
    assert "branch main has diverged" in tablet.aura("status")
