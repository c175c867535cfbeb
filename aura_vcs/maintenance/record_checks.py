"""Whether the small files below `.aura` can be read, and say what they should: refs, logs, settings."""

import os
import stat
from collections.abc import Callable, Iterator

from aura_vcs import layout
from aura_vcs.codec import decode_record
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import LinkedPath, RecordCorrupt, StorageError
from aura_vcs.history.recording.journal import read_pending
from aura_vcs.index.queries import VersionFilter
from aura_vcs.maintenance.findings import UNREADABLE, Finding
from aura_vcs.maintenance.reachability import all_labels
from aura_vcs.maintenance.ref_audit import unrecorded_refs
from aura_vcs.model import Fields, Format
from aura_vcs.refs.merge import heads
from aura_vcs.repository.format_file import project_of_versions
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage

_READ_BYTES = 64 << 10
_SCRATCH = (layout.TEMPORARY, layout.DAMAGED)
_ELSEWHERE = (layout.OBJECTS, layout.HARDLINK_BACKUP, layout.REFS, layout.OPERATIONS, layout.INDEX, layout.SEARCH)
"""What is in these is read by another check, or by SQLite."""
_SHOWN_FIELDS = ("name", "description", "important", "deleted_at", "purged_at")


def ref_problems(repo: Repository) -> Iterator[Finding]:
    """Yield findings about branches, tags and labels that cannot be read, or stand on versions that are not here."""
    for error in repo.refs.damaged():
        yield Finding("corrupt_ref", error.path, error.detail)
    for name in repo.store.offloaded.damaged():
        yield Finding(
            "corrupt_record", name, "where content was offloaded to cannot be read; any remote is asked for it"
        )
    queries = repo.queries
    for name in repo.refs.branches():
        for entry in heads(repo.refs.branch_entries(name)):  # what others have seen is history
            if entry.version is not None and queries.version(entry.version) is None:
                yield Finding("dangling_ref", f"branch {name}", f"points to {entry.version[:12]}, which is not here")
    for name, tag in repo.refs.tags().items():
        if tag.version is not None and queries.version(tag.version) is None:
            yield Finding("dangling_ref", f"tag {name}", f"points to {tag.version[:12]}, which is not here")
    for ref, detail in unrecorded_refs(repo):  # they carry no checksum of their own
        yield Finding("corrupt_ref", ref, detail)
    yield from _projected(repo)
    head = repo.head().version
    if head is not None and queries.version(head) is None:
        yield Finding("dangling_ref", "HEAD", f"points to {head[:12]}, which is not here")


def _projected(repo: Repository) -> Iterator[Finding]:
    """Yield a finding for each row of a version in the index that is not what its label says."""
    labels = all_labels(repo)
    for record in repo.queries.all_versions(VersionFilter(deleted=True)):
        label = labels.get(record.id)
        if label is not None and any(getattr(record, name) != getattr(label, name) for name in _SHOWN_FIELDS):
            yield Finding(
                "wrong_row", record.id, "the index shows it otherwise than its label; `aura reindex` fixes it"
            )


def log_problems(repo: Repository) -> Iterator[Finding]:
    """Yield a finding for each line of the operation logs that does not fit its checksum."""
    for name in repo.logs.segments():
        try:
            damaged = [line for line in repo.logs.read_segment(name) if line.operation is None]
        except AuraError as error:
            yield Finding("corrupt_operation", f"{layout.OPERATIONS}/{name}", error.message)
            continue
        for line in damaged:
            yield Finding("corrupt_operation", f"{layout.OPERATIONS}/{name}", f"bytes {line.start} to {line.end}")
    for replica in repo.logs.sizes():
        end = 0
        try:
            for line in repo.logs.read(replica):
                end = line.end
                if line.operation is None:
                    where = f"bytes {line.start} to {line.end}"
                    yield Finding("corrupt_operation", layout.operations_log(replica), f"{where} are damaged")
        except RecordCorrupt as error:
            yield Finding("corrupt_operation", layout.operations_log(replica), error.detail)
            continue
        known = repo.index.end_of_log(replica)[0]
        if known > end:
            where = f"bytes {end} to {known}"
            yield Finding("corrupt_operation", layout.operations_log(replica), f"{where} are gone")


def file_problems(repo: Repository) -> Iterator[Finding]:
    """Yield findings about other files that do not say what they should, and about what cannot be read."""
    checks: dict[str, Callable[[], str | None]] = {
        layout.FORMAT: lambda: _format(repo),
        layout.HEAD: repo.head_file.damage,
        layout.CONFIG: lambda: _shaped(repo, layout.CONFIG, dict),
        layout.STATE: lambda: _shaped(repo, layout.STATE, Fields),
        layout.PENDING: lambda: _pending(repo),
    }
    for path, check in checks.items():
        if (detail := check()) is not None:
            yield Finding("corrupt_record", path, f"{detail}; `aura repair` repairs it")
    for path, detail in _unreadable(repo.storage, ""):
        if path not in checks:
            yield Finding(UNREADABLE, path, detail)


def _format(repo: Repository) -> str | None:
    try:
        found = decode_record(repo.storage.read(layout.FORMAT), Format, layout.FORMAT)
    except RecordCorrupt as error:
        return error.detail
    except FileNotFoundError:
        return "it is gone"
    project = project_of_versions(repo.storage)
    if project is None or project == found.project:
        return None
    return f"it names the project {found.project}, and versions {project}"


def _shaped(repo: Repository, path: str, shape: type) -> str | None:
    try:
        decode_record(repo.storage.read(path), shape, path)
    except RecordCorrupt as error:
        return error.detail
    except FileNotFoundError:
        return None
    return None


def _pending(repo: Repository) -> str | None:
    try:
        read_pending(repo)
    except RecordCorrupt as error:
        return error.detail
    return None


def _unreadable(storage: LocalStorage, folder: str) -> Iterator[tuple[str, str]]:
    """Yield files and folders that cannot be opened, or whose beginning cannot be read. Others are passed over."""
    try:
        names = storage.list(folder) if folder else sorted(os.listdir(storage.root))
    except (StorageError, OSError, LinkedPath) as error:
        yield folder, str(error)
        return
    for name in names:
        path = f"{folder}/{name}" if folder else name
        if path in _SCRATCH:
            continue
        try:
            found = storage.look_around(path)
            if found is None or not (stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode)):
                continue
            if stat.S_ISDIR(found.st_mode):
                yield from _unreadable(storage, path)
            elif not path.startswith(_ELSEWHERE):
                with storage.open(path) as file:
                    file.read(_READ_BYTES)
        except FileNotFoundError:
            continue
        except (StorageError, LinkedPath) as error:
            yield path, error.reason
