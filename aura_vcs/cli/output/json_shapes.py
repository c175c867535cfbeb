"""What `--json` prints: the shapes that docs/json.md promises."""

from typing import TYPE_CHECKING, Any

import msgspec

from aura_vcs.plain_text import is_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aura_vcs.compare.timeline.changes import TimelineChange
    from aura_vcs.formats.media.findings import (
        AudioDiff,
        MediaDiff,
        MediaFacts,
        MediaStretch,
        VideoDiff,
    )
    from aura_vcs.formats.media.index_entry import EntryHead, MediaEntry
    from aura_vcs.history.checkout import CheckoutResult
    from aura_vcs.history.diff.tree_diff import Comparison, PathChange
    from aura_vcs.history.lookup.offloaded_summary import OffloadedTotal
    from aura_vcs.history.merging.conflicts import OpenConflict
    from aura_vcs.history.merging.media_changes import MediaSides
    from aura_vcs.history.status import Status
    from aura_vcs.index.records import VersionRecord
    from aura_vcs.model import Entry, Head
    from aura_vcs.project.documents.problems import DocumentProblem
    from aura_vcs.project.media.references import ProjectMedia
    from aura_vcs.repository.repository import Repository


def version_to_json(record: "VersionRecord") -> dict[str, Any]:
    """V: a version."""
    return {
        "id": record.id,
        "number": record.number,
        "type": str(record.type),
        "trigger": record.trigger,
        "name": record.name,
        "description": record.description,
        "author": record.author,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "modified_by": record.updated_by,
        "parents": list(record.parents),
        "tree": record.tree,
        "branch": record.branch,
        "important": record.important,
        "deleted_at": record.deleted_at,
        "deleted_by": record.deleted_by,
        "purged_at": record.purged_at,
        "size_bytes": record.size_bytes,
        "documents": dict(record.documents),
    }


def restore_point_to_json(record: "VersionRecord | None") -> dict[str, Any] | None:
    """Just enough to name a version."""
    return None if record is None else {"id": record.id, "number": record.number}


def path_to_json(path: str, key: str = "path") -> dict[str, Any]:
    """Put a path under its key; where it is not UTF-8, its bytes in hexadecimal beside it."""
    shape = {key: path}
    if not is_text(path):
        shape[f"{key}_bytes"] = path.encode("utf-8", "surrogateescape").hex()
    return shape


def entry_to_json(path: str, entry: "Entry") -> dict[str, Any]:
    """Convert a file, link or folder of a version; a folder's size is that of all files in it."""
    return {
        **path_to_json(path),
        "kind": str(entry.kind),
        "id": entry.id,
        "size": entry.size,
        "executable": entry.executable,
    }


def change_to_json(path: str, change: str, old_path: str | None) -> dict[str, Any]:
    """Convert a changed path to JSON."""
    shape = {**path_to_json(path), "change": change}
    return shape if old_path is None else {**shape, **path_to_json(old_path, "old_path")}


def status_to_json(found: "Status") -> dict[str, Any]:
    """Build what `aura status --json` prints."""
    return {
        "branch": found.branch,
        "head": restore_point_to_json(found.head),
        "clean": found.is_clean,
        "changes": [
            {**change_to_json(c.path, c.change, c.old_path), "size": found.sizes.get(c.path)} for c in found.changes
        ],
        "diverged": bool(found.diverged),
        "awaited": list(found.missing_heads),
        "conflicts": list(found.conflicts),
        "ignored": list(found.tracked_ignored),
        "tags_apart": [{"name": name, "beside": apart} for name, apart in found.tags_apart],
    }


def offloaded_to_json(found: "OffloadedTotal") -> dict[str, Any]:
    """Convert to JSON how much is offloaded, and where to."""
    return {"files": found.files, "bytes": found.size_bytes, "remotes": list(found.remotes)}


def problems_to_json(problems: "Sequence[DocumentProblem] | None") -> dict[str, Any]:
    """Convert the documents' problems to JSON, and how many they are; null where nobody looked."""
    if problems is None:
        return {"problems": None, "errors": None, "warnings": None}
    errors = sum(problem.severity == "error" for problem in problems)
    return {"problems": problems, "errors": errors, "warnings": len(problems) - errors}


