"""Damage of every kind to every kind of file: noticed or harmless, and never wrong bytes out."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from aura_vcs import AuraError, Repository
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.log import log
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.names.tags import create_tag
from aura_vcs.ids import ObjectId
from aura_vcs.index.queries import VersionFilter
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.model import EntryKind
from aura_vcs.storage.testing.faulty_calls import Fault, FaultyCalls, Stopped

from tests.crash.scenes import two_versions
from tests.helpers.check import versions
from tests.helpers.project import Seen, contents, duplicate, look

Damage = Callable[[Path, Path], None]


def _delete(path: Path, _: Path) -> None:
    path.unlink()


def _truncate(path: Path, _: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _extend(path: Path, _: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more\n")


def _empty(path: Path, _: Path) -> None:
    os.truncate(path, 0)


def _zero(path: Path, _: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _flip_at(share: float) -> Damage:
    def flip(path: Path, _: Path) -> None:
        data = bytearray(path.read_bytes())
        data[min(len(data) - 1, int(len(data) * share))] ^= 4
        path.write_bytes(data)

    return flip


def _swap(path: Path, other: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(other.read_bytes())
    other.write_bytes(content)


DAMAGES: dict[str, Damage] = {
    "delete": _delete,
    "truncate": _truncate,
    "extend": _extend,
    "empty": _empty,
    "zero": _zero,
    "swap": _swap,
    **{f"flip at {share}": _flip_at(share) for share in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)},
}


def _loose(root: Path) -> list[Path]:
    return sorted((root / ".aura" / "objects").glob("??/*"))


def _packs(root: Path) -> list[Path]:
    return sorted((root / ".aura" / "objects" / "packs").iterdir(), key=lambda path: path.stat().st_size)


def _aura(*globs: str) -> Callable[[Path], list[Path]]:
    return lambda root: sorted(path for pattern in globs for path in (root / ".aura").glob(pattern))


TARGETS: dict[str, Callable[[Path], list[Path]]] = {
    "loose object": _loose,
    "pack": _packs,
    "branch": _aura("refs/branches/*/*.json"),
    "tag": _aura("refs/tags/*.json"),
    "label": _aura("refs/versions/*.json"),
    "log": _aura("operations/*.jsonl"),
    "format": _aura("format.json"),
    "HEAD": _aura("local/HEAD.json"),
    "scan cache": _aura("local/scan-cache"),
    "pending": _aura("local/pending.json"),
    "index": _aura("local/index.sqlite"),
    "replica": _aura("local/replica.json"),
}


@pytest.fixture(scope="module")
def whole(quick_folder: Path) -> Path:
    """A project with loose objects, packs, branches, tags, and a checkout that was interrupted."""
    root = quick_folder / "whole"
    root.mkdir()
    two_versions(root)
    with Repository.open(root) as repo:
        commit(repo, "Third cut")
        commit(repo, CommitRequest("Empty", allow_empty=True))
        create_tag(repo, "final", resolve(repo, "v3").id)
        create_tag(repo, "first", resolve(repo, "v1").id)
    calls = FaultyCalls(Fault.STOP, 40)
    with suppress(Stopped), Repository.open(root, calls=calls) as repo:
        checkout(repo, "v1")
    assert (root / ".aura" / "local" / "pending.json").exists()
    assert _loose(root)
    assert len(_packs(root)) > 1
    return root


@pytest.fixture(scope="module")
def truth(whole: Path, quick_folder: Path) -> dict[str, dict[bytes, Seen]]:
    """What every version holds, by its id."""
    with Repository.open(duplicate(whole, quick_folder / "truth")) as repo:
        return {record.id: _content(repo, record.tree) for record in versions(repo)}


def _content(repo: Repository, tree: ObjectId) -> dict[bytes, Seen]:
    kinds = {EntryKind.DIR: "dir", EntryKind.FILE: "file", EntryKind.SYMLINK: "link"}
    return {
        os.fsencode(path): (
            kinds[entry.kind],
            b"" if entry.kind is EntryKind.DIR else repo.store.read(entry.id),
            entry.executable,
        )
        for path, entry in repo.trees.walk(tree)
    }


@pytest.mark.parametrize("damage", list(DAMAGES))
@pytest.mark.parametrize("target", list(TARGETS))
def test_damage_is_noticed_or_harmless(
    target: str, damage: str, whole: Path, truth: dict[str, dict[bytes, Seen]], tmp_path: Path, quick_path: Path
) -> None:
    """S1: after any damage, what comes out is right or is refused; where something is wrong, fsck says so."""
    root = duplicate(whole, quick_path / "hurt")
    paths = TARGETS[target](root)
    DAMAGES[damage](paths[0], paths[-1] if paths[-1] != paths[0] else root / "brief.json")
    here = contents(look(root).values())
    saved = {content for copy in truth.values() for content in contents(copy.values())}
    with suppress(AuraError), Repository.open(root, author="Ada", host="studio") as repo:
        _read_everything(repo, truth)
        is_clean = fsck(repo).is_clean
        if is_clean:
            _is_complete(repo, truth)
            commit(repo, CommitRequest("goes on", allow_empty=True))
            assert fsck(repo).is_clean
    assert here <= contents(look(root).values()) | saved, "something of the person's is gone"


def _read_everything(repo: Repository, truth: dict[str, dict[bytes, Seen]]) -> None:
    for record in versions(repo):
        assert record.id in truth
        try:
            found = _content(repo, record.tree)
        except IntegrityError:
            continue
        assert found == truth[record.id], "wrong bytes came out"
    with suppress(AuraError):
        log(repo, VersionFilter())


def _is_complete(repo: Repository, truth: dict[str, dict[bytes, Seen]]) -> None:
    """Nothing is reported: then everything must be there."""
    assert {record.id for record in versions(repo)} == set(truth)
    for record in versions(repo):
        assert _content(repo, record.tree) == truth[record.id]
