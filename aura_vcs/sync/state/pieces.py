"""The list of packs of a large remote, in pieces: records that list packs, which the manifest names.

A manifest that lists very many packs keeps the first of them, and pieces for the rest. A move of the manifest writes
a piece at most now and then, and whoever reads fetches those that it has not. Pieces are never changed: where a pack
of one leaves, the others of it are listed anew.
"""

import io
from collections.abc import Collection, Iterable, Mapping

import msgspec

from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.parallel import side_by_side
from aura_vcs.storage.remotes.base import Creatable, RangeReadable
from aura_vcs.sync.state.cache import CacheProtocol
from aura_vcs.sync.state.manifest import (
    PIECES,
    PIECES_LIMIT,
    PROJECT_FOLDER,
    Manifest,
    PackInfo,
    RecordInfo,
    check_packs,
    decode_records,
    encode_records,
    record_name,
)

PIECE_PACKS = 1024
"""So many packs are in a piece."""
PIECE_LIMIT = 2048
"""So many are in one at most, whoever wrote it."""
PIECE_BYTES = 1 << 20
"""Decoded bytes of the largest piece."""
MANY_PACKS = 8192
"""Fewer packs, and their manifest has no pieces: versions of the program that know none read it. Half as many, and
it has none any more."""
Pieces = Mapping[RecordInfo, tuple[PackInfo, ...]]
ROOM = "pieces"
"""Where they are remembered here."""
MISSING = "it is missing"
REPAIR_HINT = "`aura repair --to NAME` lists again what is there, best on a machine that has looked there before."


class ReadPieces(msgspec.Struct, frozen=True):
    """What the pieces of a manifest list; `damaged` are those that came from what is remembered here alone.

    `lost` are those that cannot be had, with what is wrong with each: only who looks for damage goes on without them.
    """

    packs: dict[RecordInfo, tuple[PackInfo, ...]] = {}
    damaged: frozenset[RecordInfo] = frozenset()
    lost: dict[RecordInfo, str] = {}


def read_pieces(remote: RangeReadable, cache: CacheProtocol, manifest: Manifest) -> ReadPieces:
    """Read the pieces that a manifest names, from here or from there.

    Raises:
        RemoteCorrupt: one is missing, damaged, or no piece, and is not remembered here.
    """
    found = side_by_side(lambda info: _read(remote, cache, info), manifest.pieces)
    cache.retain(ROOM, {info.name for info in manifest.pieces})
    packs = {info: listed for info, (listed, _) in zip(manifest.pieces, found, strict=True)}
    damaged = frozenset(info for info, (_, is_there) in zip(manifest.pieces, found, strict=True) if not is_there)
    return ReadPieces(packs, damaged)


def read_intact_pieces(remote: RangeReadable, cache: CacheProtocol, manifest: Manifest) -> ReadPieces:
    """Read those pieces that can be had, for a look at damage; those that lie about what they list are lost, too.

    Raises:
        RemoteUnreachable: the connection went.
    """

    def read(info: RecordInfo) -> tuple[tuple[PackInfo, ...], bool] | str:
        try:
            return _read(remote, cache, info)
        except RemoteCorrupt as error:
            cause = error.__cause__
            if isinstance(cause, FileNotFoundError):
                return MISSING
            return cause.reason if isinstance(cause, RemoteCorrupt) else error.reason

    packs: dict[RecordInfo, tuple[PackInfo, ...]] = {}
    damaged: set[RecordInfo] = set()
    lost: dict[RecordInfo, str] = {}
    listed = {pack.name for pack in manifest.packs}
    for info, found in zip(manifest.pieces, side_by_side(read, manifest.pieces), strict=True):
        fault = found if isinstance(found, str) else _lie(manifest, found[0], listed, remote.location)
        if isinstance(found, str) or fault:
            lost[info] = fault
            continue
        packs[info] = found[0]
        listed.update(pack.name for pack in found[0])
        if not found[1]:
            damaged.add(info)
    return ReadPieces(packs, frozenset(damaged), lost)


def _lie(manifest: Manifest, packs: tuple[PackInfo, ...], listed: Collection[str], place: str) -> str:
    """Say what a piece lists that none may, beside what is listed already; "" if nothing."""
    try:
        check_packs(msgspec.structs.replace(manifest, packs=packs, records=(), pieces=()), place)
    except RemoteCorrupt as error:
        return error.reason
    return "it lists a pack that is listed already" if any(pack.name in listed for pack in packs) else ""


