"""Prints one hash of many generated merges; run with different hash seeds, it must print the same.

PYTHONHASHSEED=7 python -m tests.compare.merge_digest 40
"""

import hashlib
import json
import random
import sys
from typing import Any

import msgspec
from aura_vcs.compare.merge.file import merge_file
from aura_vcs.compare.merge.model import TreeEntry
from aura_vcs.compare.merge.tree import merge_tree

from tests.compare.timeline_edits import edit_studio
from tests.compare.timelines import as_bytes, planets, studio

WORDS = ["the", "sea", "rises", "and", "falls", "while", "nobody", "looks", "at", "the", "moon", "above", "it"]


def _document(rng: random.Random) -> Any:
    return {
        "tone": rng.choice(WORDS),
        "tags": rng.sample(WORDS, 4),
        "facts": {word: rng.randrange(3) for word in rng.sample(WORDS, 5)},
        "scenes": [{"id": word, "n": rng.randrange(9)} for word in rng.sample(sorted(set(WORDS)), 6)],
        "script": " ".join(rng.choices(WORDS, k=20)),
    }


def _text(rng: random.Random) -> bytes:
    return "".join(f"{' '.join(rng.choices(WORDS, k=3))}\n" for _ in range(12)).encode()


def _tree(rng: random.Random) -> dict[str, TreeEntry]:
    paths = rng.sample(["a", "A", "b/c", "b/d", "e.png", "E.png", "f.json", "g.json", "h/i"], 6)
    return {path: TreeEntry("file", str(rng.randrange(5))) for path in paths}


def digest(count: int) -> str:
    """One hash over `count` merges of each kind: bytes, conflicts, names."""
    hasher = hashlib.sha256()
    for seed in range(count):
        rng = random.Random(seed)
        sides = [json.dumps(_document(rng)).encode() for _ in range(3)]
        texts = [_text(rng) for _ in range(3)]
        cuts = [planets(), *(edit_studio(planets(), rng, tag) for tag in "ot")]
        for name, three in (
            ("a.json", sides),
            ("a.txt", texts),
            ("timeline.json", [as_bytes(studio(cut)) for cut in cuts]),
        ):
            hasher.update(msgspec.json.encode(merge_file(name, three[0], three[1], three[2])))
        hasher.update(msgspec.json.encode(merge_tree(_tree(rng), _tree(rng), _tree(rng), read=lambda _: b"x\ny\n")))
    return hasher.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(digest(int(sys.argv[1])))
