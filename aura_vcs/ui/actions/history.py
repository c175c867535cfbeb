"""What is done to versions, branches, tags, files and merges."""

import os
from typing import Any

from aura_vcs.api.reporting import Call
from aura_vcs.cli.commands.branch import branch_to_json
from aura_vcs.cli.commands.commit import committed_paths, committed_to_json
from aura_vcs.cli.commands.merge import done_to_json, plan_to_json
from aura_vcs.cli.commands.tag import tag_to_json
from aura_vcs.cli.output.conflict_json import numbered_conflicts
from aura_vcs.cli.output.json_shapes import (
    checkout_to_json,
    conflict_to_json,
    version_to_json,
)
from aura_vcs.cli.shared.conflict_media import known_media
from aura_vcs.cli.shared.undo_report import undone_to_json
from aura_vcs.errors import InputError
from aura_vcs.history import checkout as checkout_room, commit as commit_room, merge as merge_room, undo as undo_room
from aura_vcs.history.abort_merge import abort_merge
from aura_vcs.history.file_edits import read_document
from aura_vcs.history.merging.conflict_groups import group_conflicts
from aura_vcs.history.names import branches as branch_room, tags as tag_room
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.resolve import Decision, Resolved, resolve_by_hand, resolve_conflicts
from aura_vcs.history.versions import delete_version, edit_version, undelete_version
from aura_vcs.ids import ObjectId
from aura_vcs.interchange.export_version import export_version
from aura_vcs.project.scenes.set_values import set_values
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.project_configuration import OpenStudio, configured_value
from aura_vcs.studio.setting_keys import PATTERNS
from aura_vcs.sync.locks.advice import lock_advice
from aura_vcs.ui.actions.base import PageAction, Wish, given_paths, of_library, shown
from aura_vcs.ui.hand_edits import editable_text, edited_bytes
from aura_vcs.ui.workspace import ProjectLane


class CommitWish(Wish, frozen=True):
    name: str
    description: str = ""
    important: bool = False
    paths: list[str] | None = None


def _commit(lane: ProjectLane, call: Call, wish: CommitWish) -> Any:
    return lane.run_reporting(call, _committed, wish, lane.known_studio)


def _committed(repo: Repository, wish: CommitWish, studio: OpenStudio | None) -> Any:
    paths = given_paths(repo, wish.paths) if wish.paths else None
    wanted = commit_room.CommitRequest(wish.name, wish.description, wish.important, paths=paths)
    done = commit_room.commit(repo, wanted)
    paths = committed_paths(repo, done)
    advice = lock_advice(repo, paths, configured_value(repo, studio, PATTERNS)) if paths else ()
    return committed_to_json(repo, done, advice)


class EditWish(Wish, frozen=True):
    version: str
    name: str | None = None
    description: str | None = None
    important: bool | None = None


def _edit(repo: Repository, wish: EditWish) -> Any:
    before = resolve(repo, wish.version)
    done = edit_version(repo, before, name=wish.name, description=wish.description, important=wish.important)
    return {"version": version_to_json(done), "changed": done != before}


class VersionWish(Wish, frozen=True):
    version: str


def _delete(repo: Repository, wish: VersionWish) -> Any:
    return {"version": version_to_json(delete_version(repo, resolve(repo, wish.version)))}


def _undelete(repo: Repository, wish: VersionWish) -> Any:
    return {"version": version_to_json(undelete_version(repo, resolve(repo, wish.version)))}


class TagWish(Wish, frozen=True):
    name: str
    version: str = "HEAD"
    message: str = ""


def _tag(repo: Repository, wish: TagWish) -> Any:
    tag_room.create_tag(repo, wish.name, resolve(repo, wish.version).id, wish.message)
    return {"tag": tag_to_json(repo, wish.name, repo.refs.tags()[wish.name])}


class NameWish(Wish, frozen=True):
    name: str


def _untag(repo: Repository, wish: NameWish) -> Any:
    tag_room.delete_tag(repo, wish.name)
    return {"deleted": wish.name}


class BranchWish(Wish, frozen=True):
    name: str
    version: str = "HEAD"


def _branch(repo: Repository, wish: BranchWish) -> Any:
    branch_room.create_branch(repo, wish.name, resolve(repo, wish.version).id)
    return {"branch": branch_to_json(repo, branch_room.get_branch(repo, wish.name))}


class RestoreWish(Wish, frozen=True):
    version: str
    paths: list[str] | None = None


def _restore(repo: Repository, wish: RestoreWish) -> Any:
    paths = given_paths(repo, wish.paths) if wish.paths else None
    moved = checkout_room.restore(repo, wish.version, paths)
    return checkout_to_json(repo, moved.head, moved)


class CheckoutWish(Wish, frozen=True):
    version: str
    clean: bool = False


def _checkout(repo: Repository, wish: CheckoutWish) -> Any:
    moved = checkout_room.checkout(repo, wish.version, clean=wish.clean)
    return checkout_to_json(repo, moved.head, moved)


class UndoWish(Wish, frozen=True):
    operation: str | None = None


def _undo(repo: Repository, wish: UndoWish) -> Any:
    action = undo_room.find_action(repo, wish.operation) if wish.operation is not None else None
    return undone_to_json(repo, undo_room.undo(repo, action))


