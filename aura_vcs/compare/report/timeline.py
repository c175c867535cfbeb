"""A timeline before and after, drawn to scale with what changed marked."""

from collections.abc import Iterator

from aura_vcs.compare.report.html import text
from aura_vcs.compare.timeline.diff import TimelineDiff
from aura_vcs.compare.timeline.match import ClipPosition
from aura_vcs.formats.timeline.model import TICKS_PER_SECOND, Clip, Ticks, Timeline, spoken

WIDTH = 1_120
LANE = 26
LEFT = 92
CLIPS_LIMIT = 3_000
DETAILS_LIMIT = 500
_COLOURS = {
    "added": "#16a34a",
    "removed": "#dc2626",
    "moved": "#7c3aed",
    "trimmed": "#d97706",
    "slipped": "#d97706",
    "retimed": "#d97706",
    "other": "#2563eb",
    "same": "#8b95a5",
}
_LEGEND = ("added", "removed", "moved", "trimmed", "other", "same")
_WORDS = {"trimmed": "trimmed or retimed", "other": "changed otherwise", "same": "unchanged"}


def timeline_drawing(diff: TimelineDiff) -> str:
    """Render the drawing and, folded away, every single change."""
    if diff.old is None or diff.new is None or diff.match is None:
        return f"<p>{text(diff.fallback)}</p>" if diff.fallback else ""
    length = max(diff.old.duration, diff.new.duration, 1)
    old_states, new_states = clip_states(diff)
    told = clip_words(diff)
    top = 22
    rows: list[str] = []
    places: list[dict[ClipPosition, tuple[float, float]]] = []
    sides = (("before", diff.old, old_states, told[0]), ("after", diff.new, new_states, told[1]))
    for title, timeline, states, texts in sides:
        rows.append(f'<text x="0" y="{top - 6}" font-weight="700">{title}</text>')
        drawn, middle = _lanes(timeline, states, texts, length, top)
        rows += drawn
        places.append(middle)
        top += LANE * max(1, len(timeline.tracks)) + 44
    rows += _links(diff, places, new_states)
    rows += _scale(length, top - 34)
    height = top + 4
    drawing = (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="the timeline before and after">{"".join(rows)}</svg>'
    )
    return f'<div class="scroll">{drawing}</div>{_legend()}{_details(diff)}'


def clip_states(diff: TimelineDiff) -> tuple[dict[str, str], dict[str, str]]:
    """Map pointers to the most telling thing that happened to a clip, before and after."""
    assert diff.old is not None
    assert diff.new is not None
    partners = clip_partners(diff)
    old = _of_tracks(diff.old, "removed", {change.owner for change in diff.changes if change.kind == "track_removed"})
    new = _of_tracks(diff.new, "added", {change.owner for change in diff.changes if change.kind == "track_added"})
    rank = list(_COLOURS)
    for change in diff.changes:
        if change.kind in ("ripple", "setting", "shifted") or change.kind.startswith("track_"):
            continue
        kind = change.kind if change.kind in _COLOURS else "other"
        if change.kind == "removed":
            old[change.owner] = kind
        elif rank.index(kind) < rank.index(new.get(change.owner, "same")):
            new[change.owner] = kind
    for pointer, kind in new.items():
        if pointer in partners:
            old[partners[pointer]] = kind
    return old, new


def clip_partners(diff: TimelineDiff) -> dict[str, str]:
    """Map the pointer of a new clip to that of the old one that it was."""
    assert diff.old is not None
    assert diff.new is not None
    assert diff.match is not None
    return {
        diff.new.tracks[b.track].clips[b.position].pointer: diff.old.tracks[a.track].clips[a.position].pointer
        for a, b in diff.match.clips
    }


def _of_tracks(timeline: Timeline, state: str, pointers: set[str]) -> dict[str, str]:
    """Map the clips that came or went with their track to that state."""
    tracks = [track for track in timeline.tracks if track.pointer in pointers]
    return {clip.pointer: state for track in tracks for clip in track.clips}


def clip_words(diff: TimelineDiff) -> tuple[dict[str, str], dict[str, str]]:
    """Describe clips for when the mouse is on them, by pointer before and after: everything that was done to each."""
    texts: dict[str, list[str]] = {}
    for change in diff.changes:
        if change.owner and not change.kind.startswith("track_") and change.kind != "removed":
            texts.setdefault(change.owner, []).append(change.text)
    new = {pointer: ", ".join(found) for pointer, found in texts.items()}
    return {before: new[after] for after, before in clip_partners(diff).items() if after in new}, new


