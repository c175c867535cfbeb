"""What a person does every day, in the words the commands use."""

import os

import pytest
from aura_vcs.objects import batch

from tests.cli.conftest import Film
from tests.helpers.changing_file import restless


def test_init_writes_project_json_once(film: Film) -> None:
    """`init` writes project.json with id and title where there is none, and never again."""
    import json

    written = json.loads(film.read("project.json"))
    assert written["title"] == "Tides"
    stored = json.loads(film.read(".aura/format.json"))
    assert stored["project"] == written["id"]
    ran = film("init", code=11)
    assert "already a project" in ran.stderr
    assert json.loads(film.read("project.json")) == written


def test_init_takes_the_id_of_an_existing_project_json(film: Film) -> None:
    """An existing project.json is not touched; its id becomes the project's, and --title is not used."""
    document = '{"title": "Old",   "id": "5F0D3C1E-7A52-4B6E-9C1D-2A8E4B7F6D10"}'
    film.write({"inner/project.json": document})
    ran = film("init", "inner", "--title", "New")
    assert film.read("inner/project.json") == document
    assert '"5f0d3c1e-7a52-4b6e-9c1d-2a8e4b7f6d10"' in film.read("inner/.aura/format.json")
    assert "--title was not used" in ran.stderr


@pytest.mark.parametrize("content", ["{", "[]", '"x"', '{"id": 7}', '{"id": "nonsense"}', "\x00"])
def test_init_takes_any_project_json(film: Film, content: str) -> None:
    """A project.json that is no such document is left alone, and the project starts all the same."""
    film.write({"inner/project.json": content})
    film("init", "inner")
    assert film.read("inner/project.json") == content


def test_status_says_what_to_do_next(film: Film) -> None:
    """`status` names branch, version and changes, and the next command."""
    assert "no versions yet" in film("status").out
    film.commit("First cut")
    clean = film("status").out
    assert 'On branch main at v1 "First cut"' in clean
    assert "Nothing has changed." in clean
    film.write({"notes.txt": "other"})
    changed = film("status").out
    assert "modified  notes.txt" in changed
    assert "aura commit" in changed


def test_commit_says_what_it_made_and_how_to_take_it_back(film: Film) -> None:
    """The message names version, branch and the way back."""
    out = film("commit", "-m", "First cut").out
    assert 'Committed v1 "First cut" on main' in out
    assert "aura undo" in out
    assert "no version was made" in film("commit", "-m", "Again").out


def test_commit_needs_a_name(film: Film) -> None:
    """Without a name there is no version, and the hint says how to give one."""
    ran = film("commit", code=2)
    assert "needs a name" in ran.stderr
    assert '-m "First cut"' in ran.stderr


def test_commit_of_paths_leaves_the_rest(two: Film) -> None:
    """Only the given paths are in the version; the rest stays changed. Paths count from where -C points."""
    two.write({"notes.txt": "other", "scenes/020.json": "{}"})
    two("commit", "-m", "Scenes", "scenes")
    assert [change["path"] for change in two.data("status")["changes"]] == ["notes.txt"]
    ran = two("commit", "-m", "x", "nothing.txt", code=24)
    assert "nothing.txt" in ran.stderr
    assert "outside the project" in two("commit", "-m", "x", "../other", code=2).stderr


def test_author_comes_from_option_environment_account(film: Film) -> None:
    """--author wins over AURA_AUTHOR, that over the account's name."""
    assert film.data("commit", "-m", "a", "--author", "Bea")["version"]["author"] == "Bea"
    assert film.data("commit", "-m", "b", "--allow-empty")["version"]["author"] == "Ada"
    film.env["AURA_AUTHOR"] = " "
    assert film.data("commit", "-m", "c", "--allow-empty")["version"]["author"] not in {"", " ", "Ada"}
    assert [v["name"] for v in film.data("log", "--author", "bea")["versions"]] == ["a"]


def test_log_filters(two: Film) -> None:
    """`log` finds by name, time, path and type; restore points only when asked for."""
    two("restore", "v1")
    assert [v["number"] for v in two.data("log")["versions"]] == [2, 1]
    assert [v["number"] for v in two.data("log", "--all")["versions"]] == [3, 2, 1]
    assert [v["number"] for v in two.data("log", "--type", "restore_point")["versions"]] == [3]
    assert [v["number"] for v in two.data("log", "--grep", "SECOND")["versions"]] == [2]
    assert [v["number"] for v in two.data("log", "--", "brief.json")["versions"]] == [2, 1]
    assert [v["number"] for v in two.data("log", "notes.txt")["versions"]] == [1]
    assert two.data("log", "--since", "1 hour ago")["versions"] != []
    assert two.data("log", "--until", "1 hour ago")["versions"] == []
    assert len(two("log", "--oneline").out.splitlines()) == 2