def _read(remote: RangeReadable, cache: CacheProtocol, info: RecordInfo) -> tuple[tuple[PackInfo, ...], bool]:
    """Return what a piece lists, and whether it is there as it should be, as far as was looked."""
    place = remote.location
    cached = cache.cached(ROOM, info.name)
    if cached is not None:
        try:
            return _decoded(cached, info, place), True
        except RemoteCorrupt:
            pass  # rotted here: it is fetched again
    try:
        data = remote.load(record_name(info)).data
        packs = _decoded(data, info, place)
    except (FileNotFoundError, RemoteCorrupt) as error:
        kept = cache.remembered_piece(info.name)
        if kept is not None:
            return _decoded(kept, info, place), False
        what = "is missing" if isinstance(error, FileNotFoundError) else "is damaged"
        raise RemoteCorrupt(
            place,
            f"a piece of its list of packs ({record_name(info)}) {what}",
            hint=REPAIR_HINT,
        ) from error
    cache.store(ROOM, info.name, data)
    return packs, True


def _decoded(data: bytes, info: RecordInfo, place: str) -> tuple[PackInfo, ...]:
    if len(data) != info.size:
        raise RemoteCorrupt(place, f"piece {info.name[:12]} has {len(data)} bytes, not {info.size}")
    found = decode_records(data, info, place, limit=PIECE_BYTES)
    if not 0 < len(found.packs) <= PIECE_LIMIT or found.labels or found.annotations:
        raise RemoteCorrupt(place, f"piece {info.name[:12]} lists no packs, or too many, or says more than that")
    return found.packs


def with_pieces(manifest: Manifest, pieces: Pieces, place: str) -> Manifest:
    """Return a manifest as everything but its bytes has it: with all packs, those of its pieces last.

    Raises:
        RemoteCorrupt: a pack is listed twice, or listed and leaving.
    """
    if not manifest.pieces:
        return manifest
    packs = (*manifest.packs, *(pack for info in manifest.pieces for pack in pieces[info]))
    whole = msgspec.structs.replace(manifest, packs=packs)
    check_packs(whole, place)
    return whole


def in_pieces(
    manifest: Manifest, pieces: Pieces, tombstones: Collection[str]
) -> tuple[Manifest, dict[RecordInfo, bytes]]:
    """Return a manifest as its bytes are to be, and the new pieces that it names with theirs.

    `manifest` lists all packs, `pieces` are those that are there. `tombstones` are names of files that are never used
    again. The order of packs stays but that what no piece has comes first. A project's own manifest has no pieces.
    """
    few = len(manifest.packs) < (MANY_PACKS // 2 if pieces else MANY_PACKS)
    if few or PROJECT_FOLDER in manifest.features:
        plain = tuple(feature for feature in manifest.features if feature != PIECES)
        return msgspec.structs.replace(manifest, pieces=(), features=plain), {}
    listed = set(manifest.packs)
    kept = {info: pieces[info] for info in manifest.pieces if info in pieces and listed.issuperset(pieces[info])}
    held = {pack for packs in kept.values() for pack in packs}
    rest = [pack for pack in manifest.packs if pack not in held]
    names, new = list(kept), dict[RecordInfo, bytes]()
    while len(rest) >= PIECE_PACKS and len(names) < PIECES_LIMIT:
        name, data = _encoded(rest[-PIECE_PACKS:], tombstones)
        names.insert(0, info := RecordInfo(name, len(data)))
        new[info] = data
        del rest[-PIECE_PACKS:]
    features = tuple(sorted({*manifest.features, PIECES}))
    leaving = {name: item for name, item in manifest.leaving.items() if name not in set(map(record_name, names))}
    return msgspec.structs.replace(
        manifest, packs=tuple(rest), pieces=tuple(names), features=features, leaving=leaving
    ), new


def _encoded(packs: Iterable[PackInfo], tombstones: Collection[str]) -> tuple[str, bytes]:
    """Encode a piece, under a name that no deleted file had."""
    listed = tuple(packs)
    name, data = encode_records((), packs=listed)
    if record_name(name) in tombstones:
        import secrets  # seldom needed, and slow to import

        name, data = encode_records((), packs=listed, salt=secrets.token_hex(8))
    return name, data


def create_record(remote: Creatable, info: RecordInfo, data: bytes) -> None:
    """Put a record there, which may be there already.

    Raises:
        RefMoved: it was collected there before it could be listed.
        RemoteCorrupt: it is there with other bytes.
    """
    try:
        remote.create(record_name(info), io.BytesIO(data))
    except FileExistsError:
        try:
            arrived = remote.load(record_name(info)).data
        except FileNotFoundError as error:
            raise RefMoved(f"{remote.location}/{record_name(info)}", "there", "gone") from error
        if arrived != data:
            raise RemoteCorrupt(remote.location, f"record {info.name[:12]} is there with other bytes") from None
