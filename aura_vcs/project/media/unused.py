"""Media of the folder that no timeline uses: neither a project file of an editor nor a document of the studio."""

import msgspec

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.project.documents.assets import asset_type
from aura_vcs.project.documents.check import named_files
from aura_vcs.project.media.references import ProjectMediaFinder
from aura_vcs.repository.repository import Repository


class UnusedMedia(msgspec.Struct, frozen=True):
    """Media that nothing names, and what is not known: project files that could not be read.

    `files` are paths and sizes, sorted; `projects` counts the project files that were read.
    """

    files: tuple[tuple[str, int], ...]
    projects: int
    unread: tuple[str, ...] = ()


def find_unused(repo: Repository) -> UnusedMedia:
    """List pictures, sound and video of the folder that no timeline uses. Names count; nothing is decoded.

    A folder without any project file or document has nothing unused: nobody can tell.
    """
    finder = ProjectMediaFinder(repo)
    used = set(named_files(FolderSource(repo.root)))
    projects, unread = 0, []
    is_known = any(asset_type(path) is not None for path in used)
    for file in finder.project_files():
        loaded = finder.load(file)
        if loaded is None:
            continue
        if isinstance(loaded, Unstructured):
            unread.append(file)
            continue
        projects += 1
        for reference in loaded[1].media:
            used.update(finder.used_files(file, reference))
    if not projects and not is_known:
        return UnusedMedia((), 0, tuple(unread))
    media = [path for path in sorted(finder.sizes) if asset_type(path) is not None and path not in used]
    left = [path for path in media if not finder.is_ignored(path)]
    return UnusedMedia(tuple((path, finder.sizes[path]) for path in left), projects, tuple(unread))
