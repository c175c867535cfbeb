"""`aura clone`."""

import os
from typing import TYPE_CHECKING

import click

from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.remote_environment import agreements, surroundings
from aura_vcs.cli.remote_keys import KeyHolder, key_options
from aura_vcs.cli.session import Session, pass_session
from aura_vcs.cli.shared.studio import note_project
from aura_vcs.cli.shared.transfers import all_versions_option, fetch_to_json
from aura_vcs.sync.clone import CloneRequest, clone, folder_name
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.encryption import open_if_encrypted
from aura_vcs.sync.remotes.trusted_hosts import host_of
from aura_vcs.sync.remotes.url import parse_address

if TYPE_CHECKING:
    from aura_vcs.sync.clone import Cloned


@click.command(
    "clone",
    context_settings=HELP,
    epilog=examples("aura clone /mnt/nas/my-video.aura", "aura clone anna@studio:films/my-video.aura my-video"),
)
@click.argument("url", metavar="PLACE", shell_complete=completing("place"))
@click.argument("folder", metavar="[DIR]", required=False, shell_complete=completing("folder"))
@click.option("--branch", metavar="NAME", help="The branch whose files are put in the folder (default: main)")
@click.option("--partial", is_flag=True, help="Leave old media at the remote until they are needed")
@click.option("--encrypt", is_flag=True, help="Take only what is encrypted (default: whatever is there)")
@key_options
@all_versions_option
@json_option
@pass_session
def clone_command(
    session: Session,
    url: str,
    folder: str | None,
    *,
    branch: str | None,
    partial: bool,
    all_versions: bool,
    encrypt: bool,
    key_file: str | None,
    remember: bool,
) -> None:
    """Copy a project from a remote into a new folder

    The place becomes the remote `origin` of the copy. If it is stopped, the same command continues
    where it was. An encrypted place asks for its passphrase (or AURA_PASSPHRASE, or --key-file). With
    --partial the folder and the history are complete, and large files of other versions are fetched
    when they are needed.
    """
    console = session.console
    address = parse_address(url, session.folder)
    target = os.path.join(session.folder, folder or folder_name(address))
    holder = KeyHolder(console, key_file=key_file)
    remote = open_remote(address, surroundings=surroundings())
    try:
        remote, key = open_if_encrypted(remote, holder, must=encrypt or key_file is not None)
        if remember:
            holder.remember(key)
        agreements().add(host_of(address, sealed=bool(key)))
        done = clone(
            remote,
            address,
            target,
            request=CloneRequest(
                branch=branch, all_versions=all_versions, partial=partial, encryption=key, key_file=holder.key_file
            ),
            **session.options(),
        )
    finally:
        remote.close()
    note_project(done.path, console)
    _show(console, done, partial=partial)


def _show(console: Console, done: "Cloned", *, partial: bool) -> None:
    if console.as_json:
        console.data(
            {
                "path": done.path,
                "fetched": fetch_to_json(done.fetched),
                "files": done.files.changed if done.files is not None else 0,
                "left_bytes": done.offloaded_bytes,
                "stored_bytes": done.stored_bytes,
            }
        )
        return
    fetched = done.fetched
    came = done.stored_bytes if partial else fetched.received_bytes  # with the content of this version
    console.line("Cloned into ", cyan(done.path))
    console.line(f"  {count(len(fetched.versions), 'version')}, {size(came)}")
    if done.of_project:
        console.line(faint("  that folder is itself a project: what is not committed there is not here"))
    if done.offloaded_bytes:
        console.line(
            f"  {size(done.offloaded_bytes)} of older media stay at origin; they are fetched when they are needed"
        )
    if done.files is None:
        console.line("  the remote has no versions yet")
