"""What a push and a fetch say of themselves in advance, and of what they did."""

import msgspec

from aura_vcs.ids import VersionId


class TransferPlan(msgspec.Struct, frozen=True):
    """What goes to a remote, or comes from there. `settings` are keys of the project's settings that differ there."""

    remote: str
    versions: tuple[VersionId, ...] = ()
    branches: tuple[str, ...] = ()
    objects: int = 0
    labels: int = 0
    settings: tuple[str, ...] = ()
    annotations: int = 0
    """How many notes, provenances and recipes are new on the other side, or changed."""

    @property
    def is_empty(self) -> bool:
        """Whether the other side has everything."""
        found = self.versions or self.branches or self.objects or self.labels or self.settings or self.annotations
        return not found
