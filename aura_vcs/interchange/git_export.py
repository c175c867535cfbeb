"""Export to a new git repository: the same versions give the same commits each time, on every machine.

What was imported from git gives the commit that it was, where its files and parents are still the same.
"""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import ObjectMissing
from aura_vcs.history.names.branches import branches, default_branch
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import VersionFilter, describe
from aura_vcs.interchange.export_version import check_outside
from aura_vcs.interchange.git_commits import git_origin, remaining_data
from aura_vcs.interchange.git_names import git_name, is_git_folder
from aura_vcs.interchange.git_objects import (
    EMPTY_TREE,
    EXECUTABLE,
    FILE,
    LINK,
    TREE,
    GitCommit,
    GitEntry,
    LfsPointer,
    encode_commit,
    encode_pointer,
    encode_tree,
    object_id,
)
from aura_vcs.interchange.git_pack import PackFile
from aura_vcs.interchange.git_process import DEFAULT_ENVIRONMENT, git_environment, run_git
from aura_vcs.interchange.git_remainders import FolderRemainder, RemainderExport
from aura_vcs.interchange.git_tags import name_in_git, tag_objects
from aura_vcs.model import Entry, EntryKind, Tag, Version, VersionType
from aura_vcs.objects.base import BUFFER_BYTES, EMPTY_TREE_ID
from aura_vcs.plain_text import name_bytes, parse_time, readable_name
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.new_output import NewOutput
from aura_vcs.storage.system_calls import storage_error
from aura_vcs.worktree.checkout.new_file import stored_readers

_SIGNATURE = re.compile(rb"^gpgsig(-sha256)? .*\n(?: .*\n)*", re.MULTILINE)
_PERSON = re.compile(r"(?P<name>.*?)\s*<(?P<mail>[^<>]*)>\s*\Z", re.DOTALL)


class GitExported(msgspec.Struct, frozen=True):
    """What an export wrote. `original` commits have the ids that they had before they were imported."""

    path: str
    commits: int
    original: int
    branches: tuple[str, ...]
    tags: tuple[str, ...]
    lfs_files: int
    left: tuple[str, ...]
    """What could not be written, a sentence each without a full stop."""


def export_git(
    repo: Repository,
    target: str,
    *,
    lfs_over: int | None = None,
    all_versions: bool = False,
    environment: Mapping[str, str] = DEFAULT_ENVIRONMENT,
) -> GitExported:
    """Write branches and tags, with all versions that they stand on, into a new repository with its files in place.

    Files of `lfs_over` bytes and more are written as pointers of Git LFS, their content into `.git/lfs/objects`. With
    `all_versions`, autosaves and restore points come too, as tags `aura/vN`. Empty folders stay behind: git has none.
    Interrupted, nothing is left. Where anything is stored for its owner alone, the folder is theirs alone.

    Raises:
        TargetExists: the folder is there and not empty. InputError: there is nothing to export, or it lies in
        the project.
        GitUnavailable. ObjectMissing, ObjectCorrupt: this project is damaged.
    """
    check_outside(repo, target)
    with NewOutput(target, folder=True, readers=stored_readers(repo.storage)) as output:
        try:
            done = _Export(repo, output, lfs_over, environment).run(all_versions=all_versions)
        except OSError as error:
            raise storage_error("write", output.target, error) from error
        output.publish()
    return done


