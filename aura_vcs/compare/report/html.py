"""HTML that nothing from a project can break out of.

Text only ever reaches the page through `text`; pictures only as `data:` of a type that was
recognised by their bytes. The page forbids everything else itself (Content-Security-Policy): no
request leaves it, and no script runs but the one whose hash it names.
"""

import base64
import hashlib
import html
import io
import re
import unicodedata

from aura_vcs.formats.media.headers import read_header

_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--old:#c2410c;--new:#15803d;--differs:#dc2626}
@media(prefers-color-scheme:dark){:root{--old:#fb923c;--new:#4ade80;--differs:#f87171}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1200px;padding:1rem 1.5rem 4rem}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:0;overflow-wrap:anywhere}
.versions{display:flex;gap:1rem;flex-wrap:wrap}.old{color:var(--old)}.new{color:var(--new)}
nav{border:1px solid var(--line);border-radius:8px;padding:.5rem 1rem;margin:1rem 0}
nav li{overflow-wrap:anywhere}nav li span+a+span,.number{opacity:.7}
section{border:1px solid var(--line);border-radius:8px;padding:1rem;margin:1rem 0}
.kind{display:inline-block;border-radius:4px;background:var(--soft);padding:0 .5em;font-size:.8rem}
.scroll{overflow-x:auto}.scroll table{min-width:36rem}.scroll svg{width:100%;min-width:48rem}
table{border-collapse:collapse;width:100%;table-layout:fixed;font:13px/1.45 ui-monospace,monospace}
td,th{border:1px solid var(--line);padding:.25rem .5rem;vertical-align:top;text-align:left;
white-space:pre-wrap;overflow-wrap:anywhere}
th{font-family:system-ui,sans-serif}
del,.gone{background:#dc26262e;text-decoration:none}ins,.come{background:#16a34a2e;text-decoration:none}
del b{background:#dc262666}ins b{background:#16a34a66}b{font-weight:600}
svg{display:block;height:auto}.wave{max-width:100%}svg text{font:11px system-ui,sans-serif;fill:currentColor}
.wipe{position:relative;display:inline-block;max-width:100%;line-height:0}
.wipe img{max-width:100%;max-height:70vh;display:block}
.wipe img+img{position:absolute;inset:0;width:100%;height:100%;clip-path:inset(0 0 0 var(--at,50%))}
.wipe i{position:absolute;top:0;bottom:0;left:var(--at,50%);width:2px;background:#fff;box-shadow:0 0 3px #000}
input[type=range]{width:min(100%,640px);display:block}
.strip{position:relative;width:100%}.strip img{width:100%;border-bottom:4px solid transparent}
.strip .differs{position:absolute;top:0;bottom:0;border-bottom:4px solid var(--differs)}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem}.pair img{max-width:100%}
details{margin:.5rem 0}summary{cursor:pointer}
"""

SCRIPT = """
for (const slider of document.querySelectorAll('input[type=range]')) {
  const frame = slider.previousElementSibling;
  const move = () => frame.style.setProperty('--at', slider.value + '%');
  slider.addEventListener('input', move);
  move();
}
document.documentElement.dataset.ready = 'yes';
"""


def text(value: object) -> str:
    """Escape text for the page, between tags or in a quoted attribute.

    Characters that cannot be seen or that turn the direction of writing are shown by their
    number instead of having an effect.
    """
    return html.escape(visible(str(value)), quote=True)


def visible(shown: str) -> str:
    """Show characters that cannot be seen, or turn the direction of writing, by their number; escapes nothing."""
    return _INVISIBLE.sub(_shown, shown)


def _shown(match: re.Match[str]) -> str:
    character = match.group()
    name = unicodedata.name(character, "") if ord(character) >= 0x80 else ""
    return f"⟦U+{ord(character):04X}{' ' + name if name else ''}⟧"


def picture_source(data: bytes) -> str:
    """Return the `data:` address of a picture, empty when its bytes are of no type that is shown."""
    header = read_header(io.BytesIO(data)) if data else None
    if header is None or header.format not in _TYPES:
        return ""
    return f"data:{_TYPES[header.format]};base64,{base64.b64encode(data).decode('ascii')}"


def picture(data: bytes, words: str, *, style: str = "") -> str:
    """Render an `img` element of a class of our own, or nothing for bytes that are not shown."""
    source = picture_source(data)
    marked = f' class="{style}" title="{text(words)}"' if style else ""
    return f'<img{marked} alt="{text(words)}" src="{source}">' if source else ""


def page(title: str, body: str) -> str:
    """Render a whole page that needs nothing but itself. `body` must be made of escaped parts."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode("ascii")
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{text(title)}</title><style>{STYLE}</style></head>\n"
        f"<body>\n{body}\n<script>{SCRIPT}</script></body></html>\n"
    )
