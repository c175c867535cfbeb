"""Compiled copies of modules that Python wrote only in part, as on a full disk, and fails to read for ever after."""

import os
from contextlib import suppress

from aura_vcs.errors import AuraError

_IMPORTER, _READER = "<frozen importlib._bootstrap_external>", "_compile_bytecode"


def damaged_bytecode(error: BaseException) -> AuraError | None:
    """Return what is to be said where an import met such a file, which is deleted; None for any other error.

    The file is a cache: Python makes it again from the module beside it.
    """
    path, trace = None, error.__traceback__
    while trace is not None:
        frame, trace = trace.tb_frame, trace.tb_next
        if (frame.f_code.co_filename, frame.f_code.co_name) == (_IMPORTER, _READER):
            path = frame.f_locals.get("bytecode_path")
    if not isinstance(path, str) or not path.endswith(".pyc"):
        return None
    with suppress(OSError):
        os.unlink(path)
    where = "Delete it, as" if os.path.exists(path) else "It was deleted:"
    return AuraError(
        f"Python's compiled copy of a part of aura is damaged: {path}",
        hint=f"{where} Python makes it again by itself. A full disk may have been the cause. Run the command again.",
    )
