"""Who added, trimmed and moved each clip: through renames, moves, merges and projects that cannot be read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.blame import blame
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.init import start_project
from aura_vcs.history.lookup import clip_history as lookup
from aura_vcs.history.lookup.clip_history import clip_history
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.names.revisions import resolve
from aura_vcs.repository.repository import Repository

from tests.editors import projects
from tests.editors.projects import Cut, Item

BASE: Cut = {"V1": [Item("sea.mp4"), Item("gull.mp4"), Item("pier.mp4", 0, 20)], "V2": [Item("title.png", 0, 30)]}
TRIMMED: Cut = {**BASE, "V1": [Item("sea.mp4", 0, 40), *BASE["V1"][1:]]}
MOVED: Cut = {"V1": [TRIMMED["V1"][0], BASE["V1"][2]], "V2": [*BASE["V2"], BASE["V1"][1]]}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    with start_project(str(tmp_path / "film"), title="Film") as (made, _):
        yield made


def _save(repo: Repository, cut: Cut, name: str, *, file: str = "trip.kdenlive") -> None:
    Path(repo.root, file).write_bytes(projects.kdenlive(cut))
    commit(repo, name)


def _blamed(repo: Repository, file: str = "trip.kdenlive") -> set[tuple[str, str, str]]:
    """Name of the clip, what was done, and the name of the version."""
    found = blame(repo, resolve(repo, "HEAD").id, file)
    return {(part.location.rpartition(" ")[2], part.kind, part.version.name) for part in found}


def test_every_clip_has_who_added_trimmed_and_moved_it(repo: Repository) -> None:
    """Each by the last version that did so; also after the file was renamed."""
    for cut, name in ((BASE, "one"), (TRIMMED, "two"), (MOVED, "three")):
        _save(repo, cut, name)
    Path(repo.root, "trip.kdenlive").rename(Path(repo.root, "film.kdenlive"))
    commit(repo, "renamed")
    assert _blamed(repo, "film.kdenlive") == {
        ("sea.mp4", "added", "one"), ("sea.mp4", "trimmed", "two"), ("gull.mp4", "added", "one"),
        ("gull.mp4", "moved", "three"), ("pier.mp4", "added", "one"), ("title.png", "added", "one"),
    }  # fmt: skip
    told = clip_history(repo, resolve(repo, "HEAD").id, "GULL.mp4")
    assert [(change.version.name, change.kinds) for change in told] == [("three", ("moved",)), ("one", ("added",))]
    assert told[0].texts == ("gull.mp4 moved to track V2, to 00:00:01:05",)


def test_a_clip_that_went_has_a_story_too(repo: Repository) -> None:
    """Its removal is the last of it."""
    _save(repo, BASE, "one")
    _save(repo, {**BASE, "V1": [*BASE["V1"][:1], Item("pier.mp4", 0, 20, gap=50)]}, "two")
    told = clip_history(repo, resolve(repo, "HEAD").id, "gull.mp4")
    assert [(change.version.name, change.kinds) for change in told] == [("two", ("removed",)), ("one", ("added",))]
    with pytest.raises(UnknownName, match="no clip 'nobody'"):
        clip_history(repo, resolve(repo, "HEAD").id, "nobody")


def test_large_projects_are_followed_and_larger_ones_say_so(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Projects have a limit of their own; a clip is not said to be nowhere where nobody looked."""
    for cut, name in ((BASE, "one"), (TRIMMED, "two")):
        _save(repo, cut, name)
    monkeypatch.setattr("aura_vcs.history.blame.CONTENT_BYTES_LIMIT", 1_000)
    assert ("sea.mp4", "trimmed", "two") in _blamed(repo)
    monkeypatch.setattr(lookup, "_KEPT", 1)
    assert len(clip_history(repo, resolve(repo, "HEAD").id, "sea.mp4")) == 2
    monkeypatch.setattr(lookup, "PROJECT_BYTES_LIMIT", 1_000)
    with pytest.raises(UnknownName) as raised:
        clip_history(repo, resolve(repo, "HEAD").id, "sea.mp4")
    assert "trip.kdenlive has more than" in raised.value.hint


