"""A clone that was stopped: the folder that it began is told from somebody's folder, and gone on with."""

import os

import msgspec

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors import AuraError, InputError
from aura_vcs.errors.input import NotAProject
from aura_vcs.layout import AURA, CLONING, FORMAT, LOCKS, TEMPORARY
from aura_vcs.repository.find_project import find_root, project_storage
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.system_calls import REAL_CALLS, FileCalls
from aura_vcs.sync.remotes.config import DEFAULT_REMOTE, remotes


class InterruptedClone(msgspec.Struct, frozen=True):
    """`local/cloning.json`: from where a clone is on its way here. It goes when all is here."""

    url: str


def begin_clone(root: str, project: str, url: str, options: dict[str, object]) -> Repository:
    """Open a new project in an empty folder, or the one that a clone from the same address left there.

    Raises:
        InputError: something else is in the folder.
    """
    if os.path.lexists(root) and not os.path.isdir(root):
        raise _not_empty(root)
    calls = options.get("calls")
    storage = project_storage(root, calls if isinstance(calls, FileCalls) else REAL_CALLS)
    if os.path.isdir(root) and os.listdir(root) and not _was_begun(root, storage, url):
        return _opened(root, project, url, options)
    storage.put(CLONING, encode_record(InterruptedClone(url)))
    storage.close()
    if not os.path.exists(os.path.join(root, AURA, FORMAT)):
        return Repository.init(root, project=project, **options)
    repo = Repository(root, **options)  # type: ignore[arg-type]
    if repo.format.project != project:
        repo.close()
        raise _not_empty(root)
    return repo


def end_clone(repo: Repository) -> None:
    """Note that everything is here."""
    repo.storage.delete(CLONING)


def _was_begun(root: str, storage: LocalStorage, url: str) -> bool:
    """Tell whether a clone from there was interrupted here, or one that had not even noted its source."""
    try:
        return decode_record(storage.read(CLONING), InterruptedClone, CLONING).url == url
    except FileNotFoundError:
        return os.listdir(root) == [AURA] and not any(map(_is_content, storage.walk("")))
    except AuraError:
        return False


def _is_content(file: tuple[str, int]) -> bool:
    return not file[0].startswith((f"{TEMPORARY}/", f"{LOCKS}/"))


def _opened(root: str, project: str, url: str, options: dict[str, object]) -> Repository:
    """Open what an interrupted clone of an older aura left: it noted nothing, but has no version yet."""
    try:
        is_project = find_root(root) == root
    except NotAProject:
        is_project = False
    if is_project:
        repo = Repository(root, **options)  # type: ignore[arg-type]
        origin = remotes(repo).get(DEFAULT_REMOTE)
        unfinished = repo.head().version is None and origin is not None and origin.url == url
        if repo.format.project == project and unfinished:
            return repo
        repo.close()
    raise _not_empty(root)


def _not_empty(root: str) -> InputError:
    return InputError(f"{root} is not empty", hint="Name a folder that does not exist yet.")
