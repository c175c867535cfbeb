"""What documents, timelines, editors and media do to a project (D1 to D4 of the faults), from end to end."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from aura_vcs import Repository
from aura_vcs.errors.worktree import FileHeld
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import ActionFilter
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.storage.system_calls import FileCalls

from tests.cli.conftest import Film
from tests.compare.timelines import as_bytes, otio, otio_clip, otio_range, planets, set_seconds, studio
from tests.helpers.project import look, save, write, write_project

BASE = '{"a": 1, "keep": true, "b": 1}\n'
ODD = {
    "key order": b'{"b": 1, "keep": true, "a": 2}\n',
    "a duplicate key": b'{"a": 1, "keep": true, "b": 1, "a": 2}\n',
    "floats": b'{"a": 1.10, "keep": 1E5, "b": -0.0}\n',
    "a number beyond doubles": b'{"a": 0.1234567890123456789012345, "keep": true, "b": 1}\n',
    "a big integer": b'{"a": 123456789012345678901234567890, "keep": true, "b": 1}\n',
    "a byte order mark": b'\xef\xbb\xbf{"a": 2, "keep": true, "b": 1}\n',
    "NaN": b'{"a": NaN, "keep": true, "b": 1}\n',
    "CRLF": b'{"a": 2,\r\n "keep": true,\r\n "b": 1}\r\n',
    "not UTF-8": b'{"a": "caf\xe9", "keep": true, "b": 1}\n',
    "UTF-16": '{"a": 2, "keep": true, "b": 1}\n'.encode("utf-16"),
    "a lone surrogate": b'{"a": "\\ud800", "keep": true, "b": 1}\n',
    "no JSON": b'{"a": 2, "keep": true, "b": 1',
    "nothing": b"",
}


def _numbers(data: bytes) -> Any:
    return json.loads(data, parse_float=str, parse_int=str)


@pytest.mark.parametrize("kind", ODD)
def test_odd_documents_are_never_altered(film: Film, kind: str) -> None:
    """D1: committed, compared, checked out, and merged where only one side touched it: the same bytes."""
    film.commit("First cut", {"plan.json": BASE})
    film("branch", "side")
    film.write({"plan.json": ODD[kind]})
    film.commit("Odd", {"notes.txt": "odd\n"})
    film("diff", "v1", "v2")
    assert film.data("diff", "v1", "v2")["changes"]
    film("checkout", "side")
    film.commit("Elsewhere", {"brief.json": '{"topic": "Ebb"}'})
    film("merge", "main")
    assert (film.root / "plan.json").read_bytes() == ODD[kind]
    film("checkout", "v1")
    assert (film.root / "plan.json").read_bytes() == BASE.encode()
    film("restore", "v2", "plan.json")
    assert (film.root / "plan.json").read_bytes() == ODD[kind]


@pytest.mark.parametrize("kind", ODD)
def test_odd_documents_that_both_changed_lose_nothing(film: Film, kind: str) -> None:
    """D1: what cannot be read without loss is kept twice, byte for byte; the rest joins and keeps its numbers."""
    film.commit("First cut", {"plan.json": BASE})
    film("branch", "side")
    film.write({"plan.json": ODD[kind]})
    film.commit("Odd", {"notes.txt": "odd\n"})
    film("checkout", "side")
    theirs = b'{"a": 1, "keep": true, "b": 7}\n'
    film.commit("Plain", {"plan.json": theirs})
    film("checkout", "main")
    done = film.data("merge", "side")
    conflicts = [item for item in done["conflicts"] if item["path"] == "plan.json"]
    ours = (film.root / "plan.json").read_bytes()
    if any(item["by"] == "tree" for item in conflicts):
        assert ours == ODD[kind]
        assert (film.root / conflicts[0]["aside"]).read_bytes() == theirs
    else:
        assert kind in {"key order", "floats", "a big integer", "CRLF"}
        joined, odd = _numbers(ours), _numbers(ODD[kind])
        assert joined["a"] == odd["a"]
        assert joined["keep"] == odd["keep"]
        assert joined["b"] == ("7" if kind != "floats" else "-0.0")
        assert list(joined) == list(odd)
        assert (b"\r\n" in ours) == (kind == "CRLF")


def _two_sides(film: Film, name: str, base: Any, ours: Any, theirs: Any) -> Any:
    film.commit("First cut", {name: as_bytes(base)})
    film("branch", "side")
    film.commit("Ours", {name: as_bytes(ours)})
    film("checkout", "side")
    film.commit("Theirs", {name: as_bytes(theirs)})
    film("checkout", "main")
    return film.data("merge", "side")


def test_one_clip_trimmed_here_and_moved_there(film: Film) -> None:
    """D2: both happen, to scenes of timeline.json and to clips of an editor's file."""
    ours, theirs = planets(), planets()
    set_seconds(ours[2], 4.5)
    theirs.insert(0, theirs.pop(2))
    done = _two_sides(film, "timeline.json", studio(planets()), studio(ours), studio(theirs))
    scenes = json.loads(film.read("timeline.json"))["scenes"]
    assert done["conflicts"] == []
    assert [(scene["heading"], scene["duration"]) for scene in scenes[:2]] == [("Venus", 4.5), ("Sun", 6.0)]
    assert scenes[1]["start"] == 4.5


