"""`aura provenance`: where files come from."""

import os
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.annotations.provenance import check_licences, find_subject, log, provenance, set_provenance
from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import COUNT, HELP, POSITIVE, TEXT, Moment, completing, examples, json_option
from aura_vcs.cli.output.console import Console, Line, cyan, faint, green, strong, yellow
from aura_vcs.cli.output.humanize import count, local_time
from aura_vcs.cli.session import current_session, pass_repository, project_paths
from aura_vcs.errors import InputError
from aura_vcs.errors.input import InvalidFact

if TYPE_CHECKING:
    from aura_vcs.annotations.provenance import Provenance
    from aura_vcs.repository.repository import Repository

_KINDS = ("generated", "recorded", "licensed", "derived")
_FILE = "FILE|VERSION[:FILE]|ID"
_LISTED = 50


@click.group(
    "provenance",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples(
        'aura provenance set sky.png --kind generated --model flux-1 --prompt "a red sky" --seed 7 --cost 0.04',
        "aura provenance show sky.png",
        "aura provenance check",
    ),
)
def provenance_command() -> None:
    """Record and show where files come from

    What made a file, from which prompt and seed, what it cost, who may use it. It is kept by content,
    so it follows the file through renames and copies, and travels with `aura push`. Facts inside the
    files themselves are read too: texts of image generators in PNG and JPEG, EXIF, XMP, ID3, Broadcast
    WAV. `aura commit` also takes them from a file `sky.png.provenance.json` beside `sky.png`, with the
    same names as the options here.
    """


@provenance_command.command(
    "show", context_settings=HELP, epilog=examples("aura provenance show sky.png", "aura provenance show v3:sky.png")
)
@click.argument("where", metavar=_FILE, shell_complete=completing("version"))
@json_option
@pass_repository
def show_command(repo: "Repository", console: Console, where: str) -> None:
    """Show what is known about where a file comes from"""
    found = provenance(repo, _where(repo, where))
    if console.as_json:
        console.data({"provenance": provenance_to_json(found)})
        return
    console.lines(_lines(found))


@provenance_command.command(
    "set",
    context_settings=HELP,
    epilog=examples(
        'aura provenance set sky.png --kind generated --model flux-1 --prompt "a red sky" --seed 7',
        "aura provenance set music.wav --kind licensed --license CC-BY-4.0 --license-source https://example.org",
        "aura provenance set sky.png --unset cost",
    ),
)
@click.argument("where", metavar=_FILE, shell_complete=completing("version"))
@click.option("--kind", type=click.Choice(_KINDS), help="How it came to be")
@click.option("--program", metavar="NAME", type=TEXT, help="What made it")
@click.option("--model", metavar="NAME", type=TEXT, help="Which model")
@click.option("--model-version", metavar="TEXT", type=TEXT, help="Which version of the model")
@click.option("--prompt", metavar="TEXT", type=TEXT, help="What it was asked for")
@click.option("--negative-prompt", metavar="TEXT", type=TEXT, help="What it was asked to leave out")
@click.option("--seed", metavar="NUMBER", type=TEXT, help="The random seed")
@click.option("--parameter", "parameters", metavar="NAME=VALUE", type=TEXT, multiple=True, help="Another parameter")
@click.option("--input", "inputs", metavar=_FILE, type=TEXT, multiple=True, help="A file that it was made from")
@click.option("--cost", metavar="NUMBER", type=TEXT, help="What it cost")
@click.option("--currency", metavar="CODE", type=TEXT, help="In which currency: EUR, USD")
@click.option("--tokens", metavar="COUNT", type=COUNT, help="How many tokens it took")
@click.option("--made-at", metavar="TIME", type=TEXT, help="When it was made")
@click.option("--license", metavar="NAME", type=TEXT, help="Its licence: CC-BY-4.0, or a name")
@click.option("--license-source", metavar="TEXT", type=TEXT, help="Where the licence comes from")
@click.option("--license-terms", metavar="TEXT", type=TEXT, help="What it allows and asks for")
@click.option("--commercial/--no-commercial", default=None, help="Whether it may be used commercially")
@click.option("--person", metavar="NAME", type=TEXT, help="Who made it")
@click.option("--note", metavar="TEXT", type=TEXT, help="Anything else worth knowing")
@click.option("--unset", metavar="NAME", type=TEXT, multiple=True, help="Remove this")
@json_option
@pass_repository
def set_command(
    repo: "Repository",
    console: Console,
    /,
    *,
    where: str,
    parameters: tuple[str, ...],
    inputs: tuple[str, ...],
    unset: tuple[str, ...],
    **given: Any,
) -> None:
    """Record where a file comes from; what is not named stays as it is"""
    facts: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if parameters:
        facts["parameters"] = dict(map(_pair, parameters))
    if inputs:
        facts["inputs"] = [find_subject(repo, _where(repo, name)).id for name in inputs]
    facts |= dict.fromkeys(unset)
    if not facts:
        raise InputError("No fact was given", hint="For example --kind generated --prompt TEXT, or --license NAME.")
    found = set_provenance(repo, _where(repo, where), facts)
    if console.as_json:
        console.data({"provenance": provenance_to_json(found)})
        return
    console.lines(_lines(found))
    console.line(faint("Take it back with `aura undo`."))


