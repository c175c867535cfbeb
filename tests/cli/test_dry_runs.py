"""Dry runs change nothing: not a byte, not a date, neither here nor at the remote, whatever is pending."""

import gc
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest
from aura_vcs.cli.main import cli
from aura_vcs.errors.studio import ProjectDeleted
from aura_vcs.history.checkout import checkout
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.history.merge import plan_merge
from aura_vcs.history.names.revisions import resolve
from aura_vcs.maintenance.gc import plan_gc
from aura_vcs.maintenance.purge_plan import plan_purge
from aura_vcs.maintenance.retention import RetentionRules, plan_prune
from aura_vcs.project.purge import plan_project_purge
from aura_vcs.project.records.checkpoint_store import plan_recovery
from aura_vcs.project.scenes.actions import plan_cleaning
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.testing.faulty_calls import Fault, FaultyCalls, Stopped
from aura_vcs.sync.fetch import plan_fetch
from aura_vcs.sync.maintenance.gc import plan_remote_gc
from aura_vcs.sync.maintenance.repair_local import plan_repair
from aura_vcs.sync.maintenance.repair_remote import plan_remote_repair
from aura_vcs.sync.offload.fetch_content import plan_content
from aura_vcs.sync.push import plan_push
from aura_vcs.sync.remotes.config import remotes
from aura_vcs.sync.state.cache import RemoteCache

from tests.cli.conftest import Film, new_film

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # stopped, as by a kill

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
COMMANDS = {
    "asset clean": [("asset", "clean"), ("asset", "clean", "--yes")],
    "derived evict": [
        ("derived", "evict"),
        ("derived", "evict", "--prove"),
        ("derived", "evict", "--versions"),
        ("derived", "evict", "--versions", "--prove"),
    ],
    "fetch": [("fetch",), ("fetch", "--content")],
    "gc": [("gc",), ("gc", "--grace", "0"), ("gc", "--remote", "origin"), ("gc", "--remote", "origin", "--grace", "0")],
    "import database": [
        ("import", "database", str(FIXTURES / "aura-studio/aura.db"), "{film}/../studio", "--no-studio")
    ],
    "import folder": [("import", "folder", "{remote}/../copies")],
    "import git": [("import", "git", "{remote}/../git")],
    "media collect": [("media", "collect")],
    "media relink": [("media", "relink")],
    "merge": [("merge", "side"), ("merge",)],
    "offload": [("offload", "--min-size", "0"), ("offload", "--verify", "--min-size", "0")],
    "project purge": [("project", "purge"), ("project", "purge", "--yes")],
    "prune": [("prune",)],
    "push": [("push",), ("push", "--all-versions")],
    "recover": [("recover",)],
    "repair": [("repair",), ("repair", "--to", "origin")],
    "version delete": [("version", "delete", "v1")],
    "version purge": [("version", "purge", "v1"), ("version", "purge", "v1", "--yes")],
}
"""Every command that can be tried, and ways to."""


def with_dry_run(command: click.Command, ctx: click.Context, name: str) -> Iterator[str]:
    """The commands below this one that have `--dry-run`."""
    if any("--dry-run" in param.opts for param in command.params):
        yield name
    if isinstance(command, click.Group):
        for word in command.list_commands(ctx):
            inner = command.get_command(ctx, word)
            assert inner is not None
            yield from with_dry_run(inner, click.Context(inner, parent=ctx), f"{name} {word}".strip())


def test_every_dry_run_is_tried_here() -> None:
    """A new one has to be added above."""
    assert set(with_dry_run(cli, click.Context(cli), "")) == set(COMMANDS)


def state(*roots: Path) -> dict[str, tuple[object, ...]]:
    """Every file and folder: its kind, size, inode, dates but that of reading, and bytes."""
    found: dict[str, tuple[object, ...]] = {}
    for root in roots:
        for path in [root, *root.rglob("*")]:
            seen = path.lstat()
            data = _content(path) if path.is_file() else b""
            changed = 0 if path.name.endswith(".sqlite-wal") else seen.st_ctime_ns  # SQLite run by root sets its owner
            found[str(path)] = (seen.st_mode, seen.st_size, seen.st_ino, seen.st_mtime_ns, changed, data)
    return found


def _content(path: Path) -> bytes:
    """Read a file; one of SQLite's in another process, as this one would lose its locks on it."""
    if ".sqlite" not in path.name:
        return path.read_bytes()
    return subprocess.run(["cat", str(path)], check=True, capture_output=True).stdout


def leave_unfinished(film: Film, folder: Path) -> None:
    """Give a project much to do: two branches, a checkpoint, garbage, a remote that is behind, and what was
    interrupted: a commit that is recorded and nowhere else, a checkout half-way, objects in no row.
    """
    film.write({"assets/take.mov": os.urandom(300_000), "assets/preview.tmp": "scratch"})
    film("commit", "-m", "First")
    film("remote", "add", "origin", str(folder / "remote"))
    film("push")
    film("branch", "side")
    film.write({"brief.json": '{"topic": "ours"}'})
    film("commit", "-m", "Ours")
    film("checkout", "side")
    film.write({"brief.json": '{"topic": "theirs"}', "assets/take.mov": os.urandom(300_000)})
    film("commit", "-m", "Theirs")
    film("autosave")
    film("restore-point", "PreRender", code=None)
    film("checkout", "main")
    film("commit", "--allow-empty", "-m", "Gone")
    film("version", "delete", "HEAD~1", code=None)
    aura = film.root / ".aura"
    shutil.copytree(aura / "refs", folder / "refs")
    shutil.copytree(aura / "local", folder / "local")
    film.write({"notes.txt": "recorded, and nowhere else"})
    film("commit", "-m", "Recorded")
    for name in ("refs", "local"):
        for file in (folder / name).rglob("*"):
            if file.is_file() and file.name != "replica.json":
                shutil.copy2(file, aura / file.relative_to(folder))
    for at in range(6, 400, 3):
        with suppress(Stopped), Repository.open(str(film.root), calls=FaultyCalls(Fault.STOP, at)) as repo:
            checkout(repo, "side")
        if (aura / "local" / "pending.json").exists():
            break
    assert (aura / "local" / "pending.json").exists()
    with Repository.open(str(film.root)) as repo, repo.store.batch() as batch:
        batch.add("blob", b"nobody's")
        batch.finish()
    gc.collect()  # what was stopped while it was opened holds its files until then


