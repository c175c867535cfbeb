"""What a person does to a timeline.json, at random."""

import copy
import random
from typing import Any

from tests.compare.timelines import scene, set_seconds


def edit_studio(scenes: list[dict[str, Any]], rng: random.Random, tag: str) -> list[dict[str, Any]]:
    """The scenes after one to four edits: trims, moves, words, pictures, new and removed scenes."""
    scenes = copy.deepcopy(scenes)
    for step in range(rng.randrange(1, 5)):
        n = rng.randrange(len(scenes)) if scenes else 0
        what = rng.randrange(6)
        if what == 0 or not scenes:
            scenes.insert(n, scene(f"{tag}{step}{rng.randrange(1000)}", rng.choice([2.0, 3.5])))
        elif what == 1:
            del scenes[n]
        elif what == 2:
            scenes.insert(rng.randrange(len(scenes)), scenes.pop(n))
        elif what == 3:
            set_seconds(scenes[n], rng.choice([2.0, 4.5, 5.0, 8.0]))
        elif what == 4:
            scenes[n]["visual_assets"][0]["file_path"] = f"assets/{tag}{step}.png"
        else:
            scenes[n]["script"] += f" And {tag} had a word to add."
    return scenes
