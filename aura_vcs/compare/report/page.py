"""The compare report: one HTML file to look at or to send, with everything inside."""

from aura_vcs.compare.report.documents import document_table, text_table
from aura_vcs.compare.report.html import page, text
from aura_vcs.compare.report.media import media_view
from aura_vcs.compare.report.model import ComparisonReport, FileReport
from aura_vcs.compare.report.timeline import timeline_drawing

PICTURES_BYTES_LIMIT = 10 * 2**20
"""Above this much, thumbnails are shown instead of the pictures themselves."""
FILES_LIMIT = 2_000
FOLDED_FIELDS = 40
"""From more changed fields than these on, a document's table is folded away; its lines in words are shown."""
FOLDED_LINES = 200
"""From more changed lines than these on, a text's table is folded away."""
FIRST_WIDTH = 100
"""Characters of a file's first line in the list of files."""


def render_report(report: ComparisonReport) -> str:
    """Render the whole page.

    Self-contained: it asks for nothing from anywhere, and says so to the browser. Everything
    from the project is escaped; what cannot be seen is shown by its number. More than 10 MB of
    pictures are shown as thumbnails; of more than 2,000 files the first are shown.
    """
    files = report.files[:FILES_LIMIT]
    weight = sum(len(file.old_picture) + len(file.new_picture) for file in files)
    full = weight <= PICTURES_BYTES_LIMIT
    sections = "".join(_section(n, file, full=full) for n, file in enumerate(files))
    notes = list(report.notes)
    if not full:
        notes.append("The pictures are more than 10 MB together: small versions are shown")
    if len(report.files) > FILES_LIMIT:
        notes.append(f"{len(report.files) - FILES_LIMIT:,} more files changed that are not shown")
    return page(report.title, f"{_head(report)}{_notes(notes)}{_list(files)}{sections}")


def _head(report: ComparisonReport) -> str:
    return (
        f"<h1>{text(report.title)}</h1><div class='versions'>"
        f"<span class='old'>before: {text(report.old_name)}</span>"
        f"<span class='new'>after: {text(report.new_name)}</span></div>"
    )


def _notes(notes: list[str]) -> str:
    return "".join(f"<p>{text(note)}</p>" for note in notes)


def _list(files: tuple[FileReport, ...]) -> str:
    if not files:
        return "<p>Nothing changed</p>"
    rows = "".join(
        f'<li><span class="kind">{text(file.change)}</span> '
        f'<a href="#file-{n}">{text(file.path)}</a>{_first(file)}</li>'
        for n, file in enumerate(files)
    )
    count = f"{len(files):,} file{'s' * (len(files) != 1)}"
    return f"<nav><details open><summary>{count}</summary><ul>{rows}</ul></details></nav>"


def _first(file: FileReport) -> str:
    """Return the first line of what changed in a file, and how many more there are."""
    if not file.lines:
        return ""
    line = file.lines[0] if len(file.lines[0]) <= FIRST_WIDTH else f"{file.lines[0][: FIRST_WIDTH - 1]}…"
    more = f" and {len(file.lines) - 1:,} more" if len(file.lines) > 1 else ""
    return f" <span>{text(line)}{more}</span>"


def _section(n: int, file: FileReport, *, full: bool) -> str:
    renamed = f" <span>(was {text(file.old_path)})</span>" if file.old_path else ""
    head = f'<h2>{text(file.path)}{renamed} <span class="kind">{text(file.change)}</span></h2>'
    lines = "".join(f"<li>{text(line)}</li>" for line in file.lines)
    parts = [f"<ul>{lines}</ul>" if lines else ""]
    if file.timeline is not None:
        parts.append(timeline_drawing(file.timeline))
    if file.document is not None:
        table = document_table(file.document)
        count = len(file.document.operations)
        is_folded = table and (file.timeline is not None or count > FOLDED_FIELDS)
        parts.append(f"<details><summary>Fields ({count:,})</summary>{table}</details>" if is_folded else table)
    if file.text is not None:
        table, count = text_table(file.text), file.text.added_lines + file.text.removed_lines
        is_folded = table and count > FOLDED_LINES
        parts.append(f"<details><summary>Lines ({count:,})</summary>{table}</details>" if is_folded else table)
    parts.append(media_view(file, full=full))
    return f'<section id="file-{n}">{head}{"".join(parts)}</section>'
