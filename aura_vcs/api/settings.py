"""Settings: a value of the project goes before the person's, and this before the default."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from aura_vcs.api.jsons import Json
from aura_vcs.api.opened import Opened, Part, has
from aura_vcs.api.reporting import NO_CALL
from aura_vcs.api.results import RetentionRules
from aura_vcs.api.values import moment
from aura_vcs.repository.repository import Repository
from aura_vcs.studio import configuration
from aura_vcs.studio.project_configuration import known_name, project_settings, set_in_project, unset_in_project
from aura_vcs.studio.retention_rules import configured_rules
from aura_vcs.studio.setting_keys import SETTINGS, SettingKey, ValueType, find_setting
from aura_vcs.studio.studio import Studio


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A key with its value and where it comes from; a sensitive value that is set is hidden until it is revealed."""

    key: str
    value: Json
    source: Literal["project", "user", "default"]
    category: str
    is_sensitive: bool
    is_active: bool
    protection: str | None
    """Where a sensitive value is kept: "keyring" or "aes-gcm"."""
    updated_at: datetime | None

    @classmethod
    def _of(cls, found: configuration.Configuration) -> Self:
        """Take over a record."""
        return cls(
            found.key,
            found.value,
            found.source,
            found.category,
            found.is_sensitive,
            found.is_active,
            found.protection,
            moment(found.updated_at),
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """What a key means. A sensitive or personal value is never stored in a project."""

    key: str
    category: str
    value_type: Literal["string", "number", "boolean", "json"]
    default: Json
    description: str
    is_sensitive: bool
    is_personal: bool
    choices: tuple[str, ...]

    @classmethod
    def _of(cls, found: SettingKey) -> Self:
        """Take over a description."""
        return cls(
            found.key,
            found.category,
            found.value_type,
            found.default,
            found.description,
            found.is_sensitive,
            found.is_personal,
            found.choices,
        )


class ProjectSettings(Part):
    """The settings of this project; what is set here holds for the project, on every machine.

    The person's own settings count if the credentials name the `home` of their studio.
    """

    def __iter__(self) -> Iterator[SettingValue]:
        return iter(self.list())

    def __getitem__(self, key: str) -> SettingValue:
        return self._opened.run(NO_CALL, _value, self._opened, key)

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    def list(self, *, category: str | None = None, only_set: bool = False) -> list[SettingValue]:
        """List keys with their values; with `only_set`, those that the project or the person has set."""
        return self._opened.run(NO_CALL, _values, self._opened, category, only_set)

    def set(self, key: str, value: str, *, value_type: ValueType | None = None) -> bool:
        """Give a key a value in the project; False if it had it already. Undo takes it back.

        Keys of your own begin with `app.` and have the given `value_type`, by default string.

        Raises:
            UnknownSetting, SettingInvalid: also for a sensitive or personal key.
        """
        return self._opened.run(NO_CALL, _set, self._opened, key, value, value_type)

    def unset(self, key: str) -> bool:
        """Remove the project's value; False if there was none."""
        return self._opened.run(NO_CALL, unset_in_project, key)

    def retention_rules(self) -> RetentionRules:
        """Return how long autosaves and restore points stay, for `autosaves` and `prune`."""
        return self._opened.run(NO_CALL, _rules, self._opened)


class StudioSettings:
    """The person's own settings, for all projects."""

    def __init__(self, studio: Callable[[], Studio]) -> None:
        self._studio = studio

    def __iter__(self) -> Iterator[SettingValue]:
        return iter(self.list())

    def __getitem__(self, key: str) -> SettingValue:
        return self.get(key)

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    def get(self, key: str, *, reveal: bool = False) -> SettingValue:
        """Return the value of a key; with `reveal`, a sensitive one as it is.

        Raises:
            UnknownSetting. SecretUnavailable: it cannot be decrypted here.
        """
        with self._studio() as studio:
            return SettingValue._of(configuration.get_configuration(studio, key, reveal=reveal))

    def list(
        self,
        *,
        category: str | None = None,
        active: bool | None = None,
        sensitive: bool | None = None,
        only_set: bool = False,
    ) -> list[SettingValue]:
        """List keys with their values, by key."""
        with self._studio() as studio:
            found = configuration.list_configurations(
                studio, category=category, active=active, sensitive=sensitive, only_set=only_set
            )
        return list(map(SettingValue._of, found))

    def set(self, key: str, value: str, *, value_type: ValueType | None = None, secret: bool = False) -> SettingValue:
        """Give a key a value. A sensitive one is encrypted, and so is a `secret` under a key of your own (`app.…`).

        Raises:
            UnknownSetting, SettingInvalid. SecretUnavailable: it cannot be encrypted here.
        """
        with self._studio() as studio:
            text = known_name(studio, find_setting(key).key, value)
            return SettingValue._of(
                configuration.set_configuration(
                    studio, key, text, request=configuration.SettingRequest(value_type, secret)
                )
            )

    def unset(self, key: str) -> SettingValue:
        """Remove the value of a key, so that the default holds."""
        with self._studio() as studio:
            return SettingValue._of(configuration.unset_configuration(studio, key))

    def describe(self, key: str | None = None) -> tuple[Setting, ...]:
        """Say what a key, or every key, means."""
        found = SETTINGS if key is None else (find_setting(key),)
        return tuple(map(Setting._of, sorted(found, key=lambda setting: setting.key)))


def _value(repo: Repository, opened: Opened, key: str) -> SettingValue:
    settings = project_settings(repo)
    if opened.known_studio is None:
        return SettingValue._of(configuration.get_configuration(None, key, settings))
    with opened.studio() as studio:
        return SettingValue._of(configuration.get_configuration(studio, key, settings))


def _values(repo: Repository, opened: Opened, category: str | None, only_set: bool) -> list[SettingValue]:
    settings = project_settings(repo)
    if opened.known_studio is None:
        found = configuration.list_configurations(None, settings, category=category, only_set=only_set)
    else:
        with opened.studio() as studio:
            found = configuration.list_configurations(studio, settings, category=category, only_set=only_set)
    return list(map(SettingValue._of, found))


def _set(repo: Repository, opened: Opened, key: str, value: str, value_type: ValueType | None) -> bool:
    return set_in_project(repo, opened.known_studio, key, value, value_type)


def _rules(repo: Repository, opened: Opened) -> RetentionRules:
    return configured_rules(repo, opened.known_studio)
