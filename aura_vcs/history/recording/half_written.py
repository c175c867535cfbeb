"""Project files of editors that are being saved right now: an autosave leaves them as they were.

Editors write a copy beside the project and put it in its place, or write over it. What was written over a moment ago
and is not whole is half a project, and a copy that waits for its place is none. Neither is kept back for long: what
is still so after `TRANSIENT_SECONDS` is saved as it is, and a commit saves everything.
"""

import re
import time
from collections.abc import Iterator

from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.formats.timeline.endings import ENDINGS, ending_of, may_be_project
from aura_vcs.formats.timeline.intact import why_not_intact
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.plain_files import open_below
from aura_vcs.worktree.scan.scan import Scan

TRANSIENT_SECONDS = 10 * 60
STABLE_SECONDS = 2.0
_ENDLESS = frozenset(("edl", "aaf"))
"""Endings of files whose form does not say where they end: those are left alone for so long after a write."""
LOOKED_INTO = 64 << 20
"""A larger project file is not looked into."""
_WAITING = re.compile(rf".+\.(?:{'|'.join(sorted(ENDINGS))})\.[A-Za-z0-9]{{6}}", re.IGNORECASE)
"""How the copies are called that wait for their place, as Qt's QSaveFile makes them."""


def hold_back(repo: Repository, scan: Scan) -> tuple[str, ...]:
    """Take project files that are being written out of a scan: a version has them as its base has. Returns them."""
    held = tuple(_half_written(repo, scan))
    for path, reason in held:
        scan.drop(path, reason)
    return tuple(path for path, _ in held)


def _half_written(repo: Repository, scan: Scan) -> Iterator[tuple[str, str]]:
    now = time.time()
    youngest = (now - TRANSIENT_SECONDS) * 1e9
    for folder in list(scan.walk()):
        if folder.tree is not None:
            continue  # as it was
        for name, state in folder.files.items():
            if state.mtime_ns < youngest or state.is_symlink or state.id:
                continue
            if _WAITING.fullmatch(name):
                yield folder.join(name), "an editor is saving it"
            elif may_be_project(name) and state.size <= LOOKED_INTO:
                is_young = ending_of(name) in _ENDLESS and state.mtime_ns > (now - STABLE_SECONDS) * 1e9
                if reason := "it was written to a moment ago" if is_young else _why(repo, folder.join(name)):
                    yield folder.join(name), f"an editor is saving it: {reason}"


def _why(repo: Repository, path: str) -> str:
    try:
        with open(open_below(repo.root, path), "rb") as file:
            return why_not_intact(file.read(LOOKED_INTO + 1))
    except (OSError, UnsafePath):
        return ""  # what cannot be read is told where it is stored
