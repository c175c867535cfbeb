"""What people type that is not quite a command of ours, and what they are asked and told."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aura_vcs.cli.catalog import CATALOG
from aura_vcs.cli.familiar_commands import ARGUMENTS, DOES, DOES_FOR, DOES_IT, OPTIONS, advice_for

from tests.cli.conftest import AURA, Film


@pytest.mark.parametrize("word", sorted(DOES_IT))
def test_words_from_elsewhere_get_the_command_that_does_it_here(film: Film, word: str) -> None:
    """Never a near-miss; and every command that is named is one."""
    if word in CATALOG:
        return
    said = film(word, code=2).stderr.splitlines()[0]
    assert "Did you mean" not in said
    assert "Here it is `aura " in said
    assert said.count(". ") == 1, "which command it is, and what it does, in one sentence"
    for text in DOES_IT[word]:
        assert f"`aura {text}`, which " in said
        first = text.split()[0]
        assert first.startswith("-") or first in {*CATALOG, "COMMAND", "untrack"}, text


@pytest.mark.parametrize(("command", "option"), sorted(OPTIONS), ids=" ".join)
def test_options_from_elsewhere_get_what_does_it_here(film: Film, command: str, option: str) -> None:
    """The hint says it; the option is none of ours."""
    ran = film(command, option, code=2)
    assert OPTIONS[command, option] in ran.stderr
    assert "--help` shows" in ran.stderr


def test_words_too_many_get_what_does_it_here(film: Film) -> None:
    """`aura checkout v1 -- FILE`, `aura push origin main`."""
    for command, said in ARGUMENTS.items():
        assert said in film(command, "x", "y", "z", code=2).stderr


def test_every_answer_says_what_its_command_does() -> None:
    """Each of them is used, and only as the answer to a word that has it."""
    assert set(DOES) == {text for texts in DOES_IT.values() for text in texts}
    for word, text in DOES_FOR:
        assert text in DOES_IT[word]


def test_only_commands_that_there_are_get_named() -> None:
    """An advice that leads nowhere is none."""
    assert (
        advice_for("submit", frozenset({"push"})) == " Here it is `aura push`, which sends your versions to a remote."
    )
    assert advice_for("submit", frozenset()) == ""
    assert advice_for("nonsense", frozenset(CATALOG)) == ""


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("commit", "-m"), "aura commit"),
        (("log", "--limit"), "aura log"),
        (("remote", "add", "--key-file"), "aura remote add"),
        (("commit", "--nonsense"), "aura commit"),
        (("--nonsense",), "aura"),
    ],
)
def test_a_wrong_option_points_to_the_help_of_its_command(film: Film, words: tuple[str, ...], command: str) -> None:
    """Also where click's parser does not say whose it is."""
    assert f"`{command} --help` shows how it is used." in film(*words, code=2).stderr


def test_diff_takes_files_and_folders_without_a_sign(film: Film) -> None:
    """As git does: what is not a version and is a path, here or in the last version, is a path."""
    film("commit", "-m", "First")
    (film.root / "assets" / "sky.png").write_bytes(b"other")
    (film.root / "brief.json").write_text('{"topic": "x"}')
    assert [c["path"] for c in film("diff", "assets", "--json").json["changes"]] == ["assets/sky.png"]
    assert [c["path"] for c in film("diff", "v1", "assets", "brief.json", "--json").json["changes"]] == [
        "assets/sky.png",
        "brief.json",
    ]
    (film.root / "assets" / "sky.png").unlink()
    assert [c["path"] for c in film("diff", "assets/sky.png", "--json").json["changes"]] == ["assets/sky.png"]
    assert "No version is called 'nowhere'" in film("diff", "nowhere", code=20).stderr
    film("branch", "assets")
    assert len(film("diff", "assets", "--json").json["changes"]) == 2  # what is both is a version


def test_a_path_in_the_place_of_a_version_gets_the_exact_command(film: Film) -> None:
    """Whether it is still here, or only in the last version; and a folder is not called a file.

    `restore` and `checkout` bring back what the last version has; else they say which version has it.
    """
    film("commit", "-m", "First")
    said = film("show", "assets", code=20).stderr
    assert "assets is a folder. Did you mean `aura show HEAD:assets`?" in said
    assert (
        "brief.json is a file. Did you mean `aura show HEAD:brief.json`?" in film("show", "brief.json", code=20).stderr
    )
    (film.root / "assets" / "sky.png").unlink()
    (film.root / "assets").rmdir()
    said = film("show", "assets", code=20).stderr
    assert "assets is not here, but in the last version. Did you mean `aura show HEAD:assets`?" in said
    film("commit", "-m", "Second")
    film.write({"new.txt": "x"})
    for command in ("restore", "checkout"):
        said = film(command, "assets/sky.png", code=20).stderr
        assert "The last version does not have assets/sky.png; v1 does: `aura restore v1 assets/sky.png`" in said
        assert "No version has new.txt yet." in film(command, "new.txt", code=20).stderr


def at_a_terminal(film: Film, *words: str, typed: bytes = b"") -> tuple[str, int]:
    """Run a command on a terminal of its own; what it said, and its exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*AURA, *words], cwd=film.root, env={**os.environ, **film.env}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, typed)
    said = b""
    try:
        while data := os.read(ours, 4096):
            said += data
    except OSError:
        pass
    os.close(ours)
    return said.decode(), process.wait(30)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal")
def test_commit_asks_for_no_name_where_nothing_has_changed(film: Film) -> None:
    """Neither of all nor of some paths; where something has, it asks."""
    film("commit", "-m", "First")
    for words in ((), ("assets",), ("assets", "brief.json")):
        said, code = at_a_terminal(film, "commit", *words, typed=b"a name\n")
        assert "What is this version called" not in said
        assert "Nothing has changed" in said
        assert code == 0
    assert at_a_terminal(film, "commit", "nowhere", typed=b"a name\n")[1] == 24
    (film.root / "brief.json").write_text("{}")
    assert "Nothing has changed" in at_a_terminal(film, "commit", "assets", typed=b"a name\n")[0]
    said, code = at_a_terminal(film, "commit", "brief.json", typed=b"a name\n")
    assert "What is this version called" in said
    assert code == 0


def test_the_end_of_a_watch_is_one_line_of_ours(film: Film) -> None:
    """Nothing of the library that watches."""
    pytest.importorskip("watchfiles")
    process = subprocess.Popen(
        [*AURA, "autosave", "--watch"], cwd=film.root, env={**os.environ, **film.env}, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert "Watching" in process.stderr.readline()
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    assert process.stderr.read() == "Stopped watching.\n"
    process.stderr.close()
    assert process.wait(20) == 0


def test_init_says_all_that_it_writes(film: Film, tmp_path: Path) -> None:
    """Every file that is there afterwards is named, or lies in `.aura`."""
    folder = tmp_path / "new"
    said = film("init", str(folder)).out
    for path in folder.iterdir():
        assert path.name == ".aura" or path.name in said
    assert film("init", str(tmp_path / "other"), "--json").json["wrote_stignore"] is True
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / ".stignore").write_text("mine")
    assert ".stignore" not in film("init", str(tmp_path / "third")).out
