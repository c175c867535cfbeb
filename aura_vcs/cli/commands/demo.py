"""`aura demo`."""

import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path

import click

from aura_vcs.cli.demo.basics import basics
from aura_vcs.cli.demo.merging import merging
from aura_vcs.cli.demo.notes import notes
from aura_vcs.cli.demo.page import show_page
from aura_vcs.cli.demo.stage import Stage, copy_sample
from aura_vcs.cli.demo.studio import studio
from aura_vcs.cli.options import HELP, examples
from aura_vcs.cli.output.console import Console, faint, is_terminal
from aura_vcs.cli.session import Session
from aura_vcs.errors import Interrupted

PARTS = ("basics", "merging", "notes", "studio")
_PREFIX = "aura-demo-"
_GOES_ON = "Enter continues, q ends: "


@click.command(
    "demo",
    context_settings=HELP,
    epilog=examples("aura demo", "aura demo merging", "aura demo --sample my-video"),
)
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--no-pause", is_flag=True, help="Do not wait for Enter between the steps")
@click.option("--keep", is_flag=True, help="Keep the scratch folder, to look around in")
@click.option(
    "--sample", metavar="DIR", type=click.Path(), help="Only copy the sample project to a new folder, to try things on"
)
@click.pass_obj
def demo_command(session: Session, parts: tuple[str, ...], no_pause: bool, keep: bool, sample: str | None) -> None:
    """Watch a tour on a sample project, or get the sample project

    Four parts: basics (versions, going back, two machines), merging, notes (and where files come from),
    studio. Every command is run for real, in a scratch folder that is removed at the end; nothing of
    yours is read or changed. On a terminal it waits for Enter after each step. At the end it prints the
    address of the project's page, which ends with the tour; with --keep, the page stays until Ctrl-C.
    """
    console = session.console
    if sample is not None:
        target = Path(session.folder, sample)
        copy_sample(target)
        console.line(f"Put the sample project into {target}")
        console.line(faint(f"Begin with `cd {target}` and `aura init`."))
        return
    with nullcontext(tempfile.mkdtemp(prefix=_PREFIX)) if keep else _scratch_folder() as folder:
        scratch = Path(folder).resolve()
        pauses = not no_pause and is_terminal(sys.stdin) and is_terminal(sys.stdout)
        try:
            _show(
                console,
                scratch,
                parts or PARTS,
                pauses=pauses,
            )
            show_page(console, scratch, _until(keep=keep, pauses=pauses))
            console.line()
            left = f"Everything is in {scratch}" if keep else "The scratch folder has been removed"
            console.line(f"That was the tour. {left}.")
            console.line("Try it yourself: `aura demo --sample my-video`, or `aura init` in a folder of your own.")
        except Interrupted:
            console.line("Ended.")


def _scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder among the system's temporary files that is removed at the end of a `with`."""
    return tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)


def _show(console: Console, scratch: Path, parts: tuple[str, ...], *, pauses: bool) -> None:
    shows = {"basics": basics, "merging": merging, "notes": notes, "studio": studio}
    for name in parts:
        folder = scratch / name
        folder.mkdir(exist_ok=True)
        shows[name](Stage(folder, console.line, _wait if pauses else _go_on))


def _until(*, keep: bool, pauses: bool) -> Callable[[], None]:
    """Return what waits as long as the page is to be served."""
    if keep:
        return _until_stopped
    return _wait if pauses else _go_on


def _until_stopped() -> None:
    """Wait until Ctrl-C, which is how it ends."""
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


def _go_on() -> None:
    """Wait for nobody."""


def _wait() -> None:
    """Wait until the person wants to see more.

    Raises:
        Interrupted: they do not.
    """
    click.echo(f"\n{_GOES_ON}", nl=False)
    answer = "q"
    with suppress(EOFError):
        answer = input()
    if answer.strip().lower() in {"q", "quit", "exit"}:
        raise Interrupted("Stopped")
