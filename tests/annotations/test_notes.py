"""Notes: what is said stays said, on every machine, and is found again where it belongs."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.annotations.markers import export_markers, import_markers
from aura_vcs.annotations.notes import (
    add_note,
    delete_note,
    edit_note,
    find_note,
    notes,
    reopen_note,
    reply,
    resolve_note,
)
from aura_vcs.annotations.places import find_now
from aura_vcs.errors import InputError
from aura_vcs.errors.input import FormatUnsupported, InvalidTarget, UnknownName, UnknownVersion
from aura_vcs.errors.interchange import TargetExists
from aura_vcs.history.commit import commit
from aura_vcs.history.undo import redo, undo
from aura_vcs.index.annotations import AnnotationTable
from aura_vcs.index.index import Index
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.project.search import search
from aura_vcs.repository import format_file
from aura_vcs.repository.repository import Repository

from tests.sync.machines import machine, save, write


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A project with a film in its first version, a picture, a document and a timeline in the second."""
    found = machine(tmp_path / "film", "Ada")
    save(found, "cut.mp4", b"picture and sound")
    write(found, "poster.png", picture(400, 200))
    write(found, "brief.json", json.dumps({"title": "Tides", "scenes": [{"id": "a", "tone": "calm"}, {"id": "b"}]}))
    save(found, "cut.otio", timeline("Title", "Waves"))
    return found


def picture(width: int, height: int) -> bytes:
    """A PNG's beginning."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + bytes(64)


def timeline(*names: str) -> str:
    """A timeline of clips of two seconds each."""
    clips = [
        {
            "OTIO_SCHEMA": "Clip.1",
            "name": name,
            "source_range": {
                "OTIO_SCHEMA": "TimeRange.1",
                "start_time": {"OTIO_SCHEMA": "RationalTime.1", "rate": 25.0, "value": 0.0},
                "duration": {"OTIO_SCHEMA": "RationalTime.1", "rate": 25.0, "value": 50.0},
            },
            "media_reference": {"OTIO_SCHEMA": "ExternalReference.1", "target_url": f"{name.lower()}.mp4"},
        }
        for name in names
    ]
    track = {"OTIO_SCHEMA": "Track.1", "kind": "Video", "name": "V1", "children": clips}
    stack = {"OTIO_SCHEMA": "Stack.1", "children": [track]}
    return json.dumps({"OTIO_SCHEMA": "Timeline.1", "name": "Cut", "tracks": stack})


def test_a_file_that_no_version_has_is_to_be_saved_first_whatever_is_called_like_it(repo: Repository) -> None:
    """A reviewed copy that came back from an editor is not answered with the name of the one before."""
    write(repo, "cut-2.otio", timeline("Title"))
    with pytest.raises(UnknownName) as refused:
        import_markers(repo, "cut-2.otio")
    assert "`aura commit` saves the file first" in str(refused.value.hint)
    with pytest.raises(UnknownName) as misspelt:
        add_note(repo, "cut-3.otio", "later")
    assert "Did you mean cut.otio?" in str(misspelt.value.hint)


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("v1", {"path": None}),
        ("cut.mp4", {"path": "cut.mp4", "start": None}),
        ("v2:cut.mp4@0:12-0:15", {"start": 12.0, "end": 15.0}),
        ("cut.mp4@1:02:03.5", {"start": 3723.5, "end": None}),
        ("cut.mp4@12.25s", {"start": 12.25}),
        ("poster.png@40,20,100x50", {"region": (0.1, 0.1, 0.25, 0.25)}),
        ("poster.png@10%,20%,30%x40%", {"region": (0.1, 0.2, 0.3, 0.4)}),
        ("cut.mp4@0:12@10%,20%,30%x40%", {"start": 12.0, "region": (0.1, 0.2, 0.3, 0.4)}),
        ("brief.json@/scenes/1", {"field": "/scenes/1", "anchors": ('"b"',)}),
    ],
)
def test_targets(repo: Repository, where: str, wanted: dict[str, object]) -> None:
    """A version, a file, a stretch of time, a region, a field: each as it is written."""
    target = add_note(repo, where, "look").target
    assert {key: getattr(target, key) for key in wanted} == wanted


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("v9", UnknownName),
        ("cut.mp4@0:61", InvalidTarget),
        ("other.mp4@0:12", UnknownName),
        ("v1:poster.png", UnknownName),
        ("v1@0:12", (InvalidTarget, UnknownName)),
        ("cut.mp4@0:15-0:12", InvalidTarget),
        ("cut.mp4@300f", InvalidTarget),
        ("cut.mp4@1,1,2x2", InvalidTarget),
        ("poster.png@390,0,100x100", InvalidTarget),
        ("poster.png@/title", InvalidTarget),
        ("brief.json@/nothing", InvalidTarget),
        ("cut.otio@clip=Nothing", InvalidTarget),
        ("cut.mp4@9999:00:00", InvalidTarget),
    ],
)
def test_targets_that_are_none(repo: Repository, where: str, error: type[Exception]) -> None:
    """What is not there is said, and nothing is noted."""
    with pytest.raises(error):
        add_note(repo, where, "look")
    assert notes(repo) == []


def test_at_signs_in_names(repo: Repository) -> None:
    """A file's name may have an `@`: what is not a place belongs to it."""
    save(repo, "logo@2x.png", picture(10, 10))
    assert add_note(repo, "logo@2x.png", "soft").target.path == "logo@2x.png"
    assert add_note(repo, "logo@2x.png@0:01", "soft").target.start == 1.0


