"""A version's timeline as OpenTimelineIO: what the library reads of it is what the studio's timeline says."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.interchange import TargetExists
from aura_vcs.formats.timeline.otio_write import studio_as_otio
from aura_vcs.history.commit import commit
from aura_vcs.interchange.export_otio import export_otio
from aura_vcs.repository.repository import Repository

FILM = Path(__file__).parent.parent.parent / "fixtures/solar-system"


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    """The sample film, committed."""
    shutil.copytree(FILM, tmp_path / "film", ignore=shutil.ignore_patterns("*.mp4"))
    with Repository.init(str(tmp_path / "film")) as made:
        commit(made, "First cut")
        yield made


def test_the_studios_timeline_becomes_tracks(repo: Repository, tmp_path: Path) -> None:
    """Pictures, narration and music, with a marker for every scene; whole frames at the film's rate."""
    done = export_otio(repo, "HEAD", str(tmp_path / "cut.otio"))
    value = json.loads((tmp_path / "cut.otio").read_text())
    tracks = value["tracks"]["children"]
    assert [(track["kind"], track["name"]) for track in tracks][-2:] == [("Audio", "Narration"), ("Audio", "Music")]
    assert [marker["name"] for marker in value["tracks"]["markers"]][1] == "The Sun"
    second = tracks[0]["children"][1]
    assert second["media_reference"]["target_url"] == "assets/images/020-the-sun.png"
    assert second["source_range"]["duration"] == {"OTIO_SCHEMA": "RationalTime.1", "rate": 30.0, "value": 240.0}
    assert (done.number, done.media) == (1, 0)
    with pytest.raises(TargetExists):
        export_otio(repo, "HEAD", str(tmp_path / "cut.otio"))
    opentimelineio = pytest.importorskip("opentimelineio")
    read = opentimelineio.adapters.read_from_file(str(tmp_path / "cut.otio"))
    assert read.duration().to_seconds() == 76


def test_a_bundle_has_its_media(repo: Repository, tmp_path: Path) -> None:
    """As the library lays it out; what the version does not have is named, and the clip stays."""
    (tmp_path / "film/assets/audio/020-the-sun.wav").unlink()
    commit(repo, "One is gone")
    done = export_otio(repo, "HEAD", str(tmp_path / "cut.otioz"))
    assert "assets/audio/020-the-sun.wav" in done.missing
    with zipfile.ZipFile(tmp_path / "cut.otioz") as archive:
        names = archive.namelist()
        assert names[:2] == ["content.otio", "version.txt"]
        assert archive.read("media/010-opening.png") == (FILM / "assets/images/010-opening.png").read_bytes()
        assert b'"target_url": "media/010-opening.png"' in archive.read("content.otio")
        assert done.media == len(names) - 2


def test_an_otio_file_comes_out_as_it_is(repo: Repository, tmp_path: Path) -> None:
    """Byte for byte; a version without a timeline, and another ending, are refused."""
    data = '{"OTIO_SCHEMA": "Timeline.1",   "tracks": null}'
    (tmp_path / "film/timeline.otio").write_text(data)
    commit(repo, "From an editor")
    export_otio(repo, "HEAD", str(tmp_path / "cut.otio"))
    assert (tmp_path / "cut.otio").read_text() == data
    for name in ("timeline.otio", "timeline.json"):
        (tmp_path / "film" / name).unlink()
    commit(repo, "None")
    with pytest.raises(InputError, match="has no timeline"):
        export_otio(repo, "HEAD", str(tmp_path / "none.otio"))
    with pytest.raises(InputError, match="neither"):
        export_otio(repo, "HEAD~1", str(tmp_path / "cut.xml"))
    assert not (tmp_path / "none.otio").exists()


def test_clips_that_overlap_go_to_tracks_of_their_own() -> None:
    """And odd times make no clip without a frame."""
    asset = {"type": "Image", "file_path": "a b.png", "start": 0, "duration": 4}
    assets = [asset, {**asset, "start": 2}, {**asset, "duration": 0}]
    scene = {"index": 0, "start": 1, "duration": 4, "visual_assets": assets}
    made = studio_as_otio({"scenes": [scene, "odd"]}, rate=25.0, name="x", url_of=lambda path: path.replace(" ", "%20"))
    tracks = made["tracks"]["children"]
    assert [len([one for one in track["children"] if one["OTIO_SCHEMA"] == "Clip.1"]) for track in tracks] == [1, 2]
    assert tracks[0]["children"][0]["source_range"]["duration"]["value"] == 25.0
    assert tracks[0]["children"][1]["media_reference"]["target_url"] == "a%20b.png"
