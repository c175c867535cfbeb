"""`aura blame`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console, Part, cyan, faint, yellow
from aura_vcs.cli.output.humanize import call, local_time
from aura_vcs.cli.output.json_shapes import path_to_json, restore_point_to_json
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.history.blame import blame
from aura_vcs.history.names.revisions import resolve

if TYPE_CHECKING:
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.repository.repository import Repository

AUTHOR_WIDTH = 16


@click.command(
    "blame",
    context_settings=HELP,
    epilog=examples(
        "aura blame brief.json", "aura blame script.md", "aura blame brief.json v3", "aura blame trip.kdenlive"
    ),
)
@click.argument("file", type=click.Path(readable=False), shell_complete=completing("path"))
@click.argument("version", default="HEAD")
@json_option
@pass_repository
def blame_command(repo: "Repository", console: Console, *, file: str, version: str) -> None:
    """Show which version wrote each line, field or clip of a file

    For a JSON document, each field, and for a text, each line, as VERSION has them. For an editor's
    project, which version added each clip, and which last trimmed, moved or changed it. Renames are
    followed.
    """
    path = project_paths(repo, (file,))[0]
    found = blame(repo, resolve(repo, version).id, path)
    if console.as_json:
        parts = [
            {
                "place": part.location,
                "text": part.text,
                **({"kind": part.kind} if part.kind else {}),
                "version": restore_point_to_json(part.version),
                "author": part.version.author,
            }
            for part in found
        ]
        console.data({**path_to_json(path), "parts": parts})
        return
    width = max((len(part.location) for part in found), default=0)
    versions = {part.version.id: part.version for part in found}
    heads = {version_id: _head(repo, version) for version_id, version in versions.items()}
    console.lines(
        ([*heads[part.version.id], "  ", cyan(part.location.ljust(width)), f"  {part.text}"] for part in found),
        paged=True,
    )


def _head(repo: "Repository", record: "VersionRecord") -> list[Part]:
    """Format the number of a version, who made it and when."""
    author = record.author[:AUTHOR_WIDTH].ljust(AUTHOR_WIDTH)
    return [yellow(call(repo, record).ljust(6)), faint(f"{author} {local_time(record.created_at)}")]
