"""What versions are called that a recorded description names."""

import re
from collections.abc import Iterable

from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import Queries, describe

_PLAIN_NUMBER = re.compile(r"\bv(\d{1,15})\b(?![.\w])")


def has_shared_number(queries: Queries, description: str) -> bool:
    """Tell whether a description names a number that machines gave out twice, and does not say which is meant."""
    return any(queries.is_shared(int(number)) for number in set(_PLAIN_NUMBER.findall(description)))


def qualified(queries: Queries, description: str, refs: Iterable[str]) -> str:
    """Say which version a description means that names a number which machines gave out twice.

    `refs` are those that the operation changed: one of them is the version's.
    """
    for number in dict.fromkeys(_PLAIN_NUMBER.findall(description)):
        if not queries.is_shared(int(number)):
            continue
        ids = [VersionId(ObjectId(ref.removeprefix("versions/"))) for ref in refs if ref.startswith("versions/")]
        meant = [one for one in ids if (found := queries.version(one)) is not None and found.number == int(number)]
        if len(meant) == 1:
            description = re.sub(rf"\bv{number}\b(?![.\w])", describe(queries, meant[0]), description, count=1)
    return description
