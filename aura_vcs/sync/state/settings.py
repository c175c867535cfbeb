"""Settings of the project on their way between machines: value by value, the higher stamp wins.

What names a place or a program of one machine stays there: a remote does not say where files are
written here, or what is run.
"""

import re
from collections.abc import Mapping

from aura_vcs.codec import encode_compact
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.ids import ReplicaId, is_replica_id
from aura_vcs.model import Field

SETTINGS_LIMIT = 1000
SETTINGS_BYTES = 1 << 20
AT_HOME = ("general.", "media.")
"""What keys begin with that stay on their machine."""
_KEY = r"[a-z][a-z0-9_]{0,63}(\.[a-z0-9_]{1,64}){1,3}"


def travelling_settings(settings: Mapping[str, Field]) -> dict[str, Field]:
    """Select the settings that travel."""
    return {key: field for key, field in settings.items() if not key.startswith(AT_HOME) and re.fullmatch(_KEY, key)}


def merge_settings(ours: Mapping[str, Field], theirs: Mapping[str, Field]) -> dict[str, Field]:
    """Merge settings: of each the one with the higher stamp. Commutes; idempotent."""
    joined = dict(ours)
    for key, field in theirs.items():
        if key not in joined or field.stamp > joined[key].stamp:
            joined[key] = field
    return dict(sorted(joined.items()))


def newer_settings(replica: ReplicaId, ours: Mapping[str, Field], theirs: Mapping[str, Field]) -> dict[str, Field]:
    """Select what other machines set since; what is said to be ours, we know."""
    return {
        key: field
        for key, field in theirs.items()
        if field.stamp[1] != replica and (key not in ours or field.stamp > ours[key].stamp)
    }


def check_settings(settings: Mapping[str, Field]) -> None:
    """Look through settings that somebody else may have written.

    Raises:
        RecordCorrupt: one is not valid, or they are larger than any.
    """
    if len(settings) > SETTINGS_LIMIT or len(encode_compact(settings)) > SETTINGS_BYTES:
        raise RecordCorrupt("the settings", "there are too many, or they are too large")
    for key, field in settings.items():
        if len(travelling_settings({key: field})) != 1:
            raise RecordCorrupt(f"the setting {key[:80]}", "it is none that travels")
        if field.stamp[0] < 0 or not is_replica_id(field.stamp[1]):
            raise RecordCorrupt(f"the setting {key}", "its stamp is not valid")
