"""Every part of a pack, and every place in the index, damaged in every way: noticed, and never wrong bytes out."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.model import Kind
from aura_vcs.objects.base import IDENTIFY
from aura_vcs.objects.packs.reader import OpenPack

from tests.crash.scenes import two_versions
from tests.helpers.project import duplicate

Span = tuple[int, int]
"""Where a part begins and ends in its pack."""
Damage = Callable[[bytes, Span, Span], bytes]


def _delete(data: bytes, part: Span, _: Span) -> bytes:
    return data[: part[0]] + data[part[1] :]


def _truncate(data: bytes, part: Span, _: Span) -> bytes:
    middle = (part[0] + part[1]) // 2
    return data[:middle] + data[part[1] :]


def _end_there(data: bytes, part: Span, _: Span) -> bytes:
    return data[: (part[0] + part[1]) // 2]


def _flip(at: int) -> Damage:
    def flip(data: bytes, part: Span, _: Span) -> bytes:
        place = part[0] + (part[1] - part[0] - 1) * at // 100
        return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]

    return flip


def _zero(data: bytes, part: Span, _: Span) -> bytes:
    return data[: part[0]] + bytes(part[1] - part[0]) + data[part[1] :]


def _swap(data: bytes, part: Span, other: Span) -> bytes:
    """As much of two parts as both have."""
    first, second = sorted((part, other))
    count = min(first[1] - first[0], second[1] - second[0])
    one, two = data[first[0] : first[0] + count], data[second[0] : second[0] + count]
    return data[: first[0]] + two + data[first[0] + count : second[0]] + one + data[second[0] + count :]


DAMAGES: dict[str, Damage] = {
    "delete": _delete,
    "truncate": _truncate,
    "end there": _end_there,
    "zero": _zero,
    "swap": _swap,
    **{f"flip at {share} %": _flip(share) for share in (0, 50, 100)},
}


@pytest.fixture(scope="module")
def whole(quick_folder: Path) -> Path:
    """A project with packs of chunks, of documents, and of trees."""
    root = quick_folder / "whole"
    root.mkdir()
    two_versions(root)
    return root


def _parts(path: Path) -> Iterator[Span]:
    """The magic, every frame, the footer and the trailer."""
    with path.open("rb") as file:
        pack = OpenPack(file, path.stem)
        end = path.stat().st_size
        frames = [(frame.offset, frame.offset + frame.stored_length) for frame in pack.frames]
        yield 0, 8
        yield from frames
        yield frames[-1][1], end - 48
        yield end - 48, end


def _packs(root: Path) -> list[Path]:
    return sorted((root / ".aura" / "objects" / "packs").iterdir())


def _assert_right_or_refused(repo: Repository, objects: dict[ObjectId, Kind]) -> None:
    for object_id, kind in objects.items():
        try:
            data = repo.store.read(object_id, kind)
        except IntegrityError:
            continue
        assert IDENTIFY[kind](data) == object_id, "wrong bytes came out"


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_damage_of_every_part_of_a_pack_is_found(whole: Path, damage: str, quick_path: Path) -> None:
    """S1: frame by frame, footer and trailer; fsck names it, and every object is right or refused."""
    root = duplicate(whole, quick_path / "hurt")
    with Repository.open(root, author="Ada", host="studio") as repo:
        objects = {item.id: item.kind for name in repo.store.packs.names() for item in repo.store.pack_objects(name)}
        assert fsck(repo).is_clean
        for path in _packs(root):
            data, parts = path.read_bytes(), list(_parts(path))
            for number, part in enumerate(parts):
                hurt = DAMAGES[damage](data, part, parts[number - 1])
                if hurt == data:
                    continue
                repo.store.packs.close()
                path.write_bytes(hurt)
                _assert_right_or_refused(repo, objects)
                assert not fsck(repo).is_clean, f"{damage} of part {number} of {path.name} was not noticed"
            path.write_bytes(data)
            repo.store.packs.close()
        assert fsck(repo).is_clean


@pytest.mark.parametrize(
    "change",
    [
        "offset = offset + 1",
        "offset = -1",
        "frame = frame + 1",
        "frame = -1",
        "length = length - 1",
        "length = length + 4096",
        "chunked = 1 - chunked",
        "pack = (SELECT max(number) FROM packs)",
        "pack = (SELECT min(number) FROM packs)",
        "pack = 4711",
        "frame = (SELECT min(frame) FROM objects), offset = 0",
    ],
)
def test_an_index_that_lies_about_places_gives_no_wrong_bytes(whole: Path, change: str, quick_path: Path) -> None:
    """S1: wherever the index sends a reader, what comes out is the object or an error; built anew, all is there."""
    root = duplicate(whole, quick_path / "hurt")
    with Repository.open(root, author="Ada", host="studio") as repo:
        objects = {item.id: item.kind for name in repo.store.packs.names() for item in repo.store.pack_objects(name)}
        repo.index.database.connection.execute(f"UPDATE objects SET {change} WHERE pack IS NOT NULL")
        _assert_right_or_refused(repo, {i: kind for i, kind in objects.items() if kind is not Kind.CHUNK})
        for object_id in objects:
            try:
                repo.store.chunk_ids(object_id)
            except AuraError:
                continue
        repo.rebuild_index()
        for object_id, kind in objects.items():
            assert IDENTIFY[kind](repo.store.read(object_id, kind)) == object_id
        assert fsck(repo).is_clean
