"""Versions and paths that a person typed without `--` between, and what a wrong version was meant to be."""

import os
from typing import TYPE_CHECKING

from aura_vcs.errors import AuraError
from aura_vcs.errors.input import UnknownVersion
from aura_vcs.history.names.revisions import check_content, resolve

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


def versions_and_paths(
    repo: "Repository", folder: str, words: tuple[str, ...], paths: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part words at the first that is not a version, if that and all behind it are paths of the project.

    What is both is a version. Where some word is neither, all stay versions, for the error to name it.
    """
    at = next((at for at, word in enumerate(words) if not is_version(repo, word)), len(words))
    rest = words[at:]
    if all(is_here(repo, folder, word) or is_in_head(repo, folder, word) for word in rest):
        return words[:at], (*rest, *paths)
    return words, paths


def saved_paths(
    repo: "Repository", folder: str, words: tuple[str, ...], paths: tuple[str, ...] = ()
) -> tuple[str, tuple[str, ...]]:
    """Part words into a version and paths; where the first is not a version, all are paths and the version is HEAD.

    That only where HEAD has every one of them: what no version has cannot be brought back. Else the first word
    is returned as the version, for the error to name it.
    """
    if not words:
        return "HEAD", paths
    if not is_version(repo, words[0]) and all(is_in_head(repo, folder, word) for word in words):
        return "HEAD", (*words, *paths)
    return words[0], (*words[1:], *paths)


def is_here(repo: "Repository", folder: str, word: str) -> bool:
    """Tell whether a word, as typed in `folder`, is a file or folder of the project."""
    return bool(word) and _path(repo, folder, word) is not None and os.path.lexists(os.path.join(folder, word))


def is_in_head(repo: "Repository", folder: str, word: str) -> bool:
    """Tell whether the version that the folder is based on has a file or folder of that name."""
    path = _path(repo, folder, word) if word else None
    if not path:
        return False
    try:
        head = resolve(repo, "HEAD")
        check_content(repo, head)
        return repo.trees.entry(head.tree, path) is not None
    except AuraError:
        return False


def _path(repo: "Repository", folder: str, word: str) -> str | None:
    from aura_vcs.history.commit import project_path

    try:
        return project_path(repo, word, folder)
    except (AuraError, ValueError):
        return None


def is_version(repo: "Repository", word: str) -> bool:
    """Tell whether a word names a version, or several."""
    try:
        resolve(repo, word)
    except UnknownVersion:
        return False
    except AuraError:
        return True  # it is one, and what is wrong with it is told where it is used
    return True
