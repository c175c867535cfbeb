"""Presets: every codec family renders, and a preset is found by what people type."""

from pathlib import Path

import av
import msgspec
import pytest
from aura_vcs.errors.documents import EncoderMissing, ExportFailed
from aura_vcs.errors.input import UnknownName
from aura_vcs.project.documents.models import RenderDocument, Resolution
from aura_vcs.project.render.presets import PRESETS, ExportPreset, find_preset, project_preset
from aura_vcs.project.render.render import render_export

from tests.helpers.memory_source import MemorySource
from tests.project.films import DRAFT, loudness_of, pictures_of, short_film


@pytest.mark.parametrize(
    ("preset", "video", "audio", "pixels"),
    [
        ("WebM VP9", "vp9", "opus", "yuv420p"),
        ("ProRes 422 HQ", "prores", "pcm_s16le", "yuv422p10le"),
        ("Master Archive", "hevc", "aac", "yuv420p"),
        ("Instagram Story", "h264", "aac", "yuv420p"),
    ],
)
def test_other_codecs(
    solar_files: dict[str, bytes], tmp_path: Path, preset: str, video: str, audio: str, pixels: str
) -> None:
    """Each family of presets makes a file of its codec, container and length, at a small size."""
    chosen = find_preset(preset)
    small = msgspec.structs.replace(chosen, width=chosen.width // 12 * 2, height=chosen.height // 12 * 2)
    output = tmp_path / f"film{chosen.extension}"
    render_export(short_film(solar_files), small, output)
    with av.open(str(output)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, container.streams.audio[0].codec_context.name) == (video, audio)
        assert stream.codec_context.pix_fmt == pixels
        assert (stream.width, stream.height) == (small.width, small.height)
        assert sum(1 for _ in container.decode(stream)) == 36
        assert chosen.container in container.format.name


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_every_preset_renders_at_its_full_size(
    solar_files: dict[str, bytes], tmp_path: Path, preset: ExportPreset
) -> None:
    """Each preset as it is, 4K too, within the memory that its size is given."""
    output = tmp_path / f"film{preset.extension}"
    result = render_export(short_film(solar_files), preset, output)
    with av.open(str(output)) as container:
        assert abs(container.duration / 1e6 - 1.2) < 0.1
        sizes = [f"{stream.width}x{stream.height}" for stream in container.streams.video]
        assert sizes == ([result.resolution] if result.resolution else [])


def test_a_podcast_is_the_sound_alone(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Audio only: no picture is needed or opened, the length is the film's."""
    source = short_film(solar_files, {"/scenes/0/visual_assets": []}, seconds=1.3)
    output = tmp_path / "podcast.mp3"
    result = render_export(source, find_preset("podcast"), output)
    with av.open(str(output)) as container:
        assert not container.streams.video
        assert container.streams.audio[0].codec_context.name.startswith("mp3")
        length = sum(frame.samples for frame in container.decode(audio=0)) / 48000
    assert abs(length - 2.6) < 0.06
    assert (result.duration_seconds, result.resolution, result.codec) == (2.6, "", "libmp3lame")
    assert max(loudness_of(output)) > 1000


def test_the_same_content_gives_the_same_bytes(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """A render can be repeated."""
    for name in ("a.mp4", "b.mp4"):
        render_export(short_film(solar_files), DRAFT, tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_an_encoder_that_is_not_there_is_named(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """The message names preset and encoder."""
    preset = msgspec.structs.replace(DRAFT, video_codec="libnothing")
    with pytest.raises(EncoderMissing, match="'Draft Preview' needs the encoder libnothing"):
        render_export(short_film(solar_files), preset, tmp_path / "x.mp4")


def test_a_preset_that_no_encoder_takes_is_refused(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """Odd sides and unknown containers are found before anything starts."""
    for change in ({"width": 321}, {"height": 0}, {"frame_rate": 0}, {"container": "exe"}):
        with pytest.raises(ExportFailed, match="Draft Preview"):
            render_export(short_film(solar_files), msgspec.structs.replace(DRAFT, **change), tmp_path / "x.mp4")


def test_a_film_that_is_too_long_for_the_platform(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """The preset's longest duration is checked before the first frame."""
    with pytest.raises(ExportFailed, match=r"lasts 76\.0 s, Instagram Story takes at most 60 s"):
        render_export(MemorySource(solar_files), find_preset("Instagram Story"), tmp_path / "x.mp4")


def test_the_projects_own_settings_are_a_preset(solar_files: dict[str, bytes], tmp_path: Path) -> None:
    """render.json's names become encoders, its level a quality, its size an aspect."""
    preset = project_preset(RenderDocument())
    assert (preset.video_codec, preset.width, preset.frame_rate, preset.quality) == ("libx264", 1920, 30, "High")
    web = project_preset(RenderDocument(Resolution(160, 160), "WebM", 500, 64, 10, "VP9", 10))
    assert (web.video_codec, web.audio_codec, web.aspect, web.quality) == (
        "libvpx-vp9",
        "libopus",
        "Square1x1",
        "Draft",
    )
    render_export(short_film(solar_files), web, tmp_path / "x.webm")
    assert pictures_of(tmp_path / "x.webm")[3].size == (160, 160)


def test_presets_are_found_by_what_people_type() -> None:
    """Case, blanks and a clear beginning do not matter; an unclear one lists what it could be."""
    assert find_preset("youtube-1080P").name == "YouTube 1080p"
    assert find_preset("tiktok").name == "TikTok"
    assert find_preset("prores").name == "ProRes 422 HQ"
    with pytest.raises(UnknownName) as caught:
        find_preset("youtube")
    assert caught.value.near == ("YouTube 1080p", "YouTube 4K")
    with pytest.raises(UnknownName) as missing:
        find_preset("instagram stori")
    assert "Instagram Story" in missing.value.near


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_presets_are_complete(preset: ExportPreset) -> None:
    """Every preset has an encoder here, an aspect that its size has, and sensible numbers."""
    av.codec.Codec(preset.audio_codec, "w")
    assert preset.description
    assert preset.audio_bitrate_k >= 128
    if preset.video_codec is None:
        return
    av.codec.Codec(preset.video_codec, "w")
    aspects = {"Widescreen16x9": 16 / 9, "Vertical9x16": 9 / 16, "Square1x1": 1.0}
    assert abs(preset.width / preset.height - aspects[preset.aspect]) < 0.01
    assert preset.video_bitrate_k >= 2000
    assert preset.frame_rate == 30
