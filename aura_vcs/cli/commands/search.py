"""`aura search`: words in names, descriptions and scripts."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.console import Console, faint, strong, warm
from aura_vcs.cli.options import HELP, examples, json_option
from aura_vcs.cli.session import pass_repository

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.command("search", context_settings=HELP, epilog=examples("aura search asteroid", "aura search final cut"))
@click.argument("words", nargs=-1, required=True)
@click.option("-n", "limit", metavar="COUNT", type=click.IntRange(min=1), default=50, show_default=True)
@json_option
@pass_repository
def search_command(repo: "Repository", console: Console, words: tuple[str, ...], limit: int) -> None:
    """Find words in names and descriptions of versions, and in the project's scripts

    All the words, each of which may go on: `aster` finds asteroid. Accents and case do not matter.
    """
    from aura_vcs.index.queries import Queries
    from aura_vcs.project.folder_index import refresh_folder

    found = refresh_folder(repo).search(" ".join(words), limit)
    shapes: list[dict[str, Any]] = []
    for item in found:
        kind, _, rest = item.source.partition("/")
        number = None
        if kind == "version":
            matches = Queries(repo.index).versions_with_prefix(rest)
            number = matches[0].number if matches else None
        place = f"v{number}" if number is not None else rest or "project.json"
        shapes.append({"kind": kind, "place": place, "name": item.name, "excerpt": item.excerpt})
    if console.as_json:
        console.data({"found": shapes})
        return
    for shape in shapes:
        console.line(warm(shape["place"]), "  ", strong(shape["name"]))
        console.line(faint("    "), shape["excerpt"])
    if not shapes:
        console.line("Nothing was found.")
