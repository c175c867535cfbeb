"""The configuration keys there are: what each means, the type of its values, and its default."""

import math
import os
import re
from typing import Any, Literal

import msgspec

from aura_vcs.errors.studio import SettingInvalid, UnknownSetting
from aura_vcs.suggestions import suggest

ValueType = Literal["string", "number", "boolean", "json"]
VALUE_LIMIT = 20_000
"""Characters of the longest value."""


PATTERNS = "locks.patterns"


class SettingKey(msgspec.Struct, frozen=True):
    """A configuration key. `lowest` and `highest` bound numbers; `choices` strings.

    A sensitive value is encrypted, belongs to the person alone and never lies in a project. A personal
    one is not encrypted, and never lies in a project either. Where it `is_paths`, it is a list of folders: a path
    is added to it, a JSON list replaces it.
    """

    key: str
    category: str
    value_type: ValueType
    default: Any
    description: str
    is_sensitive: bool = False
    is_personal: bool = False
    is_paths: bool = False
    lowest: float | None = None
    highest: float | None = None
    choices: tuple[str, ...] = ()


def _number(key: str, default: float, description: str, lowest: float = 0, highest: float = 1_000_000) -> SettingKey:
    return SettingKey(
        key, key.split(".", maxsplit=1)[0], "number", default, description, lowest=lowest, highest=highest
    )


def _text(key: str, default: str | None, description: str, choices: tuple[str, ...] = ()) -> SettingKey:
    return SettingKey(key, key.split(".", maxsplit=1)[0], "string", default, description, choices=choices)


def _secret(key: str, description: str) -> SettingKey:
    return SettingKey(key, key.split(".", maxsplit=1)[0], "string", None, description, is_sensitive=True)


