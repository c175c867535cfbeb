"""Three machines: what one takes back or names, the others keep."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.names.branches import branch, create_branch
from aura_vcs.history.names.tags import create_tag, delete_tag
from aura_vcs.history.undo import undo
from aura_vcs.history.versions import delete_version
from aura_vcs.index.queries import Queries
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RemoteStorage
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.maintenance.gc import execute_remote_gc, plan_remote_gc
from aura_vcs.sync.pull import pull, sync
from aura_vcs.sync.push import push
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.snapshot import load_snapshot

from .machines import clone, content, files, folder_remote, known, machine, save, write
from .test_push_pull import MIB, media


class Three:
    """Anna and bert share a project; cleo comes later."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.anna = machine(path / "anna", "anna")
        self.first = save(self.anna, "brief.json", "{}", "First")
        self.remote: RemoteStorage = folder_remote(path / "remote", self.anna)
        push(self.anna, self.remote, known(self.anna))
        self.bert = clone(path / "bert", "bert", self.remote)

    def sync(self, *machines: Repository) -> None:
        """Each brings both sides together, one after the other."""
        for repo in machines:
            sync(repo, self.remote, known(repo))

    def collect(self, repo: Repository) -> None:
        """Free at the remote what can go, at once."""
        execute_remote_gc(
            repo, self.remote, known(repo), plan_remote_gc(repo, self.remote, known(repo), grace_seconds=0)
        )


@pytest.fixture
def three(tmp_path: Path) -> Three:
    """Two machines that agree."""
    return Three(tmp_path)


def _nothing(_: Repository) -> None:
    pass


def _commit_and_take_back(repo: Repository) -> None:
    save(repo, "plan.json", "{}")
    undo(repo)


@pytest.mark.parametrize("between", [_nothing, _commit_and_take_back])
def test_undo_of_a_pull_leaves_the_branch_where_others_followed(
    three: Three, between: Callable[[Repository], None]
) -> None:
    """A machine that only followed, as a clone does, does not make what it followed ours to take back."""
    theirs = save(three.anna, "brief.json", '{"by": "anna"}')
    three.sync(three.anna)
    pull(three.bert, three.remote, known(three.bert))
    cleo = clone(three.path / "cleo", "cleo", three.remote)
    create_branch(cleo, "side", theirs.id)
    three.sync(cleo, three.bert)
    between(three.bert)
    undo(three.bert)
    assert three.bert.head().version == three.first.id
    for repo in (three.bert, three.anna, cleo):
        three.sync(three.bert, three.anna, cleo)
        assert branch(repo, "main").version == theirs.id  # type: ignore[union-attr]


def test_undo_of_a_commit_holds_against_those_who_followed(three: Three) -> None:
    """What bert made himself he takes back for everybody of whom he knows that they only followed it."""
    save(three.bert, "brief.json", '{"by": "bert"}')
    three.sync(three.bert, three.anna)
    cleo = clone(three.path / "cleo", "cleo", three.remote)
    create_branch(three.anna, "other", three.first.id)
    create_branch(cleo, "side", three.first.id)
    three.sync(three.anna, cleo, three.bert)
    undo(three.bert)
    three.sync(three.bert, three.anna, cleo)
    for repo in (three.bert, three.anna, cleo):
        assert branch(repo, "main").version == three.first.id  # type: ignore[union-attr]


@pytest.mark.parametrize("is_pushed", [True, False])
def test_what_was_taken_back_when_others_were_there_comes_whole(three: Three, is_pushed: bool) -> None:
    """Bert takes back what anna has gone to: her branch stays there, and whoever comes gets its content."""
    dora = clone(three.path / "dora", "dora", three.remote)
    save(three.bert, "take.wav", media(3 * MIB))
    made = save(three.bert, "brief.json", '{"by": "bert"}')
    three.sync(three.bert, three.anna)
    undo(three.bert)
    undo(three.bert)
    if not is_pushed:
        three.remote = folder_remote(three.path / "new", three.anna)
        for repo in (three.anna, three.bert, dora):
            known(repo).clear()
    three.sync(three.bert, three.anna, three.bert, dora)
    for repo in (three.anna, dora, clone(three.path / "cleo", "cleo", three.remote)):
        found = branch(repo, "main")
        assert found is not None
        assert found.version == repo.head().version == made.id
        assert content(repo, made) == content(three.anna, made)
        assert files(repo) == files(three.anna)
        execute_gc(repo, plan_gc(repo, grace_seconds=0))
        three.sync(repo)
        assert content(repo, made) == content(three.anna, made)
        again = sync(repo, three.remote, known(repo))
        assert again.pulled.fetched.plan.is_empty
        assert again.pushed.is_empty
    three.collect(three.anna)
    clone(three.path / "eve", "eve", three.remote)


