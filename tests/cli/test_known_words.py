"""Words that people bring along: save, history, help, ls, switch, amend, paths in the place of versions."""

import shlex
from pathlib import Path

import click
import pytest
from aura_vcs.cli.catalog import ALIASES, CATALOG
from aura_vcs.cli.familiar_commands import DOES_IT
from aura_vcs.cli.main import cli
from aura_vcs.cli.session import Session

from tests.cli.conftest import Film


@pytest.mark.parametrize(("alias", "name"), sorted(ALIASES.items()))
def test_an_alias_is_the_command(film: Film, alias: str, name: str) -> None:
    """Its help, its options; and the list of commands names it beside the command."""
    assert alias not in CATALOG
    ours, theirs = (film(word, "--help").out for word in (alias, name))
    assert ours.replace(f"aura {alias}", f"aura {name}", 1) == theirs
    assert f"(or `{alias}`)" in film("--help").out


def test_help_of_a_command(film: Film) -> None:
    """The same as --help, also of commands in commands and of words from elsewhere."""
    assert film("help").out == film("--help").out
    assert film("help", "commit").out == film("commit", "--help").out
    assert film("help", "version", "edit").out == film("version", "edit", "--help").out
    assert "Here it is `aura restore-point`" in film("help", "stash", code=2).stderr
    assert "has no commands of its own" in film("help", "commit", "nonsense", code=2).stderr


def test_ls_lists_one_folder_of_a_version(two: Film) -> None:
    """Of the last version or another one, a folder of it, or all below."""
    entries = two.data("ls")["entries"]
    assert [entry["path"] for entry in entries][:2] == ["assets", "scenes"]
    assert {entry["kind"] for entry in entries} == {"dir", "file"}
    assert [e["path"] for e in two.data("ls", "assets")["entries"]] == ["assets/sky.png"]
    assert [e["path"] for e in two.data("ls", "v1:scenes")["entries"]] == ["scenes/010-opening.json"]
    everything = [entry["path"] for entry in two.data("ls", "v1", "--recursive")["entries"]]
    assert {"brief.json", "assets/sky.png", "assets"} <= set(everything)
    out = two("ls").out
    assert "assets/" in out
    assert "2 folders, " in out
    assert "in v2" in out
    assert two("ls", "nowhere", code=20)


def test_a_path_is_restored_where_no_version_has_its_name(two: Film) -> None:
    """`aura restore FOLDER` and `aura checkout FILE`; a version of that name goes first."""
    (two.root / "assets/sky.png").unlink()
    assert "Brought back assets of HEAD" in two("restore", "assets").out
    (two.root / "assets/sky.png").write_bytes(b"scribble")
    assert "Brought back assets/sky.png as HEAD has it" in two("checkout", "assets/sky.png").out
    assert (two.root / "assets/sky.png").stat().st_size == 3000
    two("undo")
    assert (two.root / "assets/sky.png").read_bytes() == b"scribble"
    assert "Brought back brief.json as v1 has it" in two("checkout", "v1", "--", "brief.json").out
    assert two.data("status")["branch"] == "main"
    assert "are brought back without" in two("checkout", "-b", "new", "brief.json", code=2).stderr
    two("restore", "HEAD")
    two("branch", "assets", "v1")
    two("checkout", "assets")
    assert two.data("status")["branch"] == "assets"


def test_a_new_file_is_not_taken_away_by_its_name(two: Film) -> None:
    """What no version has cannot be brought back: it stays."""
    two.write({"new.txt": "mine"})
    for command in ("restore", "checkout"):
        assert two(command, "new.txt", code=20)
        assert two.read("new.txt") == "mine"


def test_a_branch_is_started_and_gone_to_in_one_step(two: Film) -> None:
    """`switch -c` and `checkout -b`, from HEAD or another version; undo takes back both."""
    assert "Started the branch shorter" in two("checkout", "-b", "shorter").out
    assert two.data("status")["branch"] == "shorter"
    two("undo")
    assert two.data("status")["branch"] == "main"
    assert [b["name"] for b in two.data("branch")["branches"]] == ["main"]
    two("redo")
    two("switch", "-c", "old", "v1")
    assert two.data("status")["head"]["number"] == 1
    assert [b["name"] for b in two.data("branch")["branches"]] == ["main", "old", "shorter"]
    assert two("switch", "-c", "main", code=23)


def test_amend_makes_the_last_version_anew(two: Film) -> None:
    """With the folder as it is, in the place of the one before, which undo brings back."""
    before = two.data("show", "v2")["version"]
    two.write({"notes.txt": "more"})
    made = two.data("commit", "--amend")
    after = made["version"]
    assert made["amended"] == {"id": before["id"], "number": 2}
    assert (after["name"], after["parents"], after["number"]) == ("Second cut", before["parents"], 3)
    assert [v["number"] for v in two.data("log")["versions"]] == [3, 1]
    assert [v["number"] for v in two.data("log", "--deleted")["versions"]] == [3, 2, 1]
    assert two.data("status")["clean"]
    two("undo")
    assert [v["number"] for v in two.data("log", "--deleted")["versions"]] == [3, 2, 1]
    assert [v["number"] for v in two.data("log")["versions"]] == [2, 1]
    assert two.read("notes.txt") == "more"
    two("redo")
    assert [v["number"] for v in two.data("log")["versions"]] == [3, 1]
    assert two("fsck").code == 0


