"""Work for two processes, with few files."""

import os

import pytest
from aura_vcs import forked_worker as second_process
from aura_vcs.sync.transfer import download as incoming
from aura_vcs.worktree.checkout import staging, writer
from aura_vcs.worktree.scan import prefetch as ahead
from aura_vcs.worktree.snapshot import parallel_read as reading


def always_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few files are enough to start a worker process, and the test run's own threads do not count."""
    monkeypatch.setattr(ahead, "WORTHWHILE_BYTES", 0)
    monkeypatch.setattr(reading, "WORTHWHILE_FILES", 2)
    monkeypatch.setattr(reading, "OWN_FILES", 3)
    monkeypatch.setattr(incoming, "WORTHWHILE_OBJECTS", 2)
    monkeypatch.setattr(staging, "WORTHWHILE_FILES", 2)
    monkeypatch.setattr(staging, "BATCH_FILES", 7)
    monkeypatch.setattr(writer, "SYNC_BATCH", 2)
    monkeypatch.setattr(second_process, "_has_threads", lambda: False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
