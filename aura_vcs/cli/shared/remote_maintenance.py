"""`aura gc --remote` and `aura fsck --remote`: the plan in words, and what was found."""

from typing import TYPE_CHECKING, Any

from aura_vcs.cli.output.console import Console, cyan, faint, green, red, strong
from aura_vcs.cli.output.humanize import count, join_words, size
from aura_vcs.cli.shared.transfers import connected
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.maintenance.fsck import VerifyReport
    from aura_vcs.sync.maintenance.gc import RemoteCollected, RemoteGcPlan


def collect_remote(
    repo: "Repository", console: Console, name: str, *, dry_run: bool, grace_seconds: float | None
) -> None:
    """Show what would go on a remote, and let it go."""
    from aura_vcs.sync.maintenance.gc import GRACE_SECONDS, RemoteCollected, execute_remote_gc, plan_remote_gc

    grace = GRACE_SECONDS if grace_seconds is None else grace_seconds
    with connected(repo, name) as link:
        plan = plan_remote_gc(repo, link.remote, link.cache, grace_seconds=grace)
        _show(console, link.name, plan)
        done = RemoteCollected(0, 0, 0, 0)
        if not dry_run:
            done = execute_remote_gc(repo, link.remote, link.cache, plan, single_writer=link.config.single_writer)
    if console.as_json:
        console.data(_to_json(plan, done, dry_run=dry_run))
    elif done.removed_files:
        console.line(green("Freed "), strong(size(done.freed_bytes)), f": {count(done.removed_files, 'file')} deleted")


def _show(console: Console, name: str, plan: "RemoteGcPlan") -> None:
    if plan.is_empty and not plan.waiting:
        console.line("There is no garbage at ", cyan(name))
        return
    if plan.shrinks:
        dead = sum(shrink.dead_bytes for shrink in plan.shrinks)
        kept = sum(shrink.pack.size for shrink in plan.shrinks) - dead
        what = f"{count(len(plan.shrinks), 'pack')} with {size(dead)} that no version holds any more"
        console.line(f"To rewrite: {what}; {size(kept)} are fetched and sent once more")
    if plan.to_retire:
        console.line(
            f"To retire: {_files(plan.to_retire)}, which nothing needs; they are deleted when every machine has looked"
        )
    if plan.to_delete:
        console.line(f"To delete: {_files(plan.to_delete)}")
    if plan.noted:
        console.line(faint(f"Noted: {_files(plan.noted)}, perhaps uploads under way"))
    if plan.waiting:
        machines = f" until {join_words(plan.waiting_for)} has looked, or" if plan.waiting_for else " until"
        console.line(faint(f"Kept{machines} the grace period is over: {_files(plan.waiting)}"))


def _files(entries: Any) -> str:
    return f"{count(len(entries), 'file')}, {size(sum(entry.size for entry in entries))}"


def _to_json(plan: "RemoteGcPlan", done: "RemoteCollected", *, dry_run: bool) -> dict[str, Any]:
    def numbers(entries: Any) -> dict[str, int]:
        return {"files": len(entries), "bytes": sum(entry.size for entry in entries)}

    return {
        "dry_run": dry_run,
        "remote": plan.remote,
        "bytes": plan.bytes,
        "rewrite": {"packs": len(plan.shrinks), "bytes": sum(shrink.dead_bytes for shrink in plan.shrinks)},
        "condemn": numbers(plan.to_retire),
        "delete": numbers(plan.to_delete),
        "noted": numbers(plan.noted),
        "waiting": numbers(plan.waiting),
        "waiting_for": list(plan.waiting_for),
        "removed_files": done.removed_files,
        "freed_bytes": done.freed_bytes,
    }


def check_remote_content(repo: "Repository", console: Console, name: str, share: float) -> None:
    """Look through a remote, and hash a share of its content."""
    from aura_vcs.sync.maintenance.fsck import fsck_remote
    from aura_vcs.sync.state.snapshot import load_unremembered

    with connected(repo, name) as link:
        report = fsck_remote(load_unremembered(repo, link.remote, link.cache), sample=share, progress=repo.progress)
        name = link.name
    if not report.is_clean:
        console.exit_code = IntegrityError.exit_code
    if console.as_json:
        problems = [{"kind": p.kind, "what": p.what, "detail": p.detail} for p in report.problems]
        console.data(
            {
                "ok": report.is_clean,
                "problems": problems,
                "objects": report.objects,
                "bytes": report.read_bytes,
                "versions": report.versions,
                "stored_bytes": report.stored_bytes,
            }
        )
        return
    for problem in report.problems:
        console.line(red(problem.kind.replace("_", " ")), f"  {problem.what}: {problem.detail}")
    looked = f"{count(report.versions, 'version')}, {count(report.objects, 'object')}; "
    looked += f"{size(report.read_bytes)} of {size(report.stored_bytes)} read and hashed"
    if report.is_clean:
        console.line(green("Everything that was looked at is intact"), " at ", cyan(name), f": {looked}")
    else:
        console.line(red(count(len(report.problems), "problem")), f"; {looked}")
        _advise(repo, console, name, report)


def _advise(repo: "Repository", console: Console, name: str, report: "VerifyReport") -> None:
    """Say who can repair it: this project, as far as it has what is damaged or missing there."""
    bad_objects = [ObjectId(p.what) for p in report.problems if p.kind in {"missing_object", "corrupt_object"}]
    elsewhere = sum(1 for object_id in bad_objects if not repo.store.contains(object_id))
    if not elsewhere:
        console.line(faint(f"Repair it from here: `aura repair --to {name}` sends what is damaged or missing there."))
        return
    away = f"{count(elsewhere, 'object')} of these {'is' if elsewhere == 1 else 'are'} not here."
    sends = f"`aura repair --to {name}` sends what is; a machine that has the versions can do the rest in the same way."
    console.line(faint(f"{away} {sends}"))
