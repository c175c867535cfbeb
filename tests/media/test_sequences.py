"""A sequence of pictures is one thing in the media index: made of its frames, and enough to compare by."""

import stat
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.cli.main import cli
from aura_vcs.formats.media.index_entry import COLOUR_BYTES, LUMA_BYTES
from aura_vcs.formats.media.sequence_entry import SequenceEntry, sequence_key
from aura_vcs.formats.media.sequences import find_sequences
from aura_vcs.history.commit import commit
from aura_vcs.history.diff import media_diff
from aura_vcs.history.diff.fold_sequences import SequenceChange, fold_sequences
from aura_vcs.history.diff.media_diff import THOROUGH, look_into_media
from aura_vcs.history.diff.worktree_diff import compare_worktree
from aura_vcs.history.media_index import build, sequences as made_of
from aura_vcs.history.media_index.build import MediaContent, index_media
from aura_vcs.history.media_index.find import stored_sequences, worktree_media
from aura_vcs.history.media_index.sequences import (
    find_sequence,
    index_sequences,
    index_stored_sequences,
    numbered,
)
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.history.recording.version_builder import worktree_base
from aura_vcs.ids import ObjectId
from aura_vcs.project.media.known_problems import known_media_problems
from aura_vcs.repository.repository import Repository
from click.testing import CliRunner
from PIL import Image

NUMBERS = (*range(1, 13), *range(15, 21))
CALLED = "shot.[0001-0020].png"