def test_overlapping_trims_are_one_open_question(film: Film) -> None:
    """D2: both sides trim the same end of one clip: one conflict, one clip, the file stays a timeline."""
    base, ours, theirs = (otio([otio_clip("a"), otio_clip("b", 0, seconds)]) for seconds in (6, 5, 4))
    done = _two_sides(film, "cut.otio", base, ours, theirs)
    assert [item["by"] for item in done["conflicts"]] == ["timeline"]
    assert json.loads(film.read("cut.otio")) == ours
    film("resolve", "--theirs", "cut.otio")
    assert json.loads(film.read("cut.otio")) == theirs


def test_a_deleted_track_with_an_edited_clip_stays(film: Film) -> None:
    """D2: the track stays until somebody decides; then it goes, and nothing else."""
    base = otio([otio_clip("a")], [otio_clip("m"), otio_clip("n")])
    ours, theirs = json.loads(as_bytes(base)), json.loads(as_bytes(base))
    del ours["tracks"]["children"][1]
    theirs["tracks"]["children"][1]["children"][0]["source_range"] = otio_range(0, 1)
    done = _two_sides(film, "cut.otio", base, ours, theirs)
    assert [item["kind"] for item in done["conflicts"]] == ["removed_by_ours"]
    assert json.loads(film.read("cut.otio")) == theirs
    film("resolve", "--ours", "cut.otio")
    assert json.loads(film.read("cut.otio")) == ours


def test_media_that_the_other_side_removed_is_named(film: Film) -> None:
    """D2, D4: one side puts a picture into the timeline, the other deletes it: joined, and said."""
    film.write({"assets/moon.png": os.urandom(99)})
    theirs = planets()
    theirs[0]["visual_assets"][0]["file_path"] = "assets/sky.png"
    for scene in (*theirs, *(base := planets())):
        scene["narration_audio_path"] = None
        for asset in scene["visual_assets"]:
            asset["file_path"] = asset["file_path"] if asset["file_path"] == "assets/sky.png" else "assets/moon.png"
    film.commit("First cut", {"timeline.json": as_bytes(studio(base, background_music_path=None))})
    film("branch", "side")
    (film.root / "assets/sky.png").unlink()
    film.commit("Without the sky")
    film("checkout", "side")
    film.commit("Sky", {"timeline.json": as_bytes(studio(theirs, background_music_path=None))})
    film("checkout", "main")
    said = film("merge", "side").stderr
    assert "assets/sky.png does not exist in this version" in said
    assert "moon" not in said


def test_media_that_is_not_in_the_version_is_named(film: Film) -> None:
    """D4: moved, renamed or never there: the commit is made and says which document leads nowhere."""
    scene = {"id": "s1", "index": 0, "script_text": "The sea rises.", "image_file_path": "assets/sky.png"}
    assert film("commit", "-m", "First cut").stderr == ""
    film.write({"scenes/010-opening.json": json.dumps(scene)})
    assert film("commit", "-m", "With a picture").stderr == ""
    (film.root / "assets/pictures").mkdir()
    (film.root / "assets/sky.png").rename(film.root / "assets/pictures/sky.png")
    said = film("commit", "-m", "Moved").stderr
    assert "scenes/010-opening.json#/image_file_path: assets/sky.png does not exist in this version" in said
    assert "there is assets/pictures/sky.png" in said
    film.write({"scenes/010-opening.json": json.dumps({**scene, "image_file_path": "assets/pictures/sky.png"})})
    assert film("commit", "-m", "Mended").stderr == ""
    film.write({"scenes/010-opening.json": json.dumps({**scene, "audio_file_path": "assets/never.wav"})})
    assert "assets/never.wav does not exist in this version" in film("commit", "-m", "Planned").stderr
    film.write({".auraignore": "*.tmp\n", "notes.txt": "nothing to do with it"})
    assert film("commit", "-m", "Notes").stderr == ""


