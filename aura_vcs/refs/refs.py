"""Refs: small JSON files that say where things are, each merging with its copies.

A ref only ever moves forward: a branch entry by its counter, a label and a tag by stamps. So
writing one again is harmless, two copies of a project folder merge file by file, and a
"conflicted copy" that a sync tool left beside a ref is read like any other entry.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from aura_vcs import layout
from aura_vcs.codec import decode_record, encode_record, from_plain, to_plain
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ObjectId, ReplicaId, VersionId
from aura_vcs.model import BranchEntry, Field, Fields, Label, RefChange, Tag
from aura_vcs.refs.merge import add_tag, is_believable, may_be_apart, merge_labels, tags_apart
from aura_vcs.refs.packed_labels import PackedLabels, decode_ref
from aura_vcs.storage.base import Deletable

if TYPE_CHECKING:
    from aura_vcs.refs.annotations import AnnotationRefs

T = TypeVar("T")


class CheckpointObjects(msgspec.Struct, frozen=True):
    """The objects that a checkpoint's record needs."""

    data: ObjectId | None = None
    output: ObjectId | None = None


LABELS_AT_ONCE = 64
"""An operation that changes more labels packs them at once."""
CHECKPOINT_FIELDS = ("is_valid", "invalid_reason", "updated_at", "modified_by")
"""What an operation changes of a checkpoint; the rest is as its renderer saved it."""


