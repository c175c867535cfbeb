"""The commands remote, clone, sync, fetch, pull and push, as a person and a script use them."""

import io
import json
import random
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import aura_vcs as aura
import pytest
from aura_vcs.cli.main import cli
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.encryption import master_key as encryption
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.sync.remotes.config import RemoteConfig, set_remote

from .machines import manifest
from .test_push_pull import media


class Person:
    """Somebody at a shell in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        folder.mkdir(parents=True, exist_ok=True)

    def aura(self, *words: str, code: int | None = 0) -> str:
        """Run a command, expect its exit code (None: any); what it said."""
        said = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
            patch.setenv("AURA_AUTHOR", self.name)
            with pytest.raises(SystemExit) as ended:
                cli.main(["-C", str(self.folder), *words])
        text = said.buffer.getvalue().decode()  # type: ignore[attr-defined]
        assert code is None or ended.value.code == code, text
        return str(text)

    def json(self, *words: str, code: int = 0) -> Any:
        """Run a command with --json; the data."""
        return json.loads(self.aura(*words, "--json", code=code))

    def save(self, text: str, name: str) -> None:
        """Change the brief and commit."""
        (self.folder / "brief.json").write_text(json.dumps({"topic": text}))
        self.aura("commit", "-m", name)


@pytest.fixture
def people(tmp_path: Path) -> tuple[Person, Person]:
    """Anna with a project and a remote, Bert with a clone of it."""
    anna = Person(tmp_path / "anna", "anna")
    anna.aura("init")
    anna.save("tides", "First")
    anna.aura("remote", "add", "origin", "../film.aura")
    anna.aura("push")
    bert = Person(tmp_path / "bert", "bert")
    bert.folder.rmdir()
    Person(tmp_path, "bert").aura("clone", "film.aura", "bert")
    return anna, bert


def test_an_undone_merge_leaves_the_others_their_version(people: tuple[Person, Person]) -> None:
    """Undo of a merge, then sync: both heads are on both sides; a branch that was taken back says so."""
    anna, bert = people
    bert.save("moons", "Moons")
    bert.aura("push")
    anna.save("stars", "Stars")
    anna.aura("sync", code=3)
    heads = [line for line in anna.aura("log", "--graph").splitlines() if " v2." in line]
    assert len(heads) == 2
    for line in heads:  # what is listed can be typed
        name = next(word for word in line.split() if word.startswith("v2."))
        assert anna.aura("show", name).splitlines()[0].startswith((f"{name}  Moons", f"{name}  Stars"))
    assert anna.aura("log", "--oneline").count("v2.") == 2
    anna.aura("merge")
    anna.aura("undo")
    for person in (anna, bert):
        person.aura("sync", code=3)
        assert "branch main has diverged" in person.aura("status")


def test_an_undone_pull_is_taken_back_for_one_alone(people: tuple[Person, Person]) -> None:
    """The branch stays where the other put it, also after push and sync; pull and redo go there again."""
    anna, bert = people
    bert.save("moons", "Moons")
    bert.aura("push")
    anna.aura("pull")
    assert "v1" in anna.aura("undo")
    assert "v2" in anna.aura("status")  # which is further on
    assert "everything" in anna.aura("push")
    bert.aura("sync")
    assert "at v2" in bert.aura("status")
    assert "elsewhere" not in bert.aura("status")
    anna.aura("redo")
    assert "at v2" in anna.aura("status")
    anna.aura("undo")
    assert "v2" in anna.aura("pull")
    assert "at v2" in anna.aura("status")


def test_work_after_an_undone_pull_stands_beside_it(people: tuple[Person, Person]) -> None:
    """It is a branch with two heads, as ever: the other's version does not go from the branch unseen."""
    anna, bert = people
    bert.save("moons", "Moons")
    bert.aura("push")
    anna.aura("pull")
    anna.aura("undo")
    anna.save("comets", "Comets")
    anna.aura("sync", code=3)
    for person in (anna, bert):
        person.aura("fetch")
        assert "branch main has diverged" in person.aura("status")


def test_a_commit_that_was_taken_back_is_so_for_who_followed(people: tuple[Person, Person]) -> None:
    """It was one's own, and where the other went with it is known; the other is told."""
    anna, bert = people
    anna.save("stars", "Stars")
    anna.aura("push")
    bert.aura("pull")
    bert.aura("branch", "create", "night")
    bert.aura("push")
    anna.aura("fetch")
    anna.aura("undo")
    anna.aura("push")
    bert.aura("fetch")
    assert 'moved the branch back to v1 "First"' in bert.aura("status")


