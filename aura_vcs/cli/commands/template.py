"""`aura template`: what new projects begin with."""

from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import HELP, TEXT, Count, completing, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green, strong, to_json, yellow
from aura_vcs.cli.output.humanize import count
from aura_vcs.cli.session import current_session, pass_studio
from aura_vcs.cli.shared.studio import table
from aura_vcs.cli.shared.studio_undo import WAY_BACK
from aura_vcs.errors import InputError
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.studio.template_exchange import read_template_file, write_template_file
from aura_vcs.studio.templates import (
    STRUCTURE_BYTES_LIMIT,
    STRUCTURES,
    delete_template,
    edit_template,
    find_template,
    list_templates,
    new_from_project,
    rate_template,
    undelete_template,
)

if TYPE_CHECKING:
    from aura_vcs.studio.studio import Studio
    from aura_vcs.studio.templates import Template


@click.group(
    "template",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples(
        "aura template list",
        'aura init my-film --template explainer --title "Bees"',
        'aura template new-from-project "My series"',
    ),
)
def template_command() -> None:
    """List, make and share templates"""


@template_command.command("list", context_settings=HELP, epilog=examples("aura template list --category Education"))
@click.option("--category", metavar="NAME", type=TEXT, help="Only this category")
@click.option("--sub-category", metavar="NAME", type=TEXT, help="Only this sub-category")
@click.option("--system/--own", default=None, help="Only those that come with aura, or only others")
@click.option("--deleted", is_flag=True, help="Those that were deleted")
@json_option
@pass_studio
def list_command(
    studio: "Studio",
    console: Console,
    category: str | None,
    sub_category: str | None,
    system: bool | None,
    deleted: bool,
) -> None:
    """List the templates"""
    found = list_templates(studio, category=category, sub_category=sub_category, system=system, deleted=deleted)
    if console.as_json:
        console.data({"templates": [template_to_json(item) for item in found]})
        return
    table(console, (_row(item) for item in found))
    if not found:
        console.line("No matching templates.")


@template_command.command("show", context_settings=HELP, epilog=examples("aura template show explainer"))
@click.argument("template", shell_complete=completing("template"))
@json_option
@pass_studio
def show_command(studio: "Studio", console: Console, template: str) -> None:
    """Show what a template holds"""
    found = find_template(studio, template)
    if console.as_json:
        console.data({**template_to_json(found), "documents": found.documents})
        return
    console.line(strong(found.name), faint(f"  {found.id}"))
    console.line(f"  {found.description}")
    for scene in found.script_structure or []:
        console.line(f"  {scene.get('duration_seconds', 0):>5g} s  {scene.get('heading', '')}")
    for name in ("video_structure", "llm_pipeline", "visual_preferences"):
        if (value := getattr(found, name)) is not None:
            console.line(f"  {name.replace('_', ' ')}: {' '.join(to_json(value).split())}")
    console.line(faint(f"  {', '.join(found.documents)}"))


@template_command.command(
    "new-from-project", context_settings=HELP, epilog=examples('aura template new-from-project "My series"')
)
@click.argument("name")
@click.option("--description", metavar="TEXT", type=TEXT, default="", help="What it is good for")
@click.option("--category", metavar="NAME", type=TEXT, help="Its category (default: the project's)")
@json_option
@pass_studio
def new_command(studio: "Studio", console: Console, name: str, description: str, category: str | None) -> None:
    """Make a template of this project's documents, without its media

    From a project without such documents, takes project.json and the rules of .auraignore, and says
    what it leaves out.
    """

    with current_session().open() as repo:
        source = FolderSource(repo.root)
        made = new_from_project(studio, source, name, description=description, category=category)
        taken = {*made.documents, *made.texts}
        left = sum(path not in taken for path in source.names())
    _print(console, made, "Made the template")
    if not console.as_json:
        console.line(f"  contains {', '.join(sorted(taken))}")
        if left:
            console.line(
                faint(
                    f"  leaves out {count(left, 'file')}: media, texts, projects of editors, what follows from scenes"
                )
            )


@template_command.command(
    "edit", context_settings=HELP, epilog=examples('aura template edit "My series" --category Science --tag space')
)
@click.argument("template", shell_complete=completing("template"))
@click.option("--name", metavar="TEXT", type=TEXT)
@click.option("--description", metavar="TEXT", type=TEXT)
@click.option("--category", metavar="NAME", type=TEXT)
@click.option("--sub-category", metavar="NAME", type=TEXT)
@click.option(
    "--tag", "tags", metavar="WORD", multiple=True, help="A tag; repeat for more; they replace the present ones"
)
@click.option("--script-structure", metavar="JSON", help="Headings and lengths; JSON, @FILE or empty for none")
@click.option("--video-structure", metavar="JSON", help="How the film is built; likewise")
@click.option("--llm-pipeline", metavar="JSON", help="How the script is written; likewise")
@click.option("--visual-preferences", metavar="JSON", help="How pictures look; likewise")
@json_option
@pass_studio
def edit_command(
    studio: "Studio", console: Console, template: str, tags: tuple[str, ...], **fields: str | None
) -> None:
    """Change a template of yours"""
    changes: dict[str, Any] = {
        name: _structure(name, value) if name in STRUCTURES else value
        for name, value in fields.items()
        if value is not None
    }
    if tags:
        changes["tags"] = tags
    if not changes:
        raise InputError("Nothing is to be changed", hint="Give --name, --category, --tag, --video-structure …")
    _print(console, edit_template(studio, find_template(studio, template), changes), "Changed")


