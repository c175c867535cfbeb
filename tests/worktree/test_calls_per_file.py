"""What a checkout asks of the system for each file that it replaces."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aura_vcs import Repository
from aura_vcs.history.checkout import checkout

from tests.helpers.project import save, write

ASKED = ("stat", "lstat", "fstat", "open", "listxattr", "scandir", "write", "unlink", "fsync")
FEW, MANY = 100, 200


@contextmanager
def counted(patch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """What is asked of the system meanwhile, by the name of the call."""
    counts: Counter[str] = Counter()

    def counting(name: str) -> Any:
        call = getattr(os, name)

        def counted_call(*args: Any, **options: Any) -> Any:
            counts[name] += 1
            return call(*args, **options)

        return counted_call

    with patch.context() as patched:
        for name in ASKED:
            patched.setattr(os, name, counting(name))
        # who asks whether the system can name files from open folders is to find that it can
        patched.setattr(os, "supports_dir_fd", {*os.supports_dir_fd, *(getattr(os, name) for name in ASKED)})
        yield counts


def _asked(root: Path, target: str, patch: pytest.MonkeyPatch) -> Counter[str]:
    with Repository.open(root) as repo, counted(patch) as counts:
        checkout(repo, target)
    return counts


@pytest.mark.skipif(sys.platform != "linux", reason="other systems need other calls")
def test_a_replaced_file_costs_thirteen_calls(disk_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one is looked at before it goes, when it came out and before it is deleted, the new one when it is there.

    They change places in one call, all are made durable with one sync of the disk. The new one is dated back, which
    takes a call and another look at it: waiting until the clock has ticked would take as long as all of it.
    """
    root = disk_path / "film"
    root.mkdir()
    with Repository.init(root) as repo:
        for text, count in (("", MANY), ("edited ", FEW), ("edited again ", MANY)):
            write(root, {f"frames/{n:03}.json": f"{text}{n}" for n in range(count)})
            save(repo, f"{count} differ")
    few = _asked(root, "v2", monkeypatch) and _asked(root, "v1", monkeypatch)
    many = _asked(root, "v3", monkeypatch) and _asked(root, "v1", monkeypatch)
    a_file = {name: round((many[name] - few[name]) / (MANY - FEW)) for name in many | few}
    made = {"open": 1, "write": 1, "fstat": 2}
    replaced = {"stat": 4, "listxattr": 1, "unlink": 1}
    assert {name: count for name, count in a_file.items() if count} == made | replaced
