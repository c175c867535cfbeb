"""Notes go into copies of editors' projects as markers and come back once, wherever an editor moved them."""

from pathlib import Path

import pytest
from aura_vcs.annotations.markers import export_markers, import_markers, read_markers
from aura_vcs.annotations.notes import add_note, delete_note, edit_note, find_note, notes, resolve_note
from aura_vcs.errors import InputError
from aura_vcs.errors.interchange import TargetExists
from aura_vcs.repository.repository import Repository

from tests.sync.machines import machine, save

SAMPLES = Path(__file__).parents[1] / "editors/samples"
KDENLIVE = """<?xml version='1.0' encoding='utf-8'?>
<mlt LC_NUMERIC="C" producer="main_bin" version="7.21.0" root="">
 <profile frame_rate_num="25" frame_rate_den="1"/>
 <producer id="one" in="00:00:00.000" out="00:00:20.000">
  <property name="resource">media/a.mp4</property>
  <property name="mlt_service">avformat</property>
  <property name="kdenlive:id">4</property>
  <property name="kdenlive:markers">[
    {
        "comment": "logo",
        "duration": 25,
        "pos": 50,
        "type": 8
    }
]
</property>
 </producer>
 <playlist id="main_bin">
  <property name="kdenlive:docproperties.version">1.04</property>
  <property name="xml_retain">1</property>
  <entry producer="one"/>
 </playlist>
 <playlist id="playlist0"><entry producer="one" in="00:00:00.000" out="00:00:10.000"/></playlist>
 <tractor id="tractor0"><track producer="playlist0"/></tractor>
</mlt>
"""
SHOTCUT = """<?xml version="1.0"?>
<mlt version="7.21.0" producer="tractor0">
  <profile frame_rate_num="25" frame_rate_den="1"/>
  <producer id="one"><property name="resource">a.mp4</property><property name="shotcut:hash">x</property></producer>
  <playlist id="playlist0"><entry producer="one" in="0" out="250"/></playlist>
  <tractor id="tractor0">
    <property name="shotcut">1</property>
    <track producer="playlist0"/>
  </tractor>
</mlt>
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A project with projects of three editors."""
    found = machine(tmp_path / "film", "Ada")
    save(found, "media/a.mp4", b"film")
    save(found, "film.kdenlive", KDENLIVE)
    save(found, "film.mlt", SHOTCUT)
    save(found, "film.fcpxml", (SAMPLES / "23.98.fcpxml").read_bytes())
    return found


@pytest.mark.parametrize("name", ["film.kdenlive", "film.mlt", "film.fcpxml"])
def test_there_and_back(repo: Repository, name: str, tmp_path: Path) -> None:
    """What goes out is known when it comes in again, moved and reworded too; what others set comes in once."""
    stretch = add_note(repo, f"{name}@0:02-0:04", 'too <bright> & "loud"\nsecond line', color="orange")
    moment = add_note(repo, f"{name}@0:05", "a jump")
    resolve_note(repo, moment.id)
    output = tmp_path / f"out-{name}"
    assert export_markers(repo, name, str(output)) == 2
    with pytest.raises(TargetExists):
        export_markers(repo, name, str(output))
    made = output.read_text()
    for line in (line for line in Path(repo.root, name).read_text().splitlines() if "marker" not in line):
        assert line.strip().rstrip("/>") in made
    save(repo, name, made)
    found = {marker.note: marker for marker in read_markers(repo, name)}
    back = found[stretch.id[:12]]
    assert (round(back.start, 1), round(back.end or 0, 1)) == (2.0, 4.0)
    assert back.text.split() == stretch.text.split()
    assert [note for note in import_markers(repo, name) if note.target.path == name and note.target.start == 2.0] == []
    count = len(notes(repo, name))
    save(repo, name, made.replace("a jump", "a jump cut"))
    assert import_markers(repo, name) == []
    assert len(notes(repo, name)) == count
    again = tmp_path / f"again-{name}"
    edit_note(repo, stretch.id, text="still too bright")
    export_markers(repo, name, str(again))
    assert again.read_text().count(f"[aura {stretch.id[:12]}]") == 1
    assert "still too bright" in again.read_text()
    delete_note(repo, stretch.id)
    assert import_markers(repo, name) == []


def test_media_of_kdenlive(repo: Repository, tmp_path: Path) -> None:
    """Markers of a clip in the bin are notes on what it plays, and notes on that go into the clip."""
    made = import_markers(repo, "film.kdenlive")
    assert [(note.target.path, note.target.start, note.target.end, note.color) for note in made] == [
        ("media/a.mp4", 2.0, 3.0, "red")
    ]
    assert import_markers(repo, "film.kdenlive") == []
    add_note(repo, "media/a.mp4@0:07", "shaky")
    export_markers(repo, "film.kdenlive", str(tmp_path / "out.kdenlive"))
    text = (tmp_path / "out.kdenlive").read_text()
    assert '"pos": 175' in text
    save(repo, "film.kdenlive", text)
    assert import_markers(repo, "film.kdenlive") == []


def test_markers_of_final_cut(repo: Repository) -> None:
    """A marker in a clip that begins later counts from the timeline's beginning."""
    data = Path(repo.root, "film.fcpxml").read_text()
    clip = data.index("<asset-clip")
    end = data.index(">", clip) + 1
    head = data[clip:end]
    start = head.split('start="')[1].split('"')[0] if 'start="' in head else "0s"
    marker = f'<marker start="{start}" duration="1001/24000s" value="the first frame"/>'
    if head.endswith("/>"):
        data = f"{data[:clip]}{head[:-2]}>{marker}</asset-clip>{data[end:]}"
    else:
        data = data[:end] + marker + data[end:]
    save(repo, "film.fcpxml", data)
    found = [item for item in read_markers(repo, "film.fcpxml") if item.text == "the first frame"]
    assert [item.end for item in found] == [None]
    note = import_markers(repo, "film.fcpxml")[0]
    assert find_note(repo, note.id).target.path == "film.fcpxml"


@pytest.mark.parametrize("data", [b"<mlt>", b"<fcpxml version='1.11'/>"])
def test_none_to_write_into(repo: Repository, data: bytes, tmp_path: Path) -> None:
    """A project that has no place for markers is refused, and nothing is written."""
    save(repo, "odd.mlt", data)
    add_note(repo, "odd.mlt@0:01", "look")
    with pytest.raises(InputError):
        export_markers(repo, "odd.mlt", str(tmp_path / "out.mlt"))
    assert not (tmp_path / "out.mlt").exists()
