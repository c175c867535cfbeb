"""The machine a table was made on: without it, seconds mean nothing."""

import os
import platform
import subprocess
import sys
import sysconfig


def describe(folders: list[str]) -> str:
    """Processor, memory, kernel, file systems and Python, as Markdown."""
    lines = [
        f"- processor: {_processor()}, {os.cpu_count()} cores",
        f"- memory: {_memory()}",
        f"- system: {platform.system()} {platform.release()}, {_load()}",
        f"- file systems: {', '.join(_file_system(folder) for folder in folders)}",
        f"- Python: {platform.python_implementation()} {platform.python_version()}, {python_build()}",
    ]
    return "\n".join(lines) + "\n"


def python_build() -> str:
    """How this Python was compiled; without optimisation it is half again as slow."""
    arguments = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    flags = str(sysconfig.get_config_var("PY_CFLAGS") or "")
    guided = "--enable-optimizations" in arguments
    linked = "--with-lto" in arguments
    level = "-O3" if "-O3" in flags else "-O2" if "-O2" in flags else "no -O"
    words = ["profile-guided" if guided else "not profile-guided", "link-time optimised" if linked else "no LTO", level]
    if "--enable-shared" in arguments:
        words.append("shared library")
    if sysconfig.get_config_var("Py_DEBUG"):
        words.append("debug build")
    return f"{', '.join(words)} ({sys.prefix if sys.prefix == sys.base_prefix else sys.base_prefix})"


def tool_versions(commands: dict[str, str]) -> str:
    """What the tools say of themselves, one line each; the command of each tool by its name."""
    lines = []
    for name, command in commands.items():
        arguments = [command, "version"] if name == "restic" else [command, "--version"]
        found = subprocess.run(arguments, capture_output=True, text=True, check=False)
        lines.append(f"- {(found.stdout or found.stderr).splitlines()[0].strip()}")
    return "\n".join(lines) + "\n"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            fields = dict(
                line.split(":", 1) for line in file.read().split("\n\n", maxsplit=1)[0].splitlines() if ":" in line
            )
    except OSError:
        return platform.processor() or platform.machine()
    found = {key.strip(): value.strip() for key, value in fields.items()}
    name = found.get("model name", "") or platform.machine()
    if len(name) < 5:
        name = f"{found.get('vendor_id', '')} family {found.get('cpu family', '?')} model {name}".strip()
    flags = set(found.get("flags", "").split())
    vector = next((flag for flag in ("avx512f", "avx2", "sse4_2") if flag in flags), "no vector flags known")
    return f"{name} ({platform.machine()}, {vector})"


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (OSError, ValueError, AttributeError):
        return "not known"


def _load() -> str:
    try:
        return f"load {os.getloadavg()[0]:.1f} at the start"
    except OSError:
        return "load not known"


def _file_system(folder: str) -> str:
    """The kind of disk that a folder is on, as /proc/mounts has it."""
    try:
        with open("/proc/mounts", encoding="utf-8") as file:
            mounts = [line.split()[1:3] for line in file]
    except OSError:
        return "not known"
    inside = [m for m in mounts if folder == m[0] or folder.startswith(m[0].rstrip("/") + "/")]
    return max(inside, key=lambda mount: len(mount[0]))[1] if inside else "not known"
