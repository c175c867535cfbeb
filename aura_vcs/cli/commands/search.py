"""`aura search`: words in names, descriptions and scripts."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, POSITIVE, examples, json_option
from aura_vcs.cli.output.console import Console, faint, strong, warm
from aura_vcs.cli.session import pass_repository

if TYPE_CHECKING:
    from aura_vcs.index.full_text import Found
    from aura_vcs.repository.repository import Repository


@click.command("search", context_settings=HELP, epilog=examples("aura search asteroid", "aura search final cut"))
@click.argument("words", nargs=-1, required=True)
@click.option("-n", "limit", metavar="COUNT", type=POSITIVE, default=50, show_default=True)
@json_option
@pass_repository
def search_command(repo: "Repository", console: Console, words: tuple[str, ...], limit: int) -> None:
    """Find words in names and descriptions of versions, and in the project's scripts

    All the words, each of which may go on: `aster` finds asteroid. Accents and case do not matter.
    First what is in the folder, then what only older versions have, with the version that first
    had it.
    """
    from aura_vcs.project.search import search

    shapes = [_shape(repo, item) for item in search(repo, " ".join(words), limit)]
    if console.as_json:
        console.data({"found": shapes})
        return
    for shape in shapes:
        console.line(warm(shape["place"]), "  ", strong(shape["name"]))
        console.line(faint("    "), shape["excerpt"])
    if not shapes:
        console.line("Nothing was found.")


def _shape(repo: "Repository", item: "Found") -> dict[str, Any]:

    record = repo.queries.version(item.version) if item.version is not None else None
    number = record.number if record is not None else None
    place = item.path or "" if number is None else f"v{number}" if item.path is None else f"v{number}:{item.path}"
    return {"kind": item.kind, "place": place, "version": number, "name": item.name, "excerpt": item.excerpt}
