"""Final Cut Pro XML and REAPER projects merge by clip: ids, exact times and every byte that nobody changed."""

import re
from collections.abc import Callable

import pytest
from aura_vcs.compare.merge.fcpxml_cut import FLICKS, read_flicks, write_flicks
from aura_vcs.compare.merge.file import merge_file, resolve_file
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project

from tests.editors import projects
from tests.editors.projects import OWN, Cut, Item

STORY: Cut = {"V1": [Item("sea.mov", 0, 50), Item("gull.mov", 10, 60), Item("pier.mov", 0, 40)]}
MIX: Cut = {"Voice": [Item("a.wav", 0, 50), Item("b.wav", 4, 30, gap=10)], "Music": [Item("m.wav", 0, 100)]}


def clips(path: str, data: bytes) -> list[tuple[str, str, int, int, int]]:
    """Name, media, and frames: start, length, from where of the media."""
    found = read_project(path, data)
    assert isinstance(found, Timeline), found
    return [
        (c.name, c.media, c.start * 25 // 10**7, c.duration * 25 // 10**7, (c.source_start or 0) * 25 // 10**7)
        for t in found.tracks
        for c in t.clips
    ]


def test_ids_of_final_cut_mean_nothing() -> None:
    """Theirs puts hers.mov in front, and every `r` moves on; ours plays its own media under a free id."""
    ours: Cut = {"V1": [*STORY["V1"], Item("ours.mov", 100, 25)]}
    theirs: Cut = {"V1": [Item("hers.mov", 0, 40), *STORY["V1"]]}
    merged = merge_file("trip.fcpxml", *(projects.fcpxml(cut) for cut in (STORY, ours, theirs)))
    assert (merged.by, merged.conflicts, merged.reason) == ("timeline", (), "")
    assert merged.data is not None
    assert [(name, media[1:], *times) for name, media, *times in clips("trip.fcpxml", merged.data)] == [
        ("hers.mov", "hers.mov", 0, 40, 0), ("sea.mov", "sea.mov", 40, 50, 0), ("gull.mov", "gull.mov", 90, 60, 10),
        ("pier.mov", "pier.mov", 150, 40, 0), ("ours.mov", "ours.mov", 190, 25, 100),
    ]  # fmt: skip
    names = re.findall(rb' id="([^"]+)"', merged.data)
    assert len(names) == len(set(names))
    assert b'duration="215/25s" tcStart' in merged.data
    assert merged.data.startswith(projects.fcpxml(ours)[:100])


def test_what_is_connected_to_a_clip_goes_with_it() -> None:
    """Ours ripples a shorter clip in front; theirs connected a title, whose style gets a name that is free."""
    base = projects.fcpxml(STORY)
    title = b"""<title name="Hello" lane="1" offset="10/25s" start="3600s" duration="1s">
        <text><text-style ref="ts1">Hello</text-style></text>
        <text-style-def id="ts1"><text-style font="Helvetica"/></text-style-def></title>"""

    def titled(data: bytes) -> bytes:
        return re.sub(rb'(<asset-clip [^>]*name="gull.mov"[^>]*)/>', rb"\1>" + title + rb"</asset-clip>", data)

    ours = projects.fcpxml({"V1": [Item("sea.mov", 0, 30), *STORY["V1"][1:]]})
    merged = merge_file("trip.fcpxml", base, titled(ours).replace(b"Hello", b"Mine"), titled(base))
    assert merged.data is not None, merged.reason
    assert merged.data.count(b"<title ") == 2
    styles = re.findall(rb'text-style-def id="([^"]+)"', merged.data)
    assert len(set(styles)) == 2
    read = read_project("trip.fcpxml", merged.data)
    assert isinstance(read, Timeline)
    assert {(c.text, c.start * 25 // 10**7) for t in read.tracks for c in t.clips if c.noun == "title"} == {
        ("Mine", 30),
        ("Hello", 30),
    }


@pytest.mark.parametrize(
    ("write", "path", "cut", "place"),
    [(projects.fcpxml, "t.fcpxml", STORY, "/clips/gull.mov"), (projects.reaper, "t.rpp", MIX, "/clips/Voice b.wav")],
    ids=["fcpxml", "rpp"],
)
def test_two_trims_of_one_end_are_decided_by_clip(
    write: Callable[[Cut], bytes], path: str, cut: Cut, place: str
) -> None:
    """Ours stands, theirs can be taken; the rest of the file stays as it is."""
    track = next(iter(cut))

    def cut_to(length: int) -> bytes:
        first, second, *rest = cut[track]
        short = Item(second.media, second.first, length, second.gap)
        return write({**cut, track: [first, short, *(Item(i.media, i.first, i.length, 30 - length) for i in rest)]})

    merged = merge_file(path, write(cut), cut_to(20), cut_to(15))
    assert merged.data is not None, merged.reason
    assert {c.pointer for c in merged.conflicts} >= {f"{place}/played"}
    done = resolve_file(merged.data, merged, place, "theirs")
    assert done.data is not None
    assert [length for name, _, _, length, _ in clips(path, done.data) if name in place] == [15]


def test_items_of_reaper_are_known_by_their_ids() -> None:
    """One moved an item to another track and the time of saving differs; the other shortened it."""
    base = projects.reaper(MIX)
    ours = projects.reaper({**MIX, "Voice": [MIX["Voice"][0], Item("b.wav", 4, 12, gap=10)]}, saved=1_800_000_000)
    moved = Item("b.wav", 4, 30, gap=200, id="00000001")
    theirs = projects.reaper({"Voice": MIX["Voice"][:1], "Music": [*MIX["Music"], moved]}, playhead="7.25")
    merged = merge_file("mix.rpp", base, ours, theirs)
    assert merged.data is not None, merged.reason
    assert merged.conflicts == ()
    assert ("b.wav", "b.wav", 300, 12, 4) in clips("mix.rpp", merged.data)
    assert len(clips("mix.rpp", merged.data)) == 3
    assert merged.data.splitlines()[:5] == ours.splitlines()[:5]


def test_what_stands_around_the_clips_is_of_one_side() -> None:
    """Both added tracks, or changed envelopes of the whole: both versions are kept, and the reason is told."""
    sides = [projects.reaper({**MIX, name: [Item("n.wav")]}) for name in ("Mine", "Hers")]
    merged = merge_file("mix.rpp", projects.reaper(MIX), sides[0], sides[1].replace(b"{00000002-0", b"{00000009-0"))
    assert merged.data is None
    assert merged.reason == "not merged by clip: both added or removed tracks"


def test_routing_follows_tracks_that_move() -> None:
    """A track receives from the first one; the other side put a track in front of it."""
    base = projects.reaper(MIX)
    routed = base.replace(b"    NAME Music\n", b"    NAME Music\n    AUXRECV 0 0 1 0 0 0 0 0 0 -1:U 0 -1 ''\n")
    front = b"  <TRACK {FFFFFFFF-0000-0000-0000-000000000000}\n    NAME Guide\n  >\n"
    merged = merge_file("mix.rpp", base, routed, base.replace(b"  <TRACK", front + b"  <TRACK", 1))
    assert merged.data is not None, merged.reason
    assert b"    AUXRECV 1 0 1" in merged.data


def test_times_are_exact_and_keep_their_form() -> None:
    """Frames of 23.976 and samples of 44.1 kHz alike; denominators stay where they can say the time."""
    for text in ("1001/24000s", "3600s", "91591/44100s", "0s", "-5/25s", "15700/3000s"):
        assert write_flicks(read_flicks(text), [text]) == text
    assert write_flicks(FLICKS // 2, ["10s", "3/25s", "7/50s"]) == "25/50s"
    for wrong in ("1/0s", "1/7919s", "soon", "10", f"{10**12}s"):
        with pytest.raises(ValueError, match="not a time that can be counted exactly"):
            read_flicks(wrong)


def test_a_real_project_keeps_every_byte_but_those_that_were_changed() -> None:
    """Theirs renamed a clip and gave it a note; ours changed a setting of the sequence: both stand in ours."""
    base = (OWN / "23.98.fcpxml").read_bytes()
    ours = base.replace(b'tcFormat="NDF" audioLayout', b'tcFormat="NDF" renderFormat="x" audioLayout', 1)
    line = re.search(rb'<asset-clip ref="r4" offset="0s" name="TestVideo"[^>]*>', base)
    assert line is not None
    renamed = line.group().replace(b'"TestVideo"', b'"Opening"') + b"<note>Slower</note>"
    theirs = base.replace(line.group(), renamed, 1)
    merged = merge_file("x.fcpxml", base, ours, theirs)
    assert merged.data is not None, merged.reason
    assert merged.conflicts == ()
    assert b"".join(merged.data.split()) == b"".join(ours.replace(line.group(), renamed, 1).split())
