"""Documents and texts side by side in a report."""

import json

from msgspec import UNSET

from aura_vcs.compare.diff.describe import DocumentDiff
from aura_vcs.compare.diff.text import Hunk, TextDiff, TextLine, highlights, side_by_side
from aura_vcs.compare.report.html import text
from aura_vcs.formats.jsondoc.patch import PatchOperation
from aura_vcs.formats.jsondoc.values import JsonValue

ROWS_LIMIT = 400
LINES_LIMIT = 2_000
VALUE_WIDTH = 2_000


def document_table(diff: DocumentDiff) -> str:
    """Render the changed fields: address, before, after."""
    if not diff.operations:
        return ""
    rows = "".join(_field(operation) for operation in diff.operations[:ROWS_LIMIT])
    left = len(diff.operations) - ROWS_LIMIT
    more = f"<p>… and {left:,} more fields</p>" if left > 0 else ""
    head = "<tr><th>field</th><th>before</th><th>after</th></tr>"
    return f'<div class="scroll"><table class="fields">{head}{rows}</table></div>{more}'


def _field(operation: PatchOperation) -> str:
    address = text(operation.path or "/")
    if operation.op == "move":
        cells = f"<td>{text(operation.source)}</td><td>moved here</td>"
        return f"<tr><td>{address}</td>{cells}</tr>"
    old, new = _written(operation.old), _written(operation.value)
    if operation.op == "replace" and isinstance(operation.old, str) and isinstance(operation.value, str):
        gone, come = highlights(operation.old[:VALUE_WIDTH], operation.value[:VALUE_WIDTH])
        before = f"<del>{_marked(operation.old[:VALUE_WIDTH], gone)}</del>"
        after = f"<ins>{_marked(operation.value[:VALUE_WIDTH], come)}</ins>"
    else:
        before = f"<del>{text(old)}</del>" if old else ""
        after = f"<ins>{text(new)}</ins>" if new else ""
    return f"<tr><td>{address}</td><td>{before}</td><td>{after}</td></tr>"


def _written(value: JsonValue) -> str:
    if value is UNSET:
        return ""
    written = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    return written if len(written) <= VALUE_WIDTH else written[:VALUE_WIDTH] + "…"


def text_table(diff: TextDiff) -> str:
    """Render the changed passages in two columns with line numbers."""
    if diff.fallback:
        return f"<p>{text(diff.fallback)}</p>"
    rows: list[str] = []
    for hunk in diff.hunks:
        if len(rows) > LINES_LIMIT:
            rows.append('<tr><td colspan="4">… and more changes</td></tr>')
            break
        place = f"lines {hunk.old_start:,} → {hunk.new_start:,}"
        rows.append(f'<tr><th colspan="4">{place}</th></tr>')
        rows += _hunk(hunk)
    columns = '<colgroup><col style="width:4em"><col><col style="width:4em"><col></colgroup>'
    return f'<div class="scroll"><table class="text">{columns}{"".join(rows)}</table></div>' if rows else ""


def _hunk(hunk: Hunk) -> list[str]:
    rows: list[str] = []
    for old, gone, new, come in side_by_side(hunk.lines[:LINES_LIMIT], hunk.old_start, hunk.new_start):
        is_same = gone is come
        left = _cell(gone, old, "" if is_same else "gone") if gone is not None else "<td></td><td></td>"
        right = _cell(come, new, "" if is_same else "come") if come is not None else "<td></td><td></td>"
        rows.append(f"<tr>{left}{right}</tr>")
    return rows


def _cell(line: TextLine, number: int, kind: str) -> str:
    shown = line.text.rstrip("\r\n")[:VALUE_WIDTH]
    tag = {"gone": "del", "come": "ins"}.get(kind, "span")
    end = f' <span class="number">({text(line.end)})</span>' if line.end else ""
    return f'<td class="number">{number}</td><td class="{kind}"><{tag}>{_marked(shown, line.changed)}</{tag}>{end}</td>'


def _marked(shown: str, changed: tuple[tuple[int, int], ...]) -> str:
    """Render the text with its changed stretches emphasised."""
    parts = []
    at = 0
    for start, end in changed:
        parts += [text(shown[at:start]), f"<b>{text(shown[start:end])}</b>"]
        at = end
    return "".join([*parts, text(shown[at:])])
