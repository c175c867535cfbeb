"""What `undo`, `redo` and `merge --abort` say."""

from typing import TYPE_CHECKING, Any

from aura_vcs.cli.output.console import Console, faint, strong
from aura_vcs.cli.output.humanize import call, count, shown_pointer, titled
from aura_vcs.cli.output.json_shapes import checkout_to_json, version_to_json
from aura_vcs.cli.shared.checkout_report import print_kept_unsaved, print_point, print_restore_point, print_skipped
from aura_vcs.history.names.branches import branch

if TYPE_CHECKING:
    from aura_vcs.history.undo import Undone
    from aura_vcs.model import Head
    from aura_vcs.repository.repository import Repository


def print_undone(repo: "Repository", console: Console, done: "Undone", verb: str, way_back: str) -> None:
    """Say what was taken back or done again, and where that leaves the folder."""
    if console.as_json:
        console.data(undone_to_json(repo, done))
        return
    for message in done.passed_over:
        console.note(f"Skipped: {message}")
    console.line(f"{verb}: ", strong(done.description))
    record = repo.queries.version(done.head.version) if done.head.version is not None else None
    changed = f", {count(done.files.changed, 'path')} changed" if done.files is not None else ""
    console.line(*shown_pointer(done.head, record, call(repo, record)), changed)
    if done.files is None:  # else it says where the folder is, and the branch did not move
        _print_moved_on(repo, console, done.head)
    for point in done.other_restore_points:
        print_point(repo, console, point)
    if done.files is not None:
        print_restore_point(repo, console, done.files)
        print_kept_unsaved(console, done.files)
        print_skipped(console, done.files)
    console.line(faint(way_back))


def _print_moved_on(repo: "Repository", console: Console, head: "Head") -> None:
    """Say where the branch is if others have moved it on: the next command may follow it there."""
    found = branch(repo, head.branch) if head.branch is not None else None
    if found is None or found.version in {head.version, None}:
        return
    newer = repo.queries.version(found.version)
    name = titled(newer, call(repo, newer)) if newer is not None else "another version"
    console.line(f"  The branch itself stays at {name}.")


def undone_to_json(repo: "Repository", done: "Undone") -> dict[str, Any]:
    """Convert to JSON what was taken back or done again, and where that leaves the folder."""
    operation = {"id": done.operation.undoes or done.operation.redoes, "description": done.description}
    shape = {"operation": operation, **checkout_to_json(repo, done.head, done.files)}
    points = [version_to_json(point) for point in done.other_restore_points]
    return shape | {"passed_over": list(done.passed_over), "other_restore_points": points}
