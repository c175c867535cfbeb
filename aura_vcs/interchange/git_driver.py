"""Our comparison and merge as drivers of git's own, for people who stay with git; see gitattributes(5).

A merge leaves its result in the file that git names, and conflicts as git writes them: everything else is joined, and
only what both sides changed differently stands between markers. Nothing of a repository is read or written but the
files that git hands over; `install` writes to its configuration and to `.gitattributes`, and nothing else.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence

import msgspec

from aura_vcs.compare.merge.file import MERGE_BYTES_LIMIT, MergedFile, merge_file, resolve_file
from aura_vcs.errors import AuraError, InputError
from aura_vcs.errors.interchange import GitUnavailable
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.patience import equal_runs
from aura_vcs.formats.text import split_lines
from aura_vcs.formats.timeline.model import TICKS_PER_SECOND, Clip, Timeline, Track
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.history.diff.file_diff import PROJECT_SUFFIXES, diff_file, is_timeline_path
from aura_vcs.storage.made_files import replace_file
from aura_vcs.storage.plain_files import open_regular

DRIVER = "aura"
MARKER_SIZE = 7
BEGIN, END = "# aura git-driver: begin", "# aura git-driver: end"
DOCUMENTS = (
    "project.json", "brief.json", "plan.json", "voice.json", "render.json", "timeline.json", "scenes/*.json",
)  # fmt: skip
SUBTITLES = (".srt", ".vtt")
PACKED = frozenset({".prproj", ".otioz", ".aup3", ".drp", ".aaf", ".blend"})
"""Of the editors' files those whose bytes are not text: they are compared, and not merged."""
TOO_GENERAL = frozenset({".xml", ".rpp-bak"})
"""Endings that many other files have, too."""
_TIMEOUT_SECONDS = 60


class DriverMerge(msgspec.Struct, frozen=True):
    """What a merge left in the file: `conflicts` places between markers, or -1 where the file could not be merged."""

    conflicts: int
    by: str
    reason: str = ""


def merge_for_git(
    base: str,
    ours: str,
    theirs: str,
    path: str,
    *,
    marker_size: int = MARKER_SIZE,
    environment: Mapping[str, str],
) -> DriverMerge:
    """Merge three files as git hands them to a merge driver; the result is in `ours` afterwards.

    `path` is what the file is called in the repository. A document or timeline that cannot be merged by meaning is
    merged by line, by git itself; bytes that are not text stay as they are in ours, and are a conflict.

    Raises:
        InputError: a file cannot be read or written.
    """
    sides = [_read(one) for one in (base, ours, theirs)]
    if max(map(len, sides)) > MERGE_BYTES_LIMIT:
        return DriverMerge(-1, "", f"it has more than {MERGE_BYTES_LIMIT >> 20} MB")
    merged = merge_file(path, sides[0] or None, sides[1], sides[2])
    if merged.data is not None:
        open_ = [*merged.conflicts, *merged.text_conflicts]
        if not open_:
            _write(ours, merged.data)
            return DriverMerge(0, merged.by)
        marked = _marked(merged, marker_size)
        if marked is not None:
            _write(ours, marked)
            return DriverMerge(len(open_), merged.by)
    if any(b"\0" in data for data in sides):
        return DriverMerge(-1, "", merged.reason or "it is not a text")
    return _merge_by_line(base, ours, theirs, marker_size, environment, merged.reason)


def _marked(merged: MergedFile, marker_size: int) -> bytes | None:
    """Write what is merged with markers where the sides differ; None where a side cannot be had."""
    assert merged.data is not None
    try:
        sides = [resolve_file(merged.data, merged, "", choice).data for choice in ("ours", "theirs")]
        ours, theirs = (split_lines((data or b"").decode("utf-8")) for data in sides)
    except (AuraError, UnicodeDecodeError):
        return None
    if None in sides or ours == theirs:
        return None
    return _between_markers(ours, theirs, marker_size).encode()


def _between_markers(ours: Sequence[str], theirs: Sequence[str], size: int) -> str:
    end = "\r\n" if any(line.endswith("\r\n") for line in ours[:10]) else "\n"
    found: list[str] = []
    at, there = 0, 0
    for run in (*equal_runs(ours, theirs), None):
        start, start_there, length = (len(ours), len(theirs), 0) if run is None else (run[0], run[1], run[2])
        mine, other = ours[at:start], theirs[there:start_there]
        if mine or other:
            found += [f"{'<' * size} ours{end}", *_closed(mine, end), f"{'=' * size}{end}", *_closed(other, end)]
            found.append(f"{'>' * size} theirs{end}")
        found += ours[start : start + length]
        at, there = start + length, start_there + length
    return "".join(found)


def _closed(lines: Sequence[str], end: str) -> list[str]:
    """Return lines of which the last one ends, too: a marker stands on a line of its own."""
    return [*lines[:-1], lines[-1] if lines[-1].endswith("\n") else lines[-1] + end] if lines else []


def _merge_by_line(
    base: str, ours: str, theirs: str, marker_size: int, environment: Mapping[str, str], reason: str
) -> DriverMerge:
    labels = [word for side in ("ours", "base", "theirs") for word in ("-L", side)]
    command = ["git", "merge-file", f"--marker-size={marker_size}", *labels, ours, base, theirs]
    done = _git(command, environment)
    if done.returncode < 0 or done.returncode > 127:
        return DriverMerge(-1, "", done.stderr.decode("utf-8", "replace").strip() or reason)
    return DriverMerge(done.returncode, "text", reason)


