"""Configuration: types, sources, suggestions, and secrets that never show."""

import os
import stat
from pathlib import Path

import pytest
from aura_vcs.errors.studio import SecretUnavailable, SettingInvalid, UnknownSetting
from aura_vcs.studio.configuration import (
    HIDDEN,
    SettingRequest,
    configurations_statement,
    configured_keys,
    get_configuration,
    list_configurations,
    project_value,
    secret_value,
    set_configuration,
    unset_configuration,
)
from aura_vcs.studio.folder import CONFIG, INDEX, KEY
from aura_vcs.studio.setting_keys import SETTINGS, is_value
from aura_vcs.studio.studio import Studio

SECRET = "sk-live-0123456789abcdef"


def no_keyring() -> None:
    """This machine has none."""


def every_byte(studio: Studio) -> bytes:
    """All files of a studio, one after the other."""
    return b"".join(path.read_bytes() for path in Path(studio.folder.path).rglob("*") if path.is_file())


def test_looking_creates_nothing(studio: Studio) -> None:
    """Asking for a value of a studio that does not exist answers the default and makes no folder."""
    assert get_configuration(studio, "autosave.interval_minutes").value == 5
    assert not os.path.exists(studio.folder.path)


def test_every_default_is_a_value_of_its_key() -> None:
    """The registry's own defaults pass its own checks."""
    assert [s.key for s in SETTINGS if s.default is not None and not is_value(s, s.default)] == []


def test_project_over_user_over_default(studio: Studio) -> None:
    """A value says where it comes from, and the nearest one wins."""
    key = "retention.keep_autosaves"
    assert (get_configuration(studio, key).value, get_configuration(studio, key).source) == (10, "default")
    set_configuration(studio, key, "12")
    assert (get_configuration(studio, key).value, get_configuration(studio, key).source) == (12, "user")
    found = get_configuration(studio, key, {key: 3})
    assert (found.value, found.source) == (3, "project")
    assert get_configuration(studio, key, {key: "many"}).source == "user"


def test_versions_count_changes_and_unset_keeps_counting(studio: Studio) -> None:
    """Each change raises the version; an unset key is inactive, and its default holds."""
    set_configuration(studio, "general.tier", "pro")
    set_configuration(studio, "general.tier", "Free")
    found = unset_configuration(studio, "general.tier")
    assert (found.version, found.is_active, found.value, found.source) == (3, False, "Free", "default")
    assert set_configuration(studio, "general.tier", "PRO").value == "Pro"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("autosave.interval_minutes", "soon"),
        ("autosave.interval_minutes", "0"),
        ("autosave.interval_minutes", "nan"),
        ("autosave.enabled", "maybe"),
        ("general.tier", "Gold"),
        ("render.defaults", "[1]"),
        ("render.defaults", "[" * 100_000),
        ("identity.name", "a\nb"),
        ("identity.name", "  "),
        ("identity.name", "x" * 30_000),
    ],
)
def test_values_of_the_wrong_type_are_refused(studio: Studio, key: str, text: str) -> None:
    """A value that the key cannot have changes nothing and is not repeated in the message."""
    with pytest.raises(SettingInvalid) as caught:
        set_configuration(studio, key, text)
    assert len(text) < 4 or text not in caught.value.message
    assert get_configuration(studio, key).version == 0


def test_unknown_keys_suggest_near_ones(studio: Studio) -> None:
    """A misspelt key, or one without its category, names the key that was meant."""
    with pytest.raises(UnknownSetting) as caught:
        get_configuration(studio, "autosave.interval")
    assert "autosave.interval_minutes" in caught.value.near
    with pytest.raises(UnknownSetting) as caught:
        set_configuration(studio, "keep_autosave", "3")
    assert "retention.keep_autosaves" in caught.value.near


def test_secrets_are_encrypted_and_hidden(studio: Studio) -> None:
    """No file of the studio holds a secret, its key is the owner's alone, and only `reveal` shows it."""
    found = set_configuration(studio, "llm.api_key", SECRET, request=SettingRequest(find_keyring=no_keyring))
    assert (found.value, found.protection) == (HIDDEN, "aes-gcm")
    assert configured_keys(studio, sensitive=True) == ["llm.api_key"]
    assert SECRET.encode() not in every_byte(studio)
    assert stat.S_IMODE(os.stat(studio.folder.storage.path(KEY)).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(studio.folder.storage.path(CONFIG)).st_mode) == 0o600
    assert get_configuration(studio, "llm.api_key").value == HIDDEN
    assert SECRET not in repr(list_configurations(studio))
    assert get_configuration(studio, "llm.api_key", reveal=True).value == SECRET == secret_value(studio, "llm.api_key")