@pytest.mark.parametrize("name", ["cut@0:12", "poster.png@10%,20%,30%x40%", "a@clip=Title"])
def test_names_that_look_like_places(repo: Repository, name: str) -> None:
    """A file is what it is called; a place in it is written behind its name."""
    save(repo, name, "x")
    whole = add_note(repo, f"HEAD:{name}", "odd").target
    assert (whole.path, whole.start, whole.region, whole.clip) == (name, None, None, None)
    inside = add_note(repo, f"HEAD:{name}@0:03", "odd").target
    assert (inside.path, inside.start) == (name, 3.0)


def test_a_life(repo: Repository) -> None:
    """A note is answered, reworded, resolved, opened again and deleted; undo takes each back, in turn."""
    note = add_note(repo, "cut.mp4@0:12", "logo too big", color="red")
    reply(repo, note.id, "smaller now")
    edit_note(repo, note.id[:8], text="logo far too big")
    resolve_note(repo, note.id)
    delete_note(repo, note.id)
    assert notes(repo) == []
    with pytest.raises(UnknownName, match="no note"):
        reply(repo, note.id, "too late")
    undo(repo)
    found = notes(repo)[0]
    assert (found.state, found.text, found.earlier) == ("resolved", "logo far too big", ("logo too big",))
    assert [answer.text for answer in found.replies] == ["smaller now"]
    undo(repo)
    assert notes(repo, state="open") == [find_note(repo, note.id)]
    undo(repo)
    assert find_note(repo, note.id).text == "logo too big"
    redo(repo)
    assert find_note(repo, note.id).text == "logo far too big"
    undo(repo)
    undo(repo)
    undo(repo)
    assert notes(repo) == []
    assert reopen_note(repo, note.id).state == "open"
    assert fsck(repo).problems == ()


def test_texts_are_checked(repo: Repository) -> None:
    """A note has a text, of a length that people write."""
    for text in ("", "  \n", "x" * 10_001):
        with pytest.raises(InputError):
            add_note(repo, "cut.mp4", text)
    assert add_note(repo, "cut.mp4", "a\x1b[31mb").text == "a[31mb"


def test_a_file_is_followed(repo: Repository) -> None:
    """Notes on a file are found under every name that it has had, and say where it is now."""
    note = add_note(repo, "v1:cut.mp4@0:12", "too dark")
    Path(repo.root, "cut.mp4").rename(Path(repo.root, "film.mp4"))
    save(repo, "other.txt", "x")
    assert [found.id for found in notes(repo, "film.mp4")] == [note.id]
    now = find_now(repo, note.target)
    assert now is not None
    assert (now.path, now.is_same, now.start) == ("film.mp4", True, 12.0)
    Path(repo.root, "film.mp4").unlink()
    save(repo, "other.txt", "y")
    gone = find_now(repo, note.target)
    assert gone is not None
    assert gone.path is None


