"""Where a remote in a folder may be: a folder of its own, not among the files of a project or of the person."""

import os
import re

from aura_vcs.codec import decode_record
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.remotes import RemoteMismatch
from aura_vcs.layout import AURA, FORMAT, OBJECTS, is_own_folder
from aura_vcs.model import Format
from aura_vcs.repository.format_file import is_project
from aura_vcs.storage.encryption import ENCRYPTION
from aura_vcs.storage.plain_files import open_regular
from aura_vcs.storage.resumable_upload import is_part
from aura_vcs.storage.sweep import UPLOADS
from aura_vcs.sync.remotes.url import Address
from aura_vcs.sync.state.manifest import MANIFEST

_OURS = frozenset({MANIFEST, ENCRYPTION, "lock", "packs", "records", "probe", "sealed"})
_LITTER = frozenset(
    {"lost+found", "$recycle.bin", "system volume information", "desktop.ini", "thumbs.db", "@eadir", "#recycle"}
)
"""What disks and systems leave in every folder of theirs."""
_FORMAT_LIMIT = 1 << 16
_HINT = "Name a new folder, outside every project."


def check_new_location(address: Address, root: str, *, force: bool = False, of_project: str | None = None) -> None:
    """Refuse a folder that is not a place for a new remote of the project in `root`; nothing is changed in it.

    Another folder of the same project is one, where `of_project` names it. With `force`, foreign files in it are
    accepted: they stay as they are.

    Raises:
        RemoteMismatch: says why.
    """
    if address.kind != "folder":
        return
    check_location(address, root, of_project=of_project)
    if of_project is not None and is_project(address.path):
        return
    project = _project_around(os.path.realpath(address.path))
    if project is not None:
        raise RemoteMismatch(address.text, f"it lies in the project {project}, which would version it", hint=_HINT)
    foreign = [] if force or os.path.isfile(address.path) else foreign_files(address.path)
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        name = os.path.join(address.path, "NAME.aura")
        hint = f"Name a folder of its own, such as {name}, or add --force: what is there stays as it is."
        raise RemoteMismatch(address.text, f"other files are there: {foreign[0]}{more}", hint=hint)


def check_location(address: Address, root: str, *, of_project: str | None = None) -> None:
    """Refuse a folder that is the project in `root`, around it or in it, or another project or its store.

    A folder of the project with the id `of_project` is accepted.

    Raises:
        RemoteMismatch: says which.
    """
    if address.kind != "folder":
        return
    here, project = os.path.realpath(address.path), os.path.realpath(root)
    if _is_below(here, project):
        what = "the project itself" if here == project else "inside the project, where every push would change it"
        raise RemoteMismatch(address.text, f"it is {what}", hint=_HINT)
    if _is_below(project, here):
        raise RemoteMismatch(address.text, "the project is in it", hint=_HINT)
    if of_project is not None and _project_id(here) == of_project:
        return
    check_no_project(here, address.text)


def check_no_project(path: str, shown: str, *, hint: str = _HINT) -> None:
    """Refuse a folder that is a project, or lies in a project's store; `hint` says what to do instead.

    Raises:
        RemoteMismatch: says which.
    """
    if any(is_own_folder(part) for part in os.path.realpath(path).split(os.sep)) or _is_store(path):
        raise RemoteMismatch(shown, "it is a project's own storage", hint=_HINT)
    if os.path.lexists(os.path.join(path, AURA, FORMAT)):
        raise RemoteMismatch(shown, "it is itself a project, not a remote", hint=hint)


def _project_id(path: str) -> str | None:
    """Return the id of the project that a folder is, None where it is none."""
    try:
        with open(open_regular(os.path.join(path, AURA, FORMAT)), "rb") as file:
            return decode_record(file.read(_FORMAT_LIMIT), Format, FORMAT).project
    except (OSError, RecordCorrupt):
        return None


def foreign_files(path: str) -> list[str]:
    """Return names in a folder that a remote does not have; none where it is a remote already, or not there."""
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return []  # not there yet, or a place that says so itself
    if MANIFEST in names:
        return []
    found = [name for name in names if name not in _OURS and name != "tmp" and not _is_litter(name)]
    return found + [f"tmp/{name}" for name in _names(os.path.join(path, "tmp")) if not _is_temporary(name)]


def _names(path: str) -> list[str]:
    if not os.path.lexists(path):
        return []
    if os.path.islink(path) or not os.path.isdir(path):
        return [""]
    return sorted(os.listdir(path))


def _is_temporary(name: str) -> bool:
    return re.fullmatch(UPLOADS, name) is not None or is_part(name)


def _is_litter(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LITTER


def _is_store(path: str) -> bool:
    return os.path.isfile(os.path.join(path, FORMAT)) and os.path.isdir(os.path.join(path, OBJECTS))


def _project_around(path: str) -> str | None:
    while True:
        above = os.path.dirname(path)
        if above == path:
            return None
        path = above
        if os.path.isfile(os.path.join(path, AURA, FORMAT)):
            return path


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
