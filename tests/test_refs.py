"""Refs merge: whatever order copies come in, whoever's sync tool brought them."""

import functools
import itertools
from pathlib import Path

import msgspec
import pytest
from aura_vcs import Repository, layout
from aura_vcs.codec import NUMBER_LIMIT
from aura_vcs.errors.input import NothingToUndo, UnknownVersion
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.names.branches import branch, create_branch
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.status import status
from aura_vcs.history.versions import delete_version, edit_version
from aura_vcs.ids import ReplicaId, VersionId, blob_id
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.model import BranchEntry, Label, Tag
from aura_vcs.refs.merge import heads, merge_labels, next_stamp, stamp_label, tags_apart
from aura_vcs.refs.packed_labels import STAMP_LIMIT
from aura_vcs.sync.state.manifest import merge_tags
from hypothesis import example, given, strategies as st

from tests.helpers.check import saved_contents, versions
from tests.helpers.project import clone, save, write

VERSION = VersionId(blob_id(b"v"))
REPLICAS = [ReplicaId(letter * 12) for letter in "abc"]
Changes = list[tuple[ReplicaId, str, str]]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(REPLICAS),
        st.sampled_from(["name", "description", "important", "deleted_at"]),
        st.sampled_from(["one", "two"]),
    ),
    max_size=5,
)


def _label(changes: list[tuple[ReplicaId, str, str]]) -> Label:
    label = Label(VERSION, 1, "name")
    for place, (replica, field, value) in enumerate(changes):
        at = f"2026-01-01T00:00:0{place}.000000Z"
        label = stamp_label(label, replica, at, f"{replica} {value}", **{field: f"{value} {replica} {place}"})
    return label


@given(CHANGES, CHANGES, CHANGES)
def test_labels_merge_in_any_order(one: Changes, other: Changes, third: Changes) -> None:
    """Merging commutes, associates and is idempotent wherever no replica wrote one stamp twice."""
    made = zip(REPLICAS, (one, other, third), strict=True)
    a, b, c = (_label([(replica, *rest) for _, *rest in changes]) for replica, changes in made)
    assert merge_labels(a, b) == merge_labels(b, a)
    assert merge_labels(a, merge_labels(b, c)) == merge_labels(merge_labels(a, b), c)
    assert merge_labels(a, a) == a


def _entry(replica: str, counter: int, **seen: int) -> BranchEntry:
    return BranchEntry(ReplicaId(replica), VERSION, counter, {ReplicaId(k): v for k, v in seen.items()}, "", "")


def test_an_entry_that_was_seen_is_history() -> None:
    """One head where one saw the other; two where neither did; the higher counter of one replica."""
    assert heads([_entry("a", 1), _entry("b", 1, a=1)]) == [_entry("b", 1, a=1)]
    assert len(heads([_entry("a", 2), _entry("b", 1, a=1)])) == 2
    assert heads([_entry("a", 2), _entry("a", 3)]) == [_entry("a", 3)]
    assert heads([]) == []


def _merge_blindly(one: Path, other: Path, *, conflicted: bool) -> None:
    """What a sync tool does: every file of the one arrives in the other, but for `local/`."""
    for path in sorted((one / ".aura").rglob("*")):
        inside = path.relative_to(one)
        if path.is_dir() or inside.parts[1] == "local":
            continue
        target = other / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.read_bytes() != path.read_bytes() and conflicted:
            target = target.with_name(f"{target.stem} (conflicted copy 2026){target.suffix}")
        target.write_bytes(path.read_bytes())


def test_two_copies_merged_blindly_lose_nothing(first: Repository, tmp_path: Path) -> None:
    """Both commit offline; after the folders are merged the branch has diverged and both are there."""
    root = Path(first.root)
    other = clone(root, tmp_path / "laptop")
    write(root, {"here.txt": "made here"})
    save(first, "Here")
    edit_version(first, resolve(first, "v1"), name="Renamed here")
    with Repository.open(other, author="Bea") as repo:
        assert repo.has_moved
        write(other, {"there.txt": "made there"})
        save(repo, "There")
        edit_version(repo, resolve(repo, "v1"), description="Described there")
    _merge_blindly(other, root, conflicted=True)
    first.refresh()
    found = branch(first, "main")
    assert found is not None
    assert len(found.diverged) == 2
    assert status(first).diverged == found.diverged
    assert {b"made here", b"made there"} <= saved_contents(first)
    assert [record.number for record in versions(first)] == [1, 2, 2]
    label = resolve(first, "v1")
    assert (label.name, label.description) == ("Renamed here", "Described there")
    assert fsck(first).problems == ()
    first.rebuild_index()
    label = resolve(first, "v1")
    assert (label.name, label.description) == ("Renamed here", "Described there")
    assert fsck(first).problems == ()
    save(first, "Going on", allow_empty=True)
    assert versions(first)[-1].number == 3


