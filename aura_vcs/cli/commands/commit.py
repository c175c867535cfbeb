"""`aura commit`."""

import sys
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, TEXT, author_option, examples, json_option, yes_option
from aura_vcs.cli.output.console import Console, cyan, escape, faint, is_terminal, yellow
from aura_vcs.cli.output.humanize import call, join_words, print_unstable, short_path, size
from aura_vcs.cli.session import current_session, pass_repository, project_paths
from aura_vcs.cli.shared.housekeeping import keep_house
from aura_vcs.errors import AuraError, InputError
from aura_vcs.history.commit import AmendRequest, CommitRequest, amend as amend_version, commit
from aura_vcs.index.queries import describe
from aura_vcs.layout import REMOTES
from aura_vcs.suggestions import quote_path

if TYPE_CHECKING:
    from aura_vcs.history.commit import Committed
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.locks.advice import Advice


DOCUMENTS = (".json", ".otio")
"""Ends of names of files that may name media."""
SMALL = 1000
"""Bytes below which the exact number tells nobody anything."""
FOLDERS_SHOWN = 5
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
@click.option("--amend", is_flag=True, help="Replace the last version with a new one")
@click.option("--allow-empty", is_flag=True, help="Make a version even if nothing changed")
@yes_option
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
    amend: bool,
    allow_empty: bool,
    yes: bool,
    paths: tuple[str, ...],
) -> None:
    """Save your files as the next version

    With PATHS, only those files and folders are saved as they are now; the rest stays as in the
    last version. If nothing has changed, no version is made.

    With --amend, a new version replaces the last one, with the same name or the one you give. The
    replaced version stays in `aura log --deleted` until gc, and `aura undo` brings it back. A version
    that was already sent to a remote is amended only with --yes: other machines then have both, until
    `aura merge` merges them.
    """
    if amend and allow_empty:
        raise click.UsageError("--amend makes a version in any case; leave --allow-empty out.")
    chosen = project_paths(repo, paths)
    if not console.as_json and is_terminal(sys.stdin):
        if name is None and not amend and not allow_empty and _is_saved(repo, paths, chosen):
            console.line(NOTHING)
            return
        name = _ask(repo, console, chosen, name, amend=amend)
    if amend:
        sent = _check_sent(repo, console, yes=yes)
        done = amend_version(
            repo, AmendRequest(name, description or None, important or None, paths=chosen or None, keep=sent)
        )
    elif name is None:
        raise _nameless(repo, chosen)
    else:
        done = commit(repo, CommitRequest(name, description, important, allow_empty, paths=chosen or None))
    advice = commit_advice(repo, done)
    if console.as_json:
        console.data(committed_to_json(repo, done, advice))
    else:
        _show(repo, console, done)
        if advice:
            from aura_vcs.cli.shared.locks import print_advice  # seldom needed

            print_advice(console, advice)
    _warn(repo, console, done)
    if done.beside is not None:
        _print_other_head(repo, console, done.beside)
    elif done.version is not None and not done.version.parents:
        from aura_vcs.cli.shared.partial_sync import print_missing_heads  # seldom needed

        print_missing_heads(repo, console)  # a first version, beside another machine's that is on its way
    if done.version is not None:
        _warn_of_missing_media(repo, console, done.version)
        keep_house(repo, console)


def committed_to_json(repo: "Repository", done: "Committed", advice: "tuple[Advice, ...]") -> dict[str, Any]:
    """Convert to JSON what a commit made, with what is to be said of locks."""
    from aura_vcs.cli.output.json_shapes import restore_point_to_json, version_to_json
    from aura_vcs.cli.shared.locks import advice_to_json

    return {
        "version": version_to_json(done.version) if done.version is not None else None,
        "created": done.version is not None,
        "beside": restore_point_to_json(done.beside),
        "locks": advice_to_json(repo, advice),
        "amended": restore_point_to_json(done.amended),
        "stored_bytes": done.stored_bytes,
        "folders_for_files": list(done.folders_for_files),
    }


def _ask(repo: "Repository", console: Console, paths: list[str], name: str | None, *, amend: bool) -> str | None:
    """Ask who it is, once, and what the version is called, if nobody said; returns the name."""
    from aura_vcs.cli.shared.identity import ask_identity  # only where somebody sits there

    ask_identity(current_session(), console)
    if name is not None or amend:
        return name
    return str(click.prompt("What is this version called", default=_offered(repo, paths), err=True))


def _offered(repo: "Repository", paths: list[str]) -> str | None:
    """Suggest a name to take with Return, made from what has changed."""
    from aura_vcs.history.diff.suggest_name import suggest_name

    return escape(suggest_name(repo, paths)) or None


def _nameless(repo: "Repository", paths: list[str]) -> InputError:
    """Build the error for a commit without a name, with one that would do."""
    offered = _offered(repo, paths) or "First cut"
    return InputError("A version needs a name", hint=f'Give one with -m, for example -m "{offered}".')


