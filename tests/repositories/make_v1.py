"""Make `tests/repositories/v1`, the frozen project of format 1. Run once; the result is never edited.

    python tests/repositories/make_v1.py

Two copies of one project (two machines) work apart and are merged file by file, as a sync tool
would do it. What lies in the folder afterwards, and which version holds what, is written to
`v1.json` beside it: the test reads every version back and compares.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

from aura_vcs import Repository
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.names.branches import branches, create_branch, delete_branch
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.names.tags import create_tag, delete_tag
from aura_vcs.history.project_settings import set_fields
from aura_vcs.history.recording.version_builder import VersionSpec, record_side_version, take_snapshot, worktree_base
from aura_vcs.history.undo import undo
from aura_vcs.history.versions import delete_version, edit_version, purge_version
from aura_vcs.index.queries import Queries, VersionFilter
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import EntryKind, VersionType
from aura_vcs.plain_text import now
from aura_vcs.project.records.checkpoint_store import CheckpointWriter
from aura_vcs.project.records.export_jobs import export_path, list_exports
from aura_vcs.project.records.exports import failed, queue_export
from aura_vcs.project.records.files import put_record
from aura_vcs.project.render.presets import PRESETS
from blake3 import blake3

HERE = Path(__file__).parent
TARGET = HERE / "v1"
FACTS = HERE / "v1.json"
PROJECT = "0a52d3c1-7f7e-4d5b-9c55-2f1f6f0f6e11"


def main() -> None:
    """Make the project and the facts about it; refuses to touch what is there."""
    if TARGET.exists():
        sys.exit(f"{TARGET} exists, and a frozen project is never made again")
    with tempfile.TemporaryDirectory() as scratch:
        desk, laptop, before = Path(scratch, "desk"), Path(scratch, "laptop"), Path(scratch, "before")
        desk.mkdir()
        _first_afternoon(desk)
        shutil.copytree(desk / ".aura", laptop / ".aura", ignore=shutil.ignore_patterns("local"))
        _on_the_laptop(laptop)
        shutil.copytree(desk / ".aura", before)
        _at_the_desk(desk)
        _merge_blindly(laptop / ".aura", desk / ".aura", before)
        facts = _facts(desk)
        shutil.copytree(desk / ".aura", TARGET / ".aura", ignore=shutil.ignore_patterns("local"))
    files = sorted(path for path in TARGET.rglob("*") if path.is_file())
    frozen = {path.relative_to(TARGET).as_posix(): _digest(path) for path in files}
    FACTS.write_text(json.dumps({"commit": _commit(), **facts, "frozen": frozen}, indent=1) + "\n", "utf-8")
    sys.stdout.write(f"Made {TARGET} ({sum(path.stat().st_size for path in files):,} bytes)\n")


def _first_afternoon(root: Path) -> None:
    """Commits, a tag, a branch, an autosave, a deleted and a purged version, and a collection."""
    with Repository.init(str(root), project=PROJECT, author="Mara", host="desk") as repo:
        _write(root, "project.json", {"title": "The Kitchen Garden"})
        _write(root, "brief.json", {"topic": "Herbs on a windowsill"})
        commit(repo, "Idea")
        for name in ("plan", "voice", "render", "timeline"):
            _write(root, f"{name}.json", {"name": name, "scenes": 2})
        _write(root, "scenes/010-opening.json", {"id": "a", "index": 0, "script_text": "Gründe für Grünes"})
        _write(root, "scenes/020-basil.json", {"id": "b", "index": 1, "script_text": "Basil"})
        (root / "assets").mkdir()
        (root / "assets/narration.wav").write_bytes(_sound(150))
        (root / "assets/latest").symlink_to("narration.wav")
        (root / "tools").mkdir()
        (root / "tools/render.sh").write_text("#!/bin/sh\necho render\n")
        (root / "tools/render.sh").chmod(0o755)
        (root / "empty").mkdir()
        commit(repo, CommitRequest("First cut", description="Everything is there once", important=True))
        create_tag(repo, "sent/client", resolve(repo, "HEAD").id, "sent by mail")
        create_tag(repo, "oops", resolve(repo, "HEAD").id)
        delete_tag(repo, "oops")
        (root / os.fsdecode(b"caf\xe9.txt")).write_text("a name in Latin-1")
        (root / "secret.txt").write_text("to be purged\n" * 9)
        commit(repo, "A name that is not UTF-8, and a secret")
        (root / "secret.txt").unlink()
        sound = _sound(150)
        (root / "assets/narration.wav").write_bytes(sound[:600_000] + b"a breath" * 500 + sound[600_000:])
        commit(repo, "Narration with a pause")
        _write(root, "voice.json", {"name": "voice", "rate": 0.95})
        _autosave(repo)
        _write(root, "voice.json", {"name": "voice", "rate": 0.9})
        commit(repo, "Slower voice")
        _write(root, "voice.json", {"name": "voice", "rate": 1.0})
        commit(repo, "Voice as before")
        create_branch(repo, "Music Übung".replace(" ", "-"), resolve(repo, "v4").id)
        create_branch(repo, "abandoned", resolve(repo, "v2").id)
        delete_branch(repo, "abandoned")
        purge_version(repo, resolve(repo, "v3"), "the client's secret")
        edit_version(repo, resolve(repo, "v1"), name="First idea", description="Renamed later")
        set_fields(repo, {"settings": {"retention.keep_autosaves": 5}}, "Set retention", type_="config.set")
        CheckpointWriter(str(root), PROJECT, author="Mara").save("TTS", completed=1, total=2, data={"done": ["a"]})
        export = queue_export(resolve(repo, "v2").id, PRESETS[0], "out/garden.mp4", now=now())
        put_record(repo.storage, export_path(export), failed(export, "the disk was full", now=now()))
        (root / "notes.txt").write_text("unsaved\n")
        restore(repo, "v1", ["brief.json"])
        undo(repo)
        checkout(repo, "main")
        execute_gc(repo, plan_gc(repo, grace_seconds=0))
        delete_version(repo, resolve(repo, "v6"))
        with repo.transaction():
            repo.logs.close_segment(keep=4)
            repo.refs.pack_labels(keep=4)


def _on_the_laptop(root: Path) -> None:
    """Offline on a copy: a commit on main, and a label changed."""
    with Repository.open(str(root), author="Anna", host="laptop") as repo:
        checkout(repo, "main")
        _write(root, "timeline.json", {"name": "timeline", "scenes": 3})
        commit(repo, "Third scene, on the train")
        edit_version(repo, resolve(repo, "v2"), important=False)


def _at_the_desk(root: Path) -> None:
    """Meanwhile at the desk: another commit on main, and the same label changed otherwise."""
    with Repository.open(str(root), author="Mara", host="desk") as repo:
        _write(root, "render.json", {"name": "render", "fps": 25})
        commit(repo, "25 frames")
        edit_version(repo, resolve(repo, "v2"), name="First cut (sent)")
        (root / "scenes/020-basil.json").rename(root / "scenes/015-basil.json")
        commit(repo, "Basil earlier")
        commit(repo, CommitRequest("Ready for the client", allow_empty=True))


def _merge_blindly(source: Path, target: Path, before: Path) -> None:
    """What a sync tool does: take what changed there, and keep both where both have changed."""
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if not path.is_file() or relative.parts[0] == "local" or _same(path, before / relative):
            continue
        there = target / relative
        if there.exists() and not _same(there, before / relative):
            there = _conflicted(there)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, there)
    for path in sorted((before / "refs/branches/main").iterdir()):  # a sync tool that was not sure
        shutil.copyfile(path, _conflicted(target / path.relative_to(before)))


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.read_bytes() == other.read_bytes()


def _conflicted(path: Path) -> Path:
    return path.with_name(f"{path.stem} (Anna's conflicted copy 2026-11-23){path.suffix}")


def _facts(root: Path) -> dict[str, object]:
    """What a reader must find."""
    with Repository.open(str(root)) as repo:
        queries = Queries(repo.index)
        return {
            "branches": {b.name: list(b.diverged or (b.version,)) for b in branches(repo)},
            "tags": {name: tag.version for name, tag in repo.refs.tags().items()},
            "settings": {key: field.value for key, field in repo.refs.settings().items()},
            "checkpoints": sorted(repo.refs.checkpoint_objects()),
            "exports": {export.id: export.status for export in list_exports(repo)},
            "operations": len(queries.actions(limit=1000)),
            "versions": {
                record.id: {
                    "number": record.number,
                    "type": record.type,
                    "name": record.name,
                    "important": record.important,
                    "deleted": record.deleted_at is not None,
                    "purged": record.purged_at is not None,
                    "files": _files(repo, record.tree) if repo.store.contains(record.tree) else None,
                }
                for record in queries.all_versions(VersionFilter(deleted=True))
            },
        }


def _files(repo: Repository, tree: str) -> dict[str, list[object]]:
    """Per path (bytes that are not UTF-8 as \\xNN): kind, executable, size, and the BLAKE3 of the content."""
    found: dict[str, list[object]] = {}
    for path, entry in repo.trees.walk(tree):
        name = os.fsencode(path).decode("utf-8", "backslashreplace")
        content = "" if entry.kind is EntryKind.DIR else blake3(repo.store.read(entry.id)).hexdigest()
        found[name] = [entry.kind, entry.executable, entry.size, content]
    return found


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _autosave(repo: Repository) -> None:
    base = worktree_base(repo)
    with repo.store.batch() as batch:
        _, snapshot = take_snapshot(repo, batch, base)
        record_side_version(repo, batch, base, snapshot, VersionSpec(VersionType.AUTOSAVE, "Autosave"))


def _write(root: Path, name: str, value: object) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")


def _sound(blocks: int) -> bytes:
    """Blocks of 8 KiB that differ in 16 bytes: 1.2 MB that compress to next to nothing."""
    pattern = Random(1).randbytes(8192 - 16)
    return b"".join(f"{number:016}".encode() + pattern for number in range(blocks))


def _commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=HERE, capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