def test_log_shows_where_names_stand(two: Film) -> None:
    """HEAD, branches and tags stand beside their version."""
    two("tag", "sent", "v1")
    lines = two("log").out.splitlines()
    assert lines[0] == "v2  Second cut  ← HEAD, main"
    assert any(line.startswith("v1  First cut") and line.endswith("← tag sent") for line in lines)


def test_show_writes_files_as_they_were(two: Film) -> None:
    """`show V:PATH` and `cat` give the exact bytes, folders are listed, near paths are suggested."""
    assert two("show", "v1:brief.json").out == '{"topic": "Tides", "tone": "calm"}'
    picture = (two.root / "assets/sky.png").read_bytes()
    assert two("show", "HEAD:assets/sky.png").bytes == picture
    assert two("cat", "v1:assets/sky.png").bytes == picture
    object_id = two.data("show", "v1:assets/sky.png")["id"]
    assert two("cat", object_id[:12]).bytes == picture
    assert "assets/sky.png" in two("show", "v1:").out
    assert "scenes/010-opening.json" in two("show", "v1:scenes").out
    assert "v1:brief.json" in two("show", "v1:brif.json", code=24).stderr


def test_show_tells_about_a_version(two: Film) -> None:
    """`show` says who, when, what changed."""
    out = two("show").out
    assert "v2  Second cut" in out
    assert "Ada" in out
    assert "modified  brief.json" in out
    assert out.count("added") == 0
    assert two.data("show", "v1")["version"]["number"] == 1


def test_checkout_keeps_unsaved_work(two: Film) -> None:
    """Where it is in the way it becomes a restore point that is named with the way to get it back, else it stays."""
    two.write({"notes.txt": "unsaved", "brief.json": '{"topic": "unsaved too"}'})
    out = two("checkout", "v1").out
    assert 'On no branch at v1 "First cut"' in out
    assert "restore point v3" in out
    assert "`aura restore v3`" in out
    assert "1 unsaved change elsewhere stays as before" in out
    assert "from-v1" in out
    assert "`aura checkout main`" in out
    assert two.read("notes.txt") == "unsaved"
    assert "unsaved" not in two.read("brief.json")
    two("checkout", "main")
    two("restore", "v3", "brief.json")
    assert two.read("brief.json") == '{"topic": "unsaved too"}'
    assert two.read("notes.txt") == "unsaved"


def test_a_clean_checkout_takes_everything_out(two: Film) -> None:
    """Also without a name, for the version one is on; a restore point has what was there; ignored files stay."""
    two.write({"notes.txt": "unsaved", "new.txt": "new", "take.tmp": "ignored"})
    assert "restore point v3" in two("checkout", "--clean").out
    assert (two.data("status")["clean"], two.data("status")["branch"]) == (True, "main")
    assert not (two.root / "new.txt").exists()
    assert two.read("take.tmp") == "ignored"
    assert "Nothing to change" in two("checkout", "--clean").out
    two("undo")
    assert (two.read("notes.txt"), two.read("new.txt")) == ("unsaved", "new")
    two("checkout", code=2)


def test_what_changes_nothing_is_not_recorded(two: Film) -> None:
    """No restore point, no number, no step of undo: a restore or checkout of what is there already."""
    before = two.data("ops")
    for words in (("restore", "HEAD"), ("restore", "HEAD", "notes.txt"), ("checkout", "main"), ("checkout", "v2")):
        assert "Nothing to change" in two(*words).out
        assert two.data(*words)["restore_point"] is None
    assert two.data("ops") == before
    two.write({"notes.txt": "next"})
    assert "v3" in two("commit", "-m", "Third").out


def test_commit_on_an_older_version_starts_a_branch(two: Film) -> None:
    """The branch that starts by itself is said aloud."""
    two("checkout", "v1")
    two.write({"notes.txt": "another way"})
    out = two("commit", "-m", "Another way").out
    assert "Started the branch from-v1" in out
    assert "On branch from-v1" in two("status").out


def test_restore_brings_content_back_uncommitted(two: Film) -> None:
    """`restore` stays on the branch, says what it saved, and `undo` takes it back."""
    out = two("restore", "v1").out
    assert "Brought back v1 on main" in out
    assert "restore point v3" in out
    assert "calm" in two.read("brief.json")
    assert two.data("status")["branch"] == "main"
    assert "Undid: Restored v1" in two("undo").out
    assert "wild" in two.read("brief.json")
    assert "Nothing to change" in two("restore", "HEAD").out


