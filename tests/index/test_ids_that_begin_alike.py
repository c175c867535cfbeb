"""Rows are found by the first bytes of their ids: an id that begins as another one is never taken for it."""

from aura_vcs import Repository
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.object_locations import IndexLocations
from aura_vcs.index.queries import Queries
from aura_vcs.model import EntryKind

from tests.helpers.check import versions
from tests.helpers.project import save


def _twin(repo: Repository) -> tuple[ObjectId, ObjectId]:
    """The id of a file's content, and one with the same beginning, which gets a row of its own."""
    tree = repo.trees.tree(versions(repo)[0].tree)
    blob = next(entry.id for entry in tree.entries if entry.kind is EntryKind.FILE)
    twin = ObjectId(blob[:-1] + ("0" if blob[-1] != "0" else "1"))
    with repo.index.database.transaction() as connection:
        columns = "kind, content_type, size, stored_size, pack, frame, offset, length, chunked"
        connection.execute(
            f"INSERT INTO objects (id, {columns}, refcount, created_at) "
            f"SELECT ?2, {columns}, 7, created_at FROM objects WHERE id = ?1",
            (bytes.fromhex(blob), bytes.fromhex(twin)),
        )
    return blob, twin


def test_each_of_two_ids_is_its_own_row(first: Repository) -> None:
    blob, twin = _twin(first)
    absent = ObjectId(blob[:-1] + ("2" if blob[-1] != "2" else "3"))
    queries, places = Queries(first.index), IndexLocations(first.index.database)
    found, other = queries.object(blob), queries.object(twin)
    assert found is not None
    assert other is not None
    assert (found.id, found.refcount, other.id, other.refcount) == (blob, 1, twin, 7)
    assert queries.object(absent) is None
    assert places.find(absent) is None
    assert places.find_many([blob, absent]).keys() == {blob}
    assert [set(ids) for ids in places.packs_of([twin, absent]).values()] == [{twin}]
    assert queries.held([blob, absent]) == {blob}
    assert queries.stored_sizes([blob, absent]) == [(found.stored_size, 1)]
    assert first.index.unlocated([blob, twin, absent]) == {absent}
    assert {record.id for record in queries.objects_with_prefix(blob[:20])} == {blob, twin}
    assert [record.id for record in queries.objects_with_prefix(blob)] == [blob]


def test_one_of_two_is_forgotten_and_moved_alone(first: Repository) -> None:
    blob, twin = _twin(first)
    first.index.mark_offloaded([blob])
    records = Queries(first.index)
    assert [record.stored_size == 0 for id_ in (blob, twin) if (record := records.object(id_))] == [True, False]
    first.index.forget([twin])
    assert records.object(twin) is None
    assert records.object(blob) is not None


def test_versions_that_have_not_come_keep_their_row(first: Repository) -> None:
    """A parent that is not here has a row from the start, which it gets when it comes: the index is the same then."""
    save(first, "Second cut", allow_empty=True)
    save(first, "Third cut", allow_empty=True)
    before, queries = versions(first), Queries(first.index)
    oldest, middle, newest = before
    connection = first.index.database.connection
    with first.index.database.transaction():
        row = connection.execute("SELECT row FROM versions WHERE number = 2").fetchone()[0]
        connection.execute("DELETE FROM versions WHERE row = ?", (row,))
        connection.execute("INSERT INTO awaited VALUES (?, ?)", (row, bytes.fromhex(middle.id)))
    assert queries.version(newest.id) == newest
    assert queries.ancestors(newest.id) == {newest.id}
    assert queries.children(VersionId(ObjectId(middle.id))) == [newest.id]
    first.rebuild_index()
    assert versions(first) == before
    assert Queries(first.index).is_ancestor(oldest.id, newest.id)
