"""What a browser is given of a file: a picture, a sound or a video that it may show, or bytes to be saved.

Only these types are ever sent as themselves. Everything else (pages, SVG, PDF, scripts, texts) goes out as bytes with a
file name: what lies in a project must not run where the page runs.
"""

import posixpath
from typing import Literal

Kind = Literal["picture", "sound", "video", "text", "timeline", "other"]
_PICTURES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
             "avif": "image/avif", "bmp": "image/bmp"}  # fmt: skip
_SOUNDS = {"wav": "audio/wav", "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg",
           "oga": "audio/ogg", "opus": "audio/ogg", "flac": "audio/flac"}  # fmt: skip
_VIDEOS = {"mp4": "video/mp4", "m4v": "video/mp4", "mov": "video/mp4", "webm": "video/webm", "ogv": "video/ogg",
           "mkv": "video/webm"}  # fmt: skip
_PROXIED_PICTURES = frozenset(("tif", "tiff", "exr", "dpx", "psd", "heic"))
_PROXIED_SOUNDS = frozenset(("aif", "aiff", "caf", "bwf", "ac3"))
_PROXIED_VIDEOS = frozenset(("mxf", "avi", "mts", "m2ts", "braw", "r3d", "ts", "mpg"))
_TEXTS = frozenset(("txt", "md", "srt", "vtt", "json", "otio", "edl", "xml", "csv", "yaml", "yml", "toml", "ini", "py",
                    "kdenlive", "mlt", "fcpxml", "xmeml", "rpp", "html", "css", "js", "svg", "auraignore"))  # fmt: skip
BYTES = "application/octet-stream"


def ending_of(path: str) -> str:
    """Return what stands behind the last dot of a file's name, in small letters."""
    return posixpath.splitext(posixpath.basename(path).lower())[1].removeprefix(".")


def type_of(path: str) -> str:
    """Return the type that a file is sent as; `BYTES` for all that must not be shown as it is."""
    end = ending_of(path)
    return _PICTURES.get(end) or _SOUNDS.get(end) or _VIDEOS.get(end) or BYTES


def kind_of(path: str) -> Kind:
    """Tell what a person would call a file, by its name."""
    end = ending_of(path)
    groups: tuple[tuple[Kind, bool], ...] = (
        ("picture", end in _PICTURES or end in _PROXIED_PICTURES),
        ("sound", end in _SOUNDS or end in _PROXIED_SOUNDS),
        ("video", end in _VIDEOS or end in _PROXIED_VIDEOS),
        ("text", end in _TEXTS or posixpath.basename(path) in {".auraignore", ".stignore"}),
    )
    return next((kind for kind, is_one in groups if is_one), "other")


PROXY_TYPES = {"picture": "image/jpeg", "sound": "audio/mp4", "video": "video/mp4", "sequence": "video/mp4"}
"""What a proxy is sent as."""


def needs_proxy(path: str) -> bool:
    """Tell whether browsers cannot show or play a file as it is, going by its name."""
    end = ending_of(path)
    return end in _PROXIED_PICTURES or end in _PROXIED_SOUNDS or end in _PROXIED_VIDEOS