def test_undo_and_redo_walk_the_whole_way(two: Film) -> None:
    """Undo takes everything back to the beginning, redo brings it all again; files stay with commits."""
    assert "Undid: Committed v2" in two("undo").out
    assert two.data("status")["head"]["number"] == 1
    assert two.data("status")["clean"] is False
    assert "Undid: Committed v1" in two("undo").out
    assert "nothing to undo" in two("undo", code=25).stderr
    assert "Redid: Committed v1" in two("redo").out
    assert "Redid: Committed v2" in two("redo").out
    assert "nothing to redo" in two("redo", code=25).stderr
    assert two.data("status")["clean"] is True


def test_redo_forgets_what_something_new_replaced(two: Film) -> None:
    """What was taken back before something new was done is not done again; what came after is."""
    two("tag", "a")
    two("undo")
    two("tag", "b")
    two("tag", "c")
    two("undo")
    two("undo")
    assert "Redid: Created tag b" in two("redo").out
    assert "Redid: Created tag c" in two("redo").out
    assert "nothing to redo" in two("redo", code=25).stderr
    two("undo")
    two("reindex")
    assert "Redid: Created tag c" in two("redo").out
    assert [tag["name"] for tag in two.data("tag")["tags"]] == ["b", "c"]


def test_diff_tells_documents_by_field_and_text_by_line(two: Film) -> None:
    """A JSON file is told in fields, a text in lines, media in sizes."""
    two.write({"notes.txt": "one\n2\nthree\n", "assets/sky.png": os.urandom(5000)})
    out = two("diff", "v1").out
    assert 'From v1 "First cut" to your folder' in out
    assert 'tone: "calm" → "wild"' in out
    assert "- two" in out
    assert "+ 2" in out
    assert "3.0 KB → 5.0 KB" in out
    assert "changed documents: brief" in out
    stat = two("diff", "v1", "--stat").out
    assert "tone" not in stat
    assert two("diff", "v1", "v2", "--name-only").out == "brief.json\n"
    assert "Nothing differs." in two("diff", "v1", "v2", "--", "notes.txt").out
    assert "neither side" in two("diff", "--", "nothing.txt", code=24).stderr.replace("on neither", "neither")
    assert "At most two" in two("diff", "v1", "v2", "v1", code=2).stderr


def test_diff_recognises_moved_files(two: Film) -> None:
    """A file that moved is one change, also between versions."""
    (two.root / "assets/sky.png").rename(two.root / "scenes/sky.png")
    two.commit("Moved")
    assert "renamed   assets/sky.png → scenes/sky.png" in two("diff", "v2", "v3").out


def test_diff_of_a_broken_document_falls_back_to_lines(two: Film) -> None:
    """JSON that cannot be parsed is compared as text, and the reason is said."""
    two.write({"brief.json": '{"topic": "Tides",\n'})
    out = two("diff").out
    assert "not compared by fields" in out
    assert "fields" not in two.data("diff")["changes"][0]


def test_branches_and_tags(two: Film) -> None:
    """Short and long forms create, list, rename and delete; wrong names suggest near ones."""
    assert "Started the branch intro at v1" in two("branch", "intro", "v1").out
    assert "Renamed the branch intro to opening" in two("branch", "-m", "intro", "opening").out
    assert "* main" in two("branch").out
    two("checkout", "opening")
    assert "* opening" in two("branch", "list").out
    assert "needs it" in two("branch", "-d", "opening", code=26).stderr
    two("checkout", "main")
    assert "Deleted the branch opening" in two("branch", "delete", "opening").out
    two("tag", "sent")
    assert "Did you mean sent?" in two("tag", "-d", "snt", code=24).stderr
    assert "A tag called 'sent' exists" in two("branch", "sent", code=23).stderr
    assert "A branch called 'main' exists" in two("tag", "main", code=23).stderr
    assert two.data("show", "sent")["version"]["number"] == 2
    two("tag", "--delete", "sent")
    assert "no tags yet" in two("tag").out


def test_a_branch_may_be_called_like_a_command(two: Film) -> None:
    """The long form takes every name."""
    two("branch", "create", "list", "v1")
    assert two.data("show", "list")["version"]["number"] == 1


def test_operations_are_listed_and_shown(two: Film) -> None:
    """`ops` lists newest first with what was taken back; filters and paging narrow it."""
    two("undo")
    lines = two("ops").out.splitlines()
    assert "Undid: Committed v2" in lines[0]
    assert "(undone)" in lines[1]
    assert len(two("ops", "-n", "1").out.splitlines()) == 1
    assert "Committed v1" in two("ops", "-n", "1", "--offset", "2").out
    assert len(two("ops", "--type", "commit").out.splitlines()) == 2
    assert "No matching operations" in two("ops", "--user", "Nobody").out
    operation = lines[1].split()[0]
    assert '"type": "commit"' in two("ops", operation).out


