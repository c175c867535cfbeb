"""How a program is let in to remotes: what it says itself, or what an environment that it hands over says."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from aura_vcs.errors.remotes import RemoteLocked, RemoteUntrusted
from aura_vcs.storage.encryption.key_file import read_key_file
from aura_vcs.storage.encryption.master_key import Secret, passphrase_secret
from aura_vcs.storage.owners import studio_home
from aura_vcs.studio.remote_passphrases import stored_passphrase
from aura_vcs.sync.project_remote import open_project
from aura_vcs.sync.remotes.connect import Surroundings
from aura_vcs.sync.remotes.encryption import Ask, SecretRequest
from aura_vcs.sync.remotes.environment import surroundings_of
from aura_vcs.sync.remotes.trusted_hosts import TrustedHosts


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys for remotes. They are never stored in a project, and without them no keys are used.

    `passphrase` or `key_file` opens encrypted remotes; with `keyring`, so does a passphrase in the system's keyring
    (see `Remotes.remember`). `environment` is the environment of `ssh`, which gets only the part that it needs, and
    says whether there are keys for buckets. `hosts` may be used although only a project's settings name them, such
    as `ssh://nas:22`; those that the person agreed to with the command are in `home`, the folder of their studio.
    """

    passphrase: str | None = field(default=None, repr=False)
    key_file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts: frozenset[str] = frozenset()
    home: Path | None = None
    keyring: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Use what the command uses from the given environment: AURA_PASSPHRASE …"""
        key_file = environment.get("AURA_KEY_FILE")
        return cls(
            environment.get("AURA_PASSPHRASE") or None,
            Path(key_file) if key_file else None,
            environment,
            home=Path(studio_home(environment)),
            keyring=True,
        )

    def agree(self, host: str) -> Self:
        """Use a host that the person named from now on, and record that in their studio, if it is known."""
        if host and self.home is not None:
            TrustedHosts(str(self.home)).add(host)
        return replace(self, hosts=self.hosts | {host})

    def distrust(self, host: str) -> Self:
        """Stop using a host, and forget that it was agreed to."""
        if host and self.home is not None:
            TrustedHosts(str(self.home)).remove(host)
        return replace(self, hosts=self.hosts - {host})

    def trusts(self, host: str) -> bool:
        """Tell whether keys are used at a host without asking anybody; "" stands for no host."""
        return (
            not host or host in self.hosts or (self.home is not None and TrustedHosts(str(self.home)).is_trusted(host))
        )

    def _surroundings(self) -> Surroundings:
        """Build the surroundings that say how to connect."""
        return surroundings_of(self.environment, self._consent, open_project)

    def _ask_with(self, known: str) -> Ask:
        """Return a function that answers an encrypted remote; `known` is where its key file was the last time."""
        return lambda question: self._secret(question, known)

    def _secret(self, question: SecretRequest, known: str) -> Secret:
        path = self.key_file or (known if question.opens_with == "key-file" else None)
        if path and question.opens_with != "passphrase":
            return read_key_file(os.path.abspath(os.path.expanduser(path)))
        passphrase = self.passphrase or (stored_passphrase(question.key) if self.keyring else None)
        if passphrase is None or question.opens_with == "key-file":
            raise RemoteLocked(question.remote, "it is encrypted, and the credentials do not open it")
        return passphrase_secret(passphrase)

    def _consent(self, name: str, host: str) -> None:
        if not self.trusts(host):
            raise RemoteUntrusted(name, host)
