"""Addresses in AAF files are written with the library, and nothing else in the file becomes another."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline import aaf_write
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.project.media.rewrite import is_rewritable, rewrite_paths, written_path

aaf2 = pytest.importorskip("aaf2")


def aaf(folder: Path, *addresses: str) -> bytes:
    """A cut of as many clips, each of media at an address."""
    with aaf2.open(str(folder / "made.aaf"), "w") as file:
        cut = file.create.CompositionMob("Trip")
        cut.usage = "Usage_TopLevel"
        file.content.mobs.append(cut)
        track = cut.create_picture_slot("25")
        for number, address in enumerate(addresses):
            source = file.create.SourceMob(f"take {number}")
            source.descriptor = file.create.ImportDescriptor()
            locator = file.create.NetworkLocator()
            locator["URLString"].value = address
            source.descriptor["Locator"].append(locator)
            slot = source.create_picture_slot("25")
            slot.segment.length = 500
            file.content.mobs.append(source)
            master = file.create.MasterMob(f"take {number}.mov")
            file.content.mobs.append(master)
            shot = master.create_picture_slot("25")
            shot.segment = source.create_source_clip(slot_id=slot.slot_id, length=500)
            track.segment.components.append(master.create_source_clip(slot_id=shot.slot_id, start=10, length=50))
    return (folder / "made.aaf").read_bytes()


def read(data: bytes) -> Timeline:
    found = read_project("trip.aaf", data)
    assert isinstance(found, Timeline), found
    return found


def test_addresses_are_written_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    """Longer and shorter ones, with spaces; the other media keep theirs."""
    data = aaf(tmp_path, "file:///Volumes/raid/one%20take.mov", "file:///Volumes/raid/two.mov")
    before = read(data)
    assert is_rewritable(before)
    old = before.media[0].path
    new = written_path(before, old, "cut/trip.aaf", "media/a much longer name.mov", "/work/film")
    assert new == "file:///work/film/media/a%20much%20longer%20name.mov"
    for address in (new, "file:///x"):
        result = rewrite_paths("trip.aaf", data, before, {old: address})
        assert isinstance(result, bytes), result
        after = read(result)
        assert [one.path for one in after.media] == [address, before.media[1].path]
        assert [(c.name, c.start, c.duration) for t in after.tracks for c in t.clips] == [
            (c.name, c.start, c.duration) for t in before.tracks for c in t.clips
        ]
        back = rewrite_paths("trip.aaf", result, after, {address: old})
        assert isinstance(back, bytes)
        assert aaf_write._contents(back) == aaf_write._contents(data)


BAD: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[: len(data) * 2 // 3],
    "only its head": lambda data: data[:600],
    "another thing": lambda data: data[:512] + bytes(len(data) - 512),
}


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    """With a reason, whatever the library says of it."""
    data = BAD[name](aaf(tmp_path, "file:///Volumes/one.mov"))
    assert isinstance(aaf_write.rewrite_aaf(data, {"file:///Volumes/one.mov": "file:///x"}), Unstructured)


def test_what_else_would_change_is_not_written(tmp_path: Path) -> None:
    """Told by its place."""
    one = aaf_write._contents(aaf(tmp_path, "file:///Volumes/one.mov"))
    assert len(one) > 500
    places = [path for path, (_, held) in one.items() if held]
    for place in (places[0], places[-1], next(path for path in places if "Locator" in path)):
        kind, held = one[place]
        for other in (held[:-1] + bytes([held[-1] ^ 1]), held + b"x", b""):
            try:
                assert aaf_write._difference(one, {**one, place: (kind, other)}, {})
            except (ValueError, struct.error):
                continue  # refused, too
        assert aaf_write._difference(one, {path: part for path, part in one.items() if path != place}, {})
    assert not aaf_write._difference(one, dict(one), {})
