"""Addresses of remotes: what a person writes, taken apart strictly.

    /mnt/nas/film, ../film, file:///mnt/nas/film     a folder
    ssh://user@host:port/path, user@host:path        a folder on another machine, by ssh
    s3://bucket/prefix?endpoint=…&region=…           a bucket; also gs:// and az://
    https://host/path                                a published folder, to read

Only these forms are known; everything else is refused. Hosts and users that could be taken for
options (git's CVE-2017-1000117), control characters (CVE-2020-5260) and passwords are refused too,
and a refused address is never repeated with its password in it.
"""

import os
import re

import msgspec

from aura_vcs.errors import place_without_password
from aura_vcs.errors.remotes import InvalidUrl
from aura_vcs.plain_text import path_text

_HOST = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]"
_USER = r"[A-Za-z0-9_]([A-Za-z0-9._-]{0,63})?"
_BUCKET = r"[a-z0-9][a-z0-9._-]{1,254}"
_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*)://"
_SHORT_SSH = r"(?s)(?:(?P<user>[^@/\\]*)@)?(?P<host>\[[^\]/]*\]|[^:/\\@]+):(?P<path>.*)"
_PROPER = {
    "endpoint": r"https?://[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?",
    "region": r"[A-Za-z0-9-]{1,60}",
    "account": r"[a-z0-9-]{1,60}",
    "path_style": r"true|false",
}
"""Region and account become parts of a host's name: a dot or slash in them would make it another host."""
_KINDS = {"ssh": "ssh", "s3": "s3", "gs": "gs", "az": "az", "http": "http", "https": "http", "file": "folder"}
_PARAMETERS = {
    "s3": {"endpoint", "region", "path_style"},
    "gs": {"endpoint"},
    "az": {"endpoint", "account"},
}
URL_LIMIT = 2000
PARAMETER_LIMIT = 300


class Address(msgspec.Struct, frozen=True):
    """An address, taken apart. `kind` is folder, ssh, s3, gs, az or http; `text` is how it is shown.

    `path` is a folder's path, the path on the host, or the prefix in the bucket without slashes at
    its ends. `host` is the bucket for buckets.
    """

    kind: str
    text: str
    path: str
    host: str = ""
    user: str = ""
    port: int | None = None
    parameters: dict[str, str] = {}


def parse_address(url: str, folder: str = ".") -> Address:
    """Parse the address that `url` is; relative paths are looked for from `folder`.

    Raises:
        InvalidUrl: not an address, or not a safe one.
    """
    shown = redacted(url)
    if not url or len(url) > URL_LIMIT:
        raise InvalidUrl(shown[:80], "an address has between 1 and 2000 characters")
    if any(ord(c) < 32 or ord(c) == 127 for c in url) or url != url.strip():
        raise InvalidUrl(shown, "it has control characters, or blanks at its ends")
    if url.startswith("-"):
        raise InvalidUrl(shown, "it would be taken for an option")
    match = re.match(_SCHEME, url) if "://" in url else None
    if match is not None:
        kind = _KINDS.get(match[1].lower())
        if kind is None:
            raise InvalidUrl(shown, f"{match[1]}:// is not known")
        return _with_scheme(kind, url, shown)
    if "::" in url and not url.startswith(("/", ".", "[")):
        raise InvalidUrl(shown, "a helper program cannot be named in an address")
    short = re.fullmatch(_SHORT_SSH, url) if ":" in url else None
    if short is not None and not _is_drive(url):
        return _ssh(shown, short["user"], short["host"], None, short["path"])
    path = os.path.abspath(os.path.join(folder, os.path.expanduser(url)))
    return Address("folder", path_text(path), path)


def redacted(url: str) -> str:
    """Return the address without a password, and without what else might be a secret in it."""
    text = place_without_password(re.sub(r"(?<=://)[^/@\s]*:[^/@\s]*@", "***@", url) if "@" in url else url)
    if "=" in text:
        text = re.sub(r"([?&](?!(?:endpoint|region|path_style|account)=)[^=&]*=)[^&]*", r"\1***", text)
    return "".join(c if c.isprintable() else "?" for c in text)


def _is_drive(url: str) -> bool:
    return re.match(r"[A-Za-z]:([\\/]|$)", url) is not None and os.name == "nt"


