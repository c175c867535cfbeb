"""What contents cost, in rows that are added up without reading what else was said of them."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from aura_vcs.formats.provenance.facts import NAMES, proper_facts
from aura_vcs.model import Annotation
from aura_vcs.refs.annotations import is_deleted, value_of

KEYS = ("model", "program", "kind", "person", "month")
"""What can be added up by."""
_HALF = 1 << 20
"""Tokens are added up in two parts: the sum of many large numbers would be more than SQLite counts to."""


def put_costs(connection: sqlite3.Connection, item: Annotation) -> None:
    """Enter what a content cost, as its provenance says; nothing where that says neither a cost nor tokens."""
    connection.execute("DELETE FROM costs WHERE content = ?", (item.id,))
    if is_deleted(item) or (value_of(item, "cost") is None and value_of(item, "tokens") is None):
        return
    facts = proper_facts({name: value for name in NAMES if (value := value_of(item, name)) is not None})
    if "cost" not in facts and "tokens" not in facts:
        return
    made = str(facts.get("made_at") or min((field.updated_at for field in item.fields.values()), default=""))
    keys = [str(facts.get(name, "")) for name in KEYS[:-1]]
    tokens = facts.get("tokens", 0)
    amount = (str(facts.get("currency", "")), str(facts.get("cost", 0)), tokens if isinstance(tokens, int) else 0)
    connection.execute("INSERT INTO costs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (item.id, *keys, made[:7], *amount))


def cost_groups(connection: sqlite3.Connection, by: str | None) -> Iterator[tuple[str, str, str, int, int]]:
    """Yield contents of one key, currency and cost together: these, the tokens of all, and how many there are.

    `by` is one of KEYS; without one, the key is "".
    """
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'costs'").fetchone() is None:
        return
    key = by if by in KEYS else "''"
    rows: Iterator[tuple[Any, ...]] = connection.execute(
        f"SELECT {key}, currency, cost, sum(tokens / {_HALF}), sum(tokens % {_HALF}), count(*) FROM costs "
        f"GROUP BY {key}, currency, cost"
    )
    for name, currency, cost, high, low, count in rows:
        yield name, currency, cost, high * _HALF + low, count
