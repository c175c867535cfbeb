"""Which file of a new state is a file of the old one under another name: the one answer that every command gives.

In this order: names that are one on disks which ignore case or Unicode form; equal content; and,
where content can be read, documents with the same id or texts that are mostly alike (see `compare.diff.likeness`).
"""

import posixpath
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from aura_vcs.layout import fold_path

K = TypeVar("K")


class Look(NamedTuple):
    """What a file is recognised by: its kind, and the id of its content; none where the content says nothing."""

    kind: str
    content: str


def pair_renames(gone: Mapping[str, Look], come: Mapping[str, Look]) -> dict[str, str]:
    """Map old path to new path of the files that are certain to have another name only, each used once.

    Takes time in proportion to the number of paths, however many have the same content.
    """
    if not gone or not come:
        return {}
    spelled = _group(come, fold_path)
    found: dict[str, str] = {}
    for path, look in gone.items():
        news = spelled.get(fold_path(path), [])
        if len(news) == 1 and come[news[0]].kind == look.kind:
            found[path] = news.pop()
    taken = set(found.values())
    olds = _group((path for path in gone if path not in found), gone.__getitem__)
    news_of = _group((path for path in come if path not in taken), come.__getitem__)
    for look in olds.keys() & news_of.keys():
        if look.content:
            found |= _pair_equal(olds[look], news_of[look])
    return found


def _pair_equal(olds: list[str], news: list[str]) -> dict[str, str]:
    """Pair files of one content: those of the same name first, then those of the same folder, then in order."""
    if len(olds) == len(news) == 1:
        return {olds[0]: news[0]}
    found: dict[str, str] = {}
    for key in (posixpath.basename, posixpath.dirname, lambda _: ""):
        waiting = _group(sorted(olds, reverse=True), key)
        left = []
        for new in sorted(news):
            if old := waiting.get(key(new)):
                found[old.pop()] = new
            else:
                left.append(new)
        olds, news = [old for old in olds if old not in found], left
    return found


def _group(paths: Iterable[str], key: Callable[[str], K]) -> dict[K, list[str]]:
    groups: dict[K, list[str]] = {}
    for path in paths:
        groups.setdefault(key(path), []).append(path)
    return groups
