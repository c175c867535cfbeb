"""The media that project files of editors name: one list for each file of the folder that can be read as such."""

import os
import re
from collections.abc import Iterable, Iterator

import msgspec

from aura_vcs.errors.integrity import UnsafePath
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.endings import ending_of, may_name_media
from aura_vcs.formats.timeline.model import MediaKind, MediaReference, Timeline
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.plain_text import as_text
from aura_vcs.project.documents.folder_index import files_of
from aura_vcs.project.media.resolve_path import PathResolver, Place, ResolvedPath, State
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.plain_files import open_below
from aura_vcs.worktree.scan.ignore import load_ignore_rules

PROJECT_BYTES_LIMIT = 64 << 20
"""A larger file is not read as a project; the largest seen had 40 MB."""
FILES_LIMIT = 1000
"""So many project files are read."""
MEDIA_LIMIT = 20_000
"""So many media of one file are looked for."""
_CERTAIN = frozenset("kdenlive mlt osp fcpxml xmeml rpp otio prproj aaf drp".split())  # noqa: SIM905
"""Endings that say what a file is: one that is not readable is told."""
_SNIFFED = 4096
_XML_PROJECT = re.compile(rb"<(?:mlt|xmeml|fcpxml)\b|\0")
_OF_PROGRAMS = re.compile(
    r"%|@(?:transitions|emojis|colors|titles)\b|/usr/|/snap/|/app/|/opt/|/Applications/|/tmp/\.mount_"
    r"|[A-Za-z]:[\\/]Program Files"
)
"""How paths of masks, fonts and tables begin that come with an editor."""
_BEST = ("found", "link", "not_looked_at", "missing", "unusable")


class NamedMedia(msgspec.Struct, frozen=True):
    """Something that a project file plays, and where that is.

    `path` is what the file has, `kind` its use: "file", "proxy" (a smaller copy, made again where it is missing) or
    "data" (a mask, a table of colours, a font). `resolved` is from the project's folder, absolute outside of it, and ""
    where the path leads nowhere. `place` is "project", "outside" or "elsewhere" (another machine or system, or what
    comes with the editor). `state` is "found", "missing", "link" (what is behind it was not looked at),
    "not_looked_at" or "unusable", for the last two with a `reason`. `size` is bytes on disk, -1 where nothing was
    found. `in_version` tells whether the version that HEAD stands on has it, `is_ignored` whether versions leave it
    out.
    """

    path: str
    kind: MediaKind
    resolved: str
    place: Place
    state: State
    size: int
    is_absolute: bool
    in_version: bool
    is_ignored: bool
    near: str = ""
    """A file of the project with the same name, for what was not found; "" for none."""
    reason: str = ""


class ProjectMedia(msgspec.Struct, frozen=True):
    """A project file and what it names, in the order in which it does; `problem` says why it is not read."""

    file: str
    format: str
    media: tuple[NamedMedia, ...] = ()
    problem: str = ""

    @property
    def missing(self) -> int:
        """How many media are not there; proxies and data of the editor's own do not count."""
        return sum(is_missing(one) for one in self.media)


def is_missing(media: NamedMedia) -> bool:
    """Tell whether the film lacks this."""
    return media.kind == "file" and media.state in ("missing", "unusable")


def list_media(repo: Repository) -> tuple[ProjectMedia, ...]:
    """List what each project file of the folder names, sorted by file; ignored files and backups are not looked at.

    Project files are read, media are looked for by their names. The studio's timeline.json is a document, and not here.
    """
    finder = ProjectMediaFinder(repo)
    found = (finder.media_of(path) for path in finder.project_files())
    return tuple(one for one in found if one is not None)


