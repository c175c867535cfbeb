"""Telling tools that synchronise folders what to leave at home: `.aura/local`.

Left whenever a `local/` is made, on whichever machine: tools do not carry them all. Only hints: where
they are not heeded, a copy of `local/` is noticed and gets an id of its own.

    .stignore                 Syncthing
    user.com.dropbox.ignored  Dropbox on Linux, an extended attribute of `.aura/local`
    CACHEDIR.TAG              in `.aura/local`, for tools that heed bford.info/cachedir
"""

import os

from aura_vcs.errors.integrity import StorageError
from aura_vcs.layout import AURA, LOCAL, TEMPORARY
from aura_vcs.storage.local import LocalStorage

SYNCTHING = ".stignore"
_SYNCTHING_TEXT = b"""// Written by aura: what belongs to one machine only stays there.
// Harmless where Syncthing is not used; aura does not version this file.
/.aura/local
"""
_TAG = b"""Signature: 8a477f597d28d172789f06886806bc55
# What lies here belongs to this machine only; aura makes it anew where it is missing.
"""


def write_hints(root: str, storage: LocalStorage) -> None:
    """Leave the hints in a project; a file of the person's of the same name stays as it is.

    A disk that refuses them is no reason not to work.
    """
    try:
        storage.put(f"{LOCAL}/CACHEDIR.TAG", _TAG)
        if not os.path.lexists(os.path.join(root, SYNCTHING)):
            folder = LocalStorage(root, temporary=f"{AURA}/{TEMPORARY}", calls=storage.calls)
            folder.put(SYNCTHING, _SYNCTHING_TEXT)
    except StorageError:
        return
    if hasattr(os, "setxattr"):
        try:
            with storage.at(f"{LOCAL}/-") as (_, dir_fd):
                os.setxattr(storage.path(LOCAL) if dir_fd is None else dir_fd, "user.com.dropbox.ignored", b"1")
        except OSError:
            return  # the file system has no extended attributes: then Dropbox does not run on it
