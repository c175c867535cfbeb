"""`aura gc`."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, Duration, completing, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, faint, green, strong
from aura_vcs.cli.output.humanize import call, count, join_words, local_time, long_duration, size
from aura_vcs.cli.session import pass_repository
from aura_vcs.cli.shared.evictions import free_marked, freed_words
from aura_vcs.cli.shared.housekeeping import go_last
from aura_vcs.cli.shared.remote_maintenance import collect_remote
from aura_vcs.cli.shared.studio import setting
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import GRACE_SECONDS
from aura_vcs.plain_text import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Collection

    from aura_vcs.index.records import ObjectRecord
    from aura_vcs.maintenance.gc import Collected, GcPlan
    from aura_vcs.repository.repository import Repository


@click.command(
    "gc",
    context_settings=HELP,
    epilog=examples("aura gc --dry-run", "aura gc", "aura gc --grace 2d", "aura gc --remote nas --dry-run"),
)
@dry_run_option
@click.option(
    "--grace", "grace_seconds", type=Duration(), metavar="TIME",
    help="Keep what was deleted within this time, e.g. 2h, 14d (the default); 0 frees everything now",
)  # fmt: skip
@click.option(
    "--remote", metavar="NAME", shell_complete=completing("remote"), help="Collect garbage on a remote instead of here"
)
@click.option("--media-index", is_flag=True, help="Free the media index instead; it is made again when needed")
@click.option("--no-wait", is_flag=True, help="Do not wait until other machines with copies of this folder know")
@click.option(
    "--auto",
    is_flag=True,
    help="Do what is due, if nothing else runs, as happens automatically once a day",
)
@json_option
@pass_repository
def gc_command(
    repo: "Repository",
    console: Console,
    *,
    dry_run: bool,
    grace_seconds: float | None,
    remote: str | None,
    media_index: bool,
    no_wait: bool,
    auto: bool,
) -> None:
    """Free the space of content that no version holds any more

    Content is garbage when the versions that held it were deleted or purged. It is kept for the grace
    period, so that undo can bring it back; then gc deletes it for good. If a tool such as Dropbox
    copies this folder to other machines, gc waits until each of them knows what is to be deleted. What
    an interrupted command left in the store is deleted after a day.

    Once a day, after a commit or an autosave, what is due is deleted automatically in the background;
    `aura config set maintenance.auto off` stops that.

    Scattered objects are packed together. Gzip and ZIP files, such as .prproj and .drp, are stored as
    what is in them if they come back byte for byte; `aura config set maintenance.unwrap off` leaves
    them as they are.

    With --remote, files that no version needs are deleted from that remote in two steps: they are
    marked first, and deleted when every machine that pushes there has seen the mark, or the grace
    period is over.
    """
    if media_index:
        if auto or remote is not None or no_wait or grace_seconds is not None:
            raise click.UsageError("--media-index can only be combined with --dry-run and --json.")
        _clear_media_index(repo, console, dry_run=dry_run)
        return
    if auto:
        if dry_run or remote is not None or no_wait or grace_seconds is not None:
            raise click.UsageError("--auto can only be combined with --json.")
        _by_itself(repo, console)
        return
    if remote is not None:
        collect_remote(repo, console, remote, dry_run=dry_run, grace_seconds=grace_seconds)
        return
    grace = GRACE_SECONDS if grace_seconds is None else grace_seconds
    plan = plan_gc(repo, grace_seconds=grace, wait_for_others=not no_wait)
    _show_plan(repo, console, plan, grace)
    if dry_run:
        evicted = free_marked(repo, console, grace, dry_run=True)
        if console.as_json:
            console.data({**_planned(plan), **evicted})
        return
    done = execute_gc(repo, plan, unwrap=setting(repo, "maintenance.unwrap"))
    evicted = free_marked(repo, console, grace, dry_run=False)
    if console.as_json:
        console.data({**_done(done), **_waiting(plan), **evicted})
    else:
        _print_freed(console, done)


def _clear_media_index(repo: "Repository", console: Console, *, dry_run: bool) -> None:
    """Remove every entry of the media index, or say what that would free."""
    from aura_vcs.history.media_index.store import MediaIndexStore

    index = MediaIndexStore.of(repo)
    room = index.room() if dry_run else index.clear()
    if console.as_json:
        planned = {"dry_run": True} if dry_run else {}
        console.data({**planned, "removed_entries": room.entries, "freed_bytes": room.bytes})
    elif not room.entries:
        console.line("The media index is empty.")
    else:
        entries = count(room.entries, "entry", "entries")
        done = "Would free " if dry_run else green("Freed ")
        console.line(done, strong(size(room.bytes)), f": {entries} of the media index")


def _by_itself(repo: "Repository", console: Console) -> None:
    """Do what is due, at the lowest priority; nothing where somebody else is at work."""
    from aura_vcs.sync.offload.evict import keep_house

    go_last()
    done, evicted = keep_house(repo, unwrap=setting(repo, "maintenance.unwrap"), force=True)
    if console.as_json:
        shape = _done(done) if done is not None else dict.fromkeys(_KEYS, 0)
        console.data({**shape, "evicted_files": evicted.files, "evicted_bytes": evicted.freed_bytes})
    elif evicted.files:
        console.line(freed_words(evicted.files, evicted.freed_bytes))
        if done is not None:
            _print_freed(console, done)
    elif done is None:
        console.line("Nothing was due.")
    else:
        _print_freed(console, done)


def _print_freed(console: Console, done: "Collected") -> None:
    deleted = count(done.removed_objects, "object")
    if done.freed_bytes:
        console.line(green("Freed "), strong(size(done.freed_bytes)), f": {deleted} deleted")
    elif done.removed_objects:
        console.line(green("Deleted "), f"{deleted}, which took no space of their own")


def _show_plan(repo: "Repository", console: Console, plan: "GcPlan", grace: float) -> None:
    if plan.purged:
        versions = join_words(call(repo, record) for record in plan.purged)
        since = f" more than {long_duration(grace)} ago" if grace else ""
        console.line(f"The content of {versions}, deleted{since}, is deleted for good; the record stays")
    if plan.to_delete:
        left = [item for item in plan.to_delete if item.id in plan.unrecorded]
        of_it = f"; of these an interrupted command left {_amount(left)}" if left else ""
        console.line(f"To delete: {_amount(plan.to_delete)}{of_it}")
    elif not plan.in_grace_period and not plan.in_shared_packs and not plan.unacknowledged:
        console.line("There is no garbage.")
    if plan.in_shared_packs:
        later = _amount(plan.in_shared_packs)
        console.line(faint(f"Left for later: {later}, in packs that are mostly in use"))
    if plan.unacknowledged:
        _show_unread(console, plan)
    left = [item for item in plan.in_grace_period if item.id in plan.unrecorded]
    kept = [item for item in plan.in_grace_period if item.id not in plan.unrecorded]
    if kept:
        until = _grace_until(kept, plan.cutoff, grace)
        console.line(faint(f"Kept{until}, so that undo can bring it back: {_amount(kept)} (`--grace 0` keeps nothing)"))
    if left:
        moment = local_time(plan.unrecorded_until)
        console.line(
            faint(f"Left by an interrupted command, removed automatically after a day, {moment}: {_amount(left)}")
        )


def _amount(items: "Collection[ObjectRecord]") -> str:
    return f"{count(len(items), 'object')}, {size(sum(item.stored_size for item in items))}"


def _grace_until(kept: "Collection[ObjectRecord]", cutoff: str, grace: float) -> str:
    """Until which day what is kept can be brought back; "" where something else keeps it."""
    dates = [item.last_referenced_at for item in kept if item.last_referenced_at > cutoff]
    if not dates:
        return ""
    first, last = (_day(moment, grace) for moment in (min(dates), max(dates)))
    return f" until {last}" if first == last else f" until {first} at least, some of it until {last}"


def _day(moment: str, grace: float) -> str:
    try:
        return local_time(format_time(parse_time(moment) + timedelta(seconds=grace)))[:10]
    except OverflowError:
        return "the end of time"


def _show_unread(console: Console, plan: "GcPlan") -> None:
    unread = size(sum(item.stored_size for item in plan.unacknowledged))
    machines = join_words(other.host or other.replica for other in plan.waiting_for)
    verb = "knows" if len(plan.waiting_for) == 1 else "know"
    console.line(f"Kept until {machines} {verb} that it goes: {count(len(plan.unacknowledged), 'object')}, {unread}")
    console.line(
        faint("They work in copies of this folder. Run any aura command there, and let the tool copy both ways.")
    )
    console.line(faint("If such a machine is gone for good: `aura gc --no-wait`."))


_KEYS = {
    "removed_objects": "removed_objects",
    "freed_bytes": "freed_bytes",
    "condemned_objects": "candidate_objects",
    "kept_by_grace": "in_grace_period",
}
"""What `--json` prints, and which field of `Collected` it is."""


def _done(done: "Collected") -> dict[str, Any]:
    return {key: getattr(done, field) for key, field in _KEYS.items()}


def _waiting(plan: "GcPlan") -> dict[str, Any]:
    return {
        "unread_objects": len(plan.unacknowledged),
        "waiting_for": [{"replica": other.replica, "host": other.host} for other in plan.waiting_for],
    }


def _planned(plan: "GcPlan") -> dict[str, Any]:
    return {
        "dry_run": True,
        "removed_objects": len(plan.to_delete),
        "freed_bytes": plan.bytes,
        "condemned_objects": len(plan.in_grace_period) + len(plan.in_shared_packs) + len(plan.unacknowledged),
        "kept_by_grace": len(plan.in_grace_period),
        **_waiting(plan),
    }
