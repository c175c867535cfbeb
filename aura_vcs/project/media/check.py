"""What is wrong with the media that project files of editors name."""

import posixpath
from collections.abc import Iterable, Iterator

from aura_vcs.formats.timeline.model import shown
from aura_vcs.project.documents.load import OTIO_NAME
from aura_vcs.project.documents.problems import DocumentProblem, Severity
from aura_vcs.project.documents.validate import MAX_PROBLEMS_PER_FILE
from aura_vcs.project.media.references import NamedMedia, ProjectMedia

_LONG = 80
_WANTED = "a file of the project"
_LISTS = ("edl",)
"""Formats that name reels and clips: one that is not a file is nothing wrong."""


def media_problems(found: Iterable[ProjectMedia]) -> tuple[DocumentProblem, ...]:
    """Say what is missing, absolute or outside the project, at most `MAX_PROBLEMS_PER_FILE` for each file.

    Missing media are errors, unless they can be made again (proxies) or come with an editor. The rest are warnings.
    """
    problems: list[DocumentProblem] = []
    for project in found:
        if project.problem:
            problems.append(DocumentProblem(project.file, "", "warning", f"its media are unknown: {project.problem}"))
        mine = sorted(_problems_of(project), key=lambda problem: problem.severity)
        problems += mine[:MAX_PROBLEMS_PER_FILE]
        if len(mine) > MAX_PROBLEMS_PER_FILE:
            more = f"{len(mine) - MAX_PROBLEMS_PER_FILE:,} more problems are not listed"
            problems.append(DocumentProblem(project.file, "", "warning", more))
    return tuple(problems)


def _problems_of(project: ProjectMedia) -> Iterator[DocumentProblem]:
    for media in project.media:
        if media.kind == "proxy" or (project.file == OTIO_NAME and media.path.startswith("assets/")):
            continue  # made again; told by the check of documents
        told = _wrong(media, posixpath.dirname(project.file))
        if told is not None:
            severity, message, expected = told
            if project.format in _LISTS or media.kind == "data":
                severity = "warning"
            yield DocumentProblem(project.file, "", severity, f"{_short(media.path)} {message}", expected)


def _wrong(media: NamedMedia, folder: str) -> tuple[Severity, str, str] | None:
    """Say how bad it is, what is so, and what would be right; None where nothing is wrong."""
    wanted = f"{_WANTED}; there is {_short(media.near)}" if media.near else _WANTED
    told: tuple[Severity, str, str] | None = None
    if media.state == "unusable":
        told = "error", f"leads to no file: {media.reason}", _WANTED
    elif media.state == "missing":
        where = "" if media.place == "project" else "is outside the project and "
        told = "error", f"{where}does not exist", wanted
    elif media.state == "not_looked_at":
        told = None if media.kind == "data" else ("warning", f"cannot be looked for here: {media.reason}", wanted)
    elif media.place == "outside":
        told = "warning", "is outside the project: no version has it", _WANTED
    elif media.state == "link":
        told = "warning", "is inside a link, which is not followed: versions do not have its bytes", _WANTED
    elif media.is_ignored:
        told = "warning", "is ignored: versions leave it out", "media that .auraignore does not name"
    elif media.is_absolute:
        relative = _short(posixpath.relpath(media.resolved, folder or "."))
        told = "warning", "is an absolute path, which leads nowhere on another machine", relative
    return told


def _short(path: str) -> str:
    """Shorten a path for a sentence: one line, and of a long one the end."""
    return shown(path) if len(path) <= _LONG else "…" + shown(path[1 - _LONG :])
