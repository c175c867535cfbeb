"""A collection reads what lies in many small packs, and in many labels, no more often than it must."""

from collections import Counter
from pathlib import Path
from typing import BinaryIO

import pytest
from aura_vcs import Repository
from aura_vcs.layout import PACKS, VERSIONS
from aura_vcs.maintenance import repack
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.objects.packs import reader
from aura_vcs.storage.local import LocalStorage

from tests.helpers.project import save, write

VERSIONS_MADE = 14


def test_small_packs_and_labels_are_read_a_few_times(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pack twice where more are read than stay open: to find what can be taken apart, and to gather."""
    monkeypatch.setattr(reader, "OPEN_PACKS", 2)
    monkeypatch.setattr(repack, "KEEP_LABELS", 2)
    for number in range(VERSIONS_MADE):
        write(Path(repo.root), {f"scenes/{number}.json": f'{{"id": {number}}}', "notes.txt": f"Note {number}\n" * 40})
        save(repo, f"Edit {number}")
    opened: Counter[str] = Counter()
    really_open, really_read = LocalStorage.open, LocalStorage.read

    def counted_open(storage: LocalStorage, name: str) -> BinaryIO:
        opened[name] += 1
        return really_open(storage, name)

    def counted_read(storage: LocalStorage, name: str) -> bytes:
        opened[name] += 1
        return really_read(storage, name)

    plan = plan_gc(repo, grace_seconds=0)
    monkeypatch.setattr(LocalStorage, "open", counted_open)
    monkeypatch.setattr(LocalStorage, "read", counted_read)
    execute_gc(repo, plan)
    monkeypatch.undo()
    packs = [count for name, count in opened.items() if name.startswith(f"{PACKS}/")]
    labels = [count for name, count in opened.items() if name.startswith(f"{VERSIONS}/")]
    assert len(packs) >= VERSIONS_MADE
    assert len(labels) >= VERSIONS_MADE
    assert max(packs) <= 2
    assert max(labels) <= 1
    assert fsck(repo).is_clean
