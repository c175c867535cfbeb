"""Sensitive values in a real keyring: the package `keyring` with backends of its own kind."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from aura_vcs.errors.studio import SecretUnavailable
from aura_vcs.studio.configuration import get_configuration, secret_value, set_configuration, unset_configuration
from aura_vcs.studio.folder import KEY
from aura_vcs.studio.secret_store import working_keyring
from aura_vcs.studio.studio import Studio
from keyring.backends import fail, null
from keyrings.alt.file import PlaintextKeyring

from tests.cli.conftest import AURA
from tests.studio.keyring_in_a_file import FileKeyring, LockedKeyring
from tests.studio.test_configuration import SECRET, every_byte

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileKeyring]:
    """The system's keyring is one of ours while the test runs."""
    monkeypatch.setenv("TEST_KEYRING_FILE", str(tmp_path / "ring.json"))
    before, made = keyring.get_keyring(), FileKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


def kept(tmp_path: Path) -> list[str]:
    """The passwords in the keyring."""
    path = tmp_path / "ring.json"
    return list(json.loads(path.read_text()).values()) if path.exists() else []


def test_a_secret_lies_in_the_keyring_alone(studio: Studio, ring: FileKeyring, tmp_path: Path) -> None:
    """It is kept, revealed, replaced and taken away there; the studio has neither the value nor a key file."""
    assert working_keyring() is ring
    assert set_configuration(studio, "llm.api_key", SECRET).protection == "keyring"
    assert kept(tmp_path) == [SECRET]
    assert SECRET.encode() not in every_byte(studio)
    assert not os.path.exists(studio.folder.storage.path(KEY))
    assert get_configuration(studio, "llm.api_key", reveal=True).value == SECRET
    set_configuration(studio, "llm.api_key", "another")
    assert (secret_value(studio, "llm.api_key"), kept(tmp_path)) == ("another", ["another"])
    unset_configuration(studio, "llm.api_key")
    assert kept(tmp_path) == []


def test_two_studios_share_a_keyring(ring: FileKeyring, tmp_path: Path) -> None:
    """The same key of two studios is two entries."""
    for name in ("one", "two"):
        with Studio(str(tmp_path / name), user="mira") as studio:
            set_configuration(studio, "llm.api_key", name)
    with Studio(str(tmp_path / "one"), user="mira") as studio:
        assert secret_value(studio, "llm.api_key") == "one"


def test_what_the_keyring_lost_is_said(studio: Studio, ring: FileKeyring, tmp_path: Path) -> None:
    """An entry that was removed elsewhere, or a keyring that no longer works, is an error that says so."""
    set_configuration(studio, "llm.api_key", SECRET)
    (tmp_path / "ring.json").unlink()
    with pytest.raises(SecretUnavailable, match="the keyring does not have it"):
        secret_value(studio, "llm.api_key")
    keyring.set_keyring(fail.Keyring())
    with pytest.raises(SecretUnavailable):
        secret_value(studio, "llm.api_key")


@pytest.mark.parametrize("backend", [fail.Keyring, null.Keyring, LockedKeyring, PlaintextKeyring])
def test_a_keyring_that_keeps_nothing_safe_is_not_used(
    studio: Studio, ring: FileKeyring, backend: type[keyring.backend.KeyringBackend]
) -> None:
    """None, one that forgets, a locked one, and one that writes plain text: the value is encrypted instead."""
    keyring.set_keyring(backend())
    assert set_configuration(studio, "llm.api_key", SECRET).protection == "aes-gcm"
    assert SECRET.encode() not in every_byte(studio)
    assert secret_value(studio, "llm.api_key") == SECRET


@pytest.mark.parametrize(
    ("backend", "word"),
    [
        ("tests.studio.keyring_in_a_file.FileKeyring", "It is kept in the system's keyring"),
        ("tests.studio.keyring_in_a_file.LockedKeyring", "no keyring works here"),
        ("keyring.backends.null.Keyring", "no keyring works here"),
    ],
)
def test_the_command_says_where_a_secret_lies(tmp_path: Path, backend: str, word: str) -> None:
    """As processes: one sets it and says aloud how it is kept, the next one reveals it."""
    env = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AURA_HOME": str(tmp_path / "studio"),
        "PYTHON_KEYRING_BACKEND": backend, "TEST_KEYRING_FILE": str(tmp_path / "ring.json"), "PYTHONPATH": str(ROOT),
    }  # fmt: skip

    def aura(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [*AURA, "-C", str(tmp_path), "config", *arguments]
        return subprocess.run(command, env=env, input=text, capture_output=True, text=True, check=True)

    done = aura("set", "llm.api_key", "--stdin", text=SECRET + "\n")
    assert word in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert SECRET not in aura("get", "llm.api_key").stdout
    assert SECRET in aura("get", "llm.api_key", "--reveal").stdout
    assert kept(tmp_path) == ([SECRET] if "FileKeyring" in backend else [])


SECRET_SERVICE = """
printf 'session\\n' | gnome-keyring-daemon --unlock --components=secrets >/dev/null
printf %s "$SECRET" | "$@" set llm.api_key --stdin
"$@" get llm.api_key --reveal
"$@" unset llm.api_key
"$@" get llm.api_key --reveal
"""


def test_the_secret_service_of_a_desktop_keeps_it(tmp_path: Path) -> None:
    """A real one, in a session bus of its own: kept, revealed and taken away, and never in the studio's files."""
    for program in ("dbus-run-session", "gnome-keyring-daemon"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    (tmp_path / "run").mkdir(mode=0o700)
    env = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AURA_HOME": str(tmp_path / "studio"), "SECRET": SECRET,
        "XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_DATA_HOME": str(tmp_path / "data"),
    }  # fmt: skip
    command = [*AURA, "-C", str(tmp_path), "config"]
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", SECRET_SERVICE, "sh", *command],
        env=env, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "kept in the system's keyring" in done.stderr, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].startswith(SECRET)
    assert SECRET not in lines[-1]
    for path in (tmp_path / "studio").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()
