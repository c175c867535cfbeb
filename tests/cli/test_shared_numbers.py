"""Where two machines gave out the same number, every message says which version it means."""

import re
from pathlib import Path

import pytest
from aura_vcs.agents.server import AgentSession
from aura_vcs.cli.main import cli
from click.shell_completion import ShellComplete

from tests.cli.conftest import Film

PLAIN = re.compile(r"(?<![-\w])v2\b(?![.\w-])")
QUALIFIED = re.compile(r"\bv2\.[0-9a-f]{4}")


@pytest.fixture
def twice(film: Film, quick_path: Path) -> tuple[Film, str, str]:
    """A film of which two machines made a v2 each, on branch main; returns what ours and theirs are called."""
    film.commit("One", {"same.txt": "one\n"})
    film("remote", "add", "origin", str(quick_path / "remote"))
    film("push")
    film("clone", str(quick_path / "remote"), str(quick_path / "other"))
    other = Film(quick_path / "other", {**film.env, "AURA_AUTHOR": "Bert"})
    other.commit("Take of Bert", {"same.txt": "gulls of Bert\n", "bert.txt": "waves only of Bert\n"})
    other("tag", "create", "theirs")
    other("push")
    film.commit("Take of Ada", {"same.txt": "gulls of Ada\n", "ada.txt": "waves only of Ada\n"})
    film("config", "set", "sync.merge", "never")
    film("fetch", "origin")
    ours = QUALIFIED.search(film("status").out)
    listed = set(QUALIFIED.findall(film("version", "list").out))
    assert ours is not None
    assert len(listed) == 2
    (theirs,) = listed - {ours[0]}
    return film, ours[0], theirs


def test_every_command_says_which(twice: tuple[Film, str, str]) -> None:
    """Whatever looks back, compares, searches, exports or lists: no plain number is printed."""
    film, ours, theirs = twice
    out = film.root.parent
    film.write({"draft.txt": "unsaved"})
    commands = [
        ["log"], ["log", "--all", "--oneline"], ["log", "--graph", "--all"], ["status"], ["ops"], ["ops", "--all"],
        ["show", ours], ["show", theirs], ["diff", ours, theirs], ["diff", theirs], ["branch"], ["tag"],
        ["search", "waves"], ["search", "gulls"], ["blame", "same.txt"], ["ls", theirs], ["storage"], ["fsck"],
        ["log", "same.txt"], ["version", "list"], ["version", "compare", ours, theirs], ["merge", "--dry-run", theirs],
        ["export", "version", theirs, str(out / "theirs")], ["export", "version", ours, str(out / "ours.zip")],
        ["export", "version", theirs, str(out / "none"), "nothing.txt"],
        ["export", "otio", theirs, str(out / "x.otio")],
        ["blame", "bert.txt"], ["show", f"{ours}:bert.txt"], ["show", f"{theirs}:bert.tx"], ["show", "v2"],
        ["checkout", "v2"], ["version", "purge", theirs, "--dry-run"], ["prune", "--dry-run"], ["gc", "--dry-run"],
        ["storage", "plan", "--free", "1GB"], ["offload", "--dry-run"], ["autosave"], ["restore-point"],
        ["tag", "create", "cut", ours], ["note", "add", f"{ours}:ada.txt", "loud"], ["note", "list"],
        ["version", "edit", theirs, "--name", "Take two of Bert"], ["undo"], ["redo"], ["merge"], ["resolve"],
        ["status"],
        ["ops"], ["merge", "--abort"], ["undo"], ["ops"], ["restore", theirs, "bert.txt"], ["undo"],
        ["checkout", theirs], ["status"], ["commit", "-m", "Elsewhere"], ["undo"], ["checkout", "main"],
        ["version", "delete", ours], ["sync"], ["push"], ["pull"], ["reindex"], ["ops"], ["log", "--deleted"],
    ]  # fmt: skip
    refused = {
        ("export", "version", theirs, str(out / "none"), "nothing.txt"): 24,
        ("export", "otio", theirs, str(out / "x.otio")): 2,
        ("blame", "bert.txt"): 24, ("show", f"{ours}:bert.txt"): 24, ("show", f"{theirs}:bert.tx"): 24,
        ("show", "v2"): 21, ("checkout", "v2"): 21,
        ("version", "purge", theirs, "--dry-run"): 26, ("version", "delete", ours): 26,
        ("sync",): 3, ("pull",): 3,
    }  # fmt: skip
    assert all(list(words) in commands for words in refused)
    said = ""
    for words in commands:
        ran = film(*words, code=refused.get(tuple(words), 0))
        told = ran.out + ran.stderr
        assert "Traceback" not in told, words
        lines = [line for line in told.splitlines() if PLAIN.search(line) and "v2" not in words]
        assert not lines, (words, lines)
        said += told
    assert said.count(theirs) > 20
    assert f"Committed {ours} 'Take of Ada'" in said
    assert f"Exported {theirs}: " in said


def test_files_and_resources_have_names_that_mean_one(twice: tuple[Film, str, str], tmp_path: Path) -> None:
    """Where an export goes if nobody says, and what an agent sees in its list."""
    film, ours, theirs = twice
    film("config", "set", "general.output_directory", str(tmp_path))
    film("export", "run", theirs, "--preset", "YouTube 1080p", code=None)  # there is nothing to render
    assert f"-{theirs}." in film("export", "list", "--json").out
    session = AgentSession(str(film.root))
    names = {name for _, name in session.resources()}
    session.close()
    assert f"{ours} Take of Ada" in names
    assert "v1 One" in names


def test_completion_offers_names_that_mean_one(twice: tuple[Film, str, str]) -> None:
    """What Tab offers for a version can be typed as it is."""
    film, ours, theirs = twice
    offered = ShellComplete(cli, {}, "aura", "_AURA_COMPLETE").get_completions(["-C", str(film.root), "show"], "v2")
    assert {item.value for item in offered} == {ours, theirs}
