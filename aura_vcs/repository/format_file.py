"""`format.json`: read, and found again when it is damaged or gone.

It is 120 bytes, written once, and without it there is no project. What it says is said elsewhere too:
every version has the project's id.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from aura_vcs import layout
from aura_vcs.codec import decode_record, decode_version, encode_record
from aura_vcs.errors.input import FormatUnsupported, NotAProject
from aura_vcs.errors.integrity import IntegrityError, RecordCorrupt, RecordUnreadable, StorageError
from aura_vcs.ids import ObjectId, VersionId, is_object_id
from aura_vcs.model import Format, Kind
from aura_vcs.progress import Progress
from aura_vcs.refs.packed_labels import PackedLabels
from aura_vcs.storage.local import LocalStorage

FORMAT_VERSION = 1
ANNOTATIONS = "annotations"
"""The feature of a project in which there are notes, provenance or recipes."""
EVICTED = "evicted"
"""The feature of a project in which versions hold content that was freed because it can be made again."""
UNWRAPPED = "unwrapped"
UNWRAPPED_TWICE = "unwrapped-twice"
"""The feature of a project in which gzip files or ZIP archives are stored as what is in them."""
KNOWN_FEATURES: frozenset[str] = frozenset({ANNOTATIONS, EVICTED, UNWRAPPED, UNWRAPPED_TWICE})
LOOKED_AT = 50
"""So many versions are tried; most projects have one that can be read."""
_NUMBER = rb'"format"\s*:\s*(\d+)'
_FEATURES = rb'"features"\s*:\s*\[([^\]]*)'
_READ_LIMIT = 64 << 10


def is_project(folder: str) -> bool:
    """Tell whether the folder is a project, also one whose `format.json` is gone: something was done in it."""
    aura = os.path.join(folder, layout.AURA)
    if os.path.lexists(os.path.join(aura, layout.FORMAT)):
        return True
    try:
        names = os.listdir(os.path.join(aura, layout.OPERATIONS))
    except OSError:
        return False
    return any(name.endswith((".jsonl", layout.SEGMENT)) for name in names)


def load_format(storage: LocalStorage, progress: Progress) -> Format:
    """Load `format.json`; where it is damaged or gone, take what the versions say: it is then written anew.

    A file that the disk cannot read is left as it is: `aura repair` sees to it.

    Raises:
        NotAProject: it is gone, and no version can be read.
        RecordCorrupt: it is damaged, and no version can be read.
        FormatUnsupported: a newer aura_vcs wrote it.
    """
    try:
        found = decode_record(storage.read(layout.FORMAT), Format, storage.path(layout.FORMAT))
    except FileNotFoundError as error:
        found = _found_again(storage, progress, NotAProject(os.path.dirname(storage.root)), error)
    except RecordCorrupt as error:
        error.hint = "No version tells which project this is. If none was saved, remove the file and `aura init`."
        found = _found_again(storage, progress, error, error)
    if found.format != FORMAT_VERSION:
        raise FormatUnsupported(storage.root, f"format {found.format}")
    unknown = sorted(set(found.features) - KNOWN_FEATURES)
    if unknown:
        raise FormatUnsupported(storage.root, f"the feature {', '.join(unknown)}")
    return found


def project_at(root: str) -> str | None:
    """Return the id of the project in a folder; None where there is none, or none that can be read."""
    try:
        storage = LocalStorage(os.path.join(root, layout.AURA), temporary=layout.TEMPORARY)
        return decode_record(storage.read(layout.FORMAT), Format, layout.FORMAT).project
    except (OSError, IntegrityError, StorageError):
        return None


def put_format(storage: LocalStorage, found: Format) -> None:
    """Write `format.json` anew; what lies there is set aside in `local/damaged`."""
    storage.set_aside(layout.FORMAT)
    storage.put(layout.FORMAT, encode_record(found))


def features_in_use(storage: LocalStorage) -> tuple[str, ...]:
    """Return the features that what lies in the project needs."""
    folders = (layout.NOTES, layout.PROVENANCE, layout.RECIPES)
    found = {ANNOTATIONS} if any(storage.list(folder) for folder in folders) else set()
    from aura_vcs.objects.availability import OffloadedRecords  # only where the file is damaged

    if OffloadedRecords(storage).evicted():
        found.add(EVICTED)
    return tuple(sorted(found | _of_packs(storage)))


def _of_packs(storage: LocalStorage) -> set[str]:
    """Return the features that frames of packs need; one that cannot be read needs none."""
    from aura_vcs.objects.store import ObjectStore  # only where the file is damaged

    store = ObjectStore(storage)
    found: set[str] = set()
    try:
        for name in store.packs.names():
            with suppress(IntegrityError, FileNotFoundError):
                if store.packs.has_unwrapped(name):
                    found.add(UNWRAPPED)
                if store.packs.has_twice(name):
                    found.add(UNWRAPPED_TWICE)
    finally:
        store.close()
    return found


def with_feature(storage: LocalStorage, found: Format, feature: str) -> Format:
    """Let `format.json` name a feature before it is used: readers that do not know it refuse from then on.

    The caller holds the refs lock: another process may be adding another feature.
    """
    if feature in found.features:
        return found
    there: tuple[str, ...] = ()
    with suppress(FileNotFoundError, RecordCorrupt):
        there = decode_record(storage.read(layout.FORMAT), Format, layout.FORMAT).features
    changed = Format(found.format, found.project, tuple(sorted({*found.features, *there, feature})))
    storage.put(layout.FORMAT, encode_record(changed))
    return changed


def project_of_versions(storage: LocalStorage) -> str | None:
    """Return the project's id, as the first version says that can be read."""
    from aura_vcs.objects.store import ObjectStore  # only where the file is damaged

    store = ObjectStore(storage)
    try:
        for version in islice(_versions(storage), LOOKED_AT):
            with suppress(IntegrityError):
                return decode_version(store.read(version, Kind.VERSION), version).project
    finally:
        store.close()
    return None


