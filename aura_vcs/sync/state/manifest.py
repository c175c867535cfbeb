"""What a remote holds, as bytes: one manifest that moves, packs and records that never change.

    manifest.json     the packs, the records, where branches and tags are; moved by compare-and-swap
    packs/<id>.pack   objects, in the packs that projects have
    records/<id>      labels of versions: zstd of JSON; the name is the BLAKE3 of the stored bytes

The manifest is the transaction: whatever it lists is there, whatever it does not list is not
part of the remote. Everything is checked when it is read: a remote is not trusted.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

import msgspec
import zstandard
from blake3 import blake3

from aura_vcs.codec import decode_record, encode_compact, encode_record
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteMismatch
from aura_vcs.ids import ReplicaId, are_object_ids, is_object_id, is_replica_id
from aura_vcs.layout import check_name
from aura_vcs.model import Annotation, BranchEntry, Field, Label, Tag
from aura_vcs.objects.packs.format import FOOTER_LIMIT
from aura_vcs.refs.merge import add_tag, is_believable
from aura_vcs.refs.packed_labels import STAMP_LIMIT, check_entry, is_proper_seen
from aura_vcs.sync.state.annotations import by_room, check_settings
from aura_vcs.sync.state.lock_record import PathLock, check_locks
from aura_vcs.sync.state.seen_steps import Step, in_steps, with_seen

MANIFEST = "manifest.json"
PACKS = "packs"
IS_PROJECT = "is itself a project, not a remote"
IS_PROJECT_HINT = "In it, `aura remote add backup FOLDER` and `aura push backup`, then clone that folder. Or copy all."
RECORDS = "records"
REMOTE_FORMAT = 1
TOMBSTONE_FIELDS = "leaving"
"""The feature of a remote that is collected: whoever writes there must heed what is leaving."""
ANNOTATIONS = "annotations"
"""The feature of a remote whose records hold notes, provenance or recipes: whoever writes there must keep them."""
UNWRAPPED = "unwrapped"
"""The feature of a remote in whose packs gzip files or ZIP archives are stored as what is in them."""
UNWRAPPED_TWICE = "unwrapped-twice"
"""The feature of one in whose packs large ones are stored with codec 4."""
PROJECT_FOLDER = "project"
"""The feature of a manifest that a project makes of itself: what lies there is the project's own to collect."""
READ_ONLY = "project.read-only"
"""The feature of one that is made for a single look at a project that can only be read: its generation says nothing."""
EVICTED = "evicted"
"""The feature of a remote whose versions hold content that is not there: a recipe among its records makes it."""
PIECES = "pieces"
"""The feature of a remote whose manifest names records that list packs: see `sync.state.pieces`."""
STEPS = "steps"
"""The feature of a manifest that says in steps what the entries of branches have seen: see `sync.state.seen_steps`."""
KNOWN_FEATURES: frozenset[str] = frozenset(
    {TOMBSTONE_FIELDS, ANNOTATIONS, EVICTED, UNWRAPPED, UNWRAPPED_TWICE, PROJECT_FOLDER, READ_ONLY, PIECES, STEPS}
)
RECORD_LIMIT = 256 << 20
"""Decoded bytes of the largest record."""
PACK_LIMIT = 1 << 40
ENDING_LIMIT = FOOTER_LIMIT + (1 << 20)
"""Stored bytes of the largest footer with its trailer: what does not compress takes a little more."""
PIECES_LIMIT = 4096
"""So many pieces of the list of packs are named at most."""
_FILE = re.compile(r"packs/[0-9a-f]{64}\.pack|records/[0-9a-f]{64}|probe/[0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class PackInfo(msgspec.Struct, frozen=True, array_like=True):
    """A pack of the remote: its name, its bytes, and how many of them are footer and trailer."""

    name: str
    size: int
    footer: int


class RecordInfo(msgspec.Struct, frozen=True, array_like=True):
    """A record of the remote: its name and its bytes."""

    name: str
    size: int


class Tombstone(msgspec.Struct, frozen=True):
    """A file that no manifest lists, and since when and which generation that is known.

    Before it is `final` it may be an upload under way, and may be listed. When it is, its name is never
    listed again, and the file may go at any moment.
    """

    since: str
    generation: int
    final: bool = False


class Machine(msgspec.Struct, frozen=True):
    """A machine that pushes: the generation that it saw last when all it had was there, and when."""

    seen: int
    at: str
    host: str


class Manifest(msgspec.Struct, frozen=True):
    """The state of a remote. `previous` is the BLAKE3 of the manifest before; "" for the first.

    `leaving` and `gone` are names of files, as `packs/….pack`; `gone` has the time of the deletion.
    """

    format: int
    project: str
    generation: int
    previous: str
    updated_at: str
    updated_by: str
    features: tuple[str, ...] = ()
    packs: tuple[PackInfo, ...] = ()
    records: tuple[RecordInfo, ...] = ()
    branches: dict[str, tuple[BranchEntry, ...]] = {}
    tags: dict[str, Tag] = {}
    machines: dict[ReplicaId, Machine] = {}
    leaving: dict[str, Tombstone] = {}
    gone: dict[str, str] = {}
    locks: tuple[PathLock, ...] = ()
    settings: dict[str, Field] = {}
    pieces: tuple[RecordInfo, ...] = ()
    steps: dict[str, tuple[Step, ...]] = {}
    """Empty in memory: what the entries of `branches` have seen is in them."""


class Records(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a record holds: labels, and annotations by their rooms; or packs, if it is a piece of their list.

    `salt` makes a name of its own for what had a name that is spent.
    """

    labels: tuple[Label, ...] = ()
    salt: str = ""
    annotations: dict[str, tuple[Annotation, ...]] = {}
    packs: tuple[PackInfo, ...] = ()


def pack_name(info: PackInfo | str) -> str:
    """Return the name of a pack's file on the remote."""
    return f"{PACKS}/{info if isinstance(info, str) else info.name}.pack"


def record_name(info: RecordInfo | str) -> str:
    """Return the name of a record's file on the remote."""
    return f"{RECORDS}/{info if isinstance(info, str) else info.name}"


def is_file(name: str) -> bool:
    """Tell whether a remote may have a file of that name, beside its manifest."""
    return _FILE.fullmatch(name) is not None


def digest(data: bytes) -> str:
    """Hash bytes to the digest that names a record, and that `previous` holds."""
    return blake3(data).hexdigest()


def encode_manifest(manifest: Manifest) -> bytes:
    """Encode the bytes of `manifest.json`; what very many machines have seen of each other, in steps."""
    branches, steps = in_steps(manifest.branches)
    features = {*manifest.features, STEPS} if steps else {*manifest.features} - {STEPS}
    return encode_record(
        msgspec.structs.replace(manifest, branches=branches, steps=steps, features=tuple(sorted(features)))
    )


def decode_manifest(data: bytes, place: str) -> Manifest:
    """Decode the manifest and check it: whatever it names is a proper name.

    Raises:
        RemoteCorrupt: it is not a manifest, or holds what none may.
        RemoteMismatch: a newer aura_vcs wrote it.
    """
    head: _Head | Manifest
    found: RecordCorrupt | Manifest
    try:
        head = found = decode_record(data, Manifest, MANIFEST)
    except RecordCorrupt as error:
        head, found = _head_of(data, place), error
    if head.format != REMOTE_FORMAT or set(head.features) - KNOWN_FEATURES:
        what = f"format {head.format}" if head.format != REMOTE_FORMAT else f"feature {', '.join(head.features)}"
        raise RemoteMismatch(
            place, f"it uses {what}, which this aura_vcs does not know", hint="Install a newer aura_vcs."
        )
    if isinstance(found, RecordCorrupt):
        raise RemoteCorrupt(place, found.message) from found
    try:
        manifest = _plausible(found)
        _check(manifest)
        branches = with_seen(manifest.branches, manifest.steps, MANIFEST)
    except AuraError as error:
        raise RemoteCorrupt(place, error.message) from error
    return msgspec.structs.replace(manifest, branches=branches, steps={})


def _head_of(data: bytes, place: str) -> "_Head":
    """Decode what says which version of the program reads the rest."""
    try:
        return decode_record(data, _Head, MANIFEST)
    except RecordCorrupt as error:
        raise RemoteCorrupt(place, error.message) from error


def _plausible(manifest: Manifest) -> Manifest:
    """Drop counters of the manifest that would be above all that anybody comes to from now on."""
    return msgspec.structs.replace(
        manifest,
        tags={name: tag for name, tag in manifest.tags.items() if tag.stamp[0] <= STAMP_LIMIT},
        settings={key: field for key, field in manifest.settings.items() if field.stamp[0] <= STAMP_LIMIT},
        machines={
            replica: machine if machine.seen <= manifest.generation else msgspec.structs.replace(machine, seen=-1)
            for replica, machine in manifest.machines.items()
        },
    )


class _Head(msgspec.Struct, frozen=True):
    format: int
    features: tuple[str, ...] = ()


def _check(manifest: Manifest) -> None:
    if not _UUID.fullmatch(manifest.project) or not 0 <= manifest.generation <= STAMP_LIMIT:
        raise RecordCorrupt(MANIFEST, "the project or the generation is not valid")
    _check_listed(manifest)
    if bool(manifest.pieces) > (PIECES in manifest.features) or (
        manifest.pieces and PROJECT_FOLDER in manifest.features
    ):
        raise RecordCorrupt(MANIFEST, "it has pieces, and does not say so, or may have none")
    if bool(manifest.steps) > (STEPS in manifest.features):
        raise RecordCorrupt(MANIFEST, "it says in steps what was seen, and does not say so")
    for name, entries in manifest.branches.items():
        check_name("branch", name)
        replicas = [entry.replica for entry in entries]
        if len(set(replicas)) != len(replicas):
            raise RecordCorrupt(MANIFEST, f"branch {name} has two entries of one machine")
        for entry in entries:
            check_entry(entry, MANIFEST)
    if not all(map(_FILE.fullmatch, [*manifest.leaving, *manifest.gone])):
        raise RecordCorrupt(MANIFEST, "something is leaving that is not a file of a remote")
    if not all(map(is_replica_id, manifest.machines)):
        raise RecordCorrupt(MANIFEST, "a machine has no valid name")
    for name, tag in manifest.tags.items():
        check_name("tag", name)
        if (tag.version is not None and not is_object_id(tag.version)) or not _is_proper(tag):
            raise RecordCorrupt(MANIFEST, f"tag {name} is not valid")
    check_locks(manifest.locks)
    check_settings(manifest.settings)


def _check_listed(manifest: Manifest) -> None:
    if len(manifest.pieces) > PIECES_LIMIT:
        raise RecordCorrupt(MANIFEST, "it has more pieces than any")
    files = [*manifest.records, *manifest.pieces]
    names = [*[pack.name for pack in manifest.packs], *[info.name for info in files]]
    if not are_object_ids(names) or len(set(names)) != len(names):
        raise RecordCorrupt(MANIFEST, "a pack or record has no valid name, or is there twice")
    for pack in manifest.packs:
        if not 0 < pack.footer < pack.size <= PACK_LIMIT or pack.footer > ENDING_LIMIT:
            raise RecordCorrupt(MANIFEST, f"pack {pack.name} has an impossible size")
    listed = {*map(pack_name, manifest.packs), *map(record_name, files)} if manifest.leaving else set()
    if not listed.isdisjoint(manifest.leaving):
        raise RecordCorrupt(MANIFEST, "something is listed and leaving at once")


def check_packs(manifest: Manifest, place: str) -> None:
    """Check a manifest with the packs of its pieces: their names and sizes, and that each is listed once.

    Raises:
        RemoteCorrupt: something of it is not proper.
    """
    try:
        _check_listed(manifest)
    except RecordCorrupt as error:
        raise RemoteCorrupt(place, error.message) from error


def _is_proper(tag: Tag) -> bool:
    return _is_stamp(tag.stamp) and is_proper_seen(tag.seen or {}, STAMP_LIMIT)


def _is_stamp(stamp: tuple[int, str]) -> bool:
    return stamp[0] >= 0 and is_replica_id(stamp[1])


def encode_records(
    labels: Iterable[Label],
    annotations: Mapping[str, Annotation] | None = None,
    salt: str = "",
    packs: tuple[PackInfo, ...] = (),
) -> tuple[str, bytes]:
    """Name and bytes of a record with these labels and annotations, or of a piece with packs."""
    ordered = tuple(sorted(labels, key=attrgetter("version")))
    records = Records(ordered, salt, by_room(annotations or {}), packs)
    data = zstandard.ZstdCompressor(level=6).compress(encode_compact(records))
    return digest(data), data


def decode_records(data: bytes, info: RecordInfo, place: str, *, limit: int = RECORD_LIMIT) -> Records:
    """Decode the record, of at most `limit` decoded bytes, checked against its name.

    Raises:
        RemoteCorrupt: the bytes do not hash to it, or are no record.
    """
    if digest(data) != info.name:
        raise RemoteCorrupt(place, f"record {info.name[:12]} does not hash to its name")
    try:
        if not 0 <= zstandard.frame_content_size(data) <= limit:
            raise RemoteCorrupt(place, f"record {info.name[:12]} is larger than any record")
        plain = zstandard.ZstdDecompressor().decompress(data, max_output_size=limit)
        records = decode_record(plain, Records, record_name(info))
    except (zstandard.ZstdError, RecordCorrupt) as error:
        raise RemoteCorrupt(place, f"record {info.name[:12]} cannot be read: {error}") from error
    are_valid = are_object_ids([label.version for label in records.labels])
    for label in records.labels:
        if not are_valid or label.number < 1 or (label.stamps and not all(map(_is_stamp, label.stamps.values()))):
            raise RemoteCorrupt(place, f"record {info.name[:12]} has a label that is not valid")
    plausible = [label for label in records.labels if not label.stamps or _is_plausible(label)]
    return msgspec.structs.replace(records, labels=tuple(plausible))


def _is_plausible(label: Label) -> bool:
    return all(map(is_believable, label.stamps.values()))


def merge_entries(ours: Sequence[BranchEntry], theirs: Sequence[BranchEntry]) -> tuple[BranchEntry, ...]:
    """Merge entries: of each machine the latest one, sorted by machine. Commutes; idempotent."""
    newest: dict[ReplicaId, BranchEntry] = {}
    for entry in (*ours, *theirs):
        known = newest.get(entry.replica)
        if known is None or _rank(entry) > _rank(known):
            newest[entry.replica] = entry
    return tuple(entry for _, entry in sorted(newest.items()))


def _rank(entry: BranchEntry) -> tuple[int, str]:
    return entry.counter, entry.version or ""


def merge_tags(ours: Mapping[str, Tag], theirs: Mapping[str, Tag]) -> dict[str, Tag]:
    """Merge two sides' tags; see `add_tag`. Commutes; idempotent."""
    joined = dict(ours)
    for name, tag in theirs.items():
        add_tag(joined, name, tag)
    return dict(sorted(joined.items()))
