"""`aura config`: typed settings, for the person or for the project."""

import sys
from typing import TYPE_CHECKING, Any

import click

from aura_vcs.cli.groups import FileGroup
from aura_vcs.cli.options import HELP, TEXT, completing, examples, json_option
from aura_vcs.cli.output.console import Console, faint, strong, to_json, yellow
from aura_vcs.cli.session import Session, pass_session
from aura_vcs.cli.shared.studio import settings_here, table
from aura_vcs.cli.shared.studio_undo import WAY_BACK
from aura_vcs.studio.setting_keys import SETTINGS, find_setting

if TYPE_CHECKING:
    from aura_vcs.studio.configuration import Configuration
    from aura_vcs.studio.setting_keys import ValueType


@click.group(
    "config",
    cls=FileGroup,
    context_settings=HELP,
    epilog=examples(
        "aura config list",
        "aura config set retention.keep_autosaves 20",
        "aura config set export.preset TikTok --project",
        "aura config set llm.api_key --stdin < key.txt",
    ),
)
def config_command() -> None:
    """Get and set configuration

    A project's value takes precedence over yours, and yours over the default.
    """


@config_command.command(
    "get",
    context_settings=HELP,
    epilog=examples("aura config get export.preset", "aura config get llm.api_key --reveal"),
)
@click.argument("key", shell_complete=completing("key"))
@click.option("--reveal", is_flag=True, help="Show a sensitive value")
@json_option
@pass_session
def get_command(session: Session, key: str, reveal: bool) -> None:
    """Print the value of a key, and where it comes from"""
    from aura_vcs.studio.configuration import get_configuration

    with session.studio() as studio:
        found = get_configuration(studio, key, settings_here(session), reveal=reveal)
    if session.console.as_json:
        session.console.data(found)
    else:
        session.console.line(strong(_shown(found.value)), faint(f"  ({_source(found)})"))


@config_command.command(
    "set",
    context_settings=HELP,
    epilog=examples(
        "aura config set retention.keep_autosaves 20",
        "aura config set export.preset TikTok --project",
        "aura config set llm.api_key --stdin < key.txt",
        "aura config set app.theme dark",
    ),
)
@click.argument("key", shell_complete=completing("key"))
@click.argument("value", required=False)
@click.option("--project", "for_project", is_flag=True, help="For this project only, on every machine")
@click.option(
    "--stdin", "from_stdin", is_flag=True, help="Read the value from stdin, so that it is in no shell history"
)
@click.option(
    "--type",
    "value_type",
    type=click.Choice(["string", "number", "boolean", "json"]),
    help="The type of a key of your own  [default: string]",
)
@click.option("--secret", is_flag=True, help="Encrypt the value of a key of your own")
@json_option
@pass_session
def set_command(
    session: Session,
    key: str,
    value: str | None,
    for_project: bool,
    from_stdin: bool,
    value_type: "ValueType | None",
    secret: bool,
) -> None:
    """Give a key a value

    Sensitive values are encrypted, belong to you alone, and are never shown without --reveal. Keys of your own, or of
    another program, begin with `app.` and take any value.
    """
    from aura_vcs.studio.configuration import SettingRequest, get_configuration, set_configuration
    from aura_vcs.studio.project_configuration import known_name, set_in_project

    key = find_setting(key).key
    text = sys.stdin.read().rstrip("\r\n") if from_stdin else value
    if text is None:
        raise click.UsageError("A value is missing. Give one, or --stdin.")
    with session.studio() as studio:
        if for_project and secret:
            raise click.UsageError("--secret and --project cannot be combined: a project keeps no secrets.")
        if for_project:
            with session.open() as repo:
                is_changed = set_in_project(repo, session.studio, key, text, value_type)
            found = get_configuration(studio, key, settings_here(session))
        else:
            before = get_configuration(studio, key).version
            found = set_configuration(
                studio, key, known_name(studio, key, text), request=SettingRequest(value_type=value_type, secret=secret)
            )
            is_changed = found.version != before
    if session.console.as_json:
        session.console.data(found)
        return
    session.console.line(strong(found.key), " is ", _shown(found.value), faint(f"  ({_source(found)})"))
    _print_way_back(session, found, for_project=for_project, is_changed=is_changed)
    if found.protection == "aes-gcm":
        session.console.note(
            "It is encrypted with a key in a file beside it that only your account can read: "
            "no keyring works here. Whoever can read your files can read it."
        )
    elif found.protection == "keyring":
        session.console.note("It is kept in the system's keyring.")


