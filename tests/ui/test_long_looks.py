"""What takes long on a large project says how far it is, answers with what there is, and holds up nothing else."""

import re
import threading
import time
from pathlib import Path

import aura_vcs as aura
import pytest
from aura_vcs.api.opened import Options
from aura_vcs.api.reporting import Call, Step
from aura_vcs.errors import InputError
from aura_vcs.ui import long_looks
from aura_vcs.ui.long_looks import LongLooks
from aura_vcs.ui.pages import search, space
from aura_vcs.ui.workspace import Workspace

from tests.helpers.project import write_project
from tests.ui.conftest import serve


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a few versions, of which each says something else."""
    root = tmp_path / "film"
    root.mkdir()
    write_project(root)
    with aura.init(root, author="Ada") as project:
        for word in ("comet", "asteroid", "moon"):
            (root / "script.md").write_text(f"A {word} passes.\n")
            project.commit(word)
    return root


def test_a_first_search_answers_with_what_was_read(root: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While texts are read there is progress and what was found; other views answer; at the end all is found."""
    going_on, has_begun = threading.Event(), threading.Event()
    read = search.read_texts

    def slowly(repo: object) -> int:
        repo.progress.start("Reading the texts of versions", 100, "versions")  # type: ignore[attr-defined]
        repo.progress.advance(40)  # type: ignore[attr-defined]
        has_begun.set()
        assert going_on.wait(60)
        return read(repo)  # type: ignore[arg-type]

    monkeypatch.setattr(search, "read_texts", slowly)
    with serve(root, home) as page:
        assert 'data-load="' in page.get("/search?q=comet").text
        first = page.get("/search/found?q=comet")
        assert has_begun.is_set()
        assert "data-again" in first.text
        assert re.search(r'<progress max="100" value="40"', first.text)
        assert "so far" in first.text
        assert page.get("").status == page.get("/unsaved").status == page.get("/operations").status == 200
        going_on.set()
        until = time.monotonic() + 60
        while "data-again" in (found := page.get("/search/found?q=comet").text) and time.monotonic() < until:
            pass
        assert "script.md" in found
        assert "data-again" not in found
        assert "Nothing has all" in page.get("/search/found?q=nowhere").text


def test_a_map_that_is_being_made_says_how_far_it_is(root: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is stored in all is known at once; the map comes when it is measured, and is remembered."""
    going_on, asked = threading.Event(), []
    measure = space.look_at_space

    def slowly(repo: object, by: str) -> object:
        asked.append(by)
        assert going_on.wait(60)
        return measure(repo, by)  # type: ignore[arg-type]

    monkeypatch.setattr(space, "look_at_space", slowly)
    with serve(root, home) as page:
        first = page.get("/space/map?by=kind").text
        assert "data-again" in first
        assert re.search(r"\d bytes of content|\d KB of content", first)
        going_on.set()
        until = time.monotonic() + 60
        while "treemap" not in page.get("/space/map?by=kind").text and time.monotonic() < until:
            pass
        assert "treemap" in page.get("/space/map?by=kind").text
        assert asked == ["kind"]


def test_what_goes_wrong_is_said_once_and_tried_again(root: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error reaches whoever waits; the next one who asks gets a new try."""
    monkeypatch.setattr(long_looks, "WAIT_SECONDS", 60.0)
    looks = LongLooks(Workspace("key", str(root), aura_options(home)))
    tries: list[int] = []

    def fail(_lane: object, _call: object) -> int:
        tries.append(1)
        raise InputError("No")

    for n in (1, 2):
        with pytest.raises(InputError, match="No"):
            looks.ask("topic", 1, fail)
        assert len(tries) == n


def test_an_older_question_is_given_up(root: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked about the project as it was ends when the same is asked of it as it is; stopping ends all."""
    monkeypatch.setattr(long_looks, "WAIT_SECONDS", 0.01)
    looks = LongLooks(Workspace("key", str(root), aura_options(home)))
    ended = []

    def last(name: str) -> object:
        def look(_lane: object, call: Call) -> None:
            token = call["cancel"]
            assert token is not None
            call["progress"](Step("x", 1, 4, "files"))  # type: ignore[misc]
            assert token.wait(60)
            ended.append(name)

        return look

    old = looks.ask("topic", 1, last("old"))  # type: ignore[arg-type]
    other = looks.ask("other", 1, last("other"))  # type: ignore[arg-type]
    looks.ask("topic", 2, last("new"))  # type: ignore[arg-type]
    assert old.ended.wait(60)
    assert ended == ["old"]
    assert not other.ended.is_set()
    looks.stop(60)
    assert sorted(ended) == ["new", "old", "other"]


def aura_options(home: Path) -> Options:
    """Options of a project that is opened for a test."""
    return Options(author="Ada", credentials=aura.Credentials(home=home), cache=str(home))
