"""The media index: every frame and sample is looked at once, and what is not an entry is never taken for one."""

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aura_vcs.cli.main import cli
from aura_vcs.cli.shared.idle_indexing import IdleIndexer
from aura_vcs.errors import Interrupted
from aura_vcs.formats.media.findings import DecodeLimits
from aura_vcs.formats.media.index_entry import LUMA_BYTES, VERSION, NoEntryError, read_entry
from aura_vcs.history.commit import commit
from aura_vcs.history.media_index.build import index_media
from aura_vcs.history.media_index.find import stored_media, worktree_media
from aura_vcs.history.media_index.store import MediaIndexStore
from aura_vcs.ids import ObjectId
from aura_vcs.media import build_entries as building, index_worker
from aura_vcs.media.build_entries import FileToIndex, build_entries
from aura_vcs.media.index_orders import FileOrder
from aura_vcs.progress import Silent
from aura_vcs.repository.repository import Repository
from click.testing import CliRunner

from tests.compare.media_files import picture, wav
from tests.media.clips import melody, scenery, write_film

Clips = Callable[[str, Callable[[Path], object]], Path]


def _plain(path: Path) -> object:
    return write_film(path, map(scenery, range(40)), melody(1.6, channels=2))


@pytest.fixture
def plain(clips: Clips) -> Path:
    """Forty frames, and a sound as long."""
    return clips("plain.mp4", _plain)


@pytest.fixture
def project(tmp_path: Path, plain: Path) -> Path:
    """A project with a film, a picture and a sound."""
    root = tmp_path / "p"
    root.mkdir()
    (root / "film.mp4").write_bytes(plain.read_bytes())
    picture(root / "sky.png")
    (root / "voice.wav").write_bytes(wav(1, rate=16_000))
    Repository.init(str(root)).close()
    return root


