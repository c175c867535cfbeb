"""Running a process and keeping what it cost."""

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from tempfile import TemporaryFile

import msgspec

PR_SET_CHILD_SUBREAPER = 36
ORPHAN_SECONDS = 10.0


class Sample(msgspec.Struct, frozen=True):
    """What one run cost: seconds by the clock, bytes of memory of its largest process, seconds of the processor.

    Those of the processor are of the process and all that it waited for; those of `run_whole` also of what it did not
    wait for. What a helper ran for it is not among them.
    """

    seconds: float
    peak_bytes: int = 0
    processor_seconds: float = 0.0


class Times(msgspec.Struct):
    """The samples of one tool in one row."""

    samples: list[Sample]

    @property
    def median(self) -> float:
        """The middle one, in seconds."""
        return median(sample.seconds for sample in self.samples)

    @property
    def processor_median(self) -> float:
        """The middle one, in seconds of the processor."""
        return median(sample.processor_seconds for sample in self.samples)

    @property
    def peak_bytes(self) -> int:
        """The largest process of all runs."""
        return max(sample.peak_bytes for sample in self.samples)

    def text(self) -> str:
        """Median, and the range where there was more than one run."""
        seconds = sorted(sample.seconds for sample in self.samples)
        busy = f", {span(self.processor_median)} of the processor" if self.processor_median else ""
        if len(seconds) == 1:
            return f"{span(seconds[0])} (once{busy})"
        return f"{span(self.median)} ({span(seconds[0])}–{span(seconds[-1])}{busy})"


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
    return Sample(seconds, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime)


def run_whole(arguments: Sequence[str], folder: str, env: Mapping[str, str]) -> Sample:
    """Run a command as `run` does, and count the processor time of every process below it that ended with it.

    A process whose parent ended first is handed to this one, where the system can do that (Linux); what goes on for
    longer than ORPHAN_SECONDS, as a helper does, is not waited for.

    Raises:
        CommandFailed: it did not exit with 0.
    """
    can_adopt = _adopt(True)
    try:
        sample = run(arguments, folder, env)
        left = _orphans_seconds() if can_adopt else 0.0
    finally:
        _adopt(False)
    return msgspec.structs.replace(sample, processor_seconds=sample.processor_seconds + left)


def _adopt(is_wanted: bool) -> bool:
    """Ask for processes whose parent is gone, or no more; tell whether the system knows that."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(is_wanted), 0, 0, 0) == 0)


def _orphans_seconds() -> float:
    """Wait for the processes that were left, and add up what they took."""
    seconds, end = 0.0, time.monotonic() + ORPHAN_SECONDS
    while time.monotonic() < end:
        try:
            number, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            break
        if number:
            seconds += usage.ru_utime + usage.ru_stime
        else:
            time.sleep(0.002)
    return seconds


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
