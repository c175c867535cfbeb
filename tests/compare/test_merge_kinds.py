"""What is merged by line and what is kept twice: decided by content, and looked at again afterwards."""

import gzip
import itertools
import json
from pathlib import Path

import pytest
from aura_vcs.compare.merge.file import MergedFile, merge_file
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project

EDITORS = Path(__file__).parents[3] / "shared" / "data" / "editors"
needs_editors = pytest.mark.skipif(not EDITORS.is_dir(), reason=f"{EDITORS} is not here")

XML = "<list>\n <item id='1'/>\n <item id='2'/>\n <item id='3'/>\n <item id='4'/>\n</list>\n"
PLAIN = "One.\nTwo.\nThree.\nFour.\nFive.\n"


def _three(text: str) -> tuple[str, str, str]:
    """A text, and two versions of it that merge by line."""
    lines = text.splitlines(keepends=True)
    ours = "".join([lines[0], lines[1].replace("1", "7").replace("Two", "Ours"), *lines[2:]])
    theirs = "".join([*lines[:-2], lines[-2].replace("4", "8").replace("Four", "Theirs"), lines[-1]])
    assert len({text, ours, theirs}) == 3
    return text, ours, theirs


def _merged(path: str, base: str, ours: str, theirs: str, encoding: str = "utf-8") -> MergedFile:
    return merge_file(path, *(side.encode(encoding) for side in (base, ours, theirs)))


@pytest.mark.parametrize(
    "name",
    [
        "film.kdenlive",
        "film.mlt",
        "cut.fcpxml",
        "a.svg",
        "A.SVG",
        "page.html",
        "cut.xges",
        "film.bak",
        "noending",
        "n.txt",
    ],
)
@pytest.mark.parametrize("head", ["", "<?xml version='1.0'?>\n", "\n\n  ", "\ufeff", "<!-- a note -->\n"])
def test_xml_never_merges_by_line(name: str, head: str) -> None:
    """Whatever it is called and however it begins: both are kept, and the reason is told."""
    merged = _merged(name, *_three(head + XML) if not head.strip("\ufeff") else (head + side for side in _three(XML)))
    assert merged.data is None
    assert "refer to each other" in merged.reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_xml_in_other_encodings_never_merges(encoding: str) -> None:
    """With a byte order mark or without, as Windows programs write it."""
    assert _merged("list", *_three(XML), encoding=encoding).data is None


def test_packed_xml_never_merges() -> None:
    """`.svgz` and `.prproj` are gzip; one side unpacked does not make it a text."""
    sides = [side.encode() for side in _three(XML)]
    packed = [gzip.compress(side, mtime=0) for side in sides]
    assert merge_file("a.svgz", *packed).data is None
    assert merge_file("a", packed[0], sides[1], sides[2]).data is None


@pytest.mark.parametrize(
    "name", ["cut.edl", "film.osp", "film.rpp", "film.ardour", "scene.usda", "note.rtf", "title.comp", "mesh.obj"]
)
def test_files_of_programs_never_merge_by_line(name: str) -> None:
    """Their ending is enough: what stands in them refers to each other."""
    merged = _merged(name, *_three(PLAIN))
    assert merged.data is None
    assert merged.reason.startswith("not merged by line: ")


def test_an_edit_list_is_known_by_its_events() -> None:
    """Also as a text file: an event put in on each side renumbers all that follow, and is merged by event."""

    def cut(*reels: str) -> str:
        events = (
            f"{n:03}  {reel} V     C        00:00:0{n}:00 00:00:0{n + 1}:00 01:00:0{n}:00 01:00:0{n + 1}:00\n"
            for n, reel in enumerate(reels, 1)
        )
        return "TITLE: film\n" + "".join(events)

    merged = _merged("cut.txt", cut("a", "b"), cut("x", "a", "b"), cut("a", "b", "y")).data or b""
    events = [(line[:6].decode(), line[-23:-12].decode()) for line in merged.splitlines()[1:]]
    assert events == [(f"00{n}  {reel}", f"01:00:0{n}:00") for n, reel in enumerate("xaby", 1)]
    words = "Cut this:\n" + cut("a")
    assert _merged("notes.txt", words, words + "a\n", "b\n" + words).data is None


def test_one_side_that_became_xml_is_enough() -> None:
    """A text that one side turned into XML is not merged into by line."""
    assert _merged("page", PLAIN, XML, PLAIN + "Six.\n").data is None


