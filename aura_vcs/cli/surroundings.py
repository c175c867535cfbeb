"""What the environment says of how to connect."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aura_vcs.sync.opening import Surroundings

KEYS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
"""One of these in the environment says how to be let in to S3."""


def surroundings() -> "Surroundings":
    """Whether there are keys for S3, and the command for other machines, if AURA_SSH names one."""
    import shlex  # not every command connects

    from aura_vcs.sync.opening import Surroundings

    words = shlex.split(os.environ.get("AURA_SSH", ""))
    return Surroundings(tuple(words), has_keys=any(os.environ.get(name) for name in KEYS))
