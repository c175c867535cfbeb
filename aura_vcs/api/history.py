"""What a program does with versions: make them, look at them, go to them, take back."""

from collections.abc import Iterable
from datetime import datetime
from typing import BinaryIO, Unpack

import msgspec

from aura_vcs.api.comparing import Diff, compare
from aura_vcs.api.lookup import Blamed, ClipChange, FieldChange, Found, blame, clip_history, field_history, search
from aura_vcs.api.opened import Opened, Part, StrPath, project_paths
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.values import (
    Committed,
    FileInfo,
    Moved,
    SessionUndone,
    Status,
    Undone,
    Version,
    VersionLike,
    VersionType,
    name_of,
)
from aura_vcs.api.versions import Versions, find_file, list_files, open_content, read_content
from aura_vcs.history import checkout as checkout_room, commit as commit_room, status as status_room, undo as undo_room
from aura_vcs.history.commit import AmendRequest, CommitRequest
from aura_vcs.history.diff.suggest_name import suggest_name
from aura_vcs.history.undo_session import undo_session
from aura_vcs.history.untrack import untrack
from aura_vcs.repository.repository import Repository


class HistoryMethods(Part):
    """Versions and what is done with them."""

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self.versions = Versions(opened)

    def commit(
        self,
        name: str,
        *,
        description: str = "",
        important: bool = False,
        allow_empty: bool = False,
        paths: Iterable[StrPath] | None = None,
        author: str | None = None,
        **call: Unpack[Call],
    ) -> Committed:
        """Save the folder, or only `paths` of it, as the branch's next version.

        `important` versions are never removed automatically. Without `allow_empty`, no version is made if nothing
        has changed. `author` replaces the one that the project was opened with.

        Raises:
            InputError: there is no name. UnknownName: a path does not exist. FileUnreadable, StorageFull.
        """
        wanted = CommitRequest(name, description, important, allow_empty, author=author)
        done = self._opened.run(call, _commit, wanted, paths)
        self._opened.keep_house()
        return done

    def amend(
        self,
        name: str | None = None,
        *,
        description: str | None = None,
        important: bool | None = None,
        paths: Iterable[StrPath] | None = None,
        author: str | None = None,
        keep: bool = False,
        **call: Unpack[Call],
    ) -> Committed:
        """Replace the branch's last version by one of the folder as it is now; what is None stays as it was.

        The replaced version is deleted; `undo` or `Versions.undelete` brings it back. With `keep` it stays, which
        is right if other machines already have it: then the branch has both heads.

        Raises:
            InputError: there is nothing to amend, or HEAD is not where its branch is.
        """
        wanted = AmendRequest(name, description, important, author=author, keep=keep)
        done = self._opened.run(call, _amend, wanted, paths)
        self._opened.keep_house()
        return done

    def suggest_name(self, paths: Iterable[StrPath] | None = None) -> str:
        """Return a name for the version that `commit` would make now, from what has changed; "" if nothing has.

        "Trimmed 2 clips, new music": timelines are compared clip by clip, other files appear by their names.
        """
        return self._opened.run(NO_CALL, _suggested, paths)

    def status(self, **call: Unpack[Call]) -> Status:
        """Compare the folder with the version it is based on."""
        return Status._of(self._opened.run(call, status_room.status))

    def log(
        self,
        *,
        limit: int | None = None,
        types: Iterable[VersionType] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        author: str | None = None,
        search: str | None = None,
        important: bool = False,
        deleted: bool = False,
        everything: bool = False,
        paths: Iterable[StrPath] = (),
    ) -> list[Version]:
        """List versions, newest first; see `Versions.list`."""
        return self.versions.list(
            limit=limit,
            types=types,
            since=since,
            until=until,
            author=author,
            search=search,
            important=important,
            deleted=deleted,
            everything=everything,
            paths=paths,
        )

    def show(self, version: VersionLike = "HEAD") -> Version:
        """Find the version that goes by a name.

        Raises:
            UnknownVersion, AmbiguousVersion.
        """
        return self.versions[version]

    def files(self, version: VersionLike = "HEAD", folder: StrPath = "", *, recursive: bool = True) -> list[FileInfo]:
        """List the files and links of a version, or of a folder in it.

        Without `recursive`, only what is in that folder itself, folders included.
        """
        return self._opened.run(NO_CALL, list_files, name_of(version), folder, recursive)

    def file(self, path: StrPath, version: VersionLike = "HEAD") -> FileInfo:
        """Say what a version has at a path: its kind, its size, and the id of its content.

        Raises:
            UnknownVersion. UnknownName: the version has nothing there. ObjectPurged.
        """
        return self._opened.run(NO_CALL, find_file, name_of(version), path)

    def read(self, path: StrPath, version: VersionLike = "HEAD", **call: Unpack[Call]) -> bytes:
        """Read a file of a version whole, verified; offloaded content is fetched.

        Raises:
            UnknownName: the version has no such file. ObjectPurged, ObjectOffloaded, ObjectCorrupt.
        """
        return self._opened.run(call, read_content, name_of(version), path)

    def open_file(self, path: StrPath, version: VersionLike = "HEAD", **call: Unpack[Call]) -> BinaryIO:
        """Open a file of a version as a seekable binary stream, which looks only at what is read.

        A file of 1 MiB or more is read in pieces, and each piece is verified. If the file system clones and the
        store has the file in one piece, that is opened as it is; only `read` verifies it. Of offloaded content,
        only the pieces that are read are fetched, and none stays; `fetch_content` brings all of it back. The stream
        can be used while the project is open; `progress` and `cancel` are for opening it.

        Raises:
            UnknownName: the version has no such file. ObjectPurged, ObjectOffloaded, ObjectCorrupt.
        """
        return self._opened.run_with_content(call, open_content, name_of(version), path)

    def diff(
        self,
        old: VersionLike | None = None,
        new: VersionLike | None = None,
        *,
        paths: Iterable[StrPath] = (),
        **call: Unpack[Call],
    ) -> Diff:
        """Compare two versions, or `old` (the last one, if none is given) with the folder."""
        return compare(self._opened, call, old, new, paths)

    def blame(self, path: StrPath, version: VersionLike = "HEAD", **call: Unpack[Call]) -> list[Blamed]:
        """Say which version wrote each line of a text, or field of a document; renames are followed.

        For an editor's project: which versions added each clip, and last trimmed, moved or changed it.

        Raises:
            UnknownName: the version has no such file. NotStructural: it is neither JSON nor text.
        """
        return self._opened.run(call, blame, name_of(version), path)

    def field_history(self, path: StrPath, pointer: str, **call: Unpack[Call]) -> list[FieldChange]:
        """Say when a field of a document changed, newest first; `pointer` is a JSON pointer such as `/tone`.

        Raises:
            UnknownName: no version has the file, or the field. PointerInvalid.
        """
        return self._opened.run(call, field_history, path, pointer)

    def clip_history(self, name: str, *paths: StrPath, **call: Unpack[Call]) -> list[ClipChange]:
        """Say what happened to clips called `name` in all project files of editors, or in `paths`, newest first.

        Raises:
            UnknownName: no version has such a clip.
        """
        return self._opened.run(call, clip_history, name, paths)

    def search(self, words: str, *, limit: int = 50, **call: Unpack[Call]) -> list[Found]:
        """Find words in every text of the folder, and of every version, in this order.

        All `words` must be in one text; each may be the beginning of a longer word: `aster` finds asteroid.
        """
        return self._opened.run(call, search, words, limit)

    def checkout(
        self, version: VersionLike, *, clean: bool = False, new_branch: str | None = None, **call: Unpack[Call]
    ) -> Moved:
        """Go to a branch or version; with `clean`, the files are exactly those of the version afterwards.

        With `new_branch`, a branch of that name is started there, and your files are on it. Unsaved work that would
        be lost becomes a restore point first.
        """
        return self._opened.run(call, _checkout, name_of(version), clean, new_branch)

    def restore(self, version: VersionLike, paths: Iterable[StrPath] | None = None, **call: Unpack[Call]) -> Moved:
        """Bring files of a version, or all, back into the folder, unsaved; the branch stays.

        What was there becomes a restore point first.
        """
        return self._opened.run(call, _restore, name_of(version), paths)

    def undo(self, operation: str | None = None, **call: Unpack[Call]) -> Undone:
        """Take back the last operation of this machine, or the one whose id begins with `operation`.

        Raises:
            NothingToUndo, OperationExpired.
        """
        return self._opened.run(call, _undo, operation)

    def undo_session(self, session: str | None = None, **call: Unpack[Call]) -> SessionUndone:
        """Take back all that a program, such as an agent, did in a session, or in the last one.

        What others did since stays, and so does what that builds on; `left` says which.

        Raises:
            NothingToUndo, UnknownName.
        """
        return SessionUndone._of(self._opened.run(call, undo_session, session))

    def redo(self, operation: str | None = None, **call: Unpack[Call]) -> Undone:
        """Redo what was undone last, or the operation whose id begins with `operation`.

        Raises:
            NothingToUndo, OperationExpired.
        """
        return self._opened.run(call, _redo, operation)

    def untrack(self, paths: Iterable[StrPath]) -> Version:
        """Make a version without `paths`, which stay in the folder and are ignored from now on."""
        return self._opened.run(NO_CALL, _untrack, paths)


