"""`aura bundle`: a project with its history in one file."""

import os
import shlex
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.groups import CommandEntry, LazyGroup
from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, green
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.output.progress_bar import ProgressMeter
from aura_vcs.cli.session import Session, pass_repository, pass_session
from aura_vcs.cli.shared.transfers import all_versions_option
from aura_vcs.sync.bundle import create_bundle, verify_bundle

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository

_CATALOG = {
    "create": CommandEntry(__name__, "create_command", "Write a bundle"),
    "verify": CommandEntry(__name__, "verify_command", "Check that a bundle is intact"),
    "clone": CommandEntry(
        "aura_vcs.cli.commands.clone", "clone_command", "Copy a project from a remote into a new folder"
    ),
}


class _BundleGroup(LazyGroup):
    """The group `aura bundle`, which tells a file name in the place of a command."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names; see LazyGroup."""
        word = args[0]
        if word not in self.catalog and ("/" in word or "." in word) and not ctx.resilient_parsing:
            line = f"`{ctx.command_path} create {shlex.quote(word)}`"
            raise click.UsageError(f"There is no command {ctx.command_path} {word}. Did you mean {line}?", ctx=ctx)
        return super().resolve_command(ctx, args)


@click.group(
    "bundle",
    cls=_BundleGroup,
    catalog=_CATALOG,
    context_settings=HELP,
    epilog=examples("aura bundle create film.aurabundle", "aura clone film.aurabundle"),
)
def bundle_command() -> None:
    """Put a project with its history into one file

    To send it, or to put it away. A bundle is cloned like any remote.
    """


@click.command("create", context_settings=HELP, epilog=examples("aura bundle create ../film.aurabundle"))
@click.argument("path", metavar="FILE")
@all_versions_option
@json_option
@pass_repository
def create_command(repo: "Repository", console: Console, path: str, *, all_versions: bool) -> None:
    """Write a bundle

    It has all branches and tags with their versions. An existing file is never overwritten.
    """
    session = click.get_current_context().find_object(Session)
    done = create_bundle(
        repo, os.path.join(session.folder if session is not None else ".", path), all_versions=all_versions
    )
    if console.as_json:
        console.data({"path": done.path, "versions": done.versions, "bytes": done.stored_bytes})
        return
    console.line("Wrote ", cyan(done.path), f": {count(done.versions, 'version')}, {size(done.stored_bytes)}")


@click.command("verify", context_settings=HELP, epilog=examples("aura bundle verify film.aurabundle"))
@click.argument("path", metavar="FILE")
@json_option
@pass_session
def verify_command(session: Session, path: str) -> None:
    """Check that a bundle is intact

    Every object is read and hashed, and every version must have all it needs. Ends with exit code 3 if
    not.
    """
    console = session.console
    report = verify_bundle(os.path.join(session.folder, path), ProgressMeter(console))
    if not report.is_clean:
        console.exit_code = 3
    if console.as_json:
        console.data(
            {
                "clean": report.is_clean,
                "problems": [str(problem) for problem in report.problems],
                "versions": report.versions,
                "objects": report.objects,
                "bytes": report.stored_bytes,
            }
        )
        return
    for problem in report.problems:
        console.line(str(problem))
    if report.is_clean:
        what = f"{count(report.versions, 'version')}, {count(report.objects, 'object')}, {size(report.stored_bytes)}"
        console.line(green("Everything is intact"), f": {what}")
