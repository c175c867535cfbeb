"""What versions are called where the index alone does not say it: not here yet, or named in what was recorded."""

import re
from collections.abc import Iterable

from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.index.queries import Queries, describe, distinct_id

_PLAIN_NUMBER = re.compile(r"\bv(\d{1,15})\b(?![.\w])")


def describe_numbered(queries: Queries, version: VersionId, number: int) -> str:
    """Name a version that may not be here, of which only the number is known, as `describe` does."""
    others = [record for record in queries.versions_numbered(number) if record.id != version]
    return f"v{number}.{distinct_id(version, others)}" if others else f"v{number}"


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