class ProjectMediaFinder:
    """Looks for what the files of one folder name; `sizes` are its regular files."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self.sizes = self._sizes = {seen.path: seen.size for seen in files_of(repo.root)}
        self._rules = load_ignore_rules(repo.root)
        self._paths = PathResolver(repo.root, self._sizes)
        self._tree = worktree_base(repo).tree
        self._by_name: dict[str, str] | None = None

    def project_files(self) -> list[str]:
        """List the files that may be projects of editors, sorted; ignored files and backups are left out."""
        found = sorted(path for path in self._sizes if may_name_media(path) and not self.is_ignored(path))
        return found[:FILES_LIMIT]

    def is_ignored(self, path: str) -> bool:
        """Tell whether versions leave a file of the folder out."""
        return any(self._rules.matches(name, above, is_folder=is_folder) for name, above, is_folder in _steps(path))

    def media_of(self, path: str) -> ProjectMedia | None:
        """Return what one file names; None where it is not a project."""
        loaded = self.load(path)
        if loaded is None or isinstance(loaded, Unstructured):
            is_told = loaded is not None and ending_of(path) in _CERTAIN
            return ProjectMedia(as_text(path), "", problem=loaded.reason) if loaded is not None and is_told else None
        _, timeline = loaded
        named = tuple(one for _, one in self.named(path, timeline))
        return ProjectMedia(as_text(path), timeline.format or "otio", named)

    def named(self, path: str, timeline: Timeline) -> list[tuple[MediaReference, NamedMedia]]:
        """List the media of a project, each path once, and where it leads; of Premiere's paths for one the best."""
        found = [(one, self.look(path, one)) for one in _distinct(timeline)]
        return _best_of_each(found) if timeline.format == "premiere" else found

    def load(self, path: str) -> tuple[bytes, Timeline] | Unstructured | None:
        """Read a project file: its bytes and what is in it, or why that is not known; None where it is none."""
        if self._sizes[path] > PROJECT_BYTES_LIMIT:
            return Unstructured(f"it is larger than {PROJECT_BYTES_LIMIT >> 20} MiB")
        try:
            with open(open_below(self._repo.root, path), "rb") as file:
                data = file.read(_SNIFFED)
                if ending_of(path) == "xml" and not _XML_PROJECT.search(data):
                    return None
                data += file.read(PROJECT_BYTES_LIMIT)
        except (OSError, UnsafePath) as error:
            return Unstructured(f"it cannot be read ({getattr(error, 'strerror', None) or error})")
        timeline = read_project(path, data)
        return timeline if isinstance(timeline, Unstructured) else (data, timeline)

    def look(self, project: str, reference: MediaReference) -> NamedMedia:
        """Look where something leads that a project file names."""
        found = self.resolve(project, reference)
        inside = found.state == "found" and found.place == "project"
        near = self._same_name(reference.path, found) if found.state in ("missing", "not_looked_at") else ""
        return NamedMedia(
            path=as_text(reference.path),
            kind=reference.kind,
            resolved=as_text(found.path),
            place=found.place,
            state=found.state,
            size=found.size,
            is_absolute=reference.is_absolute,
            in_version=inside and self._is_in_version(found.path),
            is_ignored=inside and self.is_ignored(found.path),
            near=as_text(near),
            reason=found.reason,
        )

    def resolve(self, project: str, reference: MediaReference) -> ResolvedPath:
        """Return where a path leads, seen from a project file."""
        folder, _, name = project.rpartition("/")
        path = reference.path
        if reference.kind == "data" and _OF_PROGRAMS.match(path):
            return ResolvedPath("elsewhere", "not_looked_at", reason="it comes with the editor")
        if path.startswith("@assets/"):  # OpenShot's folder beside the project
            path = f"{os.path.splitext(name)[0]}_{path[1:]}"
        return self._paths.resolve(path, folder, reference.folder)

    def used_files(self, project: str, reference: MediaReference) -> list[str]:
        """List the files of the folder that are played by what a project file names."""
        return self._paths.files(self.resolve(project, reference)) if reference.path else []

    def _is_in_version(self, path: str) -> bool:
        try:
            return self._repo.trees.entry(self._tree, path) is not None
        except UnsafePath:
            return False  # a name that no version can have

    def _same_name(self, written: str, found: ResolvedPath) -> str:
        if self._by_name is None:
            self._by_name = {one.rpartition("/")[2].casefold(): one for one in sorted(self._sizes, reverse=True)}
        name = found.path or written.replace("\\", "/").rstrip("/")
        return self._by_name.get(name.rpartition("/")[2].casefold(), "")


def _distinct(timeline: Timeline) -> list[MediaReference]:
    """List what lies in files, each path once."""
    seen: dict[tuple[str, str, str], MediaReference] = {}
    for one in timeline.media:
        if one.path and one.kind in ("file", "proxy", "data"):
            seen.setdefault((one.path, one.folder, one.kind), one)
        if len(seen) >= MEDIA_LIMIT:
            break
    return list(seen.values())


def _best_of_each(found: Iterable[tuple[MediaReference, NamedMedia]]) -> list[tuple[MediaReference, NamedMedia]]:
    """Choose, of the absolute and relative paths that Premiere writes for one media, that which leads to it."""
    best: dict[str, tuple[MediaReference, NamedMedia]] = {}
    for reference, one in found:
        key = reference.identity or reference.path
        if key not in best or _rank(one) < _rank(best[key][1]):
            best[key] = reference, one
    return list(best.values())


def _rank(one: NamedMedia) -> tuple[int, bool]:
    return _BEST.index(one.state), one.place != "project"


def _steps(path: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the folders that a path leads through and the file, as rules are asked about them."""
    parts = path.split("/")
    for depth, name in enumerate(parts, 1):
        yield name, "/".join(parts[:depth]), depth < len(parts)
