"""What must be alike for a copy of the helper to stand for the caller's process; at any doubt it does not.

All of it is read from `/proc` while the caller waits: who it is and what it may do, what it sees of the system (mounts,
users, processes, network, root), and how much of it it may use. A process that is traced
(strace, a debugger) is left alone: whoever traces it wants to see it work.
"""

import os

_STATUS = frozenset({
    "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
    "Seccomp", "Seccomp_filters", "Cpus_allowed", "Mems_allowed",
})  # fmt: skip
_NAMESPACES = ("mnt", "user", "pid", "net", "ipc", "uts", "cgroup", "time")


_LIBRARY_SIGNALS = 0x180000000
"""Two that the C library keeps for itself, and that starting a process with it may leave ignored."""


class Conditions:
    """What is compared of a process; and its umask and the signals it ignores, which a copy takes over."""

    def __init__(self, pid: "int | str") -> None:
        """Read them of a running process.

        Raises:
            OSError: it has ended, or may not be looked at.
            KeyError, ValueError: the system does not say what it should.
        """
        folder = f"/proc/{pid}"
        status = dict(line.partition(":")[::2] for line in _read(f"{folder}/status").splitlines())
        self.is_traced = status["TracerPid"].strip() != "0" if "TracerPid" in status else True
        self.umask = int(status["Umask"].strip(), 8) if "Umask" in status else -1
        if self.umask < 0:
            raise ValueError("no umask is told")
        ignored = int(status["SigIgn"], 16) & ~_LIBRARY_SIGNALS
        self.ignored = frozenset(number for number in range(1, 65) if ignored >> (number - 1) & 1)
        root = os.stat(f"{folder}/root")
        number = os.getpid() if pid == "self" else int(pid)
        self.compared = (
            tuple(sorted((name, value) for name, value in status.items() if name in _STATUS)),
            int(status["SigBlk"], 16) & ~_LIBRARY_SIGNALS,
            tuple(_link(f"{folder}/ns/{name}") for name in _NAMESPACES),
            (root.st_dev, root.st_ino),
            _read(f"{folder}/limits"),
            os.getpriority(os.PRIO_PROCESS, number),
            os.sched_getscheduler(number),
            _label(folder),
        )

    def allows(self, other: "Conditions") -> bool:
        """Tell whether a copy of this process can stand for the other."""
        return not self.is_traced and not other.is_traced and self.compared == other.compared


def _read(path: str) -> str:
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "surrogateescape")


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""  # a kind that this kernel has not


def _label(folder: str) -> str:
    """Return what a security module calls the process; "" where there is none."""
    try:
        return _read(f"{folder}/attr/current")
    except OSError:
        return ""
