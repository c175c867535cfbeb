"""A remote in one file: a ZIP archive of a remote's folder, nothing in it compressed again.

It is written once, from beginning to end, and read in ranges after that. `unzip -l` lists it.
"""

import io
import struct
import zipfile
from threading import Lock
from typing import BinaryIO

from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteUnreachable
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.base import check_storage_name
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.plain_files import open_regular
from aura_vcs.storage.remotes.base import SMALL_BYTES, RemoteEntry, RemoteFile, check_range
from aura_vcs.storage.remotes.read_only import ReadOnlyRemote

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_MAGIC = b"PK\x03\x04"
ENTRY_LIMIT = 1_000_000
UNFINISHED = ".aura-temporary"
"""A folder beside the bundle while it is written; such names are never versioned."""
_COPY_BYTES = 4 << 20
_STAMP = (1980, 1, 1, 0, 0, 0)


class BundleRemote(ReadOnlyRemote):
    """The bundle at `path`, to read from."""

    def __init__(self, path: str) -> None:
        self.location = path
        self._lock = Lock()
        try:
            self._file = open(open_regular(path), "rb")  # noqa: SIM115 (closed by `close`)
        except OSError as error:
            raise RemoteUnreachable(path, error.strerror or str(error), hint="Is that the bundle's path?") from error
        try:
            self._places = self._found()
        except BaseException:
            self._file.close()
            raise

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        size = self.size(name)
        if size is None:
            raise FileNotFoundError(name)
        if size > SMALL_BYTES:
            raise RemoteCorrupt(self.location, f"{name} has {size:,} bytes, which no such file has")
        return RemoteFile(self.read_range(name, 0, size), "")

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        check_range(offset, length)
        found = self._places.get(check_storage_name(name))
        if found is None:
            raise FileNotFoundError(name)
        start, size = found
        with self._lock:
            self._file.seek(start + offset)
            return self._file.read(max(0, min(length, size - offset)))

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        found = self._places.get(check_storage_name(name))
        return None if found is None else found[1]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _corrupt(self, what: str) -> RemoteCorrupt:
        return RemoteCorrupt(self.location, what, hint="Copy it again, or write a new one with `aura bundle create`.")

    def _found(self) -> dict[str, tuple[int, int]]:
        """Find where the files lie: offset and size of each."""
        try:
            with zipfile.ZipFile(self._file) as archive:
                entries = archive.infolist()
        except (
            zipfile.BadZipFile,
            struct.error,
            EOFError,
            ArithmeticError,
            ValueError,
            RuntimeError,
            OSError,
        ) as error:
            raise self._corrupt("it is not a bundle, or it was cut off") from error
        if len(entries) > ENTRY_LIMIT:
            raise self._corrupt(f"it has more than {ENTRY_LIMIT:,} files")
        self._file.seek(0, 2)
        end = self._file.tell()
        places: dict[str, tuple[int, int]] = {}
        for entry in entries:
            if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 or entry.filename in places:
                raise self._corrupt(f"{entry.filename[:100]!r} in it is not as a bundle has it")
            start = self._start(entry)
            if start + entry.file_size > end:
                raise self._corrupt(f"{entry.filename[:100]!r} in it is cut off")
            places[entry.filename] = (start, entry.file_size)
        return places

    def _start(self, entry: zipfile.ZipInfo) -> int:
        """Find where the bytes of an entry begin: behind its local header, whose length is its own matter."""
        self._file.seek(entry.header_offset)
        header = self._file.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(_LOCAL_MAGIC):
            raise self._corrupt("its directory points at nothing")
        _, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        return entry.header_offset + _LOCAL_HEADER.size + int(name_length) + int(extra_length)


class BundleWriter:
    """A bundle in the making: an empty remote to which a push sends everything, once.

    Nothing has a name before `publish`; the manifest is kept in memory until then. Nobody can read the file who
    cannot read one of the given `mode`.
    """

    pack_bytes: int | None = None
    create_checked = None

    def __init__(self, folder: str, name: str, *, mode: int = 0o666) -> None:
        self.location = name
        self._name = name
        self._storage = LocalStorage(folder, temporary=f"{name}{UNFINISHED}")
        self._upload = self._storage.upload(mode)
        self._stream = _Appended(self._upload.write)
        self._archive = zipfile.ZipFile(self._stream, "w", zipfile.ZIP_STORED)
        self._places: dict[str, tuple[int, int]] = {}
        self._swapped: dict[str, tuple[bytes, int]] = {}
        self._lock = Lock()

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable."""
        if name in self._swapped:
            data, count = self._swapped[name]
            return RemoteFile(data, str(count))
        size = self.size(name)
        if size is None:
            raise FileNotFoundError(name)
        return RemoteFile(self.read_range(name, 0, size), "")

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        if name not in self._places:
            raise FileNotFoundError(name)
        start, size = self._places[name]
        return self._upload.read_back(start + offset, max(0, min(length, size - offset)))

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        return self._places[name][1] if name in self._places else None

    def list(self, folder: str) -> list[RemoteEntry]:
        """See Listable."""
        names = sorted(name for name in self._places if name.rpartition("/")[0] == folder)
        return [RemoteEntry(name, self._places[name][1]) for name in names]

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """See Creatable."""
        check_storage_name(name)
        with self._lock:
            if name in self._places:
                raise FileExistsError(name)
            self._places[name] = self._add(name, source)
        progress.advance(self._places[name][1])
        return 0

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable."""
        with self._lock:
            found = self._swapped.get(check_storage_name(name))
            current = None if found is None else str(found[1])
            if current != token:
                raise RefMoved(f"{self.location}/{name}", token or "nothing", current or "nothing")
            self._swapped[name] = (bytes(data), (found[1] if found else 0) + 1)
            return str(self._swapped[name][1])

    def delete(self, name: str) -> None:
        """Check the name only: nothing that was written is taken out again."""
        check_storage_name(name)

    def publish(self) -> int:
        """Finish the file and give it its name; returns its bytes."""
        for name, (data, _) in self._swapped.items():
            self._add(name, io.BytesIO(data))
        self._archive.close()
        self._upload.publish(self._name)
        self._drop_folder()
        return self._stream.at

    def close(self) -> None:
        """Forget what was not published."""
        self._upload.discard()
        self._drop_folder()
        if self._archive.fp is not None:
            self._archive.fp = None  # its directory is not to be written any more

    def _drop_folder(self) -> None:
        self._storage.delete_folder(f"{self._name}{UNFINISHED}")

    def _add(self, name: str, source: BinaryIO) -> tuple[int, int]:
        source.seek(0)
        size = 0
        with self._archive.open(zipfile.ZipInfo(name, _STAMP), "w", force_zip64=True) as target:
            start = self._stream.at
            while data := source.read(_COPY_BYTES):
                target.write(data)
                size += len(data)
        return start, size


class _Appended(io.RawIOBase):
    """A stream that is only written to, at its end."""

    def __init__(self, write: object) -> None:
        self._write = write
        self.at = 0

    def writable(self) -> bool:
        """Return True: it can be written."""
        return True

    def write(self, data: object) -> int:
        """Write all of it."""
        view = memoryview(data)  # type: ignore[arg-type]
        self._write(view)  # type: ignore[operator]
        self.at += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        """Return how much has been written."""
        return self.at
