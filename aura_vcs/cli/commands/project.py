"""`aura project`: what the project is, and where its making stands."""

import os
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import HELP, TEXT, completing, dry_run_option, examples, json_option, yes_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, red, strong, yellow
from aura_vcs.cli.output.humanize import count, local_time, size
from aura_vcs.cli.output.json_shapes import media_to_json, problems_to_json
from aura_vcs.cli.session import current_session, pass_repository
from aura_vcs.cli.shared.studio import assignments, expire_days, forget_purged, note_project
from aura_vcs.history.sources.content_source import FolderSource

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository


@click.group(
    "project",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples(
        "aura project show",
        'aura project set title="The Solar System" tags=space,school',
        "aura project set brief.tone=warm status=Completed",
        "aura project check",
    ),
)
def project_command() -> None:
    """Show, change, check, delete or purge this project"""


@project_command.command("show", context_settings=HELP, epilog=examples("aura project show"))
@json_option
@pass_repository
def show_command(repo: "Repository", console: Console) -> None:
    """Show what the project is and how far it has come"""
    from aura_vcs.project.documents.folder_index import refresh_folder
    from aura_vcs.project.documents.load import is_studio_project
    from aura_vcs.project.documents.state import STEPS
    from aura_vcs.project.summary import read_facts

    facts = read_facts(repo.root, project=repo.format.project)
    assert facts is not None
    scenes = refresh_folder(repo).scenes()
    done = sum(scene.is_completed for scene in scenes)
    if console.as_json:
        counted = {"scenes": len(scenes), "completed_scenes": done}
        console.data({**project_to_json(repo, facts), **_documents(repo), **counted})
        return
    state = facts.state
    console.line(strong(facts.title), red("  deleted") if state.is_deleted else "")
    if facts.description:
        console.line("  ", facts.description)
    if not is_studio_project(repo.root):
        console.line(f"  category: {facts.category or 'none'}, tags: {', '.join(facts.tags) or 'none'}")
        return
    stage = f" in stage {state.current_stage}" if state.current_stage else ""
    console.line("  ", yellow(state.status), stage, f", {state.progress_percent:.0f} %")
    if state.error_message:
        console.line("  ", red(state.error_message))
    console.line(f"  wizard: {STEPS[state.current_wizard_step]}, job: {state.job_id or 'none'}")
    console.line(f"  category: {facts.category or 'none'}, tags: {', '.join(facts.tags) or 'none'}")
    console.line(f"  {count(len(scenes), 'scene')}, {done} with sound and picture")
    if state.last_auto_save_at:
        console.line(faint(f"  last autosave {local_time(state.last_auto_save_at)}"))


@project_command.command(
    "set",
    context_settings=HELP,
    epilog=examples(
        'aura project set title="The Solar System" tags=space,school',
        "aura project set brief.tone=warm status=Completed",
    ),
)
@click.argument("values", metavar="FIELD=VALUE...", nargs=-1, required=True)
@json_option
@pass_repository
def set_command(repo: "Repository", console: Console, values: tuple[str, ...]) -> None:
    """Set fields of the project, its documents, or its state

    title, description, category, tags … are project.json's; brief.tone or render.resolution.width
    name a document and a place in it; status, current_stage, current_wizard_step,
    progress_percent, job_id and error_message say how far it has come.
    """
    from aura_vcs.project.scenes.set_values import set_values

    given = assignments(values)
    for name in ("template_id", "project.template_id"):
        if given.get(name):
            from aura_vcs.studio.templates import find_template

            with current_session().studio() as studio:
                given[name] = find_template(studio, given[name]).id
    done = set_values(repo, given, expire_days=expire_days(repo))
    note_project(repo.root, console)
    if console.as_json:
        from aura_vcs.project.summary import read_facts

        found = read_facts(repo.root, project=repo.format.project)
        assert found is not None
        console.data(project_to_json(repo, found))
        return
    for note in done.notes:
        console.note(note)
    if done.is_changed:
        console.line(green("Set "), ", ".join(name.removeprefix("project.") for name in given))
        console.line(faint("Take it back with `aura undo`."))
    elif not done.notes:
        console.line("Nothing is changed by that.")


@project_command.command("check", context_settings=HELP, epilog=examples("aura project check"))
@json_option
@pass_repository
def check_command(repo: "Repository", console: Console) -> None:
    """Say what is wrong with the documents, scenes and media

    Reads the project files of editors too, and lists media in them that are missing, absolute, or
    outside the project. Also says which sequences of pictures lack frames, and which media were found
    damaged when they were indexed. Nothing of this keeps you from committing. Ends with exit code 3 if
    something is wrong.
    """

    from aura_vcs.project.documents.check import check_project
    from aura_vcs.project.media.check import media_problems
    from aura_vcs.project.media.known_problems import known_media_problems
    from aura_vcs.project.media.references import list_media

    named = list_media(repo)
    documents = check_project(FolderSource(repo.root))
    problems = (*documents, *media_problems(named), *known_media_problems(repo))
    errors = sum(problem.severity == "error" for problem in problems)
    console.exit_code = 3 if errors else 0
    if console.as_json:
        console.data({**problems_to_json(problems), "media": media_to_json(named)})
        return
    for problem in problems:
        mark = red("error  ") if problem.severity == "error" else yellow("warning")
        console.line(mark, "  ", cyan(f"{problem.file}{problem.pointer}"), "  ", problem.message)
        if problem.expected:
            console.line("         expected: ", problem.expected)
    for one in named:
        if one.missing:
            console.line(cyan(one.file), f" names {count(one.missing, 'media file')} that cannot be found")
    if problems:
        console.line(f"{count(errors, 'error')}, {count(len(problems) - errors, 'warning')}")
    else:
        console.line(green("Everything is as it should be."))


