"""The entry point: global options, signals, and the one place that ends the process."""

import _signal as signal  # type: ignore[import-not-found]  # without the enums, which take long to make
import os
import sys
from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from aura_vcs.cli.catalog import ALIASES, CATALOG, MAKING
from aura_vcs.cli.groups import LazyGroup, naming_the_command
from aura_vcs.cli.options import HELP, completing
from aura_vcs.cli.output.console import Console, is_terminal
from aura_vcs.cli.session import Session
from aura_vcs.errors import OutputLost

if TYPE_CHECKING:
    from aura_vcs.worktree.scan.prefetch import LookAhead

PIPE_CLOSED = 141
TRANSFERS = frozenset({"push", "fetch", "pull", "sync", "clone"})
"""Commands of which what has arrived is kept when they are stopped."""
STUDIO_FILES = ("brief.json", "plan.json", "voice.json", "render.json", "timeline.json", "scenes")
"""What makes a folder one in which a video is made with the studio."""
COMPLETE_VARIABLE = "_AURA_COMPLETE"


class AuraGroup(LazyGroup):
    """The command `aura`: runs a command and turns what it raises into words and an exit code."""

    def main(  # type: ignore[override]  # click's way of ending is replaced as a whole
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 (it is aura, whatever the file is called)
        *,
        ahead: "LookAhead | None" = None,
        is_process: bool = False,
        **extra: Any,
    ) -> NoReturn:
        """Run with these arguments and exit; never returns."""
        arguments = list(sys.argv[1:] if args is None else args)
        _complete(self, extra)
        _prepare_streams()
        session = Session(console=Console(as_json=_asks_json(arguments)))
        session.ahead, session.is_process = ahead, is_process
        code = self._run(arguments, session, extra)
        _let_go_of_output()
        sys.exit(code)

    def hidden_sections(self, ctx: click.Context) -> frozenset[str]:
        """Return the sections left out of the first page: the making of videos, where no document of the kind lies.

        Nowhere but on a person's first page: not in `aura help all`, nor where no command line is read.
        """
        session = ctx.find_object(Session)
        if session is None or session.whole_help:
            return frozenset()
        folder = ctx.params.get("folder") or session.folder
        return frozenset() if _is_studio_place(folder) else frozenset({MAKING})

    def _run(self, arguments: list[str], session: Session, extra: dict[str, Any]) -> int:
        previous = _end_like_an_interrupt()
        try:
            try:
                if session.is_process and callable(signal.getsignal(signal.SIGINT)):
                    signal.signal(signal.SIGINT, signal.default_int_handler)
                _check_arguments(arguments)
                with self.make_context("aura", arguments, obj=session, **extra) as ctx, naming_the_command(ctx):
                    self.invoke(ctx)
                _flush(session.console)
            except click.exceptions.Exit as ended:
                _flush(session.console)
                return _ended(session, ended.exit_code)
            except BrokenPipeError:
                raise
            except BaseException as error:
                if isinstance(error, SystemExit | GeneratorExit) or session.traceback:
                    raise
                if isinstance(error, OSError) and _was_output(error):
                    session.console.lost = error
                    return _ended(session, session.console.exit_code)
                from aura_vcs.cli.error_report import report

                code = report(error, session.console, stopped=_stopped(session, arguments))
                if isinstance(error, OutputLost):  # what stdout still holds would be refused, and told, once more
                    _forget_stdout()
                    return code
                _flush(session.console)
                if session.console.lost is not None:  # as JSON, it went to where nothing can be written
                    _forget_stdout()
                    report(error, Console())
                return code
            return _ended(session, session.console.exit_code)
        except BrokenPipeError:
            _forget_stdout()
            _print_if_done(session)
            return PIPE_CLOSED
        finally:
            _restore(previous)


def _is_studio_place(folder: str) -> bool:
    """Tell whether the folder, or one above it that is a project, has documents of the studio."""
    folder = os.path.abspath(folder)
    while True:
        if any(os.path.lexists(os.path.join(folder, name)) for name in STUDIO_FILES):
            return True
        above = os.path.dirname(folder)
        if above == folder or os.path.isdir(os.path.join(folder, ".aura")):
            return False
        folder = above