def _redo(repo: Repository, wish: UndoWish) -> Any:
    action = undo_room.find_action(repo, wish.operation) if wish.operation is not None else None
    return undone_to_json(repo, undo_room.redo(repo, action))


class MergeWish(Wish, frozen=True):
    version: str | None = None
    message: str = ""


def _merge(repo: Repository, wish: MergeWish) -> Any:
    done = merge_room.merge(repo, wish.version, message=wish.message)
    return {
        "dry_run": False,
        **plan_to_json(done.plan, known_media(repo, done.plan.conflicts)),
        **done_to_json(repo, done),
    }


class EmptyWish(Wish, frozen=True):
    pass


def _abort(repo: Repository, _: EmptyWish) -> Any:
    return undone_to_json(repo, abort_merge(repo))


class ResolveWish(Wish, frozen=True):
    path: str
    decision: Decision
    place: str = ""
    source: str = ""


def _resolve(repo: Repository, wish: ResolveWish) -> Any:
    path = given_paths(repo, [wish.path])[0]
    return _resolved(repo, resolve_conflicts(repo, path, wish.place, wish.decision, source=wish.source))


def _resolved(repo: Repository, done: Resolved) -> Any:
    left = numbered_conflicts(group_conflicts(done.remaining))
    shape = {"decided": [conflict_to_json(item) for item in done.decided], "left": left}
    return {**shape, **checkout_to_json(repo, done.files.head, done.files)}


class EditedResolveWish(Wish, frozen=True):
    path: str
    place: str
    field: str
    value: str


def _resolve_edited(repo: Repository, wish: EditedResolveWish) -> Any:
    """Give a field another value than either side has, and take that as the decision."""
    set_values(repo, {wish.field: wish.value})
    return _resolve(repo, ResolveWish(path=wish.path, place=wish.place, decision="as_is"))


class WrittenResolveWish(Wish, frozen=True):
    path: str
    text: str
    shown: str


def _resolve_written(repo: Repository, wish: WrittenResolveWish) -> Any:
    """Take a text that was edited on the page as the decision about the whole file."""
    path = given_paths(repo, [wish.path])[0]
    before = read_document(repo, path)
    if before is None or editable_text(before) is None:
        raise InputError(f"{wish.path} cannot be edited here", hint="Edit it in its program, then take it as it is.")
    done = resolve_by_hand(repo, path, edited_bytes(wish.text, before), ObjectId(wish.shown))
    return _resolved(repo, done)


class CopyWish(Wish, frozen=True):
    version: str
    target: str
    paths: tuple[str, ...] = ()


def _copy(repo: Repository, wish: CopyWish) -> Any:
    if not wish.target.startswith("/") and not wish.target.startswith("~"):
        raise InputError(f"{wish.target} does not say where", hint="Give a whole path, such as /home/mara/old-cut.")
    target = os.path.abspath(os.path.expanduser(wish.target))
    return export_version(repo, wish.version, target, given_paths(repo, wish.paths))


HISTORY_ACTIONS: dict[str, PageAction] = {
    "commit": PageAction(CommitWish, lambda wish: f"Commit “{wish.name}”", _commit),
    "version/edit": PageAction(EditWish, lambda wish: f"Edit {shown(wish.version)}", of_library(_edit)),
    "version/delete": PageAction(VersionWish, lambda wish: f"Delete {shown(wish.version)}", of_library(_delete)),
    "version/undelete": PageAction(
        VersionWish, lambda wish: f"Bring back {shown(wish.version)}", of_library(_undelete)
    ),
    "tag": PageAction(TagWish, lambda wish: f"Tag {wish.name}", of_library(_tag)),
    "tag/delete": PageAction(NameWish, lambda wish: f"Remove tag {wish.name}", of_library(_untag)),
    "branch": PageAction(BranchWish, lambda wish: f"Start branch {wish.name}", of_library(_branch)),
    "restore": PageAction(RestoreWish, lambda wish: f"Restore from {shown(wish.version)}", of_library(_restore)),
    "checkout": PageAction(CheckoutWish, lambda wish: f"Go to {shown(wish.version)}", of_library(_checkout)),
    "undo": PageAction(UndoWish, lambda _: "Undo", of_library(_undo)),
    "redo": PageAction(UndoWish, lambda _: "Redo", of_library(_redo)),
    "merge": PageAction(MergeWish, lambda wish: f"Merge {shown(wish.version or 'the other head')}", of_library(_merge)),
    "merge/abort": PageAction(EmptyWish, lambda _: "Take the merge back", of_library(_abort)),
    "resolve": PageAction(ResolveWish, lambda wish: f"Resolve {wish.path}", of_library(_resolve)),
    "resolve/edit": PageAction(EditedResolveWish, lambda wish: f"Resolve {wish.path}", of_library(_resolve_edited)),
    "resolve/text": PageAction(WrittenResolveWish, lambda wish: f"Resolve {wish.path}", of_library(_resolve_written)),
    "export/version": PageAction(
        CopyWish, lambda wish: f"Copy {shown(wish.version)} to {wish.target}", of_library(_copy)
    ),
}
"""Of each name, what does it."""
