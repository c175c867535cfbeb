"""Exports: from exactly one version, through their states, cancelled, retried."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from aura_vcs import Repository
from aura_vcs.errors.documents import ExportCancelled, ExportFailed, InvalidTransition
from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.integrity import ObjectOffloaded, ObjectPurged
from aura_vcs.history.commit import commit
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.history.sources.content_source import FolderSource, StoredSource
from aura_vcs.history.versions import purge_version
from aura_vcs.index.entities import exports_statement
from aura_vcs.index.queries import Queries
from aura_vcs.index.records import VersionRecord
from aura_vcs.layout import EXPORTS, RENDERS
from aura_vcs.project.records.export_jobs import (
    add_export,
    cancel_export,
    export_path,
    find_export,
    is_running,
    list_exports,
    load_export,
    retry_export,
    run_export,
)
from aura_vcs.project.records.files import put_record
from aura_vcs.project.render.presets import PRESETS, ExportPreset
from aura_vcs.repository.sync_tool_hints import SYNCTHING
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.offload.fetch_content import enable_lazy_fetch
from aura_vcs.sync.offload.offload import execute_offload, plan_offload
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.config import RemoteConfig, set_remote
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest_update import create_remote

from tests.helpers.project import look, write
from tests.helpers.record_tables import make_record_tables
from tests.studio.conftest import FIXTURE

SMALL = ExportPreset(name="Small", description="for tests", width=64, height=36, frame_rate=5, video_bitrate_k=100)


def short_film(root: Path) -> None:
    """Two scenes of the fixture, a second each, with media."""
    import json
    import shutil

    root.mkdir(exist_ok=True)
    for part in ("assets/images/010-opening.png", "assets/images/020-the-sun.png", "assets/audio/010-opening.wav"):
        (root / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FIXTURE / part, root / part)
    scenes = [
        {
            "index": n,
            "duration": 1,
            "start": n,
            "visual_assets": [{"type": "Image", "file_path": path}],
            "narration_audio_path": "assets/audio/010-opening.wav" if n == 0 else None,
        }
        for n, path in enumerate(("assets/images/010-opening.png", "assets/images/020-the-sun.png"))
    ]
    write(root, {"timeline.json": json.dumps({"scenes": scenes}), "project.json": '{"id": "x", "title": "Short"}'})


@pytest.fixture
def short(tmp_path: Path) -> Iterator[Repository]:
    """A film of two seconds with one version."""
    short_film(tmp_path / "short")
    with Repository.init(str(tmp_path / "short"), author="Ada") as repo:
        commit(repo, "Short")
        yield repo


def version(repo: Repository) -> VersionRecord:
    """The first version."""
    return Queries(repo.index).versions_numbered(1)[0]


def test_a_version_is_a_source_like_its_folder(first: Repository) -> None:
    """Names and bytes of a version's source are those of the folder it was made from, what is never versioned apart."""
    stored, folder = StoredSource(first, version(first).tree), FolderSource(Path(first.root))
    assert list(stored.names()) == [name for name in folder.names() if name != SYNCTHING]
    for name in stored.names():
        with stored.open(name) as ours, folder.open(name) as theirs:
            assert ours.read() == theirs.read()


def test_an_export_comes_from_its_version_alone(short: Repository, tmp_path: Path) -> None:
    """With the folder emptied, the version still renders; the folder is as it was; the record says all."""
    for path in ("timeline.json", "assets/images/010-opening.png"):
        os.unlink(Path(short.root) / path)
    before = look(Path(short.root))
    job = add_export(short, version(short), SMALL, str(tmp_path / "film.mp4"))
    assert job.status == "Queued"
    done = run_export(short, job)
    assert look(Path(short.root)) == before
    assert (done.status, done.progress, done.input_file, done.version_number) == (
        "Completed",
        100.0,
        version(short).id,
        1,
    )
    assert done.file_size == (tmp_path / "film.mp4").stat().st_size
    assert done.duration_seconds == pytest.approx(2.0, abs=0.4)
    assert done.output_id is not None
    assert done.started_at is not None
    with Repository.open(short.root) as other:
        other.rebuild_index()
        assert list_exports(other) == [done]
        assert find_export(other, "last") == done


