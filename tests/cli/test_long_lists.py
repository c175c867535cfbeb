"""Long lists are printed while they are being read, and say the same as short ones."""

import json
from collections.abc import Iterator

from aura_vcs.cli.output.console import BLOCK_LINES, Console, to_json


def test_items_are_the_same_json(capsys: object) -> None:
    """However many blocks it takes, it is byte for byte what the whole would be."""
    for many in (0, 1, BLOCK_LINES, 2 * BLOCK_LINES + 1):
        items = [{"n": n, "text": "ü\x1b\n", "list": [], "more": {"a": [1]}} for n in range(many)]
        Console(as_json=True).items("notes", iter(items))
        said = capsys.readouterr().out  # type: ignore[attr-defined]
        assert said == to_json({"notes": items}) + "\n"
        assert json.loads(said) == {"notes": items}


def test_items_are_written_as_they_come(capsys: object) -> None:
    """What was read is written before the next is asked for."""

    def items() -> Iterator[dict[str, int]]:
        for n in range(2 * BLOCK_LINES):
            if n == BLOCK_LINES:
                assert '"n": 0' in capsys.readouterr().out  # type: ignore[attr-defined]
            yield {"n": n}

    Console(as_json=True).items("notes", items())
