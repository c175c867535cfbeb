"""A git repository as data: its refs and objects, with nothing of its configuration read and no hook run.

Git works in an empty repository of our own, which only borrows the other one's objects: so whatever the other
one's `config`, hooks, attributes or filters say, nobody reads it. Refs are read from their files.
"""

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import Self

from aura_vcs.errors import without_passwords
from aura_vcs.errors.interchange import GitUnavailable, NotAGitRepository
from aura_vcs.interchange.git_history import walk_history
from aura_vcs.interchange.git_process import DEFAULT_ENVIRONMENT, git_environment, is_address, run_git
from aura_vcs.interchange.git_reader import ObjectReader
from aura_vcs.plain_text import parse_time

REF_BYTES_LIMIT = 1024
REFS_LIMIT = 1_000_000
PACKED_REFS_LIMIT = 256 << 20
CONFIG_LIMIT = 1 << 20
DEPTH_LIMIT = 32
_PACKS = os.path.join("objects", "pack")
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class GitRepository:
    """Another git repository, to be read. Use it in a `with`.

    `git_folder` is its own folder (`.git`, or that of a bare repository), `branches` and `tags` are what its refs
    say, in bytes of names and hexadecimal ids; of branches that only `origin` has, those too.
    """

    def __init__(self, place: str, environment: Mapping[str, str] = DEFAULT_ENVIRONMENT) -> None:
        self.place = place.removeprefix("file://")
        self.branches: dict[bytes, str] = {}
        self.tags: dict[bytes, str] = {}
        self.head: bytes | None = None
        """The branch that a clone would go to."""
        self.is_shallow = False
        self.digest = 20
        self._environment = git_environment(environment)
        self.given_environment = environment
        """What was given, for what is to see the person's own configuration."""
        self._stack = ExitStack()
        self._objects: ObjectReader | None = None

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self) -> None:
        scratch = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="aura-git-"))
        self.git_folder = self._cloned(scratch) if is_address(self.place) else find_git_folder(self.place)
        self.common_folder = _common_folder(self.git_folder)
        self._read_refs()
        self._borrow(os.path.join(scratch, "objects.git"))

    def _cloned(self, scratch: str) -> str:
        shown = without_passwords(self.place)
        if shown != self.place:  # others see what processes are called with
            hint = "Clone it with git, which asks for them, and import that folder."
            raise NotAGitRepository(shown, "passwords and tokens do not belong in addresses", hint=hint)
        folder = os.path.join(scratch, "clone.git")
        arguments = ["clone", "--quiet", "--mirror", "--no-hardlinks", "--", self.place, folder]
        run_git(arguments, self._environment, f"fetch from {self.place}")
        return folder

    def _borrow(self, folder: str) -> None:
        """Make the empty repository that borrows the objects."""
        for name in ("objects", "refs"):
            os.makedirs(os.path.join(folder, name))
        sha256 = self.digest == 32
        extra = "[extensions]\n\tobjectFormat = sha256\n" if sha256 else ""
        config = f"[core]\n\trepositoryformatversion = {int(sha256)}\n\tbare = true\n{extra}"
        for name, text in (("HEAD", "ref: refs/heads/main\n"), ("config", config)):
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(text)
        shallow = _read(os.path.join(self.common_folder, "shallow"), PACKED_REFS_LIMIT)
        lines = [line for line in (shallow or b"").decode("ascii", "replace").split() if _ID.fullmatch(line)]
        self.is_shallow = bool(lines)
        if lines:
            with open(os.path.join(folder, "shallow"), "w", encoding="ascii") as file:
                file.write("\n".join(lines) + "\n")
        objects = os.path.join(self.common_folder, "objects")
        self._environment |= {"GIT_DIR": folder, "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(objects)}

    @property
    def objects(self) -> "ObjectReader":
        """What reads objects, one after the other."""
        if self._objects is None:
            self._objects = self._stack.enter_context(
                ObjectReader(self._environment, self.place, is_partial=self._is_partial())
            )
        return self._objects

    def _is_partial(self) -> bool:
        """Tell whether what is missing can be fetched: it was left behind, and there is somewhere to fetch from."""
        with suppress(OSError):
            return self.origin() is not None and any(
                name.endswith(".promisor") for name in os.listdir(os.path.join(self.common_folder, _PACKS))
            )
        return False

    def history(self, tips: Iterable[str], since: str | None = None) -> list[tuple[str, ...]]:
        """Return every commit that leads to the tips with its parents, parents before children.

        Where something of it is missing or damaged, that is there without parents. `since` is in RFC 3339.

        Raises:
            GitUnavailable.
        """
        tips = sorted(set(tips))
        arguments = ["rev-list", "--topo-order", "--reverse", "--parents", "--stdin"]
        if since is not None:
            arguments.append(f"--since={since}")
        data = "".join(f"{tip}\n" for tip in tips).encode()
        if not data:
            return []
        try:
            listed = run_git(arguments, self._environment, f"list the commits of {self.place}", data)
        except GitUnavailable:
            return walk_history(self.objects, tips, parse_time(since) if since is not None else None)
        return [tuple(line.split(" ")) for line in listed.decode("ascii").splitlines()]

    def origin(self) -> str | None:
        """Return the address that the repository was cloned from, as its configuration has it. It may be anybody's."""
        if is_address(self.place):
            return self.place
        data = _read(os.path.join(self.common_folder, "config"), CONFIG_LIMIT)
        return self.configured(data or b"", "remote.origin.url")

    def configured(self, data: bytes, key: str) -> str | None:
        """Return what a file of git's configuration says under a key, as text. Nothing that it includes is read."""
        arguments = ["config", "--no-includes", "--file", "-", "--get", key]
        try:
            found = run_git(arguments, self._environment, "read a configuration", data)
        except GitUnavailable:  # there is no such key, or it is not a configuration
            return None
        return found.decode("utf-8", "replace").strip() or None

    def _read_refs(self) -> None:
        if os.path.isdir(os.path.join(self.common_folder, "reftable")):
            hint = "Make a copy that can: `git clone --mirror --ref-format=files DIR COPY`."
            raise NotAGitRepository(self.place, "its refs are kept in tables", hint=hint)
        found = dict(_packed_refs(self.common_folder))
        for name, text in _loose_refs(self.common_folder, b"refs"):
            target = text
            if text.startswith(b"ref: "):
                continue  # a name for another ref, as origin/HEAD is
            if _ID.fullmatch(target.decode("ascii", "replace")):
                found[name] = target.decode()
        if any(len(one) == 64 for one in found.values()):
            self.digest = 32
        remote = {name[20:]: one for name, one in found.items() if name.startswith(b"refs/remotes/origin/")}
        remote.pop(b"HEAD", None)
        heads = {name[11:]: one for name, one in found.items() if name.startswith(b"refs/heads/")}
        self.branches = dict(sorted({**remote, **heads}.items()))
        self.tags = dict(sorted((name[10:], one) for name, one in found.items() if name.startswith(b"refs/tags/")))
        head = (_read(os.path.join(self.git_folder, "HEAD"), REF_BYTES_LIMIT) or b"").strip()
        if head.startswith(b"ref: refs/heads/"):
            self.head = head[16:]


def find_git_folder(place: str) -> str:
    """Return the folder with the refs of a repository: of a working tree, its `.git`, also where that is a file.

    Raises:
        NotAGitRepository.
    """
    folder = os.path.abspath(place)
    inner = os.path.join(folder, ".git")
    text = (_read(inner, 4096) or b"") if os.path.isfile(inner) else b""
    if text.startswith(b"gitdir: "):
        inner = os.path.join(folder, os.fsdecode(text[8:].rstrip(b"\r\n")))
    for candidate in (inner, folder):
        has_objects = os.path.isdir(os.path.join(_common_folder(candidate), "objects"))
        if has_objects and os.path.isfile(os.path.join(candidate, "HEAD")):
            return candidate
    raise NotAGitRepository(place, "neither it nor its .git has HEAD and objects")


def _common_folder(git_folder: str) -> str:
    """Return where a work tree beside the first one has its refs and objects."""
    text = _read(os.path.join(git_folder, "commondir"), 4096)
    return git_folder if text is None else os.path.join(git_folder, os.fsdecode(text.rstrip(b"\r\n")))


def _packed_refs(folder: str) -> Iterator[tuple[bytes, str]]:
    for line in (_read(os.path.join(folder, "packed-refs"), PACKED_REFS_LIMIT) or b"").split(b"\n"):
        one, _, name = line.partition(b" ")
        if name.startswith(b"refs/") and _ID.fullmatch(one.decode("ascii", "replace")):
            yield name, one.decode()


def _loose_refs(folder: str, name: bytes, depth: int = 0) -> Iterator[tuple[bytes, bytes]]:
    try:
        found = sorted(os.scandir(os.path.join(os.fsencode(folder), name)), key=lambda item: item.name)
    except OSError:
        return
    for item in found[:REFS_LIMIT]:
        path = name + b"/" + item.name
        if item.is_dir(follow_symlinks=False):
            if depth < DEPTH_LIMIT:
                yield from _loose_refs(folder, path, depth + 1)
        elif item.is_file(follow_symlinks=False) and not item.name.endswith(b".lock"):
            text = _read(os.fsdecode(item.path), REF_BYTES_LIMIT)
            if text is not None:
                yield path, text.strip()


def _read(path: str, limit: int) -> bytes | None:
    """Return a regular file's bytes; None if there is none, or it is larger than anything sane."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        with open(os.open(path, flags), "rb") as file:
            data = file.read(limit + 1)
    except OSError:
        return None
    return data if len(data) <= limit else None


def _quoted(path: str) -> str:
    """Return a path as GIT_ALTERNATE_OBJECT_DIRECTORIES takes any: in quotes, which keep colons."""
    escaped = os.path.abspath(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