@pytest.mark.parametrize("blocked", [False, True], ids=["fetch", "pull that was blocked"])
def test_a_commit_behind_the_branch_stands_beside_it(
    people: tuple[Person, Person], tmp_path: Path, blocked: bool
) -> None:
    """After a mere fetch, or a pull that unsaved changes stopped, nothing of the other's goes from the branch."""
    anna, bert = people
    bert.save("moons", "Moons")
    bert.aura("push")
    if blocked:
        (anna.folder / "brief.json").write_text('{"topic": "stars"}')
        anna.aura("pull", code=3)
    else:
        anna.aura("fetch")
    assert "v2" in anna.aura("status")
    anna.save("comets", "Comets")
    assert "branch main has diverged" in anna.aura("status")
    anna.aura("push", code=97)
    anna.aura("sync", code=3)
    carl = Person(tmp_path, "carl")
    carl.aura("clone", "film.aura", "carl")
    told = Person(tmp_path / "carl", "carl").aura("log", "--graph")
    assert "Moons" in told
    assert "Comets" in told
    assert "intact" in Person(tmp_path / "carl", "carl").aura("fsck")
    anna.aura("merge", code=None)
    anna.aura("undo")
    assert "branch main has diverged" in anna.aura("status")


def test_a_deleted_branch_is_deleted_for_all(people: tuple[Person, Person]) -> None:
    """A deletion is said already."""
    anna, bert = people
    bert.aura("branch", "create", "night")
    bert.aura("push")
    anna.aura("fetch")
    anna.aura("branch", "delete", "night")
    anna.aura("push")
    bert.aura("fetch")
    assert "night" not in bert.aura("branch", "list")


def test_two_people_work_on_one_project(people: tuple[Person, Person]) -> None:
    """Commit, sync and pull to and fro, diverge, be told, and lose nothing."""
    anna, bert = people
    assert "First" in bert.aura("log")
    assert "Both sides have everything" in bert.aura("sync")
    bert.save("moons", "Second")
    assert "Sent 1 version" in bert.aura("sync")
    assert "at v2" in anna.aura("pull")
    assert json.loads((anna.folder / "brief.json").read_text()) == {"topic": "moons"}
    assert "v1" in anna.aura("undo")
    anna.aura("redo")
    anna.save("anna", "Anna's")
    bert.save("bert", "Bert's")
    anna.aura("push")
    told = bert.aura("push", code=97)
    assert "Anna's" in told
    assert "aura sync" in told
    assert "has diverged" in bert.aura("sync", code=3)
    assert "has diverged" in anna.aura("pull", code=3)
    for person in people:
        assert "Anna's" in person.aura("log")
        assert "Bert's" in person.aura("log")
        assert "has diverged" in person.aura("status")
        person.aura("fsck")


def test_plans_and_json(people: tuple[Person, Person]) -> None:
    """Dry runs show bytes and change nothing; data is JSON with the documented keys."""
    anna, bert = people
    anna.save("moons", "Second")
    plan = anna.json("push", "--dry-run")
    assert plan["dry_run"] is True
    assert (len(plan["versions"]), plan["refs"]) == (1, ["main"])
    assert plan["bytes"] > 0
    shown = anna.json("remote", "show")
    assert (len(shown["to_push"]["versions"]), shown["to_fetch"]["versions"]) == (1, [])
    assert anna.json("push")["versions"] == plan["versions"]
    assert bert.json("fetch", "--dry-run")["versions"] == plan["versions"]
    assert bert.json("status")["head"]["number"] == 1
    pulled = bert.json("pull")
    assert pulled["head"]["number"] == 2
    assert pulled["fetched"]["versions"] == plan["versions"]
    assert (pulled["diverged"], pulled["in_the_way"]) == ([], [])
    synced = bert.json("sync")
    assert (synced["pulled"]["fetched"]["versions"], synced["pushed"]["versions"]) == ([], [])


