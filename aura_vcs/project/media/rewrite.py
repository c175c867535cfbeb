"""Writing other paths into the project file of an editor, each in the form in which the editor wrote it.

Every other byte stays. What was written is read again before it counts: it must name the new paths, and the rest as
before.
"""

import os
import posixpath
from collections.abc import Mapping
from urllib.parse import quote

from aura_vcs.formats.jsondoc.edit import get, set_values
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.jsondoc.values import join_pointer
from aura_vcs.formats.timeline.aaf_write import rewrite_aaf
from aura_vcs.formats.timeline.containers import gunzip, gzip_like, is_gzip
from aura_vcs.formats.timeline.model import MediaReference, Timeline, is_absolute
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.formats.timeline.reaper_blocks import quoted
from aura_vcs.formats.xmldoc.edit import escape_attribute

RELATIVE = frozenset(("kdenlive", "shotcut", "mlt", "openshot", "reaper", "otio"))
"""Formats whose editors understand a path from the project file's folder."""
ABSOLUTE = frozenset(("fcpxml", "xmeml", "premiere", "aaf"))
"""Formats that name files by whole addresses; Premiere has a path from the project file beside each."""


_LEFT_TO_EDITORS = {
    "resolve": "paths in projects of DaVinci Resolve are read, not written",
    "edl": "an edit list names reels, which are read, not written",
}
"""Formats in which a path is stored with lengths, tables or compression of its own around it."""


def why_left(timeline: Timeline) -> str:
    """Say of a project that is not rewritable why, and what to do instead."""
    told = _LEFT_TO_EDITORS.get(timeline.format, f"paths in a project of {timeline.format} are read, not written")
    return f"{told}: relink it in the editor"


def is_rewritable(timeline: Timeline) -> bool:
    """Tell whether paths in such a project can be written anew."""
    return (timeline.format or "otio") in RELATIVE | ABSOLUTE


def written_path(timeline: Timeline, old: str, project: str, target: str, root: str) -> str:
    """Return what a project file writes for a file: `target` and `project` are paths from the project folder `root`.

    A path from the file's own folder where its editor understands one, with the slashes that stood there.
    """
    beside = timeline.format == "premiere" and not is_absolute(old)
    if (timeline.format or "otio") in ABSOLUTE and not beside:
        whole = os.path.join(os.path.abspath(root), *target.split("/")).replace(os.sep, "/")
        return _address(whole, old) if timeline.format == "aaf" else whole
    path = posixpath.relpath(target, posixpath.dirname(project) or ".")
    if "\\" in old and "/" not in old and (timeline.format == "reaper" or beside):
        return path.replace("/", "\\")
    return quote(path) if old.startswith("file:") and timeline.format == "otio" else path


def _address(path: str, like: str) -> str:
    """Write a path as an AAF file says where media are: as an address, where it did so."""
    if not like.startswith("file:"):
        return path
    start = "file://localhost" if like.startswith("file://localhost") else "file://"
    return start + ("" if path.startswith("/") else "/") + quote(path, safe="/:")


def with_siblings(timeline: Timeline, paths: Mapping[str, str], project: str, root: str) -> dict[str, str]:
    """Add to new paths those that Premiere writes for the same media in other forms."""
    result = dict(paths)
    if timeline.format != "premiere":
        return result
    inside = {one.identity: _inside(paths[one.path], project, root) for one in timeline.media if one.path in paths}
    for one in timeline.media:
        if one.identity in inside and one.path not in result:
            result[one.path] = written_path(timeline, one.path, project, inside[one.identity], root)
    return result


def _inside(path: str, project: str, root: str) -> str:
    """Return where a path that was made for a project file leads, from the project folder."""
    if os.path.isabs(path):
        return os.path.relpath(path, os.path.abspath(root)).replace(os.sep, "/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(project), path.replace("\\", "/")))


def rewrite_paths(name: str, data: bytes, timeline: Timeline, paths: Mapping[str, str]) -> bytes | Unstructured:
    """Return a project file in which media have other paths, old path to new one; or why it cannot be written so."""
    changed = [one for one in timeline.media if one.path in paths and one.path]
    if timeline.format == "openshot" or (timeline.format or "otio") == "otio":
        result: bytes | Unstructured = _in_json(data, changed, paths)
    elif timeline.format == "aaf":
        result = rewrite_aaf(data, {one.path: paths[one.path] for one in changed})
    elif is_gzip(data):
        result = _in_gzip(data, changed, paths)
    else:
        result = _in_text(data, changed, paths)
    return result if isinstance(result, Unstructured) else _proven(name, result, timeline, paths)


def _in_gzip(data: bytes, changed: list[MediaReference], paths: Mapping[str, str]) -> bytes | Unstructured:
    content = gunzip(data)
    result = content if isinstance(content, Unstructured) else _in_text(content, changed, paths)
    return result if isinstance(result, Unstructured) else gzip_like(data, result)


def _in_text(data: bytes, changed: list[MediaReference], paths: Mapping[str, str]) -> bytes | Unstructured:
    result, at = [], 0
    for one in sorted(changed, key=lambda one: one.start):
        if not one.end or one.start < at:
            return Unstructured(f"{one.path} is in it in a form that cannot be rewritten")
        result += [data[at : one.start], _encoded(data[one.start : one.end], one, paths[one.path])]
        at = one.end
    return b"".join([*result, data[at:]])


def _encoded(written: bytes, reference: MediaReference, path: str) -> bytes:
    if reference.writing == "xml":
        return escape_attribute(path).encode("utf-8", "surrogateescape")
    if reference.writing == "quoted":
        return quoted(path).encode("utf-8", "surrogateescape")
    start = b"file://localhost" if written.startswith(b"file://localhost") else b"file://"
    url = quote(os.fsencode(path)) if written.startswith(b"file:") or path.startswith("/") else path
    return (start if path.startswith("/") else b"") + escape_attribute(url).encode()


def _in_json(data: bytes, changed: list[MediaReference], paths: Mapping[str, str]) -> bytes | Unstructured:
    values: dict[str, str] = {}
    for one in changed:
        if get(data, one.pointer) != one.path:
            return Unstructured(f"{one.path} stands in it in parts")
        values[one.pointer] = paths[one.path]
    clips = get(data, "") if changed else None
    found = clips.get("clips") if isinstance(clips, dict) else None
    for n, clip in enumerate(found if isinstance(found, list) else []):
        reader = clip.get("reader") if isinstance(clip, dict) else None
        path = reader.get("path") if isinstance(reader, dict) else None
        if isinstance(path, str) and path in paths:  # OpenShot writes a clip's file a second time
            values[join_pointer(("clips", n, "reader", "path"))] = paths[path]
    return set_values(data, values)


def _proven(name: str, result: bytes, before: Timeline, paths: Mapping[str, str]) -> bytes | Unstructured:
    """Read the file again; it must name the new paths and otherwise what it named before."""
    after = read_project(name, result)
    if isinstance(after, Unstructured):
        return Unstructured(f"it could not be read any more ({after.reason})")
    wanted = [paths.get(one.path, one.path) for one in before.media]
    if [one.path for one in after.media] != wanted:
        return Unstructured("it would name other media than was meant")
    if _times(before) != _times(after):
        return Unstructured("it would play something else than before")
    return result


def _times(timeline: Timeline) -> list[tuple[int, int, int | None]]:
    return [(clip.start, clip.duration, clip.source_start) for track in timeline.tracks for clip in track.clips]
