"""Import of copies in a folder: in the order that people mean, safely, and once."""

import os
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.history.commit import commit
from aura_vcs.history.names.branches import branch
from aura_vcs.history.undo import undo
from aura_vcs.index.queries import VersionFilter
from aura_vcs.index.records import VersionRecord
from aura_vcs.interchange.folder_import import import_folder
from aura_vcs.interchange.folder_plan import (
    PlannedCopy,
    date_in,
    decode_plan,
    encode_plan,
    in_order,
    number_in,
    plan_folder,
    read_plan,
    title_in,
)
from aura_vcs.repository.repository import Repository

from tests.helpers.check import assert_whole


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    """A new project."""
    with Repository.init(str(tmp_path / "film"), author="Mira") as made:
        yield made


def _versions(repo: Repository) -> list[VersionRecord]:
    return sorted(repo.queries.all_versions(VersionFilter()), key=lambda version: version.number)


def _names(repo: Repository, version: VersionRecord) -> list[str]:
    return sorted(path for path, entry in repo.trees.walk(version.tree) if entry.kind != "dir")


def _put(path: Path, content: str, at: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (at, at))


def _zip(path: Path, members: dict[str, str | bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["film_v10", "film_v2 (final)", "film_v1"], ["film_v1", "film_v2 (final)", "film_v10"]),
        (["film_v2 final", "film_v2", "film_v2_really_final"], ["film_v2", "film_v2 final", "film_v2_really_final"]),
        (["film-2024-03-01.zip", "film 20231224.zip"], ["film 20231224.zip", "film-2024-03-01.zip"]),
        (["cut (2).mp4", "cut (1).mp4"], ["cut (1).mp4", "cut (2).mp4"]),
    ],
)
def test_names_are_put_in_the_order_that_people_mean(names: list[str], order: list[str]) -> None:
    """Dates, numbers, and the words for how final something is."""
    copies = [PlannedCopy(name, "folder", "2026-01-01T00:00:00.000000Z", name) for name in names]
    assert [copy.source for copy in in_order(copies)] == order


def test_what_names_say() -> None:
    """Neither a resolution nor a year that cannot be is taken for a date or a number of a version."""
    assert date_in("film-2024-13-01") is None
    assert date_in("film 2024-02-31") is None
    assert date_in("cut_20240301_1530.mp4") == "2024-03-01T15:30:00.000000Z"
    assert number_in("final_v3_really.mp4") == 3
    assert number_in("film-2024-03-01.zip") is None
    assert number_in("clip_1080p.mp4") is None
    assert title_in("final_v3_really.mp4") == "film"
    assert title_in("trailer_v2 (final).mp4") == "trailer"


def test_folders_and_archives_become_versions_with_their_dates(repo: Repository, tmp_path: Path) -> None:
    """In order, with all files, links and rights; the newest is put in place; again, nothing is new."""
    copies = tmp_path / "copies"
    _put(copies / "film_v1/brief.json", "{}", 1_700_000_000)
    _put(copies / "film_v2 (final)/brief.json", '{"topic": "sea"}', 1_710_000_000)
    _put(copies / "film_v2 (final)/.git/config", "[evil]", 1_710_000_000)
    (copies / "film_v2 (final)/link").symlink_to("brief.json")
    _zip(copies / "film_v3.zip", {"film_v3/brief.json": "[]", "film_v3/a/b.txt": "b", "__MACOSX/x": "litter"})
    os.utime(copies / "film_v3.zip", (1_720_000_000, 1_720_000_000))
    done = import_folder(repo, plan_folder(str(copies)))
    assert (done.versions, done.branch, done.left) == (3, "main", ())
    one, two, three = _versions(repo)
    assert (one.name, one.created_at[:10], two.created_at[:10]) == ("film_v1", "2023-11-14", "2024-03-09")
    assert _names(repo, two) == ["brief.json", "link"]
    assert _names(repo, three) == ["a/b.txt", "brief.json"]
    assert (two.parents, three.parents) == ((one.id,), (two.id,))
    assert Path(repo.root, "a/b.txt").read_text() == "b"
    assert import_folder(repo, plan_folder(str(copies))).known == 3
    _put(copies / "film_v4/brief.json", "{}", 1_730_000_000)
    assert import_folder(repo, plan_folder(str(copies))).versions == 1
    assert _versions(repo)[-1].parents == (three.id,)
    assert_whole(repo)
    undo(repo)
    assert repo.head().version == three.id


