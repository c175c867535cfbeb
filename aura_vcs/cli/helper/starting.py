"""Starting the helper, and what it is started with."""

import os
import sys
import time
from importlib import import_module
from pkgutil import iter_modules

import click

from aura_vcs.cli.background import start_in_background
from aura_vcs.cli.helper.client import connect
from aura_vcs.cli.helper_protocol import identity, socket_path
from aura_vcs.cli.homes import studio_folder
from aura_vcs.errors import AuraError, ExtraMissing

ROOMS = (
    "cli.output", "cli.shared", "compare", "formats", "history", "index", "maintenance", "objects", "operation_log",
    "project", "refs", "repository", "storage", "studio", "worktree",
)  # fmt: skip
"""Rooms whose modules the commands use that the helper runs."""
MODULES = (
    "cli.main", "cli.configured_name", "cli.error_context", "cli.error_report", "cli.fetch_on_demand",
    "cli.lazy_import", "cli.remote_environment", "cli.session", "codec", "forked_worker", "parallel", "plain_text",
    "sync.sent",
)  # fmt: skip
COMMANDS = (
    "blame", "branch", "checkout", "commit", "diff", "init", "log", "ls", "ops", "redo", "restore", "show", "status",
    "tag", "undo",
)  # fmt: skip
START_SECONDS = 10.0


def start() -> bool:
    """Start the helper in a process of its own; whether that could be. Where one runs, the new one ends at once."""
    mode = ["-X", "utf8"] if sys.flags.utf8_mode else []
    # -P: nothing of a person's folder is taken for a module of Python.
    return start_in_background([sys.executable, "-P", *mode, "-m", "aura_vcs.cli.helper_main"])


def start_unless_off() -> None:
    """Start the helper for the commands to come, unless the person has switched it off."""
    if is_on():
        start()


def is_on() -> bool:
    """Tell whether the person's configuration lets the helper start by itself."""
    from aura_vcs.studio.configuration import get_configuration
    from aura_vcs.studio.studio import Studio

    try:
        folder = studio_folder()
        if not os.path.isfile(os.path.join(folder, "config.json")):
            return True
        return bool(get_configuration(Studio(folder, user=""), "helper.auto").value)
    except AuraError:
        return False  # `aura config list` says what is wrong


def wait_until_there() -> bool:
    """Wait until the helper listens; whether it does after `START_SECONDS`."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        sock = connect(socket_path(identity()))
        if sock is not None:
            sock.close()
            return True
        time.sleep(0.02)
    return False


def load_commands() -> None:
    """Import what the commands need that the helper runs; what an extra would bring is left to them."""
    for name in (*MODULES, *(f"cli.commands.{name}" for name in COMMANDS)):
        import_module(f"aura_vcs.{name}")
    for room in ROOMS:
        _load_room(f"aura_vcs.{room}")
    _make_help_options(import_module("aura_vcs.cli.main").cli)


def _make_help_options(root: click.Group) -> None:
    """Have click make the option `--help` of each command, which it keeps; no copy makes it again."""
    context = click.Context(root)
    for command in (root, *(root.get_command(context, name) for name in COMMANDS)):
        if command is not None:
            command.get_help_option(click.Context(command, **command.context_settings))


def _load_room(name: str) -> None:
    if name.rpartition(".")[2] in {"testing", "remotes"}:
        return
    try:
        module = import_module(name)
    except (ImportError, ExtraMissing):
        return
    for found in iter_modules(getattr(module, "__path__", ())):
        _load_room(f"{name}.{found.name}")
