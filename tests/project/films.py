"""Short films for tests, and how to look at and listen to a rendered one."""

import array
import json
from pathlib import Path
from typing import Any

import av
import msgspec
from aura_vcs.formats.jsondoc.edit import set_value
from aura_vcs.project.render.presets import find_preset
from aura_vcs.project.render.render import render_export
from PIL import ImageChops, ImageStat

from tests.helpers.memory_source import MemorySource

DRAFT = msgspec.structs.replace(find_preset("Draft Preview"), width=320, height=180, frame_rate=10, video_bitrate_k=400)
SUN, MUSIC, CLIP = "assets/images/020-the-sun.png", "assets/music/slow-orbit.wav", "assets/video/orbits.mp4"
NARRATION = "assets/audio/020-the-sun.wav"


def pictures_of(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def difference(one: Any, other: Any) -> float:
    """Mean difference of two pictures per channel, 0 to 255, of the part without subtitles."""
    box = (0, 0, one.width, one.height * 3 // 4)
    both = ImageChops.difference(one.convert("RGB").crop(box), other.convert("RGB").crop(box))
    return sum(ImageStat.Stat(both).mean) / 3


def loudness_of(path: Path) -> list[float]:
    """Mean loudness of each tenth of a second, 0 to 32768."""
    samples = array.array("h")
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=8000)
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                samples.frombytes(bytes(piece.planes[0])[: piece.samples * 2])
    return [sum(map(abs, samples[at : at + 800])) / 800 for at in range(0, len(samples) - 800, 800)]


def short_film(
    solar_files: dict[str, bytes], values: dict[str, Any] | None = None, *, seconds: float = 0.6
) -> MemorySource:
    """Two scenes of `seconds` each, without subtitles; `values` are set in timeline.json."""
    timeline = json.loads(solar_files["timeline.json"])
    timeline["scenes"] = timeline["scenes"][1:3]
    for index, scene in enumerate(timeline["scenes"]):
        scene.update(index=index, start=index * seconds, duration=seconds, transition_type="None")
        scene["visual_assets"] = scene["visual_assets"][:1]
        del scene["visual_assets"][0]["duration"]
    timeline["subtitles"]["enabled"] = False
    data = json.dumps(timeline).encode()
    for pointer, value in (values or {}).items():
        data = set_value(data, pointer, value)
    kept = {name: content for name, content in solar_files.items() if not name.startswith("scenes/")}
    return MemorySource({**kept, "timeline.json": data})


def loudness_of_film(source: MemorySource, path: Path) -> list[float]:
    render_export(source, find_preset("podcast"), path)
    return loudness_of(path)


class Recording:
    """Remembers what a render reports; `done` counts within the phase."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, int | None, str]] = []
        self.done = 0
        self.finished = 0

    def start(self, phase: str, total: int | None, unit: str) -> None:
        self.done = 0
        self.phases.append((phase, total, unit))

    def advance(self, amount: int) -> None:
        self.done += amount

    def finish(self) -> None:
        self.finished += 1

    def note(self, message: str) -> None:
        raise AssertionError(message)


def assert_no_children() -> None:
    """No decoding process of this one is alive."""
    children = Path("/proc/self/task")
    if children.is_dir():
        ours = [p.read_text().split() for p in children.glob("*/children")]
        names = [Path(f"/proc/{pid}/cmdline").read_bytes() for pids in ours for pid in pids if pid]
        assert not any(b"media_worker" in name for name in names)
