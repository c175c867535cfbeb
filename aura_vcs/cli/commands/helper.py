"""`aura helper`."""

import os
import sys

import click

from aura_vcs.cli.helper.client import connect, peer_process, receive, send_request
from aura_vcs.cli.helper.starting import start, wait_until_there
from aura_vcs.cli.helper_protocol import (
    ABOUT,
    ANSWER,
    ASK,
    STOP,
    SWITCH,
    identity,
    is_safe_folder,
    pack_request,
    socket_path,
    unpack_answer,
)
from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import faint, strong
from aura_vcs.cli.session import Session, pass_session
from aura_vcs.errors import AuraError

_HINT = f"Nothing depends on it: commands start by themselves then. {SWITCH}=1 does without it for one command."


@click.group("helper", context_settings=HELP, epilog=examples("aura helper start", "aura helper status"))
def helper_command() -> None:
    """Keep a process ready that runs short commands at once

    Most of the time that `aura status` takes is spent starting Python. The helper has done that already: it runs
    init, status, log, diff, show, blame, ls, ops, commit, checkout, restore, undo, redo, branch and tag for you, just
    as they would run by themselves. It starts with the first of them on a terminal, and ends after half an hour without
    work. `aura config set helper.auto off` keeps it from starting.
    """


@helper_command.command("status", context_settings=HELP)
@json_option
@pass_session
def status(session: Session) -> None:
    """Say whether the helper runs, and how many commands it has run"""
    found = _ask(ASK)
    if session.console.as_json:
        session.console.data(
            {"running": found is not None, "pid": found[0] if found else None, "commands": found[1] if found else None}
        )
        return
    if found is None:
        session.console.line("The helper is not running.", faint("  `aura helper start` starts it."))
        return
    session.console.line(
        "The helper is running: process ", strong(str(found[0])), f", {found[1]} command{'s' * (found[1] != 1)} so far."
    )


@helper_command.command("start", context_settings=HELP)
@json_option
@pass_session
def start_command(session: Session) -> None:
    """Start the helper, and wait until it is ready"""
    if _ask(ASK) is None and ((why := _why()) or not (start() and wait_until_there())):
        raise AuraError(f"The helper could not be started{why}.", hint=_HINT)
    found = _ask(ASK)
    if session.console.as_json:
        session.console.data({"running": found is not None, "pid": found[0] if found else None})
    else:
        session.console.line("The helper is ready.")


@helper_command.command("stop", context_settings=HELP)
@json_option
@pass_session
def stop(session: Session) -> None:
    """End the helper; commands that it runs go on to their end"""
    ran = _ask(STOP) is not None
    if session.console.as_json:
        session.console.data({"stopped": ran})
    else:
        session.console.line("The helper has stopped." if ran else "The helper was not running.")


def _why() -> str:
    """Return what is in the way of a helper, to go on with; "" where nobody knows."""
    if sys.platform != "linux":
        return ": it is for Linux"
    path = socket_path(identity())
    folder = os.path.dirname(path)
    if os.path.lexists(folder) and not is_safe_folder(path):
        return f": {folder} is not a folder that you own and nobody else can open"
    return ""


def _ask(kind: bytes) -> tuple[int, int] | None:
    """Return the helper's process id and how many commands it has run; None where there is none."""
    path = socket_path(mine := identity())
    sock = connect(path) if os.path.lexists(path) and is_safe_folder(path) else None
    if sock is None:
        return None
    try:
        send_request(sock, pack_request(kind, mine, (), ()), [])
        answer = receive(sock, ANSWER)
        told = unpack_answer(answer)[1] if answer[:1] == ABOUT else 0
        return peer_process(sock), told
    except OSError:
        return None
    finally:
        sock.close()
