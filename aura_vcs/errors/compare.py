"""Things that cannot be compared or joined as asked. The tree is drawn in `aura_vcs.errors`."""

from collections.abc import Sequence

from aura_vcs.errors import AuraError


class CompareError(AuraError):
    """Two or three things cannot be compared or merged as asked."""

    exit_code = 70


class PointerError(CompareError):
    """An address inside a document does not fit it."""

    exit_code = 71
    hint = "An address looks like /scenes/0/script; `aura diff --json` prints them."

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer!r} does not fit the document: {reason}")
        self.pointer, self.reason = pointer, reason


class PointerInvalid(PointerError):
    """The text is not a JSON pointer (RFC 6901)."""


class PointerUnknown(PointerError):
    """The pointer is well formed, but nothing is there."""


class PatchInvalid(CompareError):
    """The patch is not a list of RFC 6902 operations; nothing was changed."""

    exit_code = 72
    hint = "A patch is a JSON list as `aura diff --json` prints it under 'fields'."

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"Operation {position} of the patch is not valid: {reason}")
        self.position, self.reason = position, reason


class PatchFailed(CompareError):
    """An operation does not fit the document; nothing was changed."""

    exit_code = 73
    hint = "The patch was made for another version of the document. Nothing was changed."

    def __init__(self, position: int, op: str, path: str, reason: str) -> None:
        super().__init__(f"Operation {position} of the patch cannot {op} {path!r}: {reason}")
        self.position, self.op, self.path, self.reason = position, op, path, reason


class NotStructural(CompareError):
    """The bytes are not a JSON document that can be compared or merged field by field."""

    exit_code = 74
    hint = "It is kept as it is, byte for byte, and compared as text."

    def __init__(self, reason: str) -> None:
        super().__init__(f"The document cannot be compared field by field: {reason}")
        self.reason = reason


class ConflictUnknown(CompareError):
    """There is no conflict at that place."""

    exit_code = 75
    hint = "`aura status` lists the conflicts that are left."

    def __init__(self, place: str, near: Sequence[str] = ()) -> None:
        super().__init__(f"There is no conflict at {place!r}")
        self.place, self.near = place, tuple(near)
        if near:
            self.hint = f"Conflicts are at {', '.join(near)}."


class ChoiceImpossible(CompareError):
    """The conflict cannot be resolved that way."""

    exit_code = 76

    def __init__(self, place: str, choice: str, reason: str, *, hint: str) -> None:
        super().__init__(f"{place!r} cannot be resolved with --{choice}: {reason}", hint=hint)
        self.place, self.choice, self.reason = place, choice, reason
