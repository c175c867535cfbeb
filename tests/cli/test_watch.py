"""`aura watch`: the same answers with a watcher, none from one that was wrong, and no process left behind."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from aura_vcs import Repository
from aura_vcs.history.status import status
from aura_vcs.layout import WATCHER_FAULT
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.worktree.scan.watched import ABOUT, ask_watcher, talk

from tests.cli.conftest import AURA, Film
from tests.helpers.watching import has_inotify

pytestmark = pytest.mark.skipif(not has_inotify(), reason="the watcher is for Linux")
DEAF = """
import sys
from aura_vcs.worktree.watch import server, watched
watched.WatchedFiles._hear = lambda *_: None
watched.WatchedFiles.look = lambda _: None
server.VERIFIED_EVERY = int(sys.argv[2])
server.serve(sys.argv[1], lambda: True)
"""
"""A watcher that hears nothing: what must never be."""


@pytest.fixture
def watched(film: Film) -> Iterator[Film]:
    """A project with a version and a watcher."""
    film.commit("First cut")
    film("watch", "start")
    yield film
    _end(film)


def _end(film: Film) -> None:
    told = film("watch", "status", "--json").json["watcher"]
    film("watch", "stop")
    until = time.monotonic() + 10
    while told is not None and os.path.exists(f"/proc/{told['pid']}/exe") and time.monotonic() < until:
        time.sleep(0.02)


def _process(film: Film, *words: str, **env: str) -> bytes:
    done = subprocess.run([*AURA, *words], cwd=film.root, env={**_env(film), **env}, check=True, capture_output=True)
    return done.stdout


def _env(film: Film) -> dict[str, str]:
    return {name: value for name, value in {**os.environ, **film.env}.items() if name != "AURA_NO_WATCHER"}


def _wait(film: Film) -> None:
    until = time.monotonic() + 20
    while ask_watcher(str(film.root)) is None:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_watcher_is_started_and_stopped(watched: Film) -> None:
    """Started once, a second start finds it; stopped, nothing of it is left."""
    _wait(watched)
    pid = watched("watch", "status", "--json").json["watcher"]["pid"]
    assert watched("watch", "start", "--json").json["watcher"]["pid"] == pid
    assert "watches in use" in watched("watch", "status").out
    assert watched("watch", "stop").out == "The watcher has stopped.\n"
    assert watched("watch", "status").out.startswith("No watcher is running.")
    assert not (watched.root / ".aura" / "local" / "watcher.sock").exists()
    assert watched("watch", "stop", "--json").json == {"stopped": False}


def test_commands_say_the_same_with_it(watched: Film) -> None:
    """`status` and `diff` print the same with a watcher and without, and a checkout takes the watcher along."""
    _wait(watched)
    for edit in ("brief.json", "new.txt"):
        with (watched.root / edit).open("a") as file:
            file.write(" \n")
        for words in (("status", "--json"), ("diff", "--json")):
            assert _process(watched, *words) == _process(watched, *words, AURA_NO_WATCHER="1")
    _process(watched, "commit", "-m", "Second")
    _process(watched, "checkout", "v1")
    assert json.loads(_process(watched, "status", "--json"))["changes"] == []
    assert not (watched.root / "new.txt").exists()
    told = talk(str(watched.root), ABOUT)
    assert told is not None
    assert json.loads(told[1])["answers"] > 3


def test_a_clean_status_looks_at_nothing(watched: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the watcher knows that nothing has changed, neither the files nor the scan cache are read."""
    _wait(watched)
    with Repository.open(str(watched.root)) as repo:
        monkeypatch.setattr(type(repo.worktree), "scan", lambda *_: pytest.fail("it looked"))
        assert status(repo).is_clean


@pytest.mark.parametrize("by_fsck", [False, True])
def test_one_that_was_wrong_is_switched_off(film: Film, by_fsck: bool) -> None:
    """What a watcher does not tell of is found by the verifying look, told and recorded, and it is asked no more."""
    film.commit("First cut")
    every = "1000" if by_fsck else "1"
    deaf = subprocess.Popen([sys.executable, "-c", DEAF, str(film.root), every])
    try:
        _wait(film)
        (film.root / "brief.json").write_text("{}")
        with Repository.open(str(film.root)) as repo:
            if by_fsck:
                assert status(repo).is_clean  # it is believed until it is found out
                fsck(repo)
            assert [change.path for change in status(repo).changes] == ["brief.json"]
            assert repo.storage.stat(WATCHER_FAULT) is not None
        assert deaf.wait(20) == 0
    finally:
        deaf.kill()
        deaf.wait()
    assert film("watch", "status", "--json").json["fault"]["paths"] == ["brief.json"]
    assert "brief.json" in film("watch", "status").stderr
    assert film("watch", "start", code=None).code != 0
    try:
        film("watch", "start", "--again")
        assert film("watch", "status", "--json").json["fault"] is None
    finally:
        _end(film)


def test_what_is_right_is_verified_in_silence(watched: Film) -> None:
    """A watcher that tells all stays, whatever the verifying look meets."""
    _wait(watched)
    (watched.root / "brief.json").write_text("{}")
    (watched.root / "new.txt").write_text("new")
    with Repository.open(str(watched.root)) as repo:
        fsck(repo)
        base = repo.head().version
        assert base is not None
        assert repo.worktree.verify_watcher(repo.trees.version(base).tree) is True
        assert repo.storage.stat(WATCHER_FAULT) is None


def test_autosave_has_a_watcher_that_ends_with_it(film: Film) -> None:
    """What `autosave --watch` starts ends when that ends, unless a person asks for it meanwhile, or it is off."""
    film.commit("First cut")
    for stays in (False, True):
        saving = subprocess.Popen([*AURA, "autosave", "--watch"], cwd=film.root, env=_env(film),
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        try:
            _wait(film)
            if stays:
                film("watch", "start")
        finally:
            saving.kill()
            saving.wait()
        time.sleep(0.5)
        assert (talk(str(film.root), ABOUT) is not None) == stays
    _end(film)


def test_a_project_that_is_deleted_takes_it_along(watched: Film) -> None:
    """Where the project has gone, the watcher ends at once."""
    pid = watched("watch", "status", "--json").json["watcher"]["pid"]
    shutil.rmtree(watched.root)
    until = time.monotonic() + 10
    while os.path.exists(f"/proc/{pid}/exe") and time.monotonic() < until:
        time.sleep(0.02)
    assert not os.path.exists(f"/proc/{pid}/exe")
    watched.root.mkdir()
    watched("init")
