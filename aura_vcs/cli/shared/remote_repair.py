"""`aura repair --to`: what is damaged on a remote, what goes there, and what is to be had from nowhere."""

from typing import TYPE_CHECKING, Any

from aura_vcs.cli.output.console import Console, cyan, faint, green, red, strong
from aura_vcs.cli.output.humanize import count, join_words, size
from aura_vcs.cli.shared.transfers import connected
from aura_vcs.sync.state.manifest import pack_name, record_name

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.maintenance.repair_remote import RemoteRepairPlan


def repair_remote(repo: "Repository", console: Console, name: str, *, dry_run: bool) -> None:
    """Show what is wrong on a remote, and send what is damaged or missing there."""
    from aura_vcs.sync.maintenance.repair_remote import check_writable, execute_remote_repair, plan_remote_repair

    check_writable(repo, name)
    with connected(repo, name) as link:
        plan = plan_remote_repair(repo, link.remote, link.cache)
        _show(console, link.name, plan, dry_run=dry_run)
        if not dry_run:
            plan = execute_remote_repair(repo, link.remote, link.cache, plan)
    if plan.lost or plan.unlabelled:
        console.exit_code = 3
    if console.as_json:
        console.data(_to_json(plan, dry_run=dry_run))
        return
    if not (dry_run or plan.does_nothing):
        _done(console, link.name, plan)
    _print_lost(console, link.name, plan)


def _show(console: Console, name: str, plan: "RemoteRepairPlan", *, dry_run: bool) -> None:
    if plan.is_intact:
        console.line(green("Everything is intact"), " at ", cyan(name), "; there is nothing to repair.")
        return
    for fault in plan.faults:
        console.line(red("damaged"), f"  {fault.file}: {fault.detail}")
    if plan.objects:
        verb = "Would send " if dry_run else "Sending "
        sent = f", about {size(plan.stored_bytes)}" if plan.stored_bytes else ""
        console.line(verb, strong(count(plan.objects, "object")), sent, ", to ", cyan(name))


def _done(console: Console, name: str, plan: "RemoteRepairPlan") -> None:
    left = len(plan.packs) + len(plan.records)
    replaced = f": {count(left, 'damaged file')} replaced" if left else ""
    console.line(green("Repaired "), cyan(name), replaced)
    if left:
        console.line(faint(f"What is damaged stays there unused, until `aura gc --remote {name}` deletes it."))
    console.line(faint(f"`aura fsck --remote {name}` looks at everything once more."))


def _print_lost(console: Console, name: str, plan: "RemoteRepairPlan") -> None:
    for loss in plan.lost:
        where = " (it is offloaded here)" if loss.offloaded else ""
        console.line(red("not available: "), f"{loss.object_id}, needed by {join_words(loss.versions)}{where}")
    if plan.unlabelled:
        console.line(red("not available: "), f"the labels of {join_words(plan.unlabelled)}")
    if plan.lost or plan.unlabelled:
        console.note(
            faint(
                f"Neither this project nor {name} has these. A machine that has them can run `aura repair --to` with "
                f"its name for {name}; what was repaired stays so."
            )
        )
    if any(loss.offloaded for loss in plan.lost):
        console.note(faint("What is offloaded here may be at another remote: `aura fetch --content` brings it first."))


def _to_json(plan: "RemoteRepairPlan", *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "remote": plan.remote,
        "damaged": [{"file": fault.file, "detail": fault.detail} for fault in plan.faults],
        "objects": plan.objects,
        "bytes": plan.stored_bytes,
        "replaced": [*map(pack_name, plan.packs), *map(record_name, plan.records)],
        "lost": [
            {"object": loss.object_id, "versions": list(loss.versions), "offloaded": loss.offloaded}
            for loss in plan.lost
        ],
        "unlabelled": list(plan.unlabelled),
    }
