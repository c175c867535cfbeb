"""Renew docs/compare-report.png: the report of a version and an edited folder, as a browser shows it.

    python scripts/report_screenshot.py

Needs the optional part `media`, and Chromium. A test makes the same page and looks into it.
"""

import array
import json
import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIXTURE = ROOT / "fixtures/solar-system"
TARGET = ROOT / "docs/compare-report.png"
AURA = [sys.executable, "-c", "from aura_vcs.cli.entry import run; run()"]
SCRIPT = "INT. OBSERVATORY - NIGHT\n\nADA\nThere it is. Small, red and cold.\n\nShe writes a number in her notebook.\n"


def chromium() -> str | None:
    """The browser's command, if there is one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def make_report(folder: Path) -> Path:
    """A copy of the fixture project in `folder`, saved, edited as makers do, and its report beside it."""
    project, page = folder / "solar-system", folder / "report.html"
    shutil.copytree(FIXTURE, project)
    (project / "script.md").write_text(SCRIPT)
    _aura(project, "init", "--title", "The Solar System")
    _aura(project, "commit", "-m", "First cut")
    _edit_documents(project)
    _edit_pictures_and_sound(project / "assets")
    _edit_video(project / "assets/video/orbits.mp4")
    _aura(project, "diff", "--media", "--html", str(page))
    return page


def browse(page: Path, *options: str) -> str:
    """Open a page in headless Chromium; what it prints.

    Raises:
        subprocess.CalledProcessError: it failed. TimeoutExpired.
    """
    command = [chromium() or "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    quiet = ["background-networking", "component-update", "sync", "quic"]
    alone = ["--no-first-run", *(f"--disable-{name}" for name in quiet)]
    done = subprocess.run(
        [*command, *alone, profile, *options, page.as_uri()], capture_output=True, timeout=300, check=True
    )
    return done.stdout.decode("utf-8", "replace")


def screenshot(page: Path, target: Path, height: int = 2_950) -> None:
    """The page as a PNG file, 1240 pixels wide."""
    browse(page, f"--screenshot={target}", f"--window-size=1240,{height}")


def _aura(project: Path, *arguments: str) -> None:
    subprocess.run([*AURA, "-C", str(project), *arguments], check=True, capture_output=True)


def _edit_documents(project: Path) -> None:
    """Jupiter comes third, Mars is trimmed by 1.5 s, and words change."""
    timeline = json.loads((project / "timeline.json").read_text())
    scenes = timeline["scenes"]
    scenes.insert(2, scenes.pop(6))
    mars = next(scene for scene in scenes if scene["heading"] == "Mars")
    mars["duration"] = mars["visual_assets"][0]["duration"] = "00:00:05.5000000"
    at = 0.0
    for index, scene in enumerate(scenes):
        scene["index"], scene["start"] = index, f"00:{int(at // 60):02}:{at % 60:010.7f}"
        at += float(scene["duration"].rpartition(":")[2])
    (project / "timeline.json").write_text(json.dumps(timeline, indent=2))
    brief = json.loads((project / "brief.json").read_text())
    (project / "brief.json").write_text(json.dumps({**brief, "tone": "Short and dry"}, indent=2))
    (project / "script.md").write_text(
        SCRIPT.replace("red and", "rusty and").replace("notebook.", "notebook, and stops.")
    )


def _edit_pictures_and_sound(assets: Path) -> None:
    """Saturn is another picture, the music is silent for two seconds, and a take is new."""
    shutil.copyfile(assets / "images/090-ice-giants.png", assets / "images/080-saturn.png")
    shutil.copyfile(assets / "audio/050-mars.wav", assets / "audio/050-mars-take-2.wav")
    music = assets / "music/slow-orbit.wav"
    with wave.open(str(music)) as source:
        parameters = source.getparams()
        samples = array.array("h", source.readframes(parameters.nframes))
    second = parameters.framerate * parameters.nchannels
    samples[4 * second : 6 * second] = array.array("h", bytes(2 * 2 * second))
    with wave.open(str(music), "wb") as target:
        target.setparams(parameters)
        target.writeframes(samples.tobytes())


def _edit_video(path: Path) -> None:
    """The third second shows a plain colour."""
    import av
    from PIL import Image

    with av.open(str(path)) as source:
        pictures = [frame.to_image() for frame in source.decode(video=0)]
        rate = source.streams.video[0].average_rate
    assert rate is not None
    with av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *pictures[0].size, "yuv420p"
        for number, picture in enumerate(pictures):
            shown = Image.new("RGB", picture.size, (90, 0, 40)) if 2 <= number / rate < 3 else picture
            target.mux(stream.encode(av.VideoFrame.from_image(shown)))
        target.mux(stream.encode(None))


def main() -> None:
    """Make the page and take its picture."""
    with tempfile.TemporaryDirectory() as folder:
        screenshot(make_report(Path(folder)), TARGET)


if __name__ == "__main__":
    main()