@pytest.mark.parametrize("name", ["story.md", "notes.txt", "cut.fountain", "tool.py", "README", "style.css", "set.ini"])
@pytest.mark.parametrize("head", ["", "<div align='center'>\n\n# Title\n", "[[a note]]\n", "<b>bold</b> it begins\n"])
def test_plain_texts_still_merge_by_line(name: str, head: str) -> None:
    """A title in tags or a note in brackets makes no XML of a text."""
    base, ours, theirs = (head + side for side in _three(PLAIN))
    merged = _merged(name, base, ours, theirs)
    assert merged.data == (head + "One.\nOurs.\nThree.\nTheirs.\nFive.\n").encode()


def test_json_merges_by_field_whatever_it_is_called() -> None:
    """A project of OpenShot is JSON: two clips added are two clips, by their ids; what cannot be read is kept twice."""

    def project(*ids: str) -> str:
        clips = [{"id": each, "file_id": "F1", "position": n} for n, each in enumerate(ids)]
        return json.dumps({"clips": clips, "files": [{"id": "F1", "path": "a.mp4"}]}, indent=1)

    merged = _merged("film.osp", project("A", "B"), project("A", "OURS", "B"), project("A", "B", "THEIRS"))
    assert merged.by == "fields"
    assert {clip["id"] for clip in json.loads(merged.data or b"")["clips"]} == {"A", "B", "OURS", "THEIRS"}
    assert _merged("film.osp", project("A"), "{ broken", project("B")).data is None
    assert _merged("film", "{'json5': 1}", "{'json5': 2}", "{'json5': 1, b: 2}").data is None


def test_an_element_that_the_other_side_refers_to_does_not_go() -> None:
    """One side takes a file out of the list, the other puts in a clip of it: both are kept."""

    def project(files: list[str], clips: list[str]) -> str:
        listed = {"files": [{"id": each} for each in files], "clips": [{"id": f"C{c}", "file_id": c} for c in clips]}
        return json.dumps(listed)

    merged = _merged("p.json", project(["F", "G"], ["G"]), project(["G"], ["G"]), project(["F", "G"], ["G", "F"]))
    assert merged.data is None
    assert "'F'" in merged.reason
    swapped = _merged("p.json", project(["F", "G"], ["G"]), project(["F", "G"], ["G", "F"]), project(["G"], ["G"]))
    assert swapped.data is None


def test_no_id_comes_twice() -> None:
    """Our side gives an element the id that their side gives a new one."""

    def listed(*ids: str) -> str:
        return json.dumps([{"id": each, "heading": f"Heading {each[0]} of this scene", "n": 1} for each in ids])

    base, ours, theirs = listed("a", "b"), listed("a", "n2"), listed("a", "b", "n2")
    for sides in ((ours, theirs), (theirs, ours)):
        merged = _merged("list.json", base, *sides)
        ids = [each["id"] for each in json.loads(merged.data or b"[]")]
        assert merged.data is None or len(ids) == len(set(ids))


TABLES = [
    (
        "set.toml",
        "[a]\nx = 1\ny = 1\n\n[b]\nz = 1\n",
        "[a]\nx = 2\ny = 1\n\n[b]\nz = 1\n",
        "[a]\nx = 1\ny = 1\n\n[b]\nz = 2\n",
    ),
    (
        "set.yaml",
        "a:\n  x: 1\n  y: 1\nb:\n  z: 1\n",
        "a:\n  x: 2\n  y: 1\nb:\n  z: 1\n",
        "a:\n  x: 1\n  y: 1\nb:\n  z: 2\n",
    ),
    ("shots.csv", "id,name\n1,a\n2,b\n3,c\n", "id,name\n1,x\n2,b\n3,c\n", "id,name\n1,a\n2,b\n3,y\n"),
    (
        "log.jsonl",
        '{"id": 1}\n{"id": 2}\n{"id": 3}\n',
        '{"id": 7}\n{"id": 2}\n{"id": 3}\n',
        '{"id": 1}\n{"id": 2}\n{"id": 9}\n',
    ),
]


@pytest.mark.parametrize(("name", "base", "ours", "theirs"), TABLES)
def test_tables_merge_where_they_stay_readable(name: str, base: str, ours: str, theirs: str) -> None:
    """Settings and tables that two people changed in two places."""
    merged = _merged(name, base, ours, theirs)
    assert merged.by == "text"
    assert merged.text_conflicts == ()