def _commit(repo: Repository, wanted: CommitRequest, paths: Iterable[StrPath] | None) -> Committed:
    found = None if paths is None else project_paths(repo, paths)
    return Committed._of(commit_room.commit(repo, msgspec.structs.replace(wanted, paths=found)))


def _suggested(repo: Repository, paths: Iterable[StrPath] | None) -> str:
    return suggest_name(repo, () if paths is None else project_paths(repo, paths))


def _amend(repo: Repository, wanted: AmendRequest, paths: Iterable[StrPath] | None) -> Committed:
    found = None if paths is None else project_paths(repo, paths)
    return Committed._of(commit_room.amend(repo, msgspec.structs.replace(wanted, paths=found)))


def _checkout(repo: Repository, name: str, clean: bool, new_branch: str | None) -> Moved:
    return Moved._of(repo, checkout_room.checkout(repo, name, clean=clean, new_branch=new_branch))


def _restore(repo: Repository, name: str, paths: Iterable[StrPath] | None) -> Moved:
    chosen = None if paths is None else project_paths(repo, paths)
    return Moved._of(repo, checkout_room.restore(repo, name, chosen))


def _undo(repo: Repository, operation: str | None) -> Undone:
    action = None if operation is None else undo_room.find_action(repo, operation)
    return Undone._of(repo, undo_room.undo(repo, action))


def _redo(repo: Repository, operation: str | None) -> Undone:
    action = None if operation is None else undo_room.find_action(repo, operation)
    return Undone._of(repo, undo_room.redo(repo, action))


def _untrack(repo: Repository, paths: Iterable[StrPath]) -> Version:
    return Version._of(untrack(repo, project_paths(repo, paths)).version)
