"""The facts of a provenance: which there are, and what each may be.

Whatever comes from outside (a command, a JSON file, the inside of a picture) goes through `check_facts`.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from aura_vcs.errors.input import InvalidFact
from aura_vcs.ids import is_object_id

Fact = str | int | bool | dict[str, Any] | list[str]
Facts = dict[str, Fact]
"""Facts by their names."""

KINDS = ("generated", "recorded", "licensed", "derived")
TEXTS = (
    "kind", "program", "model", "model_version", "prompt", "negative_prompt", "seed", "currency", "made_at", "license",
    "license_source", "license_terms", "person", "note", "path", "origin",
)  # fmt: skip
NAMES = (*TEXTS, "cost", "tokens", "commercial", "parameters", "inputs")
"""Every fact, in the order in which they are listed below."""
FILE_ONLY = ("source_type", "actions", "ingredients", "signature")
"""Texts that only a file itself can say, in its C2PA manifest: nobody else can."""
ORDER = (
    "kind", "program", "model", "model_version", "prompt", "negative_prompt", "seed", "parameters", "inputs", "cost",
    "currency", "tokens", "made_at", "license", "license_source", "license_terms", "commercial", "person", "note",
    *FILE_ONLY, "path", "origin",
)  # fmt: skip
TEXT_LIMIT = 65_536
"""Characters of a text, and of all parameters together."""
PARAMETER_LIMIT = 500
INPUT_LIMIT = 2_000
_CURRENCY = re.compile(r"[A-Z]{3}")
_COST = Decimal(10) ** 12
_TOKENS = 1 << 53


def check_facts(given: Mapping[str, Any]) -> Facts:
    """Return the facts as they are stored; what is None or "" is left out.

    Raises:
        InvalidFact: there is no such fact, or it cannot have that value.
    """
    return {name: _checked(name, value) for name, value in given.items() if value is not None and value not in ("", [])}


def proper_facts(given: Mapping[str, Any], *, of_file: bool = False) -> Facts:
    """Return those of the facts that are proper: for what a file says, or another machine.

    With `of_file`, also what nobody but a file says.
    """
    found: Facts = {}
    for name, value in given.items():
        if of_file and name in FILE_ONLY and isinstance(value, str) and value:
            found[name] = value[:TEXT_LIMIT].encode("utf-8", "replace").decode("utf-8")
            continue
        try:
            found |= check_facts({name: value})
        except InvalidFact:
            continue
    return found


def _checked(name: str, value: Any) -> Fact:
    if name in TEXTS:
        return _text(name, value)
    if name == "cost":
        return _cost(value)
    if name == "tokens":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _TOKENS:
            raise InvalidFact(name, value, "it is a whole number")
        return value
    if name == "commercial":
        if not isinstance(value, bool):
            raise InvalidFact(name, value, "it is true or false")
        return value
    if name == "inputs":
        return _inputs(value)
    if name == "parameters":
        return _parameters(value)
    raise InvalidFact(name, value, f"there is no such fact; there are {', '.join(n for n in ORDER if n in NAMES)}")


def _text(name: str, value: Any) -> str:
    if name == "seed" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise InvalidFact(name, value, "it is a text")
    if len(value) > TEXT_LIMIT:
        raise InvalidFact(name, f"{value[:40]}…", f"it has more than {TEXT_LIMIT:,} characters")
    if name == "kind" and value not in KINDS:
        raise InvalidFact(name, value, f"it is one of {', '.join(KINDS)}")
    if name == "currency" and not _CURRENCY.fullmatch(value):
        raise InvalidFact(name, value, "it is three capital letters, such as EUR")
    return value.encode("utf-8", "replace").decode("utf-8")


def _cost(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise InvalidFact("cost", value, "it must be a number")
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise InvalidFact("cost", value, "it must be a number") from error
    if not number.is_finite() or not 0 <= number < _COST or len(str(number)) > 40:
        raise InvalidFact("cost", value, "it is a number from 0 on")
    return format(number, "f")


def _inputs(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > INPUT_LIMIT:
        raise InvalidFact("inputs", value, f"it is a list of at most {INPUT_LIMIT:,} ids of content")
    if not all(isinstance(item, str) and is_object_id(item) for item in value):
        raise InvalidFact("inputs", value, "each is the id of a file's content, 64 hexadecimal digits")
    return list(dict.fromkeys(value))


def _parameters(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > PARAMETER_LIMIT:
        raise InvalidFact("parameters", value, f"it is an object with at most {PARAMETER_LIMIT} names")
    if not all(isinstance(name, str) and isinstance(item, str | int | float | bool) for name, item in value.items()):
        raise InvalidFact("parameters", value, "each has a name, and a text or number")
    if any(isinstance(item, float) and not math.isfinite(item) for item in value.values()):
        raise InvalidFact("parameters", value, "a number is none")
    if any(isinstance(item, int) and abs(item) >= _TOKENS for item in value.values()):
        value = {k: str(v) if isinstance(v, int) and abs(v) >= _TOKENS else v for k, v in value.items()}
    if sum(len(name) + len(str(item)) for name, item in value.items()) > TEXT_LIMIT:
        raise InvalidFact("parameters", "…", f"they have more than {TEXT_LIMIT:,} characters")
    return dict(sorted(value.items()))


_FORBIDS = re.compile(r"(?i)\b(nc|non-?commercial|personal use|editorial|research only)\b|[-_]nc[-_0-9.]|[-_]nc$")


def forbids_commerce(facts: Mapping[str, Any]) -> bool:
    """Tell whether a file may not be used commercially, as far as its licence says so."""
    if isinstance(commercial := facts.get("commercial"), bool):
        return not commercial
    return any(_FORBIDS.search(str(facts.get(name, ""))) is not None for name in ("license", "license_terms"))
