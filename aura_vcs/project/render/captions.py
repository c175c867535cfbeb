"""Draws subtitles. Only imported in the rendering process.

The font that Pillow brings is used where it has the letters, so that the same film comes out on
every machine; for other scripts the fonts of the system are tried.
"""

from functools import lru_cache
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont

from aura_vcs.project.documents.timeline import Subtitles

_SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "Arial Unicode.ttf",
    "Arial.ttf",
    "arialuni.ttf",
    "msyh.ttc",
    "PingFang.ttc",
)
_REFERENCE_HEIGHT = 720
_MARGIN = 0.05
_MOST_LETTERS = 600


def caption(text: str, size: tuple[int, int], style: Subtitles) -> tuple[Image.Image, tuple[int, int]]:
    """Draw the subtitle as an RGBA picture; return it and where its top left corner is in a frame of `size`.

    Never larger than the frame: a letter is at most a fifth of its height, lines that do not fit
    are left out.
    """
    width, height = size
    pixels = max(8, min(height // 5, round(style.font_size * min(size) / _REFERENCE_HEIGHT)))
    text = " ".join(text.split())[:_MOST_LETTERS]
    font = _font(pixels, "".join(sorted(set(text))))
    pad = pixels // 2
    step = round(pixels * 1.3)
    room = max(1, (height - pad) // step)
    lines = _wrapped(text, font, width * (1 - 4 * _MARGIN))[:room]
    wide = min(width, round(max(font.getlength(line) for line in lines)) + 2 * pad)
    high = step * len(lines) + pad
    image = Image.new("RGBA", (wide, high), _colour(style.background_color, style.background_opacity))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((wide / 2, pad / 2 + step * (number + 0.5)), line, _colour(style.font_color, 1), font, anchor="mm")
    edge = round(height * _MARGIN)
    tops = {"Top": edge, "Middle": (height - high) // 2, "Bottom": max(0, height - high - edge)}
    return image, ((width - wide) // 2, tops[style.position])


def _colour(text: str, opacity: float) -> tuple[int, int, int, int]:
    red, green, blue, *_ = ImageColor.getrgb(text)
    return red, green, blue, round(255 * opacity)


def _wrapped(text: str, font: Any, room: float) -> list[str]:
    """Wrap the text in lines no wider than `room` pixels; a word that is wider is cut."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= room:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > room:
                lines.append("")
            lines[-1] += letter
    return lines


@lru_cache(maxsize=64)
def _font(pixels: int, letters: str) -> Any:
    """Load a font of that size that has the letters, or the one that has most of them."""
    fonts: list[Any] = [ImageFont.load_default(pixels)]
    if _lacking(fonts[0], letters):
        for name in _SYSTEM_FONTS:
            try:
                fonts.append(ImageFont.truetype(name, pixels))
            except OSError:
                continue
    return min(fonts, key=lambda font: _lacking(font, letters))


def _lacking(font: Any, letters: str) -> int:
    """Count the letters that the font draws as its sign for an unknown one."""
    unknown = bytes(font.getmask("\U0010fffe"))
    return sum(1 for letter in letters if not letter.isspace() and bytes(font.getmask(letter)) == unknown)
