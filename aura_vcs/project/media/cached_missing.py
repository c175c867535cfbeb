"""How many media the project files of the folder lack, for `status`: remembered by the version's tree.

A folder that equals its version lacks what that version lacks, as long as the files that no version has are as they
were. The index may forget it at any time.
"""

from collections.abc import Sequence

from aura_vcs.history.status import Status
from aura_vcs.project.documents.cached_check import MISSING, REMEMBERED, CachedMissing, remember, stamps_of
from aura_vcs.project.media.references import ProjectMedia, list_media
from aura_vcs.repository.repository import Repository


def count_missing_media(repo: Repository, found: Status) -> dict[str, int]:
    """Count the missing media of each project file that lacks any; reads the project files."""
    media = list_media(repo)
    missing = {one.file: one.missing for one in media if one.missing}
    outside = _outside(media)
    if found.is_clean and found.head is not None and len(outside) <= REMEMBERED and len(missing) <= REMEMBERED:
        made = CachedMissing(found.head.tree, len(media), missing, stamps_of(repo, sorted(outside)))
        remember(repo, MISSING, made)
    return missing


def _outside(media: Sequence[ProjectMedia]) -> set[str]:
    return {named.resolved for one in media for named in one.media if named.resolved and not named.in_version}
