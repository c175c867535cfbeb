"""`aura derived`: files that can be made again."""

import os
import shlex
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import HELP, TEXT, Duration, dry_run_option, examples, json_option, yes_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, strong, yellow
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.remote_environment import worker_environment
from aura_vcs.cli.session import current_session, pass_repository, project_paths
from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName

if TYPE_CHECKING:
    from aura_vcs.annotations.recipes import Recipe
    from aura_vcs.project.derived import Derived, Made
    from aura_vcs.repository.repository import Repository


@click.group(
    "derived",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples(
        "aura derived set proxy.mp4 --input film.mov -- ffmpeg -i {input} -vf scale=640:-2 {output}",
        "aura derived list",
        "aura derived make proxy.mp4",
        "aura derived evict --older-than 30d --dry-run",
        "aura derived evict --versions --dry-run",
        "aura derived evict --prove",
        "aura derived make v3:proxy.mp4",
    ),
)
def derived_command() -> None:
    """List files that can be made again, make them, free their space

    A render, a proxy, a voice: a file that a command made from other files can have a recipe, which is
    kept by content. Films of `aura export` get theirs automatically. Nothing runs by itself; a recipe
    that came from elsewhere is shown, and you are asked, before it runs here for the first time.
    """


@derived_command.command("list", context_settings=HELP, epilog=examples("aura derived list"))
@json_option
@pass_repository
def list_command(repo: "Repository", console: Console) -> None:
    """List what can be made again, and what has changed since it was made"""
    from aura_vcs.project.derived import list_derived

    found = list_derived(repo)
    if console.as_json:
        console.data({"derived": [_to_json(item) for item in found]})
        return
    evicted = repo.store.offloaded.evicted().values()
    for item in found:
        old = yellow(f"  stale: {', '.join(item.changed)} changed") if item.changed else ""
        console.line("  ", cyan(item.path), faint(f"  {item.state}  "), item.how, old)
    if evicted:
        freed = size(sum(item.size for item in evicted))
        console.line(faint(f"Evicted from versions: {count(len(evicted), 'file')}, {freed}"))
    if not found:
        console.line("No file here has a recipe. `aura derived set` records how a file is made.")


@derived_command.command(
    "set",
    context_settings={**HELP, "ignore_unknown_options": True},
    epilog=examples("aura derived set proxy.mp4 --input film.mov -- ffmpeg -i {input} {output}"),
)
@click.argument("file")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--input", "inputs", metavar="FILE", type=TEXT, multiple=True, help="A file that it is made from")
@click.option("--environment", metavar="TEXT", type=TEXT, default="", help="What else it takes: programs, versions")
@json_option
@pass_repository
def set_command(
    repo: "Repository",
    console: Console,
    *,
    file: str,
    command: tuple[str, ...],
    inputs: tuple[str, ...],
    environment: str,
) -> None:
    """Say how a file of the folder was made: a command with {input} and {output} in it

    After `--` comes the command as it is run, without a shell: `{input}` is the first input, `{input:2}` the second.
    """
    from aura_vcs.annotations.recipes import set_recipe

    recipe = set_recipe(
        repo, _path(repo, file), command, [_path(repo, name) for name in inputs], environment=environment
    )
    if console.as_json:
        console.data({"recipe": _recipe_to_json(recipe)})
        return
    console.line("Recorded how ", cyan(recipe.output), " is made: ", strong(shlex.join(recipe.command)))
    console.line(faint("Take it back with `aura undo`."))


@derived_command.command("why", context_settings=HELP, epilog=examples("aura derived why proxy.mp4"))
@click.argument("file")
@json_option
@pass_repository
def why_command(repo: "Repository", console: Console, file: str) -> None:
    """Show how a file was made, from what, and what has changed since"""
    from aura_vcs.annotations.recipes import changed_inputs, find_recipe, is_agreed

    recipe = find_recipe(repo, _path(repo, file))
    changed = changed_inputs(repo, recipe)
    if console.as_json:
        shape = {"recipe": _recipe_to_json(recipe), "changed": changed, "agreed": is_agreed(repo, recipe)}
        console.data(shape)
        return
    _print_recipe(console, recipe)
    for path in changed:
        console.line(yellow(f"  {path} has changed since"))
    if not is_agreed(repo, recipe):
        console.line(faint("  It was not agreed to on this machine: `aura derived make` asks before it is run."))


@derived_command.command("make", context_settings=HELP, epilog=examples("aura derived make proxy.mp4"))
@click.argument("file")
@click.option("--recorded", is_flag=True, help="Use its inputs as they were, not as they are now")
@click.option("--timeout", metavar="TIME", type=Duration(), help="Give up after this time: 10min, 2h")
@yes_option
@json_option
@pass_repository
def make_command(
    repo: "Repository", console: Console, *, file: str, recorded: bool, timeout: float | None, yes: bool
) -> None:
    """Make a file again, and put it into the folder; what is there is kept for undo

    It is made from copies, in a folder of its own. A recipe that came from elsewhere is shown first,
    and you are asked. VERSION:FILE brings back content that was evicted from a version: it is made from
    its inputs as they were, and belongs to the version again if it is the same byte for byte; your
    files stay as they are.
    """
    from aura_vcs.annotations.recipes import agree, find_recipe, is_agreed
    from aura_vcs.history.names.revisions import split_content
    from aura_vcs.project.derived import list_derived, make, make_export, make_stored

    path = _path(repo, file)
    export = next((item for item in list_derived(repo) if item.path == path and item.export is not None), None)
    if export is not None:
        _print_made(console, make_export(repo, export, environment=worker_environment()))
        return
    in_version = bool(split_content(file)[1])
    recipe = find_recipe(repo, file if in_version else path)
    if not is_agreed(repo, recipe):
        if not yes and console.as_json:
            raise InputError("The recipe comes from elsewhere and was not agreed to", hint="--yes agrees to it.")
        if not console.as_json:
            _print_recipe(console, recipe)
        if not yes and not console.ask("This comes from elsewhere. Run it on this machine?"):
            console.line("Nothing was run.")
            return
        agree(repo, recipe)
    if in_version:
        _print_made(console, make_stored(repo, recipe, seconds=timeout))
        return
    _print_made(console, make(repo, recipe, recorded=recorded, seconds=timeout))


