"""Machines that say something about the same things apart: nothing is lost, and all come to one result."""

import shutil
from pathlib import Path
from random import Random

import pytest
from aura_vcs.annotations.notes import (
    Note,
    add_note,
    delete_note,
    edit_note,
    find_note,
    notes,
    reopen_note,
    reply,
    resolve_note,
)
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import LimitExceeded
from aura_vcs.errors.remotes import RemoteMismatch
from aura_vcs.history.undo import undo
from aura_vcs.index.annotations import AnnotationTable
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.refs.annotations import ROOMS, merge_annotations
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.bundle_file import BundleRemote
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.sync.bundle import create_bundle
from aura_vcs.sync.fetch import fetch
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import push
from aura_vcs.sync.state import manifest as manifest_room

from tests.helpers.sampling import chance
from tests.sync.machines import clone, folder_remote, known, machine, manifest, save


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Repository, Repository, FolderRemote]:
    """Two machines with one film, and the remote between them."""
    one = machine(tmp_path / "one", "Ada")
    save(one, "cut.mp4", b"film")
    remote = folder_remote(tmp_path / "remote", one)
    push(one, remote, known(one))
    return one, clone(tmp_path / "two", "Bo", remote), remote


def exchange(remote: FolderRemote, *machines: Repository) -> None:
    """All hear of everything."""
    for _ in range(2):
        for repo in machines:
            sync(repo, remote, known(repo))


def test_notes_travel(pair: tuple[Repository, Repository, FolderRemote]) -> None:
    """A note goes there and back with its reply; the second time there is nothing to do."""
    one, two, remote = pair
    note = add_note(one, "cut.mp4@0:12-0:15", "logo too big")
    assert push(one, remote, known(one)).annotations == 1
    assert fetch(two, remote, known(two)).plan.annotations == 1
    reply(two, note.id, "smaller now")
    exchange(remote, one, two)
    assert find_note(one, note.id) == find_note(two, note.id)
    assert [answer.created_by for answer in find_note(one, note.id).replies] == ["Bo"]
    assert push(one, remote, known(one)).is_empty
    assert fetch(one, remote, known(one)).plan.is_empty
    assert manifest(remote).features == (manifest_room.ANNOTATIONS,)


def test_apart(pair: tuple[Repository, Repository, FolderRemote]) -> None:
    """One deletes, the other replies, rewords and resolves, offline: all of it is there afterwards, on both."""
    one, two, remote = pair
    note = add_note(one, "cut.mp4", "logo too big")
    exchange(remote, one, two)
    delete_note(one, note.id)
    reply(two, note.id, "smaller now")
    edit_note(two, note.id, text="logo much too big")
    edit_note(one, reopen_note(one, note.id).id, text="logo huge")
    delete_note(one, note.id)
    resolve_note(two, note.id)
    exchange(remote, one, two)
    found = find_note(one, note.id)
    assert found == find_note(two, note.id)
    assert found.state == "resolved", "who replied did not know that it was deleted"
    assert {found.text, *found.earlier} == {"logo too big", "logo much too big", "logo huge"}
    assert [answer.text for answer in found.replies] == ["smaller now"]
    delete_note(two, note.id)
    exchange(remote, one, two)
    assert notes(one) == notes(two) == []


