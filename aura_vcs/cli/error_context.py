"""After an error: saying more about it than its place could know, and getting over a damaged index."""

import os
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.output.paths import is_here, is_in_head
from aura_vcs.errors import AuraError
from aura_vcs.errors.input import UnknownVersion
from aura_vcs.errors.integrity import ObjectCorrupt, ObjectMissing
from aura_vcs.index.queries import describe
from aura_vcs.repository import index_recovery
from aura_vcs.suggestions import quote_path

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


def explained(repo: "Repository", folder: str, error: AuraError) -> AuraError:
    """Return the error with what the project knows: the versions that damage affects, the file that was meant.

    Another error where what is missing has only not arrived yet.
    """
    if isinstance(error, UnknownVersion):
        error.hint = _if_path(repo, folder, error.name) or error.hint
        if error.hint.startswith("`aura log") and click.get_current_context().command.name in {"restore", "diff"}:
            error.hint = f"There is no file or folder of that name either. {error.hint}"
    elif isinstance(error, ObjectMissing | ObjectCorrupt):
        from aura_vcs.maintenance.explain import explain

        return explain(repo, error)
    return error


def heal(folder: str, error: Exception, recorded: int | None) -> bool:
    """Throw a damaged index away, see `index_recovery.heal`; most errors are seen not to come from one at once."""
    if isinstance(error, AuraError) and error.__cause__ is None:
        return False

    return index_recovery.heal(folder, error, recorded)


def _if_path(repo: "Repository", folder: str, name: str) -> str:
    """Suggest what was probably meant where a file or folder stands in the place of a version."""
    here = is_here(repo, folder, name)
    in_head = is_in_head(repo, folder, name)
    command = click.get_current_context().command.name or ""
    if not in_head and repo.head().version is None:
        return ""  # the error itself says how the first version is made
    if not in_head and (command in {"restore", "checkout"} or (here and command != "diff")):
        return _who_has(repo, folder, name, here=here)
    if not here and not in_head:
        return ""
    typed = quote_path(name)
    meant = {"diff": f"diff -- {typed}", "show": f"show {quote_path(f'HEAD:{name}')}"}
    if here:
        kind = "folder" if os.path.isdir(os.path.join(folder, name)) else "file"
        told = f"{name} is a {kind}."
    else:
        told = f"{name} is not here, but in the last version."
    return f"{told} Did you mean `aura {meant.get(command, f'restore HEAD {typed}')}`?"


def _who_has(repo: "Repository", folder: str, name: str, *, here: bool) -> str:
    """Say which version had a path last that the last one does not have; that none has, where it is in the folder."""
    from aura_vcs.history.commit import project_path
    from aura_vcs.history.lookup.path_versions import last_with_path

    try:
        found = last_with_path(repo, project_path(repo, name, folder))
    except (AuraError, ValueError):
        return ""
    if found is not None:
        version = describe(repo.queries, found.id)
        return f"The last version does not have {name}; {version} does: `aura restore {version} {quote_path(name)}`."
    return f"No version has {name} yet." if here else ""
