"""Assets are told by their names; WAV and PNG headers are read without trusting them."""

import io
import struct
from pathlib import Path

import pytest
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.formats.media.wav_png import HeaderFacts, read_header
from aura_vcs.history.sources.content_source import FolderSource, unsafe_reason
from aura_vcs.project.documents.assets import asset_type, is_temporary, mime_type
from aura_vcs.worktree.scan.ignore import DEFAULT_PATTERNS
from hypothesis import given, strategies as st
from pathspec import GitIgnoreSpec

from tests.project.conftest import RELAXED, SOLAR_SYSTEM


def test_types_and_mime_types() -> None:
    """The last extension decides, in any case; what is not media has no type."""
    assert (asset_type("a/B.PNG"), mime_type("a/B.PNG")) == ("Image", "image/png")
    assert (asset_type("x.mp4"), asset_type("x.srt"), asset_type("x.wav")) == ("Video", "Subtitle", "Audio")
    assert (asset_type("x.json"), mime_type("x.json")) == (None, "application/octet-stream")
    assert (asset_type("png"), asset_type(".png"), asset_type("x.tar.mp4")) == (None, None, "Video")
    assert asset_type("assets/render.mp4.part") == "Video"


@RELAXED
@given(
    st.lists(st.sampled_from(["tmp", "TMP2", "temp", "assets", "a~b", ".cache", "x"]), max_size=3),
    st.sampled_from(["a.wav", "a.wav.part", "~$a.wav", "a.wav~", "a.tmp", "tmp", "part", "a.partial", "b.temp"]),
)
def test_the_temporary_rule_is_its_gitignore_patterns(folders: list[str], name: str) -> None:
    """`is_temporary` and the patterns that commits leave out agree."""
    path = "/".join([*folders, name])
    assert is_temporary(path) == GitIgnoreSpec.from_lines(DEFAULT_PATTERNS).match_file(path)


def test_headers_of_real_files() -> None:
    """Duration of narration and size of a picture, from the first bytes."""
    with (SOLAR_SYSTEM / "assets/audio/020-the-sun.wav").open("rb") as stream:
        assert read_header(stream) == HeaderFacts(
            "wav", duration_seconds=7.0, audio_codec="pcm_s16le", sample_rate_hz=8000, channels=1
        )
    with (SOLAR_SYSTEM / "assets/images/020-the-sun.png").open("rb") as stream:
        assert read_header(stream) == HeaderFacts("png", width=640, height=360, video_codec="png")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF\x00\x00\x00\x00WAVE",
        b"RIFF\x00\x00\x00\x00WAVEdata\x08\x00\x00\x00",
        b"RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\xff",
        b"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00" + struct.pack("<HHIIHH", 1, 1, 0, 0, 0, 0) + b"data\0\0\0\0",
        b"RIFF\x00\x00\x00\x00WAVE" + b"junk\x00\x00\x00\x00" * 100_000,
        b"RIFF\x00\x00\x00\x00WAVEjunk\xfe\xff\xff\xff" + b"x" * 100,
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x00\x00\x00\x00\x10",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0eIHDR" + b"\x00\x00\x00\x10" * 2,
    ],
)
def test_broken_headers_give_nothing(data: bytes) -> None:
    """Truncated, lying and endless headers are None, quickly."""
    assert read_header(io.BytesIO(data)) is None


@RELAXED
@given(st.binary(max_size=80), st.sampled_from([b"RIFF\0\0\0\0WAVE", b"\x89PNG\r\n\x1a\n", b""]))
def test_no_header_makes_the_reader_raise(data: bytes, start: bytes) -> None:
    """Any bytes give facts or None."""
    facts = read_header(io.BytesIO(start + data))
    assert facts is None or facts.container in ("wav", "png")


def test_a_recording_that_was_cut_off_has_no_duration() -> None:
    """A data chunk that claims 0 or 4 GiB is one whose length was never written."""
    form = b"fmt \x10\x00\x00\x00" + struct.pack("<HHIIHH", 1, 2, 48000, 192000, 4, 16)
    facts = read_header(io.BytesIO(b"RIFF\xff\xff\xff\xffWAVE" + form + b"data\xff\xff\xff\xff"))
    assert facts is not None
    assert (facts.duration_seconds, facts.channels) == (None, 2)


@pytest.mark.parametrize(
    "path", ["", "/x", "../x", "a/../../x", "a//b", "a\\b", "c:x", "file:x", "http://x", ".aura/x"]
)
def test_paths_that_leave_the_project_are_refused(path: str) -> None:
    """No document can make a reader open something outside, whatever the system."""
    assert unsafe_reason(path)
    with pytest.raises(FileUnreadable):
        FolderSource(SOLAR_SYSTEM).open(path)


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link inside the folder, to a file or as a folder on the way, does not open what it points at."""
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "secret.png").write_bytes(b"secret")
    (root / "link.png").symlink_to(outside / "secret.png")
    (root / "folder").symlink_to(outside)
    source = FolderSource(root)
    assert source.names() == []
    for path in ("link.png", "folder/secret.png"):
        with pytest.raises(FileUnreadable, match="symbolic link"):
            source.open(path)
