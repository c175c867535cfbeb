"""Where the process of `aura` begins: what must come before the imports that take time."""

import _signal  # type: ignore[import-not-found]  # `signal` without the enums, whose import Ctrl-C would meet
import gc
import os
import sys

from aura_vcs.cli.helper_protocol import identity, is_safe_folder, may_be_served, socket_path

TYPE_CHECKING = False  # as `typing` has it, whose import would take place before Ctrl-C is seen to
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from aura_vcs.worktree.scan.prefetch import LookAhead

COLLECT_EVERY = 50_000
"""Objects made between two looks for garbage in cycles. A command makes many that stay, and ends soon:
Python's own 700 costs a commit of thousands of files a tenth of its time."""
STOPPED = 130
"""The exit code after Ctrl-C."""
LOOKING = ("status", "commit", "save", "diff", "autosave", "restore-point")
LEAVING = ("checkout", "switch", "restore", "undo", "redo", "merge", "pull")
"""Commands that begin with a look at every file of the project around the current folder, before they change files
(`LEAVING`) or not."""


def run() -> "NoReturn":
    """Run `aura` with the process's arguments; never returns."""
    start_helper = False

    def hand_over_or_run() -> "NoReturn":
        nonlocal start_helper
        _read_names_as_utf8()
        start_helper = _hand_over()
        _fill_standard_streams()
        run_command()

    try:
        _in_order(hand_over_or_run)
    finally:
        if start_helper:
            _start_helper()
        gc.freeze()  # Python ends with a look for cycles among all there is, a third as long as importing it took


def run_in_copy() -> "NoReturn":
    """Run the command in `sys.argv` in a copy of the helper; it ends as in a process of its own."""
    _in_order(run_command)


def _in_order(work: "Callable[[], NoReturn]") -> "NoReturn":
    """Do it; Ctrl-C and damaged files of the program are no traceback, whenever they are met."""
    stop_at_once()
    try:
        work()
    except KeyboardInterrupt:  # before there was anything to stop, or somebody to say so
        sys.exit(STOPPED)
    except (EOFError, ValueError, TypeError, ImportError) as error:
        sys.exit(_damaged(error))
    finally:
        stop_at_once()


def _damaged(error: BaseException) -> str:
    """Return what is to be said of an import that found a damaged file.

    Raises:
        BaseException: it is another error.
    """
    from aura_vcs.cli.damaged_bytecode import damaged_bytecode

    found = damaged_bytecode(error)
    if found is None:
        raise error
    return f"Error: {found.message}\n{found.hint}"


def _hand_over() -> bool:
    """Let the resident helper run the command, and end as it ended; whether there is none but could be one."""
    if not may_be_served(sys.argv[1:]):
        return False
    path = socket_path(mine := identity())
    if not is_safe_folder(path):  # one that is there, but is not ours, no helper could use either
        return not os.path.lexists(os.path.dirname(path))
    if not os.path.lexists(path):
        return True
    from aura_vcs.cli.helper.client import hand_over

    try:
        code = hand_over(path, mine)
    except ConnectionError:
        return True
    if code is not None:
        os._exit(code)
    return False


def run_command() -> "NoReturn":
    """Run the command in `sys.argv`, in a process that was started for it or in a copy of the helper."""
    forget_empty_home()
    gc.set_threshold(COLLECT_EVERY)
    from aura_vcs.cli.lazy_import import import_later

    if os.environ.get("AURA_NO_WATCHER"):
        _ask_no_watcher()
    ahead = _prefetch()
    import_later()
    _import_msgspec()
    from aura_vcs.cli.main import cli

    cli.main(ahead=ahead, is_process=True)


def _ask_no_watcher() -> None:
    from aura_vcs.worktree.scan import watched

    watched.is_off = True


def _start_helper() -> None:
    """Start the resident helper for the commands to come, where a person types them."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()):
        return
    from aura_vcs.cli.helper.starting import start_unless_off

    start_unless_off()


def stop_at_once() -> None:
    """Let Ctrl-C end the process without a word, where nothing is being done that has to be ended in order.

    So it is until the command is read (`cli.main` takes over then) and once it has done its work: an exception
    in an import, or while Python ends, would be shown as a traceback. A process that was told to ignore Ctrl-C goes
    on doing so.
    """
    if callable(_signal.getsignal(_signal.SIGINT)):
        _signal.signal(_signal.SIGINT, lambda *_: os._exit(STOPPED))


def _fill_standard_streams() -> None:
    """Started with `<&-`, `>&-` or `2>&-`: no file of the project may become what a child or a library writes to."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free, which is this one


def forget_empty_home() -> None:
    """Take an empty HOME for none, as other programs do: "~" is not the root of the disk."""
    if not os.environ.get("HOME", "~"):
        del os.environ["HOME"]


def _read_names_as_utf8() -> None:
    """Begin again in Python's UTF-8 mode where the locale would have names of files read otherwise.

    Names are bytes: what one locale reads in them must not be stored as if it were what they say.
    """
    if sys.getfilesystemencoding() == "utf-8" or sys.flags.utf8_mode or not sys.executable:
        return
    words = _command_line()
    os.execv(os.fsencode(sys.executable), [words[0], b"-X", b"utf8", *words[1:]])  # noqa: S606 (it is this program)


def _command_line() -> list[bytes]:
    """Read this process's words as they were given: some encodings do not give the same bytes back."""
    try:
        with open("/proc/self/cmdline", "rb") as file:
            words = file.read().split(b"\0")[:-1]
    except OSError:
        words = []
    return words if len(words) == len(sys.orig_argv) else [os.fsencode(word) for word in sys.orig_argv]


def _prefetch() -> "LookAhead | None":
    if len(sys.argv) < 2 or sys.argv[1] not in (*LOOKING, *LEAVING):
        return None
    if sys.argv[1] == "diff" and sum(not word.startswith("-") for word in sys.argv[2:]) > 1:
        return None  # two versions, most likely; else the command looks by itself
    from aura_vcs.worktree.scan.prefetch import prefetch_scan

    try:
        folder = os.getcwd()
    except OSError:
        return None  # the folder was deleted; the command says so
    return prefetch_scan(folder)


def _import_msgspec() -> None:
    """Import msgspec without typing_extensions: it has for older Pythons what `typing` has now."""
    name = "typing_extensions"
    if name in sys.modules:
        return
    sys.modules[name] = None  # type: ignore[assignment]  # Python's way to say: not there
    try:
        import msgspec  # noqa: F401
    finally:
        del sys.modules[name]
