"""A project folder, opened: holds the parts and keeps their order of writing; decides nothing."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from aura_vcs import layout
from aura_vcs.codec import encode_record
from aura_vcs.errors.input import ProjectExists
from aura_vcs.errors.integrity import IndexDamaged, StorageFull
from aura_vcs.ids import ReplicaId, VersionId, new_uuid
from aura_vcs.index.database import is_damage
from aura_vcs.index.index import Index
from aura_vcs.index.index_file import Files, IndexFile
from aura_vcs.index.queries import Queries
from aura_vcs.locks import WAIT_SECONDS, ProcessLocks
from aura_vcs.model import DEFAULT_BRANCH, Format, Head, Operation
from aura_vcs.operation_log import OperationLogs
from aura_vcs.plain_text import clean_text
from aura_vcs.progress import SILENT, Progress
from aura_vcs.refs.refs import Refs
from aura_vcs.repository.find_project import (
    CLOSED,
    TemporaryStorage,
    Trust,
    WithoutLocal,
    check_owner,
    find_root,
    index_locations,
    is_closed,
    make_local,
    previewed,
    project_storage,
)
from aura_vcs.repository.format_file import FORMAT_VERSION, is_project, load_format, with_feature
from aura_vcs.repository.head_file import HeadFile, StoredHead
from aura_vcs.repository.replicas import (
    OtherReplicas,
    author_name,
    check_encoding,
    host_name,
    identify,
)
from aura_vcs.repository.transaction import Transaction
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.system_calls import REAL_CALLS, FileCalls

if TYPE_CHECKING:
    from aura_vcs.objects.graph import LocalSource
    from aura_vcs.objects.store import ObjectStore
    from aura_vcs.objects.trees import TreeReader
    from aura_vcs.repository.hardlink_backup import HardlinkBackup
    from aura_vcs.worktree.scan.prefetch import LookAhead
    from aura_vcs.worktree.worktree import Worktree


class Repository:
    """One project. Use it from one thread; open another for another thread.

    `author` and `host` go into what is recorded; without them the account's and machine's names do.
    `author` may be a function, which is asked when something is first recorded. `ahead` has begun to look
    at the project's files already. `index_folder` is a folder on a local disk, where the index of a
    project on a network disk is kept: SQLite cannot share a file with other processes there.

    A `preview` changes nothing on disk, for dry runs: what opening, planning and looking write lies in a
    folder of its own until `close`. It is not for commands that change the person's files.
    """

    def __init__(
        self,
        root: str,
        *,
        author: str | Callable[[], str | None] | None = None,
        host: str | None = None,
        progress: Progress = SILENT,
        calls: FileCalls = REAL_CALLS,
        index_folder: str | None = None,
        lock_seconds: float = WAIT_SECONDS,
        ahead: "LookAhead | None" = None,
        preview: bool = False,
    ) -> None:
        check_encoding()
        self.root = root
        self.is_preview = preview
        self._ahead = ahead
        self._recording = False
        self._borrowed = TemporaryStorage()
        self.progress = progress
        self._names = (author, host)
        self.session: str | None = None
        """The session of a program, which all that is recorded from now on is marked with."""
        self._index_folder = index_folder
        self.storage = previewed(project_storage(root, calls)) if preview else project_storage(root, calls)
        self.format = load_format(self.storage, progress)
        self.is_read_only = not make_local(self.storage)
        """Whether nothing can be written here: then looking takes the index as it is, or makes one elsewhere."""
        if self.is_read_only and is_closed(self.storage):
            self.storage = project_storage(root, calls, kind=WithoutLocal)
            progress.note(CLOSED)
        self.locks = ProcessLocks(self.storage, layout.LOCKS, wait_seconds=lock_seconds)
        identity = identify(self.storage, root, progress, is_read_only=self.is_read_only)
        self.replica, self.has_moved = identity.replica, identity.was_relocated
        self._lacks_id = identity.is_unstored and not self.is_read_only
        self.is_read_only = identity.is_unstored
        if identity.is_new and not preview:
            from aura_vcs.repository.sync_tool_hints import write_hints  # once for every machine

            write_hints(root, self.storage)
        self.refs = Refs(self.storage)
        self.logs = OperationLogs(self.storage, self.replica)
        called = f"{self.format.project}-{self.replica}"
        here, spare = index_locations(self.storage, index_folder, called, preview=preview)
        self.files = Files(self.storage, self.refs, self.logs)
        self.index = Index(IndexFile(here, spare), self.files, progress)
        self.queries = Queries(self.index)
        self.head_file = HeadFile(self.files, self.replica, progress)
        self.others = OtherReplicas(self.storage, self.logs, self.index)
        self._calls = calls
        if self.has_moved:
            self.hardlink_backup.forget_copies()
        try:
            self.refresh()
        except Exception as error:
            if not is_damage(error):
                self.close()
                raise
            self.rebuild_index()
        self._keep_head()

    def _keep_head(self) -> None:
        """Begin where this copy of the project is, whatever the one it was copied from, or another machine, does."""
        if self.has_moved:  # the other copy's count of operations says nothing about ours
            stored = self.head_file.stored()
            self.head_file.put(Head(stored.branch, stored.version), 0)
        elif not (self.is_read_only or self.is_preview) and self.storage.stat(layout.HEAD) is None:
            self._pin_head()

    def _pin_head(self) -> None:
        """Stay where HEAD was found to be: what others do from now on does not move it by itself."""
        stored = self.head_file.stored()
        if stored.version is not None:
            with self.locks.exclusive("refs"):
                self.head_file.put(Head(stored.branch, stored.version), stored.sequence)

    @property
    def store(self) -> "ObjectStore":
        """The objects."""
        return self.files.store

    @property
    def trees(self) -> "TreeReader":
        """Trees and versions, decoded."""
        return self.files.trees

    @cached_property
    def scratch_storage(self) -> LocalStorage:
        """Where commands that look put what they need for a while: here, or for the time being elsewhere."""
        return self.storage if not self.is_read_only else self._borrowed.storage()

    @classmethod
    def open(cls, path: str = ".", **options: object) -> "Repository":
        """Open the project that `path` is in. `options` are those of the constructor.

        Operations that a crash kept from refs or index are finished.

        `trust` says what else than one's own may be used; see Trust.

        Raises:
            NotAProject: neither `path` nor a folder above it is a project.
            ForeignOwner: somebody else's is.
            FormatUnsupported: a newer aura_vcs made it.
        """
        root = find_root(path)
        trust = options.pop("trust", None)
        check_owner(root, trust if isinstance(trust, Trust) else Trust())
        return cls(root, **options)  # type: ignore[arg-type]

    @classmethod
    def init(cls, path: str = ".", *, project: str | None = None, **options: object) -> "Repository":
        """Make the folder `path` a project; files in it stay as they are.

        Interrupted, it is not a project yet and can be initialised again.

        Raises:
            ProjectExists: it is one already.
        """
        check_encoding()
        root = os.path.abspath(path)
        calls = options.get("calls")
        storage = project_storage(root, calls if isinstance(calls, FileCalls) else REAL_CALLS)
        if is_project(root):
            raise ProjectExists(root)
        storage.make_folder(layout.TEMPORARY)
        storage.put(layout.HEAD, encode_record(StoredHead(DEFAULT_BRANCH, None, 0)))
        storage.put(layout.FORMAT, encode_record(Format(FORMAT_VERSION, project or new_uuid())))
        return cls(root, **options)  # type: ignore[arg-type]

    @cached_property
    def hardlink_backup(self) -> "HardlinkBackup":
        """Second names of stored files, where other replicas may delete them."""
        from aura_vcs.repository.hardlink_backup import HardlinkBackup  # most folders are nobody else's

        return HardlinkBackup(self.storage, self.refs, self.store, self.index, self.queries)

    @cached_property
    def worktree(self) -> "Worktree":
        """The project's own files."""
        from aura_vcs.worktree.worktree import Worktree  # looking back needs none of it

        return Worktree(self.root, self.files, self._calls, self._ahead, self.progress)

    @cached_property
    def author(self) -> str:
        """Who works here, for what is recorded."""
        return author_name(self._names[0])

    @cached_property
    def host(self) -> str:
        """What this machine is called, for what is recorded."""
        return clean_text(self._names[1] or host_name())

    @cached_property
    def graph(self) -> "LocalSource":
        """The objects as a walk reads them."""
        from aura_vcs.objects.graph import LocalSource  # most commands walk nowhere

        return LocalSource(self.trees, self.store)

    def head(self) -> Head:
        """Return the branch and the version that the person's files stand on."""
        stored = self.head_file.stored()
        if stored.version is not None and not self.is_index_complete(stored.version):
            stored = self.head_file.stored()
        return Head(stored.branch, stored.version)

    def is_index_complete(self, version: VersionId) -> bool:
        """Tell whether the index knows a version that a ref stands on.

        Refs move a moment before the index: if it does not, whoever is recording is waited for, and
        the refs are to be read again.
        """
        if self._recording or self.index.knows(version):
            return True
        with self.locks.exclusive("refs"):
            if not self.index.is_current():
                self._catch_up()
        return False

    def refresh(self) -> None:
        """Bring the index up to date with the files, if it is not; see to what other machines deleted."""
        try:
            self._follow()
        except StorageFull:  # what is asked for may be to free space
            self.index.move_to_memory()
            self._follow()
        if not self.is_read_only:
            self.protect_objects()

    def _follow(self) -> None:
        if not self.index.is_current() or self.index.can_read_again():
            with self.locks.exclusive("refs"):
                self._catch_up()

    def free_disk_space(self) -> None:
        """Release what can be made again where the disk is nearly full, so that space can be freed.

        That is the index, which goes on in memory, and what is known of the files' dates.
        """
        from aura_vcs.repository.free_space import is_nearly_full  # for what frees space

        if not self.is_preview and not self.is_read_only and is_nearly_full(self.storage.root):
            self.index.move_to_memory()
            self.storage.forget(layout.SCAN_CACHE)

    def declare(self, feature: str) -> None:
        """Let the project's format say that a feature is in use, before it is."""
        if feature not in self.format.features:
            with self.locks.exclusive("refs"):
                self.format = with_feature(self.storage, self.format, feature)

    def protect_objects(self) -> None:
        """Keep what is stored where other replicas work on copies of this folder, restore what they
        deleted and is needed here, and tell them how far they were read."""
        if not self.others.known_replicas():
            return
        for file, name in self.store.packs.misnamed().items():
            self.storage.adopt(self.storage, f"{layout.PACKS}/{file}", layout.pack_path(name))
        if self.hardlink_backup.link_all():
            with self.locks.exclusive("refs"), self._restored_temporarily():
                pass
        self.others.publish_read_positions(self.host, self.author)

    def adopt_unrecorded_objects(self) -> None:
        """Enter into the index what lies in the store unrecorded; see Index.adopt_unrecorded_objects."""
        with self.locks.exclusive("refs"):
            self.index.adopt_unrecorded_objects(self.finish_recorded)

    def preview(self) -> "Repository":
        """Open the project once more, as a preview: whatever is looked up there changes nothing on disk."""
        return Repository(
            self.root,
            author=self.author,
            host=self.host,
            progress=self.progress,
            calls=self._calls,
            index_folder=self._index_folder,
            preview=True,
        )

    def rebuild_index(self) -> None:
        """Rebuild the index from the files."""
        with self.locks.exclusive("refs"), self._restored_temporarily():
            self.index.rebuild(self.finish_recorded)

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """Hold the refs still while an operation is decided on and recorded.

        Raises:
            LockBusy: another command held them for too long.
            StorageFull: this copy has no id of its own, and no room for one: the log is another copy's.
        """
        if self._lacks_id:
            raise StorageFull("record anything in", self.root, "No space left on device")
        with self.locks.exclusive("refs"):
            if not self.index.is_current():
                self._catch_up()
            self._recording = True
            try:
                with self.head_file.held(), self.refs.held():
                    yield Transaction(self)
            finally:
                self._recording = False

    def become(self, replica: ReplicaId) -> None:
        """Work under another replica id from now on. See repository.another, which gives it."""
        self.replica = replica
        self.files.set_replica(replica)
        self.head_file.set_replica(replica)

    def close(self) -> None:
        """Let go of every file."""
        if "worktree" in self.__dict__:
            self.worktree.close()
        self.files.close()
        self.index.close()
        self.storage.close()
        self._borrowed.remove()

    def __enter__(self) -> "Repository":
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Let go of every file.

        Raises:
            IndexDamaged: instead of what SQLite said about a damaged file, which is removed.
        """
        self.close()
        if error is not None and is_damage(error):
            self.index.remove()
            raise IndexDamaged(self.index.path, str(error)) from error

    def _catch_up(self) -> None:
        with self._restored_temporarily():
            is_strange = False
            if not self.index.has_all_of(self.replica):
                from aura_vcs.repository.own_log import mend_log  # seldom needed

                is_strange = mend_log(self)
            (self.index.rebuild if is_strange else self.index.catch_up)(self.finish_recorded)

    @contextmanager
    def _restored_temporarily(self) -> Iterator[None]:
        """Have back what other machines deleted, while it is counted; afterwards only what is needed stays."""
        gone = self.hardlink_backup.link_all() if not self.is_read_only and self.others.known_replicas() else set()
        lent = self.hardlink_backup.restore_temporarily(gone)
        yield
        if back := self.hardlink_backup.prune(lent):
            count = f"{len(back)} file{'' if len(back) == 1 else 's'}"
            self.progress.note(f"Restored what another machine had deleted and versions need: {count}")
        if gone:
            self.index.refresh_locations()

    def finish_recorded(self, operation: Operation) -> None:
        """Finish an operation that was recorded: refs, then HEAD. Harmless where it was finished."""
        if self.is_read_only:
            return
        self.refs.apply(operation.refs)
        if operation.head is not None and operation.sequence > self.head_file.stored().sequence:
            self.head_file.put(operation.head.after, operation.sequence)
