"""Who makes the versions: where the name comes from, and asking for it once."""

import os
import sys
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.output.console import Console, clean_input, escape, faint, is_terminal
from aura_vcs.cli.session import Session
from aura_vcs.errors import AuraError
from aura_vcs.repository.replicas import full_name
from aura_vcs.studio.git_identity import git_identity

if TYPE_CHECKING:
    from aura_vcs.studio.git_identity import GitIdentity

NAME, MAIL = "identity.name", "identity.mail"


def source_of_name(session: Session) -> str:
    """Tell where the author's name comes from: "option", "environment", "config" or "account"."""
    if session.author is not None:
        return "option"
    if os.environ.get("AURA_AUTHOR"):
        return "environment"
    return "config" if session.configured_name() else "account"


def ask_identity(session: Session, console: Console) -> None:
    """Ask for the name and the mail address, once: where nobody has said, and a person sits there.

    What git or the account knows is offered. The answer is kept in the studio, for all projects.
    """
    if console.as_json or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return
    if source_of_name(session) != "account":
        return
    from aura_vcs.studio.configuration import set_configuration

    known = _git_identity()
    console.note(faint("Who makes these versions? This is asked once; `aura whoami` shows it later."))
    name = _ask("Your name", known.name or full_name())
    mail = _ask("Your mail address, or nothing", known.mail)
    try:
        with session.studio() as studio:
            set_configuration(studio, NAME, name)
            if mail:
                set_configuration(studio, MAIL, mail)
    except AuraError as error:
        console.note(f"That could not be saved, and will be asked again: {error.message}")


def _ask(question: str, offered: str) -> str:
    given = click.prompt(question, default=escape(clean_input(offered)), err=True, show_default=bool(offered))
    return "".join(letter for letter in clean_input(str(given)) if letter.isprintable()).strip()


def _git_identity() -> "GitIdentity":
    """Read the identity that git has for the person, in the files that it reads for the whole account."""
    given = os.environ.get("GIT_CONFIG_GLOBAL")
    if given is not None:
        return git_identity([given])
    home = os.path.expanduser("~")
    base = os.environ.get("XDG_CONFIG_HOME", "").strip() or os.path.join(home, ".config")
    return git_identity([os.path.join(base, "git", "config"), os.path.join(home, ".gitconfig")])