SETTINGS: tuple[SettingKey, ...] = (
    _text("identity.name", None, "Who makes the versions; without it, the account's name"),
    _text("identity.mail", None, "Your mail address, beside your name in the versions you make"),
    _text("general.output_directory", None, "Where exports go when no folder is given"),
    _text("general.tier", "Free", "The studio's edition", ("Free", "Pro")),
    _text("media.ffmpeg_path", None, "An FFmpeg program for other tools; exports bring their own"),
    SettingKey("autosave.enabled", "autosave", "boolean", True, "Whether `aura autosave --watch` saves"),
    _number("autosave.interval_minutes", 5, "How often changes are saved", 0.01, 1440),
    _number("autosave.least_minutes", 2, "How far apart autosaves are at least", 0, 1440),
    _number("autosave.quiet_seconds", 2, "How long files must be unchanged first", 0, 600),
    _number("retention.keep_autosaves", 10, "The newest autosaves that are always kept", 0, 10_000),
    _number("retention.autosave_days", 7, "After how many days other autosaves go", 0, 36_500),
    _number("retention.restore_point_days", 30, "After how many days restore points go", 0, 36_500),
    _number("retention.keep_hourly", 0, "Hours of which the newest autosave is kept longer", 0, 100_000),
    _number("retention.keep_daily", 0, "Days of which the newest autosave is kept longer", 0, 100_000),
    _number("retention.keep_weekly", 0, "Weeks of which the newest autosave is kept longer", 0, 10_000),
    _number("retention.keep_monthly", 0, "Months of which the newest autosave is kept longer", 0, 10_000),
    SettingKey(
        "retention.keep_imported",
        "retention",
        "boolean",
        True,
        "Whether autosaves and restore points that were imported stay, however old they are",
    ),
    _text(
        "sync.merge",
        "clean",
        "When pull and sync merge what two machines did to a branch: if nothing is left open, always, or never",
        ("clean", "always", "never"),
    ),
    _number("offload.copies", 1, "How many remotes must hold what `aura offload` frees", 1, 100),
    _number("actions.expire_days", 0, "After how many days edits can no longer be undone; 0 for never", 0, 36_500),
    _text(
        "export.preset",
        "project",
        "The preset of `aura export run` when none is given; project: what the version's render.json says",
    ),
    SettingKey(
        PATTERNS,
        "locks",
        "json",
        [],
        'Files to lock before they are changed, as in .auraignore: ["*.aep", "*.mp4"]',
    ),
    SettingKey(
        "maintenance.auto", "maintenance", "boolean", True, "Whether gc of what is due runs by itself, once a day"
    ),
    SettingKey(
        "maintenance.unwrap",
        "maintenance",
        "boolean",
        True,
        "Whether gc stores gzip and ZIP files, such as .prproj and .drp, as what is in them",
    ),
    SettingKey(
        "helper.auto",
        "helper",
        "boolean",
        True,
        "Whether commands that are typed on a terminal start the resident helper",
        is_personal=True,
    ),
    SettingKey(
        "watcher.auto",
        "watcher",
        "boolean",
        True,
        "Whether `aura autosave --watch` and `aura ui` start a watcher of the project's files",
    ),
    _text("templates.default", None, "The template of `aura init --template default`"),
    _text("llm.provider", None, "Which language model writes scripts"),
    _text("llm.model", None, "Its name"),
    _secret("llm.api_key", "The key for it"),
    _text("tts.provider", None, "Which service speaks"),
    _secret("tts.api_key", "The key for it"),
    _text("images.provider", None, "Which service draws"),
    _secret("images.api_key", "The key for it"),
    SettingKey(
        "safe.projects",
        "safe",
        "json",
        [],
        "Projects of other accounts that you use: folders, FOLDER/* for all below one, * for all",
        is_personal=True,
        is_paths=True,
    ),
    SettingKey("render.defaults", "render", "json", {}, "Fields of render.json that new projects begin with"),
)
OWN = "app."
"""What keys begin with that belong to other programs, or to the person: any name and value goes."""
_OWN_KEY = r"app(?:\.[a-z0-9_-]{1,64}){1,8}"
_OWN_BOUND = 1e300
BY_KEY = {setting.key: setting for setting in SETTINGS}
_FAMILIAR = {
    **dict.fromkeys(("author", "author.name", "name", "user", "user.name", "username", "identity"), "identity.name"),
    **dict.fromkeys(("mail", "email", "e-mail", "user.email", "user.mail", "author.email"), "identity.mail"),
    "safe.directory": "safe.projects",
    **dict.fromkeys(("gc", "gc.auto", "auto.gc", "housekeeping"), "maintenance.auto"),
}
"""What other programs call a key."""


def find_setting(key: str) -> SettingKey:
    """Find the key's setting. Every key below OWN has one, of type string.

    Raises:
        UnknownSetting: there is none; suggests near ones.
        SettingInvalid: a key of one's own cannot be called so.
    """
    found = BY_KEY.get(key.strip().lower())
    if found is None and is_own(key):
        return own_setting(key)
    if found is None:
        last = {known.rpartition(".")[2]: known for known in BY_KEY}
        familiar = _FAMILIAR.get(key.strip().lower())
        if familiar is not None:
            raise UnknownSetting(key, [familiar])
        similar = [*suggest(key, BY_KEY), *(last[word] for word in suggest(key, last))]
        raise UnknownSetting(key, list(dict.fromkeys(similar))[:3])
    return found


def is_own(key: str) -> bool:
    """Tell whether a key belongs to another program or to the person."""
    return key.strip().lower().startswith(OWN)


def own_setting(
    key: str, value_type: ValueType = "string", *, is_sensitive: bool = False, description: str = ""
) -> SettingKey:
    """Describe a key below OWN.

    Raises:
        SettingInvalid: it cannot be called so.
    """
    name = key.strip().lower()
    if re.fullmatch(_OWN_KEY, name) is None:
        raise SettingInvalid(
            name[:100], "it cannot be called so", hint="Use letters, digits, - and _, such as app.theme."
        )
    return SettingKey(
        name, "app", value_type, None, description or "A key of your own", is_sensitive=is_sensitive,
        lowest=-_OWN_BOUND, highest=_OWN_BOUND,
    )  # fmt: skip


