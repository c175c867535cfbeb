"""Configuration: typed values under known keys, and under `app.` any others; project over user over default."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from aura_vcs.codec import encode_compact, from_plain
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.studio import SettingInvalid
from aura_vcs.plain_text import now
from aura_vcs.studio.action_log import ActionDraft, act, acting, changed
from aura_vcs.studio.folder import CONFIG
from aura_vcs.studio.secret_store import Sealed, forget, seal, unseal, working_keyring
from aura_vcs.studio.setting_keys import (
    BY_KEY,
    SETTINGS,
    SettingKey,
    ValueType,
    check_given,
    find_setting,
    is_own,
    is_value,
    own_setting,
    parse_value,
    type_of_value,
)
from aura_vcs.studio.studio import Studio

Source = Literal["project", "user", "default"]
HIDDEN = "********"
"""What is shown of a sensitive value that is set."""


class Configured(msgspec.Struct, frozen=True):
    """A value that the person gave a key. `version` counts its changes; a sensitive one is `sealed`.

    The `description` is that of a key of their own.
    """

    value: Any
    sealed: Sealed | None
    version: int
    is_active: bool
    created_at: str
    updated_at: str
    created_by: str
    modified_by: str
    description: str = ""


class ConfigFile(msgspec.Struct, frozen=True):
    """`config.json`: keys that this aura_vcs does not know stay."""

    configurations: dict[str, Any] = {}


class Configuration(msgspec.Struct, frozen=True):
    """A key with its value and where it comes from; `value` is HIDDEN where it is sensitive and set."""

    key: str
    value: Any
    source: Source
    category: str
    value_type: ValueType
    description: str
    is_sensitive: bool
    is_active: bool = True
    version: int = 0
    protection: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    created_by: str | None = None
    modified_by: str | None = None


def get_configuration(
    studio: Studio | None, key: str, project: Mapping[str, Any] | None = None, *, reveal: bool = False
) -> Configuration:
    """Return a key's value as set by the project (its settings, if given), the person (if they have a studio),
    or by default.

    Raises:
        UnknownSetting: there is no such key.
        SecretUnavailable: with `reveal`, a value that cannot be decrypted here.
    """
    stored = _stored(studio) if studio is not None else {}
    setting = _setting(key, stored, project or {})
    found = _resolved(setting, stored.get(setting.key), project or {})
    if studio is not None and reveal and found.is_sensitive and found.source == "user":
        return msgspec.structs.replace(found, value=secret_value(studio, setting.key))
    return found


def list_configurations(
    studio: Studio | None,
    project: Mapping[str, Any] | None = None,
    *,
    category: str | None = None,
    active: bool | None = None,
    sensitive: bool | None = None,
    only_set: bool = False,
) -> list[Configuration]:
    """List all keys, or those of a category, the active ones, or the sensitive ones; by key."""
    stored = _stored(studio) if studio is not None else {}
    own = [_setting(key, stored, project or {}) for key in {*stored, *(project or {})} if is_own(key)]
    found = [_resolved(setting, stored.get(setting.key), project or {}) for setting in (*SETTINGS, *own)]
    return [
        item
        for item in sorted(found, key=lambda item: item.key)
        if (category is None or item.category == category)
        and (active is None or item.is_active == active)
        and (sensitive is None or item.is_sensitive == sensitive)
        and not (only_set and item.source == "default")
    ]


def secret_value(studio: Studio, key: str) -> str | None:
    """Return a sensitive value, for the program that needs it; None if it is not set.

    Raises:
        SecretUnavailable: it cannot be decrypted here.
    """
    stored = _stored(studio).get(find_setting(key).key)
    if stored is None or stored.sealed is None or not stored.is_active:
        return None
    return unseal(studio.folder, key, stored.sealed, working_keyring() if stored.sealed.method == "keyring" else None)


class SettingRequest(msgspec.Struct, frozen=True):
    """How a key gets a value.

    A key of one's own takes a `value_type` (string without one) and a `description`, and may be a `secret`. A value
    that is not `is_active` is kept and does not hold. Actions with the same `correlation_id` are taken back together.
    """

    value_type: ValueType | None = None
    secret: bool = False
    is_active: bool = True
    description: str = ""
    find_keyring: Callable[[], Any] = working_keyring
    correlation_id: str | None = None


PLAIN = SettingRequest()


def set_configuration(
    studio: Studio,
    key: str,
    text: str,
    *,
    request: SettingRequest = PLAIN,
) -> Configuration:
    """Give a key a value, for all projects. A sensitive one is encrypted; `protection` says how.

    An action of the studio, if it is not so already.

    Raises:
        UnknownSetting, SettingInvalid.
        SecretUnavailable: it cannot be encrypted here.
    """
    setting = typed_setting(key, request.value_type, secret=request.secret)
    value = check_given(setting, parse_value(setting, text))
    with acting(studio.folder):
        before = _stored(studio).get(setting.key)
        if before is not None and before.sealed is not None and not setting.is_sensitive:
            hint = f"Give --secret, or take the secret away: `aura config unset {setting.key}`."
            raise SettingInvalid(setting.key, "it holds a secret, and this would not be one", hint=hint)
        if setting.is_paths and not text.lstrip().startswith("[") and before is not None and before.is_active:
            value = list(dict.fromkeys([*before.value, *value]))
        if before is not None and before.is_active and before.sealed is None and before.value == value:
            return get_configuration(studio, setting.key)  # it is so already
        at, by = now(), studio.folder.user
        sealed = seal(studio.folder, setting.key, str(value), request.find_keyring()) if setting.is_sensitive else None
        after = Configured(
            value=None if setting.is_sensitive else value,
            sealed=sealed,
            version=(before.version if before else 0) + 1,
            is_active=request.is_active,
            created_at=before.created_at if before else at,
            updated_at=at,
            created_by=before.created_by if before else by,
            modified_by=by,
            description=request.description or (before.description if before else ""),
        )
        draft = ActionDraft("config.set", f"Set {setting.key}", correlation_id=request.correlation_id)
        _put(studio, setting, after, draft)
    return get_configuration(studio, setting.key)


def unset_configuration(studio: Studio, key: str) -> Configuration:
    """Take the person's value of a key away: it is inactive then, and counted on; a secret is gone.

    Raises:
        UnknownSetting.
    """
    with acting(studio.folder):
        setting = _setting(key, _stored(studio), {})
        before = _stored(studio).get(setting.key)
        if before is not None and before.is_active:
            if before.sealed is not None:
                forget(studio.folder, setting.key, before.sealed, working_keyring())
            after = msgspec.structs.replace(
                before, value=None, sealed=None, is_active=False, version=before.version + 1, updated_at=now(),
                modified_by=studio.folder.user,
            )  # fmt: skip
            _put(studio, setting, after, ActionDraft("config.unset", f"Unset {setting.key}"))
    return msgspec.structs.replace(get_configuration(studio, setting.key), is_sensitive=setting.is_sensitive)


def _put(studio: Studio, setting: SettingKey, after: Configured, draft: ActionDraft) -> None:
    """Store a value as an action; inside `acting`. What was there of a secret is not kept."""
    if setting.is_sensitive:
        studio.folder.put(CONFIG, ConfigFile({**_file(studio).configurations, setting.key: after}))
        act(studio.folder, draft)
        return
    change = changed(studio.folder, CONFIG, after, "configurations", setting.key)
    act(studio.folder, msgspec.structs.replace(draft, changes=(change,), can_batch=True))


def typed_setting(key: str, value_type: ValueType | None = None, *, secret: bool = False) -> SettingKey:
    """Find the setting of a key, which may be given a type if it is one's own.

    Raises:
        UnknownSetting. SettingInvalid: the key is none of one's own.
    """
    setting = find_setting(key)
    if value_type is None and not secret:
        return setting
    if not is_own(key):
        raise SettingInvalid(setting.key, "its type is known; only keys of your own, `app.…`, are given one")
    if secret and value_type not in {None, "string"}:
        raise SettingInvalid(setting.key, "a secret is a text")
    return own_setting(key, value_type or "string", is_sensitive=secret)


def project_value(key: str, text: str, value_type: ValueType | None = None) -> tuple[str, Any]:
    """Parse a setting of the project into key and value, to be stored by `history.fields`.

    Raises:
        UnknownSetting.
        SettingInvalid: also for a sensitive or personal key: those never lie in a project folder.
    """
    setting = typed_setting(key, value_type)
    if setting.is_personal:
        hint = f"Set it for yourself: `aura config set {setting.key}`."
        raise SettingInvalid(setting.key, "a project does not decide about it", hint=hint)
    if setting.is_sensitive:
        hint = f"Set it for yourself: `aura config set {setting.key}`."
        raise SettingInvalid(setting.key, "it is sensitive and never stored in a project", hint=hint)
    return setting.key, check_given(setting, parse_value(setting, text))


def configurations_statement(
    *, category: str | None = None, active: bool | None = None, sensitive: bool = False
) -> tuple[str, list[Any]]:
    """Build the SELECT over the index for what the person set, and its values."""
    parts, values = ["sensitive"] if sensitive else [], list[Any]()
    if category is not None:
        parts.append("category = ?")
        values.append(category)
    if active is not None:
        parts.append("active = ?")
        values.append(active)
    where = f"WHERE {' AND '.join(parts)}" if parts else ""
    return f"SELECT key, record FROM configurations {where} ORDER BY key", values


def configured_keys(
    studio: Studio, *, category: str | None = None, active: bool | None = None, sensitive: bool = False
) -> list[str]:
    """List the keys that the person gave a value, asked of the index."""
    statement, values = configurations_statement(category=category, active=active, sensitive=sensitive)
    _refresh(studio)
    return [row[0] for row in studio.index.rows(statement, values)]


def _refresh(studio: Studio) -> None:
    def enter(connection: Any) -> None:
        connection.execute("DELETE FROM configurations")
        configured = _stored(studio)
        for key, stored in configured.items():
            setting = _setting(key, configured, {})
            record = encode_compact(msgspec.structs.replace(stored, value=None, sealed=None))
            connection.execute(
                "INSERT INTO configurations VALUES (?, ?, ?, ?, ?)",
                (key, setting.category, stored.is_active, setting.is_sensitive, record),
            )

    studio.index.keep_current(CONFIG, enter)


def _file(studio: Studio) -> ConfigFile:
    return studio.folder.load(CONFIG, ConfigFile) or ConfigFile()


def _stored(studio: Studio) -> dict[str, Configured]:
    """Read the person's values of known keys; what cannot be one is passed over with a warning."""
    found = {}
    for key, value in _file(studio).configurations.items():
        if key not in BY_KEY and not is_own(key):
            continue
        try:
            found[key] = from_plain(value, Configured, f"{CONFIG} at {key}")
        except RecordCorrupt:
            studio.folder.progress.note(f"The value of {key} in {CONFIG} cannot be read; the default holds")
    return found