def test_remotes_have_names(people: tuple[Person, Person], tmp_path: Path) -> None:
    """Add, list, check, remove; a taken, improper or unknown name is one clear error."""
    anna, _ = people
    listed = anna.json("remote", "list")["remotes"]
    assert listed == [
        {
            "name": "origin",
            "url": str(tmp_path / "film.aura"),
            "single_writer": False,
            "encrypted": False,
            "trusted": True,
        }
    ]
    assert anna.json("remote", "check")["remote"]["safe"] is True
    assert "safe" in anna.aura("remote", "check", "origin")
    anna.aura("remote", "add", "origin", "../other", code=23)
    anna.aura("remote", "add", "../x", "../other", code=22)
    anna.aura("remote", "add", "other", "/no/such/place", code=91)
    assert "Did you mean origin" in anna.aura("push", "orgin", code=24)
    anna.aura("remote", "remove", "origin")
    assert anna.json("remote") == {"remotes": []}
    assert "aura remote add" in anna.aura("push", code=2)
    assert (tmp_path / "film.aura/manifest.json").is_file()


def test_clone_and_init_refuse_what_is_there(people: tuple[Person, Person], tmp_path: Path) -> None:
    """A folder with something in it is left alone; a place for others is made where nothing is."""
    here = Person(tmp_path, "carl")
    assert "not empty" in here.aura("clone", "film.aura", "anna", code=2)
    assert "has no project" in here.aura("clone", "anna/.aura", "x", code=2)
    (tmp_path / "empty").mkdir()
    assert "has no project" in here.aura("clone", "empty", "x", code=2)
    here.aura("clone", "https://anna:secret@example.org/x", code=98)
    here.aura("clone", "nowhere", code=91)
    assert not (tmp_path / "x").exists()
    here.aura("init", "--bare", "place.aura")
    here.aura("init", "--bare", "film.aura", code=2)
    anna, _ = people
    anna.aura("remote", "add", "second", "../place.aura")
    anna.aura("push", "second")
    here.aura("clone", "place.aura")
    assert (tmp_path / "place/brief.json").is_file()
    assert "Nothing has changed" in Person(tmp_path / "place", "carl").aura("status")


def test_an_interrupted_clone_goes_on(people: tuple[Person, Person], tmp_path: Path) -> None:
    """What a clone left when it was stopped before the checkout is taken up by the same command."""
    project = manifest(FolderRemote(str(tmp_path / "film.aura"))).project
    with Repository.init(str(tmp_path / "late"), project=project) as repo:
        set_remote(repo, "origin", RemoteConfig(str(tmp_path / "film.aura")))
    Person(tmp_path, "dora").aura("clone", "film.aura", "late")
    assert (tmp_path / "late/brief.json").is_file()


def test_a_remote_that_went_back_is_reported_and_accepted(people: tuple[Person, Person], tmp_path: Path) -> None:
    """A restored backup of the remote: reported with 95, accepted, and brought up to date by a push."""
    anna, bert = people
    stored = tmp_path / "film.aura/manifest.json"
    old = stored.read_bytes()
    anna.save("moons", "Second")
    anna.aura("push")
    stored.write_bytes(old)
    assert "--accept" in anna.aura("push", code=95)
    anna.aura("remote", "check", "--accept")
    anna.aura("push")
    assert bert.json("pull")["head"]["number"] == 2


def test_a_bundle_is_made_checked_and_cloned(people: tuple[Person, Person], tmp_path: Path) -> None:
    """One file carries the project; a damaged one ends with 3 and says what is wrong."""
    anna, _ = people
    assert "1 version" in anna.aura("bundle", "create", "../film.aurabundle")
    anna.aura("bundle", "create", "../film.aurabundle", code=23)
    here = Person(tmp_path, "carl")
    assert here.json("bundle", "verify", "film.aurabundle")["clean"] is True
    here.aura("bundle", "clone", "film.aurabundle")
    assert (tmp_path / "film/brief.json").is_file()
    data = bytearray((tmp_path / "film.aurabundle").read_bytes())
    data[data.index(b"AURAPACK") + 20] ^= 1
    (tmp_path / "film.aurabundle").write_bytes(data)
    assert here.json("bundle", "verify", "film.aurabundle", code=3)["problems"]


def test_content_of_a_remote_is_checked_on_demand(people: tuple[Person, Person], tmp_path: Path) -> None:
    """`remote check --content` reads everything there and names what is damaged."""
    anna, _ = people
    assert anna.json("remote", "check", "--content")["problems"] == []
    pack = next((tmp_path / "film.aura/packs").iterdir())
    pack.write_bytes(pack.read_bytes()[:-1])
    assert anna.json("remote", "check", "--content", code=3)["problems"]


