"""What is configured for one project: its own settings go before the person's, these before the defaults."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from aura_vcs.history.project_settings import set_fields
from aura_vcs.repository.repository import Repository
from aura_vcs.studio.configuration import get_configuration, project_value
from aura_vcs.studio.setting_keys import ValueType, find_setting
from aura_vcs.studio.studio import Studio

OpenStudio = Callable[[], Studio]
"""Opens the person's studio; whoever calls closes it."""


def project_settings(repo: Repository) -> dict[str, Any]:
    """Return what the project sets, by key."""
    return {key: field.value for key, field in repo.refs.settings().items()}


def configured_value(repo: Repository, studio: OpenStudio | None, key: str) -> Any:
    """Return the value of a key that holds for this project, and for a person who has a studio.

    Raises:
        UnknownSetting.
    """
    with nullcontext() if studio is None else studio() as opened:
        return get_configuration(opened, key, project_settings(repo)).value


def set_in_project(
    repo: Repository, studio: OpenStudio | None, key: str, text: str, value_type: ValueType | None = None
) -> bool:
    """Give a key a value in the project, on every machine; False if it had it already. An action that undo takes back.

    Raises:
        UnknownSetting, SettingInvalid. UnknownName: it names a template or preset that there is not.
    """
    with nullcontext() if studio is None else studio() as opened:
        name, parsed = project_value(key, known_name(opened, find_setting(key).key, text), value_type)
    return set_fields(repo, {"settings": {name: parsed}}, f"Set {name}", type_="config.set") is not None


def unset_in_project(repo: Repository, key: str) -> bool:
    """Take the project's value of a key away; False if there was none. An action that undo takes back.

    Raises:
        UnknownSetting.
    """
    name = find_setting(key).key
    return set_fields(repo, {"settings": {name: None}}, f"Unset {name}", type_="config.set") is not None


def known_name(studio: Studio | None, key: str, text: str) -> str:
    """Return the value as it is kept: what names a template or a preset must name one that there is.

    Raises:
        UnknownName.
    """
    if key == "templates.default" and studio is not None:
        from aura_vcs.studio.templates import find_template  # few settings name a template

        return find_template(studio, text).id
    if key == "export.preset":
        from aura_vcs.project.render.presets import PROJECT_PRESET, find_preset  # few settings name a preset

        return text if text.strip().lower() == PROJECT_PRESET else find_preset(text).name
    return text
