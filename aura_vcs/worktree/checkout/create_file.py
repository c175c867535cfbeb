"""Adding a file of ours to the person's folder, where there is none."""

import os
import time

from aura_vcs.layout import ASIDE, AURA, TEMPORARY
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.scratch import Scratch
from aura_vcs.storage.system_calls import REAL_CALLS, FileCalls, storage_error
from aura_vcs.worktree.checkout.safe_folder import SafeFolder
from aura_vcs.worktree.checkout.set_aside import Aside


def create_file(root: str, path: str, data: bytes, calls: FileCalls = REAL_CALLS) -> bool:
    """Put a new file at `path` below the folder `root`; False, and nothing done, if something is there.

    Interrupted, there is the whole file or none. Its folder exists.

    Raises:
        StorageError: the disk refused.
    """
    storage = LocalStorage(os.path.join(root, AURA), temporary=TEMPORARY, calls=calls, follow_root=False)
    aside = Aside(Scratch(storage, ASIDE))
    folder = SafeFolder(root, Scratch(storage, TEMPORARY), calls, aside)
    try:
        if folder.state(path) is not None:
            return False
        with folder.new_file() as new:
            new.write(data)
            new.finish(executable=False, sync=True, now_ns=time.time_ns())
            is_placed = folder.place(new, path, None) is not None
        folder.sync()
    except OSError as error:
        raise storage_error("write", os.path.join(root, path), error) from error
    finally:
        folder.close()
        aside.clear()
    return is_placed
