"""A small real project, and looking at a folder without the library."""

import json
import os
import random
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aura_vcs import Repository
from aura_vcs.history.commit import CommitRequest, Committed, commit
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import REPLICA
from aura_vcs.repository.sync_tool_hints import SYNCTHING

AURA = ".aura"
Seen = tuple[str, bytes, bool]
"""A path as it is: "file", "dir" or "link"; its content or target; whether its owner may run it."""


def write(root: Path, files: dict[str, str | bytes]) -> None:
    """Write files, making their folders."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())


def write_project(root: Path) -> None:
    """A video project of three scenes: documents, media, a link, a program and an empty folder."""
    write(
        root,
        {
            "project.json": json.dumps({"title": "Tides", "tags": ["sea"]}),
            "brief.json": json.dumps({"topic": "Why the sea rises", "tone": "calm"}),
            "plan.json": json.dumps({"target_duration": 60, "pacing": "Chill"}),
            "voice.json": json.dumps({"voice_name": "Ada", "rate": 1.0}),
            "render.json": json.dumps({"fps": 30, "codec": "h264"}),
            "timeline.json": json.dumps({"scenes": [{"index": n, "duration": 4} for n in range(3)]}),
            **{f"scenes/{n:03}-scene.json": json.dumps({"id": f"s{n}", "index": n}) for n in range(3)},
            "assets/voice.wav": noise(40_000, seed=1),
            "assets/sky.png": noise(9_000, seed=2),
            "render.sh": "#!/bin/sh\nexit 0\n",
        },
    )
    (root / "render.sh").chmod(0o755)
    (root / "exports").mkdir()
    (root / "assets" / "cover.png").symlink_to("sky.png")


def noise(size: int, *, seed: int) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def look(root: Path) -> dict[bytes, Seen]:
    """Everything in the folder but `.aura` and the hint for Syncthing beside it, by the bytes of its path."""
    found: dict[bytes, Seen] = {}
    base = os.fsencode(root)
    for folder, folders, files in os.walk(base):
        if folder == base and AURA.encode() in folders:
            folders.remove(AURA.encode())
        for name in [*folders, *(name for name in files if name != SYNCTHING.encode())]:
            full = os.path.join(folder, name)
            found[os.path.relpath(full, base)] = _seen(full)
    return found


def _seen(path: bytes) -> Seen:
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return "link", os.readlink(path), False
    if stat.S_ISDIR(mode):
        return "dir", b"", False
    if not stat.S_ISREG(mode):
        return "special", b"", False
    with open(path, "rb") as file:
        return "file", file.read(), bool(mode & 0o100)


def contents(seen: Iterable[Seen]) -> set[bytes]:
    """The content of files among what was seen."""
    return {content for kind, content, _ in seen if kind == "file"}


def clear(root: Path) -> None:
    """Remove everything but `.aura`."""
    for path in root.iterdir():
        if path.name == AURA:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def clone(source: Path, target: Path) -> Path:
    """A blind copy of a whole project folder, dates and links included: another machine's, to aura."""
    shutil.copytree(source, target, symlinks=True)
    return target


def duplicate(source: Path, target: Path) -> Path:
    """A copy that takes itself for the original: what was done there can be undone here."""
    clone(source, target)
    record = target / AURA / REPLICA
    known = json.loads((source / AURA / REPLICA).read_bytes())
    record.unlink()
    with Repository.open(target) as opened:
        minted = json.loads(record.read_bytes())
        record.write_bytes(opened.storage.read(REPLICA).replace(minted["replica"].encode(), known["replica"].encode()))
    return target


def save(repo: Repository, name: str, **options: Any) -> VersionRecord:
    """Commit and return the version; fails where nothing had changed."""
    done: Committed = commit(repo, CommitRequest(name, **options))
    assert done.version is not None, "nothing had changed"
    return done.version
