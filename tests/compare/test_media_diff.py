"""Looking into the media of two versions: what the budget allows, and what is said of the rest."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.errors import MediaUnreadable
from aura_vcs.formats.media.findings import DecodeLimits
from aura_vcs.history.commit import commit
from aura_vcs.history.diff.file_diff import diff_change
from aura_vcs.history.diff.media_diff import (
    HEADERS_LIMIT,
    NOTHING,
    THOROUGH,
    Budget,
    look_into_media,
    show_picture,
)
from aura_vcs.history.diff.media_findings import MediaFindings
from aura_vcs.history.diff.tree_diff import Comparison, compare_trees
from aura_vcs.history.diff.worktree_diff import compare_worktree
from aura_vcs.history.sources.content_source import CONTENT_LIMIT, StoredSource
from aura_vcs.media import build_entries as building
from aura_vcs.progress import Silent
from aura_vcs.repository.repository import Repository

from tests.compare.media_files import film, picture, png, wav
from tests.helpers.project import write

needs_media = pytest.mark.skipif(not building.can_look_into(), reason="the extra 'media' is not installed")
FEW = Budget(files=2, seconds=600.0, decoded_bytes=1 << 30)


@contextmanager
def _changed(root: Path, old: dict[str, str | bytes], new: dict[str, str | bytes]) -> Iterator[Comparison]:
    """The comparison of a version with `old` files, and one with `new` files over them."""
    write(root, old)
    with Repository.init(str(root)) as repo:
        first = commit(repo, "one").version
        write(root, new)
        second = commit(repo, "two").version
        assert first is not None
        assert second is not None
        yield compare_trees(repo, first.tree, second.tree)


def _look(comparison: Comparison, budget: Budget = THOROUGH, thumbnails: bool = False) -> MediaFindings:
    return look_into_media(comparison, budget, thumbnails=thumbnails)


@needs_media
def test_every_kind_of_media_is_told_by_what_is_in_it(tmp_path: Path) -> None:
    """Pictures by how they look, sounds by what is heard, videos by what is seen; each under its path."""
    colours = [(0, 0, 90), (20, 90, 0)]
    old = {
        "a.png": picture(tmp_path / "1.png").read_bytes(),
        "b.wav": wav(2, rate=16_000),
        "c.mp4": film(tmp_path / "1.mp4", colours).read_bytes(),
        "same.png": png(),
    }
    new = {
        "a.png": picture(tmp_path / "2.png", spot=True).read_bytes(),
        "b.wav": wav(2, rate=16_000, quiet=(1.0, 2.0)),
        "c.mp4": film(tmp_path / "2.mp4", [colours[0], (48, 200, 200)]).read_bytes(),
    }
    with _changed(tmp_path / "p", old, new) as comparison:
        found = _look(comparison)
        assert found.by_path.keys() == {"a.png", "b.wav", "c.mp4"}
        assert all(media.decoded and not media.problem for media in found.by_path.values())
        assert found.by_path["a.png"].lines[-1].startswith("looks different")
        assert "the sound differs from 1.00 s to 2.00 s" in found.by_path["b.wav"].lines
        assert "the picture differs from 1.00 s to 2.00 s (frames 10 to 19)" in found.by_path["c.mp4"].lines
        assert (found.header_only, found.needs_extra) == (0, False)
        change = comparison.changes[0]
        assert diff_change(comparison, change, media=found.by_path["a.png"]).kind == "media"


@needs_media
def test_what_the_budget_does_not_reach_is_counted(tmp_path: Path) -> None:
    """Two of four are looked into, the others are compared by their headers; no time, no bytes: none is."""
    old: dict[str, str | bytes] = {f"{n}.png": png(4, 3 + n) for n in range(4)}
    new: dict[str, str | bytes] = {f"{n}.png": png(5, 3 + n) for n in range(4)}
    with _changed(tmp_path, old, new) as comparison:
        found = _look(comparison, FEW)
        assert [found.by_path[f"{n}.png"].decoded for n in range(4)] == [True, True, False, False]
        assert found.header_only == 2
        assert found.by_path["3.png"].lines == ("size: 4×6 → 5×6",)
        for budget in (Budget(9, -1.0, 1 << 30), Budget(9, 600.0, 10)):
            none = _look(comparison, budget)
            assert (none.header_only, any(media.decoded for media in none.by_path.values())) == (4, False)
        headers = _look(comparison, NOTHING)
        assert (headers.header_only, len(headers.by_path)) == (0, 4)


def test_without_the_extra_headers_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the headers tell is there, and that more could be known."""
    monkeypatch.setattr("aura_vcs.media.build_entries.find_spec", lambda name: None)
    with _changed(tmp_path, {"a.wav": wav(1)}, {"a.wav": wav(2)}) as comparison:
        found = _look(comparison)
    assert found.by_path["a.wav"].lines == ("length: 1.0 s → 2.0 s",)
    assert found.needs_extra
    assert not found.by_path["a.wav"].decoded


