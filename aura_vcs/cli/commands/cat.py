"""`aura cat`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples
from aura_vcs.cli.output.blob import write_content
from aura_vcs.cli.output.console import Console
from aura_vcs.cli.session import pass_repository
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
    from aura_vcs.history.lookup.content import find_object, locate
    from aura_vcs.history.names.revisions import split_content

    if split_content(what)[1] is not None:
        located = locate(repo, what)
        kind = Kind.TREE if located.is_folder else Kind.BLOB
        write_content(console, repo.store.stream(located.entry.id, kind), what)
    else:
        found = find_object(repo, what)
        write_content(console, repo.store.stream(found.id, Kind(found.kind)), what)
