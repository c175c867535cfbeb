"""`aura offload`."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.options import HELP, POSITIVE, ByteSize, Duration, completing, dry_run_option, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, strong
from aura_vcs.cli.output.humanize import count, join_words, size
from aura_vcs.cli.session import pass_repository, project_paths
from aura_vcs.cli.shared.studio import setting
from aura_vcs.cli.shared.transfers import connect_to
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.history.recording.journal import recover
from aura_vcs.plain_text import format_time
from aura_vcs.sync.offload.offload import OFFLOAD_BYTES, execute_offload, plan_offload
from aura_vcs.sync.offload.witnesses import witnesses

if TYPE_CHECKING:
    from aura_vcs.history.lookup.select_files import ChosenFiles
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.offload.offload import Freed, OffloadedFile, OffloadPlan

SHOWN = 10


@click.command(
    "offload",
    context_settings=HELP,
    epilog=examples(
        "aura offload --dry-run",
        "aura offload v3 v4",
        "aura offload assets/raw --older-than 90d",
        "aura offload --copies 2",
    ),
)
@click.argument("what", metavar="[VERSION|PATH]...", nargs=-1)
@click.option("--older-than", type=Duration(), metavar="TIME", help="Only versions made longer ago, e.g. 90d")
@click.option(
    "--remote",
    "names",
    metavar="NAME",
    multiple=True,
    shell_complete=completing("remote"),
    help="Ask this remote (default: all that can be reached)",
)
@click.option("--copies", type=POSITIVE, metavar="N", help="How many remotes must hold it (default: offload.copies)")
@click.option(
    "--min-size",
    "least_bytes",
    type=ByteSize(),
    metavar="SIZE",
    help="Smaller files stay, e.g. 500k, 10M (default: 1M)",
)
@click.option("--verify", is_flag=True, help="Read and hash all of it at the remotes, not samples")
@dry_run_option
@json_option
@pass_repository
def offload_command(
    repo: "Repository",
    console: Console,
    what: tuple[str, ...],
    *,
    older_than: float | None,
    names: tuple[str, ...],
    copies: int | None,
    least_bytes: int | None,
    verify: bool,
    dry_run: bool,
) -> None:
    """Free the space of large files that a remote holds

    The remote must prove that it has them before anything is freed. The history stays complete; what
    you go back to is fetched when it is needed. Documents, the version you are on, and all that no
    remote has stay here. `aura fetch --content` brings everything back. With --dry-run, what the
    remotes list counts, and no content is read unless you give --verify.
    """
    if not dry_run:
        recover(repo)
        repo.adopt_unrecorded_objects()
    chosen = _chosen(repo, what, older_than)
    with witnesses(repo, names, connect_to(repo)) as found:
        for name, reason in found.unreachable.items():
            console.warn(f"{name} cannot be asked: {reason}")
        plan = plan_offload(
            repo,
            found.asked,
            chosen,
            copies=copies or int(setting(repo, "offload.copies")),
            least_bytes=OFFLOAD_BYTES if least_bytes is None else least_bytes,
            everything=verify,
        )
    _print_plan(console, plan)
    if dry_run and plan.to_free and not verify:
        console.line(faint("The remotes list it; they must prove that they have it before it is freed."))
    done = None if dry_run else execute_offload(repo, plan)
    if plan.faults:
        console.exit_code = 3
    if console.as_json:
        console.data(_to_json(plan, done))
    elif done is not None and done.files:
        files = count(done.files, "file")
        console.line(green("Freed "), strong(size(done.freed_bytes)), f": {files} offloaded, fetched when needed")


def _chosen(repo: "Repository", what: Sequence[str], older_than: float | None) -> "ChosenFiles":
    before = None if older_than is None else format_time(datetime.now(UTC) - timedelta(seconds=older_than))
    return select_files(repo, what, before=before, as_path=lambda name: project_paths(repo, (name,))[0])


def _print_plan(console: Console, plan: "OffloadPlan") -> None:
    for fault in plan.faults:
        console.warn(f"{fault}; what it holds there does not count")
    if plan.to_free:
        content = sum(file.size_bytes for file in plan.to_free)
        remotes = join_words(dict.fromkeys(name for file in plan.to_free for name in file.remotes))
        files = count(len(plan.to_free), "file")
        console.line(
            "To free: ", strong(size(plan.freed_bytes)), f", {files} of {size(content)} that ", cyan(remotes), " holds"
        )
        _print_files(console, plan.to_free)
    elif not plan.staying:
        console.line("There is nothing large to offload.")
    if plan.staying:
        console.line(
            faint(f"Stays: {count(len(plan.staying), 'file')}, {size(sum(f.size_bytes for f in plan.staying))}")
        )
        _print_files(console, plan.staying)


def _print_files(console: Console, files: "Sequence[OffloadedFile]") -> None:
    for file in sorted(files, key=lambda file: -file.size_bytes)[:SHOWN]:
        why = f"  ({file.reason})" if file.reason else ""
        console.line(f"{size(file.size_bytes).rjust(12)}  {file.path}", faint(why))
    if len(files) > SHOWN:
        console.line(faint(f"              and {len(files) - SHOWN:,} more"))


def _to_json(plan: "OffloadPlan", done: "Freed | None") -> dict[str, Any]:
    def to_json(file: "OffloadedFile") -> dict[str, Any]:
        return {"id": file.id, "path": file.path, "size_bytes": file.size_bytes, "remotes": list(file.remotes)}

    return {
        "dry_run": done is None,
        "copies": plan.copies,
        "offloaded": [to_json(file) for file in plan.to_free],
        "kept": [{**to_json(file), "reason": file.reason} for file in plan.staying],
        "faults": list(plan.faults),
        "freed_bytes": plan.freed_bytes if done is None else done.freed_bytes,
        "read_bytes": plan.read_bytes,
    }
