"""Commands in the middle of real work, for the suites that interrupt them."""

import gzip
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import msgspec
from aura_vcs import Repository
from aura_vcs.annotations.notes import add_note, resolve_note
from aura_vcs.annotations.provenance import set_provenance
from aura_vcs.annotations.recipes import set_recipe
from aura_vcs.history.abort_merge import abort_merge
from aura_vcs.history.autosave import autosave, restore_point
from aura_vcs.history.checkout import checkout, restore
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.history.file_edits import edit_files
from aura_vcs.history.lookup.select_files import select_files
from aura_vcs.history.merge import merge
from aura_vcs.history.names.branches import create_branch, rename_branch
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.names.tags import create_tag
from aura_vcs.history.project_settings import set_fields
from aura_vcs.history.resolve import resolve_conflicts
from aura_vcs.history.undo import redo, undo
from aura_vcs.history.versions import delete_version, purge_version
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import Kind
from aura_vcs.project.derived import store_evicted, try_recipes
from aura_vcs.repository.transaction import Draft
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.offload.evict import free_evicted, mark_evicted, plan_version_eviction
from aura_vcs.sync.offload.fetch_content import enable_lazy_fetch, fetch_content, plan_content
from aura_vcs.sync.offload.offload import execute_offload, plan_offload
from aura_vcs.sync.offload.proof import StorageProver
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.config import RemoteConfig, set_remote
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest_update import create_remote
from aura_vcs.worktree.checkout import safe_folder, writer

from tests.helpers.project import noise, save, write, write_project


class Scene(msgspec.Struct, frozen=True):
    """A state of a project, a command in it, and what the command may let go of."""

    prepare: Callable[[Path], None]
    run: Callable[[Repository], object]
    repeatable: bool = True
    """Whether the command can be given again after it has happened."""
    frees: bool = False
    """Whether it is meant to free content."""
    attach: Callable[[Repository], object] = lambda _: None
    """What a project is given when it is opened to be looked at: the way to its remote."""


def two_versions(root: Path) -> None:
    """Two versions that differ in every way a folder can, and unsaved work upon the second."""
    write_project(root)
    write(
        root, {"notes/ideas.txt": "waves", "cache.tmp": "was versioned", "old.txt": "same content", "film.mp4": LARGE}
    )
    with Repository.init(root, author="Ada", host="studio") as repo:
        save(repo, "First cut")
        (root / "notes" / "ideas.txt").unlink()
        (root / "notes").rmdir()
        (root / "cache.tmp").unlink()
        (root / "exports").rmdir()
        (root / "assets" / "cover.png").unlink()
        (root / "old.txt").rename(root / "new.txt")
        (root / "render.sh").chmod(0o644)
        write(root, {"notes": "now a file", ".auraignore": "*.tmp\n", "brief.json": "{}", "sub/deep/er/a.txt": "a"})
        write(root, {"assets/cover.png": "now a file", "film.mp4": LARGE[:900_000] + b"cut" + LARGE[900_000:]})
        save(repo, "Second cut")
    write(root, {"cache.tmp": "ignored work", "draft.txt": "unsaved", "voice.json": '{"rate": 2}', "notes": "edited"})
    (root / "plan.json").unlink()


LARGE = noise(1_200_000, seed=7)
NOISE = "import random, sys; open(sys.argv[1], 'wb').write(random.Random(7).randbytes(1_200_000))"
"""A program that makes LARGE."""
WHOLE = noise(1_100_000, seed=8)


def _clean(root: Path) -> None:
    two_versions(root)
    with Repository.open(root) as repo:
        save(repo, "Third cut")


def _gone_back(root: Path) -> None:
    two_versions(root)
    with Repository.open(root) as repo:
        checkout(repo, "v1")
    write(root, {"draft.txt": "on the old version"})


def _undone(root: Path) -> None:
    _clean(root)
    with Repository.open(root) as repo:
        restore(repo, "v1")
        undo(repo)


def _restored(root: Path) -> None:
    _clean(root)
    with Repository.open(root) as repo:
        restore(repo, "v1")


