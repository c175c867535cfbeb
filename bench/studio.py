"""Rows about the studio: checkpoints of a renderer, and the list of projects."""

import json
import os
import subprocess
import threading
import uuid

from bench.data import write_media
from bench.measure import Sample, Times, run
from bench.past import build, new_project
from bench.setting import Setting
from bench.table import Check, Row

NAMES = ("checkpoint", "projects")
ROUNDS = 9


def measure(setting: Setting) -> None:
    """All rows of NAMES that are wanted and whose commands there are."""
    if setting.wants("checkpoint") and setting.has_command("checkpoint"):
        _checkpoint(setting)
    if setting.wants("projects") and setting.has_command("projects"):
        _projects(setting)


def _checkpoint(setting: Setting) -> None:
    """Saves through the library, while the command commits media into the same project again and again."""
    folder = new_project(setting, "checkpoint")
    size = setting.bytes(512 << 20)
    done = threading.Event()
    commits: list[Sample] = []

    def commit() -> None:
        while not done.is_set():
            write_media(os.path.join(folder, "assets", "clip.mp4"), size, f"checkpoint {len(commits)}")
            commits.append(run([setting.aura.command, "commit", "-m", "Render"], folder, setting.aura.env))

    worker = threading.Thread(target=commit)
    os.makedirs(os.path.join(folder, "assets"), exist_ok=True)
    worker.start()
    try:
        beside = build(setting, "checkpoints", folder, setting.count(200, 20))
    finally:
        done.set()
        worker.join()
    alone = build(setting, "checkpoints", folder, setting.count(200, 20))
    row = Row("checkpoint", f"saving a checkpoint through the library, beside commits of {size >> 20} MiB")
    row.times = {
        "aura, beside a commit": Times([Sample(seconds) for seconds in beside]),
        "aura, alone": Times([Sample(seconds) for seconds in alone]),
    }
    row.checks.append(Check("median", row.times["aura, beside a commit"].median * 1000, 20, unit=" ms"))
    row.notes.append(f"{len(beside)} saves, {len(commits)} commits")
    setting.add(row)


def _projects(setting: Setting) -> None:
    count = setting.count(10_000, 100)
    folder, fresh = setting.place("projects", "many"), new_project(setting, "projects", "new")
    setting.say(f"  making {count:,} projects")
    for number in range(count):
        _project(os.path.join(folder, f"{number // 100:03}", f"{number:05}"), number)
    env, command = setting.aura.env, setting.aura.command
    scanned = run([command, "projects", "scan", folder], folder, env)
    found = subprocess.run(
        [command, "projects", "list", "--json"], cwd=folder, env=env, stdout=subprocess.PIPE, check=True
    )
    row = Row("projects", f"first page of {count:,} projects")
    row.notes.append(f"{len(json.loads(found.stdout)['projects'])} shown; finding them took {scanned.seconds:.1f} s")
    row.times = setting.rounds(
        {
            "aura projects list": lambda _: run([command, "projects", "list"], folder, env),
            "aura log, new project": lambda _: run([command, "log", "-n", "1"], fresh, env),
        },
        ROUNDS,
    )
    beyond = row.times["aura projects list"].median - row.times["aura log, new project"].median
    row.checks.append(Check("beyond the start", beyond * 1000, 50, unit=" ms"))
    setting.add(row)


def _project(folder: str, number: int) -> None:
    """The least that makes a folder a project."""
    os.makedirs(os.path.join(folder, ".aura"))
    project = str(uuid.UUID(int=number + 1, version=4))
    records: dict[str, dict[str, object]] = {
        ".aura/format.json": {"format": 1, "project": project},
        "project.json": {"id": project},
    }
    records["project.json"] |= {"title": f"Film {number}", "status": "InProgress", "category": f"Series {number % 7}"}
    for name, record in records.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(record, file)
