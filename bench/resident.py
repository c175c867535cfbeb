"""What stays while commands come and go: the watcher of a folder, and the helper that has started already."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench.measure import Sample, run
from bench.setting import Setting
from bench.story import edit_documents
from bench.table import Check, Row

NAMES = ("small-helped",)
ROUNDS = 15
LIMITS_MS = {"status": 35, "log": 30, "commit": 60}


def measure(setting: Setting) -> None:
    """All rows of NAMES that are wanted."""
    if setting.wants("small-helped") and setting.has_command("helper"):
        from bench.past import build, new_project

        folder = new_project(setting, "resident", "small")
        build(setting, "versions", folder, 1, setting.count(100, 5))
        setting.add(_helped(setting, folder))


@contextmanager
def watched(setting: Setting, folder: str) -> Iterator[None]:
    """Run a watcher of a project that has seen all files."""
    command = setting.aura.command
    subprocess.run([command, "watch", "start"], cwd=folder, env=setting.aura.env, capture_output=True, check=True)
    try:
        wait_until_seen(setting, folder)
        yield
    finally:
        subprocess.run([command, "watch", "stop"], cwd=folder, env=setting.aura.env, capture_output=True, check=True)


def wait_until_seen(setting: Setting, folder: str) -> None:
    """Wait until the watcher has compared what it heard of."""
    while True:
        done = subprocess.run([setting.aura.command, "watch", "status", "--json"], cwd=folder, env=setting.aura.env,
                              capture_output=True, check=True)  # fmt: skip
        if not json.loads(done.stdout)["watcher"]["waiting"]:
            return
        time.sleep(0.2)


@contextmanager
def helped(setting: Setting) -> Iterator[Mapping[str, str]]:
    """Run a helper of our own; yields the environment in which commands find it."""
    with tempfile.TemporaryDirectory(prefix="aura-b-", dir="/tmp") as folder:  # a socket has a short path
        env = {**setting.aura.env, "XDG_RUNTIME_DIR": folder}
        try:
            while not _helper(setting, env)["running"]:
                subprocess.run([setting.aura.command, "helper", "start"], env=env, capture_output=True, check=False)
            yield env
        finally:
            subprocess.run([setting.aura.command, "helper", "stop"], env=env, capture_output=True, check=True)


def _helped(setting: Setting, folder: str) -> Row:
    command = setting.aura.command
    with helped(setting) as env:

        def status(_: int) -> Sample:
            return run([command, "status"], folder, env)

        def log(_: int) -> Sample:
            return run([command, "log", "-n", "20"], folder, env)

        def commit(number: int) -> Sample:
            edit_documents(folder, 10_000 + number)
            return run([command, "commit", "-m", f"Edit {number}"], folder, env)

        row = Row("small-helped", "a small project, through the helper")
        tasks = {"status": status, "log": log, "commit": commit}
        row.times = setting.rounds({**tasks, "python -c pass": lambda _: setting.bare()}, ROUNDS)
        for name, limit in LIMITS_MS.items():
            row.checks.append(Check(name, row.times[name].median * 1000, limit, unit=" ms"))
        row.notes.append(f"{_helper(setting, env)['commands']} commands were run by the helper")
    return row


def _helper(setting: Setting, env: Mapping[str, str]) -> Any:
    """Ask whether the helper runs, and how many commands it has run."""
    command = [setting.aura.command, "helper", "status", "--json"]
    return json.loads(subprocess.run(command, env=env, capture_output=True, check=True).stdout)


def room_for_watches() -> int:
    """Return how many files of one user the system lets be watched; 0 where it is not known."""
    try:
        with open("/proc/sys/fs/inotify/max_user_watches", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def has_watcher() -> bool:
    """Tell whether watchers run here."""
    return os.path.exists("/proc/sys/fs/inotify/max_user_watches")
