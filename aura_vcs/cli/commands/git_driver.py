"""`aura git-driver`: our comparison and merge as drivers of git."""

import os
import shutil
import sys

import click

from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import HELP, Count, examples, json_option
from aura_vcs.cli.output.console import cyan
from aura_vcs.cli.remote_environment import git_environment
from aura_vcs.cli.session import Session, pass_session
from aura_vcs.interchange.git_driver import diff_for_git, install, merge_for_git, readable_text, remove


@click.group(
    "git-driver",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples("aura git-driver install", "aura git-driver install --remove"),
)
def git_driver_command() -> None:
    """Let git compare and merge timelines and documents by meaning

    For people who stay with git: `install` sets it up in a repository; git runs the others.
    """


@git_driver_command.command(
    "install", context_settings=HELP, epilog=examples("aura git-driver install", "aura git-driver install film --words")
)
@click.argument("folder", metavar="[DIR]", default=".")
@click.option(
    "--words",
    is_flag=True,
    help="Let `git diff` show the lines of `aura diff`; without it, git compares the clips as text",
)
@click.option("--remove", "is_removal", is_flag=True, help="Remove the drivers again")
@json_option
@pass_session
def install_command(session: Session, folder: str, *, words: bool, is_removal: bool) -> None:
    """Set the drivers up in a git repository

    Writes to the repository's configuration and to .gitattributes; everybody who clones it runs this
    once. Timelines (.otio), projects of editors, subtitles and the studio's documents are then merged
    by clip, field and line, and compared clip by clip. Conflicts appear between git's markers.
    """
    path, console = os.path.join(session.folder, folder), session.console
    if is_removal:
        written = remove(path, environment=git_environment())
    else:
        program = "aura" if shutil.which("aura") else f'"{sys.executable}" -m aura_vcs'
        written = install(path, program, environment=git_environment(), words=words)
    if console.as_json:
        console.data({"attributes": written, "installed": not is_removal})
        return
    console.line("Removed the drivers from " if is_removal else "Wrote ", cyan(written))
    if not is_removal:
        console.line("Commit it, so that others have it too; they run `aura git-driver install` once.")


@git_driver_command.command(
    "merge", context_settings=HELP, epilog=examples("aura git-driver merge %O %A %B --marker-size %L --path %P")
)
@click.argument("base")
@click.argument("ours")
@click.argument("theirs")
@click.option("--marker-size", metavar="NUMBER", type=Count(1, 1000), default=7, help="How long conflict markers are")
@click.option("--path", "path", metavar="PATH", help="What the file is called in the repository")
@pass_session
def merge_command(session: Session, base: str, ours: str, theirs: str, *, marker_size: int, path: str | None) -> None:
    """Merge three files; the result is in OURS (git runs this)

    Ends with 0 if nothing is left open, and with 1 if there are conflicts.
    """
    done = merge_for_git(
        base, ours, theirs, path or ours, marker_size=marker_size, environment=git_environment()
    )  # fmt: skip
    if done.conflicts:
        if done.reason:
            session.console.note(f"{path or ours}: {done.reason}")
        session.console.exit_code = 1


@git_driver_command.command(
    "diff",
    context_settings=HELP,
    epilog=examples("aura git-driver diff a.otio old 1a2b 100644 new 3c4d 100644"),
)
@click.argument("arguments", nargs=-1, metavar="PATH OLD-FILE …")
@pass_session
def diff_command(session: Session, arguments: tuple[str, ...]) -> None:
    """Say what changed in a file (git runs this)"""
    if len(arguments) == 1:
        session.console.line(f"aura diff {arguments[0]}: unmerged")
        return
    if len(arguments) not in {7, 8, 9}:
        raise click.UsageError("git hands over a path, and two files with their ids and modes.")
    path, old, _, _, new = arguments[:5]
    for line in diff_for_git(path, old, new, arguments[7] if len(arguments) > 7 else None):
        session.console.line(line)


@git_driver_command.command("textconv", context_settings=HELP, epilog=examples("aura git-driver textconv cut.otio"))
@click.argument("file")
@pass_session
def textconv_command(session: Session, file: str) -> None:
    """Show a timeline as lines of text (git runs this)"""
    sys.stdout.write(readable_text(os.path.join(session.folder, file)))
