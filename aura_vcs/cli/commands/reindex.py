"""`aura reindex`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, green
from aura_vcs.cli.output.humanize import count
from aura_vcs.cli.session import pass_repository
from aura_vcs.index.table_dump import table_sizes

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command("reindex", context_settings=HELP, epilog=examples("aura reindex"))
@json_option
@pass_repository
def reindex_command(repo: "Repository", console: Console) -> None:
    """Rebuild the index from the files

    The index only makes things quick: it can be rebuilt at any time, and nothing is lost.
    """
    repo.rebuild_index()
    found = table_sizes(repo.index)
    if console.as_json:
        console.data({"versions": found["versions"], "objects": found["objects"], "operations": found["actions"]})
        return
    console.line(
        green("Rebuilt the index: "),
        f"{count(found['versions'], 'version')}, {count(found['objects'], 'object')}, "
        f"{count(found['actions'], 'operation')}",
    )
