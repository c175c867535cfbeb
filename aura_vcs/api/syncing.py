"""What goes between this project and its remotes."""

import os
from typing import Unpack

from aura_vcs.api.locks import Locks
from aura_vcs.api.opened import Opened, Part, StrPath
from aura_vcs.api.reporting import NO_CALL, Call
from aura_vcs.api.transfers import (
    Bundle,
    Fetched,
    FetchedContent,
    Pulled,
    Pushed,
    Synced,
    absent_content,
    bring_content,
    bundle,
    fetch,
    has_no_remotes,
    is_exchanged_only,
    plan_fetch,
    plan_push,
    pull,
    push,
    sync,
    sync_pushed,
    take_pushed,
)
from aura_vcs.api.values import VersionLike, name_of
from aura_vcs.sync.merge_heads import MergePolicy


class SyncMethods(Part):
    """Transfers. A remote goes by its name; without one it is `origin` or the only one.

    A transfer that was interrupted goes on where it was when it is called again.
    """

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self.locks = Locks(opened)

    def push(
        self,
        remote: str | None = None,
        *,
        all_versions: bool = False,
        ignore_locks: bool = False,
        **call: Unpack[Call],
    ) -> Pushed:
        """Send what a remote lacks; with `all_versions`, autosaves and restore points too.

        Raises:
            PushRejected: it has moved on. PathLocked: others have locked what this changes. RemoteError.
        """
        return self._opened.run_at(call, remote, push, all_versions=all_versions, ignore_locks=ignore_locks)

    def plan_push(
        self,
        remote: str | None = None,
        *,
        all_versions: bool = False,
        ignore_locks: bool = False,
        **call: Unpack[Call],
    ) -> Pushed:
        """Say what `push` would send; changes nothing."""
        return self._opened.run_at(call, remote, plan_push, all_versions=all_versions, ignore_locks=ignore_locks)

    def fetch(self, remote: str | None = None, *, all_versions: bool = False, **call: Unpack[Call]) -> Fetched:
        """Bring versions from a remote; your files stay as they are."""
        return self._opened.run_at(call, remote, fetch, all_versions=all_versions)

    def plan_fetch(self, remote: str | None = None, *, all_versions: bool = False, **call: Unpack[Call]) -> Fetched:
        """Say what `fetch` would bring; changes nothing."""
        return self._opened.run_at(call, remote, plan_fetch, all_versions=all_versions)

    def pull(
        self,
        remote: str | None = None,
        *,
        all_versions: bool = False,
        merge: MergePolicy | None = None,
        **call: Unpack[Call],
    ) -> Pulled:
        """Fetch, and bring your files to where the branch has gone, if nothing unsaved is in the way.

        If machines moved the branch apart, its heads are merged if that leaves no conflicts ("clean"), "always" or
        "never"; without `merge`, as the setting `sync.merge` says. In a project without remotes, takes what others
        pushed into it.
        """
        if remote is None and self._opened.run(NO_CALL, has_no_remotes):
            return self._opened.run(call, take_pushed, merge=merge, studio=self._opened.known_studio)
        return self._opened.run_at(
            call, remote, pull, all_versions=all_versions, merge=merge, studio=self._opened.known_studio
        )

    def sync(
        self,
        remote: str | None = None,
        *,
        all_versions: bool = False,
        ignore_locks: bool = False,
        merge: MergePolicy | None = None,
        **call: Unpack[Call],
    ) -> Synced:
        """Pull, then push; `merge` as in `pull`. What is not saved in a version is not sent: see `status`.

        In a project without remotes that others clone and push to, takes what they pushed.
        """
        if remote is None and self._opened.run(NO_CALL, is_exchanged_only):
            return self._opened.run(call, sync_pushed, merge=merge, studio=self._opened.known_studio)
        return self._opened.run_at(
            call, remote, sync, all_versions=all_versions, ignore_locks=ignore_locks, merge=merge,
            studio=self._opened.known_studio,
        )  # fmt: skip

    def plan_content(self, *versions: VersionLike, paths: tuple[StrPath, ...] = ()) -> FetchedContent:
        """Say which content of versions (of all, if none is named) is not here, offloaded or missing."""
        return self._opened.run(NO_CALL, absent_content, [name_of(version) for version in versions], paths)

    def fetch_content(
        self, *versions: VersionLike, paths: tuple[StrPath, ...] = (), **call: Unpack[Call]
    ) -> FetchedContent:
        """Bring the offloaded (or missing) content of versions back, from whichever remote has it; it stays.

        Raises:
            ObjectOffloaded: no remote that can be asked now has all of it; what was fetched stays. RemoteUntrusted.
        """
        names = [name_of(version) for version in versions]
        return self._opened.run_with_content(call, bring_content, names, paths)

    def bundle(self, path: StrPath, *, all_versions: bool = False, **call: Unpack[Call]) -> Bundle:
        """Write the project with its history into one file, which `aura.clone` takes like a remote.

        Raises:
            NameTaken: the file exists. InputError: its folder does not, or there is no version.
        """
        return self._opened.run(call, bundle, os.path.abspath(path), all_versions)