def test_a_branch_on_what_was_freed_stops_nobody(three: Three) -> None:
    """Anna takes her first version back and frees it; the branch, where bert is, is left alone, and work goes on."""
    undo(three.anna)
    execute_gc(three.anna, plan_gc(three.anna, grace_seconds=0))
    create_branch(three.bert, "side", three.first.id)
    three.sync(three.bert)
    pulled = pull(three.anna, three.remote, known(three.anna))
    assert pulled.without_content == three.first.id
    assert pulled.files is None
    save(three.bert, "plan.json", "{}")
    three.sync(three.bert, three.anna)
    checkout(three.anna, "main")
    assert files(three.anna) == files(three.bert)


@pytest.mark.parametrize("is_ignored", [False, True])
def test_who_stands_on_what_another_purged_commits_whole(three: Three, is_ignored: bool) -> None:
    """Anna takes back and frees the version that bert is on: his next commit holds all of his files.

    Also those that he would ignore by now: they were versioned, and stay so.
    """
    undo(three.anna)
    execute_gc(three.anna, plan_gc(three.anna, grace_seconds=0))
    create_branch(three.bert, "side", three.first.id)
    three.sync(three.bert, three.anna, three.bert)
    record = Queries(three.bert.index).version(three.first.id)
    assert record is not None
    assert record.purged_at is not None
    execute_gc(three.bert, plan_gc(three.bert, grace_seconds=0, dead_share=0.0))
    assert content(three.bert, three.first) == {"brief.json": b"{}"}
    rules = {".auraignore": b"brief.json\n"} if is_ignored else {}
    for path, data in rules.items():
        write(three.bert, path, data)
    made = save(three.bert, "plan.json", "{}")
    execute_gc(three.bert, plan_gc(three.bert, grace_seconds=0, dead_share=0.0))
    assert content(three.bert, made) == {"brief.json": b"{}", "plan.json": b"{}", **rules}
    assert fsck(three.bert).problems == ()


def test_a_move_that_was_overtaken_may_stand_on_what_did_not_come(three: Three) -> None:
    """Anna takes the branch back to nothing; what bert followed to is history, and a clone is whole without it."""
    create_tag(three.bert, "cut", three.first.id)
    three.sync(three.bert)
    delete_tag(three.bert, "cut")
    three.sync(three.bert, three.anna)
    undo(three.anna)
    three.sync(three.anna)
    cleo = clone(three.path / "cleo", "cleo", three.remote)
    assert branch(cleo, "main") is None
    assert fsck(cleo).problems == ()


def test_a_deleted_version_gets_no_name(three: Three) -> None:
    """Its content would not be sent: the others would have a branch or tag without content."""
    made = save(three.anna, "brief.json", '{"by": "anna"}')
    undo(three.anna)
    for name in (create_tag, create_branch):
        with pytest.raises(InputError, match="v2 is deleted") as raised:
            name(three.anna, "cut", made.id)
        assert "aura version undelete v2" in str(raised.value.hint)


def test_a_remote_is_collected_though_a_name_stands_on_what_was_deleted(three: Three) -> None:
    """One deletes a version and frees it at the remote, another gives it a tag meanwhile: nothing gets stuck."""
    old = save(three.anna, "brief.json", '{"by": "anna"}')
    save(three.anna, "brief.json", '{"by": "anna", "again": true}')
    three.sync(three.anna, three.bert)
    delete_version(three.anna, old)
    three.sync(three.anna)
    three.collect(three.anna)
    create_tag(three.bert, "cut", old.id)
    three.sync(three.bert, three.anna)
    save(three.bert, "brief.json", '{"by": "bert"}')
    three.sync(three.bert)
    three.collect(three.anna)
    three.collect(three.bert)
    assert fsck_remote(load_snapshot(three.remote, NullCache(), None)).problems == ()
    assert content(three.bert, old) == {"brief.json": b'{"by": "anna"}'}


def test_an_empty_version_is_whole_in_a_clone(three: Three) -> None:
    """The empty folder is known to everybody: whether it is stored, and who counts it, is nobody's concern."""
    (three.path / "anna/brief.json").unlink()
    save(three.anna, "a.txt", "x")
    (three.path / "anna/a.txt").unlink()
    commit(three.anna, "Nothing")
    three.sync(three.anna)
    assert fsck(clone(three.path / "cleo", "cleo", three.remote)).problems == ()
