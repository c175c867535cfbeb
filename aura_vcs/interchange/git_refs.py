"""Where branches and tags of git go here: beside what is there, never over it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from fnmatch import fnmatchcase
from itertools import chain

import msgspec

from aura_vcs.errors.interchange import GitDamaged
from aura_vcs.history.names.branches import BranchMove, branch, branch_update
from aura_vcs.history.recording.version_builder import DESCRIPTION_LIMIT
from aura_vcs.ids import VersionId
from aura_vcs.interchange.git_names import PREFIX, git_name, own_name
from aura_vcs.interchange.git_objects import message_of, signature_of
from aura_vcs.interchange.git_repository import GitRepository
from aura_vcs.interchange.git_tags import TAG_DEPTH, tag_extra
from aura_vcs.model import Head, RefChange, Tag
from aura_vcs.operation_log import tag_change
from aura_vcs.plain_text import clean_text, format_time, one_line
from aura_vcs.refs.merge import next_stamp
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Transaction

TAG_BYTES_LIMIT = 1 << 20
TRIED_NAMES = 20
_TARGET = re.compile(rb"object ([0-9a-f]{40}|[0-9a-f]{64})\n")


class GitTag(msgspec.Struct, frozen=True):
    """A tag that leads to a commit; `objects` are its own, outermost first: none for a mere name."""

    commit: str
    objects: tuple[bytes, ...] = ()


class ImportedRef(msgspec.Struct, frozen=True):
    """A branch or tag of git, what it is called here, and whether that is new here or moved."""

    git_name: str
    name: str
    version: VersionId
    changed: bool


def select(names: Mapping[bytes, str], patterns: Iterable[str]) -> dict[bytes, str]:
    """Return the refs whose names match one of the patterns, as in a shell: `*` is all, also with slashes."""
    wanted = tuple(patterns)
    return {
        name: one
        for name, one in names.items()
        if any(fnmatchcase(name.decode("utf-8", "surrogateescape"), pattern) for pattern in wanted)
    }


def peel(git: GitRepository, git_id: str) -> GitTag | str:
    """Return the commit that a tag leads to; in words what it leads to instead."""
    objects: list[bytes] = []
    for _ in range(TAG_DEPTH):
        with closing(git.objects.ask([git_id])) as answers:
            _, stream = next(answers)
            if stream is None:
                return "what it names is missing or damaged"
            if stream.kind == "commit":
                return GitTag(git_id, tuple(objects))
            if stream.kind != "tag":
                return f"it names a {'folder' if stream.kind == 'tree' else 'file'} and no commit"
            try:
                content = stream.read(TAG_BYTES_LIMIT)
            except GitDamaged as error:
                return error.reason
        objects.append(content)
        found = _TARGET.match(content)
        if found is None:
            return "it names no object"
        git_id = found[1].decode()
    return "it names tags of tags of tags"


class RefsImport:
    """Finds the changes of refs, inside a transaction."""

    def __init__(self, repo: Repository, transaction: Transaction, versions: Mapping[str, VersionId]) -> None:
        self._repo = repo
        self._transaction = transaction
        self._versions = versions
        self._taken: set[str] = set()
        self.changes: dict[str, RefChange] = {}
        self.left: list[tuple[str, str]] = []

    def _leave(self, what: str, target: VersionId | None) -> None:
        reason = "its commits were left out" if target is None else "nothing like its name can be one here"
        self.left.append((what, reason))

    def branches(self, names: Mapping[bytes, str]) -> Iterator[ImportedRef]:
        """Bring branches here: new, further on, or under another name where the own one leads elsewhere."""
        tags = self._repo.refs.tags()
        for name, tip in names.items():
            target, shown = self._versions.get(tip), name.decode("utf-8", "replace")
            own = own_name("branch", name)
            if target is None or own is None:
                self._leave(f"branch {shown}", target)
                continue
            for candidate in _candidates(own):
                if candidate in tags or candidate in self._taken:
                    continue
                done = self._branch(candidate, target)
                if done is not None:
                    self._taken.add(candidate)
                    yield ImportedRef(shown, candidate, target, done)
                    break

    def _branch(self, name: str, target: VersionId) -> bool | None:
        """Move the branch, and tell whether it had to be; None if it leads elsewhere."""
        found, queries = branch(self._repo, name), self._repo.queries
        if found is not None and (found.diverged or found.version != target):
            if not found.diverged and queries.is_ancestor(target, found.version):
                return False
            if found.diverged or not queries.is_ancestor(found.version, target):
                return None
        elif found is not None:
            return False
        self.changes |= branch_update(self._repo, self._transaction, name, BranchMove(target, over_all=found is None))
        return True

    def tags(self, names: Mapping[bytes, GitTag]) -> Iterator[ImportedRef]:
        """Bring tags here, beside those that name something else."""
        known = self._repo.refs.all_tags()
        for name, found in names.items():
            target, shown = self._versions.get(found.commit), name.decode("utf-8", "replace")
            own = own_name("tag", name)
            if target is None or own is None:
                self._leave(f"tag {shown}", target)
                continue
            for candidate in _candidates(own):
                before = known.get(candidate)
                if candidate in self._taken or branch(self._repo, candidate) is not None:
                    continue
                if before is not None and before.version not in {None, target}:
                    continue
                self._taken.add(candidate)
                if before is None or before.version is None:
                    other = name if git_name(candidate) != shown else b""
                    ref, change = tag_change(candidate, before, self._tag(found, target, before, other))
                    self.changes[ref] = change
                yield ImportedRef(shown, candidate, target, before is None or before.version is None)
                break

    def _tag(self, found: GitTag, target: VersionId, before: Tag | None, name: bytes) -> Tag:
        stamp, seen = next_stamp(before, self._transaction.replica)
        data = found.objects[0] if found.objects else b""
        tagger = signature_of(data, b"tagger")
        message = clean_text(message_of(data).partition("-----BEGIN ")[0]).strip()[:DESCRIPTION_LIMIT].rstrip()
        at = format_time(tagger.at) if tagger.at is not None and tagger.at.year >= 1000 else self._transaction.at
        author = one_line(tagger.who) or self._repo.author
        return Tag(target, message, at, author, stamp, seen, tag_extra(found.objects, name))


def _candidates(own: str) -> Iterator[str]:
    bare = own.removeprefix(PREFIX)
    first = [own] if own.startswith(PREFIX) else [own, f"{PREFIX}{own}"]
    return chain(first, (f"{PREFIX}{bare}-{number}" for number in range(2, TRIED_NAMES)))


class LeftOut(msgspec.Struct, frozen=True):
    """Something that could not be taken: a path, branch or tag, and why."""

    what: str
    reason: str


class GitImported(msgspec.Struct, frozen=True):
    """What an import did. `versions` are new here, `known` were here; `left` has at most LEFT_LIMIT of `left_count`."""

    place: str
    versions: int
    known: int
    branches: tuple[ImportedRef, ...]
    tags: tuple[ImportedRef, ...]
    left: tuple[LeftOut, ...] = ()
    left_count: int = 0
    notes: tuple[str, ...] = ()
    head: Head | None = None
    """Where HEAD was put, in a project that had no version."""