def test_single_files_become_versions_of_one_file(repo: Repository, tmp_path: Path) -> None:
    """Each film keeps its name without what numbered it; a copy with nothing new makes no version."""
    for number, name in enumerate(("film_v1.mp4", "film_v2.mp4", "final_v3_really.mp4", "trailer_v4.mp4")):
        _put(tmp_path / "copies" / name, f"cut {max(1, number)}", 1_700_000_000 + number)
    done = import_folder(repo, plan_folder(str(tmp_path / "copies")))
    assert (done.versions, done.same) == (3, 1)
    assert [_names(repo, version) for version in _versions(repo)] == [
        ["film.mp4"],
        ["film.mp4"],
        ["film.mp4", "trailer.mp4"],
    ]


def test_a_plan_can_be_edited(repo: Repository, tmp_path: Path) -> None:
    """Its order, dates and names count; what was taken out is left out; what it cannot say is refused."""
    for number in (1, 2, 3):
        _put(tmp_path / f"copies/film_v{number}/a.txt", str(number), 1_700_000_000)
    text = encode_plan(plan_folder(str(tmp_path / "copies"))).decode()
    plan = decode_plan(text.encode(), "plan.json")
    swapped = [plan.versions[2], plan.versions[0]]
    edited = text.replace('"name": "film_v3"', '"name": "First"').replace("2023-11-14T22:13:20.000000Z", "2020-01-02")
    plan = decode_plan(edited.encode(), "plan.json")
    import_folder(
        repo, type(plan)(plan.folder, tuple(c for s in swapped for c in plan.versions if c.source == s.source))
    )
    first, second = _versions(repo)
    assert (first.name, first.created_at, second.name) == ("First", "2020-01-02T12:00:00.000000Z", "film_v1")
    changes = (("aura folder import 1", "x"), ("film_v1", "../x"), ("2023-11-14T22:13:20.000000Z", "soon"))
    for bad in (b"{}", b"no", *(text.replace(old, new).encode() for old, new in changes)):
        with pytest.raises(InputError):
            decode_plan(bad, "plan.json")
    evil = PlannedCopy("film_v1", "file", "2020-01-02", "x", "../../evil")
    with pytest.raises(InputError):
        decode_plan(encode_plan(type(plan)(plan.folder, (evil,))), "plan.json")


