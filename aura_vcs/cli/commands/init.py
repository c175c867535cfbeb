"""`aura init`."""

import os
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, TEXT, completing, examples, json_option
from aura_vcs.cli.output.console import cyan, strong
from aura_vcs.cli.output.humanize import count
from aura_vcs.cli.session import Session, pass_session
from aura_vcs.cli.shared.studio import note_project
from aura_vcs.cli.shared.transfers import prepare_location
from aura_vcs.history.init import start_project
from aura_vcs.layout import IGNORE_FILE
from aura_vcs.project.editor_litter import ignore_editor_litter
from aura_vcs.repository.format_file import is_project
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.sync_tool_hints import SYNCTHING

if TYPE_CHECKING:
    from aura_vcs.cli.output.console import Console
    from aura_vcs.project.editor_litter import EditorLitter
    from aura_vcs.studio.templates import Template

SHOWN = 3
"""So many projects of an editor are named."""


@click.command(
    "init", context_settings=HELP, epilog=examples("aura init", 'aura init my-video --title "The Solar System"')
)
@click.argument("folder", metavar="[DIR]", required=False, shell_complete=completing("folder"))
@click.option(
    "--title", metavar="TEXT", type=TEXT, help="The title that project.json gets, if there is no project.json yet"
)
@click.option(
    "--template",
    metavar="NAME",
    shell_complete=completing("template"),
    help="Begin with a template's documents (see `aura template list`)",
)
@click.option("--topic", metavar="TEXT", type=TEXT, help="With --template: what it is about (default: the title)")
@click.option("--bare", is_flag=True, help="Make a project without files to work on, for others to push to")
@click.option("--agents", is_flag=True, help="Write AGENTS.md, a short page for agents; also in an existing project")
@json_option
@pass_session
def init_command(
    session: Session,
    folder: str | None,
    title: str | None,
    template: str | None,
    topic: str | None,
    *,
    bare: bool,
    agents: bool,
) -> None:
    """Make a folder a project

    The files in it stay as they are. A folder that does not exist is made. If there is no project.json,
    one is written with an id and a title; an existing one is never changed. Versions are saved in
    .aura. A .stignore keeps Syncthing away from what belongs to one machine; it is not versioned, and
    an existing one is never changed. If there are projects of editors in the folder, .auraignore gets
    lines for files that those editors can make again: previews, proxies, caches.
    """
    console = session.console
    root = os.path.join(session.folder, folder) if folder else session.folder
    if bare:
        prepare_location(console, root)
        return
    if agents and is_project(os.path.abspath(root)):
        _page_for_agents(session, root)
        return
    chosen = _template(session, root, template) if template is not None else None
    had_hint = os.path.lexists(os.path.join(root, SYNCTHING))
    with start_project(root, title=title, **session.options()) as (repo, started):
        files = _apply(session, repo, chosen, started.title or "", topic) if chosen is not None else []
        litter = ignore_editor_litter(repo)
        wrote_page = agents and _write_page(repo)
        note_project(repo.root, console)
        wrote_hint = not had_hint and os.path.lexists(os.path.join(root, SYNCTHING))
        if console.as_json:
            console.data(
                {
                    "project": repo.format.project,
                    "path": repo.root,
                    "title": started.title,
                    "wrote_project_json": started.wrote_document,
                    "wrote_stignore": wrote_hint,
                    "template": chosen.id if chosen is not None else None,
                    "files": files,
                    "editors": [
                        {"name": one.name, "projects": one.count, "files": one.files} for one in litter.editors
                    ],
                    "ignored": litter.patterns,
                    "wrote_agents_page": wrote_page,
                }
            )
            return
        console.line("Made ", cyan(repo.root), " a project")
        if started.wrote_document:
            console.line("  wrote project.json with the title ", strong(started.title or ""))
        elif title is not None and started.title != title:
            console.warn("project.json already existed and was not changed; --title was not used")
        if wrote_hint:
            console.line(f"  wrote {SYNCTHING}, which makes Syncthing leave .aura/local on this machine")
        if chosen is not None:
            console.line(f"  wrote {count(len(files), 'document')} of the template ", strong(chosen.name))
        _print_editors(console, litter)
        if wrote_page:
            console.line("  wrote AGENTS.md, a page for agents")
        console.line('Save everything as the first version with `aura commit -m "First cut"`.')


def _page_for_agents(session: Session, root: str) -> None:
    """Write the page for agents into a project that there is."""
    console = session.console
    with Repository.open(root, **session.options()) as repo:
        wrote = _write_page(repo)
        if console.as_json:
            console.data({"path": repo.root, "wrote_agents_page": wrote})
        elif wrote:
            console.line("Wrote AGENTS.md, a page for agents. Take it back with `aura undo`.")
        else:
            console.line("AGENTS.md already exists and was not changed.")


def _write_page(repo: Repository) -> bool:
    from aura_vcs.project.agents_page import write_agents_page  # few ask for it

    return write_agents_page(repo)


def _print_editors(console: "Console", litter: "EditorLitter") -> None:
    """Say which editors' projects were found, and what versions leave out for them."""
    for one in litter.editors:
        more = f" and {one.count - SHOWN:,} more" if one.count > SHOWN else ""
        console.line(f"  found {'a project' if one.count == 1 else 'projects'} of ", strong(one.name), ": ",
                     cyan(", ".join(one.files[:SHOWN])), more)  # fmt: skip
    if litter.patterns:
        console.line(f"  added to {IGNORE_FILE}, because it is made again: ", ", ".join(litter.patterns))
    if litter.problem:
        console.warn(litter.problem)


def _template(session: Session, root: str, name: str) -> "Template":
    from aura_vcs.studio.new_project import template_for

    with session.studio() as studio:
        return template_for(studio, root, name)


def _apply(session: Session, repo: Repository, template: "Template", title: str, topic: str | None) -> list[str]:
    from aura_vcs.studio.new_project import apply_template

    with session.studio() as studio:
        return apply_template(studio, repo, template, title, topic)
