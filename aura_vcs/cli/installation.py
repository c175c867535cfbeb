"""How this program was installed: which command adds an extra, and which versions its parts have."""

import platform
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

NAME = "aura-vcs"
PARTS = ("click", "blake3", "zstandard", "msgspec", "pyfastcdc", "cryptography", "watchfiles", "rich")
OPTIONAL_PARTS = ("av", "pillow", "keyring", "obstore", "botocore", "pyaaf2", "mcp", "c2pa-python")
_TEXT_LIMIT = 1 << 20


def how_to_install(extra: str) -> str:
    """Return the command that adds an extra to this installation, to be pasted into a shell.

    It differs between an installation by pipx, by `uv tool`, from a clone, from a file, and by pip;
    each works whether or not an environment is active in the person's shell.
    """
    import shlex  # asking for versions needs none of it

    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").is_file():
        return shlex.join(["pipx", "inject", NAME, *_needed_by(extra)])
    source = _source()
    if (prefix / "uv-receipt.toml").is_file():
        return shlex.join(["uv", "tool", "install", "--force", _with_extra(source, extra)])
    pip = [sys.executable or "python", "-m", "pip", "install"]
    editable = ["-e"] if source.get("dir_info", {}).get("editable") else []
    return shlex.join([*pip, *editable, _with_extra(source, extra)])


def _with_extra(source: dict[str, Any], extra: str) -> str:
    """Return what installers call this package with the extra: by its name, or by where it came from."""
    from urllib.parse import unquote, urlsplit

    url = source.get("url", "")
    if "dir_info" in source and url.startswith("file:"):
        return f"{unquote(urlsplit(url).path)}[{extra}]"
    return f"{NAME}[{extra}] @ {url}" if url else f"{NAME}[{extra}]"


def _needed_by(extra: str) -> list[str]:
    """Return the requirements of an extra; the package itself with that extra where they are not known."""
    found = _installed()
    marked = [line.partition(";") for line in (found.requires if found else None) or []]
    asked = {f'extra == "{extra}"', f"extra == '{extra}'"}
    return [line.strip() for line, _, marker in marked if marker.strip() in asked] or [f"{NAME}[{extra}]"]


def _source() -> dict[str, Any]:
    """Return what PEP 610 records of where this was installed from; empty where it came from an index."""
    import json

    found = _installed()
    try:
        text = (found.read_text("direct_url.json") if found else None) or "{}"
        value = json.loads(text[:_TEXT_LIMIT])
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _installed() -> Distribution | None:
    try:
        return distribution(NAME)
    except PackageNotFoundError:
        return None


def own_version() -> str:
    """Return the version of aura_vcs itself, which only pyproject.toml says."""
    return _version(NAME) or "unknown"


def parts() -> list[tuple[str, str]]:
    """Return the versions of everything that takes part: Python, SQLite, packages; "" for what is not installed."""
    import sqlite3

    found = [("python", platform.python_version()), ("sqlite", sqlite3.sqlite_version)]
    return found + [(name, _version(name)) for name in (*PARTS, *OPTIONAL_PARTS)]


def _version(name: str) -> str:
    """Read the version of a package from the line that says it: parsing all that is said of it takes 1 ms each."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return ""
    head = (found.read_text("METADATA") or "").partition("\n\n")[0]
    said = [line.removeprefix("Version:").strip() for line in head.splitlines() if line.startswith("Version:")]
    return said[0] if said else found.version
