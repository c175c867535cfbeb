"""Every option and argument of every command, given what nobody would: refused in words, or taken."""

import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator

import click
import pytest
from aura_vcs.cli.main import cli
from aura_vcs.errors import AuraError
from aura_vcs.ui.server import PageServer

from tests.cli.conftest import Film, Ran
from tests.helpers.sampling import some

# Commands act on these for real: no path here may lead out of the test's folder to where anything can be made.
TEXTS = (
    "", " ", "-", "--", "x", "é\u202e\u2028", "\udcff\udc80", "a\nb", "\x1b]52;c;aGk=\x07", "a\0b", "x" * 100_000,
    "..", "/dev/null/x", "../x", "v1:", ":", "v1:..", "HEAD~" + "9" * 20, "HEAD~" + "9" * 5000, "v" + "9" * 20,
    "@{}", "%n%s",
)  # fmt: skip
NUMBERS = (
    "0", "1", "-1", "9" * 20, "9" * 400, "9" * 5000, "-" + "9" * 400, "1.5", "-1.5", "1e400", "nan", "inf", "-inf",
    "0x10", "١", "1_000", "9" * 9 + "w", "9" * 18 + "G", "100%", "nan%", "1" * 400 + "%",
)  # fmt: skip
TIMES = (
    "@{2026-11-30 10:00}:brief.json", "@{2026-11-30 10:00}", "@{0001-01-01}", "@{9999-12-31 23:59:59}:x", "0001-01-01",
    "9999-12-31T23:59:59.999999-14:00", "2026-11-30T10:00:00+99:00", "2026-13-40", "99999-01-01",
    "@{" + "9" * 30 + " years ago}",
    "9" * 5000 + " weeks ago", "@{yesterday}:", "main@{now}:brief.json", "T", "2026-11-30T25:00",
)  # fmt: skip
VALUES = (*TEXTS, *NUMBERS, *TIMES)
PLAIN = {
    "file": "brief.json",
    "paths": "brief.json",
    "path": "brief.json",
    "version": "v1",
    "what": "v1",
    "name": "one",
}
"""What the other arguments are meanwhile."""
LEFT_OUT = {"serve"}  # and `ui` serves nothing here, see _served_at_once
"""Talks to another machine over its standard streams, and has tests of its own."""
SECRETS = 60
"""So many places for an address are tried by default."""
SAMPLE = 400
"""So many of the runs are done by default."""


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    ctx = click.Context(group, info_name="aura")
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        elif name not in LEFT_OUT:
            yield (*path, name), command


def _lines() -> Iterator[tuple[str, ...]]:
    """Command lines with one odd value each."""
    for path, command in _commands(cli):  # type: ignore[arg-type]
        for chosen in command.params:
            if isinstance(chosen, click.Option) and (chosen.is_flag or chosen.count):
                continue
            for value in VALUES:
                yield (*path, *_given(command, chosen, value))
    for value in VALUES:
        yield ("-C", value, "status")
        yield (value,)


FREE_TEXTS = {"message", "description", "reason", "name", "text", "author"}
"""What is shown as it was given."""
SECRET = "https://anna:hunter2@127.0.0.1:9/x"


def _secret_lines() -> list[tuple[str, ...]]:
    """Command lines with an address in each place where one may be mistaken for something else."""
    found: list[tuple[str, ...]] = []
    for path, command in _commands(cli):  # type: ignore[arg-type]
        for chosen in command.params:
            is_text = chosen.type.name in {"text", "path", "directory", "filename"} and chosen.name not in FREE_TEXTS
            if isinstance(chosen, click.Argument) or is_text:
                found.append((*path, *_given(command, chosen, SECRET)))
    return [*found, (SECRET,), ("-C", SECRET, "status"), ("status", SECRET)]


def _check_secret(film: Film, line: tuple[str, ...]) -> None:
    ran = film(*line, code=None, env={"AURA_LOCK_SECONDS": "1", "GIT_TERMINAL_PROMPT": "0"})
    if ran.code:
        assert "hunter2" not in ran.stderr + ran.bytes.decode("utf-8", "replace"), line


