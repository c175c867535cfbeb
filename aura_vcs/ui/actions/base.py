"""How a request to do something is read, and what does it."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from aura_vcs.api.opened import project_paths
from aura_vcs.api.reporting import Call
from aura_vcs.codec import decode_json
from aura_vcs.errors import InputError
from aura_vcs.plain_text import path_of_text
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.workspace import ProjectLane

ID_SHOWN = 10
_FULL_ID = re.compile("[0-9a-f]{64}")


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a request asks for: the fields of its JSON."""


class PageAction(msgspec.Struct, frozen=True):
    """How a wish is read, what a person calls it while it is done, and what does it."""

    shape: type[Wish]
    title: Callable[[Any], str]
    work: Callable[[ProjectLane, Call, Any], Any]


def shown(name: str) -> str:
    """Write a name of a version for people: a full id by its beginning."""
    return name[:ID_SHOWN] if _FULL_ID.fullmatch(name) else name


def read_wish(action: PageAction, body: bytes) -> Wish:
    """Read the JSON of a request.

    Raises:
        InputError: it is not what the action takes.
    """
    try:
        return decode_json(body or b"{}", action.shape)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        hint = "docs/api-http.md says what each action takes."
        raise InputError(f"That is not what can be asked: {error}", hint=hint) from error


def given_paths(repo: Repository, paths: Iterable[str]) -> list[str]:
    """Return paths as versions have them; bytes that are not UTF-8 come as `plain_text.path_text` writes them.

    Raises:
        InputError: one is outside the project.
    """
    return project_paths(repo, map(path_of_text, paths))


def of_library(function: Callable[[Repository, Any], Any]) -> Callable[[ProjectLane, Call, Any], Any]:
    """Run a function of the library with its progress."""
    return lambda lane, call, wish: lane.run_reporting(call, function, wish)
