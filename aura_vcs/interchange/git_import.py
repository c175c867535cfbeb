"""Import of a git repository: every commit becomes a version, once; branches and tags follow.

Commits are recorded some hundreds at a time. Interrupted, those recorded stay, and the next import goes on behind
them: each version says which commit it was (model.ORIGIN), so that is known in every copy of the project.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial

import msgspec

from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.errors.interchange import GitDamaged
from aura_vcs.history.checkout import StepRequest, replace_worktree
from aura_vcs.history.names.branches import default_branch
from aura_vcs.history.names.follow_branch import follow_branch
from aura_vcs.history.recording.journal import recover
from aura_vcs.history.recording.past_versions import PastVersion, record_past_versions
from aura_vcs.history.recording.steps import Between
from aura_vcs.history.recording.version_builder import WorktreeBase, worktree_base
from aura_vcs.ids import ObjectId, VersionId, new_operation_id
from aura_vcs.interchange.find_lfs_server import find_lfs_server
from aura_vcs.interchange.git_blobs import BlobImport
from aura_vcs.interchange.git_commits import ORIGIN_PREFIX, CommitContent, past_version, remaining_data
from aura_vcs.interchange.git_content import ContentImport
from aura_vcs.interchange.git_names import own_name
from aura_vcs.interchange.git_objects import COMMIT_BYTES_LIMIT, GitCommit, parse_commit
from aura_vcs.interchange.git_pointers import has_pointers
from aura_vcs.interchange.git_process import DEFAULT_ENVIRONMENT, is_address
from aura_vcs.interchange.git_reader import ObjectStream
from aura_vcs.interchange.git_refs import GitImported, GitTag, ImportedRef, LeftOut, RefsImport, peel, select
from aura_vcs.interchange.git_repository import GitRepository
from aura_vcs.interchange.lfs_server import AgreeTo
from aura_vcs.model import Head, HeadChange, Inverse, TreeChange
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.plain_text import readable_name
from aura_vcs.progress import SILENT
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft, Transaction

GROUP_COMMITS = 500
"""So many commits are recorded at once."""
READ_AHEAD = 50
"""So many commits are read before their files are."""
GROUP_BYTES = 512 << 20
"""Bytes of content after which what was read so far is recorded."""
MADE_BY_INIT = frozenset({"project.json"})
"""Files that a new project has, and nobody has made: one of the repository's takes their place."""
LEFT_LIMIT = 1000
"""So many of the things that were left out are named; the others are counted."""

_TO_HAVE_CONTENT = (
    "Versions stay as they are: to have the content, import into a new project, after `git lfs fetch --all` in the"
    " repository or with --lfs"
)


class GitImportRequest(msgspec.Struct, frozen=True):
    """What of a git repository is imported: `branches` and `tags` are patterns as in a shell.

    With `since` (RFC 3339), older commits are left out. With `lfs`, pointers of Git LFS are replaced by the content,
    where `lfs/objects` has it; with `lfs_consent` also by what the server has that `.lfsconfig` or the repository's
    origin names, if it agrees to that host. Content that does not hash to its name is not taken.
    """

    branches: Sequence[str] = ("*",)
    tags: Sequence[str] = ("*",)
    since: str | None = None
    lfs: bool = True
    lfs_consent: AgreeTo | None = None


ALL = GitImportRequest()


def import_git(
    repo: Repository,
    place: str,
    *,
    request: GitImportRequest = ALL,
    environment: Mapping[str, str] = DEFAULT_ENVIRONMENT,
) -> GitImported:
    """Bring the history of a git repository into a project: of a folder, or of an address that git fetches from.

    `environment` is what git gets.
    Only what is new comes; branches that went on here, or lead elsewhere, stay, and git's are put beside them as
    `git/NAME`. In a project without versions HEAD goes to git's branch, and its files are put in place unless the
    folder has one of the same name. One undo takes branches, tags and HEAD back; the versions stay. Nothing of the
    repository's configuration is read, and no hook is run. See the module for interruptions.

    Raises:
        NotAGitRepository, GitUnavailable, GitDamaged. RemoteUntrusted, RemoteDenied, RemoteUnreachable: of Git LFS.
    """
    recover(repo)
    follow_branch(repo)
    with GitRepository(place, environment) as git:
        return _Import(repo, git, lfs=request.lfs, agree=request.lfs_consent).run(
            select(git.branches, request.branches), select(git.tags, request.tags), request.since
        )


