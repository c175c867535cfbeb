"""`aura remote`: the places that a project is carried to."""

from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.groups import CommandEntry, ShorthandGroup
from aura_vcs.cli.options import HELP, completing, examples, json_option
from aura_vcs.cli.output.console import Console, cyan, faint, green, red
from aura_vcs.cli.output.humanize import count, size
from aura_vcs.cli.remote_environment import agreements, surroundings
from aura_vcs.cli.remote_keys import KeyHolder, key_options
from aura_vcs.cli.session import Session, pass_repository
from aura_vcs.cli.shared.transfers import connected, key_holder
from aura_vcs.errors.remotes import InvalidUrl, RemoteUnsafe
from aura_vcs.sync.remotes.config import forget_remote, remote_config, remotes, remove_remote
from aura_vcs.sync.remotes.trusted_hosts import host_of
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import RemoteCache

if TYPE_CHECKING:
    from aura_vcs.repository.repository import Repository
    from aura_vcs.sync.remotes.add import CheckedRemote
    from aura_vcs.sync.remotes.config import RemoteConfig

_CATALOG = {
    "list": CommandEntry(__name__, "list_command", "List the remotes"),
    "add": CommandEntry(__name__, "add_command", "Prepare a place and give it a name"),
    "show": CommandEntry(__name__, "show_command", "Show what a remote has that is not here, and the other way round"),
    "check": CommandEntry(__name__, "check_command", "Check whether a remote is safe for several machines"),
    "trust": CommandEntry(__name__, "trust_command", "Agree that your keys are used at a remote's host"),
    "remove": CommandEntry(__name__, "remove_command", "Forget a remote; what is stored there stays"),
}


@click.group(
    "remote",
    cls=ShorthandGroup,
    catalog=_CATALOG,
    shorthands={},
    otherwise="show",
    context_settings=HELP,
    subcommand_metavar="[NAME | COMMAND ...]",
    epilog=examples(
        "aura remote add origin /mnt/nas/my-video.aura",
        "aura remote add origin ssh://anna@studio/srv/my-video.aura",
        "aura remote",
    ),
)
def remote_command() -> None:
    """List, add, show, check, trust or remove remotes

    A remote is a place that several machines share: a folder on a NAS or a USB stick, a folder on
    another machine by SSH, a bucket. It holds one project. `aura sync` brings both sides together.
    """


@click.command("list", context_settings=HELP, epilog=examples("aura remote", "aura remote list --json"))
@json_option
@pass_repository
def list_command(repo: "Repository", console: Console) -> None:
    """List the remotes"""
    found = remotes(repo)
    trusted = {name: _is_trusted(repo, config) for name, config in found.items()}
    if console.as_json:
        console.data({"remotes": [remote_to_json(repo, name, config) for name, config in found.items()]})
        return
    for name, config in found.items():
        marks = ["encrypted"] * bool(config.encryption) + ["only this machine pushes"] * config.single_writer
        marks += ["not used on this machine yet"] * (not trusted[name])
        console.line(cyan(name), "  ", config.url, faint("".join(f"  {mark}" for mark in marks)))
    if not found:
        console.line(faint("There are no remotes yet: `aura remote add origin PLACE` adds one."))


def remote_to_json(repo: "Repository", name: str, config: "RemoteConfig") -> dict[str, Any]:
    """Convert a remote as the project's settings name it to JSON."""
    return {
        "name": name,
        "url": config.url,
        "single_writer": config.single_writer,
        "encrypted": bool(config.encryption),
        "trusted": _is_trusted(repo, config),
    }