def test_two_secrets_have_two_nonces(studio: Studio) -> None:
    """The same value twice is not the same ciphertext, and one key's ciphertext does not open another."""
    set_configuration(studio, "llm.api_key", SECRET, request=SettingRequest(find_keyring=no_keyring))
    set_configuration(studio, "tts.api_key", SECRET, request=SettingRequest(find_keyring=no_keyring))
    text = studio.folder.storage.read(CONFIG).decode()
    sealed = [line for line in text.splitlines() if '"data"' in line]
    assert len(set(sealed)) == 2
    first, second = (line.split('"')[3] for line in sealed)
    studio.folder.storage.put(CONFIG, text.replace(first, second).encode(), private=True)
    with pytest.raises(SecretUnavailable):
        secret_value(studio, "llm.api_key")


def test_a_lost_or_readable_key_is_said(studio: Studio) -> None:
    """A key file that others can read, or that is gone, is an error that says so, without the value."""
    set_configuration(studio, "llm.api_key", SECRET, request=SettingRequest(find_keyring=no_keyring))
    path = studio.folder.storage.path(KEY)
    os.chmod(path, 0o644)
    with pytest.raises(SecretUnavailable, match="others can read"):
        secret_value(studio, "llm.api_key")
    os.remove(path)
    with pytest.raises(SecretUnavailable, match="not there") as caught:
        secret_value(studio, "llm.api_key")
    assert SECRET not in str(caught.value)


def test_a_keyring_keeps_the_value_out_of_the_file(studio: Studio) -> None:
    """With a keyring the file names it and holds nothing; unset removes the entry."""

    class Keyring:
        """The protocol of the package `keyring`, in memory."""

        def __init__(self) -> None:
            self.kept: dict[tuple[str, str], str] = {}

        def set_password(self, service: str, entry: str, value: str) -> None:
            self.kept[service, entry] = value

    ring = Keyring()
    found = set_configuration(studio, "llm.api_key", SECRET, request=SettingRequest(find_keyring=lambda: ring))
    assert found.protection == "keyring"
    assert list(ring.kept.values()) == [SECRET]
    assert SECRET.encode() not in every_byte(studio)
    assert not os.path.exists(studio.folder.storage.path(KEY))


def test_a_project_never_holds_a_secret() -> None:
    """A sensitive key cannot be set for a project."""
    with pytest.raises(SettingInvalid, match="never stored in a project"):
        project_value("llm.api_key", SECRET)
    assert project_value("Retention.Keep_Autosaves", "4") == ("retention.keep_autosaves", 4)


def test_a_broken_value_is_passed_over(studio: Studio) -> None:
    """A configuration that was edited by hand into nonsense leaves the defaults; unknown keys stay."""
    set_configuration(studio, "general.tier", "Pro")
    text = studio.folder.storage.read(CONFIG).replace(b'"Pro"', b'"Gold"')
    text = text.replace(b'"configurations": {', b'"configurations": {"future.key": {"x": 1}, "llm.model": 7,')
    studio.folder.storage.put(CONFIG, text)
    assert get_configuration(studio, "general.tier").source == "default"
    assert get_configuration(studio, "llm.model").source == "default"
    set_configuration(studio, "autosave.enabled", "off")
    assert b"future.key" in studio.folder.storage.read(CONFIG)


def test_the_index_serves_the_questions(studio: Studio) -> None:
    """Configurations by category, (category, active) and sensitive ones are found through an index."""
    set_configuration(studio, "autosave.enabled", "off")
    set_configuration(studio, "autosave.quiet_seconds", "3")
    unset_configuration(studio, "autosave.quiet_seconds")
    assert configured_keys(studio, category="autosave") == ["autosave.enabled", "autosave.quiet_seconds"]
    assert configured_keys(studio, category="autosave", active=True) == ["autosave.enabled"]
    for asked in ({"category": "autosave"}, {"category": "autosave", "active": True}, {"sensitive": True}):
        statement, values = configurations_statement(**asked)  # type: ignore[arg-type]
        plan = " ".join(row[3] for row in studio.index.rows(f"EXPLAIN QUERY PLAN {statement}", values))
        assert "INDEX configurations_" in plan, plan
        assert "SCAN configurations" not in plan or "configurations_sensitive" in plan


@pytest.mark.parametrize("damage", [b"", b"\0" * 8192, b"not a database at all" * 200])
def test_the_index_is_rebuilt(studio: Studio, damage: bytes) -> None:
    """An index that is gone or damaged is built anew from the files."""
    set_configuration(studio, "autosave.enabled", "off")
    assert configured_keys(studio) == ["autosave.enabled"]
    studio.close()
    path = Path(studio.folder.storage.path(INDEX))
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.write_bytes(damage)
    assert configured_keys(studio) == ["autosave.enabled"]
