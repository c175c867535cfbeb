"""Where a program begins: it opens a project, makes one, or copies one."""

import os
from typing import Unpack

from aura_vcs.api.credentials import Credentials
from aura_vcs.api.opened import Opened, Options, StrPath, find, repository_options, start
from aura_vcs.api.project import Project
from aura_vcs.api.reporting import Reporter
from aura_vcs.sync import clone as cloning
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.encryption import open_if_encrypted
from aura_vcs.sync.remotes.trusted_hosts import host_of
from aura_vcs.sync.remotes.url import parse_address


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


def clone(
    address: StrPath,
    folder: StrPath | None = None,
    *,
    branch: str | None = None,
    partial: bool = False,
    all_versions: bool = False,
    encrypted: bool = False,
    **options: Unpack[Options],
) -> Project:
    """Copy a project from a remote into a new folder, named after it if none is given; it becomes `origin`.

    With `partial`, large files of other versions are fetched when they are needed. With `all_versions`,
    autosaves and restore points come too. With `encrypted`, only a place that is so is taken. Interrupted,
    the same call goes on where it was.

    Raises:
        InputError: something else is in the folder. RemoteError.
    """
    where = parse_address(os.fspath(address))
    credentials = options.get("credentials") or Credentials()
    root = os.path.abspath(folder if folder is not None else cloning.folder_name(where))
    key_file = "" if credentials.key_file is None else os.path.abspath(credentials.key_file)
    remote = open_remote(where, surroundings=credentials.surroundings())
    try:
        remote, key = open_if_encrypted(remote, credentials.ask_with(""), must=encrypted)
        options["credentials"] = credentials.agree(host_of(where, sealed=bool(key)))
        cloning.clone(
            remote,
            where,
            root,
            branch=branch,
            all_versions=all_versions,
            partial=partial,
            encryption=key,
            key_file=key_file if key else "",
            **repository_options(options, Reporter(options.get("progress"))),
        )
    finally:
        remote.close()
    return Project(Opened(root, **options))
