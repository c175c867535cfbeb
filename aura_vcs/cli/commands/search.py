"""`aura search`: words in every text of the folder and of every version."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, POSITIVE, examples, json_option
from aura_vcs.cli.output.console import Console, Line, faint, strong, yellow
from aura_vcs.cli.output.humanize import call, count
from aura_vcs.cli.output.json_shapes import path_to_json
from aura_vcs.cli.session import pass_repository
from aura_vcs.project.search import search
from aura_vcs.project.search_texts import search_texts

if TYPE_CHECKING:
    from aura_vcs.index.full_text import SearchHit
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.project.search_texts import Looked, TextHit
    from aura_vcs.repository.repository import Repository

EXCERPT_LENGTH = 200


@click.command("search", context_settings=HELP, epilog=examples("aura search asteroid", "aura search final cut"))
@click.argument("words", nargs=-1, required=True)
@click.option("-n", "limit", metavar="COUNT", type=POSITIVE, default=50, show_default=True)
@json_option
@pass_repository
def search_command(repo: "Repository", console: Console, words: tuple[str, ...], limit: int) -> None:
    """Find words in every text of your files and of every version

    Finds texts that have all the words; a word may be the beginning of a longer one: `aster` finds
    asteroid. Accents and case do not matter. Looks into texts and Markdown, subtitles, projects of
    editors (names of clips and markers), documents, scenes, notes, names of files, tags, branches,
    names and descriptions of versions. Lists what is in the folder first, then what only versions have,
    with the first and the last one that had it.
    """
    text = " ".join(words)
    texts, looked = search_texts(repo, text, limit)
    found = [(_to_json(repo, item), "") for item in search(repo, text, limit)]
    found += [(_text_to_json(repo, hit), _span(repo, hit)) for hit in texts]
    found = sorted(found, key=lambda one: not one[0]["in_folder"])[:limit]
    if console.as_json:
        where = {"files": looked.files, "versions": looked.versions, "unread": looked.unread}
        console.data({"found": [shape for shape, _ in found], "looked_in": where})
        return
    console.lines((line for shape, span in found for line in _lines(shape, span)), paged=True)
    if not found:
        console.line("Nothing was found.")
    _print_searched(console, looked)


def _lines(shape: dict[str, Any], span: str) -> Iterator[Line]:
    about = [strong(shape["name"])] if shape["name"] else []
    yield [yellow(shape["place"]), "  ", *about, *([faint(f"  {span}")] if span else [])]
    excerpt = " ".join(str(shape["excerpt"]).split())
    if shape["kind"] != "file":
        yield [faint("    "), excerpt if len(excerpt) <= EXCERPT_LENGTH else f"{excerpt[: EXCERPT_LENGTH - 1]}…"]


def _span(repo: "Repository", hit: "TextHit") -> str:
    """Describe from which version to which it was there."""
    if hit.kind not in _TEXTS:
        return ""
    if hit.first is None:
        return "not in a version yet"
    first = call(repo, hit.first)
    if hit.in_folder:
        return f"since {first}"
    return f"only in {first}" if hit.last in (hit.first, None) else f"{first} to {call(repo, hit.last)}"


_TEXTS = frozenset({"text", "subtitle", "clip", "document", "file"})


def _print_searched(console: Console, looked: "Looked") -> None:
    """Print where it searched and what it left out: nobody takes for not there what was not searched."""
    files, versions = count(looked.files, "file"), count(looked.versions, "version")
    kinds = f"texts, subtitles, timelines, documents, notes, names of {files}, tags, names of versions"
    console.line(faint(f"Looked through your folder and {versions}: {kinds}."))
    if looked.unread:
        console.note(f"{count(looked.unread, 'version')} could not be read: their content is not here.")
    if looked.too_large:
        console.note(f"{count(looked.too_large, 'file')} of the folder are too large to be searched.")
    if looked.is_full:
        console.note("There is more text than is kept for searching: some of the oldest versions were not searched.")


def _text_to_json(repo: "Repository", hit: "TextHit") -> dict[str, Any]:
    number = hit.last.number if hit.last is not None else None
    is_path = hit.kind != "tag"
    place = hit.path if hit.in_folder or number is None else f"{call(repo, hit.last)}:{hit.path}"
    return {
        "kind": hit.kind,
        "place": place,
        "version": None if hit.in_folder else number,
        "name": hit.place,
        "excerpt": hit.excerpt,
        **(path_to_json(hit.path) if is_path else {"path": None}),
        "in_folder": hit.in_folder,
        "first": _number(hit.first),
        "last": None if hit.in_folder else number,
    }


def _number(record: "VersionRecord | None") -> int | None:
    return None if record is None else record.number


def _to_json(repo: "Repository", item: "SearchHit") -> dict[str, Any]:
    record = repo.queries.version(item.version) if item.version is not None else None
    number = record.number if record is not None else None
    name = call(repo, record)
    place = item.path or "" if record is None else name if item.path is None else f"{name}:{item.path}"
    return {
        "kind": item.kind,
        "place": place,
        "version": number,
        "name": item.name,
        "excerpt": item.excerpt,
        "path": item.path,
        "in_folder": number is None,
        "first": number,
        "last": None,
    }