def test_a_copy_without_local_goes_on_where_the_branch_is(first: Repository, tmp_path: Path) -> None:
    """A machine that only got the synchronised part stands on the branch's version, unchanged."""
    import shutil

    root = clone(Path(first.root), tmp_path / "laptop")
    shutil.rmtree(root / ".aura" / "local")
    with Repository.open(root) as repo:
        assert repo.head() == first.head()
        assert status(repo).is_clean
        write(root, {"new.txt": "new"})
        assert save(repo, "There").parents == (first.head().version,)


def test_labels_that_were_packed_and_changed_again(first: Repository) -> None:
    """The newest word holds, although an older file says otherwise; also in an index built anew."""
    for number in range(3):
        save(first, f"Take {number}", allow_empty=True)
    with first.transaction():
        first.index.tidy_records(keep_lines=1, keep_labels=0)
    edit_version(first, resolve(first, "v2"), name="Second name")
    with first.transaction():
        first.index.tidy_records(keep_lines=1, keep_labels=0)
    edit_version(first, resolve(first, "v2"), name="Third name")
    delete_version(first, resolve(first, "v3"))
    for _ in range(2):
        assert resolve(first, "v2").name == "Third name"
        assert not resolve(first, "v3").is_live
        assert fsck(first).problems == ()
        first.rebuild_index()


def test_a_flipped_letter_in_a_ref_is_found(first: Repository) -> None:
    """S1: refs have no checksum; fsck compares them with what the log says they were made."""
    path = next((Path(first.root) / ".aura" / "refs" / "versions").iterdir())
    record = msgspec.json.decode(path.read_bytes())
    path.write_bytes(msgspec.json.encode({**record, "name": "Girst cut"}))
    assert "corrupt_ref" in {problem.kind for problem in fsck(first).problems}


def test_undo_on_another_machine_takes_back_nothing_of_ours(first: Repository, tmp_path: Path) -> None:
    """Every machine undoes what it did itself."""
    import pytest
    from aura_vcs.history.undo import undo

    with Repository.open(clone(Path(first.root), tmp_path / "laptop")) as repo, pytest.raises(NothingToUndo):
        undo(repo)
    commit(first, CommitRequest("Going on", allow_empty=True))


@pytest.mark.parametrize("claim", [3, 4, 1000, STAMP_LIMIT, NUMBER_LIMIT])
def test_a_claim_to_have_seen_what_is_to_come_hides_nothing(first: Repository, claim: int) -> None:
    """Whatever an entry says to have seen of us: the branch is where we put it, now and after each commit."""
    replica = ReplicaId("a" * 12)
    liar = BranchEntry(replica, versions(first)[0].id, 1, {first.replica: claim}, "2026-01-01T00:00:00.000000Z", "eve")
    save(first, "Second", allow_empty=True)
    first.refs.put_entry("main", liar)
    for number in range(3, 8):
        made = save(first, f"Number {number}", allow_empty=True)
        found = branch(first, "main")
        assert found is not None
        assert (found.version, found.diverged) == (made.id, ())


def test_entries_that_claim_to_have_seen_each_other_all_stand() -> None:
    """A branch is not gone because everybody says that somebody else has moved it."""
    both = [_entry("a", 1, b=1), _entry("b", 1, a=1)]
    assert heads(both) == both


def test_thousands_of_machines_are_compared_at_once() -> None:
    """Each has seen the one before: one head, found in one pass over what each has seen."""
    entries = [_entry(str(n), 1, **({str(n - 1): 1} if n else {})) for n in range(5000)]
    assert heads(entries) == entries[-1:]


