"""What `VERSION:PATH`, and an object's id, name."""

import msgspec

from aura_vcs.errors import InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.history.names.revisions import check_content, resolve, split_content
from aura_vcs.ids import ID_LENGTH
from aura_vcs.index.queries import PREFIX_LENGTH, describe
from aura_vcs.index.records import ObjectRecord, VersionRecord
from aura_vcs.model import Entry, EntryKind
from aura_vcs.repository.repository import Repository
from aura_vcs.suggestions import suggest


class LocatedContent(msgspec.Struct, frozen=True):
    """A version, and what lies at a path in it; `path` is None where only the version was named."""

    record: VersionRecord
    path: str | None
    entry: Entry

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder: the whole project, for one."""
        return self.entry.kind is EntryKind.DIR


def locate(repo: Repository, name: str) -> LocatedContent:
    """Find the version, or the file or folder in it, that `VERSION[:PATH]` names.

    The path is relative to the project; `VERSION:` is all of it.

    Raises:
        UnknownVersion, AmbiguousVersion.
        UnknownName: the version has nothing at the path; suggests near paths.
        ObjectPurged: the version's content was freed (only with a path).
    """
    version, path = split_content(name)
    record = resolve(repo, version or "HEAD")
    whole = Entry("", EntryKind.DIR, record.tree, record.size_bytes)
    if path is None:
        return LocatedContent(record, None, whole)
    check_content(repo, record)
    path = path.strip("/").removeprefix("./")
    entry = repo.trees.entry(record.tree, path)
    if entry is None:
        known = [inner for inner, _ in repo.trees.walk(record.tree)]
        called = describe(repo.queries, record.id)
        hint = f"`aura show {version or 'HEAD'}:` lists what the version has."
        raise UnknownName(
            "file or folder",
            f"{called}:{path}",
            [f"{called}:{n}" for n in suggest(path, known)],
            hint=hint,
        )
    return LocatedContent(record, path, entry)


def find_object(repo: Repository, prefix: str) -> ObjectRecord:
    """Find the object whose id begins with `prefix`.

    Raises:
        UnknownName: none does, or it is not a beginning of an id. InputError: several do.
    """
    wanted = prefix.lower()
    is_prefix = PREFIX_LENGTH <= len(wanted) <= ID_LENGTH and set(wanted) <= set("0123456789abcdef")
    found = repo.queries.objects_with_prefix(wanted) if is_prefix else []
    if not found:
        hint = "Give the beginning of an id, at least 4 digits, or VERSION:PATH."
        raise UnknownName("object", prefix, hint=hint)
    if len(found) > 1:
        listed = ", ".join(f"{item.id[:12]} ({item.kind})" for item in found)
        raise InputError(f"Several objects begin with {prefix!r}: {listed}", hint="Give more digits of the id.")
    return found[0]


def list_folder(repo: Repository, located: LocatedContent, *, recursive: bool = False) -> list[tuple[str, Entry]]:
    """Return what lies in a folder of a version, by path relative to the project; of a file, the file itself.

    Folders come first unless `recursive`, which lists everything below in the order of its paths.

    Raises:
        ObjectPurged: the version's content was freed.
    """
    check_content(repo, located.record)
    path = located.path or ""
    if not located.is_folder:
        return [(path, located.entry)]
    prefix = f"{path}/" if path else ""
    if recursive:
        return list(repo.trees.walk(located.entry.id, prefix))
    entries = sorted(repo.trees.tree(located.entry.id).entries, key=lambda entry: entry.kind is not EntryKind.DIR)
    return [(prefix + entry.name, entry) for entry in entries]