def test_a_purge_reaches_the_remote_and_frees_it(people: tuple[Person, Person]) -> None:
    """Purge with --remote tells the remote; gc --remote plans, deletes, and says what it freed."""
    anna, bert = people
    (anna.folder / "take.wav").write_bytes(random.Random(4).randbytes(1_200_000))
    anna.aura("commit", "-m", "With the take")
    (anna.folder / "take.wav").unlink()
    anna.aura("commit", "-m", "Without")
    anna.aura("push")
    assert "1.2 MB at origin" in anna.aura("version", "purge", "v2", "--remote", "origin", "--dry-run")
    assert "origin knows" in anna.aura("version", "purge", "v2", "--remote", "origin", "--yes")
    planned = anna.json("gc", "--remote", "origin", "--grace", "0", "--dry-run")
    assert planned["dry_run"] is True
    assert planned["rewrite"]["bytes"] > 1_100_000
    assert planned["removed_files"] == 0
    assert "perhaps uploads under way" in bert.aura("gc", "--remote", "origin")
    assert "Freed 1.2 MB" in anna.aura("gc", "--remote", "origin", "--grace", "0")
    assert "no garbage" in anna.aura("gc", "--remote", "origin", "--grace", "0")
    bert.aura("sync")
    assert anna.json("fsck", "--remote", "origin")["ok"] is True


def test_damage_there_and_here_is_found_and_mended(people: tuple[Person, Person]) -> None:
    """fsck --remote ends with 30 where something is missing; repair brings back what is damaged here."""
    anna, bert = people
    for file in (bert.folder / ".aura/objects").rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes()[:-3])
    planned = bert.json("repair", "--from", "origin", "--dry-run")
    assert planned["damaged"]
    assert planned["lost"] == []
    assert "Repaired" in bert.aura("repair", "--from", "origin")
    assert "Everything is intact" in bert.aura("fsck")
    assert "nothing to repair" in bert.aura("repair")
    assert "intact" in anna.aura("fsck", "--remote", "origin", "--sample", "5%")
    for file in (anna.folder.parent / "film.aura/packs").iterdir():
        file.unlink()
    found = anna.json("fsck", "--remote", "origin", code=30)
    assert {"missing_file", "missing_object"} <= {problem["kind"] for problem in found["problems"]}
    for file in (bert.folder / ".aura/objects").rglob("*"):
        if file.is_file():
            file.unlink()
    said = bert.aura("repair", "--json", code=3)
    assert json.loads(said[said.index("{") :])["lost"][0]["versions"] == ["v1"]


def test_options_that_do_not_fit_are_said_to(people: tuple[Person, Person]) -> None:
    """A share is a percentage, and belongs to a remote."""
    anna, _ = people
    assert "is not a share" in anna.aura("fsck", "--remote", "origin", "--sample", "120%", code=2)
    assert "for a remote" in anna.aura("fsck", "--sample", "5%", code=2)
    assert "for this project" in anna.aura("fsck", "--remote", "origin", "--quick", code=2)


def test_gc_names_the_machine_that_it_waits_for(tmp_path: Path) -> None:
    """In a folder that a tool copies, gc says who does not know yet, and how to go on without."""
    anna, bert = Person(tmp_path / "anna", "anna"), Person(tmp_path / "bert", "bert")
    anna.aura("init")
    anna.save("tides", "First")
    anna.save("moons", "Second")
    shutil.copytree(anna.folder / ".aura", bert.folder / ".aura", ignore=shutil.ignore_patterns("local"))
    bert.aura("tag", "mine", "v2")
    for room in ("operations", "refs"):
        shutil.copytree(bert.folder / ".aura" / room, anna.folder / ".aura" / room, dirs_exist_ok=True)
    anna.aura("version", "delete", "v1")
    said = anna.aura("gc", "--grace", "0")
    assert "Kept until" in said
    assert "--no-wait" in said
    waiting = anna.json("gc", "--grace", "0", "--dry-run")
    assert waiting["unread_objects"] > 0
    assert len(waiting["waiting_for"]) == 1
    assert "Freed" in anna.aura("gc", "--grace", "0", "--no-wait")


