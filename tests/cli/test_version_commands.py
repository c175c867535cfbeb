"""Versions as records: edit, delete, undelete, purge; upkeep and the raw side."""

import os
import re
import shutil
import time
from pathlib import Path

from tests.cli.conftest import Film


def test_edit_changes_name_and_importance(two: Film) -> None:
    """Name, description and importance change, the id stays; undo takes it back."""
    before = two.data("show", "v1")["version"]
    after = two.data("version", "edit", "v1", "--name", "Rough cut", "--important")["version"]
    assert (after["name"], after["important"], after["id"]) == ("Rough cut", True, before["id"])
    assert "already has these values" in two("version", "edit", "v1", "--important").out
    two("undo")
    undone = two.data("show", "v1")["version"]
    assert undone["updated_at"] > after["updated_at"], "to take back is to change"
    assert undone | {"updated_at": before["updated_at"]} == before
    assert "Nothing to change" in two("version", "edit", "v1", code=2).stderr


def test_delete_and_undelete(two: Film) -> None:
    """A deleted version is hidden and comes back; what stands on a branch cannot go."""
    planned = two.data("version", "delete", "v1", "--dry-run")
    assert (planned["dry_run"], planned["version"]["deleted_at"]) == (True, None)
    out = two("version", "delete", "v1").out
    assert "Deleted v1" in out
    assert "aura undo" in out
    assert [v["number"] for v in two.data("log")["versions"]] == [2]
    assert [v["number"] for v in two.data("log", "--deleted")["versions"]] == [2, 1]
    assert "(deleted)" in two("log", "--deleted", "--oneline").out
    assert "was deleted already" in two("version", "delete", "v1").out
    two("version", "undelete", "v1")
    assert [v["number"] for v in two.data("log")["versions"]] == [2, 1]
    assert "is not deleted" in two("version", "undelete", "v1", code=2).stderr


def test_purge_shows_its_plan_and_asks(two: Film) -> None:
    """Purge says what it frees; without a yes nothing happens; the plan's objects are what goes."""
    two.write({"assets/heavy.bin": bytes(range(256)) * 40})
    two.commit("Heavy")
    (two.root / "assets/heavy.bin").unlink()
    two.commit("Light")
    out = two("version", "purge", "v3", "--dry-run").out
    assert "that no other version holds" in out
    assert "Nothing was changed." in out
    refused = two("version", "purge", "v3", code=2)
    assert "nobody said yes" in refused.stderr
    assert two.data("show", "v3")["version"]["purged_at"] is None
    plan = two.data("version", "purge", "v3", "--dry-run")
    before = two.data("storage")["garbage"]["count"]
    done = two.data("version", "purge", "v3", "--yes", "--reason", "Too heavy")
    assert (done["objects"], done["bytes"]) == (plan["objects"], plan["bytes"])
    assert (done["dry_run"], done["reason"]) == (False, "Too heavy")
    assert two.data("storage")["garbage"]["count"] - before == done["objects"]
    assert two.data("storage")["garbage"]["stored_bytes"] >= done["bytes"] > 0


def test_purged_is_a_state_not_a_loss(two: Film) -> None:
    """A purged version says who, when and why, refuses its content, and undo brings it back."""
    two("version", "purge", "v1", "--yes", "--reason", "Wrong footage")
    shown = two("show", "v1").out
    assert "purged" in shown
    assert "by Ada: Wrong footage" in shown
    for command in (["checkout", "v1"], ["restore", "v1"], ["show", "v1:brief.json"], ["diff", "v1"]):
        assert "purged" in two(*command, code=33).stderr
    assert "was purged already" in two("version", "purge", "v1").out
    assert two.data("version", "purge", "v1")["objects"] == 0
    two("undo")
    assert two("show", "v1:brief.json").out.startswith("{")


def test_gc_says_what_goes(two: Film) -> None:
    """gc tells what it keeps for undo and what it deleted; what is gone cannot be taken back."""
    assert "There is no garbage" in two("gc").out
    two.commit("Heavy", {"heavy.bin": os.urandom(20_000)})
    (two.root / "heavy.bin").unlink()
    two.commit("Light")
    two("version", "delete", "v3")
    assert "undo can bring it back" in two("gc").out
    assert "To delete" in two("gc", "--dry-run", "--grace", "0").out
    out = two("gc", "--grace", "0").out
    assert "The content of v3" in out
    assert "Freed" in out
    assert "can no longer be taken back" in two("undo", code=27).stderr
    assert two.data("log", "--deleted")["versions"][1]["purged_at"] is not None
    assert "not a length of time" in two("gc", "--grace", "soon", code=2).stderr


def test_what_gc_left_comes_back_whole(two: Film) -> None:
    """Content that lies among what is in use is not gone: undo shows the version again, with its files."""
    two("version", "delete", "v1")
    time.sleep(1.05)
    left = two("gc", "--grace", "1s").out
    assert "Left for later" in left
    assert "mostly in use" in left
    two("undo")
    version = two.data("show", "v1")["version"]
    assert (version["deleted_at"], version["purged_at"]) == (None, None)
    assert "calm" in two("show", "v1:brief.json").out
    assert two.data("fsck")["ok"] is True


def test_reindex_loses_nothing(two: Film) -> None:
    """The index is rebuilt from the files and says the same."""
    before = two.data("log", "--all")
    done = two.data("reindex")
    assert (done["versions"], done["operations"]) == (2, 2)
    (two.root / ".aura/local/index.sqlite").write_bytes(b"")
    assert two.data("log", "--all") == before


