"""What operating systems, disks, sync tools and programs leave in folders for themselves.

Such files stay out of versions by default. What a version has already stays in it, and a rule in
.auraignore (`!pattern`) takes one back.
"""

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