def test_a_remote_that_is_not_understood(
    pair: tuple[Repository, Repository, FolderRemote], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever does not know of notes refuses the remote by the feature's name."""
    one, two, remote = pair
    add_note(one, "cut.mp4", "look")
    push(one, remote, known(one))
    monkeypatch.setattr(manifest_room, "KNOWN_FEATURES", frozenset({"leaving"}))
    with pytest.raises(RemoteMismatch, match="annotations"):
        fetch(two, remote, known(two))


def test_bundles_have_notes(pair: tuple[Repository, Repository, FolderRemote], tmp_path: Path) -> None:
    """A project that comes out of a bundle has its notes."""
    one, _, _ = pair
    note = add_note(one, "cut.mp4", "look")
    create_bundle(one, str(tmp_path / "film.bundle"))
    bundle = BundleRemote(str(tmp_path / "film.bundle"))
    other = clone(tmp_path / "other", "Cy", bundle)
    bundle.close()
    assert find_note(other, note.id) == find_note(one, note.id)


def test_many_notes_travel(pair: tuple[Repository, Repository, FolderRemote]) -> None:
    """Very many go into packed files on their way, and small records of a remote keep theirs when they are merged."""
    one, two, remote = pair
    from aura_vcs.annotations.notes import add_notes
    from aura_vcs.annotations.places import make_target

    target = make_target(one, "cut.mp4")
    add_notes(one, [(target, f"note {number}", "") for number in range(200)])
    push(one, remote, known(one))
    save(one, "cut.mp4", b"longer film")
    push(one, remote, known(one))
    exchange(remote, one, two)
    assert len(notes(two)) == 200
    assert len(list(Path(two.root, ".aura/refs/notes").iterdir())) == 1
    assert fsck(two).problems == ()


def _act(repo: Repository, random: Random, number: int, said: set[str]) -> None:
    """Do something to some note, or make one; remember what was said."""
    found = notes(repo)
    text = f"{repo.author} {number}"
    if not found or random.random() < 0.3:
        add_note(repo, "cut.mp4", text)
        said.add(text)
        return
    note = random.choice(found)
    deed = random.choice([reply, edit_note, resolve_note, reopen_note, delete_note])
    if deed is reply:
        reply(repo, note.id, text)
    elif deed is edit_note:
        edit_note(repo, note.id, text=text)
    else:
        deed(repo, note.id)  # type: ignore[operator]  # the other three take an id alone
    if deed in (reply, edit_note):
        said.add(text)


def _said(found: list[Note]) -> set[str]:
    return {text for note in found for text in (note.text, *note.earlier, *(item.text for item in note.replies))}


def test_at_random(tmp_path: Path) -> None:
    """Three machines say, answer, reword, resolve, delete and undo, and now and then sync: all end alike, none lost."""
    random = chance("notes")
    one = machine(tmp_path / "0", "Ada")
    save(one, "cut.mp4", b"film")
    remote = folder_remote(tmp_path / "remote", one)
    push(one, remote, known(one))
    machines = [one, clone(tmp_path / "1", "Bo", remote), clone(tmp_path / "2", "Cy", remote)]
    said: set[str] = set()
    for number in range(40):
        repo = random.choice(machines)
        if random.random() < 0.25:
            sync(repo, remote, known(repo))
        else:
            _act(repo, random, number, said)
    exchange(remote, *machines)
    tables = [AnnotationTable(repo.index.database).select("notes") for repo in machines]
    assert tables[0] == tables[1] == tables[2]
    everything = [*notes(one), *notes(one, state="deleted")]
    assert said <= _said(everything)
    for repo in machines:
        before = notes(repo)
        repo.rebuild_index()
        assert notes(repo) == before
        assert fsck(repo).problems == ()
    undo_all(machines[1])


def undo_all(repo: Repository) -> None:
    """Take back what can be, one after the other; nothing is lost by that either."""
    everything = {note.id for state in (None, "deleted") for note in notes(repo, state=state)}  # type: ignore[arg-type]
    for _ in range(5):
        try:
            undo(repo)
        except AuraError:
            break
    assert {note.id for state in (None, "deleted") for note in notes(repo, state=state)} == everything  # type: ignore[arg-type]


def _fill(repo: Repository, note: str) -> None:
    while True:
        reply(repo, note, f"{repo.author} {'y' * 9_000}")


def test_very_much_is_said(pair: tuple[Repository, Repository, FolderRemote]) -> None:
    """Two that say as much as one may, apart, have it all together afterwards, and go on."""
    one, two, remote = pair
    note = add_note(one, "cut.mp4", "look")
    exchange(remote, one, two)
    for repo in (one, two):
        for number in range(20):
            reply(repo, note.id, f"{repo.author} {number} {'x' * 9_000}")
        with pytest.raises(LimitExceeded):
            _fill(repo, note.id)
    exchange(remote, one, two)
    assert find_note(one, note.id) == find_note(two, note.id)
    assert len(find_note(one, note.id).replies) > 40
    with pytest.raises(LimitExceeded) as refused:
        reply(one, note.id, "one more")
    assert "resolved and deleted" in (refused.value.hint or "")
    assert resolve_note(one, note.id).state == "resolved"
    assert delete_note(one, note.id).state == "deleted"
    undo(one)
    assert reopen_note(one, note.id).state == "open"
    exchange(remote, one, two)
    one.rebuild_index()
    assert find_note(one, note.id) == find_note(two, note.id)
    delete_note(one, add_note(one, "cut.mp4", "another").id)
    assert fsck(one).problems == ()


def test_merging_commutes(pair: tuple[Repository, Repository, FolderRemote]) -> None:
    """Copies merge in any order, and again, to the same."""
    one, two, remote = pair
    note = add_note(one, "cut.mp4", "look")
    exchange(remote, one, two)
    resolve_note(one, note.id)
    reply(two, note.id, "yes")
    a, b = (repo.refs.annotations.get("notes", note.id) for repo in (one, two))
    assert a is not None
    assert b is not None
    assert merge_annotations(a, b) == merge_annotations(b, a)
    assert merge_annotations(merge_annotations(a, b), b) == merge_annotations(a, b)


def test_a_tool_that_mirrors(pair: tuple[Repository, Repository, FolderRemote]) -> None:
    """A tool carries a folder that puts one machine's file in place of the other's, or beside it: both count."""
    one, two, remote = pair
    note = add_note(one, "cut.mp4", "look")
    exchange(remote, one, two)
    reply(one, note.id, "from one")
    reply(two, note.id, "from two")
    here, there = (Path(repo.root, ".aura") for repo in (one, two))
    for room in ROOMS[:1]:
        for file in (there / "refs" / room).iterdir():
            shutil.copy2(file, here / "refs" / room / file.name)
    shutil.copy2(there / f"operations/{two.replica}.jsonl", here / f"operations/{two.replica}.jsonl")
    one.refresh()
    assert {answer.text for answer in find_note(one, note.id).replies} == {"from one", "from two"}
    resolve_note(two, note.id)
    file = f"refs/notes/{note.id}.json"
    shutil.copy2(there / file, here / f"refs/notes/{note.id} (conflicted copy).json")
    one.refresh()
    assert find_note(one, note.id).state == "resolved"
