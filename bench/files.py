"""Rows about 20,000 small files."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial

from bench.data import edit_small_files, write_small_files
from bench.measure import Sample, run
from bench.resident import watched
from bench.setting import Setting, check_is_back, empty
from bench.table import Check, Row, ratio

NAMES = ("first-commit", "edit-commit", "status", "status-watched", "status-calls", "diff", "checkout-files")
ROUNDS = 3
QUICK_ROUNDS = 9


def measure(setting: Setting) -> None:
    """All rows of NAMES that are wanted."""
    if not setting.wants(*NAMES):
        return
    count = setting.count(20_000, 200)
    folder = setting.place("files", "work")
    stores = setting.place("files", "stores")
    paths = write_small_files(folder, count, "small files")
    setting.settle()
    _first_commit(setting, folder, stores, count)
    if setting.wants("status", "status-watched", "status-calls"):
        _status(setting, folder, stores, count)
    if setting.wants("edit-commit", "diff"):
        _edit_commit(setting, folder, stores, paths)
        _diff(setting, folder, stores, count)
    if setting.wants("checkout-files"):
        _checkout(setting, folder, stores, count)


def _store(stores: str, tool: str, number: int) -> str:
    return os.path.join(stores, f"{tool}-{number}")


def _first_commit(setting: Setting, folder: str, stores: str, count: int) -> None:
    for name, tool in setting.tools.items():
        for number in range(ROUNDS):
            tool.begin(folder, _store(stores, name, number))

    def save(name: str, number: int) -> Sample:
        return setting.tools[name].save(folder, _store(stores, name, number))

    row = Row("first-commit", f"first commit of {count:,} files of 2 to 4 KB")
    row.times = setting.rounds({name: partial(save, name) for name in setting.tools}, ROUNDS)
    ratio(row, "times faster than git", "aura", "git", 3, at_least=True)
    if "git" in row.times:
        slowest = row.times["git"].median / max(sample.seconds for sample in row.times["aura"].samples)
        row.checks.append(Check("times faster than git, the slowest of all runs", slowest, 2.5, at_least=True))
    setting.add(row)


def _edit_commit(setting: Setting, folder: str, stores: str, paths: list[str]) -> None:
    """Every round edits other files, and every tool saves them into its last store."""
    edits = max(1, len(paths) // 200)
    done: set[int] = set()

    def save(name: str, number: int) -> Sample:
        if number not in done:
            edit_small_files(paths, edits, f"edit {number}")
            done.add(number)
        return setting.tools[name].save(folder, _store(stores, name, ROUNDS - 1), f"edit-{number}")

    row = Row("edit-commit", f"commit after editing {edits} of {len(paths):,} files")
    tasks = {name: partial(save, name) for name in setting.but("cp")}
    row.times = setting.rounds(tasks, ROUNDS + 2)
    ratio(row, "of git's time", "aura", "git", 1.2)
    setting.add(row)


def _status(setting: Setting, folder: str, stores: str, count: int) -> None:
    commands = {"aura": f"{setting.aura.command} status", "git": "git status --short", "hg": "hg status"}
    present = {name: command for name, command in commands.items() if name in setting.tools}

    def status(name: str, _: int) -> Sample:
        return setting.tools[name].measured(present[name], folder, _store(stores, name, ROUNDS - 1))

    for name in present:
        status(name, 0)  # the first one after a commit refreshes what the tool remembers of the files
    row = Row("status", f"clean status of {count:,} files, a new process each time")
    tasks = {name: partial(status, name) for name in present}
    row.times = setting.rounds({**tasks, "python": lambda _: setting.baseline()}, QUICK_ROUNDS)
    ratio(row, "of git's time", "aura", "git", 1.5)
    setting.add(row)
    if setting.wants("status-watched") and sys.platform == "linux":
        setting.add(_status_watched(setting, folder, _store(stores, "aura", ROUNDS - 1), count))
    if setting.wants("status-calls") and shutil.which("strace"):
        setting.add(_status_calls(setting, folder, _store(stores, "aura", ROUNDS - 1), count))


def _status_watched(setting: Setting, folder: str, store: str, count: int) -> Row:
    """The same with a watcher that has seen all files."""
    inside, command = os.path.join(folder, ".aura"), setting.aura.command
    row = Row("status-watched", f"clean status of {count:,} files, of which a watcher knows")
    tasks = {
        "aura": lambda _: run([command, "status"], folder, setting.aura.env),
        "python -c pass": lambda _: setting.bare(),
    }
    os.rename(store, inside)
    try:
        with watched(setting, folder):
            row.times = setting.rounds(tasks, QUICK_ROUNDS)
    finally:
        os.rename(inside, store)
    beyond = row.times["aura"].median - row.times["python -c pass"].median
    row.checks.append(Check("beyond `python -c pass`", 1000 * beyond, 60, unit=" ms"))
    return row


def _status_calls(setting: Setting, folder: str, store: str, count: int) -> Row:
    """Counts with strace what a clean status asks of the system about the person's files."""
    log = os.path.join(setting.disk, "strace.txt")
    command = f"strace -f -qq -e trace=%file,%desc -o {log} {setting.aura.command} status"
    setting.aura.measured(command, folder, store)
    stats = opened = 0
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            if f'"{folder}/' not in line or "/.aura" in line:
                continue
            stats += "stat(" in line or "fstatat" in line or "statx(" in line
            opened += "openat(" in line and "O_DIRECTORY" not in line
    row = Row("status-calls", f"what that status asks of the system about {count:,} files")
    row.checks.append(Check("stat calls for each file", stats / count, 1.0 + 10 / count, unit=""))
    row.checks.append(Check("files opened (so: bytes hashed)", opened, 0, unit=""))
    row.notes.append("counted by strace")
    return row


