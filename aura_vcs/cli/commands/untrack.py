"""`aura untrack`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green, yellow
from aura_vcs.cli.output.humanize import call, count
from aura_vcs.cli.output.json_shapes import version_to_json
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.history.untrack import untrack

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command(
    "untrack", context_settings=HELP, epilog=examples("aura untrack renders", "aura untrack assets/raw.mov notes.txt")
)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(readable=False), shell_complete=completing("saved_path")
)
@json_option
@pass_repository
def untrack_command(repo: "Repository", console: Console, paths: tuple[str, ...]) -> None:
    """Keep files or folders out of versions, but leave them where they are

    Makes a version without them. They stay in your folder as they are, and in the versions that have
    them. If no rule ignores them yet, a line is added to .auraignore. Other edits stay unsaved.
    """
    done = untrack(repo, project_paths(repo, paths))
    if console.as_json:
        console.data({"version": version_to_json(done.version), "paths": list(done.paths), "rules": list(done.rules)})
        return
    console.line(
        green("Left out "), f"{count(len(done.paths), 'path')} from ", yellow(call(repo, done.version)), " on: ",
        ", ".join(done.paths),
    )  # fmt: skip
    for rule in done.rules:
        console.line(faint(f"  added to .auraignore: {rule}"))
    console.line(faint("They stay in your folder. Take it back with `aura undo`."))