@project_command.command(
    "duplicate",
    context_settings=HELP,
    epilog=examples(
        "aura project duplicate ../sequel",
        "aura project duplicate ../short --without-history",
        'aura project duplicate ../trailer v3 --title "The trailer"',
    ),
)
@click.argument("folder", metavar="DIR")
@click.argument("version", required=False, shell_complete=completing("version"))
@click.option("--title", metavar="TEXT", type=TEXT, help='The title of the new film  [default: with "(copy)" after it]')
@click.option("--without-history", is_flag=True, help="Begin with one version, instead of bringing those before it")
@json_option
@pass_repository
def duplicate_command(
    repo: "Repository", console: Console, *, folder: str, version: str | None, title: str | None, without_history: bool
) -> None:
    """Make an independent film of this one, with an id of its own

    It has the same history, branches and tags, and continues from the version that you are on; with
    VERSION, it continues from that one, and has only what led to it. Uncommitted changes, autosaves and
    notes stay here. A folder that is copied by hand, however, is still the same project, and exchanges
    versions with this one.
    """
    from aura_vcs.project.duplicate import duplicate

    where = os.path.join(current_session().folder, folder)
    done = duplicate(repo, where, version=version, title=title, with_history=not without_history)
    note_project(done.path, console)
    if console.as_json:
        console.data(done)
        return
    what = f", with {count(done.files, 'file')} and {count(done.versions, 'version')}"
    console.line("Made ", strong(done.title), " in ", cyan(done.path), what)
    console.line(faint("It is a project of its own: the two exchange nothing."))


@project_command.command("delete", context_settings=HELP, epilog=examples("aura project delete"))
@yes_option
@json_option
@pass_repository
def delete_command(repo: "Repository", console: Console, yes: bool) -> None:
    """Hide the project from every list; nothing of it is removed"""
    from aura_vcs.project.documents.state import delete_project

    if not yes and not console.as_json and not console.ask("Hide this project from every list?"):
        console.line("Nothing was done. If nobody can be asked, give --yes.")
        console.exit_code = 1
        return
    delete_project(repo)
    note_project(repo.root, console)
    _print_state(repo, console, "Deleted; `aura project undelete` brings it back")


@project_command.command("undelete", context_settings=HELP, epilog=examples("aura project undelete"))
@json_option
@pass_repository
def undelete_command(repo: "Repository", console: Console) -> None:
    """Show a deleted project again"""
    from aura_vcs.project.documents.state import undelete_project

    undelete_project(repo)
    note_project(repo.root, console)
    _print_state(repo, console, "The project is back")


@project_command.command(
    "purge", context_settings=HELP, epilog=examples("aura project purge", "aura project purge --yes")
)
@dry_run_option
@click.option("--keep-files", is_flag=True, help="Remove the history only; the folder's files stay")
@click.option("--yes", is_flag=True, help="Really do it: nothing brings it back")
@json_option
@pass_repository
def purge_command(repo: "Repository", console: Console, *, dry_run: bool, keep_files: bool, yes: bool) -> None:
    """Remove a deleted project for good: versions, checkpoints, exports' records, scenes, assets

    Videos that were exported stay. Delete the project first; this then shows what would be removed, and
    removes it with --yes.
    """
    from aura_vcs.project.purge import execute_project_purge, plan_project_purge

    plan = plan_project_purge(repo, keep_files=keep_files)
    shape = {"dry_run": dry_run or not yes, "versions": plan.versions, "files": len(plan.files), "bytes": plan.bytes}
    if console.as_json and (dry_run or not yes):
        console.data(shape)
        return
    console.line(
        f"To be deleted for good: {count(plan.versions, 'version')}, {count(len(plan.files), 'file')} of the folder"
    )
    console.line(f"  {size(plan.bytes)} in {repo.root}")
    if dry_run or not yes:
        console.line(faint("Nothing was removed. `aura project purge --yes` does it."))
        return
    left = execute_project_purge(repo, plan)
    forget_purged(repo.root, console)
    if console.as_json:
        console.data({**shape, "left": list(left)})
        return
    console.line(red("Removed."))
    for path in left[:20]:
        console.line(faint(f"  {path} was written meanwhile, or is not ours, and stays"))


def project_to_json(repo: "Repository", facts: Any) -> dict[str, Any]:
    """Convert the project to JSON: the entity ProjectState."""
    shape: dict[str, Any] = msgspec.to_builtins(facts)
    state = shape.pop("state")
    shape.pop("stamp")
    dates = {name: shape[name] for name in ("updated_at", "modified_by", "output_file_path")}
    return {"id": shape.pop("project"), "path": repo.root, **shape, **state, **dates}


def _documents(repo: "Repository") -> dict[str, Any]:
    """Read the four specifications of the entity ProjectState from the folder; null where there is none."""

    from aura_vcs.project.documents.load import plain_document

    source = FolderSource(repo.root)
    return {name: plain_document(source, f"{name}.json") for name in ("brief", "plan", "voice", "render")}


def _print_state(repo: "Repository", console: Console, words: str) -> None:
    from aura_vcs.project.summary import read_facts

    if console.as_json:
        found = read_facts(repo.root, project=repo.format.project)
        assert found is not None
        console.data(project_to_json(repo, found))
    else:
        console.line(words + ".")