@click.command(
    "add",
    context_settings=HELP,
    epilog=examples(
        "aura remote add origin /mnt/nas/my-video.aura",
        "aura remote add backup 's3://films/my-video?endpoint=https://s3.example.org'",
        "aura remote add cloud s3://films/my-video --encrypt --key-file ~/my-video.key",
    ),
)
@click.argument("name")
@click.argument("url", metavar="PLACE", shell_complete=completing("folder"))
@click.option("--single-writer", is_flag=True, help="Accept a place that cannot keep two pushes apart: only you push")
@click.option("--force", is_flag=True, help="Accept a folder with other files in it; they stay as they are")
@click.option("--encrypt", is_flag=True, help="Encrypt all that goes there; its keeper cannot read it")
@key_options
@json_option
@pass_repository
def add_command(
    repo: "Repository",
    console: Console,
    name: str,
    url: str,
    *,
    single_writer: bool,
    force: bool,
    encrypt: bool,
    key_file: str | None,
    remember: bool,
) -> None:
    """Prepare a place and give it a name

    Prepares the place if nothing is there, and tests it with racing writers: a place that cannot keep
    two pushes apart is refused. A folder must be for this remote alone: not in a project, and without
    other files unless you give --force. Credentials come from the environment, ssh or the usual files;
    they are never stored in the project.

    With --encrypt, content and names are encrypted before they leave this machine, with a passphrase
    (AURA_PASSPHRASE, the keyring, or you are asked) or a key file, which is made if it does not exist.
    Whoever loses it cannot read the remote any more.
    """
    from aura_vcs.sync.remotes.add import AddRequest, add_remote

    session = click.get_current_context().find_object(Session)
    address = parse_address(url, session.folder if session is not None else ".")
    folders = (repo.root, address.path) if address.kind == "folder" else (repo.root,)
    holder = KeyHolder(console, key_file=key_file, folders=folders)
    ask = holder if encrypt or key_file else None
    checked = add_remote(
        repo,
        name,
        address,
        request=AddRequest(single_writer=single_writer, surroundings=surroundings(), ask=ask, force=force),
    )
    agreements().add(host_of(address, sealed=bool(checked.encryption)))
    if holder.key_file:
        RemoteCache(repo, name).remember_key_file(holder.key_file)
    if remember:
        holder.remember(checked.encryption)
    if console.as_json:
        console.data({"remote": _to_json(checked)})
        return
    console.line("Added ", cyan(name), ": ", checked.url, ", encrypted" if checked.encryption else "")
    _print_probe(console, checked)
    console.line(f"Send everything there with `aura push{'' if name == 'origin' else ' ' + name}`.")


@click.command("show", context_settings=HELP, epilog=examples("aura remote show origin"))
@click.argument("name", required=False, shell_complete=completing("remote"))
@json_option
@pass_repository
def show_command(repo: "Repository", console: Console, name: str | None) -> None:
    """Show what a remote has that is not here, and the other way round"""
    from aura_vcs.sync.fetch import plan_fetch
    from aura_vcs.sync.push import plan_push

    with connected(repo, name) as link:
        coming = plan_fetch(repo, link.remote, link.cache)
        going = plan_push(repo, link.remote, link.cache, keep_both=True, ignore_locks=True)
    if console.as_json:
        console.data(
            {
                "name": link.name,
                "url": link.config.url,
                "single_writer": link.config.single_writer,
                "encrypted": bool(link.config.encryption),
                "to_fetch": {"versions": list(coming.versions), "bytes": coming.received_bytes},
                "to_push": {"versions": list(going.versions), "bytes": going.sent_bytes},
            }
        )
        return
    console.line(cyan(link.name), "  ", link.config.url)
    console.line(f"  to fetch  {count(len(coming.versions), 'version')}, {size(coming.received_bytes)}")
    console.line(f"  to push   {count(len(going.versions), 'version')}, {size(going.sent_bytes)}")


@click.command("check", context_settings=HELP, epilog=examples("aura remote check", "aura remote check nas --accept"))
@click.argument("name", required=False, shell_complete=completing("remote"))
@click.option("--content", is_flag=True, help="Read everything there and hash it, too")
@click.option("--accept", is_flag=True, help="Accept an older state than before, as after a restored backup")
@json_option
@pass_repository
def check_command(repo: "Repository", console: Console, name: str | None, *, content: bool, accept: bool) -> None:
    """Check whether a remote is safe for several machines

    Writers race for small files in it; of each race exactly one must win. Ends with exit code 94 if the
    remote does not keep them apart, and with 3 if --content finds damage.
    """
    from aura_vcs.sync.remotes.add import check_remote

    ask = key_holder(RemoteCache(repo, remote_config(repo, name)[0]).key_file())
    checked = check_remote(repo, name, accept_older=accept, surroundings=surroundings(), ask=ask)
    if checked.probe is not None and not checked.probe.is_safe:
        raise RemoteUnsafe(checked.url, checked.probe.faults)
    problems = _content_problems(repo, name) if content else []
    if problems:
        console.exit_code = 3
    if console.as_json:
        console.data({"remote": _to_json(checked), "problems": problems})
        return
    for problem in problems:
        console.line(red(problem))
    console.line(cyan(checked.name), f"  {checked.url}: {count(checked.packs, 'pack')}, {size(checked.stored_bytes)}")
    _print_probe(console, checked)


