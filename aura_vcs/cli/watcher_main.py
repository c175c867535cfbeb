"""The process of a project's watcher: `python -m aura_vcs.cli.watcher_main FOLDER`, started by `aura` itself."""

import os
import sys

from aura_vcs.cli.helper.server import ProgramFiles
from aura_vcs.worktree.watch.server import serve

MOST_FILES = 4096


def main() -> None:
    """Watch until there is a reason to end; nothing is inherited that the starting process had open."""
    os.closerange(3, MOST_FILES)
    serve(sys.argv[1], ProgramFiles().are_the_same)


if __name__ == "__main__":
    main()
