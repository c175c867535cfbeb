"""Searching every text of the folder and of every version: each passage once, bounded, rebuilt at will."""

import json
import os
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.formats.passages import PASSAGE_LIMIT, passages_of
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.versions import delete_version, purge_version, undelete_version
from aura_vcs.index import passages
from aura_vcs.index.passages import PassageIndex
from aura_vcs.layout import SEARCH
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.project.search_texts import TextHit, search_texts

from tests.helpers.project import save, write

Line = tuple[str, str, bool, int | None, int | None]
OTIO = {
    "OTIO_SCHEMA": "Timeline.1",
    "name": "Harbour film",
    "tracks": {
        "OTIO_SCHEMA": "Stack.1",
        "children": [
            {
                "OTIO_SCHEMA": "Track.1",
                "kind": "Video",
                "name": "Pictures",
                "children": [
                    {
                        "OTIO_SCHEMA": "Clip.1",
                        "name": "Lighthouse wide",
                        "markers": [{"OTIO_SCHEMA": "Marker.2", "name": "fix colour", "comment": "too green"}],
                    }
                ],
            }
        ],
    },
}


def found(repo: Repository, text: str) -> list[Line]:
    """Kind, path, whether the folder has it, and the numbers of the first and last version."""
    return [line(hit) for hit in search_texts(repo, text)[0]]


def line(hit: TextHit) -> Line:
    """A hit in short."""
    first, last = (found.number if found is not None else None for found in (hit.first, hit.last))
    return hit.kind, hit.path, hit.in_folder, first, last


def put(repo: Repository, files: dict[str, str | bytes], name: str) -> None:
    """A version with these files."""
    write(Path(repo.root), files)
    save(repo, name)


def test_passages_of_every_kind_are_found(first: Repository) -> None:
    """Paragraphs, cues with their time, clips and markers, strings of documents, names of files, tags, branches."""
    subtitles = "1\n00:00:04,500 --> 00:00:06,000\nGulls <i>cry</i>\n"
    put(first, {
        "notes.md": "# Plan\n\nShoot at dawn.\nBring tripods.\n", "a/subs.srt": subtitles, "cut.otio": json.dumps(OTIO),
        "brief.json": '{"audience": {"who": "sailors"}}', "media/storm.mov": b"\0\1",
    }, "Second")  # fmt: skip
    create_tag(first, "festival", first.head().version or "", message="for Oslo")  # type: ignore[arg-type]
    create_branch(first, "shorter-ending", first.head().version)  # type: ignore[arg-type]
    expected = {
        "tripods dawn": ("text", "notes.md", "line 3"), "gulls": ("subtitle", "a/subs.srt", "4.5 s"),
        "lighthouse": ("clip", "cut.otio", "clip at 0.0 s"),
        "too green": ("clip", "cut.otio", "marker of clip at 0.0 s"),
        "sailors": ("document", "brief.json", "/audience/who"), "storm": ("file", "media/storm.mov", ""),
        "oslo": ("tag", "festival", "tag"), "shorter": ("tag", "shorter-ending", "branch"),
    }  # fmt: skip
    for words, hit in expected.items():
        hits = search_texts(first, words)[0]
        assert [(item.kind, item.path, item.place) for item in hits] == [hit], words
        assert all(item.in_folder for item in hits)


def test_first_and_last_version_of_a_passage(first: Repository) -> None:
    """Also where other passages of the file change meanwhile, and where it comes back."""
    put(first, {"n.md": "one\n\nfog\n"}, "v2")
    put(first, {"n.md": "two\n\nfog\n"}, "v3")
    put(first, {"other.txt": "x"}, "v4")
    put(first, {"n.md": "two\n"}, "v5")
    put(first, {"other.txt": "y"}, "v6")
    assert found(first, "fog") == [("text", "n.md", False, 2, 4)]
    assert found(first, "two") == [("text", "n.md", True, 3, 6)]
    put(first, {"n.md": "two\n\nfog\n"}, "v7")
    assert found(first, "fog") == [("text", "n.md", True, 2, 7)]


def test_the_folder_is_looked_through_as_it_is(first: Repository) -> None:
    """What is not saved is found; what versions have as well is told once; what went is told as gone."""
    put(first, {"n.md": "fog\n\nrain\n"}, "v2")
    write(Path(first.root), {"n.md": "rain\n\nsnow\n", "new.txt": "hail"})
    assert found(first, "snow") == [("text", "n.md", True, None, None)]
    assert found(first, "rain") == [("text", "n.md", True, 2, 2)]
    assert found(first, "fog") == [("text", "n.md", False, 2, 2)]
    assert found(first, "hail") == [("text", "new.txt", True, None, None)]
    assert ("file", "new.txt", True, None, None) in found(first, "new")


