"""Where a program begins: it opens a project, makes one, or copies one."""

from typing import Unpack

from aura_vcs.api.opened import Options, StrPath, find, start
from aura_vcs.api.project import Project


def open(  # noqa: A001  # as `aura.open`
    path: StrPath = ".", *, create: bool = False, search: bool = True, **options: Unpack[Options]
) -> Project:
    """Open the project that `path` is in, or with `search=False` is. With `create`, one is made if there is none.

    What an interrupted command left is finished.

    Raises:
        NotAProject: there is none.
        ForeignOwner: somebody else's is; name it in `trusted` if you trust whoever can write there.
        FormatUnsupported: a newer aura_vcs made it.
    """
    return Project(find(path, create=create, search=search, **options))


def init(path: StrPath = ".", *, title: str | None = None, **options: Unpack[Options]) -> Project:
    """Make a folder a project. Files in it stay as they are; without a `project.json`, one is written.

    Raises:
        ProjectExists: it is one already. InputError: the title is too long, or `path` is a file.
    """
    return Project(start(path, title, **options))
