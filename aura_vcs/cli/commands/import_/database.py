"""`aura import database`."""

import os
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, TEXT, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, strong, yellow
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.session import Session, pass_session
from aura_vcs.studio.database.import_database import DatabaseSource, import_database
from aura_vcs.studio.database.media import PathMap

if TYPE_CHECKING:
    from aura_vcs.studio.database.report import DatabaseImported, ImportedProject


@click.command(
    "database",
    context_settings=HELP,
    epilog=examples(
        "aura import database ~/AuraVideoStudio/Data/aura.db films",
        "aura import database aura.db --dry-run",
        "aura import database aura.db films --map /old/home=/mnt/old --media-root /mnt/media",
        'aura import database aura.db films --project "The Solar System"',
    ),
)
@click.argument("file", metavar="FILE")
@click.argument("folder", metavar="[DIR]", default=".")
@click.option("--media-root", "roots", metavar="DIR", multiple=True, help="Look for media here; repeat for more")
@click.option(
    "--map", "maps", metavar="OLD=NEW", multiple=True, help="What was below OLD is now below NEW; repeat for more"
)
@click.option(
    "--project", "titles", metavar="TITLE", type=TEXT, multiple=True, help="Only this project; repeat for more"
)
@click.option(
    "--studio/--no-studio", "with_studio", default=True, help="Take settings, setup and templates too (default)"
)
@dry_run_option
@json_option
@pass_session
def database_command(
    session: Session,
    file: str,
    folder: str,
    roots: tuple[str, ...],
    maps: tuple[str, ...],
    titles: tuple[str, ...],
    *,
    with_studio: bool,
    dry_run: bool,
) -> None:
    """Make projects of everything in an Aura studio's database

    Every project of the database becomes a folder in DIR, with its versions, scenes, media, checkpoints and exports;
    settings and templates go into your studio. The database is only read, also while the studio is open. Run again,
    it brings only what is new, and work that was done in the folders meanwhile stays. Media are taken from the
    database's own folder, and from where --media-root and --map say.
    Ends with exit code 3 if something could not be taken.
    """
    here = session.folder
    wanted = DatabaseSource(
        database=os.path.join(here, file),
        folder=os.path.join(here, folder),
        media_roots=tuple(os.path.join(here, root) for root in roots),
        maps=tuple(PathMap.parse(text, here) for text in maps),
        titles=titles,
        with_studio=with_studio,
        dry_run=dry_run,
    )
    done = import_database(wanted, session.studio, session.options())
    console = session.console
    if done.left:
        console.exit_code = 3
    if console.as_json:
        console.data(done)
        return
    _print(console, done)


def _print(console: Console, done: "DatabaseImported") -> None:
    for project in done.projects:
        _print_project(console, project, dry_run=done.dry_run)
    if not done.projects:
        console.line("The database has no projects.")
    verb = "would come" if done.dry_run else "came"
    for what, names in (("setting", done.settings), ("template", done.templates)):
        if names:
            console.line(f"{count(len(names), what)} {verb} into your studio: ", faint(", ".join(names)))
    if done.setup:
        console.line(f"The studio's setup {verb} too.")
    for note in done.notes:
        console.line(f"{note}.")
    if done.left:
        console.line(yellow("Not imported, or only in part:"))
    for left in done.left:
        console.line(f"  {left.count:>5} {left.what}", faint(f"  {left.reason}"))
        for example in left.examples[:2]:
            console.line(faint(f"        {example}"))
    if done.dry_run:
        console.line("Nothing was changed.")


def _print_project(console: Console, project: "ImportedProject", *, dry_run: bool) -> None:
    if not project.is_new and not project.versions:
        console.line("Nothing new in ", strong(project.title), faint(f"  {project.path}"))
        return
    verb = "Would import" if dry_run else "Imported"
    known = faint(f"  ({count(project.known, 'version')} had been imported before)") if project.known else ""
    said = f" {count(project.versions, 'version')} of "
    console.line(green(verb), said, strong(project.title), " to ", cyan(project.path), known)
    parts = [count(project.scenes, "scene"), f"{count(project.media, 'media file')} ({size(project.media_bytes)})"]
    if project.checkpoints:
        parts.append(count(project.checkpoints, "checkpoint"))
    if project.exports:
        parts.append(count(project.exports, "export"))
    console.line("  ", ", ".join(parts), "; deleted in the studio, and hidden here" if project.is_deleted else "")
    if project.branch != "main":
        console.line(f"  main went on here: they are on branch {project.branch}; `aura merge {project.branch}`.")
