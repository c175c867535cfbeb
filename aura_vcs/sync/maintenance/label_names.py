"""What versions are called by their labels, where the index may not know them."""

from collections import defaultdict
from collections.abc import Mapping

from aura_vcs.ids import VersionId
from aura_vcs.index.queries import PREFIX_LENGTH
from aura_vcs.model import Label


def label_names(labels: Mapping[VersionId, Label]) -> dict[VersionId, str]:
    """Map each version to `v12`, or to `v12.a1b2` where several have the number."""
    numbered: defaultdict[int, list[VersionId]] = defaultdict(list)
    for label in labels.values():
        numbered[label.number].append(label.version)
    return {
        label.version: number_name(label.number, label.version, numbered[label.number]) for label in labels.values()
    }


def number_name(number: int, version: VersionId, among: list[VersionId]) -> str:
    """Name a version by its number, and by the beginning of its id that no other of these has, if there are others."""
    others = [other for other in among if other != version]
    if not others:
        return f"v{number}"
    length = PREFIX_LENGTH
    while length < len(version) and any(other.startswith(version[:length]) for other in others):
        length += 1
    return f"v{number}.{version[:length]}"
