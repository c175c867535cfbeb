"""`aura restore-point`: what a program calls before it changes a project."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, TEXT, examples, json_option
from aura_vcs.cli.output.console import Console
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.autosave_report import print_saved, saved_to_json
from aura_vcs.history.autosave import restore_point

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command(
    "restore-point",
    context_settings=HELP,
    epilog=examples(
        "aura restore-point",
        "aura restore-point PreScriptRegeneration",
        "aura restore-point PreBulkTimelineChange -m 'Recut'",
    ),
)
@click.argument("trigger", default="Manual")
@click.option("-m", "--name", metavar="TEXT", type=TEXT, default="", help="A name (default: the trigger)")
@click.option("--description", metavar="TEXT", type=TEXT, default="")
@json_option
@pass_repository
def restore_point_command(repo: "Repository", console: Console, trigger: str, name: str, description: str) -> None:
    """Save your files before another program changes them

    TRIGGER says why: PreScriptRegeneration, PostLLMRefinement, PreBulkTimelineChange …; the default is
    Manual. Restore points stay for 30 days (retention.restore_point_days).
    """
    saved = restore_point(repo, trigger, name=name, description=description)
    if console.as_json:
        console.data(saved_to_json(saved))
    else:
        print_saved(repo, console, saved)
