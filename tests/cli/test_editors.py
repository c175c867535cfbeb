"""Projects of editors on the command line: what `init` and `project check` say of them."""

from pathlib import Path

import aura_vcs as aura

from tests.cli.conftest import Film
from tests.editors.projects import Item, kdenlive


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
