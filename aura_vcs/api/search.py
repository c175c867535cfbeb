"""Words found in texts of the folder and of versions."""

from dataclasses import dataclass
from typing import Self

from aura_vcs.api.values import Version, version_or_none
from aura_vcs.project.search_texts import TextHit


@dataclass(frozen=True, slots=True)
class SearchHit:
    """Text in which all the words occur; `excerpt` marks them with [ ].

    `kind` is "text", "subtitle", "clip", "document", "file" (a file's name) or "tag"; `place` says where in the
    file it stands. `first` and `last` are the versions that had it first and last, None where none has.
    """

    kind: str
    path: str
    """Of a tag or branch, its name."""
    place: str
    excerpt: str
    in_folder: bool
    first: Version | None
    last: Version | None

    @classmethod
    def of(cls, hit: TextHit) -> Self:
        """Take over what was found."""
        first, last = version_or_none(hit.first), version_or_none(hit.last)
        return cls(hit.kind, hit.path, hit.place, hit.excerpt, hit.in_folder, first, last)