def _lanes(
    timeline: Timeline, states: dict[str, str], told: dict[str, str], length: Ticks, top: int
) -> tuple[list[str], dict[ClipPosition, tuple[float, float]]]:
    rows: list[str] = []
    middles: dict[ClipPosition, tuple[float, float]] = {}
    drawn = 0
    for t, track in enumerate(timeline.tracks):
        y = top + t * LANE
        rows.append(f'<text x="0" y="{y + 15}">{text(track.name[:14])}</text>')
        for n, clip in enumerate(track.clips):
            drawn += 1
            if drawn > CLIPS_LIMIT:
                break
            x = LEFT + (WIDTH - LEFT) * clip.start / length
            width = max(1.0, (WIDTH - LEFT) * clip.duration / length - 1)
            rows.append(_clip(clip, states.get(clip.pointer, "same"), told.get(clip.pointer, ""), x, y, width))
            middles[ClipPosition(t, n)] = (x + width / 2, float(y))
    if drawn > CLIPS_LIMIT:
        rows.append(f'<text x="{LEFT}" y="{top - 6}">the first {CLIPS_LIMIT:,} clips</text>')
    return rows, middles


def _clip(clip: Clip, state: str, told: str, x: float, y: int, width: float) -> str:
    shown = clip.name or clip.label
    if clip.noun == "scene":
        shown = f"{clip.number} {clip.name}"
    room = int(width / 7)
    label = shown if len(shown) <= room else shown[: max(0, room - 1)] + "…"
    words = f'<text x="{x + 4:.1f}" y="{y + 15}">{text(label)}</text>' if room > 2 else ""
    title = f"{shown}, {spoken(clip.duration)} from {spoken(clip.start)}: {told or _WORDS.get(state, state)}"
    return (
        f'<g><title>{text(title)}</title><rect class="{state}" x="{x:.1f}" y="{y}" width="{width:.1f}" '
        f'height="{LANE - 5}" rx="3" fill="{_COLOURS[state]}" fill-opacity=".45"/>{words}</g>'
    )


def _links(
    diff: TimelineDiff, places: list[dict[ClipPosition, tuple[float, float]]], states: dict[str, str]
) -> Iterator[str]:
    """Yield lines from where a moved clip was to where it is."""
    assert diff.match is not None
    assert diff.new is not None
    for a, b in diff.match.clips:
        clip = diff.new.tracks[b.track].clips[b.position]
        if states.get(clip.pointer) != "moved" or a not in places[0] or b not in places[1]:
            continue
        (x1, y1), (x2, y2) = places[0][a], places[1][b]
        yield (
            f'<line x1="{x1:.1f}" y1="{y1 + LANE - 5:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{_COLOURS["moved"]}" stroke-dasharray="4 3"/>'
        )


def _scale(length: Ticks, y: int) -> Iterator[str]:
    seconds = length / TICKS_PER_SECOND
    step = next((s for s in (1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600) if seconds / s <= 12), seconds / 6)
    for n in range(int(seconds / step) + 1):
        x = LEFT + (WIDTH - LEFT) * n * step / seconds
        yield f'<line x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{y + 5}" stroke="currentColor"/>'
        if x < WIDTH - 50:
            yield f'<text x="{x + 2:.1f}" y="{y + 16}">{spoken(round(n * step * TICKS_PER_SECOND))}</text>'


def _legend() -> str:
    items = []
    for state in _LEGEND:
        edge = f"border-left:1em solid {_COLOURS[state]}"
        items.append(f'<span class="kind" style="{edge}">{_WORDS.get(state, state)}</span>')
    return f"<p>{' '.join(items)}</p>"


def _details(diff: TimelineDiff) -> str:
    changes = [f"{change.subject} {change.text}".strip() for change in diff.changes]
    rows = "".join(f"<li>{text(change)}</li>" for change in changes[:DETAILS_LIMIT])
    left = len(changes) - DETAILS_LIMIT
    more = f"<li>… and {left:,} more</li>" if left > 0 else ""
    return f"<details><summary>Every change ({len(changes):,})</summary><ul>{rows}{more}</ul></details>"
