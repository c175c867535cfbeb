"""The entry point: global options, signals, and the one place that ends the process."""

import os
import signal
import sys
from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from aura_vcs.cli.catalog import CATALOG
from aura_vcs.cli.console import Console
from aura_vcs.cli.groups import LazyGroup
from aura_vcs.cli.options import HELP
from aura_vcs.cli.session import Session

if TYPE_CHECKING:
    from aura_vcs.worktree.ahead import Ahead

PIPE_CLOSED = 141
COMPLETE_VARIABLE = "_AURA_COMPLETE"


class AuraGroup(LazyGroup):
    """The command `aura`: runs a command and turns what it raises into words and an exit code."""

    def main(  # type: ignore[override]  # click's way of ending is replaced as a whole
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 (it is aura, whatever the file is called)
        *,
        ahead: "Ahead | None" = None,
        **extra: Any,
    ) -> NoReturn:
        """Run with these arguments and exit; never returns."""
        arguments = list(sys.argv[1:] if args is None else args)
        _complete(self, extra)
        _prepare_streams()
        session = Session(console=Console(as_json=_asks_json(arguments)))
        session.ahead = ahead
        sys.exit(self._run(arguments, session, extra))

    def _run(self, arguments: list[str], session: Session, extra: dict[str, Any]) -> int:
        previous = _end_like_an_interrupt()
        try:
            try:
                with self.make_context("aura", arguments, obj=session, **extra) as ctx:
                    self.invoke(ctx)
                _flush()
            except click.exceptions.Exit as ended:
                _flush()
                return ended.exit_code
            except BrokenPipeError:
                raise
            except BaseException as error:
                if isinstance(error, SystemExit | GeneratorExit) or session.traceback:
                    raise
                from aura_vcs.cli.failures import report

                return report(error, session.console)
            return session.console.exit_code
        except BrokenPipeError:
            _forget_stdout()
            return PIPE_CLOSED
        finally:
            _restore(previous)


def _asks_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` is among the options: also errors in the rest of the line are JSON then."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def _complete(command: click.Command, extra: MutableMapping[str, Any]) -> None:
    instruction = os.environ.get(COMPLETE_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(command, extra, "aura", COMPLETE_VARIABLE, instruction))


def _prepare_streams() -> None:
    """A character that the terminal's encoding lacks is written as `\\u2192`: no message fails for it."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _end_like_an_interrupt() -> Any:
    """SIGTERM is taken like Ctrl-C: whatever is being done is left in a consistent state."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    try:
        return signal.signal(signal.SIGTERM, stop)
    except ValueError:
        return None  # not the main thread: whoever runs us here handles signals


def _restore(previous: Any) -> None:
    if previous is not None:
        signal.signal(signal.SIGTERM, previous)


def _flush() -> None:
    """Notice a closed pipe now, not while Python ends. Started with `>&-`, there is no stdout."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _forget_stdout() -> None:
    """Nobody reads any more: what is still in the buffer goes nowhere, without a complaint at exit."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        return  # a stream in memory has no descriptor


@click.group(cls=AuraGroup, catalog=CATALOG, context_settings=HELP, invoke_without_command=True)
@click.option("-C", "folder", metavar="DIR", default=".", help="Work in this folder instead of the current one")
@click.option("--no-pager", is_flag=True, help="Never open a pager")
@click.option("--traceback", is_flag=True, help="Show where an error comes from")
@click.option("--version", "wants_version", is_flag=True, help="Show the version of aura itself")
@click.pass_context
def cli(ctx: click.Context, folder: str, no_pager: bool, traceback: bool, wants_version: bool) -> None:
    """Version control for video projects.

    Saves a folder of documents and media as versions you can look at, compare and go back to.
    Nothing you made is lost by any command: `aura undo` takes the last one back.

    \b
    Start here:
      aura init                        make this folder a project
      aura commit -m "First cut"       save everything as a version
      aura status                      see what changed since
      aura log                         list the versions
      aura checkout v1                 go to an older one
      aura undo                        take the last command back
    """
    session = ctx.ensure_object(Session)
    session.folder, session.traceback = folder, traceback
    session.console.pager = not no_pager
    if wants_version:
        from importlib.metadata import version

        click.echo(f"aura {version('aura-vcs')}")
        ctx.exit(0)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
