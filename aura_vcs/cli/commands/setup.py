"""`aura setup`: the first-run wizard."""

import os
import sys
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, TEXT, completing, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green, strong
from aura_vcs.cli.session import pass_studio
from aura_vcs.errors import AuraError
from aura_vcs.ids import new_uuid
from aura_vcs.studio.setup import STEPS, answer, setup_state, start_over, suggestion, system_configuration

if TYPE_CHECKING:
    from aura_vcs.studio.setup import SetupStep
    from aura_vcs.studio.studio import Studio


@click.command(
    "setup",
    context_settings=HELP,
    epilog=examples("aura setup", 'aura setup --name "Mira Lindqvist" --output ~/Videos --unattended'),
)
@click.option("--name", metavar="TEXT", type=TEXT, help="Your name, as your versions show it")
@click.option("--output", metavar="DIR", shell_complete=completing("folder"), help="The folder that exports go to")
@click.option("--ffmpeg", metavar="FILE", help="An FFmpeg program for other tools")
@click.option("--tier", metavar="NAME", type=TEXT, help="The studio's edition, for programs that ask for it")
@click.option("--unattended", is_flag=True, help="Ask nothing: take the flags, and what is suggested for the rest")
@click.option("--again", is_flag=True, help="Ask everything again")
@json_option
@pass_studio
def setup_command(
    studio: "Studio",
    console: Console,
    *,
    name: str | None,
    output: str | None,
    ffmpeg: str | None,
    tier: str | None,
    unattended: bool,
    again: bool,
) -> None:
    """Set up aura for yourself

    A few questions. Stop at any time with Ctrl-C; `aura setup` continues where you were.
    """
    asks = not unattended and not console.as_json and sys.stdin.isatty()
    together = None if asks else new_uuid()  # what is asked is taken back answer by answer, the rest as one
    if again:
        start_over(studio, correlation_id=together)
    given = {"identity": name, "output": output, "ffmpeg": ffmpeg, "tier": tier}
    for step in STEPS:
        if given[step.name] is not None:
            answer(studio, step, given[step.name], correlation_id=together)
    while (step_left := setup_state(studio).next_step) is not None:
        if asks:
            _ask(studio, console, step_left)
        elif unattended:
            answer(studio, step_left, _suggested(studio, step_left), correlation_id=together)
        else:
            break
    state, system = setup_state(studio), system_configuration(studio)
    if console.as_json:
        console.data({"setup": state, "system": system, "folder": studio.folder.path})
        return
    if not state.completed:
        left = state.next_step
        console.line(f"Next question: {left.question}." if left is not None else "")
        console.line(faint("Answer with flags, with --unattended, or run `aura setup` in a terminal."))
        return
    console.line(green("Set up: "), strong(str(state.wizard_state.get("identity") or studio.folder.user)))
    console.line(f"  exports go to {system.output_directory or 'the folder you name each time'}")
    console.line(f"  FFmpeg: {system.ffmpeg_path or 'not found; exports bring their own'}")
    console.line(faint(f"Kept in {studio.folder.path}. Change it with `aura config set`, or `aura setup --again`."))


def _ask(studio: "Studio", console: Console, step: "SetupStep") -> None:
    """Ask one question; ask again while the answer is not valid."""
    if step.name == "tier":  # for programs; a person who wants another one gives --tier
        answer(studio, step, _suggested(studio, step))
        return
    text = click.prompt(step.question, default=_suggested(studio, step) or "", err=True, show_default=True)
    try:
        answer(studio, step, text)
    except AuraError as error:
        console.note(error.message, f" {error.hint}" if error.hint else "")


def _suggested(studio: "Studio", step: "SetupStep") -> str | None:
    home = os.path.expanduser("~")
    return suggestion(step, user=studio.folder.user, home=home, search_path=os.environ.get("PATH"))
