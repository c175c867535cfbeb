"""Amending a version that others have."""

from pathlib import Path

from aura_vcs.history.commit import AmendRequest, amend
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import branch
from aura_vcs.index.queries import Queries
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.pull import pull
from aura_vcs.sync.push import push
from aura_vcs.sync.sent import sent_to

from .machines import clone, files, folder_remote, known, machine, save, write


def pair(path: Path) -> tuple[Repository, Repository]:
    """Two machines that agree on two versions."""
    anna = machine(path / "anna", "anna")
    save(anna, "brief.json", "1", "First")
    save(anna, "brief.json", "2", "Second")
    remote = folder_remote(path / "remote", anna)
    push(anna, remote, known(anna))
    return anna, clone(path / "bert", "bert", remote)


def test_one_that_was_sent_stays_and_joins(tmp_path: Path) -> None:
    """Whoever has it sees both, and a merge joins them without a question; what is known of the remote says so."""
    anna, bert = pair(tmp_path)
    remote = folder_remote(tmp_path / "remote")
    sent = anna.head().version
    assert sent is not None
    assert sent_to(anna, sent) == ()  # the project has no remote of that name
    write(anna, "notes.txt", "forgotten")
    made = amend(anna, AmendRequest(keep=True)).version
    assert made is not None
    push(anna, remote, known(anna))
    pull(bert, remote, known(bert))
    found = branch(bert, "main")
    assert found is not None
    if found.diverged:
        merge(bert)
    assert files(bert)["notes.txt"] == b"forgotten"


def test_what_was_made_on_it_stays_beside(tmp_path: Path) -> None:
    """A version that another machine made on the one that is amended is lost nowhere."""
    anna, bert = pair(tmp_path)
    remote = folder_remote(tmp_path / "remote")
    theirs = save(bert, "notes.txt", "bert's", "Third")
    push(bert, remote, known(bert))
    write(anna, "brief.json", "3")
    made = amend(anna, AmendRequest(keep=True)).version
    assert made is not None
    pull(anna, remote, known(anna))
    found = branch(anna, "main")
    assert found is not None
    assert theirs.id in (*found.diverged, found.version) or Queries(anna.index).is_ancestor(theirs.id, found.version)
    record = Queries(anna.index).version(theirs.id)
    assert record is not None
    assert record.is_live
    assert files(anna)["brief.json"] == b"3"
