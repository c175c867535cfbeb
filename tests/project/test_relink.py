"""Missing media are found again, outside ones collected, unused ones listed; undo takes the changes back."""

import gzip
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aura_vcs.cli.commands.status import missing_media
from aura_vcs.errors import InputError
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.history.commit import commit
from aura_vcs.history.init import start_project
from aura_vcs.history.status import status
from aura_vcs.history.undo import undo
from aura_vcs.project.media.collect import collect, plan_collect
from aura_vcs.project.media.find_again import editors_checksum
from aura_vcs.project.media.references import list_media
from aura_vcs.project.media.relink import Relink, plan_relink, relink
from aura_vcs.project.media.rewrite import RELATIVE, rewrite_paths
from aura_vcs.project.media.unused import find_unused
from aura_vcs.repository.repository import Repository

from tests.editors import projects
from tests.editors.projects import Cut, Item, samples

MAKERS: dict[str, Callable[[Cut], bytes]] = {
    "film.kdenlive": projects.kdenlive,
    "film.mlt": projects.shotcut,
    "film.osp": projects.openshot,
    "film.rpp": projects.reaper,
    "film.otio": projects.otio,
    "film.fcpxml": projects.fcpxml,
    "film.xml": projects.xmeml,
}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    with start_project(str(tmp_path / "film"), title="Film") as (made, _):
        yield made


