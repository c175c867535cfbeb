"""What GET requests under /api/ are answered: the shapes that the commands print with `--json`."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from aura_vcs.annotations.notes import notes
from aura_vcs.cli.commands.branch import branch_to_json
from aura_vcs.cli.commands.merge import plan_to_json
from aura_vcs.cli.commands.ops import activity_to_json
from aura_vcs.cli.commands.remote import remote_to_json
from aura_vcs.cli.commands.tag import tag_to_json
from aura_vcs.cli.output.conflict_json import numbered_conflicts
from aura_vcs.cli.output.json_shapes import (
    change_to_json,
    diff_to_json,
    entry_to_json,
    offloaded_to_json,
    restore_point_to_json,
    status_to_json,
    version_to_json,
)
from aura_vcs.cli.shared.conflict_media import known_media
from aura_vcs.cli.shared.notes import KnownVersions, note_to_json
from aura_vcs.errors import InputError
from aura_vcs.history.compare_versions import compare_versions
from aura_vcs.history.diff.media_diff import NOTHING, QUICK, THOROUGH, look_into_media
from aura_vcs.history.diff.tree_diff import compare_with_parent
from aura_vcs.history.log import log
from aura_vcs.history.lookup.content import list_folder, locate
from aura_vcs.history.lookup.offloaded_summary import OffloadedFiles
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.history.merge import plan_merge
from aura_vcs.history.merging.conflict_groups import group_conflicts
from aura_vcs.history.names.branches import branches
from aura_vcs.history.names.moments import parse_moment
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.resolve import open_conflicts
from aura_vcs.history.status import status
from aura_vcs.index.queries import VersionFilter
from aura_vcs.maintenance.disk_usage import storage_report
from aura_vcs.model import VersionType
from aura_vcs.project.records.activity import list_activity
from aura_vcs.project.records.export_jobs import list_exports
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.remotes.config import remotes
from aura_vcs.ui.site import checked_path, number_of, paths_of_query, query_of, site_of

Answer = Callable[[Repository, Request], Any]
MOST = 1_000_000
LISTED = 50
_EFFORT = {"": QUICK, "headers": NOTHING, "quick": QUICK, "thorough": THOROUGH}


def _status(repo: Repository, _: Request) -> Any:
    return status_to_json(status(repo))


def _log(repo: Repository, request: Request) -> Any:
    query = query_of(request)
    kind = query.get("type", "")
    if kind and kind not in set(VersionType):
        raise InputError(f"There is no type {kind}", hint=f"It is one of {', '.join(VersionType)}.")
    offset = number_of(query, "offset", 0, MOST)
    limit = number_of(query, "limit", LISTED, MOST)
    since, until = query.get("since", ""), query.get("until", "")
    wanted = VersionFilter(
        types=(VersionType(kind),) if kind else (),
        since=parse_moment(since, "start") if since else None,
        until=parse_moment(until, "end") if until else None,
        author=query.get("author") or None,
        grep=query.get("grep") or None,
        important=True if query.get("important") else None,
        deleted=bool(query.get("deleted")),
        limit=offset + limit,
    )
    found = log(repo, wanted, everything=bool(query.get("all")), paths=paths_of_query(request))
    return {"versions": [version_to_json(record) for record in found[offset:]]}


def _show(repo: Repository, request: Request) -> Any:
    record = resolve(repo, query_of(request).get("version", "HEAD"))
    changes = compare_with_parent(repo, record)
    shown = None if changes is None else [change_to_json(c.path, c.change, c.old_path) for c in changes]
    purge = {"by": record.purged_by, "reason": record.purge_reason} if record.purged_at is not None else None
    away = offloaded_to_json(OffloadedFiles(repo).below(record.tree))
    return {"version": version_to_json(record), "changes": shown, "purge": purge, "offloaded": away}


def _ls(repo: Repository, request: Request) -> Any:
    query = query_of(request)
    located = locate(repo, f"{query.get('version', 'HEAD')}:{checked_path(query.get('path', ''))}")
    found = list_folder(repo, located, recursive=bool(query.get("recursive")))
    entries = [entry_to_json(path, entry) for path, entry in found]
    return {"version": restore_point_to_json(located.record), "path": located.path or "", "entries": entries}


def _diff(repo: Repository, request: Request) -> Any:
    query = query_of(request)
    names = [query[name] for name in ("old", "new") if query.get(name)]
    if query.get("new") and not query.get("old"):
        raise InputError("A comparison with a version needs the one before it, too", hint="Give old and new.")
    media = query.get("media", "")
    if media not in _EFFORT:
        raise InputError(f"There is no effort {media}", hint="It is headers, quick or thorough.")
    found = compare_versions(repo, names, paths_of_query(request))
    environment = site_of(request).settings.worker_environment
    known = look_into_media(
        found.comparison,
        _EFFORT[media],
        index=MediaIndexStore.of(repo),
        environment=environment,
        progress=repo.progress,
    )
    return diff_to_json(found.old, found.new, found.comparison, known.by_path)


def _ops(repo: Repository, request: Request) -> Any:
    query = query_of(request)
    found = list_activity(
        repo,
        limit=number_of(query, "limit", LISTED, MOST),
        offset=number_of(query, "offset", 0, MOST),
        everything=bool(query.get("all")),
    )
    return {"operations": [activity_to_json(repo, item) for item in found]}


def _branches(repo: Repository, _: Request) -> Any:
    return {"branches": [branch_to_json(repo, item) for item in branches(repo)]}


def _tags(repo: Repository, _: Request) -> Any:
    return {"tags": [tag_to_json(repo, name, tag) for name, tag in sorted(repo.refs.tags().items())]}


def _conflicts(repo: Repository, _: Request) -> Any:
    return {"conflicts": numbered_conflicts(group_conflicts(open_conflicts(repo)))}


def _merge(repo: Repository, request: Request) -> Any:
    plan = plan_merge(repo, query_of(request).get("with") or None)
    return {"dry_run": True, **plan_to_json(plan, known_media(repo, plan.conflicts))}


def _storage(repo: Repository, _: Request) -> Any:
    return storage_report(repo)


def _remotes(repo: Repository, _: Request) -> Any:
    return {"remotes": [remote_to_json(repo, name, config) for name, config in remotes(repo).items()]}


def _exports(repo: Repository, request: Request) -> Any:
    query = query_of(request)
    return {"exports": list_exports(repo, limit=number_of(query, "limit", LISTED, MOST))}


def _notes(repo: Repository, request: Request) -> Any:
    query = query_of(request)
    state = query.get("state") or None
    if state not in (None, "open", "resolved", "deleted"):
        raise InputError(f"There is no state {state}", hint="It is open, resolved or deleted.")
    limit = number_of(query, "limit", LISTED, MOST)
    found = notes(repo, query.get("where") or None, state=state, limit=limit)  # type: ignore[arg-type]  # one of them
    known: KnownVersions = {}
    return {"notes": [note_to_json(repo, note, known) for note in found]}


ANSWERS: dict[str, Answer] = {
    "status": _status,
    "log": _log,
    "show": _show,
    "ls": _ls,
    "diff": _diff,
    "ops": _ops,
    "branch": _branches,
    "tag": _tags,
    "resolve": _conflicts,
    "merge": _merge,
    "storage": _storage,
    "remote": _remotes,
    "export": _exports,
    "note": _notes,
}
"""Of each name, what answers it."""
