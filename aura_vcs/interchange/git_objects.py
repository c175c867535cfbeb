"""Git's commits and trees, bytes to values and back. Pure; formats as in gitformat-pack(5) and git-hash-object(1)."""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from aura_vcs.errors.interchange import GitDamaged

TREE, FILE, EXECUTABLE, LINK, MODULE = 0o040000, 0o100644, 0o100755, 0o120000, 0o160000
TREE_BYTES_LIMIT = 256 << 20
COMMIT_BYTES_LIMIT = 4 << 20
"""Bytes of a commit that are read; those of real histories have a few thousand."""
LFS_POINTER_LIMIT = 1024
_ZERO = ord("0")
_PERSON = re.compile(rb"(?P<who>.*?) ?(?P<seconds>-?\d{1,18})(?: (?P<zone>[+-]\d{1,5}))?\Z", re.DOTALL)
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>\d{1,16})\n\Z"
)


class GitEntry(msgspec.Struct, frozen=True, gc=False):
    """A name in a tree of git, as bytes; `id` in hexadecimal. `written` is the mode's text where that is unusual."""

    mode: int
    name: bytes
    id: str
    written: bytes = b""


class GitCommit(msgspec.Struct, frozen=True):
    """A commit; `rest` is all of it from the author's line on, byte for byte."""

    tree: str
    parents: tuple[str, ...]
    rest: bytes


class Signature(msgspec.Struct, frozen=True):
    """Who did something, and when; None for a date that no calendar has."""

    who: str
    at: datetime | None


class LfsPointer(msgspec.Struct, frozen=True):
    """What Git LFS has in place of a large file: the SHA-256 of the content, and its size in bytes."""

    oid: str
    size: int


def parse_tree(data: bytes, digest: int, name: str) -> list[GitEntry]:
    """Return the entries of a tree; `digest` is the length of a binary id, `name` is for errors.

    Raises:
        GitDamaged: it is not a tree.
    """
    found, at, end = [], 0, len(data)
    while at < end:
        space = data.find(b" ", at, at + 8)
        zero = data.find(b"\0", space)
        if space < 0 or zero < 0 or zero + 1 + digest > end or not data[at:space].isdigit():
            raise GitDamaged(f"tree {name}", "its entries are cut off")
        try:
            mode = int(data[at:space], 8)
        except ValueError as error:
            raise GitDamaged(f"tree {name}", "a mode in it is none") from error
        written = data[at:space] if data[at] == _ZERO else b""
        found.append(GitEntry(mode, data[space + 1 : zero], data[zero + 1 : zero + 1 + digest].hex(), written))
        at = zero + 1 + digest
    return found


def kind_of(mode: int) -> int:
    """Return which of TREE, FILE, EXECUTABLE, LINK and MODULE a mode of git means, 0 for none."""
    kind = mode & 0o170000
    if kind == FILE & 0o170000:
        return EXECUTABLE if mode & 0o100 else FILE
    return kind if kind in {TREE, LINK, MODULE} else 0


def encode_tree(entries: Iterable[GitEntry]) -> bytes:
    """Return the bytes of a tree, its entries in git's order: that of names, folders as if they ended in `/`."""
    ordered = sorted(entries, key=lambda entry: entry.name + b"/" if entry.mode == TREE else entry.name)
    return b"".join(
        b"%s %s\0%s" % (entry.written or b"%o" % entry.mode, entry.name, bytes.fromhex(entry.id)) for entry in ordered
    )


def parse_commit(data: bytes, name: str) -> GitCommit:
    """Return a commit.

    Raises:
        GitDamaged: it has no tree, or no author.
    """
    lines = data.split(b"\n", 1)
    if not lines[0].startswith(b"tree ") or len(lines) < 2:
        raise GitDamaged(f"commit {name}", "it names no tree")
    tree, rest, parents = lines[0][5:], lines[1], []
    while rest.startswith(b"parent "):
        line, _, rest = rest.partition(b"\n")
        parents.append(line[7:])
    ids = [tree, *parents]
    if not all(re.fullmatch(rb"[0-9a-f]{40}|[0-9a-f]{64}", one) for one in ids):
        raise GitDamaged(f"commit {name}", "an id in it is none")
    return GitCommit(tree.decode(), tuple(parent.decode() for parent in parents), rest)


def encode_commit(commit: GitCommit) -> bytes:
    """Return the bytes of a commit."""
    parents = "".join(f"parent {parent}\n" for parent in commit.parents)
    return f"tree {commit.tree}\n{parents}".encode() + commit.rest


def header(rest: bytes, key: bytes) -> bytes | None:
    """Return the value of a header's first line, None if it is not there."""
    head = rest.partition(b"\n\n")[0]
    found = re.search(rb"^" + key + rb" (.*)$", head, flags=re.MULTILINE)
    return found[1] if found is not None else None


def message_of(rest: bytes) -> str:
    """Return the message, decoded as the commit says, with U+FFFD for what cannot be."""
    message = rest.partition(b"\n\n")[2]
    return _text(message, header(rest, b"encoding"))


def signature_of(rest: bytes, key: bytes) -> Signature:
    """Return who is named under `author`, `committer` or `tagger`, and when."""
    line = header(rest, key) or b""
    found = _PERSON.match(line)
    encoding = header(rest, b"encoding")
    if found is None:
        return Signature(_text(line, encoding), None)
    return Signature(_text(found["who"], encoding), _moment(int(found["seconds"]), found["zone"] or b"+0000"))


def parse_pointer(data: bytes) -> LfsPointer | None:
    """Return what a small file says as a pointer of Git LFS; None if it is an ordinary file."""
    found = _POINTER.match(data)
    return LfsPointer(found["oid"].decode(), int(found["size"])) if found is not None else None


def encode_pointer(pointer: LfsPointer) -> bytes:
    """Return the pointer's bytes, as git-lfs writes them."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{pointer.oid}\nsize {pointer.size}\n".encode()


def object_id(kind: str, data: bytes, algorithm: str = "sha1") -> str:
    """Return git's id of an object."""
    return hashlib.new(algorithm, f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


EMPTY_TREE = object_id("tree", b"")


def _moment(seconds: int, zone: bytes) -> datetime | None:
    try:
        minutes = int(zone[-2:]) + 60 * int(zone[1:-2] or b"0")
        offset = timezone(timedelta(minutes=minutes if zone[:1] == b"+" else -minutes))
    except ValueError:
        offset = UTC
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(offset)
    except (OverflowError, ValueError):
        return None


def _text(data: bytes, encoding: bytes | None) -> str:
    for name in ((encoding or b"utf-8").decode("ascii", "replace"), "utf-8"):
        try:
            return data.decode(name)
        except (LookupError, ValueError):  # a codec that is none for text raises the former
            continue
    return data.decode("latin-1" if encoding is None else "utf-8", "replace")
