"""Our comparison and merge as drivers of git: real merges and rebases, exit codes and conflicts as git has them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import StorageFull
from aura_vcs.interchange.git_driver import diff_for_git, install, merge_for_git, remove, text_for_git

from tests.interchange.repositories import ENVIRONMENT, git, start

PROGRAM = f'"{sys.executable}" -m aura_vcs'
VOICE = {"voice_name": "Astra", "rate": 1.0, "pitch": 0.0, "pause": "Natural"}


def _document(**changes: object) -> str:
    return json.dumps({**VOICE, **changes}, indent=2) + "\n"


def _clip(name: str, start: int, length: int) -> dict[str, object]:
    def time(value: int) -> dict[str, object]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": 24.0, "value": float(value)}

    span = {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(start), "duration": time(length)}
    media = {"OTIO_SCHEMA": "ExternalReference.1", "target_url": f"assets/{name}.mov"}
    return {"OTIO_SCHEMA": "Clip.1", "name": name, "source_range": span, "media_reference": media}


def _otio(*clips: dict[str, object]) -> str:
    track = {"OTIO_SCHEMA": "Track.1", "name": "V1", "kind": "Video", "children": list(clips)}
    stack = {"OTIO_SCHEMA": "Stack.1", "name": "tracks", "children": [track]}
    return json.dumps({"OTIO_SCHEMA": "Timeline.1", "name": "cut", "tracks": stack}, indent=4) + "\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the drivers, a document and a cut."""
    made = start(tmp_path / "film")
    install(str(made), PROGRAM, environment=ENVIRONMENT)
    (made / "voice.json").write_text(_document())
    (made / "cut.otio").write_text(_otio(_clip("a", 0, 24), _clip("b", 0, 48), _clip("c", 0, 24)))
    git(made, "add", "-A")
    git(made, "commit", "-qm", "First")
    return made


def _branches(repository: Path, ours: dict[str, str], theirs: dict[str, str]) -> None:
    git(repository, "checkout", "-qb", "theirs")
    for name, content in theirs.items():
        (repository / name).write_text(content)
    git(repository, "commit", "-qam", "Theirs")
    git(repository, "checkout", "-q", "main")
    for name, content in ours.items():
        (repository / name).write_text(content)
    git(repository, "commit", "-qam", "Ours")


def test_a_merge_joins_fields_and_clips(repository: Path) -> None:
    """Neighbouring lines, and a cut that both worked on: git alone would leave conflicts."""
    ours = {
        "voice.json": _document(pitch=1.0),
        "cut.otio": _otio(_clip("a", 0, 12), _clip("b", 0, 48), _clip("c", 0, 24)),
    }
    theirs = {
        "voice.json": _document(rate=0.9),
        "cut.otio": _otio(_clip("b", 0, 48), _clip("c", 0, 30), _clip("a", 0, 24)),
    }
    _branches(repository, ours, theirs)
    git(repository, "merge", "-q", "theirs", "-m", "Merge")
    assert json.loads((repository / "voice.json").read_text()) == {**VOICE, "pitch": 1.0, "rate": 0.9}
    clips = json.loads((repository / "cut.otio").read_text())["tracks"]["children"][0]["children"]
    found = [(clip["name"], clip["source_range"]["duration"]["value"]) for clip in clips]
    assert found == [("b", 48.0), ("c", 30.0), ("a", 12.0)]
    assert git(repository, "status", "--porcelain") == ""


def test_a_conflict_stands_between_markers_and_ends_with_1(repository: Path) -> None:
    """Only what both sides changed differently; the rest is joined, and git says which file is unmerged."""
    _branches(
        repository,
        {"voice.json": _document(pause="Long", pitch=1.0)},
        {"voice.json": _document(pause="Short", rate=0.9)},
    )
    with pytest.raises(subprocess.CalledProcessError) as caught:
        git(repository, "merge", "-q", "theirs")
    assert caught.value.returncode == 1
    text = (repository / "voice.json").read_text()
    markers = '<<<<<<< ours\n  "pause": "Long"\n=======\n  "pause": "Short"\n>>>>>>> theirs\n'
    assert markers in text
    assert json.loads(text.replace(markers, '  "pause": "Long"\n')) == {
        **VOICE,
        "pause": "Long",
        "pitch": 1.0,
        "rate": 0.9,
    }
    assert git(repository, "status", "--porcelain") == "UU voice.json"