@pytest.fixture
def takes(tmp_path: Path) -> Person:
    """Anna with three takes, the first two only in older versions, all of them pushed."""
    anna = Person(tmp_path / "anna", "anna")
    anna.aura("init")
    for number in range(3):
        (anna.folder / "take.mov").write_bytes(media(1_100_000 + number, seed=number))
        anna.save(f"take {number}", f"Take {number}")
    anna.aura("remote", "add", "origin", "../film.aura")
    anna.aura("push")
    return anna


def test_offload_and_back_again(takes: Person, tmp_path: Path) -> None:
    """The plan has bytes and reasons, what goes comes when it is needed, and every command has the word for it."""
    planned = takes.aura("offload", "--dry-run")
    assert "To free: 2.2 MB, 2 files of 2.2 MB that origin holds" in planned
    assert "HEAD is on it" in planned
    assert "Freed" not in planned
    assert takes.json("fsck")["offloaded"] == {"files": 0, "bytes": 0}
    assert "Freed 2.2 MB: 2 files offloaded" in takes.aura("offload")
    assert takes.json("fsck")["offloaded"] == {"files": 2, "bytes": 2_200_001}
    assert "remotes hold them" in takes.aura("fsck")
    assert "Offloaded: 2 files of older versions, 2.2 MB, to origin" in takes.aura("status")
    assert takes.json("show", "v1")["offloaded"] == {"files": 1, "bytes": 1_100_000, "remotes": ["origin"]}
    assert "(offloaded in part)" in takes.aura("log", "--oneline")
    assert "are offloaded: remotes hold them" in takes.aura("storage")
    (tmp_path / "film.aura").rename(tmp_path / "unplugged")
    told = takes.json("checkout", "v1", code=39)["error"]
    assert told["code"] == "object_offloaded"
    assert "take.mov (1,100,000 bytes) is offloaded to origin" in told["message"]
    assert "film.aura" in told["hint"]
    assert takes.json("status")["head"]["number"] == 3
    (tmp_path / "unplugged").rename(tmp_path / "film.aura")
    assert "Fetching the content of take.mov from origin" in takes.aura("checkout", "v1")
    assert "alone holds 1 offloaded file" in takes.aura("remote", "remove", "origin", code=2)
    assert "Brought back 1.1 MB, 1 file" in takes.aura("fetch", "--content", "v2", "take.mov")
    assert "All of that content is here" in takes.aura("fetch", "--content")
    takes.aura("remote", "remove", "origin")
    assert takes.json("fsck") | {"objects": 0, "bytes": 0} == {
        "ok": True,
        "problems": [],
        "objects": 0,
        "bytes": 0,
        "offloaded": {"files": 0, "bytes": 0},
        "evicted": {"files": 0, "bytes": 0},
    }


def test_offload_says_what_it_cannot_do(takes: Person, tmp_path: Path) -> None:
    """No remote, an unreachable one, more copies than remotes, a path that is none: one line each, nothing freed."""
    assert "There is no version or path" in takes.aura("offload", "nowhere.mov", code=24)
    assert "2 copies" in takes.aura("offload", "--copies", "2", code=2)
    takes.aura("remote", "add", "again", "../film.aura")
    assert "2 copies" in takes.aura("offload", "--copies", "2", code=2)  # one place under two names is one copy
    assert takes.json("offload", "--older-than", "1d")["offloaded"] == []
    assert takes.json("offload", "--min-size", "2M")["offloaded"] == []
    takes.aura("config", "set", "offload.copies", "2", "--project")
    takes.aura("offload", code=2)
    (tmp_path / "film.aura").rename(tmp_path / "unplugged")
    takes.aura("offload", "--remote", "origin", code=91)
    lonely = Person(tmp_path / "lonely", "lonely")
    lonely.aura("init")
    assert "has no remote" in lonely.aura("offload", code=2)


def test_clone_partial_as_a_command(takes: Person, tmp_path: Path) -> None:
    """`clone --partial` has the folder and the history, says what stays there, and fetches it when it is needed."""
    told = Person(tmp_path, "bert").aura("clone", "film.aura", "bert", "--partial")
    assert "2.2 MB of older media stay at origin" in told
    bert = Person(tmp_path / "bert", "bert")
    assert (bert.folder / "take.mov").read_bytes() == media(1_100_002, seed=2)
    assert "Take 0" in bert.aura("log")
    bert.aura("checkout", "v1")
    assert (bert.folder / "take.mov").read_bytes() == media(1_100_000, seed=0)


