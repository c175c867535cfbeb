"""`aura serve`."""

import os
import sys

import click

from aura_vcs.cli.options import HELP, examples
from aura_vcs.cli.remote_environment import open_project
from aura_vcs.sync.ssh_server import serve_folder


@click.command("serve", context_settings=HELP, epilog=examples("aura serve --stdio -- films/my-video.aura"))
@click.argument("folder", metavar="DIR")
@click.option("--stdio", is_flag=True, required=True, help="Take requests on stdin and answer on stdout")
@click.option("--create", is_flag=True, help="Make the folder if it is not there")
def serve_command(folder: str, *, stdio: bool, create: bool) -> None:  # noqa: ARG001 (there is no other way yet)
    """Serve a remote's or a project's folder to another machine (ssh runs this)

    Nothing outside the folder can be reached. Nobody needs to run this by hand.
    """
    path = os.path.abspath(os.path.expanduser(folder))
    serve_folder(path, sys.stdin.buffer, sys.stdout.buffer, create=create, open_project=open_project)