def test_a_failure_is_recorded_and_can_be_retried(short: Repository, tmp_path: Path) -> None:
    """A file in the way fails the job with its error; after that the same job goes through."""
    output = tmp_path / "film.mp4"
    output.write_text("mine")
    job = add_export(short, version(short), SMALL, str(output))
    with pytest.raises(ExportFailed, match="exists already"):
        run_export(short, job)
    failed = load_export(short, job.id)
    assert failed.status == "Failed"
    assert "exists already" in (failed.error_message or "")
    assert output.read_text() == "mine"
    with pytest.raises(InvalidTransition):
        run_export(short, failed)
    done = run_export(short, retry_export(short, failed), overwrite=True)
    assert (done.status, done.attempts, done.error_message) == ("Completed", 2, None)
    with pytest.raises(InvalidTransition):
        retry_export(short, done)


def test_cancel_from_elsewhere(short: Repository, tmp_path: Path) -> None:
    """A running job stops when another process asks; nothing is left, and it can be retried."""
    job = add_export(short, version(short), msgspec.structs.replace(SMALL, frame_rate=60), str(tmp_path / "film.mp4"))
    asked = threading.Event()

    def stop() -> bool:
        if not asked.is_set():
            asked.set()
            with Repository.open(short.root) as other:
                assert is_running(other, job)
                cancel_export(other, load_export(other, job.id))
        return False

    with pytest.raises(ExportCancelled):
        run_export(short, job, cancelled=stop)
    found = load_export(short, job.id)
    assert (found.status, found.error_message) == ("Failed", "Cancelled")
    assert list(tmp_path.glob("*film*")) == []
    assert run_export(short, retry_export(short, found)).status == "Completed"
    with pytest.raises(InvalidTransition):
        cancel_export(short, load_export(short, job.id))


def test_a_queued_job_is_cancelled_at_once(short: Repository, tmp_path: Path) -> None:
    """A job that nobody renders fails when it is cancelled."""
    job = add_export(short, version(short), SMALL, str(tmp_path / "film.mp4"))
    assert cancel_export(short, job).status == "Failed"
    assert load_export(short, job.id).error_message == "Cancelled"


def test_a_job_whose_process_died_has_failed(short: Repository, tmp_path: Path) -> None:
    """A record that says InProgress without a process behind it is shown and stored as Failed."""
    job = add_export(short, version(short), SMALL, str(tmp_path / "film.mp4"))
    put_record(short.storage, export_path(job), msgspec.structs.replace(job, status="InProgress"))
    found = list_exports(short)[0]
    assert found.status == "Failed"
    assert "ended without a word" in (found.error_message or "")
    assert load_export(short, job.id).status == "Failed"


@pytest.mark.parametrize("data", [b"", b"\xff", b"[" * 100_000, b'{"id": "cut o'])
def test_a_damaged_record_is_named_and_does_no_harm(short: Repository, tmp_path: Path, data: bytes) -> None:
    """The others are listed and found, also by an index made anew; what looks for damage names the file."""
    kept, hurt = (add_export(short, version(short), SMALL, str(tmp_path / name)) for name in ("a.mp4", "b.mp4"))
    file = Path(short.storage.path(f"{EXPORTS}/{hurt.id}.json"))
    file.write_bytes(data)
    short.rebuild_index()
    assert list_exports(short) == [kept]
    assert find_export(short, "last") == load_export(short, kept.id) == kept
    for ask in (load_export, find_export):
        with pytest.raises(UnknownName):
            ask(short, hurt.id)
    assert [error.path for error in short.refs.damaged()] == [f"{EXPORTS}/{hurt.id}.json"]
    assert file.read_bytes() == data


