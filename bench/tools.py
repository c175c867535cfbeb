"""The tools that are compared: how each begins a store, saves a folder, and brings it back.

All save the same folder, in turns. A tool that keeps its store inside (`.git`, `.hg`, `.aura`) has
it moved in for the measured command and out after it; renaming costs nothing and is not measured.
"""

import os
import shutil
import sys
from collections.abc import Mapping

from bench.measure import Sample, run


def aura_command() -> str:
    """The installed `aura`, beside the Python that runs us."""
    path = shutil.which("aura", path=os.path.dirname(sys.executable))
    if path is None:
        raise SystemExit("`aura` is not installed beside this Python: run `make venv` first.")
    return path


def environment(home: str) -> dict[str, str]:
    """Nothing of the person's own settings; caches and settings of all tools under `home`."""
    os.makedirs(home, exist_ok=True)
    return {
        "PATH": f"{os.path.dirname(sys.executable)}:{os.environ.get('PATH', os.defpath)}",
        "LANG": "C.UTF-8",
        "HOME": home,
        "AURA_HOME": os.path.join(home, "aura"),
        "AURA_AUTHOR": "bench",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "bench",
        "GIT_AUTHOR_EMAIL": "bench@example.org",
        "GIT_COMMITTER_NAME": "bench",
        "GIT_COMMITTER_EMAIL": "bench@example.org",
        "HGRCPATH": "",
        "HGUSER": "bench",
        "BORG_BASE_DIR": home,
        "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
        "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        "RESTIC_CACHE_DIR": os.path.join(home, "restic"),
        "RESTIC_PASSWORD": "bench",
    }


class Tool:
    """One tool. `inside` is the name of its store where it keeps that in the folder."""

    name = ""
    inside: str | None = None
    begin_commands: tuple[str, ...] = ()
    save_command = ""
    checkout_command = ""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env

    def begin(self, folder: str, store: str) -> None:
        """Make an empty store."""
        for command in self.begin_commands:
            self._shell(command, folder, store)
        self._out(folder, store)

    def save(self, folder: str, store: str, name: str = "bench") -> Sample:
        """Save the folder, measured."""
        return self.measured(self.save_command, folder, store, name)

    def checkout(self, folder: str, store: str, name: str = "bench") -> Sample:
        """Put what was saved into the folder, which is empty; measured."""
        return self.measured(self.checkout_command, folder, store, name)

    def measured(self, command: str, folder: str, store: str, name: str = "bench") -> Sample:
        """Run one command of the tool's with its store in place."""
        self._in(folder, store)
        try:
            return self._shell(command, folder, store, name)
        finally:
            self._out(folder, store)

    def _shell(self, command: str, folder: str, store: str, name: str = "bench") -> Sample:
        """A single command is run as it is; a shell starts only for those that are two."""
        env = {**self.env, "STORE": store, "NAME": name, "FOLDER": folder}
        if any(sign in command for sign in "$&*"):
            return run(["sh", "-c", command], folder, env)
        return run(command.split(" "), folder, env)

    def _in(self, folder: str, store: str) -> None:
        if self.inside:
            os.rename(store, os.path.join(folder, self.inside))

    def _out(self, folder: str, store: str) -> None:
        if self.inside:
            os.rename(os.path.join(folder, self.inside), store)


class Aura(Tool):
    """What is measured."""

    name = "aura"
    inside = ".aura"

    def __init__(self, env: Mapping[str, str]) -> None:
        super().__init__(env)
        self.command = aura_command()
        self.begin_commands = (f"{self.command} init --title bench",)
        self.save_command = f"{self.command} commit -m bench"
        self.checkout_command = f"{self.command} checkout v1 --clean"  # else what was removed stays so

    def begin(self, folder: str, store: str) -> None:
        """See Tool. `init` adds a project.json, which stays as the others save it too."""
        super().begin(folder, store)


class Git(Tool):
    """As it comes: it does not sync loose objects to disk."""

    name = "git"
    inside = ".git"
    begin_commands = ("git init -q",)
    save_command = "git add -A && git commit -q -m bench"
    checkout_command = "git checkout -q -f HEAD"


class Mercurial(Tool):
    """As it comes."""

    name = "hg"
    inside = ".hg"
    begin_commands = ("hg init",)
    save_command = "hg -q addremove && hg commit -m bench"
    checkout_command = "hg update -q -C tip"


class Borg(Tool):
    """Without encryption and with its own choice of compression."""

    name = "borg"
    begin_commands = ('borg init -e none "$STORE"',)
    save_command = 'borg create "$STORE::$NAME" .'
    checkout_command = 'borg extract "$STORE::$NAME"'


class Restic(Tool):
    """It always encrypts."""

    name = "restic"
    begin_commands = ('restic -q -r "$STORE" init',)
    save_command = 'restic -q -r "$STORE" backup .'
    checkout_command = 'restic -q -r "$STORE" restore latest --target "$FOLDER"'


class Copy(Tool):
    """`cp` and a sync: the least that any tool must do."""

    name = "cp"
    begin_commands = ('mkdir "$STORE"',)
    save_command = 'cp -r . "$STORE/$NAME" && sync -f "$STORE"'
    checkout_command = 'cp -r "$STORE/$NAME/." . && sync -f .'


TOOLS = (Aura, Git, Borg, Restic, Mercurial, Copy)


def present(wanted: list[str] | None, env: Mapping[str, str]) -> dict[str, Tool]:
    """The tools on this machine, `aura` first; of the others only those that are wanted."""
    found: dict[str, Tool] = {}
    for kind in TOOLS:
        asked = kind is Aura or wanted is None or kind.name in wanted
        if asked and (kind is Aura or shutil.which(kind.name)):
            found[kind.name] = kind(env)
    return found


def stored_bytes(folder: str, *, blocks: bool = False, without: str | None = None) -> int:
    """Bytes of all files below a folder, as they say or (with `blocks`) as the disk gives them away."""
    total = os.lstat(folder).st_blocks * 512 if blocks else 0
    for path, folders, files in os.walk(folder):
        if without in folders:
            folders.remove(without)
        for name in [*files, *(folders if blocks else ())]:
            found = os.lstat(os.path.join(path, name))
            total += found.st_blocks * 512 if blocks else found.st_size
    return total
