"""An operation before it is recorded, and the moment in which it is recorded and takes effect."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from aura_vcs import layout
from aura_vcs.errors import AuraError, Unfinished
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.ids import ObjectId, ReplicaId, new_operation_id
from aura_vcs.index.database import IndexUnusable
from aura_vcs.model import SESSION, Format, HeadChange, Inverse, Operation, RefChange, TreeChange
from aura_vcs.plain_text import clean_text, now
from aura_vcs.repository.format_file import ANNOTATIONS, with_feature

if TYPE_CHECKING:
    from aura_vcs.index.index import Index
    from aura_vcs.index.index_file import Files
    from aura_vcs.objects.base import StoredObject
    from aura_vcs.operation_log import OperationLogs
    from aura_vcs.refs.refs import Refs
    from aura_vcs.repository.hardlink_backup import HardlinkBackup
    from aura_vcs.repository.head_file import HeadFile
    from aura_vcs.repository.replicas import OtherReplicas
    from aura_vcs.storage.local import LocalStorage


class Draft(msgspec.Struct, frozen=True):
    """An operation before it is recorded; see model.Operation for the fields."""

    type: str
    description: str
    refs: Mapping[str, RefChange] = {}
    head: HeadChange | None = None
    worktree: TreeChange | None = None
    inverse: Inverse | None = None
    undoes: str | None = None
    redoes: str | None = None
    payload: dict[str, object] = {}
    can_batch: bool = False
    expires_at: str | None = None
    correlation_id: str | None = None


class Recording(Protocol):
    """What of a repository an operation is recorded with."""

    @property
    def author(self) -> str:
        """Who works here."""

    @property
    def host(self) -> str:
        """What this machine is called."""

    @property
    def hardlink_backup(self) -> "HardlinkBackup":
        """Second names of stored files."""

    session: str | None
    replica: ReplicaId
    format: Format
    storage: "LocalStorage"
    refs: "Refs"
    logs: "OperationLogs"
    files: "Files"
    index: "Index"
    head_file: "HeadFile"
    others: "OtherReplicas"

    def finish_recorded(self, operation: Operation) -> None:
        """Finish an operation that was recorded: refs, then HEAD."""


class Transaction:
    """The moment in which an operation is recorded and takes effect."""

    def __init__(self, repository: Recording) -> None:
        self._repository = repository
        self.at = now()
        """The time that everything in this transaction carries."""

    @property
    def replica(self) -> ReplicaId:
        """Who writes."""
        return self._repository.replica

    def prepare(self, draft: Draft) -> Operation:
        """Build the operation as it will stand in the log."""
        repository = self._repository
        session = {SESSION: repository.session} if repository.session is not None else {}
        return Operation(
            id=new_operation_id(),
            replica=repository.replica,
            sequence=self._last_sequence() + 1,
            user=repository.author,
            host=repository.host,
            time=self.at,
            **{
                **msgspec.structs.asdict(draft),
                "description": clean_text(draft.description),
                "refs": dict(draft.refs),
                "payload": {**draft.payload, **session},
            },
        )

    def record(
        self,
        draft: Draft | Operation,
        stored: "Mapping[ObjectId, StoredObject] | None" = None,
        chunks: Mapping[ObjectId, tuple[ObjectId, ...]] | None = None,
    ) -> Operation:
        """Append the operation to the log, then move refs, HEAD and index.

        When the line is durable the operation has happened; what a crash cuts off after it is
        done by the next command that opens the project. `stored` and `chunks` are what a batch
        has just published.

        Raises:
            StorageError: the line could not be written; nothing happened.
            Unfinished: it has happened, but refs or index could not follow; the next command does that.
        """
        repository = self._repository
        start = repository.index.end_of_log(repository.replica)[0]
        if isinstance(draft, Draft):
            operation = self.prepare(draft)
        else:
            operation = msgspec.structs.replace(draft, sequence=self._last_sequence() + 1)
        if not {name.partition("/")[0] for name in operation.refs}.isdisjoint(layout.ANNOTATION_ROOMS):
            repository.format = with_feature(repository.storage, repository.format, ANNOTATIONS)
        end = repository.logs.append(operation, at=start)
        repository.files.forget_unrecorded()
        try:
            if repository.others.known_replicas():
                repository.hardlink_backup.link_all()  # before a tool can carry the files, and somebody's deletion back
            repository.refs.apply(operation.refs)
            if operation.head is not None:
                repository.head_file.put(operation.head.after, operation.sequence)
            self._enter(operation, start, end, stored or {}, chunks or {})
        except (AuraError, IndexUnusable) as error:
            raise Unfinished(operation.description, str(error)) from error
        return operation

    def _enter(
        self,
        operation: Operation,
        start: int,
        end: int,
        stored: "Mapping[ObjectId, StoredObject]",
        chunks: Mapping[ObjectId, tuple[ObjectId, ...]],
    ) -> None:
        index = self._repository.index
        try:
            index.record(operation, start, end, stored, chunks)
        except IndexUnusable:
            index.rebuild(self._repository.finish_recorded)
        except IntegrityError:  # what was just written could not be read: once more, from the log
            index.catch_up(self._repository.finish_recorded)
            if not index.is_current():
                raise

    def _last_sequence(self) -> int:
        """Return the number of the last operation: HEAD knows it too, should the log be lost or another's."""
        repository = self._repository
        return max(repository.index.end_of_log(repository.replica)[1], repository.head_file.stored().sequence)
