"""What every group of rows is given: where to work, at which scale, with which tools."""

import os
import sys
from collections.abc import Callable, Collection, Mapping
from importlib.util import find_spec

from bench.measure import CommandFailed, Sample, Times, alternate, run
from bench.table import Row
from bench.tools import Aura, Tool

IMPORTS = "import click, msgspec, sqlite3"


class Setting:
    """One run: its folder on disk, its folder in memory (if the system has one), and the rows so far."""

    def __init__(
        self, scale: float, disk: str, memory: str | None, tools: Mapping[str, Tool], only: Collection[str] | None
    ) -> None:
        self.scale = scale
        self.disk = disk
        self.memory = memory
        self.tools = tools
        self.rows: list[Row] = []
        self._only = only

    @property
    def aura(self) -> Aura:
        """What is measured."""
        found = self.tools["aura"]
        assert isinstance(found, Aura)
        return found

    def wants(self, *names: str) -> bool:
        """Whether one of these rows was asked for."""
        return self._only is None or any(name in self._only for name in names)

    def has_command(self, name: str) -> bool:
        """Whether this `aura` has a command."""
        return find_spec(f"aura_vcs.cli.commands.{name}") is not None

    def count(self, full: int, least: int = 1) -> int:
        """A number of things at this scale."""
        return max(least, round(full * self.scale))

    def bytes(self, full: int, least: int = 4 << 20) -> int:
        """A size at this scale, in whole blocks."""
        return max(least, round(full * self.scale) >> 20 << 20)

    def place(self, *names: str) -> str:
        """A new folder on the disk."""
        path = os.path.join(self.disk, *names)
        os.makedirs(path)
        return path

    def add(self, row: Row) -> Row:
        """Keep a row that is complete, and say so."""
        self.rows.append(row)
        self.say(f"  {row.name}: " + "; ".join([f"{tool} {times.text()}" for tool, times in row.times.items()]))
        for check in row.checks:
            self.say(f"    {check.text()}")
        return row

    def say(self, words: str) -> None:
        """Tell how far the run is."""
        print(words, file=sys.stderr, flush=True)

    def settle(self) -> None:
        """Let the disk finish what making the data began."""
        run(["sync", "-f", self.disk], self.disk, self.aura.env)

    def baseline(self) -> Sample:
        """What Python's start with our imports takes."""
        return run([sys.executable, "-c", IMPORTS], self.disk, self.aura.env)

    def bare(self) -> Sample:
        """What Python's start alone takes."""
        return run([sys.executable, "-c", "pass"], self.disk, self.aura.env)

    def rounds(
        self, tasks: Mapping[str, Callable[[int], Sample]], rounds: int, only: Mapping[str, int] | None = None
    ) -> dict[str, Times]:
        """See alternate; says what it is at. Each begins on a settled disk: who syncs would pay for who does not."""

        def settled(task: Callable[[int], Sample]) -> Callable[[int], Sample]:
            def begin(number: int) -> Sample:
                self.settle()
                return task(number)

            return begin

        self.say(f"  {rounds} rounds of {', '.join(tasks)}")
        return alternate({name: settled(task) for name, task in tasks.items()}, rounds, only)

    def but(self, *names: str) -> dict[str, Tool]:
        """The tools without some."""
        return {name: tool for name, tool in self.tools.items() if name not in names}


def empty(folder: str, aside: str) -> None:
    """Empty a folder without deleting: what is in it is moved aside."""
    os.makedirs(aside)
    for name in os.listdir(folder):
        os.rename(os.path.join(folder, name), os.path.join(aside, name))


def check_is_back(folder: str, count: int) -> None:
    """Check that a folder that was emptied has its files again, `count` at least.

    Raises:
        CommandFailed: there are fewer; what took so long was something else.
    """
    found = sum(len(names) for _, _, names in os.walk(folder))
    if found < count:
        raise CommandFailed(f"{found:,} of {count:,} files are back in {folder}")
