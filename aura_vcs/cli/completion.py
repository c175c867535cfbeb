"""What the shell offers when Tab is pressed: versions, branches, tags, files of a version."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.output.console import escape
from aura_vcs.cli.output.humanize import call
from aura_vcs.cli.session import Session
from aura_vcs.errors import AuraError
from aura_vcs.model import EntryKind

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from aura_vcs.repository.repository import Repository

    Source = Callable[[Repository], list[tuple[str, str]]]

BEHIND = "aura.behind"
"""Where a context's `meta` says that what is typed stands behind `--`."""
OFFERED = 40
"""So many versions are offered; older ones are reached by typing more."""


def complete_version(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """HEAD, branches, tags and versions that begin so."""
    return _offer(ctx, incomplete, _versions)


def complete_branch(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete the names of branches."""
    return _offer(ctx, incomplete, _branches)


def complete_tag(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete the names of tags."""
    return _offer(ctx, incomplete, _tags)


def complete_content(ctx: click.Context, param: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete versions, and behind a colon the paths that the version has."""
    from aura_vcs.history.names.revisions import split_content

    version, start = split_content(incomplete)
    if start is None:
        return complete_version(ctx, param, incomplete)
    return _offer(ctx, incomplete, lambda repo: _paths(repo, version, start))


def complete_path(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete paths that the version given before has."""
    version = ctx.params.get("version")
    if not version:
        return []
    found = _offer(ctx, f"{version}:{incomplete}", lambda repo: _paths(repo, version, incomplete))
    for item in found:
        item.value = item.value.removeprefix(f"{version}:")
    return found


def complete_version_or_path(ctx: click.Context, param: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete versions, and paths of the version that the folder is based on; behind `--` paths alone."""
    paths = complete_saved_path(ctx, param, incomplete)
    return paths if ctx.meta.get(BEHIND) else [*complete_version(ctx, param, incomplete), *paths]


def complete_remote(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete the names of remotes of the project."""
    return _offer(ctx, incomplete, _remotes)


def complete_key(_ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete keys of the configuration."""
    from aura_vcs.studio.setting_keys import SETTINGS

    return _items(incomplete, [(setting.key, setting.description) for setting in SETTINGS])


def complete_preset(_ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete the names of export presets, and `project`."""
    from aura_vcs.project.render.presets import PRESETS

    known = [(preset.name, preset.description) for preset in PRESETS]
    return _items(incomplete, [("project", "as the version's render.json says"), *known])


def complete_template(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete the names of templates, those that come with aura and the person's own."""
    from aura_vcs.studio.templates import list_templates

    session = ctx.find_root().find_object(Session) or Session()
    try:
        with session.studio() as studio:
            found = [(item.name, item.description) for item in list_templates(studio)]
    except (AuraError, OSError):
        return []
    return _items(incomplete, found)


def complete_folder(*_: object) -> list["CompletionItem"]:
    """Say to the shell that a folder is wanted: it knows them itself."""
    from click.shell_completion import CompletionItem

    return [CompletionItem("", type="dir")]


def complete_place(*_: object) -> list["CompletionItem"]:
    """Say to the shell that a file or folder is wanted: a bundle, or a folder on a disk."""
    from click.shell_completion import CompletionItem

    return [CompletionItem("", type="file")]


def complete_command(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete the commands of the program, or those in the commands that are named already."""
    inner = ctx.find_root()
    for word in ctx.params.get("words") or ():
        command = inner.command.get_command(inner, word) if isinstance(inner.command, click.Group) else None
        if command is None:
            return []
        inner = click.Context(command, info_name=word, parent=inner, resilient_parsing=True)
    if not isinstance(inner.command, click.Group):
        return []
    return [item for item in inner.command.shell_complete(inner, incomplete) if not item.value.startswith("-")]


def complete_saved_path(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Complete paths of the version that the folder is based on."""
    found = _offer(ctx, f"HEAD:{incomplete}", lambda repo: _paths(repo, "HEAD", incomplete))
    for item in found:
        item.value = item.value.removeprefix("HEAD:")
    return found


def complete_conflict(ctx: click.Context, _: click.Parameter, incomplete: str) -> list["CompletionItem"]:
    """Open conflicts: their numbers, their places, and the files they are in."""
    return _offer(ctx, incomplete, _conflicts)


def _offer(ctx: click.Context, incomplete: str, source: "Source") -> list["CompletionItem"]:
    from aura_vcs.repository.repository import Repository

    session = ctx.find_root().find_object(Session) or Session()
    folder = ctx.find_root().params.get("folder") or session.folder
    try:
        with Repository.open(folder) as repo:
            found = source(repo)
    except (AuraError, OSError):
        return []  # Tab never complains
    return _items(incomplete, found)


def _items(incomplete: str, found: Iterable[tuple[str, str]]) -> list["CompletionItem"]:
    """Select names that begin with `incomplete`, each with a line about it; none that a terminal could obey."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(name, help=escape(about) or None)
        for name, about in found
        if name.startswith(incomplete) and escape(name) == name
    ]


def _versions(repo: "Repository") -> list[tuple[str, str]]:
    from aura_vcs.index.queries import VersionFilter

    newest = repo.queries.all_versions(VersionFilter(limit=OFFERED))
    offered = [("HEAD", "where you are"), *_branches(repo), *_tags(repo)]
    return offered + [(call(repo, record), record.name) for record in newest]


def _branches(repo: "Repository") -> list[tuple[str, str]]:
    from aura_vcs.history.names.branches import branches

    return [(found.name, "branch") for found in branches(repo)]


def _tags(repo: "Repository") -> list[tuple[str, str]]:
    return [(name, tag.message or "tag") for name, tag in repo.refs.tags().items()]


def _paths(repo: "Repository", version: str, start: str) -> list[tuple[str, str]]:
    from aura_vcs.history.names.revisions import resolve

    record = resolve(repo, version)
    folder = start.rpartition("/")[0]
    entry = repo.trees.entry(record.tree, folder)
    if entry is None or entry.kind is not EntryKind.DIR:
        return []
    prefix = f"{version}:{folder}/" if folder else f"{version}:"
    return [
        (f"{prefix}{inner.name}" + ("/" if inner.kind is EntryKind.DIR else ""), "")
        for inner in repo.trees.tree(entry.id).entries
    ]


def _conflicts(repo: "Repository") -> list[tuple[str, str]]:
    from aura_vcs.history.merging.conflict_groups import group_conflicts
    from aura_vcs.history.resolve import open_conflicts

    found = group_conflicts(open_conflicts(repo))[:OFFERED]
    numbers = [(str(number), item.location) for number, item in enumerate(found, 1)]
    return [*numbers, *dict.fromkeys((name, "") for item in found for name in (item.location, item.path))]


def _remotes(repo: "Repository") -> list[tuple[str, str]]:
    from aura_vcs.sync.remotes.config import remotes

    return [(name, config.url) for name, config in remotes(repo).items()]
