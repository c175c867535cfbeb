"""Hosts that the person has agreed to, kept in the studio: `trusted_hosts.json`.

A project's settings travel with its folder: by a sync tool, in an archive, on a stick. Whoever wrote
them could name a host of their own, and the person's keys, tokens and SSH agent would be used there.
So what only a project names is asked about once for each host and scheme, on each machine. What the
person typed (`aura remote add`, `aura clone`) is agreed to by that.
"""

import os
from collections.abc import Callable

import msgspec

from aura_vcs.codec import decode_record, encode_record
from aura_vcs.errors.remotes import RemoteDenied
from aura_vcs.locks import ProcessLocks
from aura_vcs.plain_text import now
from aura_vcs.storage.local import LocalStorage
from aura_vcs.storage.remotes.web_hosts import is_loopback, web_host
from aura_vcs.sync.remotes.url import Address

TRUSTED_HOSTS = "trusted_hosts.json"
_BUCKETS = frozenset({"s3", "gs", "az"})

Consent = Callable[[str, str], None]
"""Called with a remote's name and its host (`host_of`) before a host that a project names gets credentials.

Raises RemoteUntrusted where the person has not agreed to it.
"""


class _TrustedFile(msgspec.Struct, frozen=True):
    """The file: hosts in the form of `host_of`, and when the person agreed to each."""

    hosts: dict[str, str] = {}


class TrustedHosts:
    """The hosts that were agreed to, in the studio's folder; nothing is made before one is added."""

    def __init__(self, folder: str) -> None:
        self._storage = LocalStorage(os.path.abspath(folder))

    def hosts(self) -> dict[str, str]:
        """Map each trusted host to when it was agreed to.

        Raises:
            RecordCorrupt: the file cannot be read.
        """
        try:
            data = self._storage.read(TRUSTED_HOSTS)
        except FileNotFoundError:
            return {}
        return decode_record(data, _TrustedFile, self._storage.path(TRUSTED_HOSTS)).hosts

    def is_trusted(self, host: str) -> bool:
        """Tell whether a host needs no question: it was agreed to, or gets no credentials ("")."""
        return not host or host in self.hosts()

    def add(self, host: str) -> None:
        """Keep that the person agreed to a host; "" is none, and changes nothing."""
        if not self.is_trusted(host):
            self._change(lambda hosts: {**hosts, host: now()})

    def remove(self, host: str) -> bool:
        """Ask about a host again from now on; whether it had been agreed to."""
        if host not in self.hosts():
            return False
        self._change(lambda hosts: {other: at for other, at in hosts.items() if other != host})
        return True

    def _change(self, changed: Callable[[dict[str, str]], dict[str, str]]) -> None:
        self._storage.make_folder("")
        with ProcessLocks(self._storage, "locks").exclusive("trusted-hosts"):
            hosts = dict(sorted(changed(self.hosts()).items()))
            self._storage.put(TRUSTED_HOSTS, encode_record(_TrustedFile(hosts)), private=True)


def host_of(address: Address, *, sealed: bool = False, windows: bool = os.name == "nt") -> str:
    """Return the scheme, host and port that credentials for a remote would go to, "" where none go anywhere.

    A folder gets none, unless it is a share that Windows signs in to. What a web server publishes gets
    none unless it is `sealed` (encrypted): its passphrase or key file is looked for then. Buckets
    begin with their kind, as each kind has credentials of its own: `s3+https://s3.example.org:9000`.
    """
    if address.kind == "folder":
        share = address.path.replace("\\", "/")
        return f"smb://{share.lstrip('/').split('/')[0].lower()}" if windows and share.startswith("//") else ""
    if address.kind == "http":
        return web_host(address.text) if sealed else ""
    if address.kind == "ssh":
        return f"ssh://{address.host.lower()}{f':{address.port}' if address.port else ''}"
    return f"{address.kind}+{_endpoint(address)}"


def check_line(address: Address) -> None:
    """Refuse a bucket that is reached by plain http, beyond this machine: keys and tokens can be read on the way.

    Raises:
        RemoteDenied.
    """
    if address.kind not in _BUCKETS or not (endpoint := _endpoint(address)).startswith("http://"):
        return
    host = endpoint.removeprefix("http://").rpartition(":")[0] or endpoint.removeprefix("http://")
    if not is_loopback(host):
        raise RemoteDenied(
            address.text,
            f"credentials are not sent to {endpoint}, because everybody on the way can read plain http",
            hint=f"Use an https:// endpoint, or a tunnel: `ssh -L 9000:{endpoint[7:]} HOST`, and "
            "endpoint=http://127.0.0.1:9000.",
        )


def _endpoint(address: Address) -> str:
    """Return scheme, host and port of a bucket's service."""
    given = address.parameters.get("endpoint")
    if given is not None:
        return web_host(given)
    if address.kind == "s3":
        return "https://amazonaws.com"
    if address.kind == "gs":
        return "https://storage.googleapis.com"
    account = address.parameters.get("account")
    return f"https://{account}.blob.core.windows.net" if account else "https://blob.core.windows.net"
