"""Running a process and keeping what it cost."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from tempfile import TemporaryFile

import msgspec


class Sample(msgspec.Struct, frozen=True):
    """What one run cost: seconds by the clock, and bytes of memory of its largest process."""

    seconds: float
    peak_bytes: int = 0


class Times(msgspec.Struct):
    """The samples of one tool in one row."""

    samples: list[Sample]

    @property
    def median(self) -> float:
        """The middle one, in seconds."""
        return median(sample.seconds for sample in self.samples)

    @property
    def peak_bytes(self) -> int:
        """The largest process of all runs."""
        return max(sample.peak_bytes for sample in self.samples)

    def text(self) -> str:
        """Median, and the range where there was more than one run."""
        seconds = sorted(sample.seconds for sample in self.samples)
        if len(seconds) == 1:
            return f"{span(seconds[0])} (once)"
        return f"{span(self.median)} ({span(seconds[0])}–{span(seconds[-1])})"


def span(seconds: float) -> str:
    """A time as a person reads it."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


class CommandFailed(Exception):
    """A measured command did not succeed; its time would mean nothing."""


def run(arguments: Sequence[str], folder: str, env: Mapping[str, str]) -> Sample:
    """Run a command in a folder and wait for it; it inherits nothing but `env`.

    Raises:
        CommandFailed: it did not exit with 0.
    """
    with TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            arguments, cwd=folder, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            words = errors.read().decode(errors="replace")[-800:]
            raise CommandFailed(f"{' '.join(arguments)[:200]} in {folder} gave {process.returncode}: {words}")
    return Sample(seconds, usage.ru_maxrss * 1024)


def alternate(
    tasks: Mapping[str, Callable[[int], Sample]], rounds: int, only: Mapping[str, int] | None = None
) -> dict[str, Times]:
    """Run every task once per round, in turns and each round beginning with another one.

    A task is handed the number of its round. `only` says how many rounds slow ones take part in.
    """
    limits = only or {}
    names = list(tasks)
    times = {name: Times([]) for name in names}
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            if number < limits.get(name, rounds):
                times[name].samples.append(tasks[name](number))
    return times
