"""Opening the gzip and zip files that some projects are, within limits: a small file may hold an endless one."""

import io
import zipfile
import zlib

from aura_vcs.formats.jsondoc.parse import Unstructured

MAX_UNPACKED = 256 << 20
"""Bytes that one packed project may hold; the largest seen had 40 MB."""
MAX_MEMBERS = 100_000
MEMBER_BYTES = 64 << 20
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"


def is_gzip(data: bytes) -> bool:
    """Tell whether bytes begin like gzip."""
    return data.startswith(_GZIP)


def is_zip(data: bytes) -> bool:
    """Tell whether bytes begin like a zip file."""
    return data.startswith(_ZIP)


def gunzip(data: bytes, limit: int = MAX_UNPACKED) -> bytes | Unstructured:
    """Decompress a gzip file, or say why it is not opened."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(data, limit + 1)
    except zlib.error as error:
        return Unstructured(f"it is not a gzip file that can be opened: {error}")
    if len(found) > limit or unpacker.unconsumed_tail:
        return Unstructured(f"unpacked it is larger than {limit >> 20} MiB")
    if not unpacker.eof:
        return Unstructured("it ends in the middle")
    return found


def gzip_like(original: bytes, content: bytes) -> bytes:
    """Compress content into a gzip file with the date and system that stand in the head of another one."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    head = original[:3] + b"\0" + original[4:10]  # without a name of the file, which is none of its content
    ends = zlib.crc32(content).to_bytes(4, "little") + (len(content) & 0xFFFF_FFFF).to_bytes(4, "little")
    return head + packer.compress(content) + packer.flush() + ends


class ZipFile:
    """The members of a zip file that was checked; nothing is ever written to disk."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = MAX_UNPACKED
        self.names = [info.filename for info in archive.infolist() if not info.is_dir()]

    def read(self, name: str) -> bytes | Unstructured:
        """Read the content of a member, or say why it is not read."""
        limit = min(MEMBER_BYTES, self._left)
        try:
            with self._archive.open(name) as file:
                found = file.read(limit + 1)
        except (
            OSError,
            RuntimeError,
            KeyError,
            ValueError,
            zlib.error,
            zipfile.BadZipFile,
            NotImplementedError,
        ) as error:
            return Unstructured(f"{name} in it cannot be opened: {error}")
        if len(found) > limit:
            return Unstructured(f"{name} in it is larger than {limit >> 20} MiB")
        self._left -= len(found)
        return found

    def checksums(self) -> dict[str, str]:
        """Return checksum and size of each member by name: enough to tell whether one changed."""
        return {info.filename: f"{info.CRC:08x} {info.file_size}" for info in self._archive.infolist()}


def open_zip(data: bytes) -> ZipFile | Unstructured:
    """Open a zip file in memory, or say why not."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        return Unstructured(f"it is not a zip file that can be opened: {error}")
    if len(archive.infolist()) > MAX_MEMBERS:
        return Unstructured(f"it has more than {MAX_MEMBERS:,} files in it")
    return ZipFile(archive)