def _diff(setting: Setting, folder: str, stores: str, count: int) -> None:
    """Two more versions: the second changes one file of all."""
    if not setting.wants("diff"):
        return
    store = _store(stores, "aura", ROUNDS - 1)
    setting.aura.save(folder, store)
    path = os.path.join(folder, "part-000", "shot-00", "000007.json")
    with open(path, "a", encoding="utf-8") as file:
        file.write("\n")
    setting.aura.save(folder, store)
    command = setting.aura.command
    os.rename(store, os.path.join(folder, ".aura"))
    found = subprocess.run(
        [command, "log", "-n", "2", "--oneline"], cwd=folder, env=setting.aura.env, capture_output=True, check=True
    )
    os.rename(os.path.join(folder, ".aura"), store)
    new, old = (line.split()[0].decode() for line in found.stdout.splitlines()[:2])

    def aura(arguments: str, _: int) -> Sample:
        return setting.aura.measured(f"{command} {arguments}", folder, store)

    row = Row("diff", f"diff of two versions of {count:,} files, one of them changed")
    row.times = setting.rounds(
        {
            "aura diff": partial(aura, f"diff {old} {new}"),
            "aura diff --stat": partial(aura, f"diff {old} {new} --stat"),
            "aura log -n 1": partial(aura, "log -n 1"),
            "python": lambda _: setting.baseline(),
            **_git_diff(setting, folder, stores, path),
        },
        QUICK_ROUNDS,
    )
    if "git" in row.times:
        ours, git = row.times["aura diff"].median, row.times["git"].median
        row.checks.append(
            Check(
                "beyond Python's start, 1.5 × git", 1000 * (ours - row.times["python"].median), 1500 * git, unit=" ms"
            )
        )
        row.checks.append(Check("beyond git", 1000 * (ours - git), 40, unit=" ms"))
    beyond = (row.times["aura diff"].median - row.times["aura log -n 1"].median) * 1000
    row.checks.append(Check("beyond the start (`aura log -n 1`)", beyond, 30, unit=" ms"))
    setting.add(row)


def _git_diff(setting: Setting, folder: str, stores: str, path: str) -> dict[str, Callable[[int], Sample]]:
    """Make two versions in git of which the second changes the same file; the task that compares them."""
    git = setting.tools.get("git")
    if git is None:
        return {}
    store = _store(stores, "git", ROUNDS - 1)
    for _ in range(2):
        with open(path, "a", encoding="utf-8") as file:
            file.write("\n")
        git.save(folder, store)
    return {"git": lambda _: git.measured("git diff HEAD~1 HEAD", folder, store)}


def _checkout(setting: Setting, folder: str, stores: str, count: int) -> None:
    """Into the same folder, emptied by moving aside what is in it."""

    def checkout(name: str, number: int) -> Sample:
        empty(folder, os.path.join(setting.disk, "files", f"aside-{name}-{number}"))
        sample = setting.tools[name].checkout(folder, _store(stores, name, number))
        check_is_back(folder, count)
        return sample

    row = Row("checkout-files", f"checkout of {count:,} files into an empty folder")
    row.times = setting.rounds({name: partial(checkout, name) for name in setting.tools}, ROUNDS)
    ratio(row, "of git's time", "aura", "git", 1)
    row.notes.append("aura and cp end with a sync of the disk, the others leave that to the system")
    setting.add(row)
