"""Open conflicts in words: the place, and what each side wants there."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from aura_vcs.cli.console import Line, bad, cool, faint, good

if TYPE_CHECKING:
    from aura_vcs.compare.merge_tree import TreeConflict
    from aura_vcs.history.conflicts import OpenConflict

VALUE_LENGTH = 100
"""Characters of a value that are shown."""
TEXT_LINES = 5


def conflict_lines(item: "OpenConflict") -> Iterator[Line]:
    """One conflict on a few lines."""
    yield ["  ", bad("open"), "  ", item.place]
    if item.tree is not None:
        yield ["      ", _about_files(item.tree, item.ours_label, item.theirs_label)]
        return
    for word, label, painter in (("ours", item.ours_label, good), ("theirs", item.theirs_label, cool)):
        for shown in _side(item, word):
            yield ["      ", painter(word.ljust(7)), shown, faint(f"  ({label})")]
            break
    for shown in _side(item, "base"):
        yield ["      ", faint("base   "), faint(shown)]


def _side(item: "OpenConflict", word: str) -> list[str]:
    if item.field is not None:
        value = getattr(item.field, word)
        if item.field.kind == "moved":
            return [] if value is msgspec.UNSET else [f"at {_value(value)}"]
        return [_nothing(word) if value is msgspec.UNSET else _value(value)]
    assert item.text is not None
    lines = str(getattr(item.text, word)).splitlines()
    shown = " ⏎ ".join(lines[:TEXT_LINES]) or _nothing(word)
    return [_short(shown)]


def _nothing(word: str) -> str:
    return "nothing" if word == "base" else "nothing: it was removed"


def _value(value: Any) -> str:
    return _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= VALUE_LENGTH else f"{text[: VALUE_LENGTH - 1]}…"


def _about_files(conflict: "TreeConflict", ours: str, theirs: str) -> str:
    if conflict.kind == "changed":
        return f"both changed it: here is ours ({ours}); theirs is {conflict.aside}"
    if conflict.kind == "removed_by_ours":
        return f"removed in {ours}, changed in {theirs}; it stays until you decide"
    if conflict.kind == "removed_by_theirs":
        return f"changed in {ours}, removed in {theirs}; it stays until you decide"
    if conflict.kind == "renamed":
        return f"renamed twice: {theirs} calls it {conflict.aside}"
    if conflict.ours is None or conflict.theirs is None:
        file, folder = (theirs, ours) if conflict.ours is None else (ours, theirs)
        return f"a file in {file}, a folder in {folder}: the file was set aside as {conflict.aside}"
    return f"two files of one name, at least on some disks: here is ours ({ours}); theirs is {conflict.aside}"
