"""Processes that outlive the command that starts them."""

import os


def start_in_background(command: list[str]) -> bool:
    """Start a process that outlives this one, reads nothing and says nothing; whether that could be."""
    if not hasattr(os, "posix_spawn"):
        import subprocess

        null = subprocess.DEVNULL
        subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True)
        return True
    with open(os.devnull, "r+b", buffering=0) as null_file:
        actions = [(os.POSIX_SPAWN_DUP2, null_file.fileno(), fd) for fd in range(3)]
        try:
            os.posix_spawn(command[0], command, dict(os.environ), file_actions=actions, setsid=True)
        except (OSError, NotImplementedError):
            return False
    return True
