"""Which files are not versioned: `.auraignore`, in gitignore's syntax, exports, and what is litter everywhere.

The file comes with a clone or a pull, so it may be anything: only a regular file of bounded size
counts, and what is odd about it is said, not obeyed. Litter is what operating systems, disks, sync tools and
programs leave in folders for themselves: it stays out of versions by default. What a version has already stays in it,
and a rule in .auraignore (`!pattern`) takes one back.
"""

import os
import stat
from collections.abc import Sequence
from typing import TYPE_CHECKING

from blake3 import blake3

from aura_vcs.layout import AURA, IGNORE_FILE, OUTPUTS

if TYPE_CHECKING:
    from aura_vcs.worktree.scan.patterns import BadLine, Patterns


TEMPORARY_SUFFIX = ".aura-temporary"
VERSION_CONTROL = (".git", ".hg", ".svn")
SYSTEMS = (
    ".DS_Store", ".AppleDouble", ".LSOverride", "Icon\r",
    "Thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "Desktop.ini",
)  # fmt: skip
DISKS = (
    "lost+found", ".Trash", ".Trashes", "$RECYCLE.BIN", "$Recycle.Bin", "RECYCLER", "System Volume Information",
    ".Spotlight-V100", ".fseventsd", ".DocumentRevisions-V100", ".TemporaryItems", "Network Trash Folder",
    "Temporary Items", ".PKInstallSandboxManager", ".VolumeIcon.icns", ".apdisk", ".AppleDB", ".AppleDesktop",
    ".com.apple.timemachine.donotpresent", ".com.apple.timemachine.supported",
    "@eaDir", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot", ".@__thumb", "@tmp", "~snapshot",
)  # fmt: skip
"""At the root of a disk (Linux, Windows, macOS), and of what Synology, QNAP and NetApp share."""
SYNC_TOOLS = (
    ".stignore", ".stfolder", ".stversions",
    ".nextcloudsync.log", ".owncloudsync.log",
    ".dropbox", ".dropbox.cache", ".dropbox.attr",
    ".tmp.drivedownload", ".tmp.driveupload",
    ".849C9593-D756-4E56-8D6E-42412F2A707B",
    ".~tmp~", ".rsync-partial", ".debris",
)  # fmt: skip
"""Syncthing, Nextcloud, ownCloud, Dropbox, Google Drive, OneDrive, rsync, MEGA."""
NAMES = (*VERSION_CONTROL, *SYSTEMS, *DISKS, *SYNC_TOOLS)
TEMPORARY_FOLDERS = ("tmp", "temp", ".tmp", ".cache")
TEMPORARY_SUFFIXES = (".tmp", ".temp", ".part", ".partial", ".crdownload", "~", TEMPORARY_SUFFIX)
TEMPORARY_PREFIX = "~$"
"""What programs leave for themselves: temporary assets stay out of versions."""
SUFFIXES = (*TEMPORARY_SUFFIXES, ".!sync", ".filepart", ".opdownload")
PREFIXES = (
    TEMPORARY_PREFIX, "._", ".Trash-", ".goutputstream-", ".nfs", ".fuse_hidden", ".smbdelete", ".afpDeleted",
    ".unison.",
)  # fmt: skip
"""AppleDouble files, wastebaskets of Linux, and what is deleted while a program has it open."""
AROUND = ((".~lock.", "#"), (".sync_", ".db"), (".sync_", ".db-shm"), (".sync_", ".db-wal"), (".sync_", ".db-journal"))
"""How names begin and end: LibreOffice's locks, the databases of Nextcloud and ownCloud."""
DEFAULT_PATTERNS = (
    *(name.replace("#", "\\#", 1) if name[0] == "#" else name for name in NAMES),
    *(f"{name}/" for name in TEMPORARY_FOLDERS),
    *(f"*{suffix}" for suffix in SUFFIXES),
    *(f"{prefix}*" for prefix in PREFIXES),
    *(f"{start}*{end}" for start, end in AROUND),
)
"""The same in gitignore's words; a `!pattern` in .auraignore takes one back."""

_NAMES = frozenset(NAMES)
_TEMPORARY_FOLDERS = frozenset(TEMPORARY_FOLDERS)
_RSYNC_LETTERS = 6


