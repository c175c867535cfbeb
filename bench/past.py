"""Rows about projects with a long past, and about small ones."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.measure import Sample, Times, run
from bench.setting import Setting
from bench.story import copy_documents, edit_documents
from bench.table import Check, Row
from bench.tools import stored_bytes

NAMES = ("versions", "small-commit", "log", "example", "gc", "million", "ops")
ROUNDS = 9
FEW_VERSIONS = 10
GIT_COMMIT = "git add -A && git commit -q -m bench"


def measure(setting: Setting) -> None:
    """All rows of NAMES that are wanted."""
    if setting.wants("versions", "small-commit", "log"):
        _past(setting)
    if setting.wants("example"):
        _example(setting)
    if setting.wants("gc"):
        _collect(setting)
    if setting.wants("million"):
        _million(setting)
    if setting.wants("ops") and setting.has_command("ops"):
        _operations(setting)


def build(setting: Setting, *words: str | int) -> Any:
    """Run bench.build; what it tells."""
    arguments = [sys.executable, "-m", "bench.build", *map(str, words)]
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    env = {**setting.aura.env, "PYTHONPATH": root}
    found = subprocess.run(arguments, cwd=setting.disk, env=env, stdout=subprocess.PIPE, check=True)
    return json.loads(found.stdout) if found.stdout else None


def new_project(setting: Setting, *names: str) -> str:
    """A folder with the example's documents, made a project."""
    folder = setting.place(*names)
    copy_documents(folder)
    run([setting.aura.command, "init"], folder, setting.aura.env)
    return folder


def _past(setting: Setting) -> None:
    """The same edits in three projects: of a few versions, of many, and of many in git."""
    count = setting.count(1000, 30)
    setting.say(f"  making {count} versions")
    few, many = new_project(setting, "past", "few"), new_project(setting, "past", "many")
    build(setting, "versions", few, 1, FEW_VERSIONS)
    build(setting, "versions", many, 1, count)
    git = _git_past(setting, count) if "git" in setting.tools else None
    if setting.wants("small-commit", "versions"):
        _small_commit(setting, {"few": few, "many": many}, git, count)
    if setting.wants("log"):
        _log(setting, many, count)
    if setting.wants("versions"):
        _sizes(setting, many, git, count + ROUNDS)


def _git_past(setting: Setting, count: int) -> str:
    """Git without its sample hooks, which are larger than the whole example."""
    folder, env = setting.place("past", "git"), setting.aura.env
    copy_documents(folder)
    run(["git", "init", "-q", "--template="], folder, env)
    for number in range(1, count + 1):
        edit_documents(folder, number)
        run(["sh", "-c", GIT_COMMIT], folder, env)
    return folder


def _small_commit(setting: Setting, folders: dict[str, str], git: str | None, count: int) -> None:
    env = setting.aura.env

    def aura(name: str, number: int) -> Sample:
        edit_documents(folders[name], count + 1 + number)
        return run([setting.aura.command, "commit", "-m", f"Edit {number}"], folders[name], env)

    def by_git(number: int) -> Sample:
        assert git is not None
        edit_documents(git, count + 1 + number)
        return run(["sh", "-c", GIT_COMMIT], git, env)

    tasks: dict[str, Callable[[int], Sample]] = {
        f"aura, {count} versions": partial(aura, "many"),
        f"aura, {FEW_VERSIONS} versions": partial(aura, "few"),
    }
    if git is not None:
        tasks["git"] = by_git
    row = Row("small-commit", f"commit of one small change, project of {count} versions")
    row.times = setting.rounds(tasks, ROUNDS)
    many, less = (row.times[name].median for name in list(tasks)[:2])
    if git is not None:
        row.checks.append(Check("beyond git", (many - row.times["git"].median) * 1000, 100, unit=" ms"))
    row.checks.append(Check(f"of the time at {FEW_VERSIONS} versions", many / less, 1.1))
    setting.add(row)


def _log(setting: Setting, folder: str, count: int) -> None:
    row = Row("log", f"`aura log -n 20`, project of {count} versions")
    tasks = {
        "aura log": lambda _: run([setting.aura.command, "log", "-n", "20"], folder, setting.aura.env),
        "python": lambda _: setting.baseline(),
    }
    row.times = setting.rounds(tasks, ROUNDS + 6)
    beyond = row.times["aura log"].median - row.times["python"].median
    row.checks.append(Check('beyond `python -c "import click, msgspec, sqlite3"`', beyond * 1000, 60, unit=" ms"))
    setting.add(row)


def _sizes(setting: Setting, folder: str, git: str | None, count: int) -> None:
    row = Row("versions", f"{count} versions of the example's documents, after gc")
    loose = stored_bytes(f"{folder}/.aura", without="local")
    told = build(setting, "collect", folder)
    ours, everything = stored_bytes(f"{folder}/.aura", without="local"), stored_bytes(f"{folder}/.aura")
    row.times = {"aura gc": Times([Sample(told["plan"] + told["execute"])])}
    row.notes.append(f"aura {loose / 1e3:,.0f} kB before gc, {ours / 1e3:,.0f} kB after (without local/)")
    index = _size(f"{folder}/.aura", "index.sqlite")
    row.notes.append(f"everything {everything / 1e3:,.0f} kB after, of it the index {index / 1e3:,.0f} kB")
    if git is not None:
        run(["git", "gc", "-q", "--prune=now"], git, setting.aura.env)
        plain = stored_bytes(f"{git}/.git")
        run(["git", "gc", "-q", "--aggressive", "--prune=now"], git, setting.aura.env)
        theirs = stored_bytes(f"{git}/.git")
        row.notes.append(f"git {plain / 1e3:,.0f} kB after gc, {theirs / 1e3:,.0f} kB after gc --aggressive")
        row.checks.append(Check("of git's size after gc --aggressive, without local/", ours / theirs, 0.8))
        row.checks.append(Check("of git's size after gc --aggressive, with the index", everything / theirs, 1.5))
    setting.add(row)


