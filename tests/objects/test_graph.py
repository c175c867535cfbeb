"""The one walk through what versions hold."""

from collections.abc import Sequence

import pytest
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import LimitExceeded, ObjectCorrupt, ObjectMissing, ObjectOffloaded, ObjectPurged
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import Entry, EntryKind, Tree, Version
from aura_vcs.objects.base import DEPTH_LIMIT
from aura_vcs.objects.graph import (
    Holdings,
    State,
    TreeVisit,
    UnreadableObject,
    Walk,
    ancestry,
    fault_of,
    find_alone,
    pass_over,
)


def name(text: str) -> ObjectId:
    """Make an id that can be read."""
    return ObjectId(text)


class Drawn:
    """Trees as they are drawn in a test: "a/" leads to a tree, "a" to a blob, of that name."""

    def __init__(self, **trees: str) -> None:
        self.trees = {name(key): value.split() for key, value in trees.items()}
        self.opened: list[str] = []
        self.errors: dict[str, AuraError] = {}

    def tree(self, tree: ObjectId) -> Tree:
        """Read a tree."""
        self.opened.append(tree)
        if tree in self.errors:
            raise self.errors[tree]
        if tree not in self.trees:
            raise ObjectMissing(tree)
        entries = []
        for word in self.trees[tree]:
            where, _, leads_to = word.partition("=")
            kind = EntryKind.DIR if where.endswith("/") else EntryKind.FILE
            where = where.rstrip("/")
            entries.append(Entry(where, kind, name(leads_to or where), 1))
        return Tree(tuple(entries))

    def version(self, version: VersionId) -> Version:
        """Read a version."""
        raise ObjectMissing(version)

    def chunks(self, blob: ObjectId) -> Sequence[ObjectId]:
        """Read which chunks a blob is kept in."""
        return [name("chunk1"), name("chunk2")] if blob == "film" else ()

    def fault(self, object_id: ObjectId, error: AuraError) -> UnreadableObject | None:
        """Say what an error means."""
        return fault_of(object_id, error)  # type: ignore[arg-type]


def paths(walk: Walk, *steps: TreeVisit) -> list[str]:
    """List the files that a walk comes to."""
    return [path for folder in walk.below(*steps) for path, _ in folder.files()]


def test_every_tree_is_opened_once() -> None:
    """What a second version has in common with the first is not opened again."""
    source = Drawn(top="a/ b/ c", other="a/ d", a="x", b="y")
    walk = Walk(source)
    assert paths(walk, TreeVisit(name("top"))) == ["c", "a/x", "b/y"]
    assert paths(walk, TreeVisit(name("other"))) == ["d"]
    assert source.opened == ["top", "a", "b", "other"]


def test_each_path_is_walked_where_it_is_asked_for() -> None:
    """A folder that stands at two places is opened at both."""
    source = Drawn(top="a/=same b/=same", same="x")
    assert paths(Walk(source), TreeVisit(name("top"))) == ["a/x"]
    assert paths(Walk(source, each_path=True), TreeVisit(name("top"))) == ["a/x", "b/x"]


def test_nothing_is_asked_of_what_the_base_has() -> None:
    """With a base, only what it does not have at the same place is walked."""
    source = Drawn(top="a/=new b/ c", old="a/=older b/ c", new="x=1 y", older="x=0 y", b="z")
    assert paths(Walk(source), TreeVisit(name("top"), base=name("old"))) == ["a/x"]
    assert "b" not in source.opened


def test_a_prune_sees_a_whole_level() -> None:
    """Folders are chosen many at a time, and what is not chosen is not opened."""
    source = Drawn(top="a/ b/", a="x", b="y")
    levels: list[list[str]] = []

    def prune(level: Sequence[TreeVisit]) -> list[TreeVisit]:
        levels.append([step.path for step in level])
        return [step for step in level if step.path != "b/"]

    assert paths(Walk(source, prune=prune), TreeVisit(name("top"))) == ["a/x"]
    assert levels == [[""], ["a/", "b/"]]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ObjectMissing("a"), State.MISSING),
        (ObjectOffloaded(["a"], ["nas"], 1), State.OFFLOADED),
        (ObjectPurged("a", "today", "Ann"), State.PURGED),
        (ObjectCorrupt("a", "it rotted"), State.DAMAGED),
    ],
)
def test_what_cannot_be_read_is_told_in_one_word(error: AuraError, state: State) -> None:
    """Missing, offloaded, purged and damaged are told apart; the walk goes on beside it."""
    source = Drawn(top="a/ b/", b="y")
    source.errors["a"] = error
    faults: list[UnreadableObject] = []
    assert paths(Walk(source, on_fault=faults.append), TreeVisit(name("top"))) == ["b/y"]
    assert [(fault.id, fault.state) for fault in faults] == [("a", state)]
    with pytest.raises(type(error)):
        paths(Walk(source), TreeVisit(name("top")))


def test_folders_inside_folders_have_a_limit() -> None:
    """A store that nests without end is damage, not a walk without end."""
    source = Drawn(**{f"t{n}": f"t{n + 1}/" for n in range(DEPTH_LIMIT + 5)})
    with pytest.raises(LimitExceeded):
        paths(Walk(source), TreeVisit(name("t0")))
    assert paths(Walk(source, on_fault=pass_over), TreeVisit(name("t0"))) == []
    assert Holdings(source, [name("nothing")]).in_tree(name("t0")) == frozenset()


def test_holdings_look_into_chunks_where_they_are_told() -> None:
    """Wanted objects are found as trees, blobs and chunks; what is missing holds nothing."""
    source = Drawn(top="a/ lost/ film", a="x")
    wanted = [name("a"), name("x"), name("chunk2")]
    assert Holdings(source, wanted).in_tree(name("top")) == {"a", "x"}
    found = Holdings(source, wanted, is_listed=lambda blob: blob == "film")
    assert found.in_tree(name("top")) == set(wanted)


def test_alone_is_what_is_counted_from_here_only() -> None:
    """A blob that the tree holds twice is its own if nothing else holds it; what others hold is shared."""
    source = Drawn(top="a/ b/ film", a="x y", b="x")
    counts = {"top": 1, "a": 1, "b": 1, "x": 2, "y": 2, "film": 1, "chunk1": 1, "chunk2": 3}
    found = find_alone(source, name("top"), counts.get, in_chunks=True)
    assert set(found.own) == {"top", "a", "b", "x", "film", "chunk1"}
    assert found.shared == {"y": 1, "chunk2": 0}
    assert "chunk1" not in find_alone(source, name("top"), counts.get, in_chunks=False).own


def test_ancestry_names_each_version_once() -> None:
    """Two ways to one version are one version."""
    parents = {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}
    found = list(ancestry([VersionId(name("d"))], lambda v: [VersionId(name(p)) for p in parents[v]]))
    assert sorted(found) == ["a", "b", "c", "d"]
