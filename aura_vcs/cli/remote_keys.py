"""Where passphrases and key files of encrypted remotes come from; nothing of them is stored in a project.

A passphrase: AURA_PASSPHRASE, the system's keyring, or the person at the terminal. A key file:
--key-file, AURA_KEY_FILE, or where this machine found it the last time.
"""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aura_vcs.cli.output.console import Console, escape, is_terminal
from aura_vcs.errors.remotes import RemoteLocked

if TYPE_CHECKING:
    from aura_vcs.storage.encryption.master_key import Secret
    from aura_vcs.sync.remotes.encryption import SecretRequest

F = TypeVar("F", bound=Callable[..., Any])


def key_options(command: F) -> F:
    """Add `--key-file` and `--remember`: how an encrypted remote is opened."""
    command = click.option(
        "--remember", is_flag=True, help="Keep the passphrase in the system's keyring, so that nobody is asked again"
    )(command)
    return click.option(
        "--key-file", metavar="FILE", help="Open what is encrypted with this key file instead of a passphrase"
    )(command)


class KeyHolder:
    """Answers what an encrypted remote asks for.

    `key_file` was named by the person, `known` is where this machine found it the last time.
    `folders` are those in which no new key file may lie.
    """

    def __init__(
        self, console: Console, *, key_file: str | None = None, known: str = "", folders: tuple[str, ...] = ()
    ) -> None:
        self._console = console
        self._named = key_file or os.environ.get("AURA_KEY_FILE", "")
        self._known = known
        self._folders = folders
        self._used = ""
        self.key_file = ""
        """The key file that was used, "" if a passphrase was."""

    def __call__(self, question: "SecretRequest") -> "Secret":
        """Find the passphrase or key.

        Raises:
            RemoteLocked: there is none, and nobody to ask.
        """
        if question.opens_with == "":
            return self._new_key(self._named) if self._named else self._passphrase(question)
        if question.opens_with == "key-file":
            return self._key(question)
        return self._passphrase(question)

    def remember(self, key: str) -> None:
        """Keep the passphrase that was used in the system's keyring."""
        from aura_vcs.studio.remote_passphrases import keep_passphrase

        if self._used and not keep_passphrase(key, self._used):
            self._console.warn("no keyring works here: the passphrase was not saved")

    def _key(self, question: "SecretRequest") -> "Secret":
        path = self._named or self._known
        if not path:
            raise RemoteLocked(
                question.remote,
                "it opens with a key file, and none was named",
                hint="Name it with --key-file, or in AURA_KEY_FILE.",
            )
        return self._read_key(path)

    def _read_key(self, path: str) -> "Secret":
        from aura_vcs.storage.encryption.key_file import read_key_file

        self.key_file = os.path.abspath(os.path.expanduser(path))
        return read_key_file(self.key_file)

    def _new_key(self, path: str) -> "Secret":
        """Read the key in a file that is there, or make one."""
        from aura_vcs.storage.encryption.key_file import make_key_file

        path = os.path.abspath(os.path.expanduser(path))
        if make_key_file(path, self._folders):
            self._console.note(f"Made the key file {path}: without it nobody can read the remote. Keep a copy.")
        return self._read_key(path)

    def _passphrase(self, question: "SecretRequest") -> "Secret":
        from aura_vcs.storage.encryption.master_key import passphrase_secret
        from aura_vcs.studio.remote_passphrases import stored_passphrase

        found = os.environ.get("AURA_PASSPHRASE") or stored_passphrase(question.key)
        if found:
            self._used = found
            return passphrase_secret(found)
        if self._console.as_json or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            raise RemoteLocked(question.remote, "it is encrypted, and no passphrase was given")
        new = question.opens_with == ""
        if new:
            self._console.note("Without the passphrase nobody can read the remote, you included. Keep it safe.")
        words = "New passphrase" if new else "Passphrase"
        self._used = click.prompt(
            f"{words} of {escape(question.remote)}", hide_input=True, confirmation_prompt=new, err=True
        )
        return passphrase_secret(self._used)