class Refs:
    """The refs of one project."""

    def __init__(self, storage: Deletable) -> None:
        self._storage = storage
        self._packed = PackedLabels(storage)
        self._entries: dict[str, list[BranchEntry]] | None = None
        self._decoded: dict[str, tuple[bytes, BranchEntry]] = {}
        """The bytes of branch entries as they were read last, and what they say."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Read the entries of each branch once for as long as the refs are locked: nobody else moves them then."""
        self._entries = {}
        try:
            yield
        finally:
            self._entries = None

    @cached_property
    def annotations(self) -> "AnnotationRefs":
        """Notes, provenance and recipes."""
        from aura_vcs.refs.annotations import AnnotationRefs  # most commands ask for none

        return AnnotationRefs(self._storage)

    def branches(self) -> list[str]:
        """List the names of branches that have an entry, sorted; deleted ones too."""
        return sorted(layout.decode_names(self._storage.list(layout.BRANCHES)))

    def branch_entries(self, branch: str) -> list[BranchEntry]:
        """Read every readable entry of a branch, conflicted copies included."""
        if self._entries is not None and branch in self._entries:
            return list(self._entries[branch])
        found = self._read_entries(branch)
        if self._entries is not None:
            self._entries[branch] = list(found)
        return found

    def _read_entries(self, branch: str) -> list[BranchEntry]:
        if len(branch) > layout.NAME_LIMIT:
            return []  # none is called so, and no disk has names of any length
        folder = layout.branch_folder(branch)
        return [
            entry
            for name in self._storage.list(folder)
            if name.endswith(".json") and (entry := self._load_entry(f"{folder}/{name}")) is not None
        ]

    def tags(self) -> dict[str, Tag]:
        """Map names to the tags that stand on a version."""
        return {name: tag for name, tag in self.all_tags().items() if tag.version is not None}

    def all_tags(self) -> dict[str, Tag]:
        """Map names to tags, deleted ones too; conflicted copies are merged, see `add_tag`."""
        found: dict[str, Tag] = {}
        for file in self._storage.list(layout.TAGS):
            if not file.endswith(".json"):
                continue
            tag = self._load(f"{layout.TAGS}/{file}", Tag)
            names = layout.decode_names([_base_name(file)])
            if tag is None or not names:
                continue
            name = names[0]
            add_tag(found, name, tag)
        return dict(sorted(found.items()))

    def tags_apart(self) -> tuple[tuple[str, str], ...]:
        """List the tag names that machines gave to two versions, each with the name of the one beside it.

        Reads no tag where none has the name of one that is kept so.
        """
        files = [file.removesuffix(".json") for file in self._storage.list(layout.TAGS)]
        if not any(may_be_apart(file) or _base_name(file) != file for file in files):
            return ()
        return tuple(tags_apart(self.all_tags()))

    def bring_back_tags(self, copies: Iterable[tuple[str, Any]]) -> None:
        """Merge copies of tags, as operations name and record them, into the files. The caller holds the refs lock.

        What is not a proper tag is passed over.
        """
        found = self.all_tags()
        before = dict(found)
        for ref, plain in copies:
            path = f"{layout.REFS}/{ref}.json"
            names = layout.decode_names([ref.partition("/")[2]])
            if names and plain is not None:
                with suppress(RecordCorrupt):
                    add_tag(found, names[0], decode_ref(encode_record(plain), Tag, path))
        for name, tag in found.items():
            if before.get(name) != tag:
                self._storage.put(layout.tag_ref(name), encode_record(tag))

    def tag(self, name: str) -> Tag | None:
        """Read the tag as this machine's file has it, deleted or not; None if there is none."""
        return self._load(layout.tag_ref(name), Tag)

    def label(self, version: VersionId, packed: Sequence[str] | None = None) -> Label | None:
        """Read the version's label, None if there is none. See `labels_in` for conflicted copies.

        A label that changed after it was packed lies in several files: they merge. `packed` are the
        files of packed labels, if the caller has just listed them and holds the refs lock.
        """
        loose = self._load(layout.version_ref(version), Label)
        found = self._packed_copies(version, self._packed.files() if packed is None else packed)
        labels = found if loose is None else [loose, *found]
        return reduce(merge_labels, labels) if labels else None

    def _packed_copies(self, version: VersionId, files: Sequence[str]) -> list[Label]:
        return [held[version] for file in files if version in (held := self._packed.labels(file))]

    def labels(self, versions: Iterable[VersionId]) -> dict[VersionId, Label]:
        """Read the labels of versions that have one; see `label`. The caller holds the refs lock."""
        packed = self._packed.files()
        found = {version: self.label(version, packed) for version in versions}
        return {version: label for version, label in found.items() if label is not None}

    def label_files(self) -> list[str]:
        """File names in `refs/versions`: one for a label, or for many that were packed."""
        return self._storage.list(layout.VERSIONS)

    def labels_in(self, file: str, packed: Sequence[str] | None = None) -> list[Label]:
        """Read the labels in a file of `refs/versions`, whatever a sync tool called it; none if unreadable.

        Each is merged with the one under its proper name, where there is one. `packed` as for `label`.
        """
        files = self._packed.files() if packed is None else packed
        merged = []
        for label in self._copies_in(file):
            if file == _proper(label):
                merged.append(reduce(merge_labels, self._packed_copies(label.version, files), label))
                continue
            proper = self.label(label.version, files)
            merged.append(label if proper is None else merge_labels(proper, label))
        return merged

    def all_labels(self) -> Iterator[Label]:
        """Yield every version's label, all readable copies merged. Each file is read once.

        Complete also while labels are being packed: what went meanwhile lies in a file that came.
        """
        copies: dict[VersionId, list[tuple[int, Label]]] = {}
        seen: set[str] = set()
        while new := [file for file in self.label_files() if file not in seen]:
            seen.update(new)
            for file in new:
                for label in self._copies_in(file):
                    rank = 1 if file.endswith(layout.PACKED_LABELS) else 0 if file == _proper(label) else 2
                    copies.setdefault(label.version, []).append((rank, label))
        for found in copies.values():
            yield reduce(merge_labels, [label for _, label in sorted(found, key=lambda copy: copy[0])])

    def _copies_in(self, file: str) -> list[Label]:
        """Return the labels in a file as it has them, copies not merged."""
        if file.endswith(layout.PACKED_LABELS):
            return list(self._packed.labels(file).values())
        label = self._load(f"{layout.VERSIONS}/{file}", Label)
        return [] if label is None else [label]

    def pack_labels(self, keep: int) -> int:
        """Gather loose labels into one file, if there are more than `keep`; returns how many went.

        The gathered file is durable before the first loose one goes; a label in both is the same.
        The caller holds the refs lock.
        """
        files = [name for name in self.label_files() if name.endswith(".json")]
        if len(files) <= keep:
            return 0
        packed = self._packed.files()
        labels = [label for name in files for label in self.labels_in(name, packed) if name == _proper(label)]
        if len(labels) <= keep:
            return 0
        self._packed.put(labels)
        self._storage.delete_many([layout.version_ref(label.version) for label in labels])
        return len(labels)

    def checkpoint_objects(self) -> set[ObjectId]:
        """Return the objects that checkpoints need; a collection spares them."""
        found: set[ObjectId] = set()
        for name in self._storage.list(layout.CHECKPOINTS):
            held = self._load(f"{layout.CHECKPOINTS}/{name}", CheckpointObjects)
            found.update(item for item in (held and (held.data, held.output)) or () if item is not None)
        return found

    def checkpoint(self, name: str) -> dict[str, Any] | None:
        """Read a checkpoint's record as plain data, by its file's name without suffix; None if it is gone."""
        return self._load(f"{layout.CHECKPOINTS}/{name}.json", dict[str, Any])

    def settings(self) -> dict[str, Field]:
        """Return the project's settings: of what all replicas set, the highest stamp of each key."""
        found: dict[str, Field] = {}
        for name in self._storage.list(layout.SETTINGS):
            loaded = self._load(f"{layout.SETTINGS}/{name}", Fields) if name.endswith(".json") else None
            for key, field in (loaded.fields if loaded is not None else {}).items():
                if is_believable(field.stamp) and (key not in found or found[key].stamp < field.stamp):
                    found[key] = field
        return found

    def state(self) -> dict[str, Field]:
        """Read the state of the project's production on this machine."""
        loaded = self._load(layout.STATE, Fields)
        return dict(loaded.fields) if loaded is not None else {}

    def apply(self, changes: dict[str, RefChange]) -> None:
        """Bring every changed ref to where an operation put it, or leave it where it is further on.

        Idempotent: recovery applies the operations of a log again and again.
        """
        moved = {
            name: change.after
            for name, change in changes.items()
            if change.after is not None and name.split("/", 1)[0] not in layout.FIELD_FOLDERS
        }
        labels = {name: after for name, after in moved.items() if name.startswith("versions/")}
        # First of all: a branch must not stand on a version that nobody would know after a power failure.
        self._advance_labels(
            {name: from_plain(after, Label, f"{layout.REFS}/{name}.json") for name, after in labels.items()}
        )
        rooms = layout.ANNOTATION_ROOMS
        annotations = {name: after for name, after in moved.items() if name.split("/", 1)[0] in rooms}
        if annotations:
            self.annotations.advance(annotations)
        for name, after in moved.items():
            if name not in labels and name not in annotations:
                self._advance(name, after)
        self._advance_fields(changes)

    def _advance_labels(self, changes: dict[str, Label]) -> None:
        """Write one file for each label; very many go into one packed file, for two syncs in all."""
        packed = self._packed.files() if changes else []
        newer = {}
        for name, label in changes.items():
            known = self.label(label.version, packed)
            merged = label if known is None else merge_labels(known, label)
            if merged != known:
                newer[f"{layout.REFS}/{name}.json"] = merged
        if len(newer) > LABELS_AT_ONCE:
            self._packed.put(newer.values())
            return
        for path, label in newer.items():
            self._storage.put(path, encode_record(label))

    def _advance_fields(self, changes: dict[str, RefChange]) -> None:
        """Write values into the file of the replica that set them, all of one file in one write."""
        files: dict[str, dict[str, Field]] = {}
        for name, change in changes.items():
            room, _, key = name.partition("/")
            if room in layout.FIELD_FOLDERS and change.after is not None:
                field = from_plain(change.after, Field, name)
                path = layout.STATE if room == "state" else layout.settings_ref(field.stamp[1])
                files.setdefault(path, {})[key] = field
        for path, given in files.items():
            loaded = self._load(path, Fields)
            known = dict(loaded.fields) if loaded is not None else {}
            newer = {key: field for key, field in given.items() if key not in known or known[key].stamp < field.stamp}
            if newer:
                self._storage.put(path, encode_record(Fields({**known, **newer})))

    def _advance(self, name: str, after: Any) -> None:
        path = f"{layout.REFS}/{name}.json"
        room = name.split("/", 1)[0]
        if room == "branches":
            entry = from_plain(after, BranchEntry, path)
            current = self._load_entry(path)
            if current is None or current.counter < entry.counter:
                self._forget_entries()
                self._storage.put(path, encode_record(entry))
        elif room == "tags":
            self.bring_back_tags([(name, after)])
        elif room == "checkpoints":
            found = self._load(path, dict[str, Any])
            if found is not None and found.get("revision", 0) < after.get("revision", 0):
                self._storage.put(path, encode_record(after))
        else:
            raise RecordCorrupt(path, "no such kind of ref")

    def put_entry(self, branch: str, entry: BranchEntry) -> None:
        """Bring an entry to where it was, unless it is further on. The caller holds the refs lock."""
        self._advance(f"branches/{layout.encode_name(branch)}/{entry.replica}", to_plain(entry))

    def drop_entry(self, branch: str, replica: ReplicaId) -> None:
        """Remove a replica's entry, which others know better. The caller holds the refs lock."""
        self._forget_entries()
        self._storage.delete(layout.branch_ref(branch, replica))

    def _forget_entries(self) -> None:
        if self._entries is not None:
            self._entries = {}

    def _load_entry(self, path: str) -> BranchEntry | None:
        """Load an entry as `_load` does; decode it only where its file is another than it was."""
        try:
            data = self._storage.read(path)
            known = self._decoded.get(path)
            if known is None or known[0] != data:
                known = self._decoded[path] = data, decode_ref(data, BranchEntry, path)
        except (FileNotFoundError, RecordCorrupt):
            return None
        return known[1]

    def _load(self, path: str, shape: type[T]) -> T | None:
        """Load the record, None if the file is absent or unreadable; fsck reports the latter."""
        try:
            return decode_ref(self._storage.read(path), shape, path)
        except (FileNotFoundError, RecordCorrupt):
            return None

    def damaged(self) -> list[RecordCorrupt]:
        """Ref files that cannot be read; their paths are below `.aura`."""
        problems: list[RecordCorrupt] = []
        for path, shape in self._all_files():
            with _note_damage(path, problems):
                decode_ref(self._storage.read(path), shape, path)
        for file in self.label_files():
            if file.endswith(layout.PACKED_LABELS):
                with _note_damage(f"{layout.VERSIONS}/{file}", problems):
                    self._packed.read(file)
        for folder in (layout.CHECKPOINTS, layout.EXPORTS, layout.SETTINGS, layout.REPLICAS):
            for file in self._storage.list(folder):
                if file.endswith(".json"):
                    with _note_damage(f"{folder}/{file}", problems):
                        decode_record(self._storage.read(f"{folder}/{file}"), dict[str, Any], file)
        return problems + self.annotations.damaged()

    def paths(self) -> list[str]:
        """List every ref file, below `.aura`."""
        return [path for path, _ in self._all_files()]

    def _all_files(self) -> list[tuple[str, type[Any]]]:
        files: list[tuple[str, type[Any]]] = []
        for branch in self._storage.list(layout.BRANCHES):
            folder = f"{layout.BRANCHES}/{branch}"
            files += [(f"{folder}/{n}", BranchEntry) for n in self._storage.list(folder)]
        files += [(f"{layout.TAGS}/{n}", Tag) for n in self._storage.list(layout.TAGS)]
        files += [(f"{layout.VERSIONS}/{n}", Label) for n in self._storage.list(layout.VERSIONS)]
        return [(path, shape) for path, shape in files if path.endswith(".json")]


@contextmanager
def _note_damage(path: str, problems: list[RecordCorrupt]) -> Iterator[None]:
    """Add what makes a file unreadable to the problems; one that has gone meanwhile is none."""
    try:
        yield
    except RecordCorrupt as error:
        problems.append(RecordCorrupt(path, error.detail))
    except FileNotFoundError:
        return


def _proper(label: Label) -> str:
    return f"{label.version}.json"


def _base_name(file: str) -> str:
    """Strip what sync tools add to a name: "x (conflicted copy …).json", "x.sync-conflict-….json"."""
    return file.removesuffix(".json").split(" (", 1)[0].split(".sync-conflict", 1)[0]
