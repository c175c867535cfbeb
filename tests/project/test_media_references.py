"""What project files of editors name, where it is, and what is said of it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.history.commit import commit
from aura_vcs.history.init import start_project
from aura_vcs.project.media.check import media_problems
from aura_vcs.project.media.references import NamedMedia, list_media
from aura_vcs.project.media.resolve_path import PATH_LIMIT, PathResolver
from aura_vcs.repository.repository import Repository

from tests.editors.projects import Item, fcpxml, kdenlive, samples, xmeml


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    with start_project(str(tmp_path / "film"), title="Film") as (made, _):
        yield made


def _write(repo: Repository, path: str, data: bytes = b"bytes") -> None:
    place = Path(repo.root, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def _project(repo: Repository, *media: str, name: str = "film.kdenlive", root: str = "") -> dict[str, NamedMedia]:
    _write(repo, name, kdenlive({"V1": [Item(path) for path in media]}, root=root))
    (found,) = list_media(repo)
    assert found.file == name
    return {one.path: one for one in found.media}


def _told(repo: Repository) -> list[tuple[str, str]]:
    return [(one.severity, one.message) for one in media_problems(list_media(repo))]


def test_a_project_without_its_media_is_not_as_it_should_be(repo: Repository) -> None:
    """Each missing file is an error; what is there in the project by a relative path is none."""
    _write(repo, "footage/a.mp4")
    found = _project(repo, "footage/a.mp4", "footage/b.mp4")
    assert (found["footage/a.mp4"].state, found["footage/a.mp4"].size) == ("found", 5)
    assert (found["footage/b.mp4"].state, found["footage/b.mp4"].resolved) == ("missing", "footage/b.mp4")
    assert _told(repo) == [("error", "footage/b.mp4 does not exist")]
    assert list_media(repo)[0].missing == 1


def test_a_real_project_names_its_missing_media(repo: Repository) -> None:
    """Every real project of Kdenlive that was saved without its media has errors, each with a path of it."""
    for sample in samples("kdenlive", "mlt"):
        _write(repo, sample.name, sample.read_bytes())
    assert sum(one.missing for one in list_media(repo)) > 5
    assert all(not os.path.isabs(one.file) for one in list_media(repo))


def test_absolute_and_outside_media_are_warnings(repo: Repository, tmp_path: Path) -> None:
    """What lies outside is named and not read; an absolute path into the project says which relative one is right."""
    (tmp_path / "elsewhere.mp4").write_bytes(b"secret")
    _write(repo, "footage/a.mp4")
    inside, outside = f"{repo.root}/footage/a.mp4", str(tmp_path / "elsewhere.mp4")
    found = _project(repo, inside, outside, "../elsewhere.mp4", "../gone.mp4", name="edit/film.kdenlive")
    assert (found[inside].place, found[inside].resolved) == ("project", "footage/a.mp4")
    assert found[inside].is_absolute
    assert (found[outside].place, found[outside].state, found[outside].size) == ("outside", "found", 6)
    assert found["../gone.mp4"].place == "project"  # seen from edit/
    problems = media_problems(list_media(repo))
    (problem,) = [one for one in problems if "is an absolute path" in one.message]
    assert (problem.severity, problem.expected) == ("warning", "../footage/a.mp4")
    assert [one.severity for one in problems if one.message.endswith("project: no version has it")] == ["warning"]


def test_paths_count_from_the_project_file_and_then_from_its_root(repo: Repository) -> None:
    """A project that was moved still finds its media beside it, whatever root it names."""
    _write(repo, "edit/a.mp4")
    _write(repo, "footage/b.mp4")
    found = _project(repo, "a.mp4", "b.mp4", name="edit/film.kdenlive", root=f"{repo.root}/footage")
    assert found["a.mp4"].resolved == "edit/a.mp4"
    assert found["b.mp4"].resolved == "footage/b.mp4"
    moved = _project(repo, "a.mp4", name="edit/film.kdenlive", root="/home/somebody/film")
    assert moved["a.mp4"].resolved == "edit/a.mp4"


def test_a_file_of_the_same_name_is_offered(repo: Repository) -> None:
    """Where media was moved, also on another system, the file with its name is told."""
    _write(repo, "Footage/Take 1.MP4")
    _project(repo, "old/take 1.mp4", r"D:\film\Take 1.mp4")
    expected = {one.expected for one in media_problems(list_media(repo))}
    assert expected == {"a file of the project; there is Footage/Take 1.MP4"}


def test_links_are_named_and_not_followed(repo: Repository, tmp_path: Path) -> None:
    """What lies behind a link in the project is a warning; it is neither opened nor called found."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.mp4").write_bytes(b"x")
    Path(repo.root, "footage").symlink_to(tmp_path / "disk")
    assert _project(repo, "footage/a.mp4")["footage/a.mp4"].state == "link"
    assert _told(repo)[0] == (
        "warning",
        "footage/a.mp4 is inside a link, which is not followed: versions do not have its bytes",
    )


