"""Frames that were used last are kept, up to a number of bytes."""

from aura_vcs.compression import FrameCache


def test_what_was_used_longest_ago_makes_way() -> None:
    """A look counts as use; bytes are what is counted."""
    kept = FrameCache(10)
    for number in range(3):
        kept.put("a", number, bytes(3))
    assert kept.get("a", 0) == bytes(3)
    kept.put("b", 0, bytes(4))
    assert [kept.get("a", number) is not None for number in range(3)] == [True, False, True]


def test_the_newest_is_kept_however_large() -> None:
    """One frame that is larger than the limit is still there when it is asked for next, alone."""
    kept = FrameCache(10)
    kept.put("a", 0, bytes(3))
    assert kept.put("a", 1, bytes(30)) == bytes(30)
    assert kept.get("a", 0) is None
    assert kept.get("a", 1) == bytes(30)
    kept.put("a", 1, bytes(2))
    kept.put("a", 2, bytes(8))
    assert kept.get("a", 1) == bytes(2)


def test_a_pack_is_forgotten_as_a_whole() -> None:
    """What goes leaves its room to others."""
    kept = FrameCache(6)
    kept.put("a", 0, bytes(3))
    kept.put("b", 0, bytes(3))
    kept.forget("a")
    kept.put("b", 1, bytes(3))
    assert kept.get("a", 0) is None
    assert kept.get("b", 0) == kept.get("b", 1) == bytes(3)
    kept.clear()
    assert kept.get("b", 0) is None
