"""Leaving paths out of versions that versions have: they stay in the folder, and in the versions that have them."""

import os
from collections.abc import Sequence

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.file_edits import edit_files, read_document
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.steps import tree_writer
from aura_vcs.history.recording.tree_steps import graft
from aura_vcs.history.recording.version_builder import NAME_LIMIT, worktree_base
from aura_vcs.ids import new_operation_id
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import IGNORE_FILE
from aura_vcs.model import EntryKind
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.objects.batch import Batch
from aura_vcs.objects.trees import Snapshot, documents_of
from aura_vcs.plain_text import one_line, readable_name
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.worktree.scan.ignore import IgnoreRules, load_ignore_rules, rule_for, with_rules
from aura_vcs.worktree.scan.selection import Selection


class UntrackResult(msgspec.Struct, frozen=True):
    """What was left out: the paths, the version without them, and the lines that .auraignore got for it."""

    version: VersionRecord
    paths: tuple[str, ...]
    rules: tuple[str, ...]


def untrack(repo: Repository, paths: Sequence[str], *, author: str | None = None) -> UntrackResult:
    """Make a version without `paths` (relative to the project), which stay in the folder as they are.

    Other edits stay unsaved. Where no rule ignores a path, a line in .auraignore comes to name it, or
    the next commit would have it again.

    Raises:
        InputError: no path, or the whole project. UnknownName: the version has no such path.
        FileUnreadable: .auraignore cannot be read.
    """
    recover(repo)
    wanted = tuple(dict.fromkeys(paths))
    if not wanted or "" in wanted or IGNORE_FILE in wanted:
        raise InputError("Name the files or folders that are to be left out", hint=f"{IGNORE_FILE} itself stays in.")
    together = new_operation_id()
    rules = _add_rules(repo, wanted, together)
    name = one_line(f"Left out of versions: {', '.join(map(readable_name, wanted))}")[:NAME_LIMIT]
    saved = [IGNORE_FILE] if read_document(repo, IGNORE_FILE) is not None else []

    def leave_out(batch: Batch, snapshot: Snapshot) -> Snapshot:
        tree_id = graft(repo.trees, snapshot.tree, EMPTY_TREE_ID, Selection(wanted), tree_writer(batch))
        tree = repo.trees.tree(tree_id)
        return Snapshot(tree_id, tree.size, documents_of(tree), snapshot.unstable)

    done = commit(repo, CommitRequest(name, paths=saved, author=author, reshape=leave_out, correlation_id=together))
    assert done.version is not None
    return UntrackResult(done.version, wanted, rules)


def _add_rules(repo: Repository, paths: Sequence[str], correlation: str) -> tuple[str, ...]:
    """Let .auraignore name the paths that no rule ignores; returns the lines that it got."""
    tree = worktree_base(repo).tree
    current = load_ignore_rules(repo.root)
    lines = []
    for path in paths:
        entry = repo.trees.entry(tree, path)
        if entry is None:
            raise _not_versioned(repo, current, path)
        is_folder = entry.kind is EntryKind.DIR
        if not _is_ignored(current, path, is_folder=is_folder):
            lines.append(rule_for(path, is_folder=is_folder))
    if lines:
        if not current.is_usable:
            raise InputError(current.notes[0], hint="Put a file with one pattern a line in its place.")
        data = with_rules(read_document(repo, IGNORE_FILE) or b"", lines)
        draft = Draft("ignore.add", f"Added to {IGNORE_FILE}: {_shown(lines)}", correlation_id=correlation)
        edit_files(repo, {IGNORE_FILE: data}, draft=draft)
    return tuple(lines)


def _not_versioned(repo: Repository, rules: IgnoreRules, path: str) -> UnknownName:
    """Say that the version has no such path, and what is so of one that is in the folder."""
    full = os.path.join(repo.root, *path.split("/"))
    if not os.path.lexists(full):
        return UnknownName("file or folder", path, hint="`aura show HEAD:` lists what the version has.")
    is_folder = os.path.isdir(full) and not os.path.islink(full)
    rule = readable_name(rule_for(path, is_folder=is_folder))
    hint = f"A line {rule!r} in {IGNORE_FILE} keeps it out of the next ones."
    if _is_ignored(rules, path, is_folder=is_folder):
        hint = "It is ignored, and stays in the folder: there is nothing to do."
    return UnknownName("file or folder in the last version that is called", path, hint=hint)


def _shown(lines: Sequence[str]) -> str:
    return one_line(", ".join(map(readable_name, lines)))[:NAME_LIMIT]


def _is_ignored(rules: IgnoreRules, path: str, *, is_folder: bool) -> bool:
    """Tell whether the rules ignore the path, or a folder that it is in."""
    parts = path.split("/")
    for depth, name in enumerate(parts, 1):
        if rules.matches(name, "/".join(parts[:depth]), is_folder=is_folder or depth < len(parts)):
            return True
    return False