def test_wrong_names_suggest_near_ones(two: Film) -> None:
    """Commands, options, versions: each suggests what was probably meant."""
    assert "`aura status`" in two("statsu", code=2).stderr
    assert "--oneline" in two("log", "--onelin", code=2).stderr
    assert "Did you mean main" in two("checkout", "mian", code=20).stderr
    assert "'Second cut'" not in two("show", "Second cut").out
    assert "Did you mean Second cut" in two("show", "Secnd cut", code=20).stderr
    assert "`aura version delete`" in two("version", "delte", code=2).stderr


def test_a_file_in_place_of_a_version_is_understood(two: Film) -> None:
    """Where a version is wanted and a file is given, `show` says how it is done; others do it."""
    assert "Nothing differs" in two("diff", "notes.txt").out
    assert "`aura show HEAD:notes.txt`" in two("show", "notes.txt", code=20).stderr
    for command in ("restore", "checkout"):
        assert "Nothing to change" in two(command, "notes.txt").out


def test_without_versions_every_revision_says_so(film: Film) -> None:
    """Before the first commit, a version's name is answered with how to make one."""
    for command in (["show"], ["checkout", "v1"], ["restore", "HEAD"], ["tag", "x"], ["branch", "x"]):
        ran = film(*command, code=20)
        assert "no versions yet" in ran.stderr
        assert "aura commit" in ran.stderr


def test_what_kept_changing_is_told_by_what_the_version_has(film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that no version had is not there as it was before."""
    path = film.root / "rec.mkv"
    path.write_bytes(bytes(range(256)))
    with monkeypatch.context() as impatient, restless(path):
        impatient.setattr(batch, "PAUSES_SECONDS", ())
        assert (
            "rec.mkv kept changing while it was read: it is not in the version"
            in film("commit", "-m", "First cut", code=3).stderr
        )
    film("commit", "-m", "Second cut")
    film.write({"brief.json": '{"tone": "calm"}'})
    path.write_bytes(b"again")
    with monkeypatch.context() as impatient, restless(path):
        impatient.setattr(batch, "PAUSES_SECONDS", ())
        assert "the version has it as it was before" in film("commit", "-m", "Third cut", code=3).stderr


@pytest.mark.parametrize("inside", [{"notes.txt/a.log": "ignored"}, {"notes.txt/in": "new"}, {}])
def test_a_folder_in_the_place_of_a_file_is_said(film: Film, inside: dict[str, str | bytes]) -> None:
    """A version in which a folder took the place of a file says so, and which version has the file."""
    film.commit("First cut", {".auraignore": "*.log\n"})
    (film.root / "notes.txt").unlink()
    (film.root / "notes.txt").mkdir()
    film.write(inside)
    said = film("commit", "-m", "Second cut").stderr
    assert "notes.txt is a folder now" in said
    assert "`aura show v1:notes.txt`" in said
    film.write({"brief.json": "{}"})
    ran = film("commit", "-m", "Third cut", "--json")
    assert (ran.json["folders_for_files"], ran.stderr) == ([], "")
    film("undo")
    film("undo")
    assert film.data("commit", "-m", "Again", "notes.txt")["folders_for_files"] == ["notes.txt"]


def test_a_version_typed_as_a_path_is_told(two: Film) -> None:
    """`aura log v1` says that v1 is a version, and how to see it."""
    said = two("log", "v1").out
    assert "No version of this branch has v1." in said
    assert "v1 is a version: `aura show v1` shows it." in said


def test_cat_of_a_path_says_what_is_missing(two: Film) -> None:
    """`aura cat FILE` says that a version is to be named, or that no version has the file yet."""
    two.write({"new file.txt": "x"})
    assert "`aura cat HEAD:brief.json`" in two("cat", "brief.json", code=None).stderr
    assert "new file.txt is a file of yours that is in no version yet" in two("cat", "new file.txt", code=None).stderr
    assert "at least 4 digits" in two("cat", "nowhere", code=None).stderr


def test_repair_of_an_intact_project_needs_no_remote(two: Film) -> None:
    """Where everything is intact, `repair` says so; where something is damaged, it says that there is no remote."""
    assert "there is nothing to repair" in two("repair").out
    assert two.data("repair", "--dry-run")["damaged"] == []
    stored = next(path for path in sorted(two.root.joinpath(".aura/objects").rglob("*")) if path.is_file())
    stored.chmod(0o600)
    stored.unlink()
    assert "has no remote" in two("repair", code=None).stderr