@config_command.command("unset", context_settings=HELP, epilog=examples("aura config unset export.preset"))
@click.argument("key", shell_complete=completing("key"))
@click.option("--project", "for_project", is_flag=True, help="Remove the project's value, not yours")
@json_option
@pass_session
def unset_command(session: Session, key: str, for_project: bool) -> None:
    """Remove a value, so that yours or the default applies"""
    from aura_vcs.studio.configuration import get_configuration, unset_configuration
    from aura_vcs.studio.project_configuration import unset_in_project

    key = find_setting(key).key
    with session.studio() as studio:
        if for_project:
            with session.open() as repo:
                is_changed = unset_in_project(repo, key)
        else:
            before = get_configuration(studio, key).version
            is_changed = unset_configuration(studio, key).version != before
        found = get_configuration(studio, key, settings_here(session))
    if session.console.as_json:
        session.console.data(found)
        return
    session.console.line(strong(found.key), " is ", _shown(found.value), faint(f"  ({_source(found)})"))
    _print_way_back(session, found, for_project=for_project, is_changed=is_changed)


@config_command.command(
    "list", context_settings=HELP, epilog=examples("aura config list --category retention", "aura config list --set")
)
@click.option("--category", metavar="NAME", type=TEXT, help="Only this category")
@click.option("--set", "only_set", is_flag=True, help="Only keys that have a value of yours or the project's")
@click.option("--active/--inactive", default=None, help="Only keys in use, or only those that were unset")
@click.option("--sensitive", is_flag=True, default=None, help="Only sensitive keys")
@json_option
@pass_session
def list_command(
    session: Session, category: str | None, only_set: bool, active: bool | None, sensitive: bool | None
) -> None:
    """List keys, their values, and where these come from"""
    from aura_vcs.studio.configuration import list_configurations

    with session.studio() as studio:
        found = list_configurations(
            studio,
            settings_here(session),
            category=category,
            active=active,
            only_set=only_set,
            sensitive=sensitive,
        )
    if session.console.as_json:
        session.console.data({"configurations": found})
        return
    table(
        session.console,
        ({"key": yellow(item.key), "value": _shown(item.value), "source": faint(item.source)} for item in found),
    )
    if not found:
        session.console.line("Nothing is set." if only_set else "No matching keys.")


@config_command.command(
    "describe",
    context_settings=HELP,
    epilog=examples("aura config describe", "aura config describe autosave.interval_minutes"),
)
@click.argument("key", required=False, shell_complete=completing("key"))
@json_option
@pass_session
def describe_command(session: Session, key: str | None) -> None:
    """Say what a key, or every key, means"""
    found = [find_setting(key)] if key is not None else sorted(SETTINGS, key=lambda item: item.key)
    console: Console = session.console
    if console.as_json:
        console.data({"settings": found})
        return
    for item in found:
        kind = item.value_type + (", sensitive" if item.is_sensitive else "")
        choices = f": {', '.join(item.choices)}" if item.choices else ""
        console.line(yellow(item.key), faint(f"  {kind}{choices}, default {_shown(item.default)}"))
        console.line("    ", item.description)


def _print_way_back(session: Session, found: "Configuration", *, for_project: bool, is_changed: bool) -> None:
    if not is_changed:
        session.console.line("It is set to that already; nothing was changed.")
    elif not found.is_sensitive:
        session.console.line(faint("Take it back with `aura undo`." if for_project else WAY_BACK))


def _source(found: "Configuration") -> str:
    return {"project": "set for this project", "user": "set by you", "default": "default"}[found.source]


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    return value if isinstance(value, str) else " ".join(to_json(value).split())