def test_versions_and_rules_are_told(repo: Repository) -> None:
    """Whether the last version has it, and that it is ignored."""
    _write(repo, "a.mp4")
    commit(repo, "one")
    _write(repo, "b.mp4")
    _write(repo, "proxy/c.mp4")
    _write(repo, ".auraignore", b"proxy/\n")
    found = _project(repo, "a.mp4", "b.mp4", "proxy/c.mp4")
    assert [found[path].in_version for path in ("a.mp4", "b.mp4", "proxy/c.mp4")] == [True, False, False]
    assert found["proxy/c.mp4"].is_ignored
    assert _told(repo) == [("warning", "proxy/c.mp4 is ignored: versions leave it out")]


def test_ignored_projects_are_not_looked_at(repo: Repository) -> None:
    """Automatic copies that versions leave out name nothing."""
    _write(repo, "Auto-Save/film.kdenlive", kdenlive({"V1": [Item("gone.mp4")]}))
    _write(repo, ".auraignore", b"Auto-Save/\n")
    assert list_media(repo) == ()


def test_timelines_name_media_too(repo: Repository) -> None:
    """An `.otio` of any name: escapes of URLs, numbered pictures and missing files are understood."""

    def clip(**reference: object) -> dict[str, object]:
        return {"OTIO_SCHEMA": "Clip.1", "media_reference": reference}

    children = [
        clip(OTIO_SCHEMA="ExternalReference.1", target_url="media/take%201.mp4"),
        clip(OTIO_SCHEMA="ExternalReference.1", target_url="media/gone.mp4"),
        clip(
            OTIO_SCHEMA="ImageSequenceReference.1",
            target_url_base="media",
            name_prefix="f",
            name_suffix=".png",
            frame_zero_padding=4,
        ),
    ]
    track = {"OTIO_SCHEMA": "Track.1", "children": children}
    stack = {"OTIO_SCHEMA": "Stack.1", "children": [track]}
    _write(repo, "cut.otio", json.dumps({"OTIO_SCHEMA": "Timeline.1", "tracks": stack}).encode())
    for name in ("take 1.mp4", "f0001.png", "f0002.png"):
        _write(repo, f"media/{name}")
    (found,) = list_media(repo)
    assert [(one.path, one.state, one.size) for one in found.media] == [
        ("media/take%201.mp4", "found", 5),
        ("media/gone.mp4", "missing", -1),
        ("media/f%04d.png", "found", 10),
    ]


def test_unreadable_projects_are_told(repo: Repository) -> None:
    """A project that was cut off is a warning of its own; other XML and JSON is none."""
    _write(repo, "film.kdenlive", kdenlive({"V1": [Item("a.mp4")]})[:600])
    _write(repo, "feed.xml", b"<rss/>")
    _write(repo, "package.json", b"{")
    ((severity, message),) = _told(repo)
    assert severity == "warning"
    assert message.startswith("its media are unknown: ")


def test_names_of_any_bytes_are_listed(repo: Repository) -> None:
    """Names with line ends, backslashes and bytes that are no UTF-8 are listed, found and told as text."""
    for name in ("a\nb.mp4", "a\\b.mp4", "t\udcffke.mp4"):
        _write(repo, name)
    _write(repo, "odd\n\udcff.kdenlive", kdenlive({"V1": [Item("a\\b.mp4"), Item("t%FFke.mp4"), Item("gone.mp4")]}))
    _write(repo, "od\\d.mlt", b"no")
    found = list_media(repo)
    states = {one.path: one.state for project in found for one in project.media}
    assert states == {"a\\b.mp4": "found", "t%FFke.mp4": "found", "gone.mp4": "missing"}
    for told in (*found, *media_problems(found)):
        assert str(told).encode()


def test_many_missing_media_are_bounded(repo: Repository) -> None:
    """Of thousands, some hundred are listed, and how many more there are."""
    _project(repo, *(f"gone/{n}.mp4" for n in range(3000)))
    told = _told(repo)
    assert len(told) == 201
    assert told[-1] == ("warning", "2,800 more problems are not listed")
    assert list_media(repo)[0].missing == 3000


