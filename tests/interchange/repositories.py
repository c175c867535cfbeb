"""Git repositories to import, made by git itself."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Mara",
    "GIT_AUTHOR_EMAIL": "mara@example.com",
    "GIT_AUTHOR_DATE": "1700000000 +0530",
    "GIT_COMMITTER_NAME": "Jon",
    "GIT_COMMITTER_EMAIL": "jon@example.com",
    "GIT_COMMITTER_DATE": "1700000100 -0800",
}


def git(folder: Path, *arguments: str, data: bytes = b"") -> str:
    """Run git there and return what it says."""
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, env=ENVIRONMENT, input=data, capture_output=True, check=True).stdout.decode().strip()


def start(folder: Path) -> Path:
    """Make an empty repository whose branch is main."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit(folder: Path, message: str, files: dict[str, str] | None = None) -> str:
    """Write files and commit all; returns the commit's id."""
    for name, text in (files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--allow-empty-message", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def raw_tree(folder: Path, entries: Iterable[tuple[str, bytes, str]]) -> str:
    """Store a tree as it is given, also one that git would refuse; returns its id."""
    data = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(one) for mode, name, one in entries)
    return git(folder, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", data=data)


def raw_commit(folder: Path, tree: str, parents: Iterable[str] = (), rest: bytes | None = None) -> str:
    """Store a commit with the given words from the author's line on; returns its id."""
    words = rest or b"author A <a@x> 1600000000 +0000\ncommitter A <a@x> 1600000000 +0000\n\nRaw\n"
    data = f"tree {tree}\n{''.join(f'parent {one}' + chr(10) for one in parents)}".encode() + words
    return git(folder, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", data=data)


def film(folder: Path) -> Path:
    """A small history with a branch, a merge, an octopus, a rename, links, rights, odd words and tags."""
    start(folder)
    commit(folder, "First cut\n\nWith a body.\n", {"brief.json": '{"topic": "stars"}\n', "scenes/one.md": "One\n"})
    git(folder, "tag", "rough")
    for name in ("sound", "light", "titles"):
        git(folder, "checkout", "--quiet", "-b", name, "rough")
        commit(folder, f"Work on {name}", {f"{name}.txt": f"{name}\n"})
    git(folder, "checkout", "--quiet", "main")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "latest").symlink_to("scenes/one.md")
    commit(folder, "Links and rights")
    git(folder, "merge", "--quiet", "--no-ff", "-m", "Take the sound", "sound")
    git(folder, "merge", "--quiet", "-m", "Octopus", "light", "titles")
    git(folder, "mv", "scenes/one.md", "scenes/first.md")
    commit(folder, "Renamed")
    commit(folder, "")
    git(folder, "tag", "-a", "-m", "The first release\n\nOf all.", "v1.0")
    return folder
