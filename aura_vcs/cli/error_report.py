"""Exceptions become a line for a person, or JSON for a program, and an exit code.

Exit codes are those of `errors`; besides: 2 for a wrong command line, 130 when stopped, 141
when nobody reads the output any more, 1 for everything unexpected.
"""

import os
import re
from contextlib import suppress

import click

from aura_vcs.cli.catalog import ALIASES
from aura_vcs.cli.damaged_bytecode import damaged_bytecode
from aura_vcs.cli.familiar_commands import advice_on
from aura_vcs.cli.output.console import Console, Part, faint, red
from aura_vcs.errors import AuraError, ExtraMissing, Interrupted, Problems, without_passwords
from aura_vcs.errors.input import NotAProject
from aura_vcs.errors.integrity import StorageError
from aura_vcs.errors.remotes import HelperMissing
from aura_vcs.storage.system_calls import storage_error

_BYTES = re.compile(r"\\udc([89a-f][0-9a-f])")
"""How Python shows a byte that is not UTF-8; for a person it is just that byte."""


def report(error: BaseException, console: Console, *, stopped: str = "") -> int:
    """Say what went wrong; returns the exit code. `stopped` is what to say where a person ended it."""
    if isinstance(error, EOFError | ValueError | TypeError | ImportError):
        error = damaged_bytecode(error) or error
    if stopped and not console.as_json and isinstance(error, KeyboardInterrupt | EOFError | click.Abort):
        console.note(stopped)
        return Interrupted.exit_code
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and not console.as_json:
        with suppress(OSError):
            click.echo(error.ctx.get_help() if error.ctx is not None else "", err=True)
        return error.exit_code
    if isinstance(error, click.UsageError):
        return _usage(error, console)
    if isinstance(error, click.ClickException):
        _print(console, "error", error.format_message(), "")
        return error.exit_code
    known = _known(error)
    problems = known.problems if isinstance(known, Problems) else ()
    _print(console, known.code, known.message, _hint(known), problems)
    return known.exit_code


def _hint(error: AuraError) -> str:
    """Return the error's own hint; for an optional part, the command that adds it to this very installation."""
    if not (isinstance(error, ExtraMissing | HelperMissing) and error.extra):
        return error.hint
    from aura_vcs.cli.installation import how_to_install

    return f"Install it with: {how_to_install(error.extra)}"


def _known(error: BaseException) -> AuraError:
    """Convert the error to one of ours."""
    if isinstance(error, AuraError):
        return error
    if isinstance(error, KeyboardInterrupt | EOFError | click.Abort):
        return Interrupted("Stopped")
    if isinstance(error, OSError):
        return _from_system(error)
    if isinstance(error, MemoryError):
        return AuraError("There is not enough memory", hint="Close other programs and run the command again.")
    kind = type(error).__name__
    return _Unexpected(f"Something went wrong inside aura: {kind}: {error}".rstrip(": "))


def _from_system(error: OSError) -> AuraError:
    if error.filename is not None:
        return storage_error("use", str(error.filename), error)
    if isinstance(error, FileNotFoundError) and not _is_somewhere():
        return NotAProject.nowhere()
    return StorageError("go on with", "the work", error.strerror or str(error))


def _is_somewhere() -> bool:
    """Tell whether the current folder is there; it may have been deleted since the shell went into it."""
    try:
        os.getcwd()
    except OSError:
        return False
    return True


class _Unexpected(AuraError):
    hint = "Your work is safe. Run the command again as `aura --traceback …` and report what it prints."

    @property
    def code(self) -> str:
        return "unexpected"


def _advice(error: click.UsageError, path: str) -> str:
    """Suggest what does here what people expect of an option, or of another word, elsewhere."""
    word = path.split()[1] if " " in path else ""
    command = ALIASES.get(word, word)
    if isinstance(error, click.NoSuchOption):
        return advice_on(command, error.option_name)
    return advice_on(command, None) if "unexpected extra argument" in error.message else ""


def _usage(error: click.UsageError, console: Console) -> int:
    path = error.ctx.command_path if error.ctx is not None else getattr(error, "command_path", "aura")
    message = "Say what to do" if isinstance(error, click.exceptions.NoArgsIsHelpError) else error.format_message()
    is_unknown = message.startswith(("There is no command", "No such command"))
    hint = f"`{path} --help` {'lists the commands' if is_unknown else 'shows how it is used'}."
    advice = _advice(error, path)
    _print(console, "usage", message, f"{advice} {hint}" if advice else hint)
    return error.exit_code


def _print(console: Console, code: str, message: str, hint: str, problems: tuple[str, ...] = ()) -> None:
    message, hint = without_passwords(_BYTES.sub(r"\\x\1", message)), without_passwords(hint)
    if console.as_json:
        record: dict[str, object] = {"code": code, "message": message, "hint": hint}
        if problems:
            record["problems"] = list(problems)
        console.data({"error": record})
        return
    start: Part = red("Stopped.") if code == "interrupted" else red("Error: ")
    console.note(start, "" if code == "interrupted" else message)
    for problem in problems:
        console.note(f"  {problem}")
    if hint:
        console.note(faint(hint))