def plan_import_git(
    repo: Repository,
    place: str,
    *,
    request: GitImportRequest = ALL,
    environment: Mapping[str, str] = DEFAULT_ENVIRONMENT,
) -> GitImported:
    """Say what `import_git` would bring; changes nothing. Refs that would be new or move have no version yet.

    What of files could not be taken is not known before they are read.

    Raises:
        NotAGitRepository, GitUnavailable, GitDamaged.
    """
    with GitRepository(place, environment) as git:
        return _Import(repo, git, lfs=False).plan(
            select(git.branches, request.branches), select(git.tags, request.tags), request.since
        )


class _Import:
    def __init__(self, repo: Repository, git: GitRepository, *, lfs: bool, agree: AgreeTo | None = None) -> None:
        self._repo = repo
        self._git = git
        self._shown = git.place if is_address(git.place) else readable_name(os.path.abspath(git.place))
        folder = os.path.join(git.common_folder, "lfs", "objects") if lfs else None
        self._left: dict[tuple[str, str], None] = {}
        self._left_count = 0
        self._wants_lfs, self._tips = agree is not None, list[VersionId]()
        server = None if agree is None else partial(find_lfs_server, git, agree)
        self._blobs = BlobImport(git.objects, folder, self._leave, server)
        self._content = ContentImport(repo.trees, git.objects, self._blobs, git.digest, self._leave)
        self._versions = {
            origin.removeprefix(ORIGIN_PREFIX): version
            for origin, version in repo.queries.origins(ORIGIN_PREFIX).items()
        }
        self._known = frozenset(self._versions)
        self._learned: set[str] = set()
        self._skipped: dict[str, tuple[str, ...]] = {}
        """Commits that were left out, and their parents, which stand in for them."""
        self._cut = 0

    def _leave(self, what: str, reason: str) -> None:
        key = readable_name(what), reason
        if key in self._left:
            return
        self._left_count += 1
        if len(self._left) < LEFT_LIMIT:
            self._left[key] = None

    def plan(self, branches: Mapping[bytes, str], tags: Mapping[bytes, str], since: str | None) -> GitImported:
        """Count what is new."""
        named = self._peeled(tags)
        rows = self._git.history([*branches.values(), *(tag.commit for tag in named.values())], since)
        new = sum(row[0] not in self._versions for row in rows)
        tips = {"branch": branches, "tag": {name: tag.commit for name, tag in named.items()}}
        refs: dict[str, list[ImportedRef]] = {"branch": [], "tag": []}
        for kind, found in tips.items():
            for name, tip in found.items():
                shown, own = name.decode("utf-8", "replace"), own_name("branch" if kind == "branch" else "tag", name)
                if own is None:
                    self._leave(f"{kind} {shown}", "nothing like its name can be one here")
                    continue
                version = self._versions.get(tip)
                refs[kind].append(ImportedRef(shown, own, version or VersionId(ObjectId("")), version is None))
        return GitImported(
            self._shown, new, len(rows) - new, tuple(refs["branch"]), tuple(refs["tag"]),
            tuple(LeftOut(*key) for key in self._left), self._left_count, tuple(self._notes()),
        )  # fmt: skip

    def _peeled(self, tags: Mapping[bytes, str]) -> dict[bytes, GitTag]:
        """Find the commits that tags lead to; those that lead to none are told."""
        named: dict[bytes, GitTag] = {}
        for name, git_id in tags.items():
            found = peel(self._git, git_id)
            if isinstance(found, str):
                self._leave(f"tag {os.fsdecode(name)}", found)
            else:
                named[name] = found
        return named

    def run(self, branches: Mapping[bytes, str], tags: Mapping[bytes, str], since: str | None) -> GitImported:
        """Import what is new."""
        named = self._peeled(tags)
        rows = self._git.history([*branches.values(), *(tag.commit for tag in named.values())], since)
        new = [row for row in rows if row[0] not in self._versions]
        with self._repo.locks.shared("objects"):
            self._record(new, self._made_on(branches, rows))
        self._tips = [self._versions[tip] for tip in branches.values() if tip in self._versions]
        moved = self._move(branches, named, len(new) - len(self._skipped))
        return msgspec.structs.replace(
            moved,
            known=len(rows) - len(new),
            left=tuple(LeftOut(*key) for key in self._left),
            left_count=self._left_count,
            notes=tuple(self._notes()),
        )

    def _notes(self) -> Iterable[str]:
        if self._git.is_shallow:
            yield "The repository is shallow: its history is cut off, here too"
        if self._blobs.pointers:
            files = (
                "files of Git LFS came as pointers" if self._blobs.pointers > 1 else "file of Git LFS came as pointer"
            )
            yield f"{self._blobs.pointers} {files}. {_TO_HAVE_CONTENT}"
        elif self._wants_lfs and self._known and has_pointers(self._repo, self._tips):
            yield f"What had come before still has pointers of Git LFS. {_TO_HAVE_CONTENT}"
        if self._content.remainders.too_long:
            yield (
                f"{self._content.remainders.too_long} commits have more submodules and modes than a version keeps: an"
                " export gives them other ids"
            )
        if self._cut:
            what = "parents of commits were" if self._cut > 1 else "parent of a commit was"
            yield f"{self._cut} {what} left out, so that history begins there"

    def _made_on(self, branches: Mapping[bytes, str], rows: Sequence[tuple[str, ...]]) -> dict[str, str]:
        """Return the branch that commits were most likely made on: the first that has them in its main line."""
        parents = {row[0]: row[1] if len(row) > 1 else None for row in rows}
        found: dict[str, str] = {}
        for name in sorted(branches, key=lambda name: (name != self._git.head, name)):
            own, at = own_name("branch", name), branches[name]
            while own is not None and at is not None and at in parents and at not in found:
                found[at] = own
                at = parents[at]  # type: ignore[assignment]  # None at the first commit
        return found

    def _record(self, rows: Sequence[tuple[str, ...]], made_on: Mapping[str, str]) -> None:
        repo, correlation = self._repo, new_operation_id()
        repo.progress.start("Importing commits", len(rows), "commits")
        at, ahead = 0, dict[str, GitCommit | None]()
        while at < len(rows):
            group: list[PastVersion] = []
            places: dict[str, int] = {}
            start = self._blobs.bytes
            with repo.store.batch(SILENT) as batch:
                self._blobs.batch = batch
                while at < len(rows) and len(group) < GROUP_COMMITS and self._blobs.bytes - start < GROUP_BYTES:
                    git_id = rows[at][0]
                    if git_id not in ahead:
                        ahead = self._read_ahead([row[0] for row in rows[at : at + READ_AHEAD]])
                    made = self._version(git_id, ahead.pop(git_id), places, made_on.get(git_id))
                    if made is not None:
                        group.append(made)
                        places[git_id] = len(group) - 1
                    at += 1
                    repo.progress.advance(1)
                stored = batch.finish()
            ids = record_past_versions(
                repo, group, stored, batch.chunks, description=f"Imported {len(group)} commits from {self._shown}",
                correlation_id=correlation,
            )  # fmt: skip
            self._versions |= {git_id: ids[place] for git_id, place in places.items()}
        repo.progress.finish()

    def _read_ahead(self, ids: Sequence[str]) -> dict[str, GitCommit | None]:
        """Read some commits and what is new in them at once: to ask git for each and wait takes longer than all else.

        None for one that cannot be read, which is told.
        """
        found: dict[str, GitCommit | None] = {}
        with closing(self._git.objects.ask(ids)) as answers:
            for git_id, stream in answers:
                try:
                    found[git_id] = self._commit(git_id, stream)
                except GitDamaged as error:
                    found[git_id] = None
                    self._leave(f"commit {git_id}", error.reason)
        commits = [commit for commit in found.values() if commit is not None]
        for parent in {parent for commit in commits for parent in commit.parents} & self._known - self._learned:
            self._learn(parent)
        self._content.read_ahead(commit.tree for commit in commits)
        return found

    def _commit(self, git_id: str, stream: ObjectStream | None) -> GitCommit:
        """Return a commit; of one that is longer than anybody writes, what it says first."""
        if stream is None:
            raise GitDamaged(f"commit {git_id}", "it is missing or damaged")
        return parse_commit(stream.read(COMMIT_BYTES_LIMIT), git_id)

    def _version(
        self, git_id: str, commit: GitCommit | None, places: Mapping[str, int], made_on: str | None
    ) -> PastVersion | None:
        """Return what a commit becomes; None where nothing can be read of it, which is told."""
        if commit is None:
            self._skipped[git_id] = ()
            return None
        try:
            tree = self._content.tree(commit.tree, git_id)
        except GitDamaged as error:
            self._leave(f"commit {git_id}", f"its files cannot be read: {error.reason}")
            self._skipped[git_id] = commit.parents
            return None
        parents: list[VersionId | int] = []
        for parent in self._standing_in(commit.parents):
            found = places.get(parent, self._versions.get(parent))
            if found is None:
                self._cut += 1
            else:
                parents.append(found)
        remainder = self._content.remainders.remaining(git_id, commit.tree, commit.parents)
        content = CommitContent(tree.id, tree.size, self._content.documents(commit.tree), remainder)
        made = past_version(commit, git_id, content, tuple(parents), made_on)
        if remaining_data(made.extra) is None:
            self._leave(f"the end of what commit {git_id} says", "it is longer than a version keeps")
        return made

    def _standing_in(self, parents: Sequence[str]) -> Iterable[str]:
        """Return the parents of a commit, those of one that was left out in its place."""
        if self._skipped.keys().isdisjoint(parents):
            return parents
        found: dict[str, bool] = {}
        waiting = list(reversed(parents))
        while waiting:
            parent = waiting.pop()
            if parent not in found:
                found[parent] = not self._skipped.get(parent)
                waiting += reversed(self._skipped.get(parent, ()))
        return [parent for parent, is_here in found.items() if is_here]

    def _learn(self, parent: str) -> None:
        """Spare reading again what an earlier import has read."""
        self._learned.add(parent)
        record = self._repo.queries.version(self._versions[parent])
        if record is not None and record.is_live:
            with suppress(IntegrityError, GitDamaged):
                commit = parse_commit(self._git.objects.read(parent, "commit", COMMIT_BYTES_LIMIT), parent)
                self._content.know(commit.tree, record.tree)
                extra = self._repo.trees.version(self._versions[parent]).extra
                self._content.remainders.learn(parent, commit.tree, extra)

    def _move(self, branches: Mapping[bytes, str], tags: Mapping[bytes, GitTag], count: int) -> GitImported:
        """Put branches, tags and, in a project without versions, HEAD in place, as one operation."""
        repo = self._repo
        done = GitImported(self._shown, count, 0, (), ())
        base = worktree_base(repo)
        is_new = base.head.version is None

        def draft(transaction: Transaction, now: WorktreeBase, before: ObjectId, after: ObjectId) -> Draft:
            nonlocal done
            refs = RefsImport(repo, transaction, self._versions)
            found, named = tuple(refs.branches(branches)), tuple(refs.tags(tags))
            for what, reason in refs.left:
                self._leave(what, reason)
            head = _first_head(self._git, found) if is_new and now.head == base.head else None
            done = msgspec.structs.replace(done, branches=found, tags=named, head=head)
            change = HeadChange(now.head, head) if head is not None else None
            trees = TreeChange(before, after) if before != after else None
            return Draft(
                "import", f"Imported branches and tags from {self._shown}", refs.changes, change, trees,
                Inverse("import.revert"),
            )  # fmt: skip

        if is_new:
            with repo.transaction() as transaction:
                draft(transaction, base, EMPTY_TREE_ID, EMPTY_TREE_ID)
            tree = self._free_tree(done.head)
            if tree is not None:
                why = f"Before importing from {self._shown}"
                replace_worktree(repo, Between(repo, tree), draft, StepRequest("PreImport", why))
                return done
        with repo.locks.shared("worktree"), repo.transaction() as transaction:
            made = draft(transaction, worktree_base(repo), EMPTY_TREE_ID, EMPTY_TREE_ID)
            if made.refs or made.head is not None:
                transaction.record(made)
        return done

    def _free_tree(self, head: Head | None) -> ObjectId | None:
        """Return the tree whose files are to be put in place: none where the folder has a file that it has too."""
        record = self._repo.queries.version(head.version) if head is not None and head.version is not None else None
        if record is None:
            return None
        scan = self._repo.worktree.scan(EMPTY_TREE_ID)
        for folder in scan.walk():
            for name in folder.files:
                path = folder.join(name)
                if path not in MADE_BY_INIT and self._repo.trees.entry(record.tree, path) is not None:
                    return None
        return record.tree


def _first_head(git: GitRepository, found: Sequence[ImportedRef]) -> Head | None:
    names = {ref.name: ref for ref in found}
    chosen = next((ref for ref in found if ref.git_name.encode() == git.head), None)
    if chosen is None:
        name = default_branch(names)
        chosen = names[name] if name is not None else None
    return Head(chosen.name, chosen.version) if chosen is not None else None