@derived_command.command(
    "evict", context_settings=HELP, epilog=examples("aura derived evict --older-than 30d --dry-run")
)
@click.option(
    "--older-than", metavar="TIME", type=Duration(), default=0.0, help="Only what nobody has written to for this long"
)
@click.option("--versions", is_flag=True, help="Content that only older versions hold, instead of files")
@click.option(
    "--grace", "grace_seconds", metavar="TIME", type=Duration(), help="With --versions: free what was marked longer ago"
)
@click.option("--prove", is_flag=True, help="Try recipes first that were not tried on this machine yet")
@click.option("--remote", "names", metavar="NAME", multiple=True, help="With --versions: it may hold what is needed")
@dry_run_option
@yes_option
@json_option
@pass_repository
def evict_command(
    repo: "Repository",
    console: Console,
    *,
    older_than: float,
    versions: bool,
    grace_seconds: float | None,
    prove: bool,
    names: tuple[str, ...],
    dry_run: bool,
    yes: bool,
) -> None:
    """Remove files from the folder that can be made again and are in no version

    Each file is first compared with what its recipe made; files that were changed since stay. `aura
    derived make` brings them back: a recipe must already have made its file again on this machine, byte
    for byte. --prove tries that in a folder of its own.

    With --versions, marks content that only older versions hold: `aura gc` frees it after the grace
    period; until then `aura undo` takes the mark back. If a remote holds the content, its recipe need
    not be tried. All that a recipe needs must be here, or a remote must prove to have it. The versions
    stay, and `aura derived make VERSION:FILE` brings the content back.
    """
    if versions:
        from aura_vcs.cli.shared.evictions import EvictionRequest, evict_versions

        evict_versions(repo, console, EvictionRequest(older_than, grace_seconds, names, prove, dry_run, yes))
        return
    if grace_seconds is not None or names:
        raise click.UsageError("--grace and --remote need --versions.")
    from aura_vcs.annotations.proofs import NOT_TRIED
    from aura_vcs.project.derived import evict, plan_eviction, try_left

    if console.as_json and not (dry_run or yes):
        raise InputError(
            "Nothing was removed: there is nobody to ask", hint="--yes removes them, --dry-run lists them."
        )
    plan = plan_eviction(repo, older_than)
    if prove and not dry_run:
        faults = try_left(repo, plan)
        plan = plan_eviction(repo, older_than).with_faults(faults)
    if not console.as_json:
        for path, _ in plan.files:
            console.line("  ", cyan(path))
    asked = dry_run or yes or console.as_json or not plan.files
    if not asked and not console.ask(f"Remove {count(len(plan.files), 'file')}, {size(plan.size)}?"):
        console.line("Nothing was removed.")
        return
    done = plan if dry_run else evict(repo, plan)
    if console.as_json:
        left = [{"path": path, "reason": reason} for path, reason in done.left]
        files = [{"path": path, "bytes": size_} for path, size_ in done.files]
        console.data({"dry_run": dry_run, "files": files, "left": left, "bytes": done.size})
        return
    verb = "Would free" if dry_run else "Freed"
    console.line(green(f"{verb} {size(done.size)} in {count(len(done.files), 'file')}."))
    for path, reason in done.left:
        console.line(faint(f"  {path} stays: {reason}"))
    if any(reason == NOT_TRIED for _, reason in done.left):
        console.line("`aura derived evict --prove` tries recipes, and takes out what they make byte for byte.")


def _path(repo: "Repository", text: str) -> str:
    is_here = os.path.lexists(os.path.join(current_session().folder, text))
    try:
        return project_paths(repo, (text,))[0]
    except InputError:
        if is_here:
            raise
        raise UnknownName("file", text) from None


def _to_json(item: "Derived") -> dict[str, Any]:
    return {
        "path": item.path,
        "content": item.content,
        "state": item.state,
        "how": item.how,
        "changed": list(item.changed),
        "stale": bool(item.changed),
        "made_at": item.made_at,
        "export": item.export,
    }


def _recipe_to_json(recipe: "Recipe") -> dict[str, Any]:
    return {
        "output": recipe.output,
        "content": recipe.content,
        "command": list(recipe.command),
        "inputs": [{"path": item.path, "content": item.content} for item in recipe.inputs],
        "environment": recipe.environment,
        "made_at": recipe.made_at,
    }


def _print_recipe(console: Console, recipe: "Recipe") -> None:
    console.line(cyan(recipe.output), " is made by: ", strong(shlex.join(recipe.command)))
    for item in recipe.inputs:
        console.line(faint(f"  from {item.path} ({item.content[:8]})"))
    if recipe.environment:
        console.line(faint(f"  with {recipe.environment}"))


def _print_made(console: Console, made: "Made") -> None:
    if console.as_json:
        console.data({"path": made.path, "content": made.content, "same": made.is_same})
        return
    same = "byte for byte as before" if made.is_same else "other bytes than before, accepted as new"
    console.line("Made ", cyan(made.path), f": {same}")