@pytest.mark.parametrize("counter", ["-1", "0", str(1 << 53), str(1 << 63), "1" + "0" * 400, '"3"', "1.5", "null"])
@pytest.mark.parametrize("place", ["counter", "seen"])
def test_a_ref_with_an_impossible_number_is_passed_over(first: Repository, counter: str, place: str) -> None:
    """It is not an entry of anybody's: the branch is where it was, and fsck names the file."""
    values = {"counter": "1", "seen": "0", place: counter}
    text = (
        f'{{"replica":"{"b" * 12}","version":null,"counter":{values["counter"]},"seen":{{"{first.replica}":'
        f'{values["seen"]}}},"updated_at":"2026-01-01T00:00:00.000000Z","updated_by":"eve"}}'
    )
    if place == "seen" and counter == "0":
        return
    path = Path(first.root, ".aura/refs/branches/main", f"{'b' * 12}.json")
    path.write_text(text)
    found = branch(first, "main")
    assert found is not None
    assert found.version == first.head().version
    assert [problem.kind for problem in fsck(first).problems] == ["corrupt_ref"]


def test_copies_that_gave_one_stamp_to_two_values_agree(first: Repository) -> None:
    """Two copies of one replica did; whichever comes first, all end with the same."""
    label = first.refs.label(versions(first)[0].id)
    assert label is not None
    one, other = (stamp_label(label, first.replica, "2026", "x", name=name) for name in ("One", "Other"))
    assert one.stamps == other.stamps
    assert merge_labels(one, other).name == merge_labels(other, one).name


def _tag(version: str | None, counter: int, replica: str, seen: dict[str, int] | None = None) -> Tag:
    made = None if version is None else VersionId(blob_id(version.encode()))
    known = None if seen is None else {ReplicaId(name * 12): count for name, count in seen.items()}
    return Tag(made, "", "2026-01-01T00:00:00.000000Z", "x", (counter, ReplicaId(replica * 12)), known)


STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["give", "delete", *"abc"])), min_size=1, max_size=14
)
"""Each a machine, and what it does with its copy of a tag: another machine's name means that it hears of that one's."""


@given(STEPS)
@example([("a", "give"), ("c", "give"), ("b", "c"), ("b", "delete")])
@example([("a", "give"), ("b", "give"), ("a", "b"), ("a", "delete"), ("b", "delete"), ("a", "give"), ("b", "give")])
def test_no_tag_goes_that_nobody_who_knew_it_removed(steps: list[tuple[str, str]]) -> None:
    """Against plain sets of what each machine knows: every version is in some tag, and all machines end alike.

    Who hears of three at once may give the name to another of them than who hears of them in another order; they
    agree as soon as they have heard of each other.
    """
    tags: dict[str, dict[str, Tag]] = {name: {} for name in "abc"}
    wanted: dict[str, set[str]] = {name: set() for name in "abc"}
    removed: dict[str, set[str]] = {name: set() for name in "abc"}
    for number, (here, what) in enumerate(steps):
        before = tags[here].get("sent")
        if what in tags:
            tags[here] = merge_tags(tags[here], tags[what])
            removed[here] |= removed[what]
            wanted[here] = (wanted[here] | wanted[what]) - removed[here]
        elif what == "give" and (before is None or before.version is None):
            stamp, seen = next_stamp(before, ReplicaId(here * 12))
            tags[here]["sent"] = tag = msgspec.structs.replace(_tag(f"v{number}", 1, here), stamp=stamp, seen=seen)
            wanted[here].add(str(tag.version))
        elif what == "delete" and before is not None and before.version is not None:
            stamp, seen = next_stamp(before, ReplicaId(here * 12))
            tags[here]["sent"] = msgspec.structs.replace(_tag(None, 1, here), stamp=stamp, seen=seen)
            if str(before.version) not in {tag.version for name, tag in tags[here].items() if name != "sent"}:
                removed[here].add(str(before.version))
                wanted[here].discard(str(before.version))
    ends = [merge_tags(merge_tags(tags[x], tags[y]), tags[z]) for x, y, z in itertools.permutations("abc")]
    everywhere = set().union(*wanted.values()) - set().union(*removed.values())
    for end in ends:
        assert everywhere <= {tag.version for tag in end.values()}
    agreed = [functools.reduce(merge_tags, [*ends[at:], *ends[:at]]) for at in range(len(ends))]
    for end in agreed:
        assert everywhere <= {tag.version for tag in end.values()}
        assert {name: tag.version for name, tag in end.items()} == {
            name: tag.version for name, tag in agreed[0].items()
        }
        assert merge_tags(end, end) == end