def _is_saved(repo: "Repository", typed: tuple[str, ...], paths: list[str]) -> bool:
    """Tell whether nothing of these paths, or of all, is to be saved: then nobody needs to think of a name.

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
    before = repo.queries.version(made.parents[0]) if made.parents else None
    if before is not None and not _changes_documents(repo, before, made):
        return
    from aura_vcs.cli.shared.media_warnings import warn_of_missing_media

    warn_of_missing_media(repo, console, before.tree if before is not None else None, made.tree)


def _changes_documents(repo: "Repository", before: "VersionRecord", made: "VersionRecord") -> bool:
    """Tell whether a document came or changed between two versions, or a file went; nothing is read for that."""
    changes = repo.trees.differences(before.tree, made.tree)
    try:
        return any(change.new is None or change.path.endswith(DOCUMENTS) for change in changes)
    except AuraError:
        return True  # what was purged: whoever looks closer says so


def commit_advice(repo: "Repository", done: "Committed") -> tuple["Advice", ...]:
    """Return what is known here about locks on what was committed."""
    paths = committed_paths(repo, done)
    if not paths:
        return ()  # nothing is imported where there never was a remote
    from aura_vcs.cli.shared.locks import advice_on

    return advice_on(repo, paths)


def committed_paths(repo: "Repository", done: "Committed") -> list[str]:
    """List the paths that a commit changed, where there was ever a remote that could keep locks on them."""
    if done.version is None or repo.storage.stat(REMOTES) is None:
        return []
    before = None
    for parent in done.version.parents[:1]:
        found = repo.queries.version(parent)
        if found is None or not found.is_live:
            return []  # its content was freed: what has changed since cannot be said
        before = found.tree
    return [change.path for change in repo.trees.differences(before, done.version.tree)]


def _show(repo: "Repository", console: Console, done: "Committed") -> None:
    record = done.version
    if record is None:
        console.line(NOTHING)
        return
    if done.new_branch is not None:
        console.line("Started the branch ", cyan(done.new_branch), ", because you were on an older version")
    branch = repo.head().branch or ""
    before = done.amended
    did = "Committed " if before is None else f"Amended {call(repo, before)} as "
    console.line(did, yellow(call(repo, record)), f' "{record.name}" on ', cyan(branch), f", {_new(done.stored_bytes)}")
    if before is not None:
        _print_amended(repo, console, before)
    console.line(faint("Take it back with `aura undo`; your files stay as they are."))


def _new(stored_bytes: int) -> str:
    """Format what a version takes on the disk beside those that are there."""
    return "less than 1 KB new on disk" if stored_bytes < SMALL else f"{size(stored_bytes)} new on disk"


def _print_amended(repo: "Repository", console: Console, before: "VersionRecord") -> None:
    """Print where the version is that was amended, and whom that concerns."""

    now = repo.queries.version(before.id)
    if now is not None and now.deleted_at is not None:
        console.line(f"As it was, {call(repo, before)} stays in `aura log --deleted` until gc.")
    else:
        console.line(f"As it was, {call(repo, before)} stays, because something else needs it.")


def _check_sent(repo: "Repository", console: Console, *, yes: bool) -> bool:
    """Tell whether the version that is to be amended was sent; refuse that, unless the person agrees.

    Raises:
        InputError: nobody did.
    """
    head = repo.head().version
    if head is None or repo.storage.stat(REMOTES) is None:
        return False
    from aura_vcs.sync.sent import sent_to

    places, record = sent_to(repo, head), repo.queries.version(head)
    if not places or record is None:
        return False
    number = call(repo, record)
    if not yes and not console.ask(f"{number} was sent to {join_words(places)}: others may have it. Amend it anyway"):
        raise InputError(
            f"{number} was sent to {join_words(places)} already, and others may have it",
            hint=f'Save what is new as a version of its own: `aura commit -m "…"`. With --yes it is amended anyway: '
            f"whoever has {number} then sees both, and `aura merge` merges them.",
        )
    return True


def _print_other_head(repo: "Repository", console: Console, other: "VersionRecord") -> None:
    """Warn that the branch has two heads now, whose the other one is, and what merges them."""
    name = f'{describe(repo.queries, other.id)} "{other.name}" by {other.author}'
    console.warn(
        f"the branch had moved on to {name} without your files: what you committed is beside it. "
        "Both are kept; `aura merge` merges them."
    )


def _warn(repo: "Repository", console: Console, done: "Committed") -> None:
    print_unstable(repo, console, done.unstable, done.version, "Commit it again.")
    left = [skipped for skipped in done.skipped if not skipped.is_evicted]
    for skipped in left:
        console.warn(f"{short_path(skipped.path)} cannot be saved: {skipped.reason}")
    _warn_of_folders(repo, console, done)
    if done.unstable or any(skipped.is_unreadable for skipped in left):
        console.exit_code = 3


def _warn_of_folders(repo: "Repository", console: Console, done: "Committed") -> None:
    """Warn of folders in the place of files: who meant it knows, and who did not would miss the file much later."""
    if not done.folders_for_files or done.version is None:
        return
    before = done.amended or repo.queries.version(done.version.parents[0])
    name = call(repo, before) if before is not None else "HEAD~1"
    for path in done.folders_for_files[:FOLDERS_SHOWN]:
        file = quote_path(f"{name}:{path}")
        console.warn(
            f"{short_path(path)} is a folder now, and the version has no such file; `aura show {file}` has it."
        )
    if len(done.folders_for_files) > FOLDERS_SHOWN:
        console.warn(f"{len(done.folders_for_files) - FOLDERS_SHOWN:,} more files gave way to folders.")
