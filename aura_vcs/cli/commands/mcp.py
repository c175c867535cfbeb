"""`aura mcp`."""

import click

from aura_vcs.cli.options import HELP, TEXT, examples
from aura_vcs.cli.session import Session, pass_session


@click.command("mcp", context_settings=HELP, epilog=examples("aura mcp --agent Robi", "aura -C film mcp --read-only"))
@click.option("--agent", metavar="NAME", type=TEXT, default="", help="What the agent is called in what it does")
@click.option("--read-only", is_flag=True, help="Give it no tool that changes anything")
@pass_session
def mcp_command(session: Session, *, agent: str, read_only: bool) -> None:
    """Let an agent work on the project, by the Model Context Protocol on a pipe

    For the settings of a program that starts it: `aura -C FOLDER mcp`. The agent looks, compares, searches, saves, goes
    back and writes notes; all it does is marked as one session, which `aura ops` lists in one line and
    `aura undo --session` takes back. Needs the extra `agents`.
    """
    from aura_vcs.agents.server import serve_agents
    from aura_vcs.repository.find_project import find_root

    serve_agents(find_root(session.folder), agent=agent, person=session.author_name(), read_only=read_only)