@needs_media
def test_hostile_files_end_in_a_word(tmp_path: Path) -> None:
    """A lying, a damaged and an endless file cost a sentence each, and the next one is looked into."""
    lie = png(1, 1)[:16] + b"\x7f\xff\xff\xff" * 2 + png(1, 1)[24:]
    good = film(tmp_path / "good.mp4", [(1, 2, 3)]).read_bytes()
    old: dict[str, str | bytes] = {"a.png": png(), "b.mp4": good, "c.png": png(4, 3)}
    new: dict[str, str | bytes] = {"a.png": lie, "b.mp4": good[:40] + os.urandom(2_000), "c.png": png(4, 4)}
    with _changed(tmp_path / "p", old, new) as comparison:
        found = _look(comparison)
        assert found.by_path["a.png"].problem.startswith("it ")
        assert "/" not in found.by_path["a.png"].problem
        assert found.by_path["b.mp4"].problem
        assert (found.by_path["c.png"].decoded, found.by_path["c.png"].problem) == (True, "")
        lines = diff_change(comparison, comparison.changes[1], media=found.by_path["b.mp4"]).lines
        assert lines[-1] == f"not looked into: {found.by_path['b.mp4'].problem}"
        endless = _look(comparison, Budget(9, 600.0, 1 << 30, DecodeLimits(clock_seconds=0.001)))
        assert endless.by_path["c.png"].problem == "it took more than 0.001 s"
        assert endless.by_path["c.png"].lines == ("size: 4×3 → 4×4",)


def test_large_media_are_compared_without_being_read(tmp_path: Path) -> None:
    """Above the limit of contents, headers are read here and there: from chunks, and from the folder."""
    sound = wav(1, rate=48_000)
    long = sound[:40] + (CONTENT_LIMIT + 2_000).to_bytes(4, "little") + os.urandom(CONTENT_LIMIT + 2_000)
    longer = sound[:40] + (CONTENT_LIMIT + 50_000).to_bytes(4, "little") + os.urandom(CONTENT_LIMIT + 50_000)
    write(tmp_path, {"a.wav": long})
    with Repository.init(str(tmp_path)) as repo:
        first = commit(repo, "one").version
        write(tmp_path, {"a.wav": longer})
        assert first is not None
        comparison = compare_worktree(repo, first.tree)
        found = _look(comparison, NOTHING)
        assert found.by_path["a.wav"].lines == ("length: 2 min 54.783 s → 2 min 55.283 s",)
        (change,) = comparison.changes
        assert diff_change(comparison, change).lines == ("not looked into: it is larger than 16 MB",)
        assert change.old is not None
        with StoredSource(repo).open("a.wav", change.old) as file:
            for at in (0, 1_000_003, len(long) - 9):
                file.seek(at)
                assert file.read(100_000) == long[at : at + 100_000]
            file.seek(-5, os.SEEK_END)
            assert file.read() == long[-5:]


def test_files_of_one_side_are_described(tmp_path: Path) -> None:
    """An added picture says what it is, a removed sound what it was; text with a picture's name says nothing."""
    write(tmp_path, {"gone.wav": wav(1), "x.png": "a"})
    with Repository.init(str(tmp_path)) as repo:
        first = commit(repo, "one").version
        assert first is not None
        (tmp_path / "gone.wav").unlink()
        write(tmp_path, {"new.png": png(), "x.png": "b"})
        found = _look(compare_worktree(repo, first.tree), NOTHING).by_path
    assert {path: media.lines for path, media in found.items()} == {
        "gone.wav": ("sound, wav, 1.0 s, 8,000 Hz",),
        "new.png": ("picture, png, 4×3",),
    }


@needs_media
def test_a_report_sees_files_of_one_side_too(tmp_path: Path) -> None:
    """With thumbnails wanted, a new video has its strip and a new sound its waveform."""
    video = film(tmp_path / "v.mp4", [(9, 9, 9), (90, 0, 9)]).read_bytes()
    with _changed(tmp_path / "p", {"x": "x"}, {"v.mp4": video, "s.wav": wav(1)}) as comparison:
        found = _look(comparison, thumbnails=True).by_path
    assert found["v.mp4"].old is None
    assert found["v.mp4"].new is not None
    assert len(found["v.mp4"].new.strip_times) >= 12
    assert found["s.wav"].new is not None
    assert found["s.wav"].new.envelope


@needs_media
def test_a_picture_is_shown_on_request(tmp_path: Path) -> None:
    """Both kinds of picture are PNG files with our mark; what is not a picture is refused."""
    old = {"a.png": picture(tmp_path / "1.png").read_bytes(), "b.wav": wav(0.1)}
    new = {"a.png": picture(tmp_path / "2.png", spot=True).read_bytes(), "b.wav": wav(0.2)}
    with _changed(tmp_path / "p", old, new) as comparison:
        first, second = comparison.changes
        for kind in ("heat_map", "side_by_side"):
            shown = show_picture(comparison, first, kind)
            assert shown.startswith(b"\x89PNG")
            assert b"aura diff" in shown[:200]
        with pytest.raises(MediaUnreadable, match="no picture on both sides"):
            show_picture(comparison, second, "heat_map")


def test_thousands_of_media_files_cost_few_headers(tmp_path: Path) -> None:
    """Past the limit files are not opened any more."""
    with _changed(tmp_path, {"a": "a"}, {"a.png": png()}) as comparison:
        many = Comparison(comparison.changes * (HEADERS_LIMIT + 50), {}, comparison.old, comparison.new)
        assert len(_look(many, NOTHING).by_path) == 1


class _Stopped(Exception):
    """Somebody wants no more."""


class _Impatient(Silent):
    """Stops the work when the first file is on its way."""

    def advance(self, amount: int) -> None:
        raise _Stopped


@needs_media
def test_stopping_leaves_no_process_and_no_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a file is being decoded ends the process and takes the copies away."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    started: list[subprocess.Popen[bytes]] = []
    original = subprocess.Popen

    def watch(*args: Any, **options: Any) -> Any:
        started.append(original(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", watch)
    with _changed(tmp_path / "p", {"a.png": png()}, {"a.png": png(9, 9)}) as comparison:
        with pytest.raises(_Stopped):
            look_into_media(comparison, THOROUGH, progress=_Impatient())
        assert all(process.poll() is not None for process in started)
        assert list(scratch.iterdir()) == []