def type_of_value(value: Any) -> ValueType:
    """Return the type of a key that has this value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else "json"


def parse_value(setting: SettingKey, text: str) -> Any:
    """Parse the value that a person wrote, as the key's type.

    Raises:
        SettingInvalid: the key cannot have it; says what it can have, and never repeats the value.
    """
    if len(text) > VALUE_LIMIT:
        raise SettingInvalid(setting.key, f"a value has at most {VALUE_LIMIT:,} characters")
    if setting.value_type == "string":
        return _string(setting, text)
    if setting.value_type == "boolean":
        word = text.strip().lower()
        if word not in {"true", "yes", "on", "1", "false", "no", "off", "0"}:
            raise SettingInvalid(setting.key, "it must be true or false")
        return word in {"true", "yes", "on", "1"}
    if setting.value_type == "number":
        return _bounded(setting, text)
    import json  # most values are none

    if setting.is_paths:
        return _paths(setting, text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingInvalid(setting.key, "it must be JSON") from error
    if setting.default is not None and type(value) is not type(setting.default):
        raise SettingInvalid(setting.key, f"it must be a JSON {type(setting.default).__name__}")
    return value


def check_given(setting: SettingKey, value: Any) -> Any:
    """Return a value that a person gives, if it can do what it is meant for.

    One that came from elsewhere is not held to it: whoever uses it passes over what is not a pattern.

    Raises:
        SettingInvalid: names the pattern that is none.
    """
    if setting.key != PATTERNS:
        return value
    from aura_vcs.worktree.scan.patterns import parse_patterns

    if not all(isinstance(item, str) for item in value):
        raise SettingInvalid(setting.key, "every pattern must be a text")
    for bad in parse_patterns(value)[1]:
        raise SettingInvalid(setting.key, f"pattern {bad.line} is not valid: {bad.reason}")
    return value


def is_value(setting: SettingKey, value: Any) -> bool:
    """Tell whether a stored value is one that the key can have."""
    try:
        if setting.value_type == "string" and isinstance(value, str):
            return bool(parse_value(setting, value) == value)
        import json

        return bool(parse_value(setting, json.dumps(value)) == value)
    except (SettingInvalid, TypeError, ValueError):
        return False


def _string(setting: SettingKey, text: str) -> str:
    if any(not c.isprintable() for c in text):
        raise SettingInvalid(setting.key, "it must be one line of text without control characters")
    if not text.strip():
        raise SettingInvalid(setting.key, "it must not be empty", hint=f"`aura config unset {setting.key}` removes it.")
    if not setting.choices:
        return text.strip()
    for choice in setting.choices:
        if choice.lower() == text.strip().lower():
            return choice
    raise SettingInvalid(setting.key, f"it must be one of {', '.join(setting.choices)}")


def _paths(setting: SettingKey, text: str) -> list[str]:
    """Parse the folders of a JSON list, or the one that the text names; absolute, as they were given."""
    import json

    try:
        found = json.loads(text) if text.lstrip().startswith("[") else [text]
    except (ValueError, RecursionError) as error:
        raise SettingInvalid(setting.key, "it must be a path, or a JSON list of paths") from error
    if not all(isinstance(path, str) and path.strip() and "\0" not in path for path in found):
        raise SettingInvalid(setting.key, "every path in it must be a text that is not empty")
    return [path if path == "*" else os.path.abspath(os.path.expanduser(path)) for path in found]


def _bounded(setting: SettingKey, text: str) -> float | int:
    try:
        number = float(text)
    except ValueError as error:
        raise SettingInvalid(setting.key, "it must be a number") from error
    lowest, highest = setting.lowest or 0, setting.highest or math.inf
    if not lowest <= number <= highest:
        raise SettingInvalid(setting.key, f"it must be a number from {lowest:g} to {highest:g}")
    return int(number) if number == int(number) else number
