"""What `ssh` complains about, as one of our errors: its own words, and what a person can do.

It says the most important thing somewhere in the middle, and "Host key verification failed." last.
"""

import re
from collections.abc import Sequence

from aura_vcs.errors.remotes import RemoteDenied, RemoteError, RemoteUnreachable

LINES = 3
"""So many lines of what is not known are passed on."""
_NOISE = re.compile(r"@+|\s*|\*\*.*|Warning: Permanently added.*|debug\d:.*|Pseudo-terminal.*|Killed by signal.*")
_FINGERPRINT = re.compile(r"\b(SHA256:[A-Za-z0-9+/=]{20,60}|MD5:[0-9a-f:]{47})")
_REMOVE = re.compile(r'ssh-keygen -f "?[\w./~+-]+"? -R "?[\w.:\[\]-]+"?')


def ssh_error(place: str, host: str, lines: Sequence[str]) -> RemoteError:
    """Make the error for a connection that `ssh` could not make; `host` is what it was asked to connect to."""
    said = [line.strip() for line in lines if not _NOISE.fullmatch(line)]
    text = "\n".join(said)
    if "HOST IDENTIFICATION HAS CHANGED" in text or "has changed and you have requested strict checking" in text:
        return _changed(place, host, said)
    if "Host key verification failed" in text:
        why = _line(said, "host key is known", "authenticity of host") or "Host key verification failed."
        return RemoteDenied(
            place,
            f"{why} The host is not known yet.",
            hint=f"Connect once with `ssh {host}` and compare its fingerprint.",
        )
    if denied := _line(said, "ermission denied", "Too many authentication failures"):
        return RemoteDenied(place, denied, hint=f"`ssh {host}` must work without aura first.")
    if unknown := _line(said, "Could not resolve hostname"):
        return RemoteUnreachable(place, unknown, hint="Check the host's name, and whether this machine is online.")
    if refused := _line(said, "Connection refused", "No route to host", "timed out", "Network is unreachable"):
        return RemoteUnreachable(
            place,
            refused,
            hint="Check that the machine is on and reachable, then run the command again: it continues.",
        )
    return RemoteUnreachable(place, "; ".join(said[-LINES:]) or "the connection ended")


def _changed(place: str, host: str, said: Sequence[str]) -> RemoteDenied:
    key = _FINGERPRINT.search("\n".join(said))
    line = _line(said, "has changed and you have requested") or f"The host key of {host} has changed."
    remove = _line(said, "ssh-keygen")
    if not _REMOVE.fullmatch(remove):  # a far side may print what it likes
        remove = f"ssh-keygen -R {host.rpartition('@')[2]}"
    return RemoteDenied(
        place,
        f"{line}{f' It is {key[1]} now.' if key else ''} Somebody may be listening in, or it was reinstalled",
        hint=f"Ask its keeper for the fingerprint. If it is the same: `{remove}`, then connect once with `ssh {host}`.",
    )


def _line(said: Sequence[str], *words: str) -> str:
    """Return the last line that has one of the words, "" if none has."""
    return next((line for line in reversed(said) if any(word in line for word in words)), "")
