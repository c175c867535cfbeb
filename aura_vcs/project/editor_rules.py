"""The lines by which `.auraignore` leaves out what editors make again."""

from collections.abc import Sequence

from aura_vcs.history.file_edits import edit_files, read_document
from aura_vcs.layout import IGNORE_FILE
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.worktree.scan.ignore import load_ignore_rules, rule_lines, with_rules, with_rules_first

EditorPatterns = tuple[str, tuple[str, ...]]
"""An editor's name, and the patterns of what it makes again."""


def add_rules(repo: Repository, editors: Sequence[EditorPatterns]) -> tuple[tuple[str, ...], str]:
    """Add what is missing, as one step of undo; returns the patterns that were added, and why there could be none.

    Raises:
        FileUnreadable: .auraignore cannot be read. StorageError.
    """
    rules = load_ignore_rules(repo.root)
    if not rules.is_usable:
        return (), rules.notes[0]
    data = read_document(repo, IGNORE_FILE) or b""
    known = {line.rstrip() for line in rule_lines(data)}
    lines, patterns = _missing_lines(editors, known)
    if patterns:
        takes_back = any(line.startswith("!") for line in known)
        wanted = (with_rules_first if takes_back else with_rules)(data, lines)
        names = ", ".join(name for name, _ in editors)
        description = f"Added to {IGNORE_FILE}: what {names} make again"
        edit_files(repo, {IGNORE_FILE: wanted}, draft=Draft("ignore.add", description))
    return patterns, ""


def _missing_lines(editors: Sequence[EditorPatterns], known: set[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the lines to be added, with a comment for each editor, and the patterns among them."""
    lines: list[str] = []
    added: list[str] = []
    for name, patterns in editors:
        new = [pattern for pattern in patterns if not _is_said(pattern, known)]
        if new:
            lines += [f"# {name}: what it makes again", *new]
            added += new
    return lines, tuple(added)


def _is_said(pattern: str, known: set[str]) -> bool:
    """Tell whether a line says it already or takes it back, with or without the slash at either end."""
    plain = pattern.strip("/")
    return any(line.removeprefix("!").strip("/") == plain for line in known)