def test_status_names_media_that_was_moved(film: Film) -> None:
    """D4: before the commit too, also where no document was touched."""
    scene = {"id": "s1", "index": 0, "script_text": "The sea rises.", "image_file_path": "assets/sky.png"}
    film.commit("First cut", {"scenes/010-opening.json": json.dumps(scene)})
    (film.root / "assets/sky.png").rename(film.root / "assets/sea.png")
    assert "assets/sky.png does not exist" in film("status").stderr


class HeldFiles(FileCalls):
    """A system on which some files cannot be replaced while another program has them open."""

    def __init__(self, *held: str) -> None:
        self.held = set(held)

    def replace(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """Refuse as Windows does."""
        self._check(target)
        super().replace(source, target, dir_fd=dir_fd, to_fd=to_fd)

    def unlink(self, path: str, *, dir_fd: int | None = None) -> None:
        """Refuse as Windows does."""
        self._check(path)
        super().unlink(path, dir_fd=dir_fd)

    def exchange(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> bool:
        """Refuse as Windows does."""
        self._check(target)
        return super().exchange(source, target, dir_fd=dir_fd, to_fd=to_fd)

    def rename_new(self, source: str, target: str, *, dir_fd: int | None = None, to_fd: int | None = None) -> None:
        """Refuse as Windows does."""
        self._check(source)
        super().rename_new(source, target, dir_fd=dir_fd, to_fd=to_fd)

    def _check(self, path: str) -> None:
        if os.path.basename(path) in self.held:
            raise PermissionError(errno.EACCES, "The process cannot access the file", path)


@pytest.mark.parametrize("held", ["sky.png", "gone.txt", "zebra.txt"])
@pytest.mark.parametrize("way", [checkout, restore])
def test_a_file_that_is_open_elsewhere(quick_path: Path, held: str, way: Any) -> None:
    """D3: changed, removed or last in line, it is named, the folder is as before, and a second try works."""
    project = quick_path / "film"
    project.mkdir()
    write_project(project)
    with Repository.init(project, author="Ada", host="studio") as repo:
        write(project, {"zebra.txt": "old"})
        save(repo, "First cut")
        first = look(project)
        write(project, {"assets/sky.png": "new", "gone.txt": "new", "zebra.txt": "new", "aaa.txt": "new"})
        save(repo, "Second cut")
    write(project, {"draft.txt": "unsaved"})
    before = look(project)
    calls = HeldFiles(held)
    with Repository.open(project, author="Ada", host="studio", calls=calls) as repo:
        actions = len(Queries(repo.index).actions(ActionFilter(status="Applied"), limit=99))
        with pytest.raises(FileHeld) as caught:
            way(repo, "v1")
        assert caught.value.path.endswith(held)
        assert "The process cannot access the file" in caught.value.message
        assert "Close it" in caught.value.hint
        assert look(project) == before
        types = [action.type for action in Queries(repo.index).actions(ActionFilter(status="Applied"), limit=99)]
        assert "checkout" not in types
        assert "restore" not in types
        assert len(types) <= actions + 1  # the restore point
        calls.held.clear()
        way(repo, "v1")
        assert not fsck(repo).problems
    assert look(project) == {**first, b"draft.txt": ("file", b"unsaved", False)}


def test_an_editor_keeps_what_it_has_open(film: Film) -> None:
    """D3: files are swapped as a whole: who reads an old one goes on reading it, never half of each."""
    film.commit("First cut", {"assets/sky.png": b"old" * 40_000})
    film.commit("Second cut", {"assets/sky.png": b"new" * 90_000})
    with (film.root / "assets/sky.png").open("rb") as editor:
        begun = editor.read(1000)
        film("checkout", "v1")
        assert begun + editor.read() == b"new" * 90_000
    assert (film.root / "assets/sky.png").read_bytes() == b"old" * 40_000
