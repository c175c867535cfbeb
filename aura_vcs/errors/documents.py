"""The project's documents and media cannot be used as asked. The tree is drawn in `aura_vcs.errors`."""

from collections.abc import Sequence

from aura_vcs.errors import AuraError


class ProjectError(AuraError):
    """The project's documents or media cannot be used as asked."""

    exit_code = 60


class DocumentMalformed(ProjectError):
    """A document is not valid JSON."""

    exit_code = 61
    hint = "Correct it in a text editor, or restore it from the last version."

    def __init__(self, file: str, line: int, column: int, detail: str) -> None:
        super().__init__(f"{file} is not valid JSON: {detail} (line {line}, column {column})")
        self.file, self.line, self.column, self.detail = file, line, column, detail


class UnknownField(ProjectError):
    """A JSON pointer leads to nothing."""

    exit_code = 62

    def __init__(self, file: str, pointer: str, known: Sequence[str]) -> None:
        super().__init__(f"{file} has nothing at {pointer}")
        self.file, self.pointer, self.known = file, pointer, tuple(known)
        self.hint = f"There is: {', '.join(known[:12])}{' …' if len(known) > 12 else ''}" if known else ""


class InvalidValue(ProjectError):
    """A value that the field cannot have; nothing was changed."""

    exit_code = 63

    def __init__(self, file: str, pointer: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{file}{' at ' + pointer if pointer else ''}: {reason}", hint=hint)
        self.file, self.pointer, self.reason = file, pointer, reason


class EncoderMissing(ProjectError):
    """The installed FFmpeg cannot write that codec."""

    exit_code = 66
    hint = "Choose another preset, or install a PyAV build that has the encoder."

    def __init__(self, preset: str, encoder: str) -> None:
        super().__init__(f"The preset {preset!r} needs the encoder {encoder}, which this FFmpeg does not have")
        self.preset, self.encoder = preset, encoder


class ExportFailed(ProjectError):
    """The video could not be rendered; no file was left under its name."""

    exit_code = 67

    def __init__(self, reason: str, *, scene: str = "", hint: str = "") -> None:
        super().__init__(f"{scene}: {reason}" if scene else reason, hint=hint)
        self.reason, self.scene = reason, scene


class RecipeFailed(ProjectError):
    """A file could not be made again; what was there is as it was."""

    exit_code = 64

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} could not be made again: {reason}")
        self.path, self.reason = path, reason


class ExportCancelled(ProjectError):
    """The export was stopped on request; no file was left."""

    exit_code = 68

    def __init__(self, output: str) -> None:
        super().__init__(f"The export to {output} was cancelled")
        self.output = output


class InvalidTransition(ProjectError):
    """A job cannot go from the state it is in to the one asked for."""

    exit_code = 69

    def __init__(self, job: str, state: str, wanted: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{job} is {state} and cannot become {wanted}")
        self.job, self.state, self.wanted = job, state, wanted
        self.hint = f"From {state} it can become {' or '.join(allowed)}." if allowed else f"{state} is final."
