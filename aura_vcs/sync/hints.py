"""Telling tools that synchronise folders what to leave at home: `.aura/local`.

Only hints: where they are not heeded, a copy of `local/` is noticed and gets an id of its own.

    .stignore                 Syncthing
    user.com.dropbox.ignored  Dropbox on Linux, an extended attribute of `.aura/local`
    CACHEDIR.TAG              in `.aura/local`, for tools that heed bford.info/cachedir
"""

import os

from aura_vcs.layout import LOCAL, TEMPORARY
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage

SYNCTHING = ".stignore"
_SYNCTHING_TEXT = b"""// Written by `aura init`: what belongs to one machine only stays there.
// Harmless where Syncthing is not used; aura does not version this file.
/.aura/local
"""
_TAG = b"""Signature: 8a477f597d28d172789f06886806bc55
# What lies here belongs to this machine only; aura makes it anew where it is missing.
"""


def write_hints(repo: Repository) -> None:
    """Leave the hints in a project; a file of the person's of the same name stays as it is."""
    folder = LocalStorage(repo.root, temporary=f".aura/{TEMPORARY}", calls=repo.storage.calls)
    if not os.path.lexists(os.path.join(repo.root, SYNCTHING)):
        folder.put(SYNCTHING, _SYNCTHING_TEXT)
    repo.storage.put(f"{LOCAL}/CACHEDIR.TAG", _TAG)
    if hasattr(os, "setxattr"):
        try:
            os.setxattr(repo.storage.path(LOCAL), "user.com.dropbox.ignored", b"1")
        except OSError:
            return  # the file system has no extended attributes: then Dropbox does not run on it