def test_notes_on_a_file_that_is_gone(repo: Repository) -> None:
    """They are listed by its name, also where no version that is left has it; other names are refused."""
    save(repo, "gone.txt", "x")
    made = add_note(repo, "gone.txt", "why is this here?")
    Path(repo.root, "gone.txt").unlink()
    commit(repo, "Without")
    assert [note.id for note in notes(repo, "gone.txt")] == [made.id]
    with pytest.raises(UnknownVersion):
        notes(repo, "never.txt")


def test_a_clip_and_a_field_are_followed(repo: Repository) -> None:
    """A clip is found by what it plays, a field by the ids of list elements on its way."""
    clip = add_note(repo, "cut.otio@clip=Waves", "too long")
    field = add_note(repo, "brief.json@/scenes/0/tone", "calmer")
    save(repo, "cut.otio", timeline("Intro", "Title", "Waves"))
    save(repo, "brief.json", json.dumps({"scenes": [{"id": "new"}, {"id": "a", "tone": "wild"}]}))
    now = find_now(repo, clip.target)
    assert now is not None
    assert (now.start, now.end, now.is_same) == (4.0, 6.0, False)
    place = find_now(repo, field.target)
    assert place is not None
    assert place.field == "/scenes/1/tone"
    save(repo, "cut.otio", timeline("Intro"))
    lost = find_now(repo, clip.target)
    assert lost is not None
    assert not lost.is_found


def test_markers(repo: Repository, tmp_path: Path) -> None:
    """Notes go out as markers of OpenTimelineIO and come back as they were; markers of others become notes, once."""
    add_note(repo, "cut.otio@0:01-0:02", "too bright", color="orange")
    add_note(repo, "cut.otio@clip=Waves", "too long")
    assert export_markers(repo, "cut.otio", str(tmp_path / "out.otio")) == 2
    with pytest.raises(TargetExists):
        export_markers(repo, "cut.otio", str(tmp_path / "out.otio"))
    made = json.loads((tmp_path / "out.otio").read_bytes())
    found = {item["name"]: item for item in made["tracks"]["markers"]}
    assert found["too bright"]["color"] == "ORANGE"
    assert found["too long"]["marked_range"]["start_time"]["value"] == 48.0, "where the clip is"
    found["too bright"]["metadata"] = {}
    made["tracks"]["markers"].append({**found["too bright"], "name": "from an editor", "comment": ""})
    save(repo, "cut.otio", json.dumps(made))
    assert [(note.text, note.target.start) for note in import_markers(repo, "cut.otio")] == [("from an editor", 1.0)]
    assert import_markers(repo, "cut.otio") == []
    undo(repo)
    assert len(notes(repo, "cut.otio")) == 2
    add_note(repo, "cut.mp4@0:03", "loud")
    assert export_markers(repo, "cut.mp4", str(tmp_path / "film.otio")) == 1
    with pytest.raises(InputError):
        export_markers(repo, "poster.png", str(tmp_path / "none.otio"))
    with pytest.raises(InvalidTarget):
        import_markers(repo, "cut.mp4")


def test_markers_of_editors(repo: Repository) -> None:
    """Markers of editors' projects come in by their readers."""
    save(repo, "cut.edl", "TITLE: Cut\nFCM: NON-DROP FRAME\n")
    xml = (
        '<?xml version="1.0"?><!DOCTYPE xmeml><xmeml version="5"><sequence><name>Cut</name>'
        "<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><marker><name>logo</name><comment>too big</comment>"
        "<in>50</in><out>-1</out></marker><media><video/></media></sequence></xmeml>"
    )
    save(repo, "cut.xml", xml)
    assert [(note.text, note.target.start) for note in import_markers(repo, "cut.xml")] == [("logo\ntoo big", 2.0)]


def test_search_finds_notes(repo: Repository) -> None:
    """Texts and replies are found, deleted notes are not."""
    note = add_note(repo, "v1:cut.mp4@0:12", "the logo is huge")
    reply(repo, note.id, "shrunk the emblem")
    assert [(hit.kind, hit.path) for hit in search(repo, "emblem")] == [("note", "cut.mp4")]
    delete_note(repo, note.id)
    assert search(repo, "emblem") == []


def test_nothing_new_without_notes(repo: Repository) -> None:
    """A project without notes has neither folders for them nor the feature; the first note names it."""
    aura = Path(repo.root, ".aura")
    assert json.loads((aura / "format.json").read_text())["features"] == []
    assert {path.name for path in (aura / "refs").iterdir()} <= {"branches", "versions", "replicas"}
    add_note(repo, "cut.mp4", "look")
    assert json.loads((aura / "format.json").read_text())["features"] == ["annotations"]


