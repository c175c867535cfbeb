"""The process of a project's watcher: `python -m aura_vcs.cli.watcher_main FOLDER [PID]`, started by `aura` itself."""

import os
import sys

from aura_vcs.cli.helper.server import ProgramFiles
from aura_vcs.worktree.watch.server import serve

MOST_FILES = 4096


def main() -> None:
    """Watch until there is a reason to end; nothing is inherited that the starting process had open."""
    os.closerange(3, MOST_FILES)
    only_for = int(sys.argv[2]) if len(sys.argv) > 2 else None
    serve(sys.argv[1], ProgramFiles().are_the_same, only_for=only_for)


if __name__ == "__main__":
    main()