@pytest.mark.parametrize(
    ("name", "base", "ours", "theirs"),
    [
        ("set.toml", "a = 1\nb = 1\nc = 1\n", "n = 1\na = 1\nb = 1\nc = 1\n", "a = 1\nb = 1\nc = 1\nn = 2\n"),
        ("set.toml", "[a]\nx = 1\ny = 1\n", "[a]\nx = 1\n[b]\ny = 1\n", "[a]\nx = 1\ny = 1\nz = 1\n"),
        ("set.yml", "a: 1\nb: 1\nc: 1\n", "n: 1\na: 1\nb: 1\nc: 1\n", "a: 1\nb: 1\nc: 1\nn: 2\n"),
        ("set.yaml", "a: &x 1\nb: *x\nc: 1\n", "a: &x 2\nb: *x\nc: 1\n", "a: &x 1\nb: *x\nc: 2\n"),
        ("shots.csv", "id,name\n1,a\n2,b\n3,c\n", "id,name\n4,n\n1,a\n2,b\n3,c\n", "id,name\n1,a\n2,b\n3,c\n4,m\n"),
        ("shots.csv", "id,name\n1,a\n2,b\n", "id,name,x\n1,a,1\n2,b,1\n", "id,name\n1,a\n2,b\n3,c\n"),
        (
            "log.jsonl",
            '{"id": 1}\n{"id": 2}\n',
            '{"id": 3}\n{"id": 1}\n{"id": 2}\n',
            '{"id": 1}\n{"id": 2}\n{"id": 3}\n',
        ),
    ],
)
def test_tables_that_would_break_are_kept_twice(name: str, base: str, ours: str, theirs: str) -> None:
    """A key or an id that both give, a key that slips into another table, a column that some rows lack."""
    for sides in ((ours, theirs), (theirs, ours)):
        merged = _merged(name, base, *sides)
        assert merged.data is None or merged.text_conflicts, merged
        assert merged.reason.startswith("not merged") or merged.text_conflicts


def _cues(*times: int, words: str = "Words") -> str:
    return "\n".join(
        f"{n}\n00:00:{at:02},000 --> 00:00:{at + 1:02},000\n{words} at {at}\n" for n, at in enumerate(times, 1)
    )


def test_a_cue_on_each_side_is_no_question() -> None:
    """The numbers count up anew, and every cue is there once."""
    merged = _merged("s.srt", _cues(1, 5, 9), _cues(1, 3, 5, 9), _cues(1, 5, 7, 9))
    assert (merged.data, merged.text_conflicts) == (_cues(1, 3, 5, 7, 9).encode(), ())


def test_two_cues_at_one_place_are_a_question() -> None:
    """Nobody knows which comes first, and cues never overlap in silence."""
    for ours, theirs in itertools.permutations((_cues(1, 3, 9), _cues(1, 6, 9))):
        merged = _merged("s.srt", _cues(1, 9), ours, theirs)
        assert merged.data is None or merged.text_conflicts
    longer = _cues(1, 5).replace("00:00:02,000", "00:00:04,000")
    earlier = _cues(1, 5).replace("00:00:05,000", "00:00:03,000")
    merged = _merged("s.srt", _cues(1, 5), longer, earlier)
    assert merged.data is None
    assert "overlap" in merged.reason


def _played(name: str, data: bytes) -> set[tuple[str, str]]:
    found = read_project(name, data)
    assert isinstance(found, Timeline)
    return {(clip.name, clip.media) for track in found.tracks for clip in track.clips}


@needs_editors
def test_successive_saves_of_real_editors_are_kept_twice_or_merged_by_clip() -> None:
    """Three saves of one project, in any order: what is merged plays only what a side plays."""
    tried = 0
    for kind in EDITORS.iterdir():
        if not kind.is_dir():
            continue
        saves: dict[str, list[Path]] = {}
        for file in sorted(kind.iterdir()):
            saves.setdefault(file.name.rsplit(".", 2)[0], []).append(file)
        for files in saves.values():
            for three in itertools.permutations(files, 3):
                base, ours, theirs = (file.read_bytes() for file in three)
                if len({base, ours, theirs}) == 3:
                    merged = merge_file(three[0].name, base, ours, theirs)
                    if merged.data is not None:
                        assert merged.by == "timeline", three
                        played = [_played(three[0].name, data) for data in (merged.data, base, ours, theirs)]
                        assert played[0] <= played[1] | played[2] | played[3], three
                    tried += 1
    assert tried > 10