@pytest.fixture
def unfinished(film: Film, tmp_path: Path) -> Film:
    """A project with much to do, and its remote in `tmp_path`."""
    leave_unfinished(film, tmp_path)
    return film


@pytest.fixture(scope="module")
def untouched(quick_folder: Path) -> Iterator[tuple[Film, Path]]:
    """Such a project, and its remote, for all who change nothing of them."""
    home, folder = quick_folder / "home", quick_folder / "tmp"
    home.mkdir()
    folder.mkdir()
    film = new_film(home)
    leave_unfinished(film, folder)
    for name in ("film_v1", "film_v2"):
        (folder / "copies" / name).mkdir(parents=True)
        (folder / "copies" / name / "cut.txt").write_text(name)
    (folder / "git").mkdir()
    (folder / "git/a.txt").write_text("a")
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "a")):
        subprocess.run(["git", *words], cwd=folder / "git", check=True)
    yield film, folder / "remote"
    assert film("fsck", code=None).code in {0, 3}


ALWAYS_PLANS = [("storage", "plan", "--free", "1K")]
"""Commands that only plan, unless an option carries it out."""


@pytest.mark.parametrize("words", ALWAYS_PLANS, ids=" ".join)
def test_a_command_that_plans_changes_nothing(untouched: tuple[Film, Path], words: tuple[str, ...]) -> None:
    """Likewise without `--dry-run`, where planning is what the command does."""
    film, remote = untouched
    before = state(film.root, remote)
    film(*words, code=None)
    after = state(film.root, remote)
    assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == set()


@pytest.mark.parametrize("words", [words for ways in COMMANDS.values() for words in ways], ids=" ".join)
def test_a_dry_run_changes_nothing(untouched: tuple[Film, Path], words: tuple[str, ...]) -> None:
    """With a command that was interrupted, and everything else that opening a project sees to."""
    film, remote = untouched
    words = tuple(word.format(film=film.root, remote=remote) for word in words)
    before = state(film.root, remote)
    for more in ((), ("--json",)):
        film(*words, "--dry-run", *more, code=None)
        after = state(film.root, remote)
        assert {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)} == set()
    assert (film.root / ".aura/local/pending.json").exists()


PLANS: dict[str, Callable[[Repository], object]] = {
    "merge": lambda repo: plan_merge(repo, "side"),
    "gc": lambda repo: plan_gc(repo, grace_seconds=0),
    "prune": lambda repo: plan_prune(repo, RetentionRules()),
    "purge": lambda repo: plan_purge(repo, resolve(repo, "v1")),
    "project purge": plan_project_purge,
    "recovery": plan_recovery,
    "cleaning": plan_cleaning,
    "content": lambda repo: plan_content(repo, select_files(repo, [])),
    "push": lambda repo: plan_push(repo, _remote(repo), RemoteCache(repo, "origin")),
    "fetch": lambda repo: plan_fetch(repo, _remote(repo), RemoteCache(repo, "origin")),
    "repair": lambda repo: plan_repair(repo, _remote(repo)),
    "remote gc": lambda repo: plan_remote_gc(repo, _remote(repo), RemoteCache(repo, "origin"), grace_seconds=0),
    "remote repair": lambda repo: plan_remote_repair(repo, _remote(repo), RemoteCache(repo, "origin")),
}
"""Every plan of the library that takes a project."""
NOTING = {"recovery", "cleaning"}
"""Those that look at the folder's documents and media, and remember in the index what they saw."""


def _remote(repo: Repository) -> FolderRemote:
    config = remotes(repo)["origin"]
    return FolderRemote(config.url.removeprefix("file://"))


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_of_the_library_changes_nothing(unfinished: Film, tmp_path: Path, name: str) -> None:
    """Also for programs that opened the project to work in it; but for locks, and what was seen of the remote."""
    with Repository.open(str(unfinished.root)) as repo:
        before = state(unfinished.root, tmp_path / "remote")
        with suppress(ProjectDeleted):  # not deleted, that is
            PLANS[name](repo)
        after = state(unfinished.root, tmp_path / "remote")
        local = unfinished.root / ".aura/local"
        changed = {Path(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
        noted = {local / "index.sqlite-wal"} if name in NOTING else set()
        remembered = {path for path in changed if path.is_relative_to(local / "remotes") or path.suffix == ".lock"}
        assert changed - remembered - noted <= {local, local / "locks", local / "index.sqlite-shm"}


def test_a_dry_run_plans_what_the_command_then_does(film: Film) -> None:
    """The plan knows of objects that no row has yet, though it enters none."""
    film("commit", "-m", "First")
    film.write({"big.bin": os.urandom(200_000)})
    with Repository.open(str(film.root)) as repo, repo.store.batch() as batch:
        batch.add("blob", os.urandom(100_000))
        batch.finish()
    planned = film("gc", "--grace", "0", "--dry-run", "--json").json
    assert planned["removed_objects"] == 1
    assert film("gc", "--grace", "0", "--json").json["removed_objects"] == 1
