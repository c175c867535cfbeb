"""Editors whose projects lie in a folder, and what those write beside them that is made again: `.auraignore` names it.

Only what an editor makes from what is there already counts as litter: previews, proxies, thumbnails, waveforms, caches
of renders, and its own old copies of the project, which versions replace.
"""

import os
from collections.abc import Iterator

import msgspec

from aura_vcs.layout import is_own_folder
from aura_vcs.plain_text import as_text
from aura_vcs.repository.repository import Repository
from aura_vcs.worktree.scan.ignore import is_litter

ENTRIES_LIMIT = 2000
"""Names that are looked at below the folder itself, where an editor's project most likely lies: ten times as many."""
_TOP_COST = 0.1
DEPTH_LIMIT = 6
FILES_NAMED = 20


class Editor(msgspec.Struct, frozen=True):
    """An editor: how the names of its projects end, and the patterns of what it makes again."""

    name: str
    endings: tuple[str, ...]
    patterns: tuple[str, ...]


EDITORS = (
    Editor(
        "Kdenlive", (".kdenlive",), ("cachefiles/", "proxy/", "thumbs/", "audiothumbs/", "videothumbs/", ".backup/")
    ),
    Editor("Shotcut", (".mlt",), ("proxies/",)),
    Editor("OpenShot", (".osp",), ("**/*_assets/thumbnail/",)),
    Editor(
        "Premiere",
        (".prproj",),
        (
            "Adobe Premiere Pro Auto-Save/",
            "Adobe Premiere Pro Video Previews/",
            "Adobe Premiere Pro Audio Previews/",
            "Media Cache/",
            "Media Cache Files/",
            "Peak Files/",
            "*.pek",
            "*.cfa",
            "*.mcdb",
            "*.prlock",
        ),
    ),
    Editor("After Effects", (".aep", ".aepx"), ("Adobe After Effects Auto-Save/",)),
    Editor("Final Cut Pro", (".fcpxml", ".fcpxmld", ".fcpbundle"), ("Render Files/", "*.fcpcache/")),
    Editor("DaVinci Resolve", (".drp", ".dra"), ("CacheClip/", "ProxyMedia/", "OptimizedMedia/")),
    Editor("REAPER", (".rpp",), ("*.reapeaks", "*.[rR][pP][pP]-bak", "*.[rR][pP][pP]-[uU][nN][dD][oO]")),
    Editor("Blender", (".blend",), ("*.blend[0-9]", "*.blend[0-9][0-9]", "*.blend@", "BL_proxy/")),
)


_OLD_COPIES = frozenset(("adobe premiere pro auto-save", "adobe after effects auto-save", ".backup"))
"""Folders in which editors keep old copies of a project: what lies there is none."""
_BY_ENDING = {ending: editor.name for editor in EDITORS for ending in editor.endings}


class FoundEditor(msgspec.Struct, frozen=True):
    """An editor with projects in the folder: the first of them by name, and how many there are."""

    name: str
    files: tuple[str, ...]
    count: int


class EditorLitter(msgspec.Struct, frozen=True):
    """The editors that a folder is used with, and the patterns that `.auraignore` got for them.

    `problem` says why it got none, though some were missing.
    """

    editors: tuple[FoundEditor, ...] = ()
    patterns: tuple[str, ...] = ()
    problem: str = ""


def ignore_editor_litter(repo: Repository) -> EditorLitter:
    """Let `.auraignore` name the litter of the editors whose projects lie in the folder, as one step of undo.

    A file that is there is only added to, and only what no line of it says or takes back. Rules that take something
    back go on counting for more. At most `ENTRIES_LIMIT` names are looked at, and no file is opened.

    Raises:
        FileUnreadable: .auraignore cannot be read. StorageError.
    """
    found = find_editors(repo.root)
    if not found:
        return EditorLitter()
    from aura_vcs.project.editor_rules import add_rules  # most folders have no such project

    patterns, problem = add_rules(
        repo, [(one.name, one.patterns) for one in EDITORS if one.name in {f.name for f in found}]
    )
    return EditorLitter(found, patterns, problem)


def find_editors(root: str) -> tuple[FoundEditor, ...]:
    """Find the editors whose projects lie in a folder, by the endings of names."""
    files: dict[str, list[str]] = {}
    for path in _project_files(root):
        files.setdefault(_BY_ENDING[_ending(path)], []).append(as_text(path))
    return tuple(
        FoundEditor(one.name, tuple(sorted(files[one.name])[:FILES_NAMED]), len(files[one.name]))
        for one in EDITORS
        if one.name in files
    )


def _project_files(root: str) -> Iterator[str]:
    """Yield files and folders whose names end as an editor's project does, those near the top first.

    Neither links, nor what versions leave out anyway, nor what lies in a folder that is a project. Of most names no
    more is asked than how they end.
    """
    endings = tuple(_BY_ENDING)
    waiting, left = [("", 0)], float(ENTRIES_LIMIT)
    for folder, depth in waiting:
        try:
            with os.scandir(os.path.join(root, folder)) as entries:
                for entry in entries:
                    left -= 1 if depth else _TOP_COST
                    if left < 0:
                        return
                    name = entry.name
                    is_folder = entry.is_dir(follow_symlinks=False)
                    is_project = name.lower().endswith(endings) and _ending(name) in _BY_ENDING
                    if not (is_folder or is_project) or entry.is_symlink():
                        continue
                    if is_own_folder(name) or is_litter(name, is_folder=is_folder):
                        continue
                    path = f"{folder}/{name}" if folder else name
                    if is_folder and name.lower() in _OLD_COPIES:
                        continue
                    if is_folder and not is_project and depth < DEPTH_LIMIT:
                        waiting.append((path, depth + 1))
                    if is_project:
                        yield path
        except OSError:
            continue  # gone meanwhile, or not ours to read: commits say so


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()
