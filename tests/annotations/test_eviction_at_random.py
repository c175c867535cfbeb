"""Random work with content that can be made again, on two machines: none of it is lost, in whatever order."""

import sys
from contextlib import suppress
from pathlib import Path
from random import Random

from aura_vcs.annotations.recipes import agree, find_recipe, recipes, set_recipe
from aura_vcs.errors import AuraError
from aura_vcs.errors.integrity import ObjectOffloaded
from aura_vcs.history.checkout import checkout
from aura_vcs.history.commit import commit
from aura_vcs.history.undo import redo, undo
from aura_vcs.index.queries import VersionFilter
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import EntryKind
from aura_vcs.objects.availability import evicted_among
from aura_vcs.project.derived import make_stored, try_recipes
from aura_vcs.repository.repository import Repository
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.sync.offload.evict import find_untried, free_evicted, mark_evicted, plan_version_eviction
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.pull import sync

from tests.helpers.sampling import chance
from tests.sync.machines import clone, folder_remote, known, machine, save, write

REPEAT = "import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read() * 3)"
COMMAND = [sys.executable, "-c", REPEAT, "{input}", "{output}"]
STEPS = 45


class Account:
    """What every version held when it was saved."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def check(self, repo: Repository) -> int:
        """Everything is there, or known to be evicted and able to be made again; return how much is evicted."""
        evicted = set()
        for record in repo.queries.all_versions(VersionFilter()):
            if not record.is_live:
                continue
            for path, entry in repo.trees.walk(record.tree):
                if entry.kind is not EntryKind.FILE:
                    continue
                try:
                    data = repo.store.read(entry.id)
                except ObjectOffloaded:
                    assert entry.id in repo.store.offloaded.evicted(), path
                    assert path == "render.bin", "only what has a recipe goes"
                    evicted.add(entry.id)
                    continue
                assert self.files.setdefault(entry.id, data) == data
        report = fsck(repo)
        assert report.problems == ()
        return len(evicted)


def _do(repo: Repository, remote: FolderRemote, number: int, random: Random) -> None:
    versions = [f"v{record.number}" for record in repo.queries.all_versions(VersionFilter())]
    what = random.choice(
        [
            *["save"] * 5,
            *["evict"] * 2,
            *["free"] * 3,
            "gc",
            "undo",
            "redo",
            *["back"] * 2,
            "make",
            *["sync"] * 3,
            "index",
        ]
    )
    if what == "save":
        text = f"{repo.author} {number}\n"
        write(repo, "script.txt", text)
        write(repo, "render.bin", text * 3)
        set_recipe(repo, "render.bin", COMMAND, ["script.txt"])
        commit(repo, text)
    elif what == "evict":
        asked = [StorageProver("origin", remote, repo.format.project)] if random.random() < 0.5 else []
        if random.random() < 0.8:
            try_recipes(repo, find_untried(repo, plan_version_eviction(repo)))
        mark_evicted(repo, plan_version_eviction(repo, witnesses=asked))
    elif what == "free":
        free_evicted(repo, grace_seconds=0)
    elif what == "gc":
        execute_gc(repo, plan_gc(repo, grace_seconds=0, dead_share=0.0))
    elif what in ("undo", "redo"):
        (undo if what == "undo" else redo)(repo)
    elif what == "back":
        checkout(
            repo,
            random.choice([*versions, "main"]),
        )
    elif what == "make":
        make_stored(repo, find_recipe(repo, f"{random.choice([*versions, 'HEAD'])}:render.bin"))
    elif what == "sync":
        sync(repo, remote, known(repo))
    else:
        repo.rebuild_index()


def test_at_random(tmp_path: Path) -> None:
    """After every step each machine is whole; in the end all that was evicted is made again, byte for byte."""
    random, account = chance("eviction"), Account()
    one = machine(tmp_path / "0", "Ada")
    save(one, "script.txt", b"zero")
    remote = folder_remote(tmp_path / "remote", one)
    sync(one, remote, known(one))
    machines = [one, clone(tmp_path / "1", "Bo", remote)]
    for number in range(STEPS):
        repo = random.choice(machines)
        with suppress(AuraError):
            _do(repo, remote, number, random)
        account.check(repo)
    for repo in machines:
        evicted = set(evicted_among(repo.store, repo.store.offloaded.evicted()))
        for recipe in [recipe for recipe in recipes(repo) if recipe.content in evicted]:
            agree(repo, recipe)
            made = make_stored(repo, recipe)
            assert made.is_same
            evicted.discard(recipe.content)
        assert not evicted, "each has a recipe"
        account.check(repo)
        repo.close()