def diff_for_git(path: str, old: str, new: str, new_path: str | None = None) -> list[str]:
    """Say what changed in a file, as an external diff of git does: a head and our lines."""
    before, after = ("" if one in {"/dev/null", "nul"} else one for one in (old, new))
    shown = f"aura diff a/{path} b/{new_path or path}"
    if not before or not after:
        return [shown, f"  {'deleted' if before else 'added'}"]
    found = diff_file(path, _read(before), _read(after))
    lines = found.lines or ("nothing",)
    return [shown, *(f"  {line}" for line in lines)]


def text_for_git(path: str, data: bytes) -> str:
    """Return a file as text that git can compare by line: a timeline as its tracks and clips, else as it stands."""
    if is_timeline_path(path) or os.path.splitext(path)[1].lower() in PROJECT_SUFFIXES:
        timeline = read_project(path, data)
        if not isinstance(timeline, Unstructured):
            return "".join(f"{line}\n" for line in _timeline_lines(timeline))
    return data.decode("utf-8", "replace")


def readable_text(file: str) -> str:
    """Read a file as text that git can compare; see `text_for_git`.

    Raises:
        InputError: it cannot be read.
    """
    return text_for_git(file, _read(file))


def _timeline_lines(timeline: Timeline) -> list[str]:
    lines = [f"timeline {timeline.name}".rstrip()]
    for track in timeline.tracks:
        lines.append(f"track {track.kind} {track.name}{_of(track)}".rstrip())
        for clip in track.clips:
            lines += _clip_lines(clip, 1)
    lines += [f"marker {at} {name}" for at, name in timeline.markers]
    return lines


def _of(track: Track) -> str:
    return f" of {track.sequence}" if track.sequence else ""


def _clip_lines(clip: Clip, depth: int) -> list[str]:
    pad = "  " * depth
    media = f" {clip.media}" if clip.media else ""
    source = f" from {_seconds(clip.source_start)}" if clip.source_start else ""
    lines = [f"{pad}{clip.label}{media}{source} at {_seconds(clip.start)} for {_seconds(clip.duration)}"]
    if clip.text:
        lines += [f"{pad}  {line}" for line in clip.text.splitlines()]
    for name, value in (("transition", clip.transition), *clip.effects, *clip.details):
        if value:
            lines.append(f"{pad}  {name}: {value}")
    for part in clip.parts:
        lines += _clip_lines(part, depth + 1)
    return lines


def _seconds(ticks: int | None) -> str:
    return f"{(ticks or 0) / TICKS_PER_SECOND:.3f} s"


def install(folder: str, program: str, *, environment: Mapping[str, str], words: bool = False) -> str:
    """Set the drivers up in the repository that `folder` is in; returns the path of its `.gitattributes`.

    `program` is the command `aura`. With `words`, `git diff` shows our lines instead of git's own over our text.

    Raises:
        InputError: it is in no repository, or `.gitattributes` cannot be read. StorageError: it cannot be written.
    """
    root = _root(folder, environment)
    driver = f"{program} git-driver merge %O %A %B --marker-size %L --path %P"
    settings = {
        f"merge.{DRIVER}.name": "aura: by field, clip and line",
        f"merge.{DRIVER}.driver": driver,
        f"diff.{DRIVER}.textconv": f"{program} git-driver textconv",
    }
    if words:
        settings[f"diff.{DRIVER}.command"] = f"{program} git-driver diff"
    for key, value in settings.items():
        done = _git(["git", "-C", root, "config", key, value], environment)
        if done.returncode:
            raise GitUnavailable(f"set {key}", done.stderr.decode("utf-8", "replace").strip())
    path = os.path.join(root, ".gitattributes")
    replace_file(path, _with_block(_read(path) if os.path.lexists(path) else b"", _block()))
    return path


def remove(folder: str, *, environment: Mapping[str, str]) -> str:
    """Take the drivers out of the repository again; returns the path of its `.gitattributes`.

    Raises:
        InputError, StorageError: as `install`.
    """
    root = _root(folder, environment)
    for section in (f"merge.{DRIVER}", f"diff.{DRIVER}"):
        _git(["git", "-C", root, "config", "--remove-section", section], environment)
    path = os.path.join(root, ".gitattributes")
    if os.path.lexists(path):
        replace_file(path, _with_block(_read(path), b""))
    return path


def _block() -> bytes:
    suffixes = sorted({*PROJECT_SUFFIXES, ".otio", *SUBTITLES} - TOO_GENERAL)
    lines = [f"*{suffix} diff={DRIVER}" + ("" if suffix in PACKED else f" merge={DRIVER}") for suffix in suffixes]
    lines += [f"{name} merge={DRIVER}" + (f" diff={DRIVER}" if name == "timeline.json" else "") for name in DOCUMENTS]
    return "\n".join([BEGIN, *lines, END, ""]).encode()


def _with_block(data: bytes, block: bytes) -> bytes:
    start, end = data.find(BEGIN.encode()), data.find(END.encode())
    if start >= 0 and end > start:
        rest = data[end + len(END) :]
        return data[:start] + block + (rest[1:] if rest.startswith(b"\n") else rest)
    joint = b"" if not data or data.endswith(b"\n") or not block else b"\n"
    return data + joint + block


def _root(folder: str, environment: Mapping[str, str]) -> str:
    done = _git(["git", "-C", folder, "rev-parse", "--show-toplevel"], environment)
    if done.returncode:
        raise InputError(f"{folder} is in no git repository", hint="`git init` makes one.")
    return os.fsdecode(done.stdout.rstrip(b"\n"))


def _git(command: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            command, env=dict(environment), capture_output=True, check=False, timeout=_TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitUnavailable("do its part", str(error)) from error


def _read(path: str) -> bytes:
    try:
        with open(open_regular(path), "rb") as file:
            return file.read()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _write(path: str, data: bytes) -> None:
    """Write a file that git gave us, in its place."""
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