def _stopped(session: Session, arguments: Sequence[str]) -> str:
    """Describe in one line what came of a command that a person stopped."""
    if TRANSFERS.intersection(arguments):
        return "Stopped; the same command continues from there."
    if list(arguments[:2]) == ["media", "index"]:
        return "Stopped; files that were looked at are known, the same command continues with the rest."
    if _has_recorded(session):
        return "Stopped; `aura ops` shows what was done before."
    return "Stopped; nothing was saved." if session.recorded is not None else "Stopped."


def _asks_json(arguments: Sequence[str]) -> bool:
    """Tell whether `--json` is among the options: also errors in the rest of the line are JSON then."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def _complete(command: click.Command, extra: MutableMapping[str, Any]) -> None:
    instruction = os.environ.get(COMPLETE_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(command, extra, "aura", COMPLETE_VARIABLE, instruction))


def _prepare_streams() -> None:
    """Write characters that the terminal's encoding lacks as `\\u2192` from now on: no message fails for them.

    Where Python was told to take everything for UTF-8, a terminal still gets what its locale says; files and
    pipes get UTF-8.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding=_encoding_of(stream), errors="backslashreplace")


def _encoding_of(stream: Any) -> str | None:
    """Return the encoding of a terminal if it is neither UTF-8 nor plain ASCII; None leaves a stream as it is."""
    if not sys.flags.utf8_mode or not is_terminal(stream):
        return None
    import codecs
    import locale

    name = codecs.lookup(locale.getencoding()).name
    return None if name in {"utf-8", "ascii"} else name


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


def _check_arguments(arguments: Sequence[str]) -> None:
    """Refuse what no system hands to a program, and no file name, text or number can have."""
    if any("\0" in word for word in arguments):
        raise click.UsageError("An argument has a NUL character in it.")


def _flush(console: Console) -> None:
    """Notice a closed pipe or a full disk now, not while Python ends. Started with `>&-`, there is no stdout."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        console.lost = error


def _was_output(error: BaseException) -> bool:
    """Tell whether it was click itself that could not write, as it writes help."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is click.echo.__code__


def _ended(session: Session, code: int) -> int:
    """Return the exit code; report where the output was lost."""
    lost = session.console.lost
    if lost is None:
        return code
    from aura_vcs.cli.error_report import report

    _forget_stdout()
    error = OutputLost(lost.strerror or str(lost))
    if _has_recorded(session):
        error.hint = "The command has done its work anyway; `aura ops` shows what was recorded."
    return report(error, Console())


def _print_if_done(session: Session) -> None:
    """Nobody read that something was recorded: say it where somebody may look."""
    if _has_recorded(session):
        session.console.note("It is done, though nobody read the output; `aura ops` shows what was recorded.")


def _has_recorded(session: Session) -> bool:
    if session.recorded is None:
        return False
    from aura_vcs.errors import AuraError
    from aura_vcs.repository.index_recovery import recorded_bytes

    try:
        return recorded_bytes(session.folder) != session.recorded
    except (AuraError, OSError):
        return False


def _let_go_of_output() -> None:
    """Flush the output; forget what cannot be written, or Python would try again while it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            _forget(stream)


def _forget_stdout() -> None:
    """Nobody reads any more: what is still in the buffer goes nowhere, without a complaint at exit."""
    _forget(sys.stdout)


def _forget(stream: Any) -> None:
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError, AttributeError):
        return  # a stream in memory has no descriptor


@click.group(cls=AuraGroup, catalog=CATALOG, aliases=ALIASES, context_settings=HELP, invoke_without_command=True)
@click.option(
    "-C",
    "folder",
    is_eager=True,
    metavar="DIR",
    default=".",
    shell_complete=completing("folder"),
    help="Work in this folder instead of the current one",
)
@click.option("--no-pager", is_flag=True, help="Never open a pager")
@click.option("--traceback", is_flag=True, help="Show where an error comes from")
@click.option("--version", "wants_version", is_flag=True, help="Show the version of aura itself, and of its parts")
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
        from aura_vcs.cli.installation import own_version, parts

        click.echo(f"aura {own_version()}")
        for name, version in parts():
            click.echo(f"  {name} {version or 'not installed'}")
        ctx.exit(0)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