def test_a_merge_is_nobody_who_did_something(repo: Repository) -> None:
    """What it took over from either side was done there."""
    _save(repo, BASE, "one")
    create_branch(repo, "hers", resolve(repo, "HEAD").id)
    _save(repo, TRIMMED, "mine")
    checkout(repo, "hers")
    _save(repo, {**BASE, "V2": [*BASE["V2"], Item("hers.mp4", 0, 25)]}, "theirs")
    checkout(repo, "main")
    merge(repo, "hers")
    found = _blamed(repo)
    assert ("sea.mp4", "trimmed", "mine") in found
    assert ("hers.mp4", "added", "theirs") in found
    assert {name for _, _, name in found} == {"one", "mine", "theirs"}


def test_what_cannot_be_read_is_passed_over(repo: Repository) -> None:
    """A damaged save in between; a project without clips is blamed line by line."""
    _save(repo, BASE, "one")
    Path(repo.root, "trip.kdenlive").write_bytes(b"<mlt")
    commit(repo, "damaged")
    _save(repo, TRIMMED, "two")
    assert {name for _, _, name in _blamed(repo)} == {"two"}
    _save(repo, {"V1": []}, "empty", file="empty.kdenlive")
    assert all(part.location.isdecimal() for part in blame(repo, resolve(repo, "HEAD").id, "empty.kdenlive"))


PLACES: dict[str, Callable[[Cut], bytes]] = {
    "t.kdenlive": projects.kdenlive,
    "t.mlt": projects.shotcut,
    "t.osp": projects.openshot,
    "t.rpp": projects.reaper,
    "t.otio": projects.otio,
    "t.drp": projects.resolve,
    "t.edl": projects.edl,
}


@pytest.mark.parametrize("file", PLACES)
def test_what_happened_to_a_clip_is_not_told_of_the_one_in_its_place(repo: Repository, file: str) -> None:
    """A clip in front went, so that the next one stands where it stood; and clips of two tracks are kept apart."""
    first, second, third = Item("sea.mp4", id="A"), Item("gull.mp4", id="B"), Item("pier.mp4", 0, 20, id="C")
    top = {} if file == "t.edl" else {"V2": [Item("title.png", 0, 30, id="D")]}
    third_short = Item("pier.mp4", 0, 12, id="C")
    cuts = (
        {"V1": [first, second, third], **top},
        {"V1": [second, third], **top},
        {"V1": [second, third_short], **top},
    )
    for n, cut in enumerate(cuts, 1):
        Path(repo.root, file).write_bytes(PLACES[file](cut))
        commit(repo, f"v{n}")
    wanted = {(name, "added", "v1") for name in ("gull.mp4", "pier.mp4", *(["title.png"] if top else []))}
    assert _blamed(repo, file) == {*wanted, ("pier.mp4", "trimmed", "v3")}
    start = resolve(repo, "HEAD").id
    assert [change.version.name for change in clip_history(repo, start, "gull.mp4")] == ["v1"]
    assert [change.version.name for change in clip_history(repo, start, "pier.mp4")] == ["v3", "v1"]
    assert [change.kinds for change in clip_history(repo, start, "sea.mp4")] == [("removed",), ("added",)]


def test_clips_that_come_or_go_with_their_track_have_a_story(repo: Repository) -> None:
    """Those that moved to another track before it went only moved."""
    extra: Cut = {"V1": BASE["V1"], "V2": BASE["V2"], "V3": [Item("cloud.mp4", 5, 30), Item("star.mp4", 0, 40)]}
    _save(repo, BASE, "one")
    _save(repo, extra, "two")
    _save(repo, {"V1": BASE["V1"], "V2": [*BASE["V2"], Item("star.mp4", 0, 40, gap=300)]}, "three")
    start = resolve(repo, "HEAD").id
    told = [(change.version.name, change.texts) for change in clip_history(repo, start, "cloud.mp4")]
    assert told == [
        ("three", ("cloud.mp4 removed with track V3 (1.2 s)",)),
        ("two", ("cloud.mp4 added with track V3 (1.2 s)",)),
    ]
    assert [change.kinds for change in clip_history(repo, start, "star.mp4")] == [("moved",), ("added",)]


def test_places_of_an_edit_list_are_those_of_its_record(repo: Repository) -> None:
    """As the changes say them: an hour, where the list begins at an hour."""
    Path(repo.root, "t.edl").write_bytes(projects.edl({"V1": BASE["V1"]}))
    commit(repo, "one")
    found = blame(repo, resolve(repo, "HEAD").id, "t.edl")
    assert next(part.location for part in found) == "V 01:00:00:00 sea.mp4"
