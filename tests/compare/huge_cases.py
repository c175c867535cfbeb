"""Files made to be slow to compare: `python -m tests.compare.huge_cases NAME COUNT` compares one.

The process has limits of its own, of processor time and address space, so that a quadratic
comparison dies instead of being waited for.
"""

import copy
import json
import random
import sys
from collections.abc import Callable
from typing import Any

from aura_vcs.history.diff.file_diff import FileDiff, diff_file

from tests.compare.timelines import as_bytes, otio, otio_clip, scene, studio

SECONDS = 30
MEMORY_BYTES = 1_200 << 20
Pair = tuple[str, bytes, bytes]
Make = Callable[[int], Pair]


def _json(old: Any, new: Any) -> Pair:
    return "a.json", json.dumps(old).encode(), json.dumps(new).encode()


def _shuffled(items: list[Any]) -> list[Any]:
    mixed = copy.deepcopy(items)
    random.Random(8).shuffle(mixed)
    return mixed


def _ids(count: int) -> Pair:
    old = [{"id": n, "text": f"t {n}", "size": [n, 1]} for n in range(count)]
    return _json(old, _shuffled(old))


def _no_ids(count: int) -> Pair:
    old = [{"text": f"line {n} of the story", "n": n % 5} for n in range(count)]
    new = _shuffled(old)
    for each in new[::3]:
        each["n"] = -1
    return _json(old, new)


def _alike(count: int) -> Pair:
    old = [{"text": "the very same words here", "n": n} for n in range(count)]
    return _json(old, [{**each, "n": each["n"] + 0.5} for each in old])


def _same_ids(count: int) -> Pair:
    return _json([{"id": n % 7, "v": n} for n in range(count)], [{"id": n % 5, "v": n} for n in range(count)])


def _nested(count: int) -> Pair:
    return _json([[n, [n, [n]]] for n in range(count)], [[n, [n, [-n]]] for n in range(count, 0, -1)])


def _keys(count: int) -> Pair:
    values = [{"v": n} for n in range(5 * count)]
    return _json({f"k{n}": each for n, each in enumerate(values)}, {f"q{n}": each for n, each in enumerate(values)})


def _ten_megabytes(count: int) -> Pair:
    scenes = [{"id": n, "script": f"word {n} " * 40, "parts": [n, {"x": n}]} for n in range(count * 5 // 4)]
    new = copy.deepcopy(scenes)
    for each in new[::2]:
        each["script"] = each["script"].replace("word", "verse", 3)
    return _json({"scenes": scenes}, {"scenes": [new.pop(), *new]})


def _long_text(count: int) -> Pair:
    text = "x" * 700 * count
    return _json({"s": text}, {"s": text[:-1] + "y"})


def _words(count: int) -> Pair:
    return "a.txt", b"word " * 100 * count, b"verse " * 100 * count


def _few_lines(count: int) -> Pair:
    pick = random.Random(9)
    old, new = (b"".join(pick.choice([b"a\n", b"b\n", b"\n"]) for _ in range(7 * count)) for _ in range(2))
    return "a.txt", old, new


def _clips(count: int) -> Pair:
    clips = [otio_clip(f"m{n}", n % 7, 2 + n % 3) for n in range(count // 4)]
    return "a.otio", as_bytes(otio(clips)), as_bytes(otio(_shuffled(clips)))


def _one_media(count: int) -> Pair:
    old, new = ([otio_clip("m", n * step % 50, 2) for n in range(count // 4)] for step in (1, 7))
    return "a.otio", as_bytes(otio(old)), as_bytes(otio(new))


def _scenes(count: int) -> Pair:
    old, new = (
        [scene(f"H{n}", script=f"{word} {n} told in the same words") for n in range(count // 4)] for word in "ab"
    )
    return "timeline.json", as_bytes(studio(old)), as_bytes(studio(_shuffled(new)))


def _pictures(count: int) -> Pair:
    pick = random.Random(10)
    old = [{"type": "image", "file_path": f"{n}.png", "duration": n % 9} for n in range(count // 4)]
    new = [{**each, "file_path": f"{pick.randrange(count)}.png"} for each in old]
    both = (as_bytes(studio([scene("One", visual_assets=pictures)])) for pictures in (old, new))
    return "timeline.json", *both  # type: ignore[return-value]


CASES: dict[str, tuple[Make, str]] = {
    "ids": (_ids, "fields"),
    "no ids": (_no_ids, "fields"),
    "alike": (_alike, "fields"),
    "same ids": (_same_ids, "fields"),
    "nested": (_nested, "fields"),
    "keys": (_keys, "fields"),
    "ten megabytes": (_ten_megabytes, "fields"),
    "long text": (_long_text, "fields"),
    "words": (_words, "text"),
    "few lines": (_few_lines, "text"),
    "clips": (_clips, "timeline"),
    "one media": (_one_media, "timeline"),
    "scenes": (_scenes, "timeline"),
    "pictures": (_pictures, "timeline"),
}
"""By name: how a pair of about that many elements is made, and what kind of difference it has."""


def compare(name: str, count: int) -> FileDiff:
    """The difference of the pair of that name."""
    path, old, new = CASES[name][0](count)
    return diff_file(path, old, new)


if __name__ == "__main__":
    import resource  # Windows has none

    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    found = compare(sys.argv[1], int(sys.argv[2]))
    sys.stdout.write(json.dumps([found.kind, found.lines]))
