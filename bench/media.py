"""Rows about large media."""

import os
import shutil
from functools import partial

from bench.data import cut_wav, insert_at_head, move_moov_to_front, write_media, write_mp4, write_wav
from bench.measure import Sample
from bench.setting import Setting, check_is_back, empty
from bench.table import Check, Row, ratio
from bench.tools import Tool, stored_bytes

NAMES = ("media", "media-in-memory", "checkout-media", "insert", "mp4-moov", "wav-cut")
ROUNDS = 3
CLIPS = 4
SLOW = {"git": 1, "hg": 1}
"""Take minutes for large media, and vary little."""
NEVER = ("hg",)
"""Holds each file in memory several times over."""


def measure(setting: Setting) -> None:
    """All rows of NAMES that are wanted."""
    if setting.wants("media", "checkout-media"):
        _media(setting)
    if setting.wants("media-in-memory") and setting.memory is not None:
        _media_in_memory(setting, setting.memory)
    if setting.wants("insert"):
        _insert(setting)
    if setting.wants("mp4-moov"):
        _mp4(setting)
    if setting.wants("wav-cut"):
        _wav(setting)


def _clips(setting: Setting, folder: str) -> int:
    size = setting.bytes(2 << 30, least=CLIPS << 20) // CLIPS
    for number in range(CLIPS):
        write_media(os.path.join(folder, f"clip-{number}.mp4"), size, f"clip {number}")
    return size * CLIPS


def _begun(tools: dict[str, Tool], folder: str, stores: str, rounds: int) -> dict[str, list[str]]:
    """Empty stores: for every tool, one for each round that it takes part in."""
    found: dict[str, list[str]] = {}
    for name, tool in tools.items():
        found[name] = [
            os.path.join(stores, f"{name}-{number}") for number in range(min(rounds, SLOW.get(name, rounds)))
        ]
        for store in found[name]:
            tool.begin(folder, store)
    return found


def _media(setting: Setting) -> None:
    folder, stores = setting.place("media", "work"), setting.place("media", "stores")
    size = _clips(setting, folder)
    tools = setting.but(*NEVER)
    begun = _begun(tools, folder, stores, ROUNDS)
    setting.settle()

    def save(name: str, number: int) -> Sample:
        sample = tools[name].save(folder, begun[name][number])
        setting.settle()  # what one tool left in memory is not the next one's to write
        return sample

    row = Row("media", f"first commit of {size / 2**30:.3g} GiB that does not compress, in {CLIPS} files, on disk")
    row.times = setting.rounds({name: partial(save, name) for name in tools}, ROUNDS, SLOW)
    ratio(row, "of cp's speed", "aura", "cp", 0.85, at_least=True)
    ratio(row, "of borg's time", "aura", "borg", 1)
    ratio(row, "times faster than git", "aura", "git", 5, at_least=True)
    setting.add(row)
    if setting.wants("checkout-media"):
        _checkout(setting, folder, begun, size)


def _checkout(setting: Setting, folder: str, begun: dict[str, list[str]], size: int) -> None:
    tools = setting.but(*NEVER, "git")

    def checkout(name: str, number: int) -> Sample:
        empty(folder, os.path.join(setting.disk, "media", f"aside-{name}-{number}"))
        sample = tools[name].checkout(folder, begun[name][number])
        check_is_back(folder, CLIPS)
        return sample

    row = Row("checkout-media", f"checkout of {size / 2**30:.3g} GiB into an empty folder, on disk")
    row.times = setting.rounds({name: partial(checkout, name) for name in tools}, ROUNDS, {"restic": 1, "borg": 2})
    ratio(row, "of cp's time", "aura", "cp", 1.2)
    row.notes.append("aura and cp end with a sync, the others leave that to the system")
    setting.add(row)


def _media_in_memory(setting: Setting, memory: str) -> None:
    """Where the disk costs nothing. Pages are used again: every store goes before the next one comes."""
    folder = os.path.join(memory, "work")
    os.mkdir(folder)
    size = _clips(setting, folder)
    tools = {name: setting.tools[name] for name in ("aura", "cp") if name in setting.tools}

    def save(name: str, number: int) -> Sample:
        store = os.path.join(memory, f"{name}-{number}")
        tools[name].begin(folder, store)
        sample = tools[name].save(folder, store)
        shutil.rmtree(store)
        return sample

    for name in tools:
        save(name, ROUNDS)  # once unmeasured, so that the memory is the machine's already
    row = Row("media-in-memory", f"the same {size / 2**30:.3g} GiB on a file system in memory")
    row.times = setting.rounds({name: partial(save, name) for name in tools}, ROUNDS)
    ratio(row, "of cp's speed", "aura", "cp", 0.5, at_least=True)
    setting.add(row)
    shutil.rmtree(folder)


