"""`aura whoami`."""

import click

from aura_vcs.cli.options import HELP, author_option, examples, json_option
from aura_vcs.cli.output.console import faint, strong
from aura_vcs.cli.session import Session, pass_session
from aura_vcs.cli.shared.identity import source_of_name
from aura_vcs.repository.replicas import author_name

_SOURCES = {
    "option": "as --author says",
    "environment": "as AURA_AUTHOR says",
    "config": "as you told aura",
    "account": "as your account on this machine is called",
}


@click.command("whoami", context_settings=HELP, epilog=examples("aura whoami", "aura whoami --json"))
@author_option
@json_option
@pass_session
def whoami_command(session: Session) -> None:
    """Show the name that your versions are made under

    You are asked for it once, at your first commit. Change it with `aura config set identity.name` and
    `aura config set identity.mail`; existing versions keep the name that they have.
    """
    author, source = author_name(session.author_name()), source_of_name(session)
    if session.console.as_json:
        session.console.data({"author": author, "source": source, "studio": session.studio_folder()})
        return
    session.console.line(strong(author), faint(f"  ({_SOURCES[source]})"))
    if source in {"config", "account"}:
        session.console.line(faint('Change it with `aura config set identity.name "…"`.'))
