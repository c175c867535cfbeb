"""`aura import git`."""

import os
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, Moment, completing, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green
from aura_vcs.cli.output.humanize import count
from aura_vcs.cli.remote_environment import git_environment, lfs_consent
from aura_vcs.cli.session import current_session, pass_repository
from aura_vcs.cli.shared.left_out import SHOWN, print_left_out
from aura_vcs.interchange.git_import import GitImportRequest, import_git, plan_import_git
from aura_vcs.interchange.git_process import is_address

if TYPE_CHECKING:
    from aura_vcs.interchange.git_refs import GitImported, ImportedRef
    from aura_vcs.repository.repository import Repository


@click.command(
    "git",
    context_settings=HELP,
    epilog=examples(
        "aura import git ../film",
        "aura import git https://example.com/film.git --branches main",
        "aura import git ../film --since 2026-01-01 --no-lfs",
        "aura import git ../film --lfs --lfs-host https://github.com",
    ),
)
@click.argument("place", metavar="URL|DIR", shell_complete=completing("folder"))
@click.option("--branches", metavar="PATTERN", multiple=True, default=("*",), help="Only branches with such names")
@click.option("--tags", metavar="PATTERN", multiple=True, default=("*",), help="Only tags with such names; '' for none")
@click.option("--since", metavar="TIME", type=Moment("start"), help="Leave out what is older")
@click.option(
    "--lfs/--no-lfs",
    default=None,
    help="Fetch content of Git LFS too, or leave the pointers (default: take what is there)",
)
@click.option("--lfs-host", "hosts", metavar="URL", multiple=True, help="Agree to this host as server of Git LFS")
@dry_run_option
@json_option
@pass_repository
def git_command(
    repo: "Repository",
    console: Console,
    *,
    place: str,
    branches: tuple[str, ...],
    tags: tuple[str, ...],
    since: str | None,
    lfs: bool | None,
    hosts: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Bring the history of a git repository here

    Every commit becomes a version with its own date, author and parents; branches and tags follow. Run
    again, it brings only what is new. The repository's configuration is not read, and its hooks are not
    run. Your files stay as they are; in a new project the branch's files are written into the folder,
    unless one of yours has the same name. Pointers of Git LFS become their content if the repository
    has it; with --lfs, what is missing is fetched from the server that the repository names, after you
    have agreed to that host. One `aura undo` takes the branches back. Ends with exit code 3 if
    something could not be taken.
    """
    where = place if is_address(place) else os.path.join(current_session().folder, place)
    if dry_run:
        planned = plan_import_git(
            repo,
            where,
            request=GitImportRequest(branches=branches, tags=tags, since=since),
            environment=git_environment(),
        )
        if console.as_json:
            console.data({**_git_to_json(planned), "dry_run": True})
        else:
            _print_git(console, planned, verb="Would import")
            console.line("Nothing was changed.")
        return
    done = import_git(
        repo,
        where,
        request=GitImportRequest(
            branches=branches,
            tags=tags,
            since=since,
            lfs=lfs is not False,
            lfs_consent=lfs_consent(hosts) if lfs or hosts else None,
        ),
        environment=git_environment(),
    )
    if done.left_count:
        console.exit_code = 3
    if console.as_json:
        console.data(_git_to_json(done))
        return
    _print_git(console, done)


def _git_to_json(done: "GitImported") -> dict[str, object]:
    def refs(found: "tuple[ImportedRef, ...]") -> list[dict[str, object]]:
        return [
            {"git": ref.git_name, "name": ref.name, "version": ref.version or None, "changed": ref.changed}
            for ref in found
        ]

    return {
        "place": done.place,
        "versions": done.versions,
        "known": done.known,
        "branches": refs(done.branches),
        "tags": refs(done.tags),
        "left": [{"what": left.what, "reason": left.reason} for left in done.left],
        "left_count": done.left_count,
        "notes": list(done.notes),
    }


def _print_git(console: Console, done: "GitImported", *, verb: str = "Imported") -> None:
    known = faint(f"  ({count(done.known, 'commit')} had been imported before)") if done.known else ""
    console.line(green(verb), f" {count(done.versions, 'version')} from ", cyan(done.place), known)
    for kind, refs in (("branch", done.branches), ("tag", done.tags)):
        moved = [ref for ref in refs if ref.changed]
        for ref in moved[:SHOWN]:
            other = faint(f"  ({ref.git_name} in git)") if ref.name != ref.git_name else ""
            console.line(f"  {kind} ", cyan(ref.name), other)
        if len(moved) > SHOWN:
            console.line(faint(f"  and {count(len(moved) - SHOWN, 'more ' + kind)}"))
    for note in done.notes:
        console.line(f"  {note}")
    print_left_out(console, done.left, done.left_count)
    if done.head is not None:
        console.line(f"You are on {done.head.branch}. `aura log` lists the versions.")