def _with_scheme(kind: str, url: str, shown: str) -> Address:
    from urllib.parse import unquote, urlsplit  # a folder's path needs none of it

    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidUrl(shown, str(error)) from error
    if parts.password is not None:
        raise InvalidUrl(shown, "passwords do not belong in addresses", hint="Use a key, or the usual files.")
    if parts.fragment:
        raise InvalidUrl(shown, "it has a '#' part")
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    if kind == "folder":
        return _file(parts.netloc, unquote(parts.path, errors="surrogateescape"), shown)
    if kind == "ssh":
        if parts.query:
            raise InvalidUrl(shown, "it has a '?' part")
        return _ssh(shown, parts.username, host, port, unquote(parts.path, errors="surrogateescape"))
    if parts.username is not None:
        raise InvalidUrl(shown, "an account does not belong in this kind of address")
    if kind == "http":
        if parts.query:
            raise InvalidUrl(shown, "it has a '?' part")
        return _http(url, host, port, parts.path, shown)
    return _bucket(kind, parts.netloc, port, parts.path, parts.query, shown)


def _file(netloc: str, path: str, shown: str) -> Address:
    if netloc not in {"", "localhost"} or not path.startswith("/"):
        raise InvalidUrl(shown, "file:// is followed by an absolute path")
    if "\0" in path:
        raise InvalidUrl(shown, "it has control characters")
    return Address("folder", path_text(os.path.abspath(path)), os.path.abspath(path))


def _ssh(shown: str, user: str | None, host: str, port: int | None, path: str) -> Address:
    if not re.fullmatch(_HOST, host):
        raise InvalidUrl(shown, f"{host!r} is not the name of a host")
    if user is not None and not re.fullmatch(_USER, user):
        raise InvalidUrl(shown, f"{user.partition(':')[0]!r} is not the name of an account")
    if path.startswith("/~/"):
        path = path[3:]  # ssh://host/~/film: from the home folder
    if not path.strip("/") or path.startswith("-") or any(ord(c) < 32 or ord(c) == 127 for c in path):
        raise InvalidUrl(shown, "it has no valid path")
    at = f"{user}@" if user else ""
    place = _quoted(path.lstrip("/"))
    text = f"ssh://{at}{host}{f':{port}' if port else ''}/{'~/' if not path.startswith('/') else ''}{place}"
    return Address("ssh", text, path, host.strip("[]"), user or "", port)


def _quoted(path: str) -> str:
    """Return a path as an address has it: what would be read as something else there, and bytes that are no text."""
    from urllib.parse import quote

    odd = {c for c in path if c in "%?#" or "\udc80" <= c <= "\udcff"}
    return "".join(quote(c, errors="surrogateescape", safe="") if c in odd else c for c in path) if odd else path


def _http(url: str, host: str, port: int | None, path: str, shown: str) -> Address:
    if not re.fullmatch(_HOST, host):
        raise InvalidUrl(shown, f"{host!r} is not the name of a host")
    return Address("http", url.rstrip("/"), path.strip("/"), host, "", port)


def _bucket(kind: str, bucket: str, port: int | None, path: str, query: str, shown: str) -> Address:
    from urllib.parse import unquote

    if port is not None or not re.fullmatch(_BUCKET, bucket):
        raise InvalidUrl(shown, f"{bucket!r} is not the name of a bucket")
    prefix = unquote(path).strip("/")
    if any(part in {"", ".", ".."} for part in prefix.split("/")) and prefix:
        raise InvalidUrl(shown, "its prefix has empty or dotted parts")
    return Address(kind, shown, prefix, bucket, "", None, _parameters(kind, query, shown))


def _parameters(kind: str, query: str, shown: str) -> dict[str, str]:
    from urllib.parse import parse_qsl

    try:
        pairs = parse_qsl(query, strict_parsing=True, keep_blank_values=True) if query else []
    except ValueError as error:
        raise InvalidUrl(shown, "its '?' part cannot be read") from error
    for name, value in pairs:
        if name not in _PARAMETERS[kind]:
            raise InvalidUrl(
                shown, f"{name!r} cannot be set there", hint="Credentials come from the environment or the usual files."
            )
        if len(value) > PARAMETER_LIMIT or not re.fullmatch(_PROPER[name], value):
            why = "is not an http address" if name == "endpoint" else "has no valid value"
            raise InvalidUrl(shown, f"{name!r} {why}")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidUrl(shown, "something is set twice in its '?' part")
    _check_port(found.get("endpoint", ""), shown)
    return found


def _check_port(endpoint: str, shown: str) -> None:
    port = re.match(r"https?://[^/]*:([0-9]+)", endpoint)
    if port is not None and not 0 < int(port[1]) < 65536:
        raise InvalidUrl(shown, f"{port[1]} is not a port")
