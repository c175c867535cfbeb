"""`aura undo`."""

from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, faint, strong
from aura_vcs.cli.session import Session, pass_repository, pass_session
from aura_vcs.cli.shared.studio_undo import or_studio, studio_option, undo_in_studio
from aura_vcs.cli.shared.undo_report import print_undone

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command(
    "undo",
    context_settings=HELP,
    epilog=examples("aura undo", "aura undo --session", "aura undo --studio", "aura ops", "aura redo"),
)
@click.option("--id", "action_id", metavar="ID", help="This one (see `aura ops`), if nothing later depends on it")
@click.option(
    "--session", "session_id", is_flag=False, flag_value="", metavar="[ID]", help="All that an agent did in a session"
)
@studio_option
@json_option
@pass_session
def undo_command(session: Session, action_id: str | None, session_id: str | None, in_studio: bool) -> None:
    """Undo the last thing you did

    Can be repeated, back to the beginning, also after a restart. `aura ops` lists what was done. Only
    files that it had changed are touched; what you have edited in them since is kept in a restore point
    first. With --studio, takes back the last thing you did to your settings, templates or list of
    projects. With --session, takes back all that an agent did in its last session, or in the one whose
    id begins with ID; what you have done since stays.
    """
    if session_id is not None and (in_studio or action_id is not None):
        raise click.UsageError("--session cannot be combined with --id or --studio.")
    if session_id is not None:
        _undo_session(session_id or None)
        return
    if not in_studio:
        with or_studio("undo"):
            _undo(action_id)
    elif action_id is None:
        with session.studio() as studio:
            undo_in_studio(studio, session.console)
    else:
        raise click.UsageError("Studio actions are undone in order: --id cannot be combined with --studio.")


@pass_repository
def _undo_session(repo: "Repository", console: Console, session_id: str | None) -> None:
    from aura_vcs.history.undo_session import undo_session

    done = undo_session(repo, session_id)
    console.exit_code = 3 if done.left else 0
    if console.as_json:
        console.data(
            {
                "session": done.session,
                "undone": [{"id": item.operation.undoes, "description": item.description} for item in done.undone],
                "left": list(done.left),
            }
        )
        return
    for item in done.undone:
        console.line("Undid: ", strong(item.description))
    for said in done.left:
        console.warn(f"left as it is: {said}")
    console.line(faint(f"That was session {done.session[:8]}. `aura redo` does it again, one by one."))


@pass_repository
def _undo(repo: "Repository", console: Console, action_id: str | None) -> None:
    from aura_vcs.history.undo import find_action, undo

    action = find_action(repo, action_id) if action_id is not None else None
    print_undone(repo, console, undo(repo, action), "Undid", "Do it again with `aura redo`.")
