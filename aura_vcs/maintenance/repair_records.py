"""Mending records from what is said twice: the logs say what refs hold, versions say which project this is.

Nothing is needed from anywhere else. What lay there before is set aside in `local/damaged`.
"""

from collections.abc import Iterator
from contextlib import suppress

import msgspec

from aura_vcs import layout
from aura_vcs.codec import decode_record
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.layout import FIELD_FOLDERS
from aura_vcs.maintenance.ref_audit import unrecorded_refs
from aura_vcs.model import Format, Head, RefChange
from aura_vcs.repository.format_file import FORMAT_VERSION, features_in_use, project_of_versions, put_format
from aura_vcs.repository.repository import Repository

_FROM_LOGS = f"{layout.SETTINGS}/"
"""Files whose values operations name one by one."""


class RepairableRecord(msgspec.Struct, frozen=True):
    """A damaged or missing record that can be written anew: its path below `.aura`, and what is wrong with it."""

    path: str
    detail: str


def find_repairable(repo: Repository) -> list[RepairableRecord]:
    """List the records here that are damaged and can be mended without any other copy. Changes nothing."""
    found = [*_format(repo), *_head(repo), *_settings(repo), *_log(repo)]
    recorded = _recorded(repo)
    damaged = {error.path: error.detail for error in repo.refs.damaged()}
    damaged |= {f"{ref}.json": detail for ref, detail in unrecorded_refs(repo)}
    for path, detail in damaged.items():
        if (
            path.endswith((layout.PACKED_LABELS, layout.PACKED_ANNOTATIONS))
            or path.startswith(_FROM_LOGS)
            or _ref_name(path) in recorded
        ):
            found.append(RepairableRecord(path, detail))
    if isinstance(state := _damage_of(repo, layout.STATE), RecordCorrupt):
        found.append(RepairableRecord(layout.STATE, state.detail))
    return found


def rewrite_records(repo: Repository, found: list[RepairableRecord]) -> None:
    """Write them anew. Interrupted, it can be done again: what is set aside is in no way any more."""
    paths = {item.path for item in found}
    with repo.locks.exclusive("refs"):
        if layout.FORMAT in paths:
            project = project_of_versions(repo.storage) or repo.format.project
            put_format(repo.storage, Format(FORMAT_VERSION, project, features_in_use(repo.storage)))
        if layout.HEAD in paths:
            stored = repo.head_file.stored()
            repo.storage.set_aside(layout.HEAD)
            repo.head_file.put(Head(stored.branch, stored.version), stored.sequence)
        if layout.CONFIG in paths:
            data = repo.storage.read(layout.CONFIG_COPY)
            repo.storage.set_aside(layout.CONFIG)
            repo.storage.put(layout.CONFIG, data)
        if (log := layout.operations_log(repo.replica)) in paths:
            data = repo.storage.read(layout.log_copy(repo.replica))
            repo.storage.set_aside(log)
            repo.storage.put(log, data)
        refs = paths - {layout.FORMAT, layout.HEAD, layout.CONFIG, log}
        for path in refs:
            repo.storage.set_aside(path)
        if refs:
            _apply_logs(repo, refs)
    if paths:
        repo.rebuild_index()


def _format(repo: Repository) -> Iterator[RepairableRecord]:
    project = project_of_versions(repo.storage)
    try:
        found = decode_record(repo.storage.read(layout.FORMAT), Format, layout.FORMAT)
    except (FileNotFoundError, RecordCorrupt) as error:
        yield RepairableRecord(layout.FORMAT, str(error))
        return
    if project is not None and project != found.project:
        yield RepairableRecord(layout.FORMAT, f"it names the project {found.project}, and every version {project}")


def _head(repo: Repository) -> Iterator[RepairableRecord]:
    if (detail := repo.head_file.damage()) is not None:
        yield RepairableRecord(layout.HEAD, detail)


def _settings(repo: Repository) -> Iterator[RepairableRecord]:
    """Yield the file with the remotes, if its copy is whole."""
    trouble = _damage_of(repo, layout.CONFIG)
    if isinstance(trouble, RecordCorrupt) and _damage_of(repo, layout.CONFIG_COPY) is None:
        yield RepairableRecord(layout.CONFIG, trouble.detail)


def _log(repo: Repository) -> Iterator[RepairableRecord]:
    """Yield this machine's log, if it cannot be read at all and its copy can."""
    path = layout.operations_log(repo.replica)
    try:
        repo.storage.read(path)
    except FileNotFoundError:
        return
    except RecordCorrupt as error:
        with suppress(RecordCorrupt, FileNotFoundError):
            repo.storage.read(layout.log_copy(repo.replica))
            yield RepairableRecord(path, error.detail)


def _damage_of(repo: Repository, path: str) -> RecordCorrupt | FileNotFoundError | None:
    """Find what is wrong with a file of JSON; None if nothing is."""
    try:
        decode_record(repo.storage.read(path), dict[str, object], path)
    except (RecordCorrupt, FileNotFoundError) as error:
        return error
    return None


def _recorded(repo: Repository) -> set[str]:
    """Collect the refs that operations moved, as they name them; checkpoints are left out: not all are recorded."""
    return {name for changes in _changes(repo) for name in changes if not name.startswith("checkpoints/")}


def _changes(repo: Repository) -> Iterator[dict[str, RefChange]]:
    for line in repo.logs.read_all():
        if line.operation is not None and line.operation.refs:
            yield line.operation.refs


def _apply_logs(repo: Repository, paths: set[str]) -> None:
    """Apply what the logs have of these refs, all of it: what is further on stays."""
    names = {_ref_name(path) for path in paths if path.endswith(".json")}
    all_labels = any(path.endswith(layout.PACKED_LABELS) for path in paths)
    rooms = {room for room in FIELD_FOLDERS if any(_ref_name(path).split("/", 1)[0] == room for path in paths)}
    rooms |= {_ref_name(path).split("/", 1)[0] for path in paths if path.endswith(layout.PACKED_ANNOTATIONS)}
    for changes in _changes(repo):
        chosen = {
            name: change
            for name, change in changes.items()
            if name in names or name.split("/", 1)[0] in rooms or (all_labels and name.startswith("versions/"))
        }
        if chosen:
            repo.refs.apply(chosen)


def _ref_name(path: str) -> str:
    """Convert a ref's path to the name that operations use."""
    return path.removeprefix(f"{layout.REFS}/").removeprefix(f"{layout.LOCAL}/").removesuffix(".json")