def _write(repo: Repository, path: str, data: bytes = b"bytes") -> None:
    place = Path(repo.root, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def _names(repo: Repository, file: str) -> list[str]:
    found = read_project(file, Path(repo.root, file).read_bytes())
    assert isinstance(found, Timeline)
    return [one.path for one in found.media if one.kind == "file"]


@pytest.mark.parametrize("file", MAKERS)
def test_a_file_that_was_renamed_is_found_by_its_content(repo: Repository, file: str) -> None:
    """In every editor's own writing; one step, which undo takes back byte for byte."""
    _write(repo, "footage/sea.mp4", b"the sea")
    written = "footage/sea.mp4" if not file.endswith("ml") else f"{repo.root[1:]}/footage/sea.mp4"
    _write(repo, file, before := MAKERS[file]({"V1": [Item(written, 3, 40), Item(written, 90, 20)]}))
    commit(repo, "with its media")
    Path(repo.root, "raw & new").mkdir()
    os.rename(Path(repo.root, "footage/sea.mp4"), Path(repo.root, "raw & new/ocean #1.mp4"))
    commit(repo, "renamed")
    (plan,) = plan_relink(repo)
    assert (plan.found, plan.by, plan.version) == ("raw & new/ocean #1.mp4", "content", "v1")
    assert Path(repo.root, file).read_bytes() == before, "a plan changes nothing"
    assert relink(repo, [plan]).written == (file,)
    (project,) = list_media(repo)
    assert [(one.state, one.resolved) for one in project.media] == [("found", "raw & new/ocean #1.mp4")]
    assert not project.media[0].is_absolute or file.endswith("ml")
    undo(repo)
    assert Path(repo.root, file).read_bytes() == before


def test_a_file_that_was_moved_and_not_committed_yet_is_found_by_its_content(repo: Repository) -> None:
    """Brought back from the version it would be there twice; another new file of its size is not taken for it."""
    _write(repo, "footage/sea.mp4", b"the sea")
    _write(repo, "film.kdenlive", projects.kdenlive({"V1": [Item("footage/sea.mp4", 3, 40)]}))
    commit(repo, "with its media")
    _write(repo, "footage/a new one.mp4", b"the sky")
    os.rename(Path(repo.root, "footage/sea.mp4"), Path(repo.root, "footage/ocean.mp4"))
    (plan,) = plan_relink(repo)
    assert (plan.found, plan.by, plan.version, plan.entry) == ("footage/ocean.mp4", "content", "v1", None)
    relink(repo, [plan])
    assert _names(repo, "film.kdenlive") == ["footage/ocean.mp4"]
    assert not Path(repo.root, "footage/sea.mp4").exists()


def _premiere(*paths: tuple[str, str]) -> bytes:
    """A project of Premiere with these media: each by its whole path, twice, and by one from the project file."""
    plain = gzip.decompress(projects.premiere({"V1": [Item(f"{n}.mp4") for n in range(len(paths))]})).decode()
    for n, (whole, beside) in enumerate(paths):
        more = f"<ActualMediaFilePath>{whole}</ActualMediaFilePath><RelativePath>{beside}</RelativePath>"
        plain = plain.replace(f"<FilePath>/Volumes/{n}.mp4</FilePath>", f"<FilePath>{whole}</FilePath>{more}")
    return gzip.compress(plain.encode(), 6, mtime=0)


def test_all_paths_of_a_media_in_premiere_s_project_are_written(repo: Repository) -> None:
    """What one of its paths leads to is not missing; what none does is found, and undo takes the new paths back."""
    _write(repo, "footage/sea.mp4", b"the sea")
    _write(repo, "footage/gulls.mp4", b"gulls")
    elsewhere = "C:\\Users\\mira\\gulls.mp4"
    _write(
        repo,
        "edit/film.prproj",
        _premiere(("/Users/mira/sea.mp4", "../sea.mp4"), (elsewhere, "..\\footage\\gulls.mp4")),
    )
    before = Path(repo.root, "edit/film.prproj").read_bytes()
    commit(repo, "from another machine")
    (plan,) = plan_relink(repo)
    assert (plan.path, plan.found) == ("../sea.mp4", "footage/sea.mp4")
    assert relink(repo, [plan]).written == ("edit/film.prproj",)
    whole = f"{repo.root}/footage/sea.mp4"
    assert _names(repo, "edit/film.prproj") == [
        whole, whole, "../footage/sea.mp4", elsewhere, elsewhere, "..\\footage\\gulls.mp4",
    ]  # fmt: skip
    written = Path(repo.root, "edit/film.prproj").read_bytes()
    assert written[:10] == before[:10]
    assert len(gzip.decompress(written)) > len(gzip.decompress(before))
    assert {one.state for one in list_media(repo)[0].media} == {"found"}
    assert not plan_relink(repo)
    undo(repo)
    assert Path(repo.root, "edit/film.prproj").read_bytes() == before


def test_what_is_nowhere_comes_back_from_the_version_that_had_it(repo: Repository) -> None:
    """The path in the project file stays; undo takes the file away again."""
    _write(repo, "footage/gull.mp4", b"a gull")
    _write(repo, "film.kdenlive", projects.kdenlive({"V1": [Item("footage/gull.mp4")]}))
    commit(repo, "all of it")
    os.unlink(Path(repo.root, "footage/gull.mp4"))
    commit(repo, "without")
    (plan,) = plan_relink(repo)
    assert (plan.by, plan.version, plan.new) == ("version", "v1", "")
    assert relink(repo, [plan]).restored == ("footage/gull.mp4",)
    assert Path(repo.root, "footage/gull.mp4").read_bytes() == b"a gull"
    undo(repo)
    assert not Path(repo.root, "footage/gull.mp4").exists()


def test_names_are_told_apart_by_checksum_size_and_folders(repo: Repository) -> None:
    """What nothing tells apart is left, with the files that it may be."""
    for path, data in (("a/take.mp4", b"first"), ("b/take.mp4", b"other!"), ("c/x.mp4", b"by checksum")):
        _write(repo, path, data)
    cut: Cut = {"V1": [Item(f"D:\\old\\{name}") for name in ("take.mp4", "b\\take.mp4", "gone.mp4", "moved.mp4")]}
    digest = hashlib.md5(b"by checksum", usedforsecurity=False).hexdigest()
    data = projects.kdenlive(cut).decode()
    place = data.index(">D:\\old\\moved.mp4<")
    extra = f'\n  <property name="kdenlive:file_hash">{digest}</property>'
    end = data.index("</property>", place) + len("</property>")
    _write(repo, "film.kdenlive", (data[:end] + extra + data[end:]).encode())
    plan = {one.path: one for one in plan_relink(repo)}
    assert (plan["D:\\old\\b\\take.mp4"].found, plan["D:\\old\\b\\take.mp4"].by) == ("b/take.mp4", "name")
    assert (plan["D:\\old\\moved.mp4"].found, plan["D:\\old\\moved.mp4"].by) == ("c/x.mp4", "checksum")
    assert plan["D:\\old\\take.mp4"].choices == ("a/take.mp4", "b/take.mp4")
    assert not plan["D:\\old\\gone.mp4"].is_found
    assert len(relink(repo, list(plan.values())).written) == 1
    assert set(_names(repo, "film.kdenlive")) == {"D:\\old\\take.mp4", "b/take.mp4", "D:\\old\\gone.mp4", "c/x.mp4"}


def test_a_stale_plan_changes_nothing(repo: Repository) -> None:
    """The project file went meanwhile: nothing comes back either. One that was never there is told at once."""
    with pytest.raises(InputError, match="is not a project file here"):
        plan_relink(repo, ["gone.kdenlive"])
    with pytest.raises(InputError, match="is not there any more"):
        relink(repo, [Relink("gone.kdenlive", "a.mp4", "b.mp4", "name", new="b.mp4")])


def test_outside_media_are_collected(repo: Repository, tmp_path: Path) -> None:
    """Copies with names that are free, project files that name them, one step; what is a link stays."""
    outside = tmp_path / "disk"
    outside.mkdir()
    (outside / "far.mp4").write_bytes(b"far " * 300_000)
    (outside / "link.mp4").symlink_to("far.mp4")
    _write(repo, "media/FAR.mp4", b"another")
    cut: Cut = {"V1": [Item(str(outside / "far.mp4")), Item(str(outside / "link.mp4")), Item("media/FAR.mp4")]}
    for file in ("one.kdenlive", "two.rpp"):
        _write(repo, file, (projects.kdenlive if file.endswith("e") else projects.reaper)(cut))
    plan = {Path(one.outside).name: one for one in plan_collect(repo)}
    assert plan["far.mp4"].target == "media/far 2.mp4"
    assert plan["link.mp4"].reason == "it is a link, which is not followed"
    done = collect(repo, list(plan.values()))
    assert (done.copied, done.written) == (("media/far 2.mp4",), ("one.kdenlive", "two.rpp"))
    assert Path(repo.root, "media/far 2.mp4").read_bytes() == (outside / "far.mp4").read_bytes()
    assert "media/far 2.mp4" in _names(repo, "two.rpp")
    undo(repo)
    assert not Path(repo.root, "media/far 2.mp4").exists()
    assert str(outside / "far.mp4") in _names(repo, "one.kdenlive")


def test_unused_media_are_those_that_no_timeline_names(repo: Repository) -> None:
    """Numbered pictures are one name; without any project file nothing is unused."""
    for path in ("a.mp4", "b.mp4", "shot/0001.png", "shot/0002.png", "old/0001.png", "notes.txt"):
        _write(repo, path)
    assert find_unused(repo).files == ()
    _write(repo, "film.kdenlive", projects.kdenlive({"V1": [Item("a.mp4"), Item("shot/%04d.png")]}))
    assert [path for path, _ in find_unused(repo).files] == ["b.mp4", "old/0001.png"]


def test_status_counts_what_is_missing_and_forgets_nothing(repo: Repository) -> None:
    """Remembered by the version; a file that comes or goes beside it counts at once."""
    _write(repo, ".auraignore", b"cache/\n")
    _write(repo, "film.kdenlive", projects.kdenlive({"V1": [Item("a.mp4"), Item("cache/b.mp4")]}))
    commit(repo, "nothing there")
    for _ in range(2):
        assert missing_media(repo, status(repo)) == {"film.kdenlive": 2}
    _write(repo, "cache/b.mp4")
    assert missing_media(repo, status(repo)) == {"film.kdenlive": 1}
    _write(repo, "a.mp4")
    assert missing_media(repo, status(repo)) == {}


def test_checksums_are_those_of_the_editors() -> None:
    """Of the whole, or of a megabyte at either end."""
    for size in (0, 5, 2_000_000, 2_000_001, 5_000_000):
        data = bytes(n * 7 % 251 for n in range(1000)) * (size // 1000 + 1)
        whole = data[:size]
        ends = whole if size <= 2_000_000 else whole[:1_000_000] + whole[-1_000_000:]
        wanted = hashlib.md5(ends, usedforsecurity=False).hexdigest()
        assert editors_checksum(io.BytesIO(whole), size) == wanted


REAL = [
    path
    for path in samples("kdenlive", "mlt", "osp", "fcpxml", "rpp", "prproj")
    if isinstance(read_project(path.name, path.read_bytes()), Timeline)
]


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name[-30:])
def test_real_projects_are_written_with_other_paths_and_nothing_else(path: Path) -> None:
    """Every path replaced, and back again: the file is what it was, byte for byte."""
    data = path.read_bytes()
    before = read_project(path.name, data)
    assert isinstance(before, Timeline)
    paths = {one.path: f"/new/ö & ü/{n}.mp4" for n, one in enumerate(before.media) if one.path and one.kind == "file"}
    assert before.format != "premiere" or paths
    if before.format in RELATIVE:
        paths = {old: new[1:] for old, new in paths.items()}
    there = rewrite_paths(path.name, data, before, paths)
    assert isinstance(there, bytes), there
    now = read_project(path.name, there)
    assert isinstance(now, Timeline)
    back = rewrite_paths(path.name, there, now, {new: old for old, new in paths.items()})
    assert back == data or b"%20" in data or b"&apos;" in data


def test_what_is_not_written_says_what_to_do(repo: Repository) -> None:
    """A project of Resolve is read: the file that it names is found, and is to be relinked there."""
    _write(repo, "grade.drp", projects.resolve({"V1": [Item("sea.mp4", 0, 50)]}))
    _write(repo, "media/sea.mp4")
    (one,) = plan_relink(repo)
    assert not one.is_found
    assert one.reason.startswith("it is media/sea.mp4; ")
    assert one.reason.endswith("are read, not written: relink it in the editor")
    before = Path(repo.root, "grade.drp").read_bytes()
    relink(repo, [one])
    assert Path(repo.root, "grade.drp").read_bytes() == before


ADDRESSES = {
    "film.xml": (projects.xmeml, "file://localhost/C%3A/Users/mira/my%20clips/s%C3%A9a.mp4"),
    "film.fcpxml": (projects.fcpxml, "file:///C:/Users/mira/my%20clips/s%C3%A9a.mp4"),
    "film.otio": (projects.otio, "file:///C:/Users/mira/my%20clips/s%C3%A9a.mp4"),
    "film.mlt": (projects.shotcut, "file:///Volumes/Old%20Disk/my%20clips/s%C3%A9a.mp4"),
}


@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize("file", ADDRESSES)
def test_an_address_with_escapes_is_looked_for_by_what_it_means(repo: Repository, file: str, renamed: bool) -> None:
    """Of another machine's drive or disk: found by name, and by the content that a version had where its end leads."""
    write, address = ADDRESSES[file]
    data = write({"V1": [Item("@.mp4", 3, 40)]})
    for made in (b"file://localhost/@.mp4", b"file:///@.mp4", b"@.mp4"):
        data = data.replace(made, address.encode())
    _write(repo, file, data)
    _write(repo, "my clips/s\u00e9a.mp4", b"the sea")
    commit(repo, "with its media")
    new = "raw/ocean.mp4" if renamed else "raw/s\u00e9a.mp4"
    Path(repo.root, "raw").mkdir()
    os.rename(Path(repo.root, "my clips/s\u00e9a.mp4"), Path(repo.root, new))
    (plan,) = plan_relink(repo)
    assert (plan.found, plan.reason) == (new, "")
    relink(repo, [plan])
    (project,) = list_media(repo)
    assert [one.resolved for one in project.media] == [new]


@pytest.mark.parametrize("name", ["p%04d.png", ".all.png", "p%04d.png?begin=1"])
def test_numbered_pictures_are_found_in_the_folder_that_they_were_moved_to(repo: Repository, name: str) -> None:
    """The name that means all of them is written with the new folder; of two folders the closer one, or neither."""
    for n in range(3):
        _write(repo, f"seq/p{n:04d}.png", b"%d" % n)
    _write(repo, "film.mlt", before := projects.shotcut({"V1": [Item(f"seq/{name}", 0, 3)]}))
    commit(repo, "with its pictures")
    os.rename(Path(repo.root, "seq"), Path(repo.root, "new seq"))
    (plan,) = plan_relink(repo)
    assert (plan.found, plan.by) == (f"new seq/{name}", "name")
    relink(repo, [plan])
    assert _names(repo, "film.mlt") == [f"new seq/{name}"]
    assert list_media(repo)[0].missing == 0
    undo(repo)
    assert Path(repo.root, "film.mlt").read_bytes() == before
    _write(repo, "other/p0000.png")
    (plan,) = plan_relink(repo)
    assert plan.choices == (f"new seq/{name}", f"other/{name}")
    for picture in ("other/p0000.png", "new seq/p0000.png", "new seq/p0001.png", "new seq/p0002.png"):
        Path(repo.root, picture).unlink()
    (plan,) = plan_relink(repo)
    assert (plan.found, plan.reason.partition(" now")[0]) == ("", "no folder has such pictures")
