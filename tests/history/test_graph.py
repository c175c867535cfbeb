"""The drawing of `aura log --graph`: every line from a version to each of its parents is there."""

import pytest
from aura_vcs.history.lookup.graph import graph
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.records import VersionRecord
from aura_vcs.model import VersionType


def _drawn(history: str) -> list[str]:
    """The drawing of versions given newest first as `name:parent,parent`."""
    lines = []
    for row in graph([_record(*word.partition(":")[::2]) for word in history.split()]):
        lines += [f"{row.at}  {row.record.id}", *row.between]
    return lines


def _record(name: str, parents: str) -> VersionRecord:
    return VersionRecord(
        id=VersionId(name),
        number=1,
        type=VersionType.MANUAL,
        trigger=None,
        name=name,
        description="",
        author="",
        created_at="",
        parents=tuple(VersionId(parent) for parent in parents.split(",") if parent),
        tree=ObjectId(""),
        branch=None,
        important=False,
        deleted_at=None,
        deleted_by=None,
        purged_at=None,
        purged_by=None,
        purge_reason=None,
        size_bytes=0,
        documents={},
        updated_at=None,
        updated_by=None,
    )


@pytest.mark.parametrize(
    ("history", "drawing"),
    [
        ("c:b b:a a:", ["*  c", "*  b", "*  a"]),
        ("m:b,s b:a s:a a:", ["*  m", "|\\", "* |  b", "| *  s", "|/", "*  a"]),
        (
            "m:x,t x:b,s t:u,b u:s s:a b:a a:",
            [
                "*  m",
                "|\\",
                "* |  x",
                "|\\ \\",
                "| | *  t",
                "|_|/|",
                "| | *  u",
                "| |/",
                "| *  s",
                "* |  b",
                "|/",
                "*  a",
            ],
        ),
        (
            "d:a c:a b:a a:",
            ["*  d", "| *  c", "|/", "| *  b", "|/", "*  a"],
        ),
        ("o:b,c,d b:a c:a d:a a:", ["*  o", "|\\", "|\\ \\", "* | |  b", "| | *  c", "|_|/", "| *  d", "|/", "*  a"]),
        ("m:b,c n:c,b b:a c:a a:", ["*  m", "|\\", "| | *  n", "|_|/|", "| |/", "* |  b", "| *  c", "|/", "*  a"]),
        ("x: y:a b:a a:", ["*  x", "*  y", "| *  b", "|/", "*  a"]),
    ],
    ids=["one line", "two", "crossed", "started at one", "octopus", "merged both ways", "one that begins"],
)
def test_every_parent_is_led_to(history: str, drawing: list[str]) -> None:
    """Lines part, cross and meet; a line that crosses others passes behind them."""
    assert _drawn(history) == drawing
