"""A project with large files in older versions and its remotes, for tests of offloading."""

from collections.abc import Callable
from pathlib import Path

from aura_vcs.errors.remotes import RemoteUnreachable
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.index.records import VersionRecord
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.base import RangeReadable, RemoteStorage
from aura_vcs.storage.system_calls import FileCalls
from aura_vcs.sync.offload.fetch_content import enable_lazy_fetch
from aura_vcs.sync.offload.offload import OffloadPlan, execute_offload, plan_offload
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.config import RemoteConfig, set_remote
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest_update import create_remote

from .machines import OPENED, content, files, folder_remote, known, machine, save, write
from .test_push_pull import media

MIB = 1 << 20
SIZE = MIB + 9_000
Connect = Callable[[str], RangeReadable]


class Film:
    """A project of three versions, two of them with a large file that the next does not have, and its remote."""

    def __init__(self, path: Path, remote: RemoteStorage | None = None, calls: FileCalls | None = None) -> None:
        self.path = path
        self.repo = machine(path / "anna", "anna")
        if calls is not None:
            self.repo.close()
            self.repo = Repository.open(str(path / "anna"), author="anna", host="anna", calls=calls)
            OPENED.append(self.repo)
        self.remotes: dict[str, RemoteStorage] = {}
        self.add("origin", remote or folder_remote(path / "remote"))
        write(self.repo, "brief.json", '{"topic": "tides"}')
        write(self.repo, "notes.txt", "waves")
        self.versions: list[VersionRecord] = []
        self.wanted: list[dict[str, bytes]] = []
        for number in range(3):
            self.commit("assets/take.mov", media(SIZE + number, seed=number))
        self.push()
        enable_lazy_fetch(self.repo, self.connect)

    def add(self, name: str, remote: RemoteStorage) -> None:
        """A remote of the project."""
        create_remote(remote, self.repo.format.project, "anna")
        set_remote(self.repo, name, RemoteConfig(f"/nowhere/{name}"))
        self.remotes[name] = remote

    def commit(self, path: str, data: bytes) -> VersionRecord:
        """Change a file and commit."""
        self.versions.append(save(self.repo, path, data))
        self.wanted.append(files(self.repo))
        return self.versions[-1]

    def push(self, name: str = "origin") -> None:
        """Push to a remote."""
        push(self.repo, self.remotes[name], known(self.repo) if name == "origin" else known_as(self.repo, name))

    def connect(self, name: str) -> RangeReadable:
        """Open a remote; it is gone when it was taken out of `remotes`."""
        if name not in self.remotes:
            raise RemoteUnreachable(f"/nowhere/{name}", "the disk is not there")
        return self.remotes[name]

    def plan(self, *names: str, copies: int = 1, everything: bool = False, least_bytes: int = MIB) -> OffloadPlan:
        """What an offload would do."""
        found = [StorageProver(name, remote, self.repo.format.project) for name, remote in self.remotes.items()]
        chosen = select_files(self.repo, names)
        return plan_offload(self.repo, found, chosen, copies=copies, everything=everything, least_bytes=least_bytes)

    def offload(self, *names: str) -> OffloadPlan:
        """Offload; fails where nothing could be."""
        plan = self.plan(*names)
        assert plan.to_free
        assert execute_offload(self.repo, plan).files == len(plan.to_free)
        return plan

    def assert_readable(self) -> None:
        """Every version can be read, byte by byte."""
        for version, wanted in zip(self.versions, self.wanted, strict=True):
            assert content(self.repo, version) == wanted


def known_as(repo: Repository, name: str) -> RemoteCache:
    """What the machine remembers of a remote of that name."""
    return RemoteCache(repo, name)


def stored(repo: Repository) -> int:
    """Bytes of all packs and loose objects."""
    return sum(path.stat().st_size for path in Path(repo.storage.root, "objects").rglob("*") if path.is_file())