def test_a_rebase_goes_through(repository: Path) -> None:
    """Commit by commit, each with the driver."""
    _branches(repository, {"voice.json": _document(pitch=1.0)}, {"voice.json": _document(rate=0.9)})
    git(repository, "checkout", "-q", "theirs")
    (repository / "voice.json").write_text(_document(rate=0.8))
    git(repository, "commit", "-qam", "Slower still")
    git(repository, "rebase", "-q", "main")
    assert json.loads((repository / "voice.json").read_text()) == {**VOICE, "pitch": 1.0, "rate": 0.8}


def test_git_shows_clips(repository: Path) -> None:
    """`git diff` and `git log -p` compare the text of the cut, with --words our lines."""
    (repository / "cut.otio").write_text(_otio(_clip("a", 0, 12), _clip("b", 0, 48), _clip("c", 0, 24)))
    shown = git(repository, "diff", "cut.otio")
    assert "-  a assets/a.mov at 0.000 s for 1.000 s" in shown
    assert "+  a assets/a.mov at 0.000 s for 0.500 s" in shown
    install(str(repository), PROGRAM, environment=ENVIRONMENT, words=True)
    assert "aura diff a/cut.otio b/cut.otio" in git(repository, "diff", "cut.otio")


@pytest.mark.parametrize(
    ("path", "base", "ours", "theirs", "conflicts", "expected"),
    [
        ("a.json", b'{"a": 1}', b'{"a": 1, "b": 2}', b'{"a": 3}', 0, b'"b": 2'),
        ("a.json", b"", b'{"a": 1}', b'{"b": 2}', 0, b'"b": 2'),
        ("a.json", b"{torn", b"{torn\nours", b"{torn\ntheirs", 1, b"<<<<<<< ours\nours\n=======\ntheirs\n"),
        ("a.txt", b"1\r\n2\r\n", b"one\r\n2\r\n", b"eins\r\n2\r\n", 1, b"<<<<<<< ours\r\none\r\n=======\r\neins\r\n"),
        ("a.wav", b"\0base", b"\0ours", b"\0theirs", -1, b"\0ours"),
    ],
)
def test_what_a_merge_leaves_in_the_file(
    tmp_path: Path, path: str, base: bytes, ours: bytes, theirs: bytes, conflicts: int, expected: bytes
) -> None:
    """Joined, marked, merged by line where nothing else goes, and ours where it is no text."""
    sides = [tmp_path / name for name in ("base", "ours", "theirs")]
    for side, data in zip(sides, (base, ours, theirs), strict=True):
        side.write_bytes(data)
    done = merge_for_git(*map(str, sides), path, environment=ENVIRONMENT)
    assert done.conflicts == conflicts
    assert expected in sides[1].read_bytes()
    assert sides[2].read_bytes() == theirs


def test_it_is_set_up_once_and_taken_out(repository: Path) -> None:
    """What else is in .gitattributes stays; a second time changes nothing."""
    attributes = repository / ".gitattributes"
    attributes.write_text("*.mp4 filter=lfs\n" + attributes.read_text() + "*.txt text\n")
    before = attributes.read_text()
    install(str(repository), PROGRAM, environment=ENVIRONMENT)
    assert attributes.read_text() == before
    remove(str(repository), environment=ENVIRONMENT)
    assert attributes.read_text() == "*.mp4 filter=lfs\n*.txt text\n"
    assert "aura" not in git(repository, "config", "--list", "--local")
    with pytest.raises(InputError, match="no git repository"):
        install(str(repository.parent), PROGRAM, environment=ENVIRONMENT)


def test_files_that_one_side_has_and_other_bytes() -> None:
    """An added file, and what cannot be read as a cut, are shown as they stand."""
    assert diff_for_git("a.otio", "/dev/null", "x") == ["aura diff a/a.otio b/a.otio", "  added"]
    assert text_for_git("a.otio", b"no timeline \xff") == "no timeline \ufffd"


def test_attributes_are_replaced_as_a_whole(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full leaves them as they were; rights stay; a pipe of that name is refused, not waited for."""
    attributes = repository / ".gitattributes"
    attributes.write_text("*.mp4 filter=lfs\n")
    attributes.chmod(0o640)
    install(str(repository), PROGRAM, environment=ENVIRONMENT)
    assert attributes.stat().st_mode & 0o777 == 0o640
    before = attributes.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StorageFull):
            remove(str(repository), environment=ENVIRONMENT)
    assert attributes.read_bytes() == before
    assert [path.name for path in repository.glob(".gitattributes*")] == [".gitattributes"]
    attributes.unlink()
    os.mkfifo(attributes)
    with pytest.raises(InputError):
        install(str(repository), PROGRAM, environment=ENVIRONMENT)