class _Export:
    def __init__(
        self, repo: Repository, output: NewOutput, lfs_over: int | None, environment: Mapping[str, str]
    ) -> None:
        self._repo = repo
        self._output = output
        self._lfs_over = lfs_over
        self._environment = git_environment(environment)
        self._git = os.path.join(output.path, ".git")
        self._trees: dict[tuple[ObjectId, int], str] = {}
        """By the trees of ours, and the identity of what git's have besides."""
        self._remainders = RemainderExport()
        self._blobs: dict[ObjectId, str] = {}
        self._commits: dict[VersionId, str] = {}
        self._lfs_suffixes: set[str] = set()
        self._lfs_files = 0
        self._original = 0
        self._left: dict[str, None] = {}
        self._pack: PackFile

    def run(self, *, all_versions: bool) -> GitExported:
        repo = self._repo
        heads = dict(self._heads())
        tags = self._tags()
        others: dict[str, VersionId] = {}
        if all_versions:
            kinds = (VersionType.AUTOSAVE, VersionType.RESTORE_POINT)
            found = repo.queries.all_versions(VersionFilter(types=kinds))
            others = {f"aura/v{record.number}.{record.id[:6]}": record.id for record in found}
        tips = [*heads.values(), *(tag.version for tag in tags.values() if tag.version is not None), *others.values()]
        if not tips:
            raise InputError("There are no versions to export yet", hint='Make one with `aura commit -m "First cut"`.')
        os.makedirs(os.path.join(self._git, "objects", "pack"))
        os.makedirs(os.path.join(self._git, "refs"))
        ordered = self._ordered(tips)
        name = "pack-" + hashlib.sha1("".join(ordered).encode(), usedforsecurity=False).hexdigest()
        place = os.path.join(self._git, "objects", "pack", f"{name}.pack")
        repo.progress.start("Writing commits", len(ordered), "commits")
        with open(place, "w+b") as file:
            self._pack = PackFile(file)
            for version_id in ordered:
                self._commits[version_id] = self._commit(version_id)
                repo.progress.advance(1)
            refs = {f"refs/heads/{name}": self._commits[version] for name, version in heads.items()}
            refs |= {f"refs/tags/{name}": self._commits[version] for name, version in others.items()}
            refs |= {f"refs/tags/{name}": self._tag(name, tag) for name, tag in tags.items()}
            self._pack.finish()
        repo.progress.finish()
        head = self._head(heads)
        called = self._without_clashes(refs)
        named = {called[name]: one for name, one in refs.items()}
        self._write_repository(named, called.get(f"refs/heads/{head}", "refs/heads/main"))
        run_git(["index-pack", place], self._environment, "index what was exported")
        if heads:
            arguments = ["--git-dir", self._git, "--work-tree", self._output.path, "reset", "--hard", "--quiet"]
            run_git(arguments, self._environment, "put the files in place")
        return GitExported(
            self._output.target, len(ordered), self._original, tuple(sorted(heads)), tuple(sorted(tags)),
            self._lfs_files, tuple(self._left),
        )  # fmt: skip

    def _heads(self) -> Iterator[tuple[str, VersionId]]:
        for found in branches(self._repo):
            name = git_name(found.name)
            yield name, found.version
            others = [version for version in found.diverged if version != found.version]
            for number, version in enumerate(others, 2):
                self._leave(f"Branch {found.name} has diverged; its other head is {name}.head-{number}")
                yield f"{name}.head-{number}", version

    def _tags(self) -> dict[str, Tag]:
        """Return tags by their names in git: one that git called otherwise gets that name where no other has it."""
        tags = self._repo.refs.tags()
        found: dict[str, Tag] = {git_name(name): tag for name, tag in tags.items()}
        for name, tag in tags.items():
            there = name_in_git(name, tag.extra)
            if there not in found:
                found[there] = found.pop(git_name(name))
        return found

    def _head(self, heads: Mapping[str, VersionId]) -> str:
        own = self._repo.head().branch
        if own is not None and git_name(own) in heads:
            return git_name(own)
        return default_branch(heads) or "main"

    def _leave(self, what: str) -> None:
        self._left.setdefault(what)

    def _ordered(self, tips: Iterable[VersionId]) -> list[VersionId]:
        """Return the versions below the tips, parents first, in an order that depends on nothing else."""
        ordered: dict[VersionId, None] = {}
        waiting = sorted(set(tips), reverse=True)
        while waiting:
            version = waiting[-1]
            parents = [] if version in ordered else self._parents(version)
            missing = [parent for parent in parents if parent not in ordered]
            if missing:
                waiting += reversed(missing)
                continue
            ordered.setdefault(waiting.pop())
        return list(ordered)

    def _parents(self, version: VersionId) -> tuple[VersionId, ...]:
        record = self._repo.queries.version(version)
        if record is None:
            raise ObjectMissing(version, "the history")
        return record.parents

    def _commit(self, version_id: VersionId) -> str:
        version = self._repo.trees.version(version_id)
        record = self._repo.queries.version(version_id)
        tree_id = version.tree
        if record is not None and not record.is_live and not self._repo.store.contains(tree_id):
            self._leave(f"The content of {describe(self._repo.queries, version_id)} was freed: its commit is empty")
            tree_id = EMPTY_TREE_ID
        has_modules = self._repo.trees.entry(tree_id, ".gitmodules") is not None
        kept = self._remainders.of(version_id, version, has_modules=has_modules)
        tree = self._tree(tree_id, "", kept if tree_id == version.tree else None)
        parents = tuple(self._commits[parent] for parent in version.parents)
        rest, origin = remaining_data(version.extra), git_origin(version.extra)
        if rest is None:
            return self._pack.add("commit", encode_commit(GitCommit(tree, parents, _rest_of(version))))
        data = encode_commit(GitCommit(tree, parents, rest))
        if origin == object_id("commit", data):
            self._original += 1
        else:
            data = encode_commit(GitCommit(tree, parents, _SIGNATURE.sub(b"", rest)))
        return self._pack.add("commit", data)

    def _tag(self, name: str, tag: Tag) -> str:
        assert tag.version is not None
        commit = self._commits[tag.version]
        kept = [self._pack.add("tag", data) for data in tag_objects(tag.extra, commit)]
        if kept or not tag.message:
            return kept[-1] if kept else commit
        tagger = _signature(tag.created_by, tag.created_at)
        words = f"object {commit}\ntype commit\ntag {name}\ntagger {tagger}\n\n{tag.message}\n"
        return self._pack.add("tag", words.encode("utf-8", "replace"))

    def _tree(self, tree_id: ObjectId, prefix: str, kept: FolderRemainder | None = None) -> str:
        known = self._trees.get((tree_id, id(kept)))
        if known is not None:
            return known
        entries = []
        for entry in self._repo.trees.tree(tree_id).entries:
            path, name = f"{prefix}{entry.name}", name_bytes(entry.name)
            if is_git_folder(name):
                self._leave(f"{readable_name(path)} was left out: git would take it for its own folder")
            elif entry.kind is not EntryKind.DIR:
                mode = LINK if entry.kind is EntryKind.SYMLINK else EXECUTABLE if entry.executable else FILE
                entries.append(GitEntry(mode, name, self._blob(entry, path)))
            else:
                inner = self._tree(entry.id, f"{path}/", kept.folders.get(name) if kept is not None else None)
                if inner != EMPTY_TREE or (kept is not None and name in kept.modes):
                    entries.append(GitEntry(TREE, name, inner))
        if kept is not None:
            entries = kept.completed(entries)
        made = self._trees[tree_id, id(kept)] = self._pack.add("tree", encode_tree(entries))
        return made

    def _blob(self, entry: Entry, path: str) -> str:
        known = self._blobs.get(entry.id)
        if known is None:
            is_large = self._lfs_over is not None and entry.size >= self._lfs_over
            if is_large and entry.kind is EntryKind.FILE:
                known = self._pack.add("blob", encode_pointer(self._lfs(entry, path)))
            elif entry.size < BUFFER_BYTES:
                known = self._pack.add("blob", b"".join(self._repo.store.stream(entry.id)))
            else:
                known = self._pack.add_stream(entry.size, self._repo.store.stream(entry.id))
            self._blobs[entry.id] = known
        return known

    def _lfs(self, entry: Entry, path: str) -> LfsPointer:
        """Write the content of a file where Git LFS looks for it."""
        digest = hashlib.sha256()
        os.makedirs(os.path.join(self._git, "lfs", "objects"), exist_ok=True)
        with open(os.path.join(self._git, "lfs", "part"), "wb") as file:
            for piece in self._repo.store.stream(entry.id):
                digest.update(piece)
                file.write(piece)
        oid = digest.hexdigest()
        folder = f".git/lfs/objects/{oid[:2]}/{oid[2:4]}"
        os.makedirs(os.path.join(self._output.path, folder), exist_ok=True)
        self._output.move(".git/lfs/part", f"{folder}/{oid}")
        self._lfs_files += 1
        name = path.rpartition("/")[2]
        self._lfs_suffixes.add(f"*.{name.rpartition('.')[2]}" if "." in name.strip(".") else name)
        return LfsPointer(oid, entry.size)

    def _without_clashes(self, refs: Mapping[str, str]) -> dict[str, str]:
        """Return what refs are called in git: none lies where another one's folder is."""
        folders = {name[:at] for name in refs for at, letter in enumerate(name) if letter == "/"}
        found = {}
        for name in refs:
            plain = name
            while plain in folders or (plain != name and plain in refs):
                plain += "_"
            if plain != name:
                self._leave(f"{name} is called {plain}: others have its name as their folder")
            found[name] = plain
        return found

    def _write_repository(self, refs: Mapping[str, str], head: str) -> None:
        lines = "".join(f"{one} {name}\n" for name, one in sorted(refs.items()))
        patterns = "".join(
            f"{_quoted(suffix)} filter=lfs diff=lfs merge=lfs -text\n" for suffix in sorted(self._lfs_suffixes)
        )
        config = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n"
        files = {"HEAD": f"ref: {head}\n", "config": config, "packed-refs": lines}
        if patterns:
            os.makedirs(os.path.join(self._git, "info"))
            files["info/attributes"] = patterns
        for name, text in files.items():
            with open(os.path.join(self._git, name), "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)


def _quoted(pattern: str) -> str:
    return '"' + pattern.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _rest_of(version: Version) -> bytes:
    """Return a commit from the author's line on, for a version that was made here."""
    who = _signature(version.author, version.created_at)
    text = f"\n\n{version.description}" if version.description else ""
    return f"author {who}\ncommitter {who}\n\n{version.name}{text}\n".encode("utf-8", "replace")


def _signature(name: str, at: str) -> str:
    found = _PERSON.match(name)
    who, mail = (found["name"], found["mail"]) if found is not None else (name, "")
    plain = re.sub(r"[<>\n\0]", "", who).strip(" .,:;\"'\\") or "unknown"
    seconds = int(parse_time(at).timestamp())
    address = re.sub(r"[\s<>]", "", mail)
    return f"{plain} <{address}> {max(seconds, 0)} +0000"