def media_to_json(found: "Sequence[ProjectMedia]") -> list[dict[str, Any]]:
    """Return what each project file of an editor names, and where that is; a size is null where nothing was found."""
    return [
        {
            "file": one.file,
            "format": one.format or None,
            "problem": one.problem or None,
            "missing": one.missing,
            "media": [
                {
                    "path": media.path,
                    "kind": media.kind,
                    "resolved": media.resolved or None,
                    "place": media.place,
                    "state": media.state,
                    "reason": media.reason or None,
                    "size": media.size if media.size >= 0 else None,
                    "is_absolute": media.is_absolute,
                    "in_version": media.in_version,
                    "is_ignored": media.is_ignored,
                    "near": media.near or None,
                }
                for media in one.media
            ],
        }
        for one in found
    ]


def conflict_to_json(item: "OpenConflict", media: "MediaSides | None" = None) -> dict[str, Any]:
    """Convert an open conflict to JSON: its place, how the file was merged, what each side has (absent: nothing).

    `media` is what became of a media file on both sides.
    """
    shape: dict[str, Any] = {**path_to_json(item.path), "place": item.location, "by": item.by}
    for side in ("base", "ours", "theirs"):
        if item.field is not None:
            value = getattr(item.field, side)
            if value is not msgspec.UNSET:
                shape[side] = value
        elif item.text is not None:
            shape[side] = getattr(item.text, side)
        elif item.tree is not None and (entry := getattr(item.tree, side)) is not None:
            shape[side] = {"kind": entry.kind, "id": entry.id}
    what = item.field or item.tree
    shape["kind"] = what.kind if what is not None else "changed"
    if item.tree is not None and item.tree.aside:
        shape |= path_to_json(item.tree.aside, "aside")
    if media is not None:
        sides = (("ours", media.ours), ("theirs", media.theirs))
        shape["media"] = {
            name: None if one is None else {**_media_to_json(one), "lines": list(one.lines)} for name, one in sides
        }
    return {**shape, "ours_label": item.ours_label, "theirs_label": item.theirs_label}


def checkout_to_json(repo: "Repository", head: "Head", moved: "CheckoutResult | None") -> dict[str, Any]:
    """Convert to JSON what happened to the worktree, and where it is now."""

    record = repo.queries.version(head.version) if head.version is not None else None
    point = moved.restore_point if moved is not None else None
    return {
        "branch": head.branch,
        "head": restore_point_to_json(record),
        "restore_point": version_to_json(point) if point is not None else None,
        "changed_paths": moved.changed if moved is not None else 0,
        "left_alone": list(moved.skipped) if moved is not None else [],
        "kept_unsaved": moved.kept_unsaved if moved is not None else 0,
    }


def diff_to_json(
    old: "VersionRecord | None",
    new: "VersionRecord | None",
    comparison: "Comparison",
    media: "Mapping[str, MediaDiff] | None" = None,
    provenance: "Mapping[str, Sequence[str]] | None" = None,
) -> dict[str, Any]:
    """Build what `aura diff --json` prints; `to` is null for the worktree.

    `media`, and in words how differently files came to be, are known of files by path.
    """
    from aura_vcs.cli.output.sequence_json import sequences_to_json

    known, said = media or {}, provenance or {}
    return {
        "from": restore_point_to_json(old),
        "to": restore_point_to_json(new),
        "changes": [
            _path_change_to_json(comparison, change, known.get(change.path))
            | ({"provenance": list(said[change.path])} if change.path in said else {})
            for change in comparison.changes
        ],
        "sequences": sequences_to_json(comparison, known),
        "documents": dict(comparison.documents),
    }


def _path_change_to_json(comparison: "Comparison", change: "PathChange", media: "MediaDiff | None") -> dict[str, Any]:
    from aura_vcs.history.diff.file_diff import diff_change

    shape = change_to_json(change.path, change.change, change.old_path)
    shape["old"], shape["new"] = _side(change.old), _side(change.new)
    found = diff_change(comparison, change, media=media)
    if found.document is not None and (found.document.operations or not found.document.fallback):
        shape["fields"] = [operation.plain() for operation in found.document.operations]
    if found.timeline is not None:
        shape["timeline"] = [_timeline_change_to_json(moment) for moment in found.timeline.changes]
        if found.timeline.noise:
            shape["besides"] = list(found.timeline.noise)
    if found.media is not None:
        shape["media"] = _media_to_json(found.media)
    return shape