def _found_again(storage: LocalStorage, progress: Progress, trouble: Exception, cause: Exception) -> Format:
    _check_not_newer(storage, trouble)
    project = project_of_versions(storage)
    if project is None:
        raise trouble from cause
    found = Format(FORMAT_VERSION, project, features_in_use(storage))
    if isinstance(cause, RecordUnreadable):
        progress.note(f"{cause.message}; versions say which project this is, and `aura repair` repairs it")
        return found
    with suppress(StorageError):  # a read-only project can be looked at all the same
        put_format(storage, found)
        progress.note(f"{layout.AURA}/{layout.FORMAT} was damaged or gone; it was rewritten from what versions say")
    return found


def _check_not_newer(storage: LocalStorage, trouble: Exception) -> None:
    """Refuse what a damaged file still says of a newer format, and what is not damage but something else."""
    try:
        with storage.open(layout.FORMAT) as file:
            data = file.read(_READ_LIMIT)
    except (FileNotFoundError, RecordUnreadable):
        return
    said: dict[str, object] = {}
    with suppress(RecordCorrupt):
        said = decode_record(data, dict[str, object], layout.FORMAT)
    if said.get("format", FORMAT_VERSION) != FORMAT_VERSION:
        raise trouble
    number = re.search(_NUMBER, data)
    features = re.search(_FEATURES, data)
    named = [name.strip().decode("utf-8", "replace") for name in features[1].split(b",")] if features else []
    if (number is not None and int(number[1][:9]) != FORMAT_VERSION) or not all(map(_is_known, named)):
        raise FormatUnsupported(storage.root, "a newer format, as far as its damaged format.json can be read")


def _is_known(written: str) -> bool:
    """Tell whether a feature, as a damaged file has it, with its quotes, is one that is known, or was to be one."""
    is_cut_off = not written.endswith('"') or written == '"'
    name = written.strip('"')
    return name in {"", *KNOWN_FEATURES} or (is_cut_off and any(known.startswith(name) for known in KNOWN_FEATURES))


def _versions(storage: LocalStorage) -> Iterator[VersionId]:
    """Yield ids of versions that have a label."""
    names = storage.list(layout.VERSIONS)
    yield from (VersionId(ObjectId(name[:64])) for name in names if name.endswith(".json") and is_object_id(name[:64]))
    packed = PackedLabels(storage)
    for name in packed.files():
        yield from (label.version for label in packed.labels(name).values())