def _litter(root: Path) -> None:
    _clean(root)
    write(root, {"one.txt": "one", "assets/big.bin": noise(60_000, seed=3)})
    with Repository.open(root) as repo:
        version = save(repo, "Fourth cut")
        checkout(repo, "v3")
        save(repo, "Elsewhere", allow_empty=True)
        checkout(repo, "main")
        undo(repo)
        delete_version(repo, resolve(repo, "v1"))
        assert version.number == 4


def _scattered(root: Path) -> None:
    two_versions(root)
    with Repository.open(root) as repo:
        for number in range(26):
            write(root, {"plan.json": f'{{"take": {number}}}'})
            save(repo, f"Take {number}", description="why " * 490)


def _wrapped(root: Path) -> None:
    """Versions of a compressed project file, which a collection takes apart."""
    two_versions(root)
    with Repository.open(root) as repo:
        for number in range(3):
            clips = "".join(f'<clip in="{place}" take="{number}"/>' for place in range(2000))
            write(root, {"film.prproj": gzip.compress(clips.encode(), 6, mtime=0)})
            save(repo, f"Take {number}")


def _tidy(repo: Repository) -> None:
    with repo.transaction():
        repo.index.tidy_records(keep_lines=3, keep_labels=4)


def _new(root: Path) -> None:
    write_project(root)
    Repository.init(root, author="Ada", host="studio").close()


def _collect(repo: Repository) -> object:
    return execute_gc(repo, plan_gc(repo, grace_seconds=0, dead_share=0.0, wait_for_others=False))


def _edited(root: Path) -> None:
    """Two versions, unsaved work, and a document that was edited by a command."""
    two_versions(root)
    with Repository.open(root, author="Ada", host="studio") as repo:
        _edit(repo)


def _edit(repo: Repository) -> object:
    write = {"project.json": b'{"title": "Ebb"}', "scenes/new/one.json": b"{}"}
    return edit_files(repo, write, ["scenes/000-scene.json"], draft=Draft("scene.set", "Edited"))


VAULTS: dict[str, MemoryRemote] = {}
"""The remotes of scenes, by project: copies of a scene share them."""


def _pushed(root: Path) -> None:
    """Three versions at a remote; large files that only the older ones have, in chunks and in one piece."""
    two_versions(root)
    with Repository.open(root, author="Ada", host="studio") as repo:
        repo.store.put(Kind.BLOB, WHOLE)
        repo.adopt_unrecorded_objects()
        write(root, {"film.mp4": "gone", "whole.mov": WHOLE})
        save(repo, "Third cut")
        write(root, {"whole.mov": "gone too"})
        save(repo, "Fourth cut")
        vault = VAULTS[repo.format.project] = MemoryRemote("vault")
        create_remote(vault, repo.format.project, "Ada")
        set_remote(repo, "vault", RemoteConfig("/nowhere/vault"))
        push(repo, vault, RemoteCache(repo, "vault"))


def _reach(repo: Repository) -> object:
    return enable_lazy_fetch(repo, lambda _: VAULTS[repo.format.project])


def _offload(repo: Repository) -> object:
    witness = StorageProver("vault", VAULTS[repo.format.project], repo.format.project)
    return execute_offload(repo, plan_offload(repo, [witness], select_files(repo, [])))


def _offloaded(root: Path) -> None:
    _pushed(root)
    with Repository.open(root, author="Ada", host="studio") as repo:
        _offload(repo)


def _fetch(repo: Repository) -> object:
    return fetch_content(
        enable_lazy_fetch(repo, lambda _: VAULTS[repo.format.project]), plan_content(repo, select_files(repo, []))
    )