def test_hostile_archives_leave_their_place_alone(repo: Repository, tmp_path: Path) -> None:
    """Names that lead out, links, doubles, stores of git and of ours, wrong sizes, no ZIP at all: listed, not taken."""
    copies = tmp_path / "copies"
    copies.mkdir()
    with zipfile.ZipFile(copies / "film_v1.zip", "w") as archive:
        for name in (
            "../out",
            "/etc/passwd",
            "a/../../out",
            ".git/hooks/x",
            ".aura/x",
            "ok.txt",
            "a\\..\\..\\out",
            "ok.txt",
        ):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a name that is there twice
                archive.writestr(name, "x")
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    (copies / "film_v2.zip").write_bytes(b"PK\x03\x04 torn")
    (copies / "film_v3").symlink_to("/etc")
    data = bytearray((copies / "film_v1.zip").read_bytes())
    done = import_folder(repo, plan_folder(str(copies)))
    assert done.versions == 1
    assert _names(repo, _versions(repo)[0]) == ["ok.txt"]
    assert done.left_count == 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copies", "film"]
    bomb = data.replace(b"ok.txt", b"ok.txt")
    (copies / "film_v4.zip").write_bytes(bomb[: len(bomb) // 2])
    assert import_folder(repo, plan_folder(str(copies))).versions == 0
    assert_whole(repo)


def test_main_that_went_on_stays(repo: Repository, tmp_path: Path) -> None:
    """What comes is put on a branch beside it."""
    Path(repo.root, "own.txt").write_text("mine")
    mine = commit(repo, "Mine").version
    _put(tmp_path / "copies/film_v1/a.txt", "1", 1_700_000_000)
    done = import_folder(repo, plan_folder(str(tmp_path / "copies")))
    assert done.branch == "copies"
    assert mine is not None
    assert repo.head().version == mine.id
    assert Path(repo.root, "own.txt").exists()


def test_again_brings_the_branch_to_what_is_recorded(repo: Repository, tmp_path: Path) -> None:
    """After an undo, or an interruption between the versions and the branch, all copies are known, and in place."""
    for number in (1, 2):
        _put(tmp_path / f"copies/film_v{number}/a.txt", str(number), 1_700_000_000)
    import_folder(repo, plan_folder(str(tmp_path / "copies")))
    undo(repo)
    assert repo.head().version is None
    done = import_folder(repo, plan_folder(str(tmp_path / "copies")))
    assert (done.versions, done.known, done.branch) == (0, 2, "main")
    assert Path(repo.root, "a.txt").read_text() == "2"


def test_a_copy_between_two_that_came_before_is_on_a_branch(repo: Repository, tmp_path: Path) -> None:
    """It stands on the one before it; `main` stays, and goes on with what comes behind its end."""
    for number in (1, 3):
        _put(tmp_path / f"copies/film_v{number}/a.txt", str(number), 1_700_000_000)
    import_folder(repo, plan_folder(str(tmp_path / "copies")))
    _put(tmp_path / "copies/film_v2/a.txt", "2", 1_700_000_000)
    done = import_folder(repo, plan_folder(str(tmp_path / "copies")))
    one, three, two = _versions(repo)
    assert (done.versions, done.branch, two.parents) == (1, "copies", (one.id,))
    found = branch(repo, "copies")
    assert found is not None
    assert (found.version, repo.head().version) == (two.id, three.id)
    _put(tmp_path / "copies/film_v4/a.txt", "4", 1_700_000_000)
    assert import_folder(repo, plan_folder(str(tmp_path / "copies"))).branch == "main"
    assert Path(repo.root, "a.txt").read_text() == "4"


def test_what_only_the_owner_can_read_stays_so(repo: Repository, tmp_path: Path) -> None:
    """Of a private file, and of a private ZIP, nothing is stored or put in place that others can read."""
    _put(tmp_path / "copies/film_v1/open.txt", "open", 1_700_000_000)
    _put(tmp_path / "copies/film_v1/private.txt", "private", 1_700_000_000)
    _zip(tmp_path / "copies/film_v2.zip", {"open.txt": "open", "letter.txt": "private too", "x/y": "z"})
    (tmp_path / "copies/film_v1/private.txt").chmod(0o600)
    (tmp_path / "copies/film_v2.zip").chmod(0o600)
    import_folder(repo, plan_folder(str(tmp_path / "copies")))
    assert Path(repo.root, "letter.txt").stat().st_mode & 0o077 == 0
    for path in Path(repo.root, ".aura/objects").rglob("*"):
        if path.is_file() and b"private" in path.read_bytes():
            assert path.stat().st_mode & 0o077 == 0


def test_everything_that_is_not_taken_is_told(repo: Repository, tmp_path: Path) -> None:
    """A file where others need a folder, a member that lies about its size, links; a copy with nothing is none."""
    copies = tmp_path / "copies"
    copies.mkdir()
    _zip(copies / "film_v1.zip", {"a": "file", "a/b": "below it"})
    _zip(copies / "film_v2.zip", {"large": "short", "ok": "fine"})
    data = (copies / "film_v2.zip").read_bytes()
    at = data.index(b"PK\1\2") + 24
    (copies / "film_v2.zip").write_bytes(data[:at] + (64 << 20).to_bytes(4, "little") + data[at + 4 :])
    (copies / "film_v3").mkdir()
    os.mkfifo(copies / "film_v3/pipe")
    (copies / "film_v4").symlink_to("film_v3")
    done = import_folder(repo, plan_folder(str(copies)))
    assert [(one.what, one.reason) for one in done.left] == [
        ("film_v4", "it is neither a folder nor a file"),
        ("a", "a folder is called so, too"),
        ("large", "it is not as long as the ZIP says"),
        ("pipe", "it is neither a file, a folder nor a link"),
    ]
    assert [_names(repo, version) for version in _versions(repo)] == [["a/b"], ["ok"]]


def test_a_plan_is_a_file_and_leaves_the_project_out(repo: Repository, tmp_path: Path) -> None:
    """A pipe is refused instead of waited for; the project beside the copies is none of them."""
    _put(tmp_path / "film_v1/a.txt", "1", 1_700_000_000)
    assert [copy.source for copy in plan_folder(str(tmp_path), project=repo.root).versions] == ["film_v1"]
    os.mkfifo(tmp_path / "plan.json")
    with pytest.raises(InputError):
        read_plan(str(tmp_path / "plan.json"))
