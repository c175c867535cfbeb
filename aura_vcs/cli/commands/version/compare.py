"""`aura version compare`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console, faint, yellow
from aura_vcs.cli.output.humanize import call, count, titled
from aura_vcs.cli.output.json_shapes import diff_to_json
from aura_vcs.cli.session import pass_repository
from aura_vcs.history.diff.tree_diff import compare_trees
from aura_vcs.history.names.revisions import check_content, resolve
from aura_vcs.model import DOCUMENTS

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command("compare", context_settings=HELP, epilog=examples("aura version compare v3 v7", "aura diff v3 v7"))
@click.argument("old", shell_complete=completing("version"))
@click.argument("new", shell_complete=completing("version"))
@json_option
@pass_repository
def compare_command(repo: "Repository", console: Console, old: str, new: str) -> None:
    """Show which of brief, plan, voice, render and timeline differ between two versions

    `aura diff OLD NEW` shows the changes themselves.
    """
    first, second = resolve(repo, old), resolve(repo, new)
    check_content(repo, first)
    check_content(repo, second)
    comparison = compare_trees(repo, first.tree, second.tree)
    if console.as_json:
        differs = {name: first.documents[name] != second.documents[name] for name in DOCUMENTS}
        console.data({**diff_to_json(first, second, comparison), "differs": differs})
        return
    console.line(yellow(titled(first, call(repo, first))), " and ", yellow(titled(second, call(repo, second))))
    for name in DOCUMENTS:
        same = first.documents[name] == second.documents[name]
        console.line(f"  {name:<9}", faint("the same") if same else yellow("differs"))
    scenes = sum(change.path.startswith("scenes/") for change in comparison.changes)
    console.line(f"  {count(scenes, 'scene file')} and {count(len(comparison.changes), 'file')} in all differ")
    console.line(faint(f"See the changes with `aura diff {old} {new}`."))
