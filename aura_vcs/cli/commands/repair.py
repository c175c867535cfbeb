"""`aura repair`."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, completing, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, red, strong
from aura_vcs.cli.output.humanize import count, join_words, size
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.remote_repair import repair_remote
from aura_vcs.cli.shared.transfers import connected
from aura_vcs.errors import InputError
from aura_vcs.layout import AURA, DAMAGED
from aura_vcs.maintenance.repair_records import find_repairable, rewrite_records

if TYPE_CHECKING:
    from aura_vcs.maintenance.repair_records import RepairableRecord
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.maintenance.repair_local import RepairPlan


@click.command(
    "repair",
    context_settings=HELP,
    epilog=examples("aura repair --from nas --dry-run", "aura repair", "aura repair --to nas"),
)
@click.option(
    "--from",
    "remote",
    metavar="REMOTE",
    shell_complete=completing("remote"),
    help="The remote to fetch from (default: the only one, or origin)",
)
@click.option(
    "--to",
    metavar="REMOTE",
    shell_complete=completing("remote"),
    help="Repair this remote instead: send what is damaged or missing there",
)
@dry_run_option
@json_option
@pass_repository
def repair_command(repo: "Repository", console: Console, *, remote: str | None, to: str | None, dry_run: bool) -> None:
    """Fetch what is damaged or missing here from a remote, or send it there

    Reads and hashes everything first. What arrives is verified before it is put in place; damaged files
    are set aside in `.aura/local/damaged`, never deleted. Branches, tags, labels and other small
    records are mended first, from what the operation logs and versions say: that needs no remote.

    With `--to`, everything on the remote is read and hashed, and what is damaged or missing there is
    sent again from this project; the damaged files stay there until `aura gc --remote` deletes them.
    Ends with exit code 3 if something could not be found.
    """
    if to is not None:
        if remote is not None:
            raise InputError(
                "--from and --to cannot be combined: one repairs this project, the other a remote",
                hint="Run one after the other, `--from` with a remote that is intact first.",
            )
        repair_remote(repo, console, to, dry_run=dry_run)
        return
    mended = _mend(repo, console, dry_run=dry_run)
    if remote is None and not _has_remotes(repo) and (mended or _is_intact(repo, console)):
        _mended_data(console, mended, dry_run=dry_run)
        return
    from aura_vcs.sync.maintenance.repair_local import execute_repair, plan_repair

    with connected(repo, remote) as link:
        plan = plan_repair(repo, link.remote)
        if plan.lost:
            console.exit_code = 3
        if not (plan.is_empty and mended):
            _show(console, link.name, plan, dry_run=dry_run)
        if dry_run:
            _data(console, plan, (), mended, dry_run=True)
            return
        done = execute_repair(repo, link.cache, plan)
    _data(console, plan, done.set_aside, mended, dry_run=False)
    if done.set_aside:
        console.line(green("Repaired"), f"; {count(len(done.set_aside), 'damaged file')} set aside in ", _aside())
    elif done.fetched_objects:
        console.line(green("Repaired"))
    if done.set_aside or done.fetched_objects:
        console.line(faint("`aura fsck` looks at everything once more."))


def _mend(repo: "Repository", console: Console, *, dry_run: bool) -> "list[RepairableRecord]":
    """Mend the records that need nothing from a remote."""
    found = find_repairable(repo)
    for item in found:
        console.line(faint(f"damaged: {item.path}: {item.detail}"))
    if found and dry_run:
        console.line(f"Would write {count(len(found), 'record')} anew, from what logs and versions say")
    elif found:
        rewrite_records(repo, found)
        console.line(green("Mended"), f" {count(len(found), 'record')}, from what logs and versions say")
    return found


def _is_intact(repo: "Repository", console: Console) -> bool:
    """Check everything, where there is no remote that could help; say so if nothing is to be repaired."""
    from aura_vcs.maintenance.fsck import fsck

    if fsck(repo).problems:
        return False
    _print_intact(console)
    return True


def _print_intact(console: Console) -> None:
    console.line(green("Everything is intact"), "; there is nothing to repair.")


def _has_remotes(repo: "Repository") -> bool:
    from aura_vcs.sync.remotes.config import remotes

    return bool(remotes(repo))


def _mended_data(console: Console, mended: "list[RepairableRecord]", *, dry_run: bool) -> None:
    if console.as_json:
        nothing: dict[str, Any] = {"objects": 0, "bytes": 0, "damaged": [], "set_aside": [], "lost": []}
        console.data({"dry_run": dry_run, "mended": _mended(mended), **nothing})


def _mended(mended: "list[RepairableRecord]") -> list[dict[str, str]]:
    return [{"path": item.path, "detail": item.detail} for item in mended]


def _aside() -> str:
    return f"{AURA}/{DAMAGED}"


def _show(console: Console, name: str, plan: "RepairPlan", *, dry_run: bool) -> None:
    if plan.is_empty:
        _print_intact(console)
        return
    verb = "Would fetch " if dry_run else "Fetching "
    console.line(verb, strong(count(len(plan.to_fetch), "object")), f", {size(plan.received_bytes)}, from ", cyan(name))
    for path in plan.damaged:
        console.line(faint(f"damaged: {path}"))
    for object_id, versions in plan.lost.items():
        console.line(red("not available: "), f"{object_id}, needed by {join_words(versions)}")
    if plan.lost:
        console.note(faint(f"{name} does not have these either. Try another remote, or a backup, with `--from`."))


def _data(
    console: Console, plan: "RepairPlan", aside: tuple[str, ...], mended: "list[RepairableRecord]", *, dry_run: bool
) -> None:
    if not console.as_json:
        return
    shape: dict[str, Any] = {
        "dry_run": dry_run,
        "mended": _mended(mended),
        "objects": len(plan.to_fetch),
        "bytes": plan.received_bytes,
        "damaged": list(plan.damaged),
        "set_aside": list(aside),
        "lost": [{"object": object_id, "versions": list(versions)} for object_id, versions in plan.lost.items()],
    }
    console.data(shape)