def _draw(root: Path, number: int, mark: int = 0) -> None:
    """Write a frame: a slope that moves, of another colour from frame 9 on, with a mark in it if wanted."""
    picture = Image.linear_gradient("L").resize((96, 54)).rotate(number)
    shown = Image.merge("RGB", [picture, picture.point(lambda level: level // 2), picture])
    if number > 8:
        shown = shown.point(lambda level: 255 - level)
    if mark:
        shown.paste((mark, 255 - mark, 0), (10, 30, 30, 45))
    shown.save(root / f"shot.{number:04}.png")


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """A saved project with eighteen frames, of which two are missing in the middle; all were looked at."""
    pytest.importorskip("av")
    root = tmp_path / "film"
    root.mkdir()
    for number in NUMBERS:
        _draw(root, number)
    with Repository.init(str(root)) as repo:
        commit(repo, "Frames")
        index = MediaIndexStore.of(repo)
        wanted = worktree_media(repo)
        index_media(index, wanted)
        assert index_sequences(index, wanted) == 1
    return root


def _frames(repo: Repository) -> list[tuple[int, str]]:
    ids = {one.path: str(one.id) for one in worktree_media(repo)}
    (sequence,) = find_sequences(ids)
    return numbered(sequence, ids)


def _entry(repo: Repository) -> SequenceEntry:
    found = find_sequence(MediaIndexStore.of(repo), _frames(repo))
    assert found is not None
    return found


def _forget_frames(repo: Repository, frames: list[tuple[int, str]]) -> None:
    index = MediaIndexStore.of(repo)
    for _, content in frames:
        index.forget(ObjectId(content))


def _told(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """Compare the folder with what is saved; return what is said of the sequence, and what was decoded for it."""
    decoded: list[str] = []

    def looked(index: MediaIndexStore, wanted: list[MediaContent], **more: Any) -> build.Indexed:
        decoded.extend(one.path for one in wanted)
        return index_media(index, wanted, **more)

    monkeypatch.setattr(media_diff, "index_media", looked)
    with Repository.open(str(root)) as repo:
        comparison = compare_worktree(repo, worktree_base(repo).tree)
        found = look_into_media(comparison, THOROUGH, index=MediaIndexStore.of(repo))
        lines = [
            line
            for one in fold_sequences(comparison, found.by_path)
            for line in (one.found.lines if isinstance(one, SequenceChange) else found.by_path[one.path].lines)
        ]
    return lines, decoded


def test_an_entry_has_every_frame(shot: Path) -> None:
    """How many, which are missing, how large, where scenes begin, fingerprints, poster and strip; for its owner."""
    with Repository.open(str(shot)) as repo:
        whole = _entry(repo)
        head = whole.entry.head
        assert head.sequence is not None
        assert (head.sequence.frames, head.sequence.missing) == (18, ((12, 13),))
        assert head.sequence.sizes == ((96, 54, 18),)
        assert 8 in head.sequence.cuts
        assert head.sound is None
        assert len(whole.entry.luma()) == 18 * LUMA_BYTES
        assert len(whole.entry.colour()) == 18 * COLOUR_BYTES
        assert len({frame.picture.digest for frame in whole.frames if frame.picture is not None}) == 18
        assert whole.entry.poster().startswith(b"\xff\xd8")
        assert whole.entry.strip().startswith(b"\xff\xd8")
        assert head.strip is not None
        assert len(head.strip.times) == 16
        place = next((shot / ".aura/local/media-index").rglob(head.content[2:]))
        assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0


def test_the_key_is_the_contents_in_order_and_the_gaps() -> None:
    """Not what the frames are called, nor where they begin."""
    one, two = "1" * 64, "2" * 64
    assert sequence_key([(1, one), (2, two)]) == sequence_key([(101, one), (102, two)])
    kinds = [[(1, one), (2, two)], [(1, two), (2, one)], [(1, one), (3, two)], [(1, one)]]
    assert len({sequence_key(frames) for frames in kinds}) == 4


def test_one_frame_of_many_is_all_that_is_decoded(shot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although what was known of the frames one by one is gone; the next time nothing is."""
    with Repository.open(str(shot)) as repo:
        _forget_frames(repo, _frames(repo))
    _draw(shot, 5, mark=200)
    lines, decoded = _told(shot, monkeypatch)
    assert decoded == ["shot.0005.png"]
    assert any("on the left" in line or "left" in line for line in lines), lines
    with Repository.open(str(shot)) as repo:
        assert _entry(repo).entry.head.sequence is not None  # made from the old one and the new frame
        _forget_frames(repo, _frames(repo))
    again, decoded = _told(shot, monkeypatch)
    assert (again, decoded) == (lines, []) or (decoded == [] and len(again) == len(lines))


def test_all_frames_are_compared_by_two_entries(shot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No frame's own entry, header or file is read."""
    with Repository.open(str(shot)) as repo:
        before = _frames(repo)
    for number in NUMBERS:
        _draw(shot, number, mark=90)
    with Repository.open(str(shot)) as repo:
        wanted = worktree_media(repo)
        index_media(MediaIndexStore.of(repo), wanted)
        index_sequences(MediaIndexStore.of(repo), wanted)
        _forget_frames(repo, [*before, *_frames(repo)])
    monkeypatch.setattr(media_diff, "HEADERS_LIMIT", 0)
    lines, decoded = _told(shot, monkeypatch)
    assert not decoded
    assert "frames 1 to 12 differ" in lines[0]
    assert "frames 15 to 20 differ" in lines[1]


def test_every_state_of_the_versions_has_an_entry(shot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`media index --all` makes one for each state that a version has, the newest first, in a quarter of the room."""
    monkeypatch.chdir(shot)
    states = []
    with Repository.open(str(shot)) as repo:
        states.append(_frames(repo))
    for mark in (60, 120):
        _draw(shot, 5, mark=mark)
        with Repository.open(str(shot)) as repo:
            commit(repo, f"Mark {mark}")
            states.append(_frames(repo))
    assert CliRunner().invoke(cli, ["media", "index", "--all"]).exit_code == 0
    with Repository.open(str(shot)) as repo:
        index = MediaIndexStore.of(repo)
        assert all(index.has(sequence_key(frames)) for frames in states)
        assert list(stored_sequences(repo)) == states[::-1]
        for frames in states:
            index.forget(sequence_key(frames))
        small = MediaIndexStore(repo.scratch_storage, room_bytes=4 * 100)
        monkeypatch.setattr(small, "trim", lambda: 0)
        assert index_stored_sequences(small, stored_sequences(repo)) == 1
        assert [small.has(sequence_key(frames)) for frames in states] == [False, False, True]


def test_a_lost_or_damaged_entry_is_made_again(shot: Path) -> None:
    """From the frames; with one of them unknown there is none, and nothing is decoded for it."""
    with Repository.open(str(shot)) as repo:
        frames, index = _frames(repo), MediaIndexStore.of(repo)
        key = sequence_key(frames)
        index.put(key, b"nothing")
        assert find_sequence(index, frames) is not None
        index.forget(key)
        index.forget(ObjectId(frames[3][1]))
        assert find_sequence(index, frames) is None
        index_media(index, worktree_media(repo))
        assert find_sequence(index, frames) is not None


def test_who_cannot_read_a_frame_cannot_read_the_sequence(shot: Path) -> None:
    """The strictest frame decides."""
    with Repository.open(str(shot)) as repo:
        frames = _frames(repo)
        index = MediaIndexStore(repo.scratch_storage, lambda one: 0o600 if one == frames[7][1] else 0o640)
        index.forget(sequence_key(frames))
        assert find_sequence(index, frames) is not None
        place = next((shot / ".aura/local/media-index").rglob(sequence_key(frames)[2:]))
        assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_damaged_frames_and_sizes_are_told_by_it(shot: Path) -> None:
    """`project check` reads one entry instead of one for each frame."""
    (shot / "shot.0003.png").write_bytes((shot / "shot.0003.png").read_bytes()[:90])
    Image.new("RGB", (60, 54)).save(shot / "shot.0004.png")
    with Repository.open(str(shot)) as repo:
        wanted = worktree_media(repo)
        repo_index = MediaIndexStore.of(repo)
        index_media(repo_index, wanted)
        index_sequences(repo_index, wanted)
        facts = _entry(repo).entry.head.sequence
        assert facts is not None
        assert (facts.damaged, facts.sizes) == (1, ((96, 54, 16), (60, 54, 1)))
        _forget_frames(repo, _frames(repo))
        words = {problem.file: problem.message for problem in known_media_problems(repo)}
    assert "several sizes" in words[f"{CALLED}"] or "missing" in words[f"{CALLED}"]
    assert "cannot be looked into" in words["shot.0003.png"]


def test_it_takes_room_and_gives_it_back(shot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is counted, shown by `asset show`, freed with the rest, and bounded as every entry is."""
    monkeypatch.chdir(shot)
    runner = CliRunner()
    with Repository.open(str(shot)) as repo:
        index = MediaIndexStore.of(repo)
        assert index.room().entries == len(NUMBERS) + 1
        small = MediaIndexStore(repo.scratch_storage, room_bytes=1)
        assert small.trim() > 0
        assert index.room().entries == 0
        index_media(index, worktree_media(repo))
    assert runner.invoke(cli, ["media", "index"]).exit_code == 0
    shown = runner.invoke(cli, ["asset", "show", CALLED]).output
    assert "looked into: 18 frames, 96×54, 2 scenes" in shown
    assert runner.invoke(cli, ["gc", "--media-index"]).exit_code == 0
    with Repository.open(str(shot)) as repo:
        assert MediaIndexStore.of(repo).room().entries == 0
        assert made_of.find_sequence(MediaIndexStore.of(repo), _frames(repo)) is None
