"""Copying media from outside into the project, and naming the copies in the project files: as one step."""

import os
import posixpath
from collections.abc import Sequence

import msgspec

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.history.file_edits import Additions, edit_files
from aura_vcs.project.media.references import ProjectMediaFinder
from aura_vcs.project.media.relink import rewritten
from aura_vcs.project.media.rewrite import is_rewritable, why_left, written_path
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft

FOLDER = "media"
"""Where copies go unless another folder is named."""


class Collect(msgspec.Struct, frozen=True):
    """A file outside of the project that project files name: where it is, and where its copy goes.

    `names` are (project file, path as written, path that will be written). With a `reason` it stays where it is.
    """

    outside: str
    target: str
    size: int
    names: tuple[tuple[str, str, str], ...] = ()
    reason: str = ""


class CollectedMedia(msgspec.Struct, frozen=True):
    """What was done: the copies that came, the project files that were written, and those left as they were."""

    copied: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    size: int = 0


def plan_collect(repo: Repository, *, folder: str = FOLDER) -> tuple[Collect, ...]:
    """List the media outside of the project that its project files name; copies go below `folder`. Changes nothing.

    What lies behind a link, on another machine, or in several files (numbered pictures) stays where it is.
    """
    finder = ProjectMediaFinder(repo)
    taken = set(finder.sizes)
    plan: dict[str, Collect] = {}
    for file in finder.project_files():
        loaded = finder.load(file)
        if loaded is None or isinstance(loaded, Unstructured):
            continue
        timeline, seen = loaded[1], set[str]()
        for reference in timeline.media:
            if reference.kind not in ("file", "data") or not reference.path or reference.path in seen:
                continue
            seen.add(reference.path)
            found = finder.resolve(file, reference)
            if found.place != "outside" or found.state not in ("found", "link"):
                continue
            known = plan.get(found.path) or _new(found.path, found.size, found.state, folder, taken)
            new = written_path(timeline, reference.path, file, known.target, repo.root)
            if not is_rewritable(timeline):
                known = msgspec.structs.replace(known, reason=f"{file}: {why_left(timeline)}")
            plan[found.path] = msgspec.structs.replace(known, names=(*known.names, (file, reference.path, new)))
    return tuple(plan.values())


def _new(path: str, size: int, state: str, folder: str, taken: set[str]) -> Collect:
    stem, ending = posixpath.splitext(posixpath.basename(path.replace(os.sep, "/")))
    target, number = posixpath.join(folder, stem + ending), 2
    while target.casefold() in {one.casefold() for one in taken}:
        target, number = posixpath.join(folder, f"{stem} {number}{ending}"), number + 1
    taken.add(target)
    reason = "it is a link, which is not followed" if state == "link" else ""
    if not reason and not os.path.isfile(path):
        reason = "it is not a file"
    return Collect(path, target, size, reason=reason)


def collect(repo: Repository, plan: Sequence[Collect]) -> CollectedMedia:
    """Copy the files of a plan into the project and write their new paths. Undo takes all of it back as one.

    Raises:
        FileUnreadable: a file cannot be read, or is being written; nothing was changed.
        InputError: something is in the place of a copy by now, or a project file cannot be written so.
        StorageError: for example no room; nothing was changed.
    """
    todo = [one for one in plan if not one.reason]
    changes: dict[str, dict[str, str]] = {}
    for one in todo:
        for file, old, new in one.names:
            changes.setdefault(file, {})[old] = new
    if not todo:
        return CollectedMedia()
    write = {file: rewritten(repo, file, paths) for file, paths in changes.items()}
    what = f"Collected {len(todo)} media {'file' if len(todo) == 1 else 'files'}"
    copies = Additions(outside={one.target: one.outside for one in todo})
    done = edit_files(repo, write, draft=Draft("media.collect", what), additions=copies)
    skipped = done.skipped if done is not None else ()
    return CollectedMedia(tuple(copies.outside), tuple(sorted(write)), skipped, sum(one.size for one in todo))
