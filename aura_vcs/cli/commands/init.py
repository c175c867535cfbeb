"""`aura init`."""

import os

import click

from aura_vcs.cli.console import Console, cool, strong
from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.session import Session, pass_session


@click.command(
    "init", context_settings=HELP, epilog=examples("aura init", 'aura init my-video --title "The Solar System"')
)
@click.argument("folder", metavar="[DIR]", required=False)
@click.option("--title", metavar="TEXT", help="The title that project.json gets, if there is no project.json yet")
@click.option("--bare", is_flag=True, help="Make a place without work files instead, for others to push to")
@json_option
@pass_session
def init_command(session: Session, folder: str | None, title: str | None, *, bare: bool) -> None:
    """Make a folder a project

    The files in it stay as they are. A folder that does not exist is made. If there is no
    project.json, one is written with an id and a title; an existing one is never changed.
    """
    from aura_vcs.history.start import start_project
    from aura_vcs.sync.hints import write_hints

    console = session.console
    root = os.path.join(session.folder, folder) if folder else session.folder
    if bare:
        _prepare_place(console, root)
        return
    with start_project(root, title=title, **session.options()) as (repo, started):
        write_hints(repo)
        if console.as_json:
            console.data(
                {
                    "project": repo.format.project,
                    "path": repo.root,
                    "title": started.title,
                    "wrote_project_json": started.wrote_document,
                }
            )
            return
        console.line("Made ", cool(repo.root), " a project")
        if started.wrote_document:
            console.line("  wrote project.json with the title ", strong(started.title or ""))
        elif title is not None and started.title != title:
            console.warn("project.json was there already and was not changed; --title was not used")
        console.line('Save everything as the first version with `aura commit -m "First cut"`.')


def _prepare_place(console: Console, root: str) -> None:
    from aura_vcs.errors import InputError
    from aura_vcs.sync.addresses import parse_address
    from aura_vcs.sync.opening import make_folder

    address = parse_address(os.path.abspath(root))
    make_folder(address)
    if os.listdir(address.path):
        raise InputError(f"{address.path} is not empty", hint="Name a folder that does not exist yet.")
    if console.as_json:
        console.data({"path": address.path, "bare": True})
        return
    console.line("Made ", cool(address.path), " a place that a project can be pushed to")
    console.line(f"In the project: `aura remote add origin {address.path}`, from elsewhere `host:{address.path}`.")