def test_amend_changes_the_words_and_records_nothing_where_nothing_changes(two: Film) -> None:
    """A name alone is enough; the same once more is not."""
    assert two.data("commit", "--amend", "-m", "Better name")["version"]["name"] == "Better name"
    done = two.data("commit", "--amend")
    assert done["created"] is False
    assert "--amend makes a version in any case" in two("commit", "--amend", "--allow-empty", code=2).stderr


def test_amend_keeps_what_others_need(two: Film) -> None:
    """A version with a tag on it stays; an older version, and none at all, are not amended."""
    two("tag", "sent")
    two.write({"notes.txt": "more"})
    assert "stays, because something else needs it" in two("commit", "--amend").out
    assert two.data("show", "v2")["version"]["deleted_at"] is None
    two("checkout", "v1")
    assert "is not amended" in two("commit", "--amend", code=2).stderr


def test_times_are_said_as_people_say_them(two: Film) -> None:
    """In every list that takes a time."""
    for command in (("log",), ("ops",), ("version", "list"), ("export", "list")):
        for since in ("2d", "yesterday", "today", "last week"):
            two(*command, "--since", since)
        assert "is not a time" in two(*command, "--since", "whenever", code=2).stderr
    assert len(two.data("log", "--since", "today", "--until", "today")["versions"]) == 2
    assert two.data("log", "--until", "yesterday")["versions"] == []


def test_columns_of_oneline_do_not_run_together(film: Film) -> None:
    """However long the longest word for a version is."""
    for number in range(11):
        film("commit", "-m", f"Cut {number}", "--allow-empty")
    for line in film("log", "--oneline").out.splitlines():
        assert line[3:5] == "  "
        assert line[5:9].isdigit()


def test_whoami_says_who_and_why(film: Film) -> None:
    """The environment, the configuration, the account; and other words for the key lead to it."""
    assert film.data("whoami")["source"] == "environment"
    assert film.data("whoami")["author"] == "Ada"
    alone = {"AURA_AUTHOR": ""}
    assert film("whoami", "--json", env=alone).json["source"] == "account"
    film("config", "set", "identity.name", "Mara Lind")
    film("config", "set", "identity.mail", "mara@example.org")
    assert film("whoami", "--json", env=alone).json["author"] == "Mara Lind <mara@example.org>"
    for key in ("author", "user.name", "email"):
        assert "identity." in film("config", "set", key, "x", code=None).stderr


def test_a_name_of_thousands_of_letters_is_none(two: Film) -> None:
    """It is refused where it would be recorded, as other names are; looking back goes on."""
    long = {"AURA_AUTHOR": "a" * 5000}
    assert "200 is the limit" in two("commit", "-m", "x", "--allow-empty", env=long, code=None).stderr
    assert "200 is the limit" in two("whoami", env=long, code=None).stderr
    assert two("log", env=long).code == 0
    assert len(two.data("log")["versions"]) == 2


@pytest.mark.parametrize("line", sorted({line for lines in DOES_IT.values() for line in lines}))
def test_what_is_suggested_can_be_typed(line: str) -> None:
    """Every command that answers a word from elsewhere is read without a complaint, words in capitals filled in."""
    filled = {"COMMAND": "commit", "FIELD=VALUE": "title=Tides", "VERSION": "v1", "VERSION:PATH": "v1:a"}
    ctx = cli.make_context("aura", [filled.get(word, word) for word in shlex.split(line)], obj=Session())
    while isinstance(ctx.command, click.Group) and (rest := [*ctx._protected_args, *ctx.args]):
        name, command, left = ctx.command.resolve_command(ctx, rest)
        assert command is not None
        ctx = command.make_context(name, left, parent=ctx)


def test_a_restore_point_needs_no_word(two: Film) -> None:
    """`aura restore-point` alone, as it is suggested for `stash`; then everything unsaved is taken away."""
    two.write({"notes.txt": "unsaved"})
    assert 'Saved v3 "Manual"' in two("restore-point").out
    two("restore", "HEAD")
    two("restore", "v3")
    assert two.read("notes.txt") == "unsaved"


def test_a_dash_is_the_branch_before(two: Film) -> None:
    """There and back, also from an older version; without one before, the list of branches is named."""
    assert "`aura branch` lists the branches" in two("switch", "-", code=2).stderr
    two("checkout", "-b", "side")
    for name in ("main", "side"):
        two("switch", "-")
        assert two.data("status")["branch"] == name
    two("checkout", "v1")
    two("checkout", "-")
    assert two.data("status")["branch"] == "side"


def test_a_file_in_the_wrong_place_is_answered_with_the_command(
    film: Film, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A bundle without `create`, and two files compared where no project is."""
    assert "`aura bundle create ../x.aurab`" in film("bundle", "../x.aurab", code=2).stderr
    away = tmp_path_factory.mktemp("away")
    files = [str(away / name) for name in "ab"]
    for name in files:
        Path(name).write_text(name)
    outside = Film(away, film.env)
    assert f"`aura diff --files {' '.join(files)}`" in outside("diff", *files, code=10).stderr
    assert "--files" not in outside("diff", files[0], str(away / "none"), code=10).stderr