def test_damage_is_told_with_the_versions_it_affects(two: Film) -> None:
    """A damaged file is named with its id and the versions that hold it."""
    take = os.urandom(200_000)
    two.commit("Take", {"assets/take.wav": take})
    two.commit("Notes", {"notes.txt": "later"})
    blob = two.data("show", "v3:assets/take.wav")["id"]
    path = two.root / ".aura" / two.data("debug", "object", blob)["path"]
    data = bytearray(path.read_bytes())
    place = data.find(take[:1000])
    assert place > 0, "what does not compress is stored as it is"
    data[place + 100] ^= 1
    path.chmod(0o644)
    path.write_bytes(bytes(data))
    told = two("show", "v3:assets/take.wav", code=32).stderr
    assert f"Object {blob} is damaged" in told
    assert "It is part of v3 and v4." in told
    assert two.data("debug", "object", blob)["damage"] != ""


def test_a_lost_version_is_called_by_its_number(two: Film) -> None:
    """Where even the record of a version is gone, and an index that was built since does not know it any more."""
    version = two.data("show", "v2")["version"]["id"]
    for pack in (two.root / ".aura").rglob(f"{two.data('debug', 'object', version)['record']['pack']}.pack"):
        pack.unlink()
    two("reindex", code=None)
    assert f"missing object  {version}: Object {version} is missing; affects v2" in two("fsck", code=None).out


def test_debug_shows_what_is_stored(two: Film) -> None:
    """Objects, refs and index rows can be looked at as they are."""
    version = two.data("show", "v2")["version"]
    assert two.data("debug", "object", version["id"][:10])["content"]["number"] == 2
    tree = two.data("debug", "object", version["tree"])
    assert tree["record"]["kind"] == "tree"
    assert tree["damage"] == ""
    refs = two.data("debug", "ref", "branches/main")["refs"]
    assert refs[0]["content"]["version"] == version["id"]
    assert "counter" in two("debug", "ref", "branches/main").out
    assert two.data("debug", "index")["tables"]["versions"] == 2
    assert len(two.data("debug", "index", "versions")["rows"]) == 2
    assert "Did you mean versions" in two("debug", "index", "verions", code=24).stderr
    assert "at least 4 digits" in two("debug", "object", "ab", code=24).stderr


def test_a_number_that_two_machines_gave_is_told_so_that_it_can_be_typed(film: Film, tmp_path: Path) -> None:
    """What is printed of such a version names that one alone, in results and in commands that are suggested."""
    remote, other = str(tmp_path / "remote"), str(tmp_path / "other")
    film.write({"f.txt": "one"})
    film.commit("One")
    film("remote", "add", "origin", remote)
    film("push")
    film("clone", remote, other)
    film.write({"f.txt": "here"})
    film.commit("Here")
    second = Film(Path(other), film.env)
    second.write({"f.txt": "there"})
    second("commit", "-m", "There")
    film("push")
    second("pull", code=3)
    shown = second("show", "HEAD").out
    name = re.search(r"v2\.[0-9a-f]+", shown).group()  # type: ignore[union-attr]
    assert f"`aura show {name}:` lists all files" in shown
    assert "f.txt" in second("show", f"{name}:").out
    said = second("tag", "create", "cut", "HEAD").out
    for words in (["tag"], ["status"], ["version", "list"], ["ls"], ["diff", name, "v1"]):
        said += second(*words).out
    assert said.count(name) >= 6
    assert not re.search(r"\bv2\b(?!\.)", said)


def test_a_new_folder_in_a_project_without_versions_is_to_be_committed(film: Film) -> None:
    """No version can bring it back, so none is suggested."""
    film.write({"d/x.txt": "x"})
    assert 'aura commit -m "First cut"' in film("ls", "d", code=20).stderr
    film.commit("One")
    film.write({"e/x.txt": "x"})
    assert "No version has e yet" in film("ls", "e", code=20).stderr


def test_a_number_that_was_given_twice_is_told_with_its_id(two: Film, quick_path: Path) -> None:
    """Where two machines called a version v2, every command says which of them it means."""
    copy = Film(quick_path / "copy", {**two.env, "AURA_AUTHOR": "Bea"})
    two("undo")
    shutil.copytree(two.root, copy.root)
    for film in (two, copy):
        film.commit("Again", {"notes.txt": f"of {film.env['AURA_AUTHOR']}\n"})
    for path in (copy.root / ".aura").rglob("*"):
        place = two.root / ".aura" / path.relative_to(copy.root / ".aura")
        if path.is_file() and "local" not in path.relative_to(copy.root).parts and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    here = re.search(r" at (v\d+\.[0-9a-f]{4}) ", two("status").out)
    assert here is not None
    called = here[1]
    assert called in two("blame", "notes.txt").out
    assert called in two("version", "purge", called, "--dry-run", code=None).stderr
    assert called in two("version", "delete", called, code=None).stderr
    two("version", "edit", called, "--name", "Ours")
    assert called in two("ops", "-n", "1").out
    two("checkout", called)
    assert called in two("ops", "-n", "1").out
    other = next(
        word
        for word in two("log", "--all", "--oneline").out.split()
        if re.fullmatch(r"v\d+\.\w{4}", word) and word != called
    )
    assert called.partition(".")[0] == other.partition(".")[0]
