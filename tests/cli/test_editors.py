"""Projects of editors on the command line: what `init` and `project check` say of them."""

from pathlib import Path

import aura_vcs as aura
import pytest
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project

from tests.cli.conftest import Film
from tests.editors.projects import Item, edl, kdenlive


def test_init_says_what_it_found(film: Film) -> None:
    """Editors, their projects and the patterns are told, also as JSON."""
    film.write({"one/song.rpp": b"x", "two/song.rpp": b"x"})
    said = film("init", "one").out
    assert "found a project of REAPER: song.rpp" in said
    assert "added to .auraignore, because it is made again: *.reapeaks" in said
    told = film("init", "two", "--json").json
    assert told["editors"] == [{"name": "REAPER", "projects": 1, "files": ["song.rpp"]}]
    assert "*.reapeaks" in told["ignored"]
    assert film.read("one/.auraignore") == film.read("two/.auraignore")


def test_check_says_which_media_are_missing(film: Film) -> None:
    """A project of Kdenlive whose media are not there ends the check with 3, and each of them is named."""
    film.write({"film.kdenlive": kdenlive({"V1": [Item("footage/a.mp4"), Item("notes.txt")]})})
    ran = film("project", "check", code=3)
    assert "footage/a.mp4 does not exist" in ran.out
    assert "film.kdenlive names 1 media file that cannot be found" in ran.out
    told = film("project", "check", "--json", code=3).json
    assert told["errors"] == 1
    (listed,) = told["media"]
    assert (listed["file"], listed["format"], listed["missing"]) == ("film.kdenlive", "kdenlive", 1)
    assert {one["path"]: one["state"] for one in listed["media"]} == {"footage/a.mp4": "missing", "notes.txt": "found"}


def test_programs_get_the_same(tmp_path: Path) -> None:
    """`aura.init` writes the same lines, `check` and `media` say what the command says."""
    (tmp_path / "film.kdenlive").write_bytes(kdenlive({"V1": [Item("gone.mp4")]}))
    heard: list[str] = []
    with aura.init(tmp_path, progress=lambda step: heard.append(step.note)) as project:
        assert "proxy/" in (tmp_path / ".auraignore").read_text()
        (found,) = project.media()
        assert (found.file, found.media[0].resolved, found.media[0].state) == (
            *(Path("film.kdenlive"), Path("gone.mp4")),
            "missing",
        )
        assert [one.message for one in project.check()] == ["gone.mp4 does not exist"]
    assert any("proxy/" in message for message in heard)


def test_conflicts_of_an_edit_list_are_told_by_event(film: Film) -> None:
    """What each side plays in its place, and where it stands where that is the question; a decision is carried out."""
    a, b, c, d, e = (Item(f"{name}.mov", 10 * n, 50) for n, name in enumerate("abcde"))
    film.commit("Base", {"cut.edl": edl({"V1": [a, b, c, d, e]})})
    film("checkout", "-b", "side")
    film.commit("Theirs", {"cut.edl": edl({"V1": [a, Item("hers.mov", 75, 50), d, e]})})
    film("checkout", "main")
    film.commit("Ours", {"cut.edl": edl({"V1": [a, Item("ours.mov", 5, 50), d, e, c]})})
    film("merge", "side")
    listed = film("resolve", "--list").out
    assert "ours   plays 2.0 s of ours.mov, from 00:00:00:05 on" in listed
    assert "theirs plays 2.0 s of hers.mov, from 00:00:03:00 on" in listed
    assert "base   plays 2.0 s of b.mov, from 00:00:00:10 on" in listed
    assert "ours   plays 2.0 s of c.mov, from 00:00:00:20 on; stands at 01:00:08:00" in listed
    assert film.read("cut.edl") == edl({"V1": [a, Item("ours.mov", 5, 50), d, e, c]}).decode()
    film("resolve", "cut.edl", "--theirs")
    assert film.read("cut.edl") == edl({"V1": [a, Item("hers.mov", 75, 50), d, e]}).decode()


def test_relink_finds_what_an_aaf_misses(film: Film, tmp_path: Path) -> None:
    """By its name; the address of this machine is written, and undo takes it back."""
    pytest.importorskip("aaf2")
    from tests.editors.test_aaf_paths import aaf  # skipped as a whole where the library is not

    data = aaf(tmp_path, "file:///Volumes/gone/one%20take.mov")
    film.write({"trip.aaf": data, "media/one take.mov": b"a film"})
    film("commit", "-m", "Both")
    film("media", "relink")
    found = read_project("trip.aaf", (film.root / "trip.aaf").read_bytes())
    assert isinstance(found, Timeline)
    assert [one.path for one in found.media] == [f"file://{film.root}/media/one%20take.mov"]
    film("undo")
    assert (film.root / "trip.aaf").read_bytes() == data
