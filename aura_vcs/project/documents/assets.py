"""Which files of a project are media, of what type, and which of them are temporary.

Decided by the name alone, from a table of our own: the same file is the same asset on every
machine, and a listing opens nothing. What is inside a file, `media` says.
"""

from uuid import NAMESPACE_URL, UUID, uuid5

from aura_vcs.project.documents.field_types import AssetType
from aura_vcs.worktree.scan.ignore import TEMPORARY_FOLDERS, TEMPORARY_PREFIX, TEMPORARY_SUFFIXES

_TYPES: dict[AssetType, dict[str, str]] = {
    "Audio": {
        "wav": "audio/wav",
        "mp3": "audio/mpeg",
        "m4a": "audio/mp4",
        "aac": "audio/aac",
        "flac": "audio/flac",
        "ogg": "audio/ogg",
        "oga": "audio/ogg",
        "opus": "audio/opus",
        "aif": "audio/aiff",
        "aiff": "audio/aiff",
        "wma": "audio/x-ms-wma",
    },
    "Image": {
        "png": "image/png",
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "webp": "image/webp",
        "gif": "image/gif",
        "bmp": "image/bmp",
        "tif": "image/tiff",
        "tiff": "image/tiff",
        "avif": "image/avif",
        "heic": "image/heic",
        "svg": "image/svg+xml",
        "psd": "image/vnd.adobe.photoshop",
        "exr": "image/x-exr",
    },
    "Video": {
        "mp4": "video/mp4",
        "m4v": "video/x-m4v",
        "mov": "video/quicktime",
        "mkv": "video/x-matroska",
        "webm": "video/webm",
        "avi": "video/x-msvideo",
        "mpg": "video/mpeg",
        "mpeg": "video/mpeg",
        "mts": "video/mp2t",
        "m2ts": "video/mp2t",
        "mxf": "application/mxf",
        "wmv": "video/x-ms-wmv",
    },
    "Subtitle": {
        "srt": "application/x-subrip",
        "vtt": "text/vtt",
        "ass": "text/x-ssa",
        "ssa": "text/x-ssa",
        "ttml": "application/ttml+xml",
        "sbv": "text/plain",
    },
}
_BY_EXTENSION: dict[str, tuple[AssetType, str]] = {
    extension: (kind, mime) for kind, table in _TYPES.items() for extension, mime in table.items()
}

_TEMPORARY_FOLDERS = frozenset(TEMPORARY_FOLDERS)


def asset_id(project: str, path: str) -> str:
    """Compute the UUID of an asset: RFC 4122 version 5 of its path in the project's own name space."""
    try:
        space = UUID(project)
    except ValueError:
        space = NAMESPACE_URL
    return str(uuid5(space, path))


def asset_type(path: str) -> AssetType | None:
    """Return the type by the last extension; None for what is not media. A temporary `x.mp4.part` is a video."""
    found = _classify(path)
    return found[0] if found else None


def mime_type(path: str) -> str:
    """Return the MIME type by the last extension, `application/octet-stream` for what is not media."""
    found = _classify(path)
    return found[1] if found else "application/octet-stream"


def is_temporary(path: str) -> bool:
    """Tell whether a program left the file there for itself: it stays out of commits.

    A folder called tmp, temp, .tmp or .cache above it, or a name like `x.part`, `x.tmp`, `~$x`, `x~`.
    """
    *folders, name = path.split("/")
    return (
        any(folder in _TEMPORARY_FOLDERS for folder in folders)
        or name.startswith(TEMPORARY_PREFIX)
        or (name.endswith(TEMPORARY_SUFFIXES))
    )


def _classify(path: str) -> tuple[AssetType, str] | None:
    name = path.rpartition("/")[2].lower()
    suffixes = [] if name.endswith(".") else [f".{suffix}" for suffix in name.lstrip(".").split(".")[1:]][-2:]
    if len(suffixes) == 2 and suffixes[1].endswith(TEMPORARY_SUFFIXES):
        suffixes.pop()
    return _BY_EXTENSION.get(suffixes[-1][1:]) if suffixes else None