def test_an_encrypted_remote_at_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrase by the environment: add, push, clone, sync; without or with a wrong one nothing happens."""
    monkeypatch.setattr(encryption, "SCRYPT_N", 1 << 10)
    anna = Person(tmp_path / "anna", "anna")
    anna.aura("init")
    anna.save("tides", "First")
    refused = anna.aura("remote", "add", "origin", "../film.aura", "--encrypt", code=102)
    assert "AURA_PASSPHRASE" in refused
    assert list((tmp_path / "film.aura").iterdir()) == []
    monkeypatch.setenv("AURA_PASSPHRASE", "a good passphrase")
    assert ", encrypted" in anna.aura("remote", "add", "origin", "../film.aura", "--encrypt")
    assert "encrypted" in anna.aura("remote", "list")
    anna.aura("push")
    Person(tmp_path, "bert").aura("clone", "film.aura", "bert")
    bert = Person(tmp_path / "bert", "bert")
    bert.save("moons", "Second")
    bert.aura("sync")
    assert "at v2" in anna.aura("pull")
    assert anna.json("remote", "check", "--content")["remote"]["encrypted"] is True
    monkeypatch.setenv("AURA_PASSPHRASE", "a wrong passphrase")
    anna.save("stars", "Third")
    assert "not its passphrase" in anna.aura("push", code=102)
    Person(tmp_path, "carl").aura("clone", "film.aura", "carl", code=102)
    assert not (tmp_path / "carl").exists()
    for path in (tmp_path / "anna" / ".aura").rglob("*"):
        assert not path.is_file() or b"good passphrase" not in path.read_bytes()


def test_a_key_file_at_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key file is made, private; the machine finds it again; it may not lie where it would travel."""
    anna = Person(tmp_path / "anna", "anna")
    anna.aura("init")
    anna.save("tides", "First")
    inside = str(tmp_path / "anna" / "film.key")
    assert "travel" in anna.aura("remote", "add", "origin", "../film.aura", "--encrypt", "--key-file", inside, code=2)
    key = tmp_path / "film.key"
    made = anna.aura("remote", "add", "origin", "../film.aura", "--encrypt", "--key-file", str(key))
    assert "Made the key file" in made
    assert key.stat().st_mode & 0o077 == 0
    anna.aura("push")
    assert "none was named" in Person(tmp_path, "bert").aura("clone", "film.aura", "bert", code=102)
    Person(tmp_path, "bert").aura("clone", "film.aura", "bert", "--key-file", str(key))
    assert "Both sides have everything" in Person(tmp_path / "bert", "bert").aura("sync")
    key.rename(tmp_path / "moved.key")
    assert "cannot be read" in anna.aura("push", code=102)
    monkeypatch.setenv("AURA_KEY_FILE", str(tmp_path / "moved.key"))
    assert "has everything" in anna.aura("push")


def test_clone_takes_only_what_is_encrypted_if_told(people: tuple[Person, Person], tmp_path: Path) -> None:
    """A place that was emptied and filled openly is not taken for the encrypted one it was."""
    refused = Person(tmp_path, "carl").aura("clone", "film.aura", "carl", "--encrypt", code=93)
    assert "should be encrypted" in refused


def test_a_damaged_remote_is_repaired_from_a_machine_that_has_all(people: tuple[Person, Person]) -> None:
    """fsck says how, a dry run changes nothing, and afterwards a third machine clones everything."""
    anna, _ = people
    place = anna.folder.parent / "film.aura"
    for file in (place / "packs").iterdir():
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    assert "`aura repair --to origin` sends" in anna.aura("fsck", "--remote", "origin", code=30)
    before = (place / "manifest.json").read_bytes()
    planned = anna.json("repair", "--to", "origin", "--dry-run")
    assert planned["damaged"][0].keys() == {"file", "detail"}
    assert planned["replaced"]
    assert planned["objects"] > 0
    assert "Would send" in anna.aura("repair", "--to", "origin", "--dry-run")
    assert (place / "manifest.json").read_bytes() == before
    assert "Repaired origin" in anna.aura("repair", "--to", "origin")
    assert "is intact" in anna.aura("fsck", "--remote", "origin")
    assert "nothing to repair" in anna.aura("repair", "--to", "origin")
    third = Person(anna.folder.parent / "third", "third")
    third.aura("clone", str(place), "film")
    third.aura("clone", str(place), "part", "--partial")


