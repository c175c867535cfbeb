"""What a person did to the studio, so that it can be taken back: `actions.jsonl`.

A line has what each value was before and after, and is durable before a file is touched: it is
the commit point. What a crash cut off after it, the next action finishes. A torn or damaged line
is passed over. Secrets are never in it: what changed one is recorded, and cannot be taken back.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import msgspec

from aura_vcs.codec import decode_json, encode_compact, with_checksum
from aura_vcs.ids import new_operation_id
from aura_vcs.plain_text import now
from aura_vcs.storage.line_log import LineLog
from aura_vcs.studio.folder import ACTIONS, CONFIG, DONE, PROJECTS, RATINGS, SETUP, TEMPLATES, StudioFolder
from aura_vcs.undo_stack import expiry

LOG_BYTES = 4 << 20
"""A longer log loses its oldest half."""
_FILES = rf"{CONFIG}|{SETUP}|{RATINGS}|(?:{PROJECTS}|{TEMPLATES})/[0-9A-Za-z][0-9A-Za-z._-]*\.json"
EXPIRE_DAYS = "actions.expire_days"


class ValueChange(msgspec.Struct, frozen=True):
    """A value of a file of the studio: of the whole file, or what is at `keys` in it. None: nothing is there."""

    file: str
    keys: tuple[str, ...]
    before: Any
    after: Any


class StudioAction(msgspec.Struct, frozen=True):
    """A line of the log. `undoes` and `redoes` name the actions that it takes back, or does again."""

    id: str
    type: str
    description: str
    user: str
    time: str
    changes: tuple[ValueChange, ...] = ()
    can_batch: bool = False
    expires_at: str | None = None
    correlation_id: str | None = None
    undoes: tuple[str, ...] = ()
    redoes: tuple[str, ...] = ()
    check: str = ""

    def checked(self) -> "StudioAction":
        """Return the same record with a checksum."""
        return with_checksum(self)


class DoneRecord(msgspec.Struct, frozen=True):
    """`done.json`: the last action whose changes were all made."""

    action: str


class ActionDraft(msgspec.Struct, frozen=True):
    """An action that has not happened yet."""

    type: str
    description: str
    changes: tuple[ValueChange, ...] = ()
    can_batch: bool = False
    correlation_id: str | None = None
    undoes: tuple[str, ...] = ()
    redoes: tuple[str, ...] = ()


def read_actions(folder: StudioFolder) -> list[StudioAction]:
    """Read all actions of the log, oldest first."""
    found = [_decode(line.data) for line in _log(folder).lines()]
    if None in found:
        folder.progress.note(f"A line of {ACTIONS} cannot be read; it is skipped")
    return [action for action in found if action is not None]


@contextmanager
def acting(folder: StudioFolder) -> Iterator[None]:
    """Keep every other writer of the studio away, with nothing left unfinished.

    Raises:
        LockBusy: one held it for too long.
    """
    with folder.lock():
        recover(folder)
        yield


def act(folder: StudioFolder, draft: ActionDraft) -> StudioAction | None:
    """Record an action, then make its changes, inside `acting`; None where everything is so already.

    Interrupted, nothing has happened, or the next action finishes it.

    Raises:
        StorageError: the line could not be written, and nothing happened; or it could, and the
            next action finishes the rest.
    """
    changes = tuple(change for change in draft.changes if change.before != change.after)
    if draft.changes and not changes:
        return None
    days = 0 if draft.undoes or draft.redoes else _expire_days(folder)
    action = StudioAction(
        id=new_operation_id(),
        user=folder.user,
        time=now(),
        expires_at=expiry(days),
        **{**msgspec.structs.asdict(draft), "changes": changes},
    ).checked()
    _append(folder, encode_compact(action) + b"\n")
    _execute(folder, action)
    return action


def recover(folder: StudioFolder) -> None:
    """Finish the last action, should a crash have cut it off. The caller holds the lock.

    Only what the log has after the action that was finished last: where a damaged log does not show
    that one, the line before it may have been taken back since, and making it again would undo that.
    """
    done = folder.load(DONE, DoneRecord)
    if done is None:
        return
    actions = read_actions(folder)
    ids = [action.id for action in actions]
    if done.action and done.action not in ids:
        return
    for action in actions[ids.index(done.action) + 1 if done.action else 0 :]:
        _execute(folder, action)


def current(folder: StudioFolder, change: ValueChange) -> Any:
    """Read the value that is now at the place of a change."""
    value: Any = folder.load(change.file, dict[str, Any])
    for key in change.keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def changed(folder: StudioFolder, file: str, after: object, *keys: str) -> ValueChange:
    """Build the change that puts a record, or None for nothing, in place of what is there now."""
    wanted = msgspec.json.decode(msgspec.json.encode(after))  # as it is read again
    return ValueChange(file, keys, current(folder, ValueChange(file, keys, None, None)), wanted)


def make(folder: StudioFolder, changes: Iterable[ValueChange]) -> None:
    """Make changes that are no action of anybody's. The caller holds the lock."""
    for change in changes:
        _apply(folder, change)


def _execute(folder: StudioFolder, action: StudioAction) -> None:
    for change in action.changes:
        # Else it was made already, or edited by hand since. Entries of the list follow their projects.
        if change.file.startswith(f"{PROJECTS}/") or current(folder, change) == change.before:
            _apply(folder, change)
    folder.put(DONE, DoneRecord(action.id))


def _apply(folder: StudioFolder, change: ValueChange) -> None:
    if change.keys:
        whole = folder.load(change.file, dict[str, Any]) or {}
        folder.put(change.file, _with(whole, change.keys, change.after))
    elif change.after is not None:
        folder.put(change.file, change.after)
    else:
        folder.storage.delete(change.file)


def _with(value: Mapping[str, Any], keys: Sequence[str], wanted: Any) -> dict[str, Any]:
    """Replace the value at `keys`, and leave it out for None."""
    key, *rest = keys
    inner = value.get(key)
    new = _with(inner if isinstance(inner, dict) else {}, rest, wanted) if rest else wanted
    others = {name: item for name, item in value.items() if name != key or new is not None}
    return {**others, key: new} if new is not None else others


def _log(folder: StudioFolder) -> LineLog:
    return LineLog(folder.storage, ACTIONS, partial(folder.storage.put, private=True))


def _append(folder: StudioFolder, line: bytes) -> None:
    log = _log(folder)
    try:
        lines = log.read()
    except FileNotFoundError:
        folder.put(DONE, DoneRecord(""))
        log.replace(line)
        return
    if len(lines) > LOG_BYTES:
        cut = lines.find(b"\n", len(lines) // 2) + 1
        log.replace(lines[cut:] + line)
    else:
        log.append(line, at=len(lines))


def _decode(line: bytes) -> StudioAction | None:
    """Decode the action of a line; None if it is damaged, or names a file that is not the studio's."""
    try:
        action = decode_json(line, StudioAction)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    is_ours = all(re.fullmatch(_FILES, change.file) for change in action.changes)
    return action if is_ours and action == action.checked() else None


def _expire_days(folder: StudioFolder) -> float:
    """After how many days an action of now can no longer be taken back; 0 is never."""
    change = ValueChange(CONFIG, ("configurations", EXPIRE_DAYS, "value"), None, None)
    value = current(folder, change)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0
