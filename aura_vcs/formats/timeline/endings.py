"""Which files may be the projects of editors, by their names: without any of the readers."""

import posixpath

ENDINGS = frozenset(
    "kdenlive mlt osp fcpxml xml edl rpp rpp-bak otio otioz prproj aaf drp json flb xmeml".split()  # noqa: SIM905
)
"""Endings of files that may be a project; what they are is seen from their content."""

_STUDIO_DOCUMENT = "timeline.json"
_NOT_LOOKED_INTO = ("rpp-bak", "otioz", "flb")


def ending_of(path: str) -> str:
    """Return the text after the last dot of a file's name, in small letters; "" for none."""
    return posixpath.splitext(path.lower())[1].removeprefix(".")


def may_be_project(path: str) -> bool:
    """Tell whether a file's name allows that it is the project of an editor or a timeline."""
    name = posixpath.basename(path).lower()
    ending = ending_of(path)
    return ending in ENDINGS and (ending != "json" or name.endswith(("timeline.json", ".otio.json")))


def may_name_media(path: str) -> bool:
    """Tell whether a file may be a project whose media are looked for: no backup or archive, nor the studio's."""
    name = posixpath.basename(path).lower()
    return may_be_project(path) and name != _STUDIO_DOCUMENT and ending_of(path) not in _NOT_LOOKED_INTO