def is_litter(name: str, *, is_folder: bool) -> bool:
    """Tell whether DEFAULT_PATTERNS match a name."""
    return (
        name in _NAMES
        or name.endswith(SUFFIXES)
        or name.startswith(PREFIXES)
        or (is_folder and name in _TEMPORARY_FOLDERS)
        or (name[0] == "." and any(_is_around(name, start, end) for start, end in AROUND))
    )


def _is_around(name: str, start: str, end: str) -> bool:
    return len(name) >= len(start) + len(end) and name.startswith(start) and name.endswith(end)


def half_copied(name: str) -> str | None:
    """Return the name of the file that rsync may be copying under this one (`.take.mov.Xa12Ds`); None for another form.

    Six letters of both cases tell it from `.take.mov.backup`; and it is only litter beside that file.
    """
    if name[0] != "." or len(name) < _RSYNC_LETTERS + 3 or name[-_RSYNC_LETTERS - 1] != ".":
        return None
    end = name[-_RSYNC_LETTERS:]
    if not (end.isascii() and end.isalnum()) or end.lower() == end or end.upper() == end:
        return None
    return name[1 : -_RSYNC_LETTERS - 1]


SIZE_LIMIT = 8 << 20
"""Bytes of a rule file; a larger one is none."""
LINES_REPORTED = 5
"""So many lines that are no patterns are named."""
TEXT_REPORTED = 60
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_LONG_ENOUGH = 4
"""Bytes by which UTF-16 without a mark is told."""
_DEFAULTS = "\n".join(DEFAULT_PATTERNS)


class IgnoreRules:
    """The rules of one project. `fingerprint` changes whenever they do, or what is litter by default.

    `notes` say what is wrong with them, a sentence each without a full stop.
    """

    def __init__(self, data: bytes = b"", notes: Sequence[str] = (), outputs: frozenset[str] = frozenset()) -> None:
        self.is_usable = not notes
        """Whether a file of rules is there, or can be made."""
        lines = rule_lines(data)
        self._patterns: Patterns | None = None
        bad: list[BadLine] = []
        if any(line and line[0] != "#" for line in lines):
            self._patterns, bad = _parsed(lines)
        self.notes = (*notes, *_notes_on(bad))
        self._outputs = outputs
        text = "\n".join((_DEFAULTS, *lines, *("\0" + path for path in sorted(outputs))))
        self.fingerprint = blake3(text.encode("utf-8", "surrogatepass")).digest()[:16]

    def matches(self, name: str, path: str, *, is_folder: bool) -> bool:
        """Tell whether the path, called `name`, is not versioned.

        What lies in an ignored folder is not asked for.
        """
        found = self._patterns.verdict(path, name, is_folder=is_folder) if self._patterns is not None else None
        if found is None:
            return path in self._outputs or is_litter(name, is_folder=is_folder)
        return found

    def takes_back(self, name: str, path: str, *, is_folder: bool) -> bool:
        """Tell whether a rule of the person's says that the path is versioned."""
        return self._patterns is not None and self._patterns.verdict(path, name, is_folder=is_folder) is False


def _parsed(lines: Sequence[str]) -> "tuple[Patterns, list[BadLine]]":
    from aura_vcs.worktree.scan.patterns import parse_patterns  # most projects have no rules of their own

    return parse_patterns(lines)


def rule_lines(data: bytes) -> list[str]:
    """Read the lines of a rule file: UTF-8 or UTF-16, with or without a mark; other bytes stay what they are.

    Lines end as on Unix or Windows, or as on old Macs if there is no other end in the file.
    """
    text = _decoded(data)
    end = "\n" if "\n" in text else "\r"
    lines = text.split(end)
    return [line.removesuffix("\r") for line in lines] if end == "\n" else lines


def with_rules(data: bytes, lines: Sequence[str]) -> bytes:
    """Append lines to the bytes of a rule file, in the encoding and with the line ends that it has."""
    mark, encoding = _encoding(data)
    text, end = _decoded(data), _line_end(data)
    start = end if text and not text.endswith(end) else ""
    return _marked(data + _encoded(lines, end, encoding, start), mark, encoding)


def with_rules_first(data: bytes, lines: Sequence[str]) -> bytes:
    """Return the same with the lines at its beginning, where every later rule counts for more."""
    mark, encoding = _encoding(data)
    first = _encoded(lines, _line_end(data), encoding)
    return _marked(mark + first + data[len(mark) :], mark, encoding)


def _line_end(data: bytes) -> str:
    text = _decoded(data)
    return "\r\n" if "\r\n" in text else "\r" if "\r" in text and "\n" not in text else "\n"


