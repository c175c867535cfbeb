"""What the child processes of these tests do. Each is a process of its own, as commands are."""

import os
import random
import sys
import time
from pathlib import Path

from aura_vcs import AuraError, Repository
from aura_vcs.errors.input import ConcurrencyError
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.log import log
from aura_vcs.history.undo import undo
from aura_vcs.index.queries import VersionFilter
from aura_vcs.maintenance.gc import execute_gc, plan_gc


def say(line: str) -> None:
    """Tell the parent."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def committer(root: Path, name: str, count: int) -> None:
    """Write a file of its own and commit it, again and again; says what, and the version if one was made
    (somebody else may have committed the file just before)."""
    for number in range(count):
        content = f"{name} take {number}"
        (root / f"{name}.txt").write_text(content)
        (root / f"{name}-{number}.txt").write_text(content)
        with Repository.open(root) as repo:
            done = commit(repo, CommitRequest(content, paths=[f"{name}.txt", f"{name}-{number}.txt"]))
            assert log(repo, VersionFilter(limit=3))
        say(f"{content}|{done.version.name if done.version else ''}")


def saver(root: Path, name: str, count: int) -> None:
    """Commit the whole folder, whoever wrote what is in it."""
    for number in range(count):
        (root / f"{name}.txt").write_text(f"{name} {number}")
        with Repository.open(root) as repo:
            commit(repo, CommitRequest(f"{name} {number}", allow_empty=True))
        say(f"{name} {number}|{name} {number}")


def collector(root: Path, _: str, count: int) -> None:
    """Collect garbage with no grace at all."""
    for _ in range(count):
        with Repository.open(root) as repo:
            try:
                execute_gc(repo, plan_gc(repo, grace_seconds=0, dead_share=0.0))
            except ConcurrencyError as error:
                say(f"gave way: {error}")
        time.sleep(0.05)


def reader(root: Path, _: str, count: int) -> None:
    """Read the log and every file of the newest version."""
    for _ in range(count):
        with Repository.open(root) as repo:
            for record in log(repo, VersionFilter(limit=1)):
                for _, entry in repo.trees.walk(record.tree):
                    if entry.kind == "file":
                        repo.store.read(entry.id)


def wanderer(root: Path, name: str, count: int) -> None:
    """Work as a person does, at random, until somebody ends the process."""
    pick = random.Random(name)
    for number in range(count):
        (root / "work.txt").write_text(f"{name} {number}")
        with Repository.open(root) as repo:
            try:
                _step(repo, pick, f"{name} {number}")
            except AuraError as error:
                say(f"refused: {error}")
        say(f"done {number}")


def _step(repo: Repository, pick: random.Random, name: str) -> None:
    deeds = {
        "commit": lambda: commit(repo, name),
        "checkout": lambda: checkout(repo, "v1"),
        "back": lambda: checkout(repo, "main"),
        "restore": lambda: restore(repo, "v2"),
        "undo": lambda: undo(repo),
        "collect": lambda: execute_gc(repo, plan_gc(repo, grace_seconds=0, dead_share=0.0)),
    }
    deeds[pick.choice(sorted(deeds))]()


if __name__ == "__main__":
    job, folder, who, times = sys.argv[1:]
    os.chdir(folder)
    globals()[job](Path(folder), who, int(times))
