"""Where a program begins: it opens a project, makes one, or copies one."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Unpack

from aura_vcs.api.credentials import Credentials
from aura_vcs.api.opened import Opened, Options, StrPath, find, repository_options, start
from aura_vcs.api.project import Project
from aura_vcs.api.reporting import Call, Reporter
from aura_vcs.api.transfers import BundleReport
from aura_vcs.storage import owners
from aura_vcs.storage.encryption import key_file as key_files
from aura_vcs.sync import bundle, clone as cloning, ssh_server
from aura_vcs.sync.project_remote import open_project
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.encryption import open_if_encrypted
from aura_vcs.sync.remotes.new_place import make_empty_place
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


def init(
    path: StrPath = ".",
    *,
    title: str | None = None,
    template: str | None = None,
    topic: str | None = None,
    **options: Unpack[Options],
) -> Project:
    """Make a folder a project. Files in it stay as they are; without a `project.json`, one is written.

    Where editors' projects lie in it, `.auraignore` gets lines for what those editors make again: previews, proxies,
    caches. With `template`, it begins with a template's documents, about `topic` or what the title says; templates
    lie in the studio that the credentials name.

    Raises:
        ProjectExists: it is one already. InputError: the title is too long, `path` is a file, or a document of the
            template would be written over. UnknownName: there is no such template.
    """
    return Project(start(path, title, template, topic, **options))


def init_bare(folder: StrPath) -> Path:
    """Make an empty folder that a project can be pushed to, without files to work on.

    Raises:
        InputError: something is in it. RemoteMismatch: it lies in a project.
    """
    return Path(make_empty_place(os.path.abspath(folder)))


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
    """Copy a project from a remote or bundle into a new folder, named after it if none is given; it becomes `origin`.

    With `partial`, large files of other versions are fetched when they are needed. With `all_versions`,
    autosaves and restore points come too. With `encrypted`, only a place that is so is taken. Interrupted,
    the same call goes on where it was. What `progress` of the options raises ends it.

    Raises:
        InputError: something else is in the folder. RemoteError.
    """
    where = parse_address(os.fspath(address))
    credentials = options.get("credentials") or Credentials()
    root = os.path.abspath(folder if folder is not None else cloning.folder_name(where))
    key_file = "" if credentials.key_file is None else os.path.abspath(credentials.key_file)
    remote = open_remote(where, surroundings=credentials._surroundings())
    try:
        remote, key = open_if_encrypted(remote, credentials._ask_with(""), must=encrypted)
        options["credentials"] = credentials.agree(host_of(where, sealed=bool(key)))
        cloning.clone(
            remote,
            where,
            root,
            request=cloning.CloneRequest(branch, all_versions, partial, key, key_file if key else ""),
            **repository_options(options, Reporter(options.get("progress"))),
        )
    finally:
        remote.close()
    return Project(Opened(root, **options))


def verify_bundle(path: StrPath, **call: Unpack[Call]) -> BundleReport:
    """Look through a bundle: every object is hashed, every version has all it needs.

    Raises:
        RemoteUnreachable: there is no such file. RemoteCorrupt: it is not a bundle at all.
    """
    reporter = Reporter()
    with reporter.listening(call):
        return BundleReport._of(bundle.verify_bundle(os.path.abspath(path), reporter))


def make_key_file(path: StrPath, *, outside: Iterable[StrPath] = ()) -> bool:
    """Make a key file for `Credentials`, for the account alone; False if it is there.

    Whoever loses it cannot read the remotes that it opens.

    Raises:
        InputError: it would lie in one of the folders that it has to be `outside` of, or cannot be made.
    """
    return key_files.make_key_file(os.path.abspath(path), tuple(map(os.path.abspath, outside)))


def serve(folder: StrPath, requests: BinaryIO, answers: BinaryIO, *, create: bool = False) -> None:
    """Serve the folder of a remote or project to another machine, as `aura serve --stdio` does, until requests end.

    Nothing outside the folder can be reached.
    """
    ssh_server.serve_folder(os.path.abspath(folder), requests, answers, create=create, open_project=open_project)


def studio_home(environment: Mapping[str, str]) -> Path:
    """Return where the command has the person's studio: AURA_HOME, or the system's folder for data."""
    return Path(owners.studio_home(environment))
