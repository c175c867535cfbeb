"""Content that is at a remote only, given as bytes: it is here again, whole, however it is stored."""

import pytest
from aura_vcs.history.file_edits import edit_files
from aura_vcs.ids import blob_id
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.repository.transaction import Draft

from tests.helpers.check import assert_whole

from .film import Film


@pytest.mark.parametrize("companions", [0, 5], ids=["loose", "in a pack"])
def test_bytes_of_offloaded_content_are_here_again(film: Film, companions: int) -> None:
    """An edit writes what an offloaded version holds: it is read without the remote, and collecting keeps it."""
    data = film.wanted[0]["assets/take.mov"]
    film.offload()
    gone = dict(film.remotes)
    film.remotes.clear()
    write = {"assets/copy.mov": data} | {f"extra/{n}.txt": b"%d" % n for n in range(companions)}
    assert edit_files(film.repo, write, draft=Draft("test.edit", "Put it back")) is not None
    for step in range(3):
        assert film.repo.store.read(blob_id(data)) == data, step
        assert fsck(film.repo).problems == ()
        assert fsck(film.repo).offloaded == 1
        if step == 0:
            execute_gc(film.repo, plan_gc(film.repo, grace_seconds=0))
        elif step == 1:
            film.repo.rebuild_index()
    film.remotes |= gone
    assert_whole(film.repo)
