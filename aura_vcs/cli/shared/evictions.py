"""Content of versions that can be made again: marked, freed, and what is said of it."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aura_vcs.annotations.proofs import NOT_TRIED
from aura_vcs.cli.output.console import Console, cyan, faint, green
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.shared.transfers import connect_to
from aura_vcs.errors import InputError
from aura_vcs.ids import ObjectId
from aura_vcs.model import GRACE_SECONDS
from aura_vcs.repository.format_file import ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.offload.evict import EvictableFile, FreedEvicted, VersionEviction


@dataclass(frozen=True)
class EvictionRequest:
    """What a person asked for; seconds, and the remotes that may prove what is needed."""

    older_than: float
    grace_seconds: float | None
    remotes: tuple[str, ...]
    prove: bool
    dry_run: bool
    yes: bool


def evict_versions(repo: "Repository", console: Console, request: EvictionRequest) -> None:
    """Mark what can go, free what was marked longer ago than the grace period, and print both.

    Recipes that were not tried are tried first, where the person says so.
    """
    from aura_vcs.sync.offload.evict import (
        FreedEvicted,
        find_untried,
        free_evicted,
        mark_evicted,
        plan_freeing,
        plan_version_eviction,
        with_faults,
    )
    from aura_vcs.sync.offload.witnesses import witnesses

    grace = GRACE_SECONDS if request.grace_seconds is None else request.grace_seconds
    with ExitStack() as stack:
        asked = []
        if request.remotes:
            asked = stack.enter_context(witnesses(repo, request.remotes, connect_to(repo))).asked
        plan, faults = plan_version_eviction(repo, request.older_than, asked), dict[ObjectId, str]()
        if request.prove and not request.dry_run and (untried := find_untried(repo, plan, asked)):
            faults = _try(repo, console, untried, yes=request.yes)
            plan = plan_version_eviction(repo, request.older_than, asked).with_faults(faults)
        if not console.as_json:
            for file in plan.going:
                console.line("  ", cyan(file.path), faint(f"  {size(file.size)}"))
        if request.dry_run:
            due = plan_freeing(repo, grace, asked)
            _print(console, plan, FreedEvicted(0, due.size, due.staying), dry_run=True)
            return
        if plan.going and not request.yes:
            if console.as_json:
                hint = "--yes marks them, --dry-run lists them."
                raise InputError("Nothing was marked: there is nobody to ask", hint=hint)
            if not console.ask(f"Mark {count(len(plan.going), 'file')}, {size(plan.size)}, to be freed?"):
                console.line("Nothing was marked.")
                return
        mark_evicted(repo, plan)
        done = free_evicted(repo, grace, asked)
    done = FreedEvicted(done.files, done.freed_bytes, with_faults(done.staying, faults))
    _print(console, plan, done, dry_run=False)


def _try(repo: "Repository", console: Console, untried: "Sequence[ObjectId]", *, yes: bool) -> dict[ObjectId, str]:
    """Try recipes that were not tried yet; return what is wrong with those that do not make the same bytes again."""
    from aura_vcs.project.derived import try_recipes

    if console.as_json and not yes:
        hint = "--yes runs them and marks what they make again, --dry-run lists it."
        raise InputError("No recipe was tried: there is nobody to ask", hint=hint)
    console.line(faint(f"Trying {count(len(untried), 'recipe')}, each in a folder of its own"))
    return try_recipes(repo, untried)


def _print(console: Console, plan: "VersionEviction", done: "FreedEvicted", *, dry_run: bool) -> None:
    staying = [*plan.staying, *done.staying]
    if console.as_json:
        going = [{"path": file.path, "id": file.id, "bytes": file.size} for file in plan.going]
        left = [{"path": file.path, "id": file.id, "reason": file.reason} for file in staying]
        found: dict[str, Any] = {"dry_run": dry_run, "files": going, "left": left, "bytes": plan.size}
        console.data({**found, "freed_files": done.files, "freed_bytes": done.freed_bytes})
        return
    if done.files:
        console.line(green(f"Freed {size(done.freed_bytes)} in {count(done.files, 'file')}."))
    else:
        verb = "Would mark" if dry_run else "Marked"
        files = count(len(plan.going), "file")
        console.line(f"{verb} {files}, {size(plan.size)}: `aura gc` frees it after the grace period.")
        if not dry_run and plan.going:
            console.line(faint("Keep it with `aura undo`."))
    for file in staying:
        console.line(faint(f"  {file.path} stays: {file.reason}"))
    _print_how_to_try(console, staying)


def _print_how_to_try(console: Console, staying: "Iterable[EvictableFile]") -> None:
    if any(file.reason == NOT_TRIED for file in staying):
        console.line("`aura derived evict --versions --prove` tries recipes, and marks what they make byte for byte.")


def freed_words(files: int, freed: int, *, dry_run: bool = False) -> str:
    """Say how many files of versions went, or would, and how many bytes on disk, which small ones share with others."""
    what = f"{count(files, 'file')} of versions that can be made again"
    if not freed:
        return f"Would let go of {what}" if dry_run else f"Let go of {what}"
    return f"Would free {size(freed)}: {what}" if dry_run else f"Freed {size(freed)}: {what}"


def free_marked(repo: "Repository", console: Console, grace_seconds: float, *, dry_run: bool) -> dict[str, int]:
    """Free what was marked longer ago than the grace period, or say what would be; return it for `--json`."""
    if ANNOTATIONS not in repo.format.features:
        return {"evicted_files": 0, "evicted_bytes": 0}
    from aura_vcs.sync.offload.evict import free_evicted, plan_freeing

    if dry_run:
        plan = plan_freeing(repo, grace_seconds)
        files, freed = len(plan.going), plan.size
        staying = plan.staying
    else:
        done = free_evicted(repo, grace_seconds)
        files, freed, staying = done.files, done.freed_bytes, done.staying
    if files:
        console.line(freed_words(files, freed, dry_run=dry_run))
    for file in staying:
        console.line(faint(f"  {file.path} stays: {file.reason}"))
    _print_how_to_try(console, staying)
    return {"evicted_files": files, "evicted_bytes": freed}
