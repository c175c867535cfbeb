"""Taking back all that a program, such as an agent, did in one session."""

import msgspec

from aura_vcs.errors import AuraError
from aura_vcs.errors.input import NothingToUndo, UnknownName
from aura_vcs.history.undo import Undone, undo
from aura_vcs.plain_text import as_text
from aura_vcs.repository.repository import Repository


class SessionUndone(msgspec.Struct, frozen=True):
    """What was taken back, newest first, and in words what was not, because others have built on it."""

    session: str
    undone: tuple[Undone, ...]
    left: tuple[str, ...]


def undo_session(repo: Repository, session: str | None = None) -> SessionUndone:
    """Take back what was done in a session on this machine, or in the last one; each operation on its own.

    What others have done since stays. An operation on which something of theirs depends is left, and said; interrupted,
    what was taken back already stays so, and the same call goes on.

    Raises:
        NothingToUndo: nothing of a session is left to take back. UnknownName: there is no such session.
    """
    wanted = as_text(session) if session is not None else repo.queries.newest_session(repo.replica)
    if wanted is None:
        raise NothingToUndo
    found = repo.queries.session_actions(repo.replica, wanted)
    if not found:
        raise UnknownName("session", wanted, hint="`aura ops` lists sessions in which something stands.")
    undone: list[Undone] = []
    left: list[str] = []
    for action in found:
        try:
            undone.append(undo(repo, action))
        except AuraError as error:
            left.append(f"{action.description}: {error.message}")
    return SessionUndone(found[0].session or wanted, tuple(undone), tuple(left))