def test_purged_versions_and_unknown_jobs(two_versions: Repository, tmp_path: Path) -> None:
    """A version whose content was given up cannot be exported; a wrong id is named."""
    gone = purge_version(two_versions, version(two_versions))
    with pytest.raises(ObjectPurged):
        add_export(two_versions, gone, PRESETS[0], str(tmp_path / "x.mp4"))
    with pytest.raises(UnknownName):
        find_export(two_versions, "last")


@pytest.fixture
def two_versions(first: Repository) -> Repository:
    """A project whose first version nothing stands on."""
    write(Path(first.root), {"notes.txt": "x"})
    commit(first, "Second")
    return first


KILLED = """
import os, signal, sys
from aura_vcs import Repository
from aura_vcs.project.records.export_jobs import find_export, run_export

class Dying:
    def start(self, phase, total, unit): self.phase = phase
    def advance(self, amount):
        if self.phase == "render": os.kill(os.getpid(), signal.SIGKILL)
    def finish(self): pass
    def note(self, message): pass

with Repository.open(sys.argv[1]) as repo:
    run_export(repo, find_export(repo, "last"), progress=Dying())
"""


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_a_killed_export_leaves_nothing_for_long(short: Repository, tmp_path: Path) -> None:
    """Copies of media and the begun film of a killed process are gone after the next look at exports."""
    (tmp_path / "system").mkdir()
    job = add_export(short, version(short), SMALL, str(tmp_path / "out" / "film.mp4"))
    (tmp_path / "out").mkdir()
    env = {**os.environ, "TMPDIR": str(tmp_path / "system")}
    killed = subprocess.run([sys.executable, "-c", KILLED, short.root], env=env, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert short.storage.list(RENDERS) == [job.id]
    assert list((tmp_path / "system").iterdir()) == []
    (found,) = list_exports(short)
    assert (found.status, found.error_message) == ("Failed", "The process that rendered it ended without a word")
    assert short.storage.list(RENDERS) == []
    assert list((tmp_path / "out").iterdir()) == []
    assert run_export(short, retry_export(short, found)).status == "Completed"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["film.mp4"]
    assert short.storage.list(RENDERS) == []


@pytest.mark.parametrize("status", [None, "Failed"])
def test_exports_are_served_by_an_index(first: Repository, status: str | None) -> None:
    """Exports by status, by date and by both are found through an index, in order."""
    statement, values = exports_statement(status=status, limit=5)
    make_record_tables(first.index.database.connection)
    rows = first.index.database.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)
    plan = " ".join(row[3] for row in rows)
    assert "USING INDEX exports_" in plan
    assert "TEMP B-TREE" not in plan


def test_an_export_fetches_what_is_offloaded(tmp_path: Path) -> None:
    """Media of an old version that are at a remote are fetched to render it; without the remote it says so."""
    short_film(tmp_path / "film")
    vault = MemoryRemote("vault")
    with Repository.init(tmp_path / "film", author="Ada", host="studio") as repo:
        version = commit(repo, "First cut").version
        assert version is not None
        for path in (tmp_path / "film/assets").rglob("*.*"):
            path.unlink()
        commit(repo, "Without media")
        create_remote(vault, repo.format.project, "Ada")
        set_remote(repo, "vault", RemoteConfig("/nowhere/vault"))
        push(repo, vault, RemoteCache(repo, "vault"))
        witness = StorageProver("vault", vault, repo.format.project)
        assert execute_offload(repo, plan_offload(repo, [witness], select_files(repo, []), least_bytes=1)).files == 3
        with pytest.raises(ObjectOffloaded, match="offloaded to vault"):
            run_export(repo, add_export(repo, version, SMALL, str(tmp_path / "none.mp4")))
        enable_lazy_fetch(repo, lambda _: vault)
        done = run_export(repo, add_export(repo, version, SMALL, str(tmp_path / "out.mp4")))
        assert done.status == "Completed"
