"""The studio's folder, or the state of a video, does not allow it. The tree is drawn in `aura_vcs.errors`."""

from collections.abc import Sequence

from aura_vcs.errors import AuraError
from aura_vcs.suggestions import quote_path


class StudioError(AuraError):
    """The studio's folder, or the state of a video, does not allow it."""

    exit_code = 80


class UnknownSetting(StudioError):
    """There is no configuration key of that name."""

    exit_code = 81

    def __init__(self, key: str, near: Sequence[str] = ()) -> None:
        super().__init__(f"There is no configuration key {key!r}")
        self.key, self.near = key, tuple(near)
        every = "`aura config describe` lists them all; keys of your own begin with `app.`."
        self.hint = f"Did you mean {', '.join(near)}?" if near else every


class SettingInvalid(StudioError):
    """A value that the key cannot have; nothing was changed. The value itself is never repeated."""

    exit_code = 82

    def __init__(self, key: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{key}: {reason}", hint=hint)
        self.key, self.reason = key, reason


class SecretUnavailable(StudioError):
    """A sensitive value cannot be encrypted or decrypted here."""

    exit_code = 83
    hint = "Set it again with `aura config set`."

    def __init__(self, key: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"The value of {key} cannot be used: {reason}", hint=hint)
        self.key, self.reason = key, reason


class TemplateProtected(StudioError):
    """A system template is never changed or deleted."""

    exit_code = 84

    def __init__(self, name: str, wanted: str) -> None:
        super().__init__(f"{name} is a system template and cannot be {wanted}")
        self.name, self.wanted = name, wanted
        self.hint = "Export it, and import the file under another name; the copy is yours."


class NothingToRecover(StudioError):
    """No valid checkpoint is left to resume from."""

    exit_code = 85

    def __init__(self, where: str, reasons: Sequence[str] = ()) -> None:
        super().__init__(f"{where} has no valid checkpoint" + (f": {'; '.join(reasons)}" if reasons else ""))
        self.where, self.reasons = where, tuple(reasons)
        self.hint = "Renderers save them with `aura checkpoint save`; `aura checkpoint list --all` shows all."


class EditedSince(StudioError):
    """A file was edited after the change that was to be taken back; nothing was touched."""

    exit_code = 86

    def __init__(self, path: str, operation: str, *, studio: bool = False) -> None:
        super().__init__(f"{path} was edited since {operation!r}; taking that back would lose the edit")
        self.path, self.operation = path, operation
        typed = quote_path(path)
        self.hint = f"See `aura diff {typed}`; `aura restore VERSION -- {typed}` brings an older state back."
        if studio:
            self.hint = "`aura ops --studio --json` shows what was there before; set it by hand."


class ActionBlocked(StudioError):
    """Later actions depend on the one that was to be taken back."""

    exit_code = 87

    def __init__(self, action: str, later: Sequence[str]) -> None:
        super().__init__(f"{action} cannot be taken back alone: {'; '.join(later)} came after it")
        self.action, self.later = action, tuple(later)
        self.hint = "Undo the later ones first, or all of them in turn with `aura undo`."


class ProjectDeleted(StudioError):
    """The project is deleted, or must be deleted before it is purged."""

    exit_code = 88


class TemplateUnusable(StudioError):
    """A template, or a file that should be one, is not."""

    exit_code = 89

    def __init__(self, name: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{name} cannot be used as a template: {reason}", hint=hint)
        self.name, self.reason = name, reason
