"""What differs in a file or a sequence of pictures, as lines of `aura diff`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aura_vcs.cli.output.console import Line, Painted, Part, cyan, faint
from aura_vcs.cli.output.humanize import changed_path, count, size
from aura_vcs.compare.diff.describe import LINES_LIMIT
from aura_vcs.history.diff.file_diff import DETAIL_LINES, diff_change

if TYPE_CHECKING:
    from aura_vcs.compare.diff.text import TextDiff, TextLine
    from aura_vcs.formats.media.findings import MediaDiff
    from aura_vcs.history.diff.fold_sequences import SequenceChange
    from aura_vcs.history.diff.tree_diff import Comparison, PathChange

TEXT_LINES = 60
"""So many lines of a text's difference are shown per file, with `--details` all."""
LINE_LENGTH = 300
"""Characters of a line that are shown, with `--details` all."""
BEFORE_CHANGE = 40
"""Characters of a line that is cut which stand before the first that differs."""


def sizes(change: "PathChange") -> list[Part]:
    old, new = change.old, change.new
    if old is not None and new is not None:
        if old.id == new.id and old.executable != new.executable:
            return [faint("  now executable" if new.executable else "  no longer executable")]
        return [faint(f"  {size(old.size)} → {size(new.size)}")] if old.size != new.size else []
    entry = old or new
    return [faint(f"  {size(entry.size)}")] if entry is not None else []


def sequence_lines(change: "SequenceChange", *, is_brief: bool) -> Iterator[Line]:
    """Format a sequence of pictures as one thing."""
    whole = change.found.new or change.found.old
    frames = count(len(whole.numbers) if whole is not None else 0, "frame")
    files = count(len(change.changes), "file")
    differ = f", {files} differ{'s' * (len(change.changes) == 1)}" if change.change == "modified" else ""
    amounts = [sum(side.size for side in sides if side is not None) for sides in (
        [one.old for one in change.changes], [one.new for one in change.changes])]  # fmt: skip
    told = " → ".join(dict.fromkeys(map(size, filter(None, amounts))))
    yield [*changed_path(change.change, change.path, change.old_path), faint(f"  {frames}{differ}, {told}")]
    for line in () if is_brief else change.found.lines:
        yield ["      ", line]


def inside_lines(
    comparison: "Comparison", change: "PathChange", media: "MediaDiff | None", *, details: bool
) -> Iterator[Line]:
    found = diff_change(comparison, change, media=media, limit=DETAIL_LINES if details else LINES_LIMIT)
    sized = found.kind == "bytes" and change.old is not None and change.new is not None and found.text is None
    counted = found.kind == "text" and found.document is None and not (found.text and found.text.ends)
    if counted and found.reason:
        yield ["      ", found.reason if details else cut(found.reason)]
    for line in () if counted else found.lines:
        if not (sized and line.startswith("other content")):  # the sizes are told already
            yield ["      ", line if details else cut(line)]
    if not (details or found.is_complete):
        yield ["      ", faint("`aura diff --details` tells each change")]
    if found.text is not None and (details or not found.text.ends):
        yield from _text(found.text, details=details)


def _text(text: "TextDiff", *, details: bool) -> Iterator[Line]:
    left = sum(len(hunk.lines) for hunk in text.hunks) if details else TEXT_LINES
    for hunk in text.hunks:
        yield ["      ", cyan(f"line {hunk.new_start or hunk.old_start}")]
        for line in hunk.lines:
            left -= 1
            if left < 0:
                yield ["      ", faint("… and more lines; `aura diff --details` shows all")]
                return
            yield ["      ", *_text_line(line, details=details)]


def _text_line(line: "TextLine", *, details: bool) -> list[Part]:
    """Format a line; on a terminal with colours, the words that differ stand out; a long line is cut."""
    content = line.text.rstrip("\r\n")
    colour = {"+": "green", "-": "red"}.get(line.mark)
    at, stop = 0, len(content)
    if not details and stop > LINE_LENGTH:
        at = max(0, min(line.changed[0][0] - BEFORE_CHANGE if line.changed else 0, stop - LINE_LENGTH))
        stop = at + LINE_LENGTH
    parts: list[Part] = [Painted(f"{line.mark} ", colour), *([faint("…")] if at else [])]
    for start, end in line.changed:
        if start >= stop:
            break
        parts += [Painted(content[at:start], colour), Painted(content[start : min(end, stop)], colour, bold=True)]
        at = min(end, stop)
    parts.append(Painted(content[at:stop], colour))
    if stop < len(content):
        parts.append(faint(_more(len(content) - stop)))
    return [*parts, *([faint(f"  ({line.end})")] if line.end else [])]


def cut(text: str) -> str:
    """Return the beginning of a line that is too long, and how much more it has."""
    return text if len(text) <= LINE_LENGTH else f"{text[:LINE_LENGTH]}{_more(len(text) - LINE_LENGTH)}"


def _more(left: int) -> str:
    return f"… and {count(left, 'character')} more"
