"""A remote refused, or cannot be used. The tree is drawn in `aura_vcs.errors`."""

from collections.abc import Sequence

from aura_vcs.errors import AuraError


class RemoteError(AuraError):
    """A remote refused. `remote` is its name or address, without credentials."""

    exit_code = 90

    def __init__(self, remote: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{remote}: {reason}", hint=hint)
        self.remote, self.reason = remote, reason


class RemoteUnreachable(RemoteError):
    """No connection, or nothing at that address."""

    exit_code = 91
    hint = "Check the address and the connection, then run the command again; it continues where it stopped."


class RemoteDenied(RemoteError):
    """Credentials or permissions are missing."""

    exit_code = 92
    hint = "Check the account's rights there. Credentials come from the environment or the usual files."


class RemoteMismatch(RemoteError):
    """There is no remote at that place, or it belongs to another project."""

    exit_code = 93
    hint = "`aura remote show` prints the address that is used."


class RemoteUnsafe(RemoteError):
    """It accepts conditional writes without enforcing them, so racing pushes would be lost."""

    exit_code = 94
    hint = "Use another kind of remote, or add it with --single-writer if only one machine ever pushes."

    def __init__(self, remote: str, faults: Sequence[str]) -> None:
        super().__init__(
            remote,
            f"two machines that push at once would overwrite each other's work there (tried just now: "
            f"{'; '.join(faults)})",
        )
        self.faults = tuple(faults)


class RemoteRewound(RemoteError):
    """It shows an older state than this machine has seen there; nothing was taken from it."""

    exit_code = 95
    hint = "If it was restored from a backup, accept that with `aura remote check NAME --accept`, then push."


class RemoteCorrupt(RemoteError):
    """It sent something wrong; nothing of it was kept."""

    exit_code = 96
    hint = (
        "Nothing here was changed. `aura fsck --remote NAME` says what is damaged there and which versions that "
        "affects; on a machine that has these, `aura repair --to NAME` repairs it."
    )


class PushRejected(RemoteError):
    """The remote has work that is not here; nothing there was changed."""

    exit_code = 97
    hint = "Run `aura sync`: it fetches, then pushes. Both versions are kept whatever happens."

    def __init__(
        self, remote: str, branch: str, there: str, *, is_here: bool = False, would_diverge: bool = False
    ) -> None:
        what = "and yours does not build on it" if is_here else "which is not here yet"
        text = f"branch {branch} has {there}, {what}"
        if would_diverge:
            text = f"branch {branch} would diverge there: {there} and your newest version do not build on each other"
        super().__init__(remote, text)
        self.branch, self.there = branch, there
        if is_here or would_diverge:
            self.hint = "Merge the two with `aura merge`, or send both as they are with `aura sync`."


class RemoteFull(RemoteError):
    """The remote has no space or quota left; nothing there was changed."""

    exit_code = 104
    hint = "Free space there (`aura gc --remote NAME --dry-run` says how much that would be), then run it again."


class RemoteUntrusted(RemoteError):
    """Only the project's files name that host, and the person has not agreed to it; nothing was sent there."""

    exit_code = 103

    def __init__(
        self, remote: str, host: str, *, named_by: str = "this project's settings name", hint: str | None = None
    ) -> None:
        super().__init__(
            remote,
            f"only {named_by} {host}; your keys and tokens are not used there until you agree",
            hint=hint
            or f"If you know that host: `aura remote trust {remote}`. These settings may come from a copied folder.",
        )
        self.host = host


class InvalidUrl(RemoteError):
    """Not the address of a remote, or one that could be used to run something."""

    exit_code = 98
    hint = "Addresses are a folder, ssh://user@host/path, host:path, s3://, gs://, az:// or https://…"


class HelperMissing(RemoteError):
    """Something that this kind of remote needs is not installed; `extra` names the optional part that brings it."""

    exit_code = 99

    def __init__(self, remote: str, reason: str, *, hint: str | None = None, extra: str = "") -> None:
        super().__init__(remote, reason, hint=f"Install it with: pip install 'aura-vcs[{extra}]'" if extra else hint)
        self.extra = extra


class PathLocked(RemoteError):
    """Somebody else has locked the file; nothing was changed."""

    exit_code = 100

    def __init__(self, remote: str, path: str, holder: str, reason: str, *, hint: str) -> None:
        super().__init__(remote, f"{path} is locked by {holder}{f': {reason}' if reason else ''}", hint=hint)
        self.path, self.holder = path, holder


class LocksUnsupported(RemoteError):
    """A remote of that kind cannot decide between locks that are taken at the same moment."""

    exit_code = 101
    hint = "Locks need a folder, SSH or a bucket that several machines may push to: `aura remote list`."


class RemoteLocked(RemoteError):
    """It is encrypted, and no passphrase or key file was given that opens it; nothing was written."""

    exit_code = 102
    hint = "Set AURA_PASSPHRASE or AURA_KEY_FILE, or run the command in a terminal: it asks."
