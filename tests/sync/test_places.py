"""Where a remote in a folder may be."""

from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors.remotes import RemoteMismatch
from aura_vcs.history.commit import commit
from aura_vcs.sync.remotes.add import AddRequest, add_remote
from aura_vcs.sync.remotes.config import RemoteConfig, remotes, set_remote
from aura_vcs.sync.remotes.connect import open_named
from aura_vcs.sync.remotes.location_check import check_no_project
from aura_vcs.sync.remotes.url import parse_address


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A project, with another one beside it."""
    for name in ("film", "other"):
        root = tmp_path / name
        root.mkdir()
        (root / "a.txt").write_text("one")
        with Repository.init(root) as repo:
            commit(repo, "One")
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "holiday.mp4").write_text("holiday")
    (tmp_path / "link").symlink_to(tmp_path / "other")
    return tmp_path / "film"


def everything(root: Path) -> set[str]:
    """All paths below a folder that are not somebody's moment."""
    return {str(p) for p in root.rglob("*") if "/local" not in str(p)}


@pytest.mark.parametrize(
    "place",
    [".", "backup", "sub/backup", ".aura", ".aura/objects", "..", "../other", "../other/.aura", "../other/x",
     "../videos", "../link"],
)  # fmt: skip
def test_a_place_among_files_is_refused(film: Path, place: str) -> None:
    """A project, its store, a folder in it or around it, a folder with other files: nothing is made there."""
    before = everything(film.parent)
    with Repository.open(film) as repo:
        with pytest.raises(RemoteMismatch):
            add_remote(repo, "x", parse_address(place, str(film)))
        assert remotes(repo) == {}
    assert everything(film.parent) == before


def test_a_folder_with_other_files_can_be_forced(film: Path, tmp_path: Path) -> None:
    """What lies there stays; a project stays refused."""
    with Repository.open(film) as repo:
        add_remote(repo, "x", parse_address(str(tmp_path / "videos")), request=AddRequest(force=True))
        with pytest.raises(RemoteMismatch):
            add_remote(repo, "y", parse_address(str(tmp_path / "other")), request=AddRequest(force=True))
    assert (tmp_path / "videos" / "holiday.mp4").read_text() == "holiday"


@pytest.mark.parametrize(
    "litter", ["lost+found", ".Trash-1000", ".DS_Store", "System Volume Information", "desktop.ini"]
)
def test_an_empty_disk_is_empty(film: Path, tmp_path: Path, litter: str) -> None:
    """What systems leave on every disk is not a file of the person's; and a remote that is there is taken again."""
    (tmp_path / "disk" / litter).mkdir(parents=True)
    with Repository.open(film) as repo:
        add_remote(repo, "x", parse_address(str(tmp_path / "disk")))
        add_remote(repo, "y", parse_address(str(tmp_path / "disk")))


@pytest.mark.parametrize("place", [".", "backup", ".aura", "../other"])
def test_a_place_that_the_settings_name_is_looked_at_too(film: Path, place: str) -> None:
    """Whoever wrote it there by hand: push, fetch and everything else that opens it refuse."""
    with Repository.open(film) as repo:
        set_remote(repo, "x", RemoteConfig(place))
        with pytest.raises(RemoteMismatch):
            open_named(repo, "x", remotes(repo)["x"])


def test_the_far_side_serves_no_project(film: Path) -> None:
    """`aura serve`, which ssh runs, looks too."""
    for path in (film, film / ".aura", film / ".aura" / "objects"):
        with pytest.raises(RemoteMismatch):
            check_no_project(str(path), "there")