def test_every_frame_and_sample_is_in_an_entry(project: Path) -> None:
    """Frames with their times and small pictures, poster and strip, sound with waveforms, facts of both."""
    with Repository.open(str(project)) as repo:
        index = MediaIndexStore.of(repo)
        media = {one.path: one for one in worktree_media(repo)}
        found = index_media(index, media.values())
        assert sorted(found.made) == ["film.mp4", "sky.png", "voice.wav"]
        assert not found.problems
        film = index.get(media["film.mp4"].id)
        assert film is not None
        video, sound = film.head.video, film.head.sound
        assert video is not None
        assert sound is not None
        assert (video.codec, video.width, video.height, video.frames) == ("h264", 320, 180, 40)
        assert (video.frames_per_second, video.seconds) == (25.0, 1.6)
        assert list(film.times()) == [40_000 * n for n in range(40)]
        assert len(film.luma()) == 40 * LUMA_BYTES
        assert len(film.hashes()) == 40
        assert (sound.codec, sound.rate, sound.channels) == ("aac", 48_000, 2)
        wave = film.waveform(0.01)
        assert wave is not None
        assert wave.step_seconds == 0.01
        assert [len(channel) // 2 for channel in wave.channels] == [pytest.approx(160, abs=6)] * 2
        assert max(wave.channels[0]) > 1.3 * max(wave.channels[1])
        assert film.poster().startswith(b"\xff\xd8\xff")
        assert film.strip().startswith(b"\xff\xd8\xff")
        assert film.head.strip is not None
        still = index.get(media["sky.png"].id)
        assert still is not None
        assert still.head.picture is not None
        assert (still.head.picture.width, still.head.picture.height) == (160, 90)
        voice = index.get(media["voice.wav"].id)
        assert voice is not None
        assert voice.head.sound is not None
        assert voice.head.sound.peaks_db == (pytest.approx(-6.0, abs=0.1),)


def test_what_was_looked_at_is_not_decoded_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither under another name, nor from a version; what was lost is made anew."""
    with Repository.open(str(project)) as repo:
        index = MediaIndexStore.of(repo)
        index_media(index, worktree_media(repo))
        commit(repo, "one")
        (project / "sky.png").rename(project / "heaven.png")
        with monkeypatch.context() as nobody:
            nobody.setattr(building, "media_process", None)
            again = index_media(index, [*worktree_media(repo), *stored_media(repo)])
        assert sorted(again.known) == ["film.mp4", "heaven.png", "voice.wav"]
        assert index.clear().entries == 3
        assert index.room().entries == 0
        assert sorted(index_media(index, stored_media(repo)).made) == ["film.mp4", "sky.png", "voice.wav"]


def test_what_is_damaged_cut_off_or_another_files_is_no_entry(tmp_path: Path) -> None:
    """Every byte of the head counts, every part has a hash, and an entry says whose it is."""
    (tmp_path / "a.wav").write_bytes(wav(0.3))
    with (tmp_path / "a.wav").open("rb") as file:
        ((_, data),) = build_entries([FileToIndex(file, "a" * 64, "a.wav")])
    assert isinstance(data, bytes)
    assert read_entry(data, "a" * 64).bands()
    with pytest.raises(NoEntryError, match="another file's"):
        read_entry(data, "b" * 64)
    for cut in (0, 10, 60, len(data) // 2, len(data) - 1):
        with pytest.raises(NoEntryError):
            read_entry(data[:cut], "a" * 64)
    head_end = len(data) - sum(s.stored for s in read_entry(data, "a" * 64).head.sections.values())
    for place in range(0, head_end, 7):
        with pytest.raises(NoEntryError):
            read_entry(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], "a" * 64)
    for place in range(head_end, len(data), max(1, (len(data) - head_end) // 40)):
        entry = read_entry(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], "a" * 64)
        with pytest.raises(NoEntryError):
            [entry.section(name) for name in entry.head.sections]


def test_a_half_made_entry_is_none(project: Path) -> None:
    """A file that is cut off, as after a power failure, is made anew by whoever needs it."""
    with Repository.open(str(project)) as repo:
        index = MediaIndexStore.of(repo)
        media = worktree_media(repo, ["voice.wav"])
        index_media(index, media)
        (path,) = [p for p in (project / ".aura/local/media-index").rglob("*") if p.is_file()]
        path.write_bytes(path.read_bytes()[:-5])
        assert index.get(media[0].id) is None
        assert index_media(index, media).made == ["voice.wav"]
        assert index.get(media[0].id) is not None


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_entries_are_their_owners_alone(project: Path) -> None:
    """Pictures that were made of private content are as private."""
    with Repository.open(str(project)) as repo:
        index_media(MediaIndexStore.of(repo), worktree_media(repo))
    files = [p for p in (project / ".aura/local/media-index").rglob("*") if p.is_file()]
    assert [stat.S_IMODE(p.stat().st_mode) & 0o077 for p in files] == [0, 0, 0]


def test_the_room_is_bounded(project: Path) -> None:
    """What was not used for longest goes first; entries of older versions before all others."""
    with Repository.open(str(project)) as repo:
        storage = repo.storage
        index = MediaIndexStore(storage, room_bytes=5_000)
        names = [ObjectId(f"{n:064x}") for n in range(4)]
        for n, name in enumerate(names):
            index.put(name, bytes(2_000))
            path = project / f".aura/local/media-index/{VERSION}/{name[:2]}/{name[2:]}"
            os.utime(path, (1_000_000 + n, 1_000_000 + n))
        storage.put_unsynced("local/media-index/0/ab/cd", bytes(10))
        assert index.trim() == 4_010
        left = sorted(p.name for p in (project / ".aura/local/media-index").rglob("*") if p.is_file())
        assert left == [names[2][2:], names[3][2:]]


def test_hostile_files_end_in_a_word(tmp_path: Path, plain: Path) -> None:
    """Damaged, cut off, lying files and playlists have an entry that says why nothing is known of them."""
    good = plain.read_bytes()
    cases = {
        "cut.mp4": good[: len(good) // 3],
        "noise.mp4": good[:40] + os.urandom(2_000),
        "list.m3u8": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "list.mp4": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "empty.wav": b"",
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
    opened = [(tmp_path / name).open("rb") for name in cases]
    files = [FileToIndex(file, name, name) for file, name in zip(opened, cases, strict=True)]
    results = dict(build_entries(files))
    for file in opened:
        file.close()
    for one, result in results.items():
        assert isinstance(result, bytes)
        assert read_entry(result, one.content).head.problem.startswith("it is"), one.name


def test_time_and_memory_are_limited(tmp_path: Path, plain: Path) -> None:
    """What takes too much is ended and told, and the next attempt may do better."""
    big = picture(tmp_path / "big.png", size=(400, 400))
    for limits, reason in (
        (DecodeLimits(clock_seconds=0.01), "took more than 0.01 s"),
        (DecodeLimits(memory_bytes=25 * 2**20), "memory"),
    ):
        with plain.open("rb") as file:
            ((_, result),) = build_entries([FileToIndex(file, "x", "x.mp4")], limits=limits)
        said = result.reason if not isinstance(result, bytes) else read_entry(result, "x").head.problem
        assert reason in said or "crashed" in said or "gave up" in said or "not known" in said
    with big.open("rb") as file:
        ((_, result),) = build_entries([FileToIndex(file, "x", "x.png")], limits=DecodeLimits(pixels=1_000))
    assert isinstance(result, bytes)
    assert read_entry(result, "x").head.problem == "it has 400×400 pixels"


class _Impatient(Silent):
    """Stops the work at its first report."""

    def advance(self, amount: int) -> None:
        raise Interrupted("enough")


def test_stopping_keeps_what_was_finished_and_leaves_no_process(project: Path) -> None:
    """Ctrl-C, or a program's token, ends it at the next report."""
    with Repository.open(str(project)) as repo:
        index = MediaIndexStore.of(repo)
        with pytest.raises(Interrupted):
            index_media(index, worktree_media(repo), progress=_Impatient())
        assert index.room().entries <= 3
        assert index_media(index, worktree_media(repo)).problems == {}


def test_a_file_that_changes_meanwhile_has_no_entry(project: Path) -> None:
    """The entry of one content never stands for another: what was decoded is hashed afterwards."""
    with Repository.open(str(project)) as repo:
        index = MediaIndexStore.of(repo)
        media = worktree_media(repo, ["voice.wav"])
        with (project / "voice.wav").open("r+b") as file:
            file.seek(2_000)
            file.write(b"\x55" * 500)
        found = index_media(index, media)
        assert "changed while it was looked at" in found.problems["voice.wav"]
        assert index.room().entries == 0


def test_the_command_says_what_it_looked_at(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files by name or all of them; what cannot be decoded is named with the reason."""
    monkeypatch.chdir(project)
    (project / "bad.png").write_bytes((project / "sky.png").read_bytes()[:120])
    done = CliRunner().invoke(cli, ["media", "index", "voice.wav"])
    assert done.exit_code == 0, done.output
    assert "Looked at 1 file" in done.output
    done = CliRunner().invoke(cli, ["media", "index"])
    assert "Looked at 2 files; 1 file had been before" in done.output
    assert "bad.png is known by its header only: it is damaged" in done.output
    done = CliRunner().invoke(cli, ["media", "index", "--all", "--json"])
    assert '"made": []' in done.output


def test_the_room_is_shown_and_freed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`aura storage` says what the index takes, `aura gc --media-index` frees it, and a dry run does not."""
    monkeypatch.chdir(project)
    run = CliRunner()
    run.invoke(cli, ["media", "index", "voice.wav"])
    assert "for what was found in 1 media file; `aura gc --media-index` frees it" in run.invoke(cli, ["storage"]).output
    assert "Would free" in run.invoke(cli, ["gc", "--media-index", "--dry-run"]).output
    assert ": 1 entry of the media index" in run.invoke(cli, ["gc", "--media-index"]).output
    assert run.invoke(cli, ["gc", "--media-index"]).output == "The media index is empty.\n"
    assert "media file;" not in run.invoke(cli, ["storage"]).output


def test_media_are_looked_at_while_nobody_works(project: Path) -> None:
    """A process begins when files rest, once; it ends when they change, and with the watching."""
    indexer = IdleIndexer(str(project), idle_seconds=0.05)

    def rounds() -> Iterator[list[str]]:
        deadline = time.monotonic() + 60
        yield [str(project / "voice.wav")]
        while time.monotonic() < deadline and not list((project / ".aura/local").glob("media-index/*/*/*")):
            time.sleep(0.06)
            yield [str(project / ".aura/local/media-index")]

    for _ in indexer.follow(rounds()):
        pass
    with Repository.open(str(project)) as repo:
        assert MediaIndexStore.of(repo).room().entries


@pytest.mark.parametrize(
    ("error", "letter"),
    [
        (MemoryError(), b"m"),
        (OSError(errno.EAGAIN, "no thread"), b"m"),
        (OSError(errno.EIO, "the disk"), b"m"),
        (ValueError("it is odd"), b"f"),
        (OSError(errno.EINVAL, "damaged"), b"f"),
    ],
)
def test_what_the_machine_lacked_is_not_said_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, letter: bytes
) -> None:
    """An entry that says that a file cannot be decoded is kept for good: only the file's own fault makes one."""

    def fail(*_: object) -> bytes:
        raise error

    (tmp_path / "a.wav").write_bytes(wav(0.1))
    monkeypatch.setattr(index_worker, "_entry", fail)
    order = FileOrder("a" * 64, DecodeLimits(), path=str(tmp_path / "a.wav"))
    assert index_worker.build(order, 1)[0] == letter


def test_stopped_it_says_that_what_was_looked_at_is_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of it is lost, and nothing was to be saved."""

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(project)
    monkeypatch.setattr("aura_vcs.cli.commands.media.index.index_media", stopped)
    done = CliRunner().invoke(cli, ["media", "index"])
    assert done.exit_code == 130
    assert "files that were looked at are known" in done.output
