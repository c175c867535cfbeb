"""`aura cat`."""

import shlex
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples
from aura_vcs.cli.output.blob import write_content
from aura_vcs.cli.output.console import Console
from aura_vcs.cli.output.paths import is_here, is_in_head
from aura_vcs.cli.session import current_session, pass_repository
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.lookup.content import find_object, locate
from aura_vcs.history.names.revisions import split_content
from aura_vcs.model import Kind

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command(
    "cat", context_settings=HELP, epilog=examples("aura cat v3:brief.json", "aura cat v3:assets/intro.wav > intro.wav")
)
@click.argument("what", metavar="ID|VERSION:PATH", shell_complete=completing("content"))
@pass_repository
def cat_command(repo: "Repository", console: Console, what: str) -> None:
    """Write the content of an object or file to stdout

    Byte for byte as it was saved, verified while it is read. An id may be shortened.
    """
    if split_content(what)[1] is not None:
        located = locate(repo, what)
        kind = Kind.TREE if located.is_folder else Kind.BLOB
        write_content(console, repo.store.stream(located.entry.id, kind), what)
    else:
        try:
            found = find_object(repo, what)
        except UnknownName as error:
            error.hint = _hint_of_path(repo, what) or error.hint
            raise
        write_content(console, repo.store.stream(found.id, Kind(found.kind)), what)


def _hint_of_path(repo: "Repository", what: str) -> str | None:
    """Say what is to be typed for a path without a version; None where it is no path."""
    folder = current_session().folder
    if is_in_head(repo, folder, what):
        return f"Name the version, too: `aura cat {shlex.quote(f'HEAD:{what}')}`."
    if is_here(repo, folder, what):
        return f"{what} is a file of yours that is in no version yet; `aura commit` makes one that has it."
    return None
