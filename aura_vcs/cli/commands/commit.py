"""`aura commit`."""

import sys
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, TEXT, author_option, examples, json_option
from aura_vcs.cli.output.console import Console, cool, faint, is_terminal, warm
from aura_vcs.cli.output.humanize import say_unstable, short_path, size
from aura_vcs.cli.session import current_session, pass_repository, project_paths
from aura_vcs.layout import REMOTES

if TYPE_CHECKING:
    from aura_vcs.history.commit import Committed
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.locks.advice import Advice


NOTHING = "Nothing has changed since the last version; no version was made."


@click.command(
    "commit",
    context_settings=HELP,
    epilog=examples(
        'aura commit -m "First cut"',
        'aura commit -m "New script" --important scenes brief.json',
    ),
)
@click.option("-m", "--message", "name", metavar="NAME", type=TEXT, help="What this version is called")
@click.option("--description", metavar="TEXT", type=TEXT, default="", help="More about it")
@click.option("--important", is_flag=True, help="Never remove it automatically")
@click.option("--allow-empty", is_flag=True, help="Make a version even if nothing changed")
@author_option
@json_option
@click.argument("paths", nargs=-1, type=click.Path(readable=False))
@pass_repository
def commit_command(
    repo: "Repository",
    console: Console,
    *,
    name: str | None,
    description: str,
    important: bool,
    allow_empty: bool,
    paths: tuple[str, ...],
) -> None:
    """Save the folder as the next version

    With PATHS, only those files and folders are saved as they are now; the rest stays as in the
    last version. If nothing has changed, no version is made.
    """
    from aura_vcs.history.commit import commit

    chosen = project_paths(repo, paths)
    if name is None and not console.as_json and is_terminal(sys.stdin):
        if not allow_empty and _is_saved(repo, paths, chosen):
            console.line(NOTHING)
            return
        name = click.prompt("What is this version called", err=True)
    done = commit(
        repo,
        name or "",
        description=description,
        important=important,
        allow_empty=allow_empty,
        paths=chosen or None,
    )
    advice = _advice(repo, done)
    if console.as_json:
        from aura_vcs.cli.output.json_shapes import point_shape, version_shape
        from aura_vcs.cli.shared.locks import advice_shape

        made = done.version
        shape = version_shape(made) if made else None
        beside = point_shape(done.beside)
        locks = advice_shape(repo, advice)
        console.data({"version": shape, "created": made is not None, "beside": beside, "locks": locks})
    else:
        _show(repo, console, done)
        if advice:
            from aura_vcs.cli.shared.locks import say_advice  # seldom needed

            say_advice(console, advice)
    _warn(repo, console, done)
    if done.beside is not None:
        _say_beside(repo, console, done.beside)
    elif done.version is not None and not done.version.parents:
        from aura_vcs.cli.shared.partial_sync import say_awaited  # seldom needed

        say_awaited(repo, console)  # a first version, beside another machine's that is on its way
    if done.version is not None:
        _warn_of_missing_media(repo, console, done.version)


def _is_saved(repo: "Repository", typed: tuple[str, ...], paths: list[str]) -> bool:
    """Whether nothing of these paths, or of all, is to be saved: then nobody needs to think of a name.

    A path that is nowhere is for the commit to complain about.
    """
    from aura_vcs.cli.output.paths import is_here, is_in_head
    from aura_vcs.history.status import status

    def is_meant(path: str | None) -> bool:
        return path is not None and any(path == p or path.startswith(f"{p}/") for p in paths)

    changes = status(repo).changes
    if not paths or "" in paths:
        return not changes
    folder = current_session().folder
    if not all(is_here(repo, folder, word) or is_in_head(repo, folder, word) for word in typed):
        return False
    return not any(is_meant(change.path) or is_meant(change.old_path) for change in changes)


def _warn_of_missing_media(repo: "Repository", console: Console, made: "VersionRecord") -> None:
    from aura_vcs.cli.shared.media_warnings import warn_of_missing_media
    from aura_vcs.index.queries import Queries

    before = Queries(repo.index).version(made.parents[0]) if made.parents else None
    warn_of_missing_media(repo, console, before.tree if before is not None else None, made.tree)


def _advice(repo: "Repository", done: "Committed") -> tuple["Advice", ...]:
    """What is known here about locks on what was committed."""
    if done.version is None or repo.storage.stat(REMOTES) is None:
        return ()  # nothing is imported where there never was a remote
    from aura_vcs.cli.shared.locks import advice_on
    from aura_vcs.index.queries import Queries

    before = None
    for parent in done.version.parents[:1]:
        found = Queries(repo.index).version(parent)
        if found is None or not found.is_live:
            return ()  # its content was freed: what has changed since cannot be said
        before = found.tree
    return advice_on(repo, (change.path for change in repo.trees.differences(before, done.version.tree)))


def _show(repo: "Repository", console: Console, done: "Committed") -> None:
    record = done.version
    if record is None:
        console.line(NOTHING)
        return
    if done.new_branch is not None:
        console.line("Started the branch ", cool(done.new_branch), ", because you were on an older version")
    branch = repo.head().branch or ""
    console.line(
        "Committed ",
        warm(f"v{record.number}"),
        f' "{record.name}" on ',
        cool(branch),
        f", {size(record.size_bytes)} in all",
    )
    console.line(faint("Take it back with `aura undo`; your files stay as they are."))


def _say_beside(repo: "Repository", console: Console, other: "VersionRecord") -> None:
    """That the branch has two heads now, whose the other one is, and what joins them."""
    from aura_vcs.history.names.revisions import describe
    from aura_vcs.index.queries import Queries

    name = f'{describe(Queries(repo.index), other.id)} "{other.name}" by {other.author}'
    console.warn(
        f"the branch had gone on to {name}, and your files were not there: what you committed stands beside it. "
        "Both are kept; `aura merge` joins them."
    )


def _warn(repo: "Repository", console: Console, done: "Committed") -> None:
    say_unstable(repo, console, done.unstable, done.version, "Commit it again.")
    for skipped in done.skipped:
        console.warn(f"{short_path(skipped.path)} cannot be saved: {skipped.reason}")
    if done.unstable or any(skipped.is_unreadable for skipped in done.skipped):
        console.exit_code = 3
