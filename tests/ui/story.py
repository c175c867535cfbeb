"""A film with a history to look at: two branches, a merge with something left open, edited pictures and sounds."""

import json
import random
import shutil
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import aura_vcs as aura
import av
import numpy
from PIL import Image, ImageDraw, ImageEnhance

SAMPLE = Path(__file__).parents[2] / "fixtures" / "solar-system"
MARS = "assets/images/050-mars.png"
EARTH = "assets/audio/040-earth.wav"
CLIP = "assets/video/orbits.mp4"
SUBTITLES = "assets/subtitles/en.srt"
RAW = "assets/raw/take-1.mxf"
"""Material of the first version alone, which the remote holds."""


def tell_story(folder: Path) -> Path:
    """Make the project `film` in a folder, with the remote `nas` beside it; returns the project's folder."""
    root = folder / "film"
    shutil.copytree(SAMPLE, root)
    draw_clip(root / CLIP, 0)
    (root / RAW).parent.mkdir()
    (root / RAW).write_bytes(random.Random(7).randbytes(1_500_000))
    with aura.init(root, author="Mara Lind") as project:
        project.commit("First cut")
        edit(root / "timeline.json", lambda d: d["scenes"][1].update(duration="00:00:06.0000000"))
        edit(root / "voice.json", lambda d: d.update(rate=0.9))
        shutil.rmtree((root / RAW).parent)
        project.commit("Slower voice, tighter Sun", description="The Sun was two seconds too long.")
        _warmer(root / MARS)
        text = (root / SUBTITLES).read_text("utf-8")
        (root / SUBTITLES).write_text(text.replace("The Sun holds", "Our Sun holds"), "utf-8")
        project.commit("Warmer Mars, subtitles checked", important=True, author="Jonas Berg")
        project.branches.create("shorter")
        project.checkout("shorter")
        edit(root / "timeline.json", _cut)
        edit(root / "brief.json", lambda d: d.update(tone="Brisk, for a phone"))
        project.commit("Without the ice giants")
        project.checkout("main")
        edit(root / "brief.json", lambda d: d.update(tone="Warm and slow"))
        _re_record(root / EARTH)
        draw_clip(root / CLIP, 1)
        project.commit("Earth re-recorded, orbits with a comet")
        project.tags.create("premiere", message="For the cinema")
        project.remotes.add("nas", folder / "nas.aura")
        project.push("nas")
        project.merge("shorter", message="Both together")
        edit(root / "voice.json", lambda d: d.update(rate=0.95))
        (root / "notes.md").write_text("# Next\n\n* louder ending\n", "utf-8")
    return root


def edit(path: Path, change: Callable[[Any], object]) -> None:
    """Change a document."""
    value = json.loads(path.read_text("utf-8"))
    change(value)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _cut(timeline: Any) -> None:
    scenes = timeline["scenes"]
    scenes.insert(2, scenes.pop(5))
    del scenes[8]


def _warmer(path: Path) -> None:
    with Image.open(path) as picture:
        warm = ImageEnhance.Color(picture.convert("RGB")).enhance(1.8)
    warm.save(path)


def _re_record(path: Path) -> None:
    """Put another take into the middle of a narration."""
    with wave.open(str(path)) as sound:
        settings, data = sound.getparams(), sound.readframes(sound.getnframes())
    samples = numpy.frombuffer(data, dtype="<i2").copy()
    third = len(samples) // 3
    samples[third : third * 3 // 2] = (9_000 * numpy.sin(numpy.arange(third * 3 // 2 - third) * 0.05)).astype("<i2")
    with wave.open(str(path), "wb") as sound:
        sound.setparams(settings)
        sound.writeframes(samples.tobytes())


def draw_clip(path: Path, take: int) -> None:
    """Render three seconds of a planet on its orbit; in further takes a comet passes in the middle second.

    In take 2 the sun is another one.
    """
    with av.open(str(path), "w") as out:
        stream: Any = out.add_stream("libx264", rate=25, options={"preset": "ultrafast", "crf": "28"})
        stream.width, stream.height, stream.pix_fmt, stream.time_base = 480, 270, "yuv420p", Fraction(1, 25)
        for n in range(75):
            picture = Image.new("RGB", (480, 270), (8, 10, 22))
            draw = ImageDraw.Draw(picture)
            angle = n / 75 * 6.28
            x, y = 240 + 150 * float(numpy.cos(angle)), 135 + 80 * float(numpy.sin(angle))
            draw.ellipse((90, 55, 390, 215), outline=(50, 60, 90))
            draw.ellipse((210, 105, 270, 165), fill=(250, 190, 90) if take < 2 else (90, 200, 250))
            draw.ellipse((x - 14, y - 14, x + 14, y + 14), fill=(110, 160, 230))
            if take and 25 <= n < 50:
                at = (n - 25) * 14
                draw.polygon([(at - 60, 0), (at + 60, 0), (at + 150, 270), (at - 20, 270)], fill=(225, 240, 255))
            for packet in stream.encode(av.VideoFrame.from_image(picture)):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)


def clip_for_broadcast(path: Path) -> None:
    """Write two seconds in a form that browsers do not play."""
    with av.open(str(path), "w", format="mxf") as out:
        stream: Any = out.add_stream("mpeg2video", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for n in range(50):
            for packet in stream.encode(av.VideoFrame.from_image(Image.new("RGB", (320, 180), (n * 5, 40, 90)))):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
