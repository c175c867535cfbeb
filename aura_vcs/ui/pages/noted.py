"""What was said about a version or a file, for the views that show it."""

from collections.abc import Iterable

from aura_vcs.api.notes import Note
from aura_vcs.api.project import Project
from aura_vcs.cli.output.humanize import call
from aura_vcs.errors import InputError
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.repository.repository import Repository

NOTES_SHOWN = 100


def notes_about(project: Project, where: str) -> list[Note]:
    """List what was said about a version; one that nobody can have said anything about has none."""
    try:
        return project.notes.list(where, limit=NOTES_SHOWN)
    except InputError:
        return []


def notes_on(project: Project, version: str, path: str) -> list[Note]:
    """List what was said about a file, under every name that it has had until now, or until the version had it."""
    for where in (f"HEAD:{path}", f"{version}:{path}"):
        try:
            return project.notes.list(where, limit=NOTES_SHOWN)
        except InputError:  # HEAD does not have it
            continue
    return []


def names_of(repo: Repository, versions: Iterable[str | None]) -> dict[str, str]:
    """Return what versions are called, by their ids."""
    found = [repo.queries.version(VersionId(ObjectId(version))) for version in versions if version is not None]
    return {record.id: call(repo, record) for record in found if record is not None}
