"""Pictures that move and stand still, dark ones, fades, cuts and grain, and what may be done to them."""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

SIZE = (320, 180)
KINDS = ("pan", "static", "dark", "fade", "dark fade", "fade in", "cuts", "grain", "grainy pan", "ball")
MOVING = frozenset({"pan", "dark", "fade", "dark fade", "fade in", "cuts", "grainy pan"})
Picture = Any
"""An array of height × width × 3 numbers from 0 to 255, which may be beyond that."""
Box = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""


def texture(seed: int, size: tuple[int, int]) -> Picture:
    """Make a picture with large shapes and small ones, in colours."""
    import numpy as np
    from PIL import Image

    dice = np.random.default_rng(seed)
    wide, high = size
    found = np.zeros((high, wide, 3))
    for step in (4, 8, 20, 50):
        small = dice.integers(0, 256, (high // step + 2, wide // step + 2, 3), dtype=np.uint8)
        found += np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BILINEAR)) * step**0.5
    found -= found.min()
    return found * (255 / found.max())


class Scene:
    """A film of one kind, by chance but for its seed; called with a number, it paints that frame."""

    def __init__(self, kind: str, seed: int) -> None:
        self.kind = kind
        self.seed = seed
        wide, high = SIZE[0] + 260, SIZE[1] + 60
        self._ground = texture(seed, (wide, high))
        self._other = texture(seed + 1_000, (wide, high)) if kind == "cuts" else self._ground

    def __call__(self, n: int) -> Picture:
        import numpy as np

        kind, (wide, high) = self.kind, SIZE
        ground = self._other if n // 30 % 2 else self._ground
        x, y = (2 * n % 260, int(8 + 8 * math.sin(n / 9))) if kind in MOVING else (0, 0)
        picture = ground[y : y + high, x : x + wide].copy()
        if kind == "ball":
            down, across = np.mgrid[0:high, 0:wide]
            at = wide * (0.5 + 0.4 * math.sin(0.13 * n)), high * (0.5 + 0.35 * math.cos(0.071 * n))
            picture[(across - at[0]) ** 2 + (down - at[1]) ** 2 < 22**2] = (250, 220, 40)
        if kind.startswith("dark"):
            picture *= 0.2
        if kind in ("fade", "dark fade"):
            picture *= min(1.0, abs(n - 60) / 25)
        if kind == "fade in":
            picture *= min(1.0, n / 40)
        if kind.startswith("grain"):
            picture += np.random.default_rng(self.seed * 1_000 + n).normal(0, 7, (high, wide, 1))
        return picture


class Part:
    """A part of a scene's picture (left, top, right, bottom), as large as the whole."""

    def __init__(self, scene: Scene, part: Box) -> None:
        self._scene = scene
        self._part = part
        self.seed = scene.seed

    def __call__(self, n: int) -> Picture:
        import numpy as np
        from PIL import Image

        shown = pixels(self._scene(n)).crop(self._part).resize(SIZE, Image.Resampling.LANCZOS)
        return np.asarray(shown, dtype=np.float64).copy()


def spotted(scene: Scene | Part, frames: range, box: Box, style: str) -> Callable[[int], Picture]:
    """The scene, with something else in a part of the picture in some frames."""
    left, top, wide, high = box
    other = texture(scene.seed + 77, (wide + 8, high + 8))[:high, :wide]

    def painted(n: int) -> Picture:
        import numpy as np

        picture = scene(n)
        if n not in frames:
            return picture
        part = picture[top : top + high, left : left + wide]
        if style == "white":
            part[:] = 235
        elif style == "lift":
            part += -45 if part.mean() > 150 else 45
        elif style == "text":
            letters = np.add.outer(np.arange(high) // 2, np.arange(wide) // 2) % 3 > 0
            part[letters] = 235 if part.mean() < 150 else 20
        elif style == "colour":
            part[..., 0] = np.clip(part[..., 0] + (120 if part[..., 0].mean() < 130 else -120), 0, 255)
        else:
            part[:] = other if abs(other - part).mean() > 40 else 255 - part
        return picture

    return painted


def pixels(picture: Picture) -> Any:
    """Return it as an encoder takes it."""
    import numpy as np
    from PIL import Image

    return Image.fromarray(np.clip(np.rint(picture), 0, 255).astype(np.uint8))


def images(paint: Callable[[int], Picture], numbers: Sequence[int]) -> list[Any]:
    """Paint some frames."""
    return [pixels(paint(n)) for n in numbers]


def some_box(dice: random.Random) -> Box:
    """Choose a part of the picture, from a hundredth of it on."""
    area = dice.choice((0.01, 0.012, 0.02, 0.05)) * SIZE[0] * SIZE[1]
    wide = max(10, round((area * dice.uniform(0.3, 3)) ** 0.5))
    high = max(8, -(-round(area) // wide))
    return dice.randrange(SIZE[0] - wide), dice.randrange(SIZE[1] - high), wide, high