def test_what_a_remote_and_this_project_do_not_have_is_named(people: tuple[Person, Person]) -> None:
    """A machine that lacks it says so, with the versions; one that has it does the rest."""
    anna, bert = people
    for file in (anna.folder.parent / "film.aura/packs").iterdir():
        file.unlink()
    for file in (bert.folder / ".aura/objects").rglob("*"):
        if file.is_file():
            file.unlink()
    assert "of these" in bert.aura("fsck", "--remote", "origin", code=30)
    data = bert.aura("repair", "--to", "origin", "--json", code=3)
    loss = json.loads(data[data.index("{") :])["lost"][0]
    assert (loss.keys(), loss["versions"]) == ({"object", "versions", "offloaded"}, ["v1"])
    said = bert.aura("repair", "--to", "origin", code=3)
    assert "not available" in said
    assert "needed by v1" in said
    assert "Repaired" in anna.aura("repair", "--to", "origin")
    bert.aura("repair", "--from", "origin")


def test_who_meets_damage_is_told_how_to_repair_it(people: tuple[Person, Person]) -> None:
    """Sync and clone name the remote's pack and the commands; a repair in both directions at once is refused."""
    anna, bert = people
    place = anna.folder.parent / "film.aura"
    anna.save("moons", "Second")
    anna.aura("push")
    for file in (place / "packs").iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    assert "`aura repair --to origin`" in bert.aura("sync", code=96)
    third = Person(anna.folder.parent / "third", "third")
    assert "aura repair --to" in third.aura("clone", str(place), "film", code=96)
    assert "cannot be combined" in anna.aura("repair", "--from", "origin", "--to", "origin", code=2)
    anna.aura("bundle", "create", "../film.aurabundle")
    third.aura("clone", str(anna.folder.parent / "film.aurabundle"), "copy")
    copy = Person(third.folder / "copy", "third")
    assert "only read" in copy.aura("repair", "--to", "origin", code=90)


def test_a_commit_says_in_json_what_it_stands_beside(people: tuple[Person, Person]) -> None:
    """A program learns which the other head is, where the branch had gone on meanwhile."""
    anna, bert = people
    bert.save("storms", "Bert's")
    bert.aura("push")
    anna.aura("fetch")
    other = anna.json("log", "--all")["versions"][0]
    (anna.folder / "plan.json").write_text("{}")
    said = anna.aura("commit", "-m", "Anna's", "--json")
    done, _ = json.JSONDecoder().raw_decode(said[said.index("{") :])
    assert (other["name"], done["created"]) == ("Bert's", True)
    assert done["beside"] == {"id": other["id"], "number": other["number"]}


def test_one_sync_on_each_of_two_machines_without_a_third_place(tmp_path: Path) -> None:
    """The laptop is a clone of the desktop's folder; the desktop, which has no remote, takes what was pushed."""
    desktop = Person(tmp_path / "desktop", "anna")
    desktop.aura("init")
    assert "has no remote" in desktop.aura("sync", code=2)
    desktop.save("tides", "First")
    Person(tmp_path, "anna").aura("clone", "desktop", "laptop")
    laptop = Person(tmp_path / "laptop", "anna")
    (desktop.folder / "a.txt").write_text("a")
    desktop.aura("commit", "-m", "On the desktop")
    (laptop.folder / "b.txt").write_text("b")
    laptop.aura("commit", "-m", "On the laptop")
    laptop.aura("sync")
    (desktop.folder / "c.txt").write_text("c")
    desktop.aura("commit", "-m", "Meanwhile")
    assert "Take it back with `aura undo`" in desktop.aura("sync")
    assert "Nothing to pull" in desktop.aura("sync")
    assert desktop.json("sync")["pushed"]["versions"] == []
    laptop.aura("sync")
    for person in (desktop, laptop):
        assert {"a.txt", "b.txt", "c.txt"} <= {path.name for path in person.folder.iterdir()}
    assert desktop.aura("log", "--oneline") == laptop.aura("log", "--oneline")
    with aura.open(desktop.folder) as project:
        assert project.sync().pulled.files is None
