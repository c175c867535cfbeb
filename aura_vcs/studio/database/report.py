"""What an import of a database did, and what it could not take."""

from collections import Counter

import msgspec


class LeftRows(msgspec.Struct, frozen=True):
    """Something that could not be taken as it is: what, of which kind, why, and how many; some of them by name."""

    what: str
    reason: str
    count: int
    examples: tuple[str, ...] = ()


class ImportedProject(msgspec.Struct, frozen=True):
    """A project of the database: its folder, and what is new there. `branch` is where its versions went."""

    id: str
    title: str
    path: str
    is_new: bool
    versions: int
    known: int
    branch: str
    files: int
    media: int
    media_bytes: int
    scenes: int
    checkpoints: int
    exports: int
    is_deleted: bool = False


class DatabaseImported(msgspec.Struct, frozen=True):
    """What was done. With `dry_run` nothing was, and it says what would be."""

    database: str
    folder: str
    projects: tuple[ImportedProject, ...]
    settings: tuple[str, ...]
    templates: tuple[str, ...]
    setup: bool
    left: tuple[LeftRows, ...]
    notes: tuple[str, ...]
    dry_run: bool = False


class Losses:
    """Counts what could not be taken, by kind and reason; EXAMPLES of each are named."""

    EXAMPLES = 5

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._examples: dict[tuple[str, str], list[str]] = {}
        self.notes: list[str] = []

    def leave(self, what: str, reason: str, example: str = "", count: int = 1) -> None:
        """Count something."""
        key = (what, reason)
        self._counts[key] += count
        examples = self._examples.setdefault(key, [])
        if example and len(examples) < self.EXAMPLES:
            examples.append(example[:300])

    def note(self, said: str) -> None:
        """Say something that is not a loss."""
        if said not in self.notes:
            self.notes.append(said)

    def rows(self) -> tuple[LeftRows, ...]:
        """Return all of them, in the order in which they were met."""
        return tuple(
            LeftRows(what, reason, count, tuple(self._examples[what, reason]))
            for (what, reason), count in self._counts.items()
        )