def _setting(key: str, stored: Mapping[str, Configured], project: Mapping[str, Any]) -> SettingKey:
    """Describe a key: one of the person's own by the value that it has."""
    setting = find_setting(key)
    if not is_own(key):
        return setting
    mine, given = stored.get(setting.key), project.get(setting.key)
    if mine is not None and mine.sealed is not None:
        return own_setting(key, is_sensitive=True, description=mine.description)
    value = given if given is not None else mine.value if mine is not None else None
    described = mine.description if mine is not None else ""
    return own_setting(key, "string" if value is None else type_of_value(value), description=described)


def _resolved(setting: SettingKey, stored: Configured | None, project: Mapping[str, Any]) -> Configuration:
    value, source, protection = setting.default, "default", None
    if stored is not None and stored.is_active:
        if setting.is_sensitive:
            if stored.sealed is not None:
                value, source, protection = HIDDEN, "user", stored.sealed.method
        elif is_value(setting, stored.value):
            value, source = stored.value, "user"
    if (
        not (setting.is_sensitive or setting.is_personal)
        and project.get(setting.key) is not None
        and is_value(setting, project[setting.key])
    ):
        value, source = project[setting.key], "project"
    return Configuration(
        key=setting.key,
        value=value,
        source=source,  # type: ignore[arg-type]
        category=setting.category,
        value_type=setting.value_type,
        description=setting.description,
        is_sensitive=setting.is_sensitive,
        is_active=stored.is_active if stored is not None else True,
        version=stored.version if stored is not None else 0,
        protection=protection,
        created_at=stored.created_at if stored is not None else None,
        created_by=stored.created_by if stored is not None else None,
        updated_at=stored.updated_at if stored is not None else None,
        modified_by=stored.modified_by if stored is not None else None,
    )