def test_no_error_repeats_some_password(two: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an address is given for something else and refused, its password is in no message; a sample."""
    monkeypatch.chdir(two.root.parent)
    for line in some(_secret_lines(), SECRETS, "secrets"):
        _check_secret(two, line)


@pytest.mark.slow
def test_no_error_repeats_a_password(two: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for every option and argument of every command."""
    monkeypatch.chdir(two.root.parent)
    for line in _secret_lines():
        _check_secret(two, line)


def _given(command: click.Command, chosen: click.Parameter, value: str) -> list[str]:
    words = []
    for param in command.params:
        if param is chosen and isinstance(param, click.Option):
            words.append(f"{param.opts[-1]}={value}" if param.opts[-1].startswith("--") else f"{param.opts[-1]}{value}")
        elif isinstance(param, click.Option) and param.required:
            words += [param.opts[-1], "1"]
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    if isinstance(chosen, click.Argument):
        words.append("--")
    for param in arguments:
        if param is chosen:
            words.append(value)
        elif param.required:
            words.append(PLAIN.get(param.name or "", "x"))
    return words


def _documented() -> set[int]:
    codes, waiting = {0, 130, 141, 2}, [AuraError]
    while waiting:
        kind = waiting.pop()
        codes.add(kind.exit_code)
        waiting += kind.__subclasses__()
    return codes


def _check(ran: Ran, line: tuple[str, ...]) -> None:
    shown = tuple(word[:60] for word in line)
    said = ran.stderr + ran.bytes.decode("utf-8", "replace")
    assert "inside aura" not in said, f"{shown}: {said[-2000:]}"
    assert "Traceback" not in said, f"{shown}: {said[-2000:]}"
    assert "Building the index" not in ran.stderr, f"{shown} built the index anew"
    assert ran.code in _documented(), f"{shown} ended with {ran.code}: {said[-500:]}"
    if "--json" in line and ran.code == 0:
        json.loads(ran.bytes)


@pytest.fixture(autouse=True)
def _served_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """`aura ui` with a port that is free would wait for a Ctrl-C that nobody presses: it says where, and ends."""

    def run(server: PageServer, ready: Callable[[str], None]) -> None:
        def begin(address: str) -> None:
            ready(address)
            server.stop()

        whole(server, begin)

    whole = PageServer.run
    monkeypatch.setattr(PageServer, "run", run)
    monkeypatch.setattr("webbrowser.open", lambda *_: True)


def _run(film: Film, lines: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    kept = film.root.parent / "kept"
    shutil.copytree(film.root, kept, symlinks=True)
    outside = film.root.parent / "outside"
    outside.mkdir()
    for number, line in enumerate(lines):
        monkeypatch.chdir(outside)
        if number % 100 == 0 or not (film.root / ".aura").is_dir():
            shutil.rmtree(film.root, ignore_errors=True)
            shutil.copytree(kept, film.root, symlinks=True)
        _check(film(*line, code=None, env={"AURA_LOCK_SECONDS": "1"}), line)


def test_some_odd_values(two: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of all odd command lines, others every time a command or a value is added."""
    lines = list(_lines())
    _run(two, random.Random(len(lines)).sample(lines, SAMPLE), monkeypatch)


ODD = "\udcff\udc80"
ODD_NAMES = (ODD, f"assets/m{ODD}.png", f"v3:{ODD}", f"HEAD:assets/m{ODD}.png")
"""Names that are no text, of files that are there."""


def _odd_names() -> Iterator[tuple[str, ...]]:
    for path, command in _commands(cli):  # type: ignore[arg-type]
        for chosen in command.params:
            if isinstance(chosen, click.Option) and (chosen.is_flag or chosen.count):
                continue
            for name in ODD_NAMES:
                yield (*path, *_given(command, chosen, name))
                yield (*path, *(["--json"] if _has_json(command) else []), *_given(command, chosen, name))


def _has_json(command: click.Command) -> bool:
    return any("--json" in param.opts for param in command.params)


def _run_in_odd_folder(film: Film, lines: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    (film.root / "assets").mkdir(exist_ok=True)
    (film.root / ODD).write_text("one")
    (film.root / f"assets/m{ODD}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 100)
    film("commit", "-m", "Odd names")
    (film.root / ODD).write_text("two")
    kept = film.root.parent / "kept"
    shutil.copytree(film.root, kept, symlinks=True)
    for number, line in enumerate(lines):
        monkeypatch.chdir(kept)
        if number % 20 == 0:
            shutil.rmtree(film.root)
            shutil.copytree(kept, film.root, symlinks=True)
        monkeypatch.chdir(film.root)
        _check(film(*line, code=None, env={"AURA_LOCK_SECONDS": "1"}), line)


@pytest.mark.skipif(sys.platform != "linux", reason="names are UTF-8 there")
def test_some_odd_names(two: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose name is no text is a file like others for every command; a sample."""
    _run_in_odd_folder(two, some(list(_odd_names()), SAMPLE, "odd names"), monkeypatch)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names are UTF-8 there")
def test_every_odd_name(two: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for every option and argument."""
    _run_in_odd_folder(two, list(_odd_names()), monkeypatch)


def test_the_page_with_odd_ports(two: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, as it is the one command that would go on for ever where a value is a good one."""
    _run(two, [line for line in _lines() if line[0] == "ui"], monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(12))
def test_every_odd_value(two: Film, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No value of any option or argument leads to an internal error, a rebuilt index or an undocumented exit code."""
    _run(two, list(_lines())[part::12], monkeypatch)
