"""Rows about looking into media: beside decoding the same files with PyAV and as many threads."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

from bench.measure import Sample, run, run_whole
from bench.setting import Setting
from bench.table import Check, Row, number, ratio

NAMES = ("media-index", "media-diff", "media-first-diff")
ROUNDS = 5
SIZE = (1920, 1080)
RATE = 25
DECODE = """
import sys, threading
import av
def decode(path, threads):
    with av.open(path) as container:
        for stream in container.streams.video:
            stream.thread_type, stream.codec_context.thread_count = "AUTO", threads
        for packet in container.demux():
            for frame in packet.decode():
                pass
threads, *paths = sys.argv[1:]
jobs = [threading.Thread(target=decode, args=(path, int(threads))) for path in paths]
for job in jobs: job.start()
for job in jobs: job.join()
"""


def measure(setting: Setting) -> None:
    """All rows of NAMES that are wanted; none without the extra `media`."""
    if not setting.wants(*NAMES) or any(find_spec(name) is None for name in ("av", "numpy", "PIL")):
        return
    folder = setting.place("footage", "work")
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    long = os.path.join(setting.place("footage", "clips"), "long.mp4")
    old, new = (os.path.join(os.path.dirname(long), name) for name in ("old.mp4", "new.mp4"))
    if setting.wants("media-index"):
        _write_apart(long, setting.count(60 * RATE, least=10), range(0))
        _index(setting, folder, long, threads)
    if setting.wants("media-diff", "media-first-diff"):
        count = setting.count(12 * RATE, least=10)
        _write_apart(old, count, range(0))
        _write_apart(new, count, range(count * 5 // 12, count // 2))
        _diffs(setting, folder, old, new, threads)


def _write_apart(path: str, count: int, boxed: range) -> None:
    """Write a clip in a process of its own: what it takes of memory would count for every process begun after it."""
    code = f"from bench.footage import write_clip; write_clip({path!r}, {count}, {boxed!r})"
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)


def write_clip(path: str, count: int, boxed: range) -> None:
    """Write a clip in H.264 at 8 Mbit/s: a landscape of noise that a camera pans over, with a box in some frames."""
    import av
    import numpy as np

    dice = np.random.default_rng(7)
    coarse = dice.integers(0, 255, (68, 120, 3), dtype=np.uint8)
    scene = np.kron(coarse, np.ones((32, 32, 1), np.uint8)).astype(np.int16)
    scene = np.clip(scene + dice.normal(0, 12, scene.shape), 0, 255).astype(np.uint8)

    def frames() -> Iterator[Any]:
        for n in range(count):
            x, y = (3 * n) % (scene.shape[1] - SIZE[0]), (2 * n) % (scene.shape[0] - SIZE[1])
            picture = scene[y : y + SIZE[1], x : x + SIZE[0]].copy()
            if n in boxed:
                picture[900:1000, 1200:1400] = 255
            yield av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")

    with av.open(path, "w") as target:
        stream = target.add_stream("libx264", rate=RATE, options={"preset": "veryfast", "b": "8000000"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for frame in frames():
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


def _decode(setting: Setting, folder: str, threads: int, *paths: str) -> Sample:
    return run_whole([sys.executable, "-c", DECODE, str(threads), *paths], folder, setting.aura.env)


def _index(setting: Setting, folder: str, clip: str, threads: int) -> None:
    project = os.path.join(folder, "index")
    _begin(setting, project, clip)

    def index(_: int) -> Sample:
        run([setting.aura.command, "gc", "--media-index"], project, setting.aura.env)
        return run_whole([setting.aura.command, "media", "index"], project, setting.aura.env)

    row = Row("media-index", f"every frame of a clip of 1080p H.264 looked at, {os.path.getsize(clip) >> 20} MiB")
    tasks = {"aura": index, "PyAV": lambda _: _decode(setting, folder, threads, clip)}
    row.times = setting.rounds(tasks, ROUNDS)
    ratio(row, "of the time to decode it", "aura", "PyAV", 1.3)
    _note_processor(row)
    setting.add(row)


def _diffs(setting: Setting, folder: str, old: str, new: str, threads: int) -> None:
    project = os.path.join(folder, "diff")
    _begin(setting, project, old)
    aura, env = setting.aura.command, setting.aura.env
    run([aura, "commit", "-m", "before"], project, env)
    os.replace(os.path.join(project, "clip.mp4"), os.path.join(folder, "aside.mp4"))
    os.link(new, os.path.join(project, "clip.mp4"))

    def first(_: int) -> Sample:
        run([aura, "gc", "--media-index"], project, env)
        return run_whole([aura, "diff", "--media"], project, env)

    row = Row("media-first-diff", "first comparison of two clips of 12 s in 1080p")
    tasks = {"aura": first, "PyAV": lambda _: _decode(setting, folder, max(1, threads // 2), old, new)}
    row.times = setting.rounds(tasks, ROUNDS)
    ratio(row, "of the time to decode both", "aura", "PyAV", 1.5)
    _note_processor(row)
    setting.add(row)
    row = Row("media-diff", "the same two compared once more")
    plain = partial(run, [aura, "diff", "--no-media"], project, env)
    tasks = {"aura": lambda _: run([aura, "diff"], project, env), "headers": lambda _: plain()}
    row.times = setting.rounds(tasks, ROUNDS + 4)
    beyond = row.times["aura"].median - row.times["headers"].median
    row.checks.append(Check("beyond `aura diff --no-media`", beyond * 1000, 100, unit=" ms"))
    setting.add(row)


def _note_processor(row: Row) -> None:
    """Say what it took of the processor, beside decoding: that hardly depends on what else the machine does."""
    ours, theirs = row.times["aura"].processor_median, row.times["PyAV"].processor_median
    row.notes.append(f"{number(ours / theirs)} × the processor time of decoding")
    pairs = zip(row.times["aura"].samples, row.times["PyAV"].samples, strict=True)
    row.notes.append("in each round " + ", ".join(number(one.seconds / other.seconds) for one, other in pairs))


def _begin(setting: Setting, project: str, clip: str) -> None:
    os.mkdir(project)
    os.link(clip, os.path.join(project, "clip.mp4"))
    run([setting.aura.command, "init"], project, setting.aura.env)