OLD_TAGS = st.builds(_tag, st.sampled_from(["v1", "v2", None]), st.integers(1, 3), st.sampled_from("abc"))
"""Tags that do not say what they have seen."""
TAGS = st.lists(
    st.tuples(st.sampled_from(["sent", "premiere"]), OLD_TAGS),
    max_size=4,
    unique_by=lambda item: (item[0], item[1].stamp),
)


@given(TAGS)
def test_old_tags_join_in_any_order(copies: list[tuple[str, Tag]]) -> None:
    """All machines end with the same names on the same versions, and joining again changes nothing."""
    joined = merge_tags({}, {})
    for name, tag in copies:
        joined = merge_tags(joined, {name: tag})
    backwards: dict[str, Tag] = {}
    for name, tag in reversed(copies):
        backwards = merge_tags({name: tag}, backwards)
    assert {name: tag for name, tag in joined.items() if "." not in name} == {
        name: tag for name, tag in backwards.items() if "." not in name
    }
    assert merge_tags(joined, joined) == joined


@pytest.mark.parametrize("name", ["final.", "é" * 33, "n" * 100, "über.", "x-" * 50, f"{'n' * 95}.aaaa"])
def test_a_tag_kept_beside_another_has_a_proper_name(name: str) -> None:
    """Also where there is no room for more characters, or a dot would follow a dot."""
    one, other = {name: _tag("v1", 1, "a", {})}, {name: _tag("v2", 1, "b", {})}
    both = merge_tags(one, other)
    assert len(both) == 2
    assert all(layout.check_name("tag", found) for found in both)
    assert [found[0] for found in tags_apart(both)] == [name]


def test_a_name_that_is_taken_by_another_tag_costs_neither() -> None:
    """Of tags that would be kept under one name, each stays."""
    one = {"sent": _tag("v1", 1, "a", {}), f"sent.{blob_id(b'v1')[:4]}": _tag("v3", 1, "c", {})}
    other = {"sent": _tag("v2", 1, "b", {})}
    assert {tag.version for tag in merge_tags(one, other).values()} == {
        tag.version for tags in (one, other) for tag in tags.values()
    }


def test_a_tag_that_two_machines_gave_is_kept_twice() -> None:
    """Neither had heard of the other: the higher stamp has the name, the other one a name of its own."""
    one, other = {"sent": _tag("v1", 1, "a")}, {"sent": _tag("v2", 1, "b")}
    assert (
        merge_tags(one, other)
        == merge_tags(other, one)
        == {
            "sent": other["sent"],
            f"sent.{str(one['sent'].version)[:4]}": one["sent"],
        }
    )
    later = {"sent": _tag("v2", 3, "b")}
    assert merge_tags(one, later) == later


def test_a_tag_set_aside_by_a_sync_tool_is_shown(first: Repository) -> None:
    """Two machines gave it in a mirrored folder, and the tool kept one of the two files under another name."""
    create_tag(first, "sent", versions(first)[0].id)
    path = Path(first.root, ".aura/refs/tags/sent.json")
    theirs = save(first, "Second", allow_empty=True)
    text = path.read_text().replace(versions(first)[0].id, theirs.id).replace(first.replica, "0" * 12)
    path.with_name("sent.sync-conflict-20261130-101010.json").write_text(text)
    assert {name: tag.version for name, tag in first.refs.tags().items()} == {
        "sent": versions(first)[0].id,
        f"sent.{theirs.id[:4]}": theirs.id,
    }


@pytest.mark.parametrize("wrong", ["", "v1", "f" * 64, "nonsense", "x" * 5000, None])
def test_no_name_is_given_to_what_is_no_version(first: Repository, wrong: str) -> None:
    """Programs hand over any text: nothing is recorded that nobody could go to."""
    for give in (create_tag, create_branch):
        with pytest.raises(UnknownVersion):
            give(first, "sent", VersionId(wrong))
    assert first.refs.all_tags() == {}
    assert branch(first, "sent") is None
