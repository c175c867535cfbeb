"""Telling a person, when a version is made, which media its documents name and it does not have."""

from typing import TYPE_CHECKING

from aura_vcs.cli.output.console import Console
from aura_vcs.errors import AuraError

if TYPE_CHECKING:
    from aura_vcs.ids import ObjectId
    from aura_vcs.repository.repository import Repository

SHOWN = 5


def warn_of_missing_media(repo: "Repository", console: Console, before: "ObjectId | None", after: "ObjectId") -> None:
    """Warn if a change from one tree to another can have to do with it; costs little where it cannot."""
    from aura_vcs.project.documents.media_references import may_miss_media

    if not may_miss_media(repo.trees, repo.store, before, after):
        return
    from aura_vcs.history.sources.content_source import StoredSource
    from aura_vcs.project.documents.check import missing_media

    try:
        problems = missing_media(StoredSource(repo, after))
    except AuraError:
        return  # the version is made; what cannot be looked at is no reason to say that it failed
    for problem in problems[:SHOWN]:
        near = f"; {problem.expected.partition('; ')[2]}" if ";" in problem.expected else ""
        console.warn(f"{problem.file}#{problem.pointer}: {problem.message} in this version{near}")
    if len(problems) > SHOWN:
        console.warn(f"{len(problems) - SHOWN:,} more references lead nowhere; `aura project check` lists them")