@template_command.command("delete", context_settings=HELP, epilog=examples('aura template delete "My series"'))
@click.argument("template", shell_complete=completing("template"))
@json_option
@pass_studio
def delete_command(studio: "Studio", console: Console, template: str) -> None:
    """Hide a template of yours; undelete brings it back"""
    _print(console, delete_template(studio, find_template(studio, template)), "Deleted")


@template_command.command("undelete", context_settings=HELP, epilog=examples('aura template undelete "My series"'))
@click.argument("template", shell_complete=completing("template"))
@json_option
@pass_studio
def undelete_command(studio: "Studio", console: Console, template: str) -> None:
    """Show a deleted template again"""
    _print(console, undelete_template(studio, find_template(studio, template, deleted=True)), "Brought back")


@template_command.command("rate", context_settings=HELP, epilog=examples("aura template rate explainer 5"))
@click.argument("template", shell_complete=completing("template"))
@click.argument("stars", type=Count(1, 5))
@json_option
@pass_studio
def rate_command(studio: "Studio", console: Console, template: str, stars: int) -> None:
    """Give a template 1 to 5 stars"""
    _print(console, rate_template(studio, find_template(studio, template), stars), "Rated")


@template_command.command(
    "export", context_settings=HELP, epilog=examples('aura template export "My series" -o series.json')
)
@click.argument("template", shell_complete=completing("template"))
@click.option("-o", "--output", metavar="FILE", required=True, help="The file to write")
@click.option("--overwrite", is_flag=True, help="Replace an existing file")
@json_option
@pass_studio
def export_command(studio: "Studio", console: Console, template: str, output: str, overwrite: bool) -> None:
    """Write a template to a file for somebody else"""
    found = find_template(studio, template)
    written = write_template_file(found, output, overwrite=overwrite)
    if console.as_json:
        console.data({"template": found.id, "file": output, "size_bytes": written})
    else:
        console.line("Wrote ", strong(found.name), f" to {output}")


@template_command.command("import", context_settings=HELP, epilog=examples("aura template import series.json"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--name", metavar="TEXT", type=TEXT, help="Another name for it")
@json_option
@pass_studio
def import_command(studio: "Studio", console: Console, file: str, name: str | None) -> None:
    """Add a template from a file"""
    _print(console, read_template_file(studio, file, name=name), "Imported")


def _structure(name: str, text: str) -> Any:
    """Parse the JSON that an option gives, or the file that it names after an @; None where it is empty."""
    option = f"--{name.replace('_', '-')}"
    try:
        if text.startswith("@"):
            with open(text[1:], "rb") as file:
                data = file.read(STRUCTURE_BYTES_LIMIT + 1)
        else:
            data = text.encode()
        return msgspec.json.decode(data) if data.strip() else None
    except OSError as error:
        raise InputError(f"{text[1:]} cannot be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        hint = f"""For example {option} '{{"intro": "title card"}}', or {option} @structure.json."""
        raise InputError(f"{option} is not JSON: {error}", hint=hint) from error


def template_to_json(template: "Template") -> dict[str, Any]:
    """Convert a template to JSON: everything but the content of its files."""
    shape: dict[str, Any] = msgspec.to_builtins(template)
    del shape["documents"], shape["texts"]
    return shape


def _row(item: "Template") -> dict[str, Any]:
    marks = "default " if item.is_default else ""
    origin = "system" if item.is_system_template else "community" if item.is_community_template else "yours"
    stars = f"{item.rating:.1f} stars" if item.rating_count else ""
    return {
        "id": yellow(item.id if item.is_system_template else item.id[:8]),
        "name": strong(item.name),
        "category": item.category or "",
        "origin": faint(f"{marks}{origin}"),
        "uses": faint(count(item.usage_count, "use") if item.usage_count else ""),
        "stars": faint(stars),
    }


def _print(console: Console, template: "Template", verb: str) -> None:
    if console.as_json:
        console.data(template_to_json(template))
    else:
        console.line(green(f"{verb} "), strong(template.name), faint(f"  {template.id[:8]}"))
        console.line(faint(WAY_BACK))