def _size(store: str, name: str) -> int:
    """Bytes of a database of this machine, with what SQLite keeps beside it."""
    folder = os.path.join(store, "local")
    return sum(os.path.getsize(os.path.join(folder, file)) for file in os.listdir(folder) if file.startswith(name))


def _example(setting: Setting) -> None:
    """Five versions of the example's documents."""
    folder, stores = setting.place("example", "work"), setting.place("example", "stores")
    copy_documents(folder)
    tools = setting.but("cp")
    for name, tool in tools.items():
        tool.begin(folder, os.path.join(stores, name))
    for number in range(1, 6):
        if number > 1:
            edit_documents(folder, number)
        for name, tool in tools.items():
            tool.save(folder, os.path.join(stores, name), f"v{number}")
    row = Row("example", "example project (documents of 10 scenes), 5 versions")
    ours = os.path.join(stores, "aura")
    for command in ("search the", "scene list", "asset list"):  # these fill what the index has on demand
        tools["aura"].measured(f"{setting.aura.command} {command}", folder, ours)
    index = _size(ours, "index.sqlite")
    row.checks += [
        Check("apparent size without local/", stored_bytes(ours, without="local") / 1e3, 28, unit=" kB"),
        Check("in blocks without local/", stored_bytes(ours, blocks=True, without="local") / 1e3, 100, unit=" kB"),
        Check("the index, searched", index / 1e3, 150, unit=" kB"),
        Check("the texts for searching", _size(ours, "search.sqlite") / 1e3, 100, unit=" kB"),
    ]
    for name in list(tools)[1:]:
        store = os.path.join(stores, name)
        apparent, blocks = stored_bytes(store) / 1e3, stored_bytes(store, blocks=True) / 1e3
        row.notes.append(f"{name} {apparent:,.0f} kB, {blocks:,.0f} kB in blocks")
    setting.add(row)


def _collect(setting: Setting) -> None:
    """The same garbage in a small and in a large project."""
    autosaves = setting.count(1000, 20)
    told = {}
    for live in (setting.count(20_000, 200), setting.count(200_000, 2000)):
        folder = setting.place("gc", str(live))
        setting.say(f"  making {live:,} live objects and {autosaves} deleted autosaves")
        build(setting, "live", folder, live, autosaves)
        told[live] = build(setting, "collect", folder)
    row = Row("gc", f"gc after deleting {autosaves} autosaves")
    for live, found in told.items():
        row.times[f"aura, {live:,} live"] = Times([Sample(found["plan"] + found["execute"])])
        row.notes.append(
            f"{live:,} live: plan {found['plan']:.2f} s, walk alone {found['walk']:.2f} s, all after the plan "
            f"{found['execute']:.2f} s; {found['removed']} objects"
        )
    small, large = (found["plan"] + found["execute"] - found["walk"] for found in told.values())
    row.checks.append(Check("of the time at a tenth of the objects, without the walk", large / small, 2))
    setting.add(row)


def _million(setting: Setting) -> None:
    """The same commands in a project of very many chunks and in one of few."""
    env, command = setting.aura.env, setting.aura.command
    folders = {}
    for name, wanted in (("few", 1000), ("many", setting.count(1_000_000, 20_000))):
        folders[name] = new_project(setting, "million", name)
        setting.say(f"  making {wanted:,} chunks")
        objects = build(setting, "chunks", folders[name], wanted)
    row = Row("million", f"everyday commands in a project of {objects:,} objects, and in one of a few thousand")
    for words in (["log", "-n", "1"], ["status"], ["commit", "-m", "Edit"]):

        def task(name: str, number: int, words: list[str] = words) -> Sample:
            if words[0] == "commit":
                edit_documents(folders[name], number)
            return run([command, *words], folders[name], env)

        found = setting.rounds({name: partial(task, name) for name in folders}, ROUNDS)
        row.times |= {f"aura {words[0]}, {name}": times for name, times in found.items()}
        row.checks.append(Check(f"{words[0]}: many by few", found["many"].median / found["few"].median, 1.1))
    for words in (["fsck", "--quick"], ["reindex"], ["storage"], ["gc"]):
        row.times[f"aura {words[0]}, many"] = Times([run([command, *words], folders["many"], env)])
    setting.add(row)


def _operations(setting: Setting) -> None:
    count = setting.count(100_000, 1000)
    folder, fresh = setting.place("ops", "many"), new_project(setting, "ops", "new")
    setting.say(f"  making {count:,} operations")
    build(setting, "operations", folder, count)
    row = Row("ops", f"first page of {count:,} operations")
    env, command = setting.aura.env, setting.aura.command
    entered = run([command, "ops"], folder, env)
    row.notes.append(f"entering them into the index took {entered.seconds:.1f} s, once")
    tasks = {
        "aura ops": lambda _: run([command, "ops"], folder, env),
        "aura log, new project": lambda _: run([command, "log", "-n", "1"], fresh, env),
    }
    row.times = setting.rounds(tasks, ROUNDS)
    beyond = row.times["aura ops"].median - row.times["aura log, new project"].median
    row.checks.append(Check("beyond the start", beyond * 1000, 50, unit=" ms"))
    setting.add(row)
