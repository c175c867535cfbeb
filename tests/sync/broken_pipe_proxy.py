"""A process between a client and `aura serve`: it counts what goes there, slows it down, and cuts the line.

    python cut_pipe.py LOG RATE CUT… -- FOLDER

Each start takes the next CUT (bytes to the other side after which both ends are cut off; 0 lets all
pass) and adds a line with the bytes that went there to LOG. RATE is bytes a second, 0 without limit.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

RUN = "from aura_vcs.cli.entry import run; run()"
PIECE_BYTES = 16 << 10


def command(log: Path, folder: Path, *cuts: int, rate: int = 0) -> list[str]:
    """How it is started."""
    return [sys.executable, __file__, str(log), str(rate), *map(str, cuts), "--", str(folder)]


def passed(log: Path) -> list[int]:
    """How many bytes went to the other side, for each connection."""
    return [int(line) for line in log.read_text().splitlines()] if log.exists() else []


def main() -> None:
    """Pass bytes on until one side ends, or the line is cut."""
    log, rate = Path(sys.argv[1]), int(sys.argv[2])
    cuts = [int(word) for word in sys.argv[3 : sys.argv.index("--")]]
    number = len(passed(log))
    left = cuts[number] if number < len(cuts) and cuts[number] else None
    far = subprocess.Popen(
        [sys.executable, "-c", RUN, "serve", "--stdio", "--", sys.argv[-1]], stdin=subprocess.PIPE, bufsize=0
    )
    assert far.stdin is not None
    count = 0

    def end() -> None:
        far.wait()
        note(log, count)
        os._exit(far.returncode)

    Thread(target=end, daemon=True).start()
    while left is None or left > 0:
        data = os.read(0, PIECE_BYTES if left is None else min(PIECE_BYTES, left))
        if not data:
            break
        far.stdin.write(data)
        count += len(data)
        left = None if left is None else left - len(data)
        time.sleep(len(data) / rate if rate else 0)
    far.stdin.close()
    far.wait()
    time.sleep(60)  # the other thread ends us


def note(log: Path, count: int) -> None:
    """Add a line."""
    with log.open("a") as file:
        file.write(f"{count}\n")


if __name__ == "__main__":
    main()