def _apart(root: Path) -> None:
    """Two branches: other fields, the same field, the same picture, the same line, a rename; and unsaved work."""
    write_project(root)
    write(root, {"script.md": "one\ntwo\nthree\n", "notes.txt": "waves"})
    with Repository.init(root, author="Ada", host="studio") as repo:
        first = save(repo, "First cut")
        create_branch(repo, "side", first.id)
        create_branch(repo, "ahead", first.id)
        write(root, {"brief.json": '{"topic": "Tides", "tone": "wild"}', "script.md": "one\n2\nthree\n"})
        write(root, {"assets/sky.png": noise(8_000, seed=4)})
        (root / "scenes/001-scene.json").rename(root / "scenes/waves.json")
        save(repo, "Ours")
        checkout(repo, "side")
        write(root, {"brief.json": '{"tone": "stern", "goal": "x"}', "script.md": "one\nII\nthree\n"})
        write(
            root, {"assets/sky.png": noise(7_000, seed=5), "scenes/001-scene.json": '{"id": "s1", "index": 1, "a": 1}'}
        )
        (root / "notes.txt").unlink()
        save(repo, "Theirs")
        checkout(repo, "main")
    write(root, {"draft.txt": "unsaved", "voice.json": '{"rate": 2}', "script.md": "unsaved\none\n2\nthree\n"})


def _behind(root: Path) -> None:
    _apart(root)
    with Repository.open(root) as repo:
        checkout(repo, "ahead")
    write(root, {"draft.txt": "unsaved", "voice.json": '{"rate": 3}'})


def _merged(root: Path) -> None:
    _apart(root)
    with Repository.open(root) as repo:
        merge(repo, "side")
    write(root, {"draft.txt": "unsaved again"})


def _partly_decided(root: Path) -> None:
    _merged(root)
    with Repository.open(root) as repo:
        resolve_conflicts(repo, "brief.json", "/tone", "theirs")


def _merge(repo: Repository) -> object:
    done = merge(repo, "side")
    assert len(done.plan.conflicts) in {0, 4}
    return done


def _emptied(root: Path) -> None:
    """Two versions: many small files in folders, which the second one has not; and unsaved work."""
    write_project(root)
    for number in range(5):
        write(root, {f"takes/{number}.json": f'{{"take": {number}}}', f"takes/in/ner/{number}.txt": f"note {number}"})
    write(root, {"takes/film.mp4": LARGE, "looks/one.cube": "warm", "plan.json": '{"steps": [1]}'})
    (root / "takes" / "0.json").chmod(0o755)
    (root / "takes" / "link").symlink_to("0.json")
    with Repository.init(root, author="Ada", host="studio") as repo:
        save(repo, "First cut")
        shutil.rmtree(root / "takes")
        shutil.rmtree(root / "looks")
        write(root, {"plan.json": '{"steps": []}', "brief.json": '{"topic": "Ebb"}'})
        save(repo, "Second cut")
    write(root, {"draft.txt": "unsaved"})


def _lay_out(repo: Repository) -> object:
    """Check the first version out as if its files were very many."""
    with patch.object(writer, "SYNC_BATCH", 4), patch.object(safe_folder, "SYNC_DISK_FROM", 2):
        return checkout(repo, "v1")


def _noted(root: Path) -> None:
    two_versions(root)
    with Repository.open(root) as repo:
        resolve_note(repo, add_note(repo, "v1:old.txt", "too loud").id)


def _can_be_made(root: Path) -> None:
    """What the first version alone has can be made again, as a recipe says."""
    two_versions(root)
    with Repository.open(root) as repo:
        made = set_recipe(repo, "v1:film.mp4", [sys.executable, "-c", NOISE, "{output}"], ["v1:old.txt"])
        assert try_recipes(repo, [made.content]) == {}


def _marked(root: Path) -> None:
    _can_be_made(root)
    with Repository.open(root) as repo:
        assert _mark(repo) == 1


def _mark(repo: Repository) -> int:
    return mark_evicted(repo, plan_version_eviction(repo))


def _freed(root: Path) -> None:
    _marked(root)
    with Repository.open(root) as repo:
        assert free_evicted(repo, grace_seconds=0).files == 1


def _left_out(root: Path) -> None:
    _freed(root)
    with Repository.open(root) as repo:
        checkout(repo, "v1")
    assert not (root / "film.mp4").exists()