def test_an_older_reader_refuses(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not know the feature says its name, and changes nothing."""
    add_note(repo, "cut.mp4", "look")
    repo.close()
    monkeypatch.setattr(format_file, "KNOWN_FEATURES", frozenset())
    with pytest.raises(FormatUnsupported, match="annotations"):
        Repository.open(repo.root)


@pytest.mark.parametrize("damage", ["gone", "torn"])
def test_the_feature_survives_damage(repo: Repository, damage: str) -> None:
    """`format.json` that is written anew names the feature again."""
    add_note(repo, "cut.mp4", "look")
    repo.close()
    file = Path(repo.root, ".aura", "format.json")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:90])
    with Repository.open(repo.root) as again:
        assert [note.text for note in notes(again)] == ["look"]
    assert json.loads(file.read_text())["features"] == ["annotations"]


def test_the_index_comes_back(repo: Repository) -> None:
    """Whatever the index knows of notes is in their files, loose or packed."""
    for number in range(5):
        reply(repo, add_note(repo, "cut.mp4", f"note {number}").id, "yes")
    delete_note(repo, notes(repo)[0].id)
    before, gone = notes(repo), notes(repo, state="deleted")
    repo.rebuild_index()
    assert (notes(repo), notes(repo, state="deleted")) == (before, gone)
    with repo.locks.exclusive("refs"):
        repo.index.tidy_records(keep_lines=1, keep_labels=1)
    assert len(list(Path(repo.root, ".aura/refs/notes").iterdir())) == 1
    assert isinstance(repo.index, Index)
    assert repo.index.is_current()
    resolve_note(repo, before[0].id)
    repo.rebuild_index()
    assert notes(repo)[0].state == "resolved"
    assert len(notes(repo)) == len(before)
    assert fsck(repo).problems == ()


@pytest.mark.parametrize(
    "wanted",
    [{}, {"state": "open"}, {"since": "2026"}, {"paths": ["a"]}, {"versions": ["b"]}, {"state": "open", "since": "x"}],
)
def test_lists_need_no_sorting(repo: Repository, wanted: dict[str, Any]) -> None:
    """However many notes there are, a page of them is read along an index: nothing is sorted, no table is walked."""
    add_note(repo, "cut.mp4", "look")
    connection = repo.index.database.connection
    plans: list[str] = []
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    AnnotationTable(repo.index.database).select("notes", limit=5, **wanted)
    connection.set_trace_callback(None)
    for statement in [line for line in seen if "sqlite_schema" not in line]:
        plans += [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert plans
    assert all("USING INDEX" in plan for plan in plans), plans


def test_damaged_notes_are_passed_over(repo: Repository) -> None:
    """A file that is not a note is reported by fsck, mended from the log, and hides no other."""
    first, second = add_note(repo, "cut.mp4", "one"), add_note(repo, "cut.mp4", "two")
    file = Path(repo.root, f".aura/refs/notes/{first.id}.json")
    file.write_text('{"id": "../../x", "fields": {}}')
    assert any("notes" in str(problem) for problem in fsck(repo).problems)
    repo.rebuild_index()
    assert second.id in {note.id for note in notes(repo)}
    from aura_vcs.maintenance.repair_records import find_repairable, rewrite_records

    rewrite_records(repo, find_repairable(repo))
    assert {note.text for note in notes(repo)} == {"one", "two"}
    assert fsck(repo).problems == ()


def test_a_deleted_file_under_its_last_name(repo: Repository) -> None:
    """What was said of a file is listed under every name that it had, also when it was renamed twice and is gone."""
    note = add_note(repo, "cut.mp4", "look")
    for old, new in (("cut.mp4", "b.mp4"), ("b.mp4", "c.mp4")):
        Path(repo.root, old).rename(Path(repo.root, new))
        commit(repo, f"Called it {new}")
    Path(repo.root, "c.mp4").unlink()
    commit(repo, "gone")
    for name in ("cut.mp4", "c.mp4"):
        assert note.id in [found.id for found in notes(repo, name)]
    with pytest.raises(UnknownVersion):
        notes(repo, "never.mp4")
