"""Modules that take long to import, and of which most commands need one small thing, or nothing.

Click and msgspec import them at once. Here they are imported when something of them is used; whoever
imported one before has a module in which everything is found then, too.
"""

import sys
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """A module that is imported when something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":  # whether it is a package: `from ... import` asks that
            raise AttributeError(name)
        return getattr(_imported(self.__name__), name)


def import_later() -> None:
    """Put off what takes an eighth of the time of a short command.

    To make an option, click cleans one line of help; to read `-m`, it looks for long options like it; and
    it asks for translations, of which there are none. `uuid` and zstandard ask of platform what they run on. Of
    msgspec, a few commands look at types, and none writes schemas, TOML or YAML.
    """
    _import_when_used("inspect", cleandoc=_cleandoc)
    _import_when_used("difflib", get_close_matches=_close_matches)
    _import_when_used("gettext", gettext=str, ngettext=_singular_or_plural)
    _import_when_used("textwrap")
    for name in ("inspect", "toml", "yaml"):
        _import_when_used(f"msgspec.{name}")
    _import_when_used("msgspec._json_schema", schema=_schema, schema_components=_schema_components)
    if sys.platform == "linux" and sys.implementation.name == "cpython":
        _import_when_used("platform", system=lambda: "Linux", python_implementation=lambda: "CPython")


def _import_when_used(name: str, **at_hand: Any) -> None:
    if name not in sys.modules:
        module = sys.modules[name] = _Later(name)
        module.__dict__.update(at_hand)


def _imported(name: str) -> ModuleType:
    """Import the module itself, now."""
    before = sys.modules.get(name)
    if isinstance(before, _Later):
        del sys.modules[name]
        before.__dict__.update(import_module(name).__dict__)
    return import_module(name)


def _cleandoc(text: str) -> str:
    if "\n" in text or "\t" in text:
        cleaned: str = _imported("inspect").cleandoc(text)
        return cleaned
    return text.lstrip(" ")


def _close_matches(word: str, possibilities: Iterable[str], *how: Any, **named: Any) -> list[str]:
    if word.startswith("-") and not word.startswith("--"):
        return []  # a short option: click asks, and tells nobody
    found: list[str] = _imported("difflib").get_close_matches(word, possibilities, *how, **named)
    return found


def _schema(*how: Any, **named: Any) -> Any:
    return _imported("msgspec._json_schema").schema(*how, **named)


def _schema_components(*how: Any, **named: Any) -> Any:
    return _imported("msgspec._json_schema").schema_components(*how, **named)


def _singular_or_plural(one: str, many: str, count: int) -> str:
    return one if count == 1 else many