def _insert(setting: Setting) -> None:
    """Every round puts 100 more bytes in front; every tool saves that into the store it has."""
    size = setting.bytes(512 << 20)
    folder, stores = setting.place("insert", "work"), setting.place("insert", "stores")
    path = os.path.join(folder, "clip.mp4")
    write_media(path, size, "insert")
    tools = setting.but(*NEVER, "cp")
    grown: dict[str, list[int]] = {name: [] for name in tools}
    for name, tool in tools.items():
        tool.begin(folder, os.path.join(stores, name))
        tool.save(folder, os.path.join(stores, name), "before")
    done: set[int] = set()

    def save(name: str, number: int) -> Sample:
        if number not in done:
            insert_at_head(path, 100, f"insert {number}")
            setting.settle()
            done.add(number)
        store = os.path.join(stores, name)
        before = stored_bytes(store, without="local")
        sample = tools[name].save(folder, store, f"insert-{number}")
        grown[name].append(stored_bytes(store, without="local") - before)
        return sample

    row = Row("insert", f"commit after 100 bytes were put in front of a {size >> 20} MiB file")
    row.times = setting.rounds({name: partial(save, name) for name in tools}, ROUNDS, SLOW)
    row.checks.append(Check("new bytes stored", 100 * max(grown["aura"]) / size, 0.1, unit=" %"))
    ratio(row, "times faster than borg", "aura", "borg", 2, at_least=True)
    ratio(row, "times faster than restic", "aura", "restic", 2, at_least=True)
    row.notes += [f"{name} stored {max(sizes) / 1e3:,.0f} kB more" for name, sizes in grown.items()]
    setting.add(row)


def _mp4(setting: Setting) -> None:
    size = setting.bytes(256 << 20)
    folder, stores = setting.place("mp4", "work"), setting.place("mp4", "stores")
    write_mp4(os.path.join(stores, "camera.mp4"), size, "film")
    move_moov_to_front(os.path.join(stores, "camera.mp4"), os.path.join(stores, "web.mp4"))
    row = Row("mp4-moov", f"MP4 of {size >> 20} MiB, its moov moved from the end to the front")
    _grow(setting, row, folder, stores, ("camera.mp4", "web.mp4"), 1)


def _wav(setting: Setting) -> None:
    seconds = max(20, 300 * setting.scale)
    folder, stores = setting.place("wav", "work"), setting.place("wav", "stores")
    write_wav(os.path.join(stores, "take.wav"), seconds, "sound")
    cut_wav(os.path.join(stores, "take.wav"), os.path.join(stores, "cut.wav"), seconds / 3, 2)
    row = Row("wav-cut", f"2 s cut from a WAV of {seconds:.0f} s")
    _grow(setting, row, folder, stores, ("take.wav", "cut.wav"), 4)


def _grow(
    setting: Setting, row: Row, folder: str, stores: str, versions: tuple[str, str], bound_percent: float
) -> None:
    """Save one file, then its successor, and see by how much each store grew."""
    tools = setting.but(*NEVER, "cp", "git")
    suffix = os.path.splitext(versions[0])[1]
    growth = {}
    for name, tool in tools.items():
        store = os.path.join(stores, name)
        tool.begin(folder, store)
        sizes = []
        for version in versions:
            target = os.path.join(folder, f"media{suffix}")
            shutil.copyfile(os.path.join(stores, version), target)
            tool.save(folder, store, version)
            sizes.append(stored_bytes(store, without="local"))
        growth[name] = 100 * (sizes[1] - sizes[0]) / os.path.getsize(os.path.join(stores, versions[1]))
    row.checks.append(Check("new bytes stored", growth["aura"], bound_percent, unit=" %"))
    row.notes += [f"{name} {percent:.2g} % more" for name, percent in growth.items()]
    setting.add(row)
