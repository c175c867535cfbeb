"""Numbers, times and versions in words that a person reads."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aura_vcs.cli.output.console import Painted, Part, cyan, faint, green, red, strong, yellow
from aura_vcs.layout import CONFLICTS

if TYPE_CHECKING:
    from aura_vcs.cli.output.console import Console
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.model import Head
    from aura_vcs.repository.repository import Repository


_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")
_AGES = ((60, "second"), (3600, "minute"), (86400, "hour"), (604800, "day"), (2629800, "week"), (31557600, "month"))
PATH_ENDS = 120
"""Letters of either end of a very long path that are shown."""
SLACK_SECONDS = 5
"""So far two clocks may be apart without a word."""
_CHANGE_COLOURS = {"added": green, "deleted": red, "modified": yellow, "renamed": cyan, "type_changed": yellow}


def size(count: int) -> str:
    """Format bytes in units of 1000: "14.2 MB"."""
    amount, unit = float(count), 0
    while amount >= 999.95 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    if unit == 0:
        return "1 byte" if count == 1 else f"{count} bytes"
    return f"{amount:.1f} {_UNITS[unit]}"


def duration(seconds: float) -> str:
    """Format seconds: "40 s", "3 min 20 s", "2 h 5 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def long_duration(seconds: float) -> str:
    """Format seconds in the largest unit that goes in whole: "14 days", "2 hours", "0 seconds"."""
    whole = int(seconds)
    for length, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if whole and whole % length == 0:
            return count(whole // length, name)
    return count(whole, "second")


def count(number: int, thing: str, things: str | None = None) -> str:
    """Format a number of things: "1 file", "3 files"."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def local_time(moment: str) -> str:
    """Format a record's time as the person's clock shows it; as it stands if it is not a time."""
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return moment


def age(moment: str) -> str:
    """Format how long ago it was: "5 minutes ago". What a clock that was ahead has dated is "11 years from now"."""
    try:
        seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return ""
    if seconds < -SLACK_SECONDS:
        return f"{_largest(-seconds)} from now"
    return "just now" if seconds < 1 else f"{_largest(seconds)} ago"


def _largest(seconds: float) -> str:
    step = 1
    for limit, name in _AGES:
        if seconds < limit:
            return count(int(seconds // step), name)
        step = limit
    return count(int(seconds // step), "year")


def call(repo: "Repository", record: "VersionRecord | None") -> str:
    """Name a version as commands understand it: `v12`, or `v12.a1b2` where its number was given twice; "" for none."""
    if record is None:
        return ""
    if not repo.queries.is_shared(record.number):
        return f"v{record.number}"
    from aura_vcs.index.queries import describe

    return describe(repo.queries, record.id)


def titled(record: "VersionRecord", called: str = "") -> str:
    """Return `v3 "First cut"`; `called` is what the version goes by where its number alone is not enough."""
    return f'{called or f"v{record.number}"} "{record.name}"'


def shown_pointer(head: "Head", record: "VersionRecord | None", called: str = "") -> list[Part]:
    """Return where the worktree is: "On branch main at v3 …"; for `called` see titled."""
    at: list[Part] = [" at ", yellow(called or f"v{record.number}"), f' "{record.name}"'] if record is not None else []
    if head.branch is not None:
        return ["On branch ", cyan(head.branch), *(at or [", no versions yet"])]
    return ["On no branch", *at]


def changed_path(change: str, path: str, old_path: str | None = None) -> list[Part]:
    """Format one line of a list of changes."""
    word = {"type_changed": "new kind"}.get(change, change)
    shown = path if old_path is None else f"{old_path} → {path}"
    if path == CONFLICTS:
        decided = change == "deleted"
        word, shown = ("decided" if decided else word), f"{'' if decided else 'the list of '}what merges left open"
    painter = _CHANGE_COLOURS.get(change, Painted)
    return ["  ", painter(word.ljust(9)), " ", shown]


def short_path(path: str) -> str:
    """Shorten a path for a message: one of thousands of letters is printed without its middle."""
    if len(path) <= 2 * PATH_ENDS:
        return path
    return f"{path[:PATH_ENDS]} … {path[-PATH_ENDS:]}"


def join_words(words: Iterable[str]) -> str:
    """Join words: "a", "a and b", "a, b and c"."""
    listed = list(words)
    return " and ".join(filter(None, [", ".join(listed[:-1]), *listed[-1:]]))


def print_unstable(
    repo: "Repository",
    console: "Console",
    paths: Iterable[str],
    version: "VersionRecord | None",
    advice: str = "",
) -> None:
    """Say which files kept changing while they were read, and what the version (None: the last one) has of each."""
    from aura_vcs.history.recording.version_builder import worktree_base

    tree = version.tree if version is not None else worktree_base(repo).tree
    for path in paths:
        is_there = repo.trees.entry(tree, path) is not None
        what = "the version has it as it was before" if is_there else "it is not in the version"
        console.warn(f"{path} kept changing while it was read: {what}. {advice}".rstrip())


TYPES = ("manual", "autosave", "restore_point")
"""Types of versions, as options name them."""


def names_of_versions(repo: "Repository") -> dict[str, list[Part]]:
    """Map versions to HEAD, branches and tags that stand on them."""
    from aura_vcs.history.names.branches import branches

    names: dict[str, list[Part]] = {}
    head = repo.head()
    if head.version is not None:
        names.setdefault(head.version, []).append(strong("HEAD"))
    for found in branches(repo):
        for version in found.diverged or (found.version,):
            names.setdefault(version, []).append(cyan(found.name))
    for name, tag in repo.refs.tags().items():
        names.setdefault(str(tag.version), []).append(cyan(f"tag {name}"))
    return names


def marks(record: "VersionRecord", *, offloaded: bool = False) -> list[Part]:
    """Describe what is special about a version, in words after its name."""
    words = ["offloaded in part"] if offloaded else []
    if record.type != "manual":
        words.append("autosave" if record.type == "autosave" else "restore point")
    if record.important:
        words.append("important")
    if record.purged_at is not None:
        words.append("purged")
    elif record.deleted_at is not None:
        words.append("deleted")
    return [faint(f"  ({', '.join(words)})")] if words else []