@pytest.mark.parametrize(
    ("written", "place", "state", "path"),
    [
        ("a\0b.mp4", "elsewhere", "unusable", ""),
        ("x" * (PATH_LIMIT + 1), "elsewhere", "unusable", ""),
        ("  ", "elsewhere", "unusable", ""),
        ("n" * 300, "project", "missing", "n" * 300),
        (".aura/format.json", "elsewhere", "unusable", ""),
        (".AURA/format.json", "elsewhere", "unusable", ""),
        ("footage/../.aura/format.json", "elsewhere", "unusable", ""),
        ("https://example.org/a.mp4", "elsewhere", "not_looked_at", ""),
        ("file://server/share/a.mp4", "elsewhere", "not_looked_at", ""),
        ("//server/share/a.mp4", "elsewhere", "not_looked_at", ""),
        ("\\\\server\\share\\a.mp4", "elsewhere", "not_looked_at", ""),
        ("/net/server/a.mp4", "elsewhere", "not_looked_at", ""),
        ("file:////server/a.mp4", "elsewhere", "not_looked_at", ""),
        ("file:///C:/film/a.mp4", "elsewhere", "not_looked_at", ""),
        ("C:\\film\\a.mp4", "elsewhere", "not_looked_at", ""),
        ("data:video/mp4;base64,AAAA", "elsewhere", "not_looked_at", ""),
        ("file:///%00", "elsewhere", "not_looked_at", ""),
        ("footage/a.mp4", "project", "found", "footage/a.mp4"),
        ("./footage//a.mp4", "project", "found", "footage/a.mp4"),
        (".\\footage\\a.mp4", "project", "found", "footage/a.mp4"),
        ("footage/%61.mp4", "project", "found", "footage/a.mp4"),
        ("footage/100%25.mp4", "project", "found", "footage/100%.mp4"),
        ("footage/100%.mp4", "project", "found", "footage/100%.mp4"),
        ("footage/%zz.mp4", "project", "missing", "footage/%zz.mp4"),
        ("footage/.all.png", "project", "found", "footage/.all.png"),
        ("footage/p%02d.png?begin=1", "project", "found", "footage/p%02d.png?begin=1"),
        ("footage/q%02d.png", "project", "missing", "footage/q%02d.png"),
        ("a/" * 2000 + "b", "project", "missing", "a/" * 2000 + "b"),
    ],
)
def test_hostile_paths_lead_nowhere(tmp_path: Path, written: str, place: str, state: str, path: str) -> None:
    """Whatever is written gives an answer, no error, and no look at another machine."""
    sizes = dict.fromkeys(("footage/a.mp4", "footage/100%.mp4", "footage/p01.png"), 1)
    found = PathResolver(str(tmp_path), sizes).resolve(written, "")
    assert (found.place, found.state, found.path) == (place, state, path)


def test_a_path_cannot_leave_the_project_unseen(tmp_path: Path) -> None:
    """`..` in any place and spelling counts as outside, and only the name there is looked at."""
    root = tmp_path / "film"
    root.mkdir()
    (tmp_path / "film-2").mkdir()
    (tmp_path / "film-2" / "a.mp4").write_bytes(b"12")
    resolver = PathResolver(str(root), {})
    ways = ("../film-2/a.mp4", "x/../../film-2/a.mp4", "..\\film-2\\a.mp4", "%2e%2e/film-2/a.mp4")
    for written in (*ways, f"file://{tmp_path}/film-2/a.mp4"):
        found = resolver.resolve(written, "")
        assert (found.place, found.state, found.size) == ("outside", "found", 2), written
    assert resolver.resolve("../film-2/gone.mp4", "").state == "missing"


def test_addresses_of_another_machine_are_warnings_in_final_cut_s_files_too(repo: Repository) -> None:
    """Premiere on Windows writes `file://localhost/C%3A/...`; a server's share is no folder of the project."""
    _write(repo, "share/b.mp4")
    for address, reason in (("file://localhost/C%3A/film/a%20b.mp4", "Windows"), ("file://share/b.mp4", "machine")):
        for name, write in (("film.xml", xmeml), ("film.fcpxml", fcpxml)):
            data = write({"V1": [Item("@.mp4")]})
            for made in (b"file://localhost/@.mp4", b"file:///@.mp4"):
                data = data.replace(made, address.encode())
            _write(repo, name, data)
        told = [(one.state, reason in one.reason, one.is_absolute) for file in list_media(repo) for one in file.media]
        assert told == [("not_looked_at", True, True)] * 2
        assert {severity for severity, _ in _told(repo)} == {"warning"}
