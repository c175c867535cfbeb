"""Open conflicts as `--json` has them, with the numbers by which they are decided."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aura_vcs.cli.output.json_shapes import conflict_to_json
from aura_vcs.cli.output.sequence_json import sequence_to_json
from aura_vcs.history.merging.conflict_groups import ConflictGroup, numbers_of
from aura_vcs.history.merging.media_changes import MediaSides


def numbered_conflicts(groups: Sequence[ConflictGroup]) -> list[dict[str, Any]]:
    """Convert all open conflicts to a list, with the number by which `aura resolve` takes each."""
    return conflict_list(groups, numbers_of(groups), {})


def conflict_list(
    groups: Iterable[ConflictGroup], numbers: Mapping[str, int], media: Mapping[str, MediaSides]
) -> list[dict[str, Any]]:
    """Convert some of the open conflicts to a list; `numbers` and `media` are by their ids.

    Frames of a sequence share a number, and say of which sequence they are.
    """
    found = []
    for group in groups:
        whole = {"sequence": sequence_to_json(group.sequence)} if group.sequence is not None else {}
        for item in group.items:
            found.append({**conflict_to_json(item, media.get(item.id)), **whole, "number": numbers[item.id]})
    return found
