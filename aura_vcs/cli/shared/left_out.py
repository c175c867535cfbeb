"""What an import left out, as it is told at its end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aura_vcs.cli.output.console import Console, faint, yellow
from aura_vcs.cli.output.humanize import count

if TYPE_CHECKING:
    from aura_vcs.interchange.git_refs import LeftOut

SHOWN = 20
"""So many things of a kind are shown; the others are counted."""


def print_left_out(console: Console, named: "Sequence[LeftOut]", things: int) -> None:
    """Print what was left out and why: the first of those that have a name here, of so many things; nothing for 0."""
    if not things:
        return
    console.line(yellow(f"Left out: {count(things, 'thing')}"))
    for left in named[:SHOWN]:
        console.line(f"  {left.what}", faint(f"  {left.reason}"))
    if things > SHOWN:
        console.line(faint(f"  and {things - SHOWN} more; `--json` lists up to {len(named)}"))