def test_only_new_versions_are_read_and_all_of_it_can_be_made_again(first: Repository) -> None:
    """The database is beside the index, may vanish or rot, and reindex throws it away."""
    put(first, {"n.md": "fog"}, "v2")
    assert found(first, "fog")
    index = PassageIndex(*first.index.texts_place)
    assert len(index.known()) == 2
    index.close()
    assert first.storage.stat(SEARCH) is not None
    for damage in (b"", b"no database" * 1000):
        (Path(first.root) / ".aura" / SEARCH).write_bytes(damage)
        for end in ("-wal", "-shm"):
            (Path(first.root) / ".aura" / f"{SEARCH}{end}").unlink(missing_ok=True)
        assert found(first, "fog") == [("text", "n.md", True, 2, 2)]
    first.rebuild_index()
    assert first.storage.stat(SEARCH) is None
    assert found(first, "fog") == [("text", "n.md", True, 2, 2)]


def test_what_only_deleted_versions_had_is_not_found_and_does_not_stay(first: Repository) -> None:
    """At once, and after gc it is in no file either; what was undeleted is found again."""
    put(first, {"n.md": "zebrafish"}, "v2")
    put(first, {"n.md": "other"}, "v3")
    assert found(first, "zebrafish") == [("text", "n.md", False, 2, 2)]
    from aura_vcs.history.names.revisions import resolve

    delete_version(first, resolve(first, "v2"))
    assert found(first, "zebrafish") == []
    undelete_version(first, resolve(first, "v2"))
    assert found(first, "zebrafish") == [("text", "n.md", False, 2, 2)]
    purge_version(first, resolve(first, "v2"))
    execute_gc(first, plan_gc(first, grace_seconds=0))
    assert found(first, "zebrafish") == []
    for path in (Path(first.root) / ".aura/local").glob("search*"):
        assert b"zebrafish" not in path.read_bytes()


def test_room_is_bounded(first: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest versions are read first; where there is too much, that is said."""
    monkeypatch.setattr(passages, "TEXT_BYTES_LIMIT", 100)
    monkeypatch.setattr("aura_vcs.project.search_texts.BATCH", 1)
    put(first, {"n.md": "ebb " * 20}, "v2")
    put(first, {"n.md": "flow " * 60}, "v3")
    hits, looked = search_texts(first, "flow")
    assert looked.is_full
    assert [line(hit) for hit in hits] == [("text", "n.md", True, 3, 3)]
    assert found(first, "ebb") == []


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("a.md", b"\xff\xfe\x00"), ("a.md", b"\0" * 100), ("a.json", b'{"a": "\\ud800"}'), ("a.json", b"[" * 5000),
        ("a.otio", b"{}"), ("a.srt", b"1\n99:99:99,999 --> x\n"),
        ("a.fcpxml", b"<!DOCTYPE x [<!ENTITY a 'b'>]><fcpxml/>"),
        ("a.edl", b"\xff" * 50), ("\udcff.md", b"fog"), ("a.drp", b"PK\x03\x04"),
    ],
)  # fmt: skip
def test_hostile_files_do_no_harm(first: Repository, path: str, data: bytes) -> None:
    """Whatever is in a file, a search ends and finds the rest."""
    write(Path(first.root), {"good.txt": "fog"})
    (Path(first.root) / path).write_bytes(data)
    save(first, "v2")
    assert ("text", "good.txt", True, 2, 2) in found(first, "fog")


def test_long_paragraphs_are_cut(first: Repository) -> None:
    """No passage is longer than its limit, and what is cut off is a passage of its own."""
    text = "\n".join(f"word{number} " * 20 for number in range(200)).encode()
    pieces = passages_of("a.txt", text)
    assert all(len(piece.text) <= PASSAGE_LIMIT for piece in pieces)
    assert any("word199" in piece.text for piece in pieces)


def test_files_whose_names_are_not_utf8_are_found(repo: Repository) -> None:
    """By what they say and by the readable part of their names, saved or not, and in which versions."""
    bad, new = os.fsdecode(b"caf\xff/bad.txt"), os.fsdecode(b"new\xff.txt")
    put(repo, {bad: "needle", "good.txt": "needle"}, "One")
    put(repo, {bad: "gone"}, "Two")
    write(Path(repo.root), {new: "needle"})
    hits, _ = search_texts(repo, "needle")
    assert {(hit.path, hit.in_folder, hit.last.number if hit.last else None) for hit in hits} == {
        ("good.txt", True, 2), (bad, False, 1), (new, True, None),
    }  # fmt: skip
    assert {hit.path for hit in search_texts(repo, "bad")[0]} == {bad}
    again, _ = search_texts(repo, "needle")
    assert again == hits
