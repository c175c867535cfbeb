"""`aura asset`: the media of the project."""

from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import HELP, Duration, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, faint, strong, yellow
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.output.json_shapes import media_entry_to_json
from aura_vcs.cli.remote_environment import worker_environment
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.cli.shared.studio import table
from aura_vcs.errors import AuraError, ExtraMissing
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.project.documents.assets import asset_id
from aura_vcs.project.documents.folder_index import refresh_folder
from aura_vcs.project.records.file_audit import FileAudit
from aura_vcs.suggestions import suggest

if TYPE_CHECKING:
    from aura_vcs.index.entities import AssetRow
    from aura_vcs.repository.repository import Repository

TYPES = ("Audio", "Image", "Video", "Subtitle")


@click.group(
    "asset",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples("aura asset list --type Audio", "aura asset show assets/video/orbits.mp4", "aura asset clean"),
)
def asset_command() -> None:
    """List media, look into it, clean up temporary files"""


@asset_command.command(
    "list", context_settings=HELP, epilog=examples("aura asset list --type Audio", "aura asset list --temporary")
)
@click.option("--type", "type_", type=click.Choice(TYPES, case_sensitive=False), help="Only this type")
@click.option("--temporary/--kept", default=None, help="Only temporary ones, or only others")
@json_option
@pass_repository
def list_command(repo: "Repository", console: Console, type_: str | None, temporary: bool | None) -> None:
    """List the media files of the folder"""
    from aura_vcs.cli.output.asset_sequences import listed_assets, sequences_of

    found = refresh_folder(repo).assets(type_=type_, temporary=temporary)
    if console.as_json:
        audit = FileAudit(repo)
        sequences = [one.to_json() for one in sequences_of(found)]
        console.data({"assets": [asset_to_json(repo, row, audit) for row in found], "sequences": sequences})
        return
    table(
        console,
        (
            {
                "type": yellow(kind),
                "size": f"{size(amount):>10}",
                "path": strong(path),
                "note": faint(note),
            }
            for kind, amount, path, note in listed_assets(found)
        ),
    )
    if not found:
        console.line("No matching media.")


@asset_command.command("show", context_settings=HELP, epilog=examples("aura asset show assets/video/orbits.mp4"))
@click.argument("path")
@json_option
@pass_repository
def show_command(repo: "Repository", console: Console, path: str) -> None:
    """Show one file: type, size, length, resolution, codecs, loudness

    Of a sequence of pictures (`shot.[0001-0240].exr`) it shows how many frames there are, and which are missing.
    A file that was not looked at before is decoded now, once; see `aura media index`.
    """
    from pathlib import Path

    from aura_vcs.cli.output.asset_sequences import print_sequence, sequences_of
    from aura_vcs.compare.media.words import describe_head
    from aura_vcs.history.media_index.look import known_sequence, look_at
    from aura_vcs.project.render.probe import probe_media

    rows = {row.file_path: row for row in refresh_folder(repo).assets()}
    whole = next(
        (one for one in sequences_of(rows.values()) if one.is_called(path, project_paths(repo, (path,)))), None
    )
    if whole is not None:
        known = known_sequence(repo, whole.sequence)
        print_sequence(console, Path(repo.root), whole, known.entry.head if known is not None else None)
        return
    wanted = path if path in rows else project_paths(repo, (path,))[0]
    if wanted not in rows:
        raise UnknownName("asset", path, suggest(path, rows), hint="`aura asset list` shows them.")
    facts, entry = None, None
    problem: AuraError | None = None
    try:
        facts = probe_media(FolderSource(repo.root), wanted, environment=worker_environment())
        entry = look_at(repo, wanted, environment=worker_environment())
    except ExtraMissing as error:
        problem = error if facts is None else None
    except AuraError as error:
        problem = error
    if console.as_json:
        shape = asset_to_json(repo, rows[wanted], FileAudit(repo))
        media = media_entry_to_json(entry) if entry is not None else None
        console.data({**shape, "facts": facts, "media": media, "problem": problem.message if problem else None})
        return
    row = rows[wanted]
    console.line(strong(row.file_path), faint("  temporary" if row.is_temporary else ""))
    console.line(f"  {row.asset_type}, {row.mime_type}, {size(row.file_size_bytes)}")
    if facts is not None:
        words = [f"{facts.duration_seconds:.2f} s" if facts.duration_seconds is not None else ""]
        words.append(f"{facts.width}×{facts.height}" if facts.width else "")
        words += [facts.video_codec or "", facts.audio_codec or ""]
        console.line("  " + ", ".join(word for word in words if word))
    if entry is not None:
        console.lines(["  ", line] for line in describe_head(entry.head))
    if problem is not None:
        console.note(problem.message, f". {problem.hint}" if problem.hint else "")


@asset_command.command(
    "clean", context_settings=HELP, epilog=examples("aura asset clean --dry-run", "aura asset clean --older-than 7d")
)
@dry_run_option
@click.option(
    "--older-than",
    "older",
    type=Duration(),
    default="0",
    metavar="TIME",
    help="Only those not written to for this long",
)
@click.option("--for-good", is_flag=True, help="Keep nothing for undo: the space is free at once")
@click.option("--yes", is_flag=True, help="Do not ask")
@json_option
@pass_repository
def clean_command(
    repo: "Repository", console: Console, *, dry_run: bool, older: float, for_good: bool, yes: bool
) -> None:
    """Delete temporary media, which is in no version

    Files that .auraignore takes back (`!temp/`), or that a version has, are not temporary. Undo brings
    the files back.
    """
    from aura_vcs.project.scenes.actions import clean_temporary, plan_cleaning

    plan = plan_cleaning(repo, older_than_seconds=older)
    total = sum(row.file_size_bytes for row in plan)
    for row in plan:
        console.line(faint(f"{size(row.file_size_bytes):>10}  "), row.file_path)
    question = f"Delete {count(len(plan), 'temporary file')}, {size(total)}{', for good' if for_good else ''}?"
    doit = bool(plan) and not dry_run and (yes or console.ask(question))
    removed = clean_temporary(repo, plan, for_good=for_good) if doit else None
    files, freed = (len(removed.paths), removed.size) if removed is not None else (0, 0)
    if console.as_json:
        audit = FileAudit(repo)
        shape = {"dry_run": not doit, "assets": [asset_to_json(repo, row, audit) for row in plan]}
        console.data({**shape, "deleted_files": files, "freed_bytes": freed})
    elif doit:
        console.line(f"Deleted {count(files, 'file')}, {size(freed)}.")
        if not for_good:
            console.line(faint("Take it back with `aura undo`; --for-good keeps nothing and frees the space at once."))
    elif not plan:
        console.line("There is no temporary media.")
    else:
        console.line(faint("Nothing was deleted." if dry_run else "Nothing was deleted; --yes does it."))
    for path in removed.skipped if removed is not None else ():
        console.warn(f"{path} was being written and was left as it is")


def asset_to_json(repo: "Repository", row: "AssetRow", audit: FileAudit) -> dict[str, Any]:
    """Convert an asset to JSON: the entity AssetState, and who made and changed it.

    Its id is made of the project's and the path: it lasts.
    """
    shape: dict[str, Any] = msgspec.to_builtins(row)
    found: dict[str, Any] = msgspec.to_builtins(audit.of(row.file_path, shape.pop("stamp")))
    project = repo.format.project
    return {"id": asset_id(project, row.file_path), "project": project, **shape, **found}
