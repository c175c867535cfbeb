"""Templates, and the words and addresses in them. Whatever a template is given is escaped by the engine."""

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from aura_vcs.cli.output import humanize
from aura_vcs.compare.report.html import visible
from aura_vcs.formats.timeline.model import TICKS_PER_SECOND
from aura_vcs.plain_text import path_text, readable_name

STATIC = (
    "page.css", "views.css", "live.js", "words.js", "page.js", "compare.js", "media.js", "merge.js", "notes.js",
    "space.js", "icon.svg",
)  # fmt: skip
"""Our own files that pages load, and nothing else is served as such."""
SHORT_ID = 10
_COMMAND = re.compile("`([^`]+)`")


def render(template: str, values: Mapping[str, object]) -> str:
    """Render a template with what it shows."""
    return _environment().get_template(template).render(values)


def compile_templates() -> None:
    """Compile every template, so that no first view of anything waits for it."""
    made = _environment()
    for name in made.list_templates():
        made.get_template(name)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("aura_vcs.ui"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    filters: dict[str, Callable[..., object]] = {
        "size": humanize.size,
        "age": humanize.age,
        "when": humanize.local_time,
        "count": humanize.count,
        "duration": humanize.duration,
        "clock": clock,
        "url": url_path,
        "urlencode": url_path,
        "written": path_text,
        "spaced": lambda name: re.sub("(?<=[a-z])(?=[A-Z])", " ", str(name)).lower(),
        "exact": lambda value: escape(readable_name(str(value))),
        "coded": _coded,
        "short": lambda text: text[:SHORT_ID],
        "signed": lambda number: f"{'+' if number > 0 else '−'}{humanize.size(abs(number))}",
    }
    made.filters |= filters
    made.globals |= {"static": static_address, "icon": icon}
    return made


def _shown(value: object) -> object:
    """Show what cannot be seen, or turns the direction of writing, by its number; the engine escapes the rest."""
    if value is None:
        return ""
    if isinstance(value, Markup | int | float):
        return value
    text = str(value)
    return text if text.isascii() and text.isprintable() else visible(readable_name(text))


def _coded(text: str) -> Markup:
    """Show commands, which stand between backticks, as what can be typed."""
    pieces = [visible(readable_name(piece)) for piece in _COMMAND.split(text)]
    return Markup("").join(Markup("<code>{}</code>").format(one) if n % 2 else one for n, one in enumerate(pieces))


def url_path(path: str) -> str:
    """Write a path as part of an address; bytes that are not UTF-8 stay what they are."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/")


def clock(ticks: int) -> str:
    """Write a time of a timeline as a player shows it: "1:02.5"."""
    seconds = ticks / TICKS_PER_SECOND
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    short = f"{rest:04.1f}".removesuffix(".0")
    written = f"{hours}:{minutes:02d}:{short}" if hours else f"{minutes}:{short.zfill(2)}"
    return f"−{written}" if ticks < 0 else written


@cache
def read_static(name: str) -> bytes:
    """Return the bytes of one of our own files."""
    return (resources.files("aura_vcs.ui") / "static" / name).read_bytes()


@cache
def static_address(name: str) -> str:
    """Return the address of one of our own files, with its hash: browsers keep it until it changes."""
    return f"/static/{hashlib.sha256(read_static(name)).hexdigest()[:12]}/{name}"


_ICONS = {
    "undo": "M8 5 4 9l4 4M4 9h9a5 5 0 0 1 0 10h-3",
    "redo": "m14 5 4 4-4 4m4-4H9a5 5 0 0 0 0 10h3",
    "star": "m11 3 2.4 5 5.6.7-4.1 3.9 1 5.5L11 15.4l-4.9 2.7 1-5.5L3 8.7 8.6 8z",
    "tag": "M4 4h6l8 8-6 6-8-8zM7.5 7.5h.01",
    "file": "M6 3h6l4 4v12H6zM12 3v4h4",
    "folder": "M3 6h6l2 2h8v10H3z",
    "down": "M11 4v10m-4-4 4 4 4-4M4 18h14",
    "more": "M5 11h.01M11 11h.01M17 11h.01",
    "close": "m6 6 10 10M16 6 6 16",
    "play": "M7 4.5v13l10-6.5z",
    "branch": "M7 4v14M7 12c6 0 8-2 8-5M7 18h.01M15 6h.01",
    "search": "M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12zm4.5 10.5L19 19",
    "compare": "M4 5h5v12H4zM13 5h5v12h-5zM11 3v16",
    "help": "M8 8a3 3 0 1 1 4 2.8c-.8.3-1 .8-1 1.7M11 16h.01",
    "sound": "M4 9v4h3l4 4V5L7 9zM14.5 8a4 4 0 0 1 0 6",
    "film": "M4 5h14v12H4zM8 5v12M14 5v12",
    "picture": "M4 5h14v12H4zM4 14l4-4 4 4 2-2 4 4M13 8.5h.01",
}


def icon(name: str) -> Markup:
    """Draw a small picture of our own beside words; who cannot see it misses nothing."""
    return Markup('<svg class="icon" viewBox="0 0 22 22" aria-hidden="true"><path d="{}"/></svg>').format(_ICONS[name])
