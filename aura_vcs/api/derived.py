"""Files of a project that can be made again: renders, proxies, voices, exports."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from aura_vcs.annotations import recipes
from aura_vcs.api.credentials import Credentials
from aura_vcs.api.offloading import asked_remotes
from aura_vcs.api.opened import Part, StrPath, has, project_paths
from aura_vcs.api.reporting import NO_CALL
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.names.revisions import split_content
from aura_vcs.model import GRACE_SECONDS
from aura_vcs.plain_text import parse_time
from aura_vcs.project import derived as room
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.offload import evict


@dataclass(frozen=True, slots=True)
class DerivedFile:
    """A file that can be made again; `how` is its command, or the export that made it.

    `state` is "here" (in the folder), "stored" (only in versions), or "evicted" (nowhere, but its recipe is kept).
    It is stale if something that it was made from has `changed`.
    """

    path: Path
    content: str
    state: Literal["here", "stored", "evicted"]
    how: str
    changed: tuple[str, ...]
    made_at: datetime

    @classmethod
    def _of(cls, found: room.Derived) -> Self:
        """Take over what is known."""
        made = parse_time(found.made_at)
        return cls(Path(found.path), found.content, found.state, found.how, found.changed, made)


@dataclass(frozen=True, slots=True)
class MadeAgain:
    """A file that was made again; `is_same` tells whether it is byte for byte what it was."""

    path: Path
    content: str
    is_same: bool


@dataclass(frozen=True, slots=True)
class Evicted:
    """Files that were, or would be, evicted, and their bytes in all; `left` says why others stay."""

    files: tuple[Path, ...]
    bytes: int
    left: tuple[tuple[str, str], ...]

    @classmethod
    def _of(cls, plan: room.Eviction) -> Self:
        """Take over a plan, or what was done."""
        return cls(tuple(Path(path) for path, _ in plan.files), plan.size, plan.left)

    @classmethod
    def _of_versions(cls, plan: evict.VersionEviction) -> Self:
        """Take over a plan for versions."""
        left = tuple((file.path, file.reason) for file in plan.staying)
        return cls(tuple(Path(file.path) for file in plan.going), plan.size, left)


class DerivedFiles(Part):
    """Files that can be made again, by path. Nothing is made automatically."""

    def __iter__(self) -> Iterator[DerivedFile]:
        return iter(list(map(DerivedFile._of, self._opened.run(NO_CALL, room.list_derived))))

    def __getitem__(self, path: StrPath) -> DerivedFile:
        found = {item.path.as_posix(): item for item in self}
        (name,) = self._opened.run(NO_CALL, project_paths, [path])
        if name not in found:
            raise UnknownName("derived file", name, list(found))
        return found[name]

    def __contains__(self, name: StrPath) -> bool:
        return has(self.__getitem__, name)

    def set(
        self, file: StrPath, command: Sequence[str], *, inputs: Iterable[StrPath] = (), environment: str = ""
    ) -> DerivedFile:
        """Record how a file of the folder was made: a command with `{input}`, `{input:2}` and `{output}` in it.

        Raises:
            UnknownName, FileUnreadable. InputError: the command names no `{output}`.
        """
        self._opened.run(NO_CALL, _set, file, command, inputs, environment)
        return self[file]

    def make(
        self, file: StrPath, *, recorded: bool = False, timeout: timedelta | None = None, agreed: bool = False
    ) -> MadeAgain:
        """Make a file again, from its inputs as they are now, or as they were `recorded`, and put it into the folder.

        `v3:proxy.mp4` names content that was evicted from a version; it is stored again if it is the same. A recipe
        that came from elsewhere is run only if the person at this machine has `agreed` to it.

        Raises:
            UnknownName: there is no recipe. InputError: it was not agreed to. RecipeFailed.
        """
        seconds = None if timeout is None else timeout.total_seconds()
        made = self._opened.run(NO_CALL, _made, os.fspath(file), recorded, seconds, agreed)
        return MadeAgain(Path(made.path), made.content, made.is_same)

    def plan_evict(self, older_than: timedelta = timedelta()) -> Evicted:
        """Say what `evict` would take out of the folder: files that their recipes have made again on this machine."""
        return Evicted._of(self._opened.run(NO_CALL, room.plan_eviction, older_than.total_seconds()))

    def evict(self, older_than: timedelta = timedelta(), *, prove: bool = False) -> Evicted:
        """Remove files from the folder that can be made again, are in no version, and were not changed since.

        With `prove`, recipes that were not tried on this machine are run first, in a folder of their own.
        """
        return Evicted._of(self._opened.run(NO_CALL, _evicted, older_than.total_seconds(), prove))

    def plan_evict_versions(self, older_than: timedelta = timedelta(), *, remotes: Iterable[str] = ()) -> Evicted:
        """Say what `evict_versions` would mark: content that only older versions hold and that can be made again.

        Its recipe must have made it again on this machine, or one of the `remotes` must hold it. What it is made
        from must be here, or one of the `remotes` must prove that it has it.

        Raises:
            RemoteError: a remote cannot be asked.
        """
        seconds, credentials = older_than.total_seconds(), self._opened.credentials
        return self._opened.run(NO_CALL, _planned_versions, credentials, list(remotes), seconds)

    def evict_versions(
        self,
        older_than: timedelta = timedelta(),
        *,
        grace: timedelta = timedelta(seconds=GRACE_SECONDS),
        remotes: Iterable[str] = (),
        prove: bool = False,
    ) -> Evicted:
        """Mark such content, which `undo` takes back, and free what was marked longer ago than the grace period.

        With `prove`, recipes that were not tried on this machine are run first, in a folder of their own; those
        that make the same bytes are remembered. The versions stay as they are; `make("v3:proxy.mp4")` brings
        content back. Whatever one of the `remotes` proves to have counts as being here.

        Raises:
            RemoteError: a remote cannot be asked; nothing was marked.
        """
        times = older_than.total_seconds(), grace.total_seconds()
        return self._opened.run(NO_CALL, _evicted_versions, self._opened.credentials, list(remotes), times, prove)

    def stale(self) -> dict[str, list[str]]:
        """Map each file that was made from something that has changed since to what has changed."""
        return self._opened.run(NO_CALL, recipes.stale)


def _set(repo: Repository, file: StrPath, command: Sequence[str], inputs: Iterable[StrPath], environment: str) -> None:
    (made,) = project_paths(repo, [file])
    recipes.set_recipe(repo, made, command, project_paths(repo, inputs), environment=environment)


def _made(repo: Repository, file: str, recorded: bool, seconds: float | None, agreed: bool) -> room.Made:
    exports = [item for item in room.list_derived(repo) if item.path == file and item.export is not None]
    if exports:
        return room.make_export(repo, exports[0])
    recipe = recipes.find_recipe(repo, file)
    if agreed:
        recipes.agree(repo, recipe)
    if split_content(file)[1]:
        return room.make_stored(repo, recipe, seconds=seconds)
    return room.make(repo, recipe, recorded=recorded, seconds=seconds)


def _planned_versions(repo: Repository, credentials: Credentials, remotes: list[str], seconds: float) -> Evicted:
    with asked_remotes(repo, credentials, remotes) as asked:
        return Evicted._of_versions(evict.plan_version_eviction(repo, seconds, asked))


def _evicted_versions(
    repo: Repository, credentials: Credentials, remotes: list[str], times: tuple[float, float], prove: bool
) -> Evicted:
    seconds, grace_seconds = times
    with asked_remotes(repo, credentials, remotes) as asked:
        plan = evict.plan_version_eviction(repo, seconds, asked)
        if prove and (untried := evict.find_untried(repo, plan, asked)):
            faults = room.try_recipes(repo, untried)
            plan = evict.plan_version_eviction(repo, seconds, asked).with_faults(faults)
        evict.mark_evicted(repo, plan)
        evict.free_evicted(repo, grace_seconds, asked)
    return Evicted._of_versions(plan)


def _evicted(repo: Repository, seconds: float, prove: bool) -> room.Eviction:
    plan = room.plan_eviction(repo, seconds)
    if prove:
        faults = room.try_left(repo, plan)
        plan = room.plan_eviction(repo, seconds).with_faults(faults)
    return room.evict(repo, plan)
