"""`python -m aura_vcs` is the command `aura`."""

from aura_vcs.cli.entry import run

if __name__ == "__main__":
    run()