@click.command(
    "trust", context_settings=HELP, epilog=examples("aura remote trust origin", "aura remote trust --no nas")
)
@click.argument("name", shell_complete=completing("remote"))
@click.option("--no", "withdraw", is_flag=True, help="Take it back: ask again before keys are used there")
@json_option
@pass_repository
def trust_command(repo: "Repository", console: Console, name: str, *, withdraw: bool) -> None:
    """Agree that your keys are used at a remote's host

    A remote that you added or cloned from needs no agreement. One that only the project's settings name
    may have come with a copied folder, so your keys, tokens and SSH agent are used at its host only
    after you agreed to it, once on each machine. Another host, port or scheme is asked about again.
    """
    from aura_vcs.sync.remotes.connect import check_credential_host

    name, config = remote_config(repo, name)
    host = check_credential_host(repo, config)
    if withdraw:
        agreements().remove(host)
    else:
        agreements().add(host)
    if console.as_json:
        console.data({"remote": name, "host": host, "trusted": not (withdraw and host)})
    elif not host:
        console.line(cyan(name), " needs no keys: nothing is asked about it")
    elif withdraw:
        console.line("Before your keys are used at ", cyan(host), " again, you are asked")
    else:
        console.line("Your keys are used at ", cyan(host), " from now on, on this machine")


@click.command("remove", context_settings=HELP, epilog=examples("aura remote remove backup"))
@click.argument("name", shell_complete=completing("remote"))
@click.option("--force", is_flag=True, help="Even if offloaded content is nowhere else")
@json_option
@pass_repository
def remove_command(repo: "Repository", console: Console, name: str, *, force: bool) -> None:
    """Forget a remote; what is stored there stays"""
    config = remove_remote(repo, name) if force else forget_remote(repo, name)
    if console.as_json:
        console.data({"removed": name, "url": config.url})
        return
    console.line("Forgot ", cyan(name), f"; what is stored at {config.url} stays there")


def _is_trusted(repo: "Repository", config: "RemoteConfig") -> bool:
    """Tell whether keys are used there without asking anybody; an address that is none is never asked about."""
    from aura_vcs.sync.remotes.connect import credential_host

    try:
        host = credential_host(repo, config)
    except InvalidUrl:
        return False
    return agreements().is_trusted(host)


def _content_problems(repo: "Repository", name: str | None) -> list[str]:
    from aura_vcs.sync.maintenance.fsck import fsck_remote
    from aura_vcs.sync.state.snapshot import load_unremembered

    with connected(repo, name) as link:
        return [
            str(p)
            for p in fsck_remote(load_unremembered(repo, link.remote, link.cache), progress=repo.progress).problems
        ]


def _print_probe(console: Console, checked: "CheckedRemote") -> None:
    if checked.probe is None:
        console.line("  it can be read from")
    elif checked.probe.is_safe:
        console.line("  ", green("safe"), " for several machines: of racing writers exactly one wins")
    else:
        console.warn("only one machine may push there: " + "; ".join(checked.probe.faults))


def _to_json(checked: "CheckedRemote") -> dict[str, Any]:
    return {
        "name": checked.name,
        "url": checked.url,
        "safe": checked.probe.is_safe if checked.probe is not None else None,
        "faults": list(checked.probe.faults) if checked.probe is not None else [],
        "generation": checked.generation,
        "packs": checked.packs,
        "stored_bytes": checked.stored_bytes,
        "encrypted": bool(checked.encryption),
    }
