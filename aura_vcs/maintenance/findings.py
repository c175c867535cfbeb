"""What a check of a project finds."""

import msgspec

UNREADABLE = "unreadable_file"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: a stable word for what kind, the thing, and a sentence."""

    kind: str
    what: str
    detail: str

    def __str__(self) -> str:
        return self.detail if self.what in self.detail else f"{self.what}: {self.detail}"
