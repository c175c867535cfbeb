"""Running git so that it obeys nobody's configuration, and so that what it says is read."""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping

from aura_vcs.errors.interchange import GitUnavailable

STDERR_LIMIT = 2000
_SCHEME = re.compile(r"(https?|ssh|git|file)://|[^/\\:]+@[^/\\:]+:", re.ASCII)
_BARE = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file",
    "LC_ALL": "C",
    "TZ": "UTC",
}
OPTIONS = (
    "-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never",
    "-c", "core.bigFileThreshold=16m", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
    "-c", "core.commitGraph=false", "-c", f"init.templateDir={os.devnull}",
)  # fmt: skip
DEFAULT_ENVIRONMENT: Mapping[str, str] = {"PATH": os.defpath}


def is_address(place: str) -> bool:
    """Tell whether a place is an address that git fetches from, not a folder."""
    return _SCHEME.match(place) is not None


def git_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that git runs in: what is given, and nothing of a configuration."""
    kept = {name: text for name, text in environment.items() if not name.startswith("GIT_")}
    return {**kept, **_BARE}


def run_git(arguments: Iterable[str], environment: Mapping[str, str], what: str, data: bytes | None = None) -> bytes:
    """Run git and return what it writes.

    Raises:
        GitUnavailable: it is not installed, or failed; says how.
    """
    try:
        done = subprocess.run(
            ["git", *OPTIONS, *arguments], env=environment, input=data or b"", capture_output=True, check=False
        )
    except OSError as error:
        raise GitUnavailable(what, "it is not installed") from error
    if done.returncode:
        raise GitUnavailable(what, _reason(done.stderr))
    return done.stdout


def _reason(stderr: bytes) -> str:
    lines = stderr[-STDERR_LIMIT:].decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("fatal: ") if lines else "it does not say why"
