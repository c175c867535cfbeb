"""The remotes of a project: their names and addresses in `.aura/config.json`, never a credential."""

import os
from typing import Any

import msgspec

from aura_vcs.codec import decode_record, encode_record, from_plain, to_plain
from aura_vcs.errors import InputError
from aura_vcs.errors.input import NameTaken, UnknownName
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.layout import CONFIG, CONFIG_COPY, check_name
from aura_vcs.repository.repository import Repository
from aura_vcs.suggestions import suggest
from aura_vcs.sync.remotes.url import Address, parse_address
from aura_vcs.sync.state.cache import RemoteCache

DEFAULT_REMOTE = "origin"
_KEY = "remotes"


class RemoteConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    """A remote as the project's settings have it. With `single_writer`, only one machine pushes there.

    With `partial`, large content comes from there only when it is needed.

    `encryption` names the key under which everything there is sealed, "" where nothing is. It is
    no secret; the passphrase is never stored.
    """

    url: str
    single_writer: bool = False
    encryption: str = ""
    partial: bool = False


def remotes(repo: Repository) -> dict[str, RemoteConfig]:
    """Read the remotes by name.

    Raises:
        RecordCorrupt: the project's settings cannot be read.
    """
    found = _settings(repo).get(_KEY, {})
    table = from_plain(found, dict[str, RemoteConfig], CONFIG)
    return {check_name("remote", name): table[name] for name in sorted(table)}


def remote_config(repo: Repository, name: str | None) -> tuple[str, RemoteConfig]:
    """Find a remote by its name; without one, `origin` or the only one.

    Raises:
        UnknownName: there is none of that name. InputError: none at all, or several to choose from.
    """
    known = remotes(repo)
    if name is None:
        if not known:
            raise InputError("This project has no remote", hint="Add one with `aura remote add origin PLACE`.")
        if DEFAULT_REMOTE not in known and len(known) > 1:
            raise InputError(f"There are several remotes: {', '.join(known)}", hint="Name the one that is meant.")
        name = DEFAULT_REMOTE if DEFAULT_REMOTE in known else next(iter(known))
    if name not in known:
        raise UnknownName("remote", name, suggest(name, known), hint="`aura remote list` shows them.")
    return name, known[name]


def address_of(repo: Repository, config: RemoteConfig) -> Address:
    """Return the address of a remote; a relative folder counts from the project's."""
    return parse_address(config.url, repo.root)


def location_key(address: Address) -> tuple[object, ...]:
    """Build a key that is equal for two remotes that are one place under two names: it is one copy, not two."""
    if address.kind == "folder":
        try:
            found = os.stat(address.path)
            return "folder", found.st_dev, found.st_ino
        except OSError:
            return "folder", os.path.realpath(address.path)
    return address.kind, address.user or "", address.host, address.port or 0, address.path.rstrip("/")


def set_remote(repo: Repository, name: str, config: RemoteConfig, *, replace: bool = False) -> None:
    """Enter a remote in the project's settings; other settings stay.

    Raises:
        InvalidName, NameTaken.
    """
    check_name("remote", name)
    with repo.locks.exclusive("refs"):
        if name in remotes(repo) and not replace:
            raise NameTaken("remote", name, hint=f"Remove it first with `aura remote remove {name}`.")
        settings = _settings(repo)
        settings[_KEY] = {**settings.get(_KEY, {}), name: to_plain(config)}
        _put_settings(repo, settings)


def remove_remote(repo: Repository, name: str) -> RemoteConfig:
    """Take a remote out of the settings; what lies there stays there.

    Raises:
        UnknownName: there is none of that name.
    """
    found = remote_config(repo, name)[1]
    with repo.locks.exclusive("refs"):
        settings = _settings(repo)
        settings[_KEY] = {other: value for other, value in settings[_KEY].items() if other != name}
        _put_settings(repo, settings)
    RemoteCache(repo, name).clear()
    return found


def forget_remote(repo: Repository, name: str) -> RemoteConfig:
    """Take a remote out of the settings, if no offloaded content is at it alone.

    Raises:
        UnknownName: there is none of that name. InputError: content would be out of reach.
    """
    if files := only_at(repo, name):
        many = f"{len(files):,} offloaded file{'s' * (len(files) != 1)}"
        raise InputError(
            f"{name} alone holds {many}, such as {files[0]}",
            hint="Bring them back first with `aura fetch --content`, or say --force.",
        )
    return remove_remote(repo, name)


def only_at(repo: Repository, name: str) -> list[str]:
    """List paths of files that are offloaded to this remote, and to no other that the project knows."""
    known = remotes(repo).keys() - {name}
    recorded = repo.store.offloaded.all().values()
    return [entry.path for entry in recorded if name in entry.remotes and not entry.remotes.keys() & known]


def _put_settings(repo: Repository, settings: dict[str, Any]) -> None:
    """Replace the project's settings, and this machine's copy of them, from which `aura repair` mends the file."""
    data = encode_record(settings)
    repo.storage.put(CONFIG, data)
    repo.storage.put(CONFIG_COPY, data)


def _settings(repo: Repository) -> dict[str, Any]:
    try:
        return decode_record(repo.storage.read(CONFIG), dict[str, Any], CONFIG)
    except FileNotFoundError:
        return {}
    except RecordCorrupt as error:
        error.hint = "`aura repair` repairs it, if this machine has a copy; else remove it and add the remotes again."
        raise
