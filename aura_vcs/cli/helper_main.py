"""The process of the resident helper: `python -m aura_vcs.cli.helper_main`, started by `aura` itself."""

import os

from aura_vcs.cli.entry import run_in_copy
from aura_vcs.cli.helper.server import serve
from aura_vcs.cli.helper.starting import load_commands

MOST_FILES = 4096


def main() -> None:
    """Serve until there is a reason to end; nothing is inherited that the starting process had open."""
    os.closerange(3, MOST_FILES)
    serve(run_in_copy, load_commands)


if __name__ == "__main__":
    main()
