"""Finding missing media again and writing their paths into the project files that name them, as one step."""

import posixpath
from collections.abc import Mapping, Sequence

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.model import MediaReference, Timeline
from aura_vcs.history.file_edits import Additions, edit_files, read_document
from aura_vcs.model import Entry
from aura_vcs.plain_text import as_text
from aura_vcs.project.media.find_again import FoundBy, FoundMedia, MediaSearch
from aura_vcs.project.media.references import ProjectMediaFinder, is_missing
from aura_vcs.project.media.resolve_path import series_pattern
from aura_vcs.project.media.rewrite import is_rewritable, rewrite_paths, why_left, with_siblings, written_path
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft


class Relink(msgspec.Struct, frozen=True):
    """One path of a project file: what is written, and where the file is now.

    `found` is a path of the folder, "" for nothing found; then `reason` says why, and `choices` are files that it may
    be. `new` is what the project file will have instead of `path`, "" where that can stay: then the file is brought
    back from `version`. `by` says how it was found.
    """

    file: str
    path: str
    found: str = ""
    by: FoundBy | None = None
    version: str = ""
    new: str = ""
    choices: tuple[str, ...] = ()
    reason: str = ""
    entry: Entry | None = None

    @property
    def is_found(self) -> bool:
        """Whether there is something to do."""
        return bool(self.found) and not self.reason


class Relinked(msgspec.Struct, frozen=True):
    """What was done: project files that were written, files that came back, and those left as they were."""

    written: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def plan_relink(repo: Repository, files: Sequence[str] = ()) -> tuple[Relink, ...]:
    """Look for the missing media of the project files, or of these; also make absolute paths of the folder relative.

    Changes nothing. Files elsewhere are for `plan_collect`.

    Raises:
        InputError: one of the files is not a project file, or cannot be read.
    """
    finder = ProjectMediaFinder(repo)
    known = finder.project_files()
    if strange := [file for file in files if file not in known]:
        raise InputError(f"{strange[0]} is not a project file here", hint="`aura project check` reads them all.")
    search = MediaSearch(repo, finder.sizes)
    plan: list[Relink] = []
    for file in known:
        if files and file not in files:
            continue
        loaded = finder.load(file)
        if loaded is None or isinstance(loaded, Unstructured):
            if files and isinstance(loaded, Unstructured):
                raise InputError(f"{file} cannot be read: {loaded.reason}")
            continue
        plan += _of_file(repo, finder, search, file, loaded[1])
    return tuple(plan)


def _of_file(
    repo: Repository, finder: ProjectMediaFinder, search: MediaSearch, file: str, timeline: Timeline
) -> list[Relink]:
    plan: list[Relink] = []
    seen: set[str] = set()
    for reference, named in finder.named(file, timeline):
        if reference.kind != "file" or reference.path in seen:
            continue
        seen.add(reference.path)
        if is_missing(named) or named.state == "not_looked_at":
            plan.append(_missing(repo, search, finder, file, timeline, reference))
        elif named.is_absolute and named.place == "project" and named.state == "found":
            new = written_path(timeline, reference.path, file, named.resolved, repo.root)
            if is_rewritable(timeline) and new != reference.path:
                plan.append(Relink(file, as_text(reference.path), named.resolved, "path", new=new))
    return plan


def _missing(
    repo: Repository,
    search: MediaSearch,
    finder: ProjectMediaFinder,
    file: str,
    timeline: Timeline,
    reference: MediaReference,
) -> Relink:
    resolved = finder.resolve(file, reference)
    found = search.find(reference, resolved)
    path = as_text(reference.path)
    if not isinstance(found, FoundMedia):
        reason = "several files have its name" if found else _why_not_found(reference.path)
        return Relink(file, path, choices=tuple(map(as_text, found)), reason=reason)
    stays = found.entry is not None and resolved.place == "project" and found.path == resolved.path
    new = "" if stays else written_path(timeline, reference.path, file, found.path, repo.root)
    made = Relink(file, path, found.path, found.by, found.version, new, entry=found.entry)
    if new and not is_rewritable(timeline):
        return msgspec.structs.replace(made, reason=f"it is {as_text(found.path)}; {why_left(timeline)}")
    return made


def _why_not_found(written: str) -> str:
    if series_pattern(posixpath.basename(written.replace("\\", "/"))) is not None:
        return "no folder has such pictures now; those that only versions have come back with `aura restore`"
    return "no file of the folder or of a version is it"


def relink(repo: Repository, plan: Sequence[Relink]) -> Relinked:
    """Carry a plan out: write the paths and bring files back from versions. Undo takes all of it back as one.

    Raises:
        InputError: a project file was written since, or cannot be written so; nothing was changed.
        ObjectOffloaded: what comes from a version is at a remote that cannot be asked now.
    """
    todo = [one for one in plan if one.is_found]
    stored = {one.found: one.entry for one in todo if one.entry is not None}
    changes: dict[str, dict[str, str]] = {}
    for one in todo:
        if one.new:
            changes.setdefault(one.file, {})[one.path] = one.new
    write = {file: rewritten(repo, file, paths) for file, paths in changes.items()}
    if not write and not stored:
        return Relinked()
    what = f"Relinked {len(todo)} media {'file' if len(todo) == 1 else 'files'}"
    done = edit_files(repo, write, draft=Draft("media.relink", what), additions=Additions(stored=stored))
    skipped = done.skipped if done is not None else ()
    return Relinked(tuple(sorted(write)), tuple(sorted(stored)), skipped)


def rewritten(repo: Repository, file: str, paths: Mapping[str, str]) -> bytes:
    """Return a project file as it is now, with other paths.

    Raises:
        InputError: it cannot be written so.
    """
    data = read_document(repo, file)
    loaded = ProjectMediaFinder(repo).load(file) if data is not None else None
    if data is None or loaded is None or isinstance(loaded, Unstructured):
        raise InputError(f"{file} is not there any more, or no project", hint="Run the command again.")
    data, timeline = loaded
    known = {as_text(one.path): one.path for one in timeline.media}
    wanted = with_siblings(timeline, {known.get(old, old): new for old, new in paths.items()}, file, repo.root)
    result = rewrite_paths(file, data, timeline, wanted)
    if isinstance(result, Unstructured):
        raise InputError(f"The paths in {file} are not changed: {result.reason}", hint="Change them in the editor.")
    return result
