"""Frames that were used last are kept, up to a number of bytes."""

from aura_vcs.objects.frame_cache import RecentFrames


def test_what_was_used_longest_ago_makes_way() -> None:
    """A look counts as use; bytes are what is counted."""
    kept = RecentFrames(10)
    for number in range(3):
        kept.keep("a", number, bytes(3))
    assert kept.get("a", 0) == bytes(3)
    kept.keep("b", 0, bytes(4))
    assert [kept.get("a", number) is not None for number in range(3)] == [True, False, True]


def test_the_newest_is_kept_however_large() -> None:
    """One frame that is larger than the limit is still there when it is asked for next, alone."""
    kept = RecentFrames(10)
    kept.keep("a", 0, bytes(3))
    assert kept.keep("a", 1, bytes(30)) == bytes(30)
    assert kept.get("a", 0) is None
    assert kept.get("a", 1) == bytes(30)
    kept.keep("a", 1, bytes(2))
    kept.keep("a", 2, bytes(8))
    assert kept.get("a", 1) == bytes(2)


def test_a_pack_is_forgotten_as_a_whole() -> None:
    """What goes leaves its room to others."""
    kept = RecentFrames(6)
    kept.keep("a", 0, bytes(3))
    kept.keep("b", 0, bytes(3))
    kept.forget("a")
    kept.keep("b", 1, bytes(3))
    assert kept.get("a", 0) is None
    assert kept.get("b", 0) == kept.get("b", 1) == bytes(3)
    kept.clear()
    assert kept.get("b", 0) is None
