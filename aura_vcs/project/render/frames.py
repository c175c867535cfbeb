"""Composes the frames of a film: pictures and clips in layers, transitions between shots.

Only imported in the rendering process. A frame that looks like the one before is recognised by
its key, so that a still picture is drawn and converted once for the whole scene.
"""

from collections.abc import Hashable, Iterator
from typing import Any

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from aura_vcs.project.documents.timeline import Effects
from aura_vcs.project.render.decode import clip_frames, open_picture
from aura_vcs.project.render.job import Layer, Shot

Size = tuple[int, int]
Box = tuple[int, int, int, int]
"""Left, top, width, height in pixels of the frame."""


class ShotPainter:
    """The frames of one shot, asked for in order."""

    def __init__(self, shot: Shot, size: Size, frame_rate: float) -> None:
        self.shot, self.size = shot, size
        self._layers: list[_StillLayer | _ClipLayer] = [
            _StillLayer(layer, size) if layer.kind == "Image" else _ClipLayer(layer, size, frame_rate)
            for layer in shot.layers
        ]
        self._key: Hashable = None
        self._image: Image.Image | None = None

    def frame(self, number: int) -> tuple[Hashable, Image.Image]:
        """Frame `number` of the shot, and a key that equals the last one's if the picture does."""
        visible = [layer for layer in self._layers if layer.layer.start_frame <= number < layer.layer.end_frame]
        key = tuple((id(layer), layer.advance(number)) for layer in visible)
        if self._image is None or key != self._key:
            canvas = Image.new("RGB", self.size)
            for layer in visible:
                layer.paint(canvas)
            self._key, self._image = key, canvas
        return (id(self), key), self._image


class _StillLayer:
    """A picture, opened when it is first seen."""

    def __init__(self, layer: Layer, size: Size) -> None:
        self.layer, self.size = layer, size
        self._image: Image.Image | None = None
        self._place = (0, 0)

    def advance(self, _number: int) -> Hashable:
        return 0

    def paint(self, canvas: Image.Image) -> None:
        if self._image is None:
            image = open_picture(self.layer.path, self.layer.name)
            left, top, width, height = fit(_box(self.layer, self.size), image.size)
            self._image = _with_effects(image.resize((width, height), Image.Resampling.LANCZOS), self.layer.effects)
            self._place = (left, top)
        _paste(canvas, self._image, self._place, self.layer.opacity)


class _ClipLayer:
    """A clip; after its end the last frame stays."""

    def __init__(self, layer: Layer, size: Size, frame_rate: float) -> None:
        self.layer, self.size, self.frame_rate = layer, size, frame_rate
        self._frames: Iterator[tuple[float, Any]] | None = None
        self._shown: Any = None
        self._next: tuple[float, Any] | None = None
        self._count = 0

    def advance(self, number: int) -> Hashable:
        """Decode up to the moment of frame `number`; the number of the clip's frame."""
        if self._frames is None:
            self._frames = clip_frames(self.layer.path, self.layer.name)
            self._next = next(self._frames, None)
        now = (number - self.layer.start_frame) / self.frame_rate
        while self._next is not None and self._next[0] <= now + 1e-6:
            self._shown = self._next[1]
            self._count += 1
            self._next = next(self._frames, None)
        return self._count

    def paint(self, canvas: Image.Image) -> None:
        if self._shown is None:
            return
        frame, turn = self._shown, self._shown.rotation
        sideways = turn % 180 != 0
        shape = (frame.height, frame.width) if sideways else (frame.width, frame.height)
        left, top, width, height = fit(_box(self.layer, self.size), shape)
        decoded = (height, width) if sideways else (width, height)
        image = frame.to_image(width=decoded[0], height=decoded[1], interpolation="BICUBIC")
        if turn:
            image = image.rotate(turn, expand=True)
        _paste(canvas, _with_effects(image, self.layer.effects), (left, top), self.layer.opacity)


def _box(layer: Layer, size: Size) -> Box:
    """Convert the layer's rectangle to pixels."""
    place = layer.position
    left, top = round(place.x * size[0] / 100), round(place.y * size[1] / 100)
    return left, top, max(1, round(place.width * size[0] / 100)), max(1, round(place.height * size[1] / 100))


def fit(box: Box, shape: Size) -> Box:
    """Fit the largest rectangle of `shape`'s proportions into the middle of `box`: all is seen, unstretched."""
    left, top, width, height = box
    scale = min(width / max(1, shape[0]), height / max(1, shape[1]))
    wide, high = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    return left + (width - wide) // 2, top + (height - high) // 2, wide, high


def _paste(canvas: Image.Image, image: Image.Image, place: Size, opacity: float) -> None:
    if opacity <= 0:
        return
    mask = image.getchannel("A") if image.mode == "RGBA" else None
    if opacity < 1:
        base = mask or Image.new("L", image.size, 255)
        mask = base.point([round(level * opacity) for level in range(256)])
    canvas.paste(image.convert("RGB"), place, mask)


def _with_effects(image: Image.Image, effects: Effects) -> Image.Image:
    """Apply brightness, contrast, saturation and the named filters; an unknown filter changes nothing."""
    if effects == Effects():
        return image
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    result = image.convert("RGB")
    if effects.brightness != 1:
        result = ImageEnhance.Brightness(result).enhance(effects.brightness)
    if effects.contrast != 1:
        result = ImageEnhance.Contrast(result).enhance(effects.contrast)
    if effects.saturation != 1:
        result = ImageEnhance.Color(result).enhance(effects.saturation)
    result = _filtered(result, (effects.filter or "").lower())
    if alpha is not None:
        result.putalpha(alpha)
    return result


def _filtered(image: Image.Image, name: str) -> Image.Image:
    if name in ("grayscale", "greyscale", "blackandwhite"):
        return ImageOps.grayscale(image).convert("RGB")
    if name == "sepia":
        return ImageOps.colorize(ImageOps.grayscale(image), "#241505", "#fff2d8").convert("RGB")
    if name == "invert":
        return ImageOps.invert(image)
    if name == "blur":
        return image.filter(ImageFilter.GaussianBlur(max(image.size) / 160))
    return image


def transition(kind: str, before: Image.Image, after: Image.Image, progress: float) -> Image.Image:
    """Draw the picture at `progress` (0 … 1) of the way from one shot to the next."""
    if kind == "CrossFade":
        return Image.blend(before, after, progress)
    black = Image.new("RGB", after.size)
    if progress < 0.5:
        return Image.blend(before, black, progress * 2)
    return Image.blend(black, after, progress * 2 - 1)
