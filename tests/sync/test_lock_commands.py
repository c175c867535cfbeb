"""The commands lock, unlock and locks, and what commit, status, push and sync say about locks."""

from pathlib import Path

import pytest
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.remotes.config import RemoteConfig, set_remote

from .test_sync_commands import Person, people

__all__ = ["people"]
CLIP = "clip.mp4"
Two = tuple[Person, Person]


@pytest.fixture
def film(people: Two) -> Two:
    """Anna and Bert have the same clip."""
    anna, bert = people
    (anna.folder / CLIP).write_bytes(b"clip one")
    anna.aura("commit", "-m", "With a clip")
    anna.aura("push")
    bert.aura("pull")
    return anna, bert


def change(person: Person, text: bytes, name: str) -> str:
    """Change the clip and commit; what commit said."""
    (person.folder / CLIP).write_bytes(text)
    return person.aura("commit", "-m", name)


def test_two_people_and_one_clip(film: Two) -> None:
    """Lock, be refused, be warned, push, unlock, and go on: what both read on the way."""
    anna, bert = film
    said = anna.aura("lock", CLIP, "--reason", "new colours", "--expires", "8h")
    assert "Locked clip.mp4 on origin, until 2" in said
    refused = bert.aura("lock", CLIP, code=100)
    assert "clip.mp4 is locked by anna on " in refused
    assert "new colours" in refused
    listed = bert.aura("locks")
    assert "anna on" in listed
    assert "yours" not in listed
    assert "yours" in anna.aura("locks")
    assert "is locked by anna" in change(bert, b"bert's clip", "Bert's clip")
    assert "Ask anna" in bert.aura("push", code=100)
    assert bert.json("sync", code=100)["error"]["code"] == "path_locked"
    assert "Careful" not in change(anna, b"anna's clip", "Anna's clip")
    assert "not on the remote yet" in anna.aura("unlock", CLIP, code=3)
    anna.aura("lock", CLIP)
    anna.aura("push")
    assert "Unlocked clip.mp4" in anna.aura("unlock", "--all")
    assert "Nothing is locked" in bert.aura("locks")


def test_a_lock_on_an_old_version_says_so(film: Two) -> None:
    """The lock is taken, the newer version is named, and a script stops: exit code 3."""
    anna, bert = film
    change(anna, b"clip two", "Brighter")
    anna.aura("push")
    said = bert.aura("lock", CLIP, code=3)
    assert 'you are behind: v3 "Brighter" by anna has a newer clip.mp4. Run `aura pull`' in said
    data = bert.json("lock", CLIP, code=3)
    assert data["behind"] is True
    assert data["newer"][0]["version"]["number"] == 3
    bert.aura("pull")
    assert bert.json("lock", CLIP)["behind"] is False
    bert.aura("unlock", "--all")
    anna.aura("branch", "side")
    anna.aura("checkout", "side")
    change(anna, b"side clip", "On the side")
    anna.aura("push")
    assert "On the branch side" in bert.aura("lock", CLIP)


def test_a_lock_of_somebody_else_is_taken_away_by_force(film: Two) -> None:
    """Whose it was is said; against a lock one can push when one says so."""
    anna, bert = film
    anna.aura("lock", CLIP, "--reason", "colours")
    change(bert, b"bert's clip", "Bert's clip")
    assert bert.json("push", "--dry-run", "--ignore-locks")["despite_locks"][0]["owner"] == "anna"
    assert "Tell anna" in bert.aura("push", "--ignore-locks")
    bert.aura("unlock", CLIP, code=100)
    assert "it was locked by anna on" in bert.aura("unlock", "--force", CLIP)
    assert "no lock on" in bert.aura("unlock", CLIP, code=24)


def test_files_that_should_be_locked(film: Two) -> None:
    """The project's patterns make status and commit say it, until the file is locked; JSON has it too."""
    anna, _ = film
    anna.aura("config", "set", "locks.patterns", '["*.mp4"]', "--project")
    (anna.folder / CLIP).write_bytes(b"changed")
    assert "`aura lock clip.mp4`" in anna.aura("status")
    assert [item["problem"] for item in anna.json("status")["locks"]] == ["not_locked"]
    assert "`aura lock clip.mp4`" in anna.aura("commit", "-m", "Without a lock")
    anna.aura("lock", CLIP)
    (anna.folder / CLIP).write_bytes(b"changed again")
    assert anna.json("status")["locks"] == []
    assert anna.json("commit", "-m", "With a lock")["locks"] == []


def test_commit_warns_offline(film: Two, tmp_path: Path) -> None:
    """What was last known of the locks is enough to warn; nothing is asked of the remote."""
    anna, bert = film
    anna.aura("lock", CLIP)
    bert.aura("fetch")
    (tmp_path / "film.aura").rename(tmp_path / "unplugged")
    assert "A push of your change will be refused" in change(bert, b"on the train", "On the train")
    bert.aura("locks", code=91)


def test_paths_are_relative_to_where_one_is(film: Two) -> None:
    """In a folder of the project its files are locked by their names there."""
    anna, _ = film
    (anna.folder / "assets").mkdir()
    (anna.folder / "assets/sky.mp4").write_bytes(b"sky")
    inside = Person(anna.folder / "assets", "anna")
    assert inside.json("lock", "sky.mp4")["locks"][0]["path"] == "assets/sky.mp4"
    assert "Did you mean clip.mp4" in anna.aura("lock", "clop.mp4", code=24)
    inside.aura("lock", "../../elsewhere", code=2)
    anna.aura("unlock", code=2)
    anna.aura("lock", "--expires", "0", CLIP, code=2)


def test_remotes_that_cannot_keep_locks_say_why(film: Two, tmp_path: Path) -> None:
    """Places that are only read, and such that only one machine pushes to, are refused before anything is asked."""
    anna, _ = film
    anna.aura("bundle", "create", "../film.aurabundle")
    with Repository.open(str(anna.folder)) as repo:
        set_remote(repo, "web", RemoteConfig("https://example.org/film.aura"))
        set_remote(repo, "alone", RemoteConfig(str(tmp_path / "film.aura"), single_writer=True))
        set_remote(repo, "file", RemoteConfig(str(tmp_path / "film.aurabundle")))
    for name, why in (("web", "only read"), ("alone", "--single-writer"), ("file", "bundle")):
        assert why in anna.aura("lock", CLIP, "--remote", name, code=101)
        anna.aura("locks", "--remote", name, code=101)
        anna.aura("unlock", CLIP, "--remote", name, code=101)


def test_locks_on_an_encrypted_remote_do_not_show(film: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They work as on any remote; who keeps the place reads neither paths nor names nor reasons."""
    monkeypatch.setenv("AURA_PASSPHRASE", "correct horse battery staple")
    anna, _ = film
    anna.aura("remote", "add", "secret", "../secret.aura", "--encrypt")
    anna.aura("push", "secret")
    anna.aura("lock", CLIP, "--remote", "secret", "--reason", "new colours")
    assert anna.json("locks", "--remote", "secret")["locks"][0]["reason"] == "new colours"
    stored = b"".join(file.read_bytes() for file in (tmp_path / "secret.aura").rglob("*") if file.is_file())
    assert stored
    assert not any(word in stored for word in (b"clip.mp4", b"new colours", b"anna"))
