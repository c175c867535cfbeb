"""Pictures with a wipe slider, strips of videos and waveforms in a report."""

from aura_vcs.compare.report.html import picture, picture_source, text
from aura_vcs.compare.report.model import FileReport
from aura_vcs.formats.media.describe import describe
from aura_vcs.formats.media.findings import MediaDiff, MediaFacts

WIDTH = 1_000
HEIGHT = 60
OLD, NEW, DIFFERS = "var(--old)", "var(--new)", "var(--differs)"


def media_view(file: FileReport, *, full: bool) -> str:
    """Render everything there is to see or hear of a media file's two versions.

    `full` shows the pictures themselves, else their thumbnails.
    """
    diff = file.media
    parts = [_described(diff)] if diff is not None else []
    old = _shown(file.old_picture, diff.old if diff else None, full)
    new = _shown(file.new_picture, diff.new if diff else None, full)
    parts.append(_wipe(old, new))
    if diff is not None:
        if diff.picture:
            parts.append(picture(diff.picture, "where the two differ"))
        parts += [_strips(diff), _waves(diff)]
    return "".join(parts)


def _described(diff: MediaDiff) -> str:
    rows = [
        f'<div class="{style}">{name}: {text(describe(facts.header))}</div>'
        for style, name, facts in (("old", "before", diff.old), ("new", "after", diff.new))
        if facts is not None
    ]
    return "".join(rows)


def _shown(data: bytes, facts: MediaFacts | None, full: bool) -> bytes:
    if full and data:
        return data
    if facts is not None and facts.header.kind == "picture" and facts.thumbnails:
        return facts.thumbnails[0]
    return b""


def _wipe(old: bytes, new: bytes) -> str:
    """Render both pictures over one another with a slider between them; one alone as it is."""
    if not picture_source(old) or not picture_source(new):
        return picture(old, "before") + picture(new, "after")
    return (
        f'<div class="wipe">{picture(old, "before")}{picture(new, "after")}<i></i></div>'
        '<input type="range" min="0" max="100" value="50" aria-label="wipe between before and after">'
    )


def _strips(diff: MediaDiff) -> str:
    """Render frames of both videos, evenly spread; those of the new one where the pictures differ are marked."""
    rows = []
    for name, facts in (("before", diff.old), ("after", diff.new)):
        if facts is None or facts.header.kind != "video" or not facts.thumbnails:
            continue
        start = facts.video.start if facts.video is not None else 0.0
        count = len(facts.strip_times)
        marks = []
        for n, shown in enumerate(facts.strip_times):
            if facts is diff.new and any(first <= shown - start < end for first, end in diff.scenes):
                place = f"left:{100 * n / count:.3f}%;width:{100 / count:.3f}%"
                marks.append(f'<i class="differs" title="{name}: differs" style="{place}"></i>')
        strip = picture(facts.thumbnails[0], name)
        rows.append(f'<div>{name}</div><div class="strip">{strip}{"".join(marks)}</div>')
    return "".join(rows)


def _waves(diff: MediaDiff) -> str:
    both = ((OLD, diff.old), (NEW, diff.new))
    sides = [(colour, facts) for colour, facts in both if facts and facts.envelope]
    if not sides:
        return ""
    length = max(facts.header.seconds or 0.0 for _, facts in sides) or 1.0
    loudest = max(max(facts.envelope) for _, facts in sides) or 100
    rows = [
        _wave(facts, length, HEIGHT / 2 + n * (HEIGHT + 8), colour, loudest) for n, (colour, facts) in enumerate(sides)
    ]
    height = len(sides) * (HEIGHT + 8)
    for start, end in diff.sounds:
        x, width = WIDTH * start / length, WIDTH * (end - start) / length
        place = f'x="{x:.1f}" y="0" width="{width:.1f}" height="{height}"'
        rows.append(f'<rect {place} fill="{DIFFERS}" fill-opacity=".15"/>')
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    return f'<svg class="wave" {size}>{"".join(rows)}</svg>'


def _wave(facts: MediaFacts, length: float, middle: float, colour: str, loudest: int) -> str:
    """Draw one sound, as high as the loudest of the two is; both in the same scale."""
    share = min(1.0, (facts.header.seconds or length) / length)
    step = WIDTH * share / max(1, len(facts.envelope))
    upper = [f"{n * step:.1f},{middle - peak * HEIGHT / 2 / loudest:.1f}" for n, peak in enumerate(facts.envelope)]
    lower = [f"{n * step:.1f},{middle + peak * HEIGHT / 2 / loudest:.1f}" for n, peak in enumerate(facts.envelope)]
    return f'<polygon points="{" ".join(upper + lower[::-1])}" fill="{colour}" fill-opacity=".7"/>'