def _timeline_change_to_json(change: "TimelineChange") -> dict[str, Any]:
    """Convert one change of a timeline; pointers are null where that side has nothing."""
    return {
        "kind": change.kind,
        "subject": change.subject,
        "text": change.text,
        "old": change.old_pointer or None,
        "new": change.new_pointer or None,
        "clips": change.amount,
    }


def _media_to_json(media: "MediaDiff") -> dict[str, Any]:
    """Convert what is known of a media file; what decoding tells is null or empty where it was not decoded."""
    return {
        "decoded": media.decoded,
        "problem": media.problem or None,
        "old": _facts_to_json(media.old),
        "new": _facts_to_json(media.new),
        "distance": media.distance,
        "scenes": [list(stretch) for stretch in media.scenes],
        "sounds": [list(stretch) for stretch in media.sounds],
        "lead": media.lead,
        "box": list(media.box) if media.box is not None else None,
        "video": None if media.video is None else _video_diff_to_json(media.video),
        "sound": None if media.sound is None else _audio_diff_to_json(media.sound),
    }


def media_entry_to_json(entry: "MediaEntry") -> dict[str, Any]:
    """Convert what the media index has of a file; null for what it has none of."""
    head = entry.head
    streams = (("video", head.video), ("sound", head.sound), ("picture", head.picture))
    found = {
        name: None if facts is None else {field: getattr(facts, field) for field in facts.__struct_fields__}
        for name, facts in streams
    }
    if head.picture is not None:
        found["picture"] = {**(found["picture"] or {}), "hash": f"{head.picture.hash:016x}"}  # no number of JSON's
    return found


def sequence_entry_to_json(head: "EntryHead") -> dict[str, Any]:
    """Convert what the media index has of a sequence; frames are counted from 0, gaps left out."""
    facts = head.sequence
    assert facts is not None
    shown = head.strip.times if head.strip is not None else ()
    return {
        "frames": facts.frames,
        "missing": [list(span) for span in facts.missing],
        "sizes": [{"width": wide, "height": high, "frames": n} for wide, high, n in facts.sizes],
        "cuts": list(facts.cuts),
        "poster": facts.poster,
        "strip": [int(n) for n in shown],
        "damaged": facts.damaged,
    }


def _video_diff_to_json(video: "VideoDiff") -> dict[str, Any]:
    return {
        "verdict": video.verdict,
        "frames": list(video.frames),
        "stretches": [_stretch_to_json(stretch) for stretch in video.stretches],
        "speed": video.speed,
        "crop": list(video.crop) if video.crop is not None else None,
        "inside": list(video.inside) if video.inside is not None else None,
        "bars": video.has_bars,
        "throughout": list(video.throughout) if video.throughout is not None else None,
    }


def _audio_diff_to_json(sound: "AudioDiff") -> dict[str, Any]:
    return {
        "verdict": sound.verdict,
        "stretches": [_stretch_to_json(stretch) for stretch in sound.stretches],
        "gain_db": sound.gain_db,
        "offset": sound.offset,
        "is_faint": sound.is_faint,
        "channels": list(sound.channels),
    }


def _stretch_to_json(stretch: "MediaStretch") -> dict[str, Any]:
    """Convert a stretch; frames are null for sounds, the box where there is none."""
    return {
        "kind": stretch.kind,
        "start": stretch.start,
        "end": stretch.end,
        "old_start": stretch.old_start,
        "old_end": stretch.old_end,
        "first_frame": stretch.first if stretch.first >= 0 else None,
        "last_frame": stretch.last if stretch.last >= 0 else None,
        "box": list(stretch.box) if stretch.box is not None else None,
    }


def _facts_to_json(facts: "MediaFacts | None") -> dict[str, Any] | None:
    if facts is None:
        return None
    header = {name: getattr(facts.header, name) for name in facts.header.__struct_fields__}
    measured = {"peak_db": facts.peak_db, "loudness_lufs": facts.loudness_lufs, "partial": facts.partial}
    tracks = [{"kind": track.kind, "codec": track.codec, "digest": track.digest} for track in facts.tracks]
    return {**header, "codecs": list(facts.header.codecs), **measured, "tracks": tracks}


def _side(entry: "Entry | None") -> dict[str, Any] | None:
    return None if entry is None else {"id": entry.id or None, "size": entry.size}