def _make_again(repo: Repository) -> None:
    """Let whoever looks have what was evicted made again, as a person would."""

    def fetch(_: object) -> None:
        made = Path(repo.storage.root, "local", "made-again")
        made.write_bytes(LARGE)
        store_evicted(repo, "film.mp4", made)
        made.unlink()

    repo.store.fetch = fetch


SCENES = {
    "first commit": Scene(_new, lambda repo: commit(repo, "First cut")),
    "commit": Scene(two_versions, lambda repo: commit(repo, "Third cut")),
    "commit of paths": Scene(two_versions, lambda repo: commit(repo, CommitRequest("Voice", paths=["voice.json"]))),
    "commit on an old version": Scene(_gone_back, lambda repo: commit(repo, "Another way")),
    "checkout": Scene(two_versions, lambda repo: checkout(repo, "v1")),
    "checkout of many": Scene(_emptied, _lay_out),
    "return": Scene(_gone_back, lambda repo: checkout(repo, "main")),
    "restore": Scene(two_versions, lambda repo: restore(repo, "v1")),
    "restore of paths": Scene(two_versions, lambda repo: restore(repo, "v1", ["notes", "assets", "plan.json"])),
    "undo of a restore": Scene(_restored, undo, repeatable=False),
    "redo of a restore": Scene(_undone, redo, repeatable=False),
    "undo of a commit": Scene(_clean, undo, repeatable=False),
    "delete": Scene(two_versions, lambda repo: delete_version(repo, resolve(repo, "v1")), frees=True),
    "purge": Scene(two_versions, lambda repo: purge_version(repo, resolve(repo, "v1"), "private"), frees=True),
    "gc": Scene(_litter, _collect, frees=True),
    "gathering": Scene(_scattered, _collect),
    "unwrapping": Scene(_wrapped, _collect),
    "closing the log": Scene(_scattered, _tidy),
    "tag": Scene(two_versions, lambda repo: create_tag(repo, "final", resolve(repo, "v1").id), repeatable=False),
    "branch": Scene(two_versions, lambda repo: create_branch(repo, "idea", resolve(repo, "v1").id), repeatable=False),
    "edit": Scene(two_versions, _edit),
    "undo of an edit": Scene(_edited, undo, repeatable=False, frees=True),  # redo has it, for gc's grace
    "note": Scene(two_versions, lambda repo: add_note(repo, "v1:old.txt@0:01", "too loud"), repeatable=False),
    "undo of a note": Scene(_noted, undo, repeatable=False),
    "provenance": Scene(two_versions, lambda repo: set_provenance(repo, "v1:old.txt", {"model": "flux", "cost": 1})),
    "recipe": Scene(two_versions, lambda repo: set_recipe(repo, "draft.txt", ["cp", "{input}", "{output}"], ["notes"])),
    "eviction": Scene(_can_be_made, _mark),
    "freeing": Scene(_marked, lambda repo: free_evicted(repo, grace_seconds=0), frees=True, attach=_make_again),
    "return from evicted files": Scene(_left_out, lambda repo: checkout(repo, "main"), frees=True, attach=_make_again),
    "setting": Scene(
        two_versions, lambda repo: set_fields(repo, {"settings": {"a": 1, "b": 2}}, "Set a, b", type_="config.set")
    ),
    "autosave": Scene(two_versions, autosave),
    "restore point": Scene(two_versions, lambda repo: restore_point(repo, "PreTest"), repeatable=False),
    "offload": Scene(_pushed, _offload, frees=True, attach=_reach),
    "fetch of content": Scene(_offloaded, _fetch, frees=True, attach=_reach),
    "conflicted merge": Scene(_apart, _merge),
    "merge that goes forward": Scene(_behind, lambda repo: merge(repo, "side")),
    "merge --abort": Scene(_partly_decided, abort_merge, repeatable=False, frees=True),  # as that
    "resolve": Scene(_merged, lambda repo: resolve_conflicts(repo, "", "", "theirs"), repeatable=False),
    "undo of a merge": Scene(_merged, undo, repeatable=False, frees=True),  # as that
    "rename": Scene(two_versions, lambda repo: rename_branch(repo, "main", "film"), repeatable=False),
}
