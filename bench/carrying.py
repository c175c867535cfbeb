"""Rows about carrying projects between machines: pushes to a folder, clones, and syncs."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.data import write_media, write_small_files
from bench.measure import Sample, run
from bench.setting import Setting
from bench.story import copy_documents, edit_documents
from bench.table import Check, Row, ratio

NAMES = ("push-folder", "push-change", "push-requests", "clone-files", "sync-nothing")
ROUNDS = 3
QUICK_ROUNDS = 9
CLIPS = 4
CHANGE_BYTES = 1 << 20
SLOW = {"git": 1, "restic": 1}


def measure(setting: Setting) -> None:
    """All rows of NAMES that are wanted."""
    if not setting.has_command("push"):
        return
    if setting.wants("push-folder"):
        _push_folder(setting)
    if setting.wants("push-change"):
        _push_change(setting)
    if setting.wants("push-requests", "sync-nothing"):
        _small(setting)
    if setting.wants("clone-files"):
        _clone(setting)


def _aura(setting: Setting, folder: str, *words: str) -> Sample:
    return run([setting.aura.command, *words], folder, setting.aura.env)


def _project(setting: Setting, folder: str) -> None:
    """Make a folder a project with one version."""
    _aura(setting, folder, "init", "--title", "bench")
    _aura(setting, folder, "commit", "-m", "bench")


def _others(setting: Setting) -> list[str]:
    """The tools beside ours that carry files."""
    found = [name for name in ("git", "restic") if name in setting.tools]
    return found + (["rclone"] if shutil.which("rclone", path=setting.aura.env["PATH"]) else [])


def _shell(setting: Setting, folder: str, command: str) -> Sample:
    env = {**setting.aura.env, "RESTIC_FROM_PASSWORD": "bench"}
    return run(["sh", "-c", command], folder, env)


def _push_folder(setting: Setting) -> None:
    folder, stores = setting.place("push", "work"), setting.place("push", "stores")
    size = setting.bytes(1 << 30, least=CLIPS << 20) // CLIPS
    for number in range(CLIPS):
        write_media(os.path.join(folder, f"clip-{number}.mp4"), size, f"clip {number}")
    others = _others(setting)
    commands = {
        "cp": "cp -r .aura/objects {to} && sync -f {to}",
        "cp alone": "cp -r .aura/objects {to}",
        "rclone": "rclone copy .aura/objects {to}",
        "restic": f"restic -q -r {{to}} copy --from-repo {stores}/restic",
        "git": "git --git-dir {stores}/git push -q {to} HEAD:refs/heads/main",
    }
    commands = {name: text for name, text in commands.items() if name in others or name.startswith("cp")}
    _begin_others(setting, folder, stores, others)
    _project(setting, folder)
    for number in range(ROUNDS):
        _aura(setting, folder, "remote", "add", f"r{number}", os.path.join(stores, f"aura-{number}"))
    setting.settle()

    def push(name: str, number: int) -> Sample:
        if name == "aura":
            sample = _aura(setting, folder, "push", f"r{number}")
        else:
            to = os.path.join(stores, f"{name.replace(' ', '-')}-{number}")
            sample = _shell(setting, folder, commands[name].format(to=to, stores=stores))
        setting.settle()
        return sample

    row = Row("push-folder", f"first push of {size * CLIPS / 2**30:.3g} GiB that does not compress to a folder")
    row.times = setting.rounds({name: partial(push, name) for name in ("aura", *commands)}, ROUNDS, SLOW)
    ratio(row, "of the speed of cp and a sync", "aura", "cp", 0.6, at_least=True)
    row.notes.append("aura and cp end with everything on disk, the others leave that to the system")
    setting.add(row)


def _begin_others(setting: Setting, folder: str, stores: str, others: list[str]) -> None:
    """Repositories that hold the folder already, to be carried on from, and empty ones to go to."""
    if "git" in others:
        git = f"git --git-dir {stores}/git --work-tree ."
        _shell(setting, folder, f"git init -q --bare {stores}/git && {git} add -A && {git} commit -q -m bench")
        _shell(setting, folder, f"git init -q --bare {stores}/git-0")
    if "restic" in others:
        _shell(setting, folder, f"restic -q -r {stores}/restic init && restic -q -r {stores}/restic backup .")
        copied = f"--from-repo {stores}/restic --copy-chunker-params"
        _shell(setting, folder, f"restic -q -r {stores}/restic-0 init {copied}")


def _push_change(setting: Setting) -> None:
    """Every round writes other bytes over one place of one large file."""
    folder, stores = setting.place("change", "work"), setting.place("change", "stores")
    size = setting.bytes(512 << 20)
    path, place = os.path.join(folder, "take.mov"), os.path.join(stores, "aura")
    write_media(path, size, "take")
    _project(setting, folder)
    _aura(setting, folder, "remote", "add", "origin", place)
    _aura(setting, folder, "push")
    has_rclone = "rclone" in _others(setting)
    sent: list[int] = []
    done: set[int] = set()

    def prepared(number: int) -> None:
        if number in done:
            return
        done.add(number)
        with open(path, "r+b") as file:
            file.seek(random.Random(number).randrange(size - CHANGE_BYTES))
            file.write(random.Random(f"change {number}").randbytes(CHANGE_BYTES))
        _aura(setting, folder, "commit", "-m", f"change {number}")
        setting.settle()

    def push(number: int) -> Sample:
        prepared(number)
        before = _bytes_below(place)
        sample = _aura(setting, folder, "push")
        sent.append(_bytes_below(place) - before)
        return sample

    def rclone(number: int) -> Sample:
        prepared(number)
        return _shell(setting, folder, f"rclone copy take.mov {stores}/rclone")

    tasks: dict[str, Callable[[int], Sample]] = {"aura": push, "python": lambda _: setting.baseline()}
    if has_rclone:
        tasks["rclone"] = rclone
    row = Row("push-change", f"push after {CHANGE_BYTES >> 20} MiB changed in a file of {size >> 20} MiB")
    row.times = setting.rounds(tasks, ROUNDS)
    row.checks.append(Check("sent", max(sent) / 1e6, 3, unit=" MB"))
    row.checks.append(Check("a push, which scans nothing", row.times["aura"].median, 2, unit=" s"))
    setting.add(row)


def _bytes_below(folder: str) -> int:
    return sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(folder) for name in names)


def _counted(setting: Setting, what: str, folder: str, place: str) -> Any:
    """Run bench.counting; what it tells."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    done = subprocess.run(
        [sys.executable, "-m", "bench.counting", what, folder, place],
        env={**setting.aura.env, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def _small(setting: Setting) -> None:
    """A project of documents: a small push, and a sync with nothing to do."""
    folder, place = setting.place("small", "work"), os.path.join(setting.disk, "small", "remote")
    copy_documents(folder)
    _project(setting, folder)
    _aura(setting, folder, "remote", "add", "origin", place)
    for number in range(1, setting.count(30, 3)):
        edit_documents(folder, number)
        _aura(setting, folder, "commit", "-m", f"edit {number}")
        _aura(setting, folder, "push")
    if setting.wants("push-requests"):
        _push_requests(setting, folder, place)
    if setting.wants("sync-nothing"):
        _aura(setting, folder, "sync")
        _sync_nothing(setting, folder, place)


def _push_requests(setting: Setting, folder: str, place: str) -> None:
    numbers = iter(range(1000, 2000))

    def push(_: int) -> Sample:
        edit_documents(folder, next(numbers))
        _aura(setting, folder, "commit", "-m", "small")
        return _aura(setting, folder, "push")

    row = Row("push-requests", "push of one small commit")
    row.times = setting.rounds({"aura": push, "python": lambda _: setting.baseline()}, ROUNDS)
    edit_documents(folder, next(numbers))
    _aura(setting, folder, "commit", "-m", "small")
    found = _counted(setting, "push", folder, place)
    row.checks.append(Check("requests", found["requests"], 6, unit=""))
    row.notes.append(f"{found['sent']:,} bytes sent")
    setting.add(row)


def _sync_nothing(setting: Setting, folder: str, place: str) -> None:
    row = Row("sync-nothing", "sync with nothing to do, to a folder")
    row.times = setting.rounds(
        {
            "aura": lambda _: _aura(setting, folder, "sync"),
            "aura log -n 1": lambda _: _aura(setting, folder, "log", "-n", "1"),
            "python": lambda _: setting.baseline(),
        },
        QUICK_ROUNDS,
    )
    beyond = (row.times["aura"].median - row.times["python"].median) * 1000
    row.checks.append(Check("requests", _counted(setting, "sync", folder, place)["requests"], 3, unit=""))
    row.checks.append(Check("beyond Python's start", beyond, 100, unit=" ms"))
    setting.add(row)


def _clone(setting: Setting) -> None:
    folder, stores = setting.place("clone", "work"), setting.place("clone", "stores")
    count = setting.count(20_000, 200)
    write_small_files(folder, count, "small files")
    place = os.path.join(stores, "aura")
    tasks: dict[str, Callable[[int], Sample]] = {
        "aura": lambda number: _aura(setting, stores, "clone", place, f"aura-{number}")
    }
    if "git" in setting.tools:
        git = f"git --git-dir {stores}/git --work-tree ."
        _shell(setting, folder, f"git init -q --bare {stores}/git && {git} add -A && {git} commit -q -m bench")
        clone = "git clone -q --no-local {stores}/git {stores}/git-{number}"
        tasks["git"] = lambda number: _shell(setting, stores, clone.format(stores=stores, number=number))
    _project(setting, folder)
    _aura(setting, folder, "remote", "add", "origin", place)
    _aura(setting, folder, "push")
    setting.settle()
    row = Row("clone-files", f"clone of {count:,} files of 2 to 4 KB from a folder")
    row.times = setting.rounds(tasks, ROUNDS)
    ratio(row, "of git's time (--no-local)", "aura", "git", 1)
    row.notes.append("aura hashes everything and ends with a sync of the disk, git leaves that to the system")
    setting.add(row)
