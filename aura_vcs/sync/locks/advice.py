"""What is known here, without asking anybody, about locks on files that have changed.

As old as the last look at the remote: it warns early, and decides nothing. The push decides.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.plain_text import now
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.remotes.config import remotes
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.lock_record import PathLock, is_active

LOCKED = "locked"
EXPIRED = "expired"
NOT_LOCKED = "not_locked"


class Advice(msgspec.Struct, frozen=True):
    """A changed path, and what is to be said about its lock.

    `problem` is "locked" (by somebody else), "expired" (the lock held from here), or "not_locked" (its
    name says that it cannot be merged, and nobody has locked it). `lock` is None for the last.
    """

    path: str
    problem: str
    lock: PathLock | None = None
    remote: str | None = None


def lock_advice(repo: Repository, changed: Iterable[str], patterns: Sequence[object]) -> tuple[Advice, ...]:
    """List the advice about the paths that have changed, by path.

    `patterns` are those of files that are to be locked before they are changed, as in `.auraignore`;
    they count where the project has a remote.
    """
    try:
        places = remotes(repo)
    except AuraError:
        return ()  # whoever uses the remotes hears of it
    seen = [(name, lock) for name in places for lock in RemoteCache(repo, name).state().locks]
    lines = [line for line in patterns if isinstance(line, str)] if places else []
    if not seen and not lines:
        return ()
    at = now()
    others: dict[str, list[tuple[str, PathLock]]] = {}
    own: dict[str, list[tuple[str, PathLock]]] = {}
    for name, lock in seen:
        (own if lock.replica == repo.replica else others).setdefault(lock.path, []).append((name, lock))
    paths = sorted(set(changed))
    lockable = _matching(repo, lines, paths)
    return tuple(item for path in paths for item in _about(path, own, others, at, lockable=path in lockable))


def _about(
    path: str,
    own: dict[str, list[tuple[str, PathLock]]],
    others: dict[str, list[tuple[str, PathLock]]],
    at: str,
    *,
    lockable: bool,
) -> Iterator[Advice]:
    is_held = False
    for part in _with_parents(path):
        for name, lock in others.get(part, ()):
            if is_active(lock, at):
                is_held = True
                yield Advice(path, LOCKED, lock, name)
        for name, lock in own.get(part, ()):
            is_held = True
            if not is_active(lock, at):
                yield Advice(path, EXPIRED, lock, name)
    if lockable and not is_held:
        yield Advice(path, NOT_LOCKED)


def _with_parents(path: str) -> list[str]:
    return [path, *(path[:at] for at, letter in enumerate(path) if letter == "/")]


def _matching(repo: Repository, lines: list[str], paths: list[str]) -> set[str]:
    if not lines:
        return set()
    from aura_vcs.worktree.scan.patterns import parse_patterns  # few projects name files to be locked

    patterns, bad = parse_patterns(lines)
    for item in bad:
        repo.progress.note(f"Pattern {item.line} of locks.patterns is skipped: {item.reason}")
    return {path for path in paths if patterns.matches_file(path)}