def _encoded(lines: Sequence[str], end: str, encoding: str, start: str = "") -> bytes:
    text = start + "".join(f"{line}{end}" for line in lines)
    return text.encode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")


def _marked(data: bytes, mark: bytes, encoding: str) -> bytes:
    """Begin with a byte order mark where the new lines make it hard to see what the bytes are encoded in."""
    if mark or _encoding(data)[1] == encoding:
        return data
    return next(mark for mark, of in _BYTE_ORDER_MARKS if of == encoding) + data


def rule_for(path: str, *, is_folder: bool) -> str:
    """Write the line that names just this path, counted from the project's folder."""
    text = "".join(f"\\{c}" if c in "*?[\\" else "?" if c in "\r\n" else c for c in path)
    if text.endswith(" ") and not is_folder:
        text = f"{text[:-1]}\\ "
    return f"/{text}/" if is_folder else f"/{text}"


def _encoding(data: bytes) -> tuple[bytes, str]:
    """Return the mark that the bytes of a rule file begin with, if any, and what they are encoded in."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return mark, encoding
    if b"\0" in data and len(data) >= _LONG_ENOUGH and len(data) % 2 == 0:
        for zeros, others, encoding in ((data[1::2], data[::2], "utf-16-le"), (data[::2], data[1::2], "utf-16-be")):
            if b"\0" not in others and (not any(zeros) or _has_lines(data, encoding)):
                return b"", encoding
    return b"", "utf-8"


def _has_lines(data: bytes, encoding: str) -> bool:
    """Tell whether the bytes are lines of text when they are taken for UTF-16."""
    try:
        return "\n" in data.decode(encoding)
    except UnicodeDecodeError:
        return False


def _decoded(data: bytes) -> str:
    mark, encoding = _encoding(data)
    return data[len(mark) :].decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")


def _notes_on(bad: "Sequence[BadLine]") -> list[str]:
    notes = [
        f"{IGNORE_FILE}, line {b.line}: {_shortened(b.text)!r} is skipped: {b.reason}" for b in bad[:LINES_REPORTED]
    ]
    if len(bad) > LINES_REPORTED:
        notes.append(f"{IGNORE_FILE}: {len(bad) - LINES_REPORTED:,} more lines are skipped")
    return notes


def _shortened(text: str) -> str:
    return text if len(text) <= TEXT_REPORTED else f"{text[:TEXT_REPORTED]}…"


def load_ignore_rules(root: str) -> IgnoreRules:
    """Load the rules in the project folder `root`; without a file that may be read, only the default ones."""
    path, outputs = os.path.join(root, IGNORE_FILE), _outputs(root)
    try:
        _check(os.lstat(path))
        fd = os.open(path, _FLAGS)
        try:
            return IgnoreRules(_read(fd), outputs=outputs)
        finally:
            os.close(fd)
    except (FileNotFoundError, NotADirectoryError):
        return IgnoreRules(outputs=outputs)
    except _NoRules as error:
        reason = str(error)
    except OSError as error:
        reason = f"it cannot be read ({error.strerror})"
    return IgnoreRules(notes=[f"{IGNORE_FILE} counts for nothing: {reason}"], outputs=outputs)


def rules_from(root: str, data: bytes) -> IgnoreRules:
    """Make the rules that hold in the project folder `root` when its rule file has these bytes."""
    return IgnoreRules(data, outputs=_outputs(root))


def _outputs(root: str) -> frozenset[str]:
    if not os.path.lexists(os.path.join(root, AURA, *OUTPUTS.split("/"))):
        return frozenset()
    from aura_vcs.worktree.scan.exported_files import untouched_outputs  # most projects have exported none

    return untouched_outputs(root)


class _NoRules(Exception):
    """What is called .auraignore is not a rule file; the text says why."""


def _check(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _NoRules(f"it is {_kind(found.st_mode)}, not a file")
    if found.st_size > SIZE_LIMIT:
        raise _NoRules(f"it is larger than {SIZE_LIMIT >> 20} MiB")


def _read(fd: int) -> bytes:
    _check(os.fstat(fd))
    data = bytearray()
    while more := os.read(fd, SIZE_LIMIT + 1 - len(data)):
        data += more
        if len(data) > SIZE_LIMIT:
            raise _NoRules(f"it is larger than {SIZE_LIMIT >> 20} MiB")
    return bytes(data)


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link"
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a device, a pipe or a socket"
