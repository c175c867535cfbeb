"""`python -m bench`: measure, print the table, keep it in bench/results/."""

import argparse
import compileall
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench import carrying, edits, files, footage, media, page, past, resident, studio
from bench.machine import describe, tool_versions
from bench.setting import Setting
from bench.table import Check, Row, markdown
from bench.tools import environment, present

GROUPS = (files, edits, resident, media, footage, past, studio, carrying, page)
RESULTS = Path(__file__).parent / "results"
PACKAGE = Path(__file__).parent.parent / "aura_vcs"
MEMORY_FOLDER = "/dev/shm"


def main() -> None:
    """Parse, measure, print, keep."""
    arguments = _arguments()
    compileall.compile_dir(PACKAGE, quiet=1)  # as an installation has it, wherever Python may not write while it runs
    disk = tempfile.mkdtemp(prefix="aura-bench-", dir=arguments.folder)
    memory = tempfile.mkdtemp(prefix="aura-bench-", dir=MEMORY_FOLDER) if Path(MEMORY_FOLDER).is_dir() else None
    start = time.perf_counter()
    try:
        tools = present(arguments.tools, environment(f"{disk}/home"))
        setting = Setting(arguments.scale, disk, memory, tools, arguments.only)
        text = _head(arguments.scale, setting)
        for group in GROUPS:
            setting.say(group.__name__)
            group.measure(setting)
        setting.add(_memory_row(setting.rows))
    finally:
        for folder in (disk, memory):
            if folder is not None and not arguments.keep:
                shutil.rmtree(folder, ignore_errors=True)
    text += f"Took {time.perf_counter() - start:.0f} s.\n\n" + markdown(setting.rows)
    print(text)
    _keep(arguments.results, text, setting.rows)


def _arguments() -> argparse.Namespace:
    rows = [name for group in GROUPS for name in group.NAMES]
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, epilog=f"Rows: {', '.join(rows)}.")
    parser.add_argument("--scale", type=float, default=1.0, help="how much data, 1 being the full run (default)")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=rows, help="measure only these rows")
    parser.add_argument(
        "--tools", type=lambda text: text.split(","), help="compare only with these: git,borg,restic,hg,cp"
    )
    parser.add_argument("--folder", help="where to work (default: the system's temporary folder)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the table is kept")
    parser.add_argument("--keep", action="store_true", help="leave the temporary folders for a look")
    found = parser.parse_args()
    if not 0 < found.scale <= 16:
        parser.error("--scale is a number above 0, at most 16")
    return found


def _head(scale: float, setting: Setting) -> str:
    folders = [setting.disk] + ([setting.memory] if setting.memory else [])
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    commands = {name: name for name in setting.but("cp")} | {"aura": setting.aura.command}
    return f"# Measured at {when}, scale {scale:g}\n\n{describe(folders)}{tool_versions(commands)}\n"


def _memory_row(rows: list[Row]) -> Row:
    """The largest process of ours in all rows."""
    row = Row("memory", "peak memory of the largest aura process in any row")
    peaks = {
        f"{found.name} {tool}": times.peak_bytes
        for found in rows
        for tool, times in found.times.items()
        if tool.startswith("aura")
    }
    if peaks:
        largest = max(peaks, key=lambda name: peaks[name])
        row.checks.append(Check("largest", peaks[largest] / 1e6, 400, unit=" MB"))
        row.notes.append(f"in {largest}")
    return row


def _keep(folder: Path, page: str, rows: list[Row]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    (folder / f"{name}.md").write_text(page, encoding="utf-8")
    data = msgspec.json.format(msgspec.json.encode(rows), indent=1)
    (folder / f"{name}.json").write_bytes(data)
    print(f"Kept in {folder / name}.md and .json", file=sys.stderr)


if __name__ == "__main__":
    main()
