"""Merges of generated edits on real projects: nothing is lost, and everything can be taken back."""

import json
import tempfile
from pathlib import Path
from typing import Any

from aura_vcs import Repository
from aura_vcs.history.checkout import checkout
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import create_branch
from aura_vcs.history.resolve import open_conflicts, resolve_conflicts
from aura_vcs.history.undo import undo
from aura_vcs.maintenance.fsck import fsck
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tests.helpers.project import AURA, clear, contents, look, save, write

PATHS = ["brief.json", "plan.json", "scenes/1.json", "scenes/2.json", "text.txt", "a.bin", "b.bin"]
BASE: dict[str, str | bytes] = {
    "brief.json": json.dumps({"tone": 0, "topic": 0, "list": [{"id": "a", "n": 0}, {"id": "b", "n": 0}]}),
    "plan.json": json.dumps({"pace": 0}),
    "scenes/1.json": json.dumps({"id": 1, "text": 0}),
    "scenes/2.json": json.dumps({"id": 2, "text": 0}),
    "text.txt": "one\ntwo\nthree\nfour\nfive\n",
    "a.bin": b"\0a",
    "b.bin": b"\0b",
}
VALUES = st.integers(1, 3)
EDITS = st.dictionaries(st.sampled_from(PATHS), st.one_of(st.none(), VALUES), max_size=4)


def edited(edits: dict[str, int | None], side: str) -> dict[str, bytes]:
    """The files of a side: what is None is gone, what has a number is changed that way."""
    files = {path: data if isinstance(data, bytes) else data.encode() for path, data in BASE.items()}
    for path, value in edits.items():
        if value is None:
            del files[path]
        elif path.endswith(".json"):
            document: dict[str, Any] = json.loads(files[path])
            document[f"by_{side}"] = value
            document[min(document)] = value
            files[path] = json.dumps(document).encode()
        elif path.endswith(".txt"):
            files[path] = files[path].replace(b"two\n", b"two, %d\n" % value) + side.encode()
        else:
            files[path] = b"\0%d" % value + side.encode() * (value == 3)
    return files


def put(root: Path, files: dict[str, bytes]) -> None:
    """Make the folder hold exactly these files."""
    clear(root)
    write(root, dict(files))


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
@given(EDITS, EDITS)
def test_nothing_is_lost_in_a_merge(ours: dict[str, int | None], theirs: dict[str, int | None]) -> None:
    """What one side changed lands; media of both is there; documents are valid; undo gives all back."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        root = Path(folder)
        with Repository.init(root, author="Ada", host="studio") as repo:
            put(root, edited({}, ""))
            first = save(repo, "Base")
            create_branch(repo, "side", first.id)
            put(root, edited(ours, "x"))
            save(repo, "Ours", allow_empty=True)
            checkout(repo, "side")
            put(root, edited(theirs, "y"))
            save(repo, "Theirs", allow_empty=True)
            checkout(repo, "main")
            before = look(root)
            merge(repo, "side")
            _check(root, ours, theirs)
            assert not fsck(repo).problems
            if open_conflicts(repo):
                resolve_conflicts(repo, "", "", "as_is")
                undo(repo)
                resolve_conflicts(repo, "", "", "ours")
                assert open_conflicts(repo) == ()
                undo(repo)
            undo(repo)
            assert look(root) == before
            assert not fsck(repo).problems


def _check(root: Path, ours: dict[str, int | None], theirs: dict[str, int | None]) -> None:
    found = {path.decode(): seen for path, seen in look(root).items() if seen[0] == "file"}
    here, there = edited(ours, "x"), edited(theirs, "y")
    for path in PATHS:
        if path not in ours:
            assert (found[path][1] if path in found else None) == there.get(path), path
        elif path not in theirs:
            assert (found[path][1] if path in found else None) == here.get(path), path
    for path, seen in found.items():
        if path.endswith(".json"):
            json.loads(seen[1])
    media = {side[path] for side in (here, there) for path in ("a.bin", "b.bin") if path in side and path in ours}
    changed = {data for data in media if data not in (BASE["a.bin"], BASE["b.bin"])}
    assert changed <= contents(found.values())
    assert (root / AURA).is_dir()