@provenance_command.command("log", context_settings=HELP, epilog=examples("aura provenance log --since 2d"))
@click.option("--since", metavar="TIME", type=Moment("start"), help="Not older: 2d, yesterday, monday or 2026-11-23")
@click.option(
    "-n", "limit", metavar="COUNT", type=POSITIVE, default=_LISTED, show_default=True, help="At most this many"
)
@json_option
@pass_repository
def log_command(repo: "Repository", console: Console, *, since: str | None, limit: int) -> None:
    """List what was recorded about where files come from, newest first"""
    found = log(repo, since=since, limit=limit)
    if console.as_json:
        console.data({"provenance": [provenance_to_json(item) for item in found]})
        return
    console.lines((_line(item) for item in found), paged=True)
    if not found:
        console.line("No provenance is recorded." if since is None else "No matching facts.")


@provenance_command.command(
    "check", context_settings=HELP, epilog=examples("aura provenance check", "aura provenance check v3")
)
@click.argument("version", default="HEAD", shell_complete=completing("version"))
@json_option
@pass_repository
def check_command(repo: "Repository", console: Console, version: str) -> None:
    """Find media without a licence, or whose licence forbids commercial use; exit code 3 if there are any"""
    looked, problems = check_licences(repo, version)
    missing = [problem for problem in problems if problem.kind == "missing"]
    forbidden = [problem for problem in problems if problem.kind != "missing"]
    console.exit_code = 3 if problems else 0
    if console.as_json:
        shapes = [{"path": item.path, "kind": item.kind, "license": item.license} for item in problems]
        console.data({"files": looked, "problems": shapes})
        return
    for item in forbidden:
        console.line("  ", cyan(item.path), f"  {item.license} forbids commercial use")
    for item in missing:
        console.line("  ", cyan(item.path), faint("  no licence is known"))
    if not problems:
        console.line(green(f"The licence of {count(looked, 'media file')} is known."))
        return
    parts = [f"{count(len(missing), 'file')} without a licence"] if missing else []
    parts += [f"{len(forbidden)} with a licence that forbids commercial use"] if forbidden else []
    console.line(f"{', '.join(parts)}, of {count(looked, 'media file')}.")


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name.strip():
        raise InvalidFact("parameters", text, "it is written NAME=VALUE")
    return name.strip(), value.strip()


def _where(repo: "Repository", text: str) -> str:
    """Convert the path of a file, as it was typed in a folder of the project, to the form that versions have."""
    is_there = ":" not in text and os.path.isfile(os.path.join(current_session().folder, text))
    return project_paths(repo, (text,))[0] if is_there else text


def provenance_to_json(found: "Provenance") -> dict[str, Any]:
    """Convert a provenance to JSON."""
    return {
        "id": found.id,
        "path": found.path,
        "facts": found.facts,
        "from_file": sorted(found.embedded.keys() - found.said.keys() - {"origin"}),
        "updated_at": found.updated_at,
        "updated_by": found.updated_by,
    }


def _lines(found: "Provenance") -> list[Line]:
    shown = {name: value for name, value in found.facts.items() if name not in ("path", "origin")}
    lines: list[Line] = [[yellow(found.id[:8]), "  ", cyan(found.path or "")]]
    for name, value in shown.items():
        is_own = name in found.embedded and name not in found.said
        text = _written(value)
        lines.append(
            [f"  {name.replace('_', ' '):<16} ", strong(text), faint("  (the file says so)" if is_own else "")]
        )
    return lines if shown else [*lines, [faint("  nothing is known about where it comes from")]]


def _written(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(str(item)[:8] for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "\n                   ".join(str(value).splitlines())


def _line(found: "Provenance") -> Line:
    facts = found.facts
    told = [str(facts[name]) for name in ("kind", "program", "model", "license") if name in facts]
    prompt = " ".join(str(facts.get("prompt", "")).split())
    return [
        yellow(found.id[:8]),
        "  ",
        faint(local_time(found.updated_at or "")),
        "  ",
        cyan(found.path or ""),
        f"  {', '.join(told)}",
        faint(f"  {prompt[:60]}" if prompt else ""),
    ]
