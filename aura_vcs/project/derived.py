"""Files that can be made again: listed, made, and taken out of the folder where they only take room.

Nothing here runs by itself: not on checkout, clone or fetch. What is made is made in a folder of its own, from copies.
"""

import os
import shlex
import stat
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from aura_vcs.annotations.proofs import NOT_TRIED, is_proved, note_proof
from aura_vcs.annotations.recipes import Recipe, RecipeInput, changed_inputs, is_agreed, recipes, set_recipe
from aura_vcs.errors import AuraError, InputError
from aura_vcs.errors.documents import RecipeFailed
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.file_edits import edit_files
from aura_vcs.history.left_out import place_left_out
from aura_vcs.history.sources.content_source import FolderSource, unsafe_reason
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import Kind
from aura_vcs.objects.availability import missing_parts
from aura_vcs.objects.loose import new_hasher
from aura_vcs.plain_text import now, readable_name
from aura_vcs.project.folder_places import leads_to_folder, look_at
from aura_vcs.project.recipe_process import run_command
from aura_vcs.project.records.export_jobs import add_export, describe_source, list_exports, load_export, run_export
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft
from aura_vcs.storage.made_files import copy_to, publish_copy, remove_unchanged
from aura_vcs.worktree.scan.cache import file_state
from aura_vcs.worktree.snapshot.stable_read import FileSource, FilesystemClock

EDIT_BYTES = 256 << 20
"""A larger file that is there is not written over: what it was could not be kept for undo."""
_PIECE = 1 << 20
DerivedState = Literal["here", "stored", "evicted"]


class Derived(msgspec.Struct, frozen=True):
    """A file that can be made again: by a recipe, or by an export of a version.

    `state` is "here" in the folder, "stored" in versions alone, or "evicted": nowhere but in its recipe. `changed` are
    files it was made from that are other ones now.
    """

    path: str
    content: ObjectId
    state: DerivedState
    how: str
    changed: tuple[str, ...]
    made_at: str
    export: str | None = None


def list_derived(repo: Repository) -> list[Derived]:
    """List what can be made again, by path; of several recipes for a file the newest."""
    found: dict[str, Derived] = {}
    for recipe in recipes(repo):
        if recipe.output not in found:
            state = _state(repo, recipe.output, recipe.content)
            changed = tuple(changed_inputs(repo, recipe))
            how = shlex.join(recipe.command)
            found[recipe.output] = Derived(recipe.output, recipe.content, state, how, changed, recipe.made_at)
    for job in list_exports(repo, status="Completed"):
        path = os.path.relpath(job.output_file, repo.root).replace(os.sep, "/")
        if job.output_id is None or path.startswith("../") or path in found:
            continue
        content = ObjectId(job.output_id)
        how = f"export of {describe_source(repo, job)} as {job.preset_name}"
        made = job.completed_at or job.created_at
        found[path] = Derived(path, content, _state(repo, path, content), how, (), made, job.id)
    return [item for _, item in sorted(found.items())]


def _state(repo: Repository, path: str, content: ObjectId) -> DerivedState:
    found = look_at(repo, path)
    if found is not None and stat.S_ISREG(found.st_mode):
        return "here"
    return "evicted" if missing_parts(repo.store, [content]) else "stored"


class Made(msgspec.Struct, frozen=True):
    """What was made: its path, its content, and whether that is byte for byte what it was before."""

    path: str
    content: ObjectId
    is_same: bool


def make(repo: Repository, recipe: Recipe, *, recorded: bool = False, seconds: float | None = None) -> Made:
    """Make a file again and put it into the folder, from what it is made from as that is now, or as it was `recorded`.

    Its command is run as it stands, without a shell, in a folder of its own with copies of its inputs. What was in the
    folder under its name is stored first; undo brings it back.

    Raises:
        InputError: the person of this machine has not agreed to the command; or what is there cannot be replaced.
        RecipeFailed: the command failed, took too long, or made nothing. FileUnreadable, ObjectMissing.
    """
    _check_agreed(repo, recipe)
    if reason := unsafe_reason(recipe.output):
        raise InputError(f"The recipe writes to {recipe.output!r}: {reason}")
    _check_replaceable(repo, recipe.output)
    return _made(repo, recipe, recorded, seconds)


def make_stored(repo: Repository, recipe: Recipe, *, seconds: float | None = None) -> Made:
    """Make a content again that was evicted, and put it back into the store; into the folder where HEAD has it.

    It is made from its inputs as they were. Other bytes than its versions have are not stored.

    Raises:
        InputError: the person of this machine has not agreed to the command.
        RecipeFailed: the command failed, or made other bytes. ObjectMissing.
    """
    _check_agreed(repo, recipe)
    with tempfile.TemporaryDirectory(prefix="aura-make-") as name:
        output = _make_same(repo, recipe, Path(name), seconds)
        store_evicted(repo, recipe.output, output)
    place_left_out(repo)
    return Made(recipe.output, recipe.content, is_same=True)


def try_recipes(repo: Repository, contents: Iterable[ObjectId]) -> dict[ObjectId, str]:
    """Run the recipes of contents, from their inputs as they were, and remember which make the same bytes again.

    Nothing of the project is changed, and what is made goes at once. Returned is why the others do not. Interrupted,
    those that are through are remembered, and of the one that ran nothing is left.
    """
    wanted, faults = set(contents), dict[ObjectId, str]()
    repo.progress.start("Trying recipes", len(wanted), "files")
    for recipe in [recipe for recipe in recipes(repo) if recipe.content in wanted]:
        try:
            _check_agreed(repo, recipe)
            with tempfile.TemporaryDirectory(prefix="aura-make-") as name:
                _make_same(repo, recipe, Path(name), None)
        except AuraError as error:
            why = error.reason if isinstance(error, RecipeFailed) else error.message
            faults[recipe.content] = f"its recipe was tried: {' '.join(why.split())}"
        repo.progress.advance(1)
    repo.progress.finish()
    return faults


def _make_same(repo: Repository, recipe: Recipe, folder: Path, seconds: float | None) -> Path:
    """Make in a folder what the recipe made before, from its inputs as they were; that it does is remembered.

    Raises:
        RecipeFailed: the command failed, or made other bytes. ObjectMissing.
    """
    inputs = [_lay_out(repo, recipe, number, folder, recorded=True) for number in range(len(recipe.inputs))]
    output = folder / f"output{PurePosixPath(recipe.output).suffix}"
    _run(recipe, inputs, output, folder, seconds)
    if _hash(output) != recipe.content:
        error = RecipeFailed(recipe.output, "it made other bytes than before")
        error.hint = f"`aura derived make {recipe.output} --recorded` puts those into your files, as new ones."
        raise error
    note_proof(repo, recipe)
    return output


def store_evicted(repo: Repository, path: str, made: Path) -> None:
    """Put the content of a file into the store, where versions need it; then it is no longer evicted."""
    clock = FilesystemClock(repo.worktree.scratch)
    source = FileSource(path, str(made), file_state(made.stat()), clock)
    with repo.locks.shared("objects"):
        with repo.store.batch(repo.progress) as batch:
            blob = next(stored for _, stored in batch.add_sources([source]))
            stored = batch.finish()
        if blob is None:
            raise RecipeFailed(path, "what it made kept changing")
        repo.adopt_unrecorded_objects()
        repo.index.update_locations(stored, {})
        with repo.locks.exclusive("offloaded"):
            repo.store.offloaded.forget(repo.replica, [blob], now())


def _check_agreed(repo: Repository, recipe: Recipe) -> None:
    if not is_agreed(repo, recipe):
        hint = "Look at it with `aura derived why`; `aura derived make` asks before it is run."
        raise InputError(f"The recipe for {recipe.output} comes from elsewhere and was not agreed to here", hint=hint)


def _made(repo: Repository, recipe: Recipe, recorded: bool, seconds: float | None) -> Made:
    with tempfile.TemporaryDirectory(prefix="aura-make-") as name:
        folder = Path(name)
        inputs = [_lay_out(repo, recipe, number, folder, recorded=recorded) for number in range(len(recipe.inputs))]
        output = folder / f"output{PurePosixPath(recipe.output).suffix}"
        taken = tuple(RecipeInput(item.path, _hash(path)) for item, path in zip(recipe.inputs, inputs, strict=True))
        known = {item.content for item in recipes(repo)}
        _run(recipe, inputs, output, folder, seconds)
        content = _hash(output)
        if content in known:
            note_proof(repo, msgspec.structs.replace(recipe, content=content, inputs=taken))
        if content in repo.store.offloaded.evicted():
            store_evicted(repo, recipe.output, output)
        _put(repo, recipe.output, output)
    if content != recipe.content or not recorded:
        set_recipe(
            repo, recipe.output, recipe.command, [item.path for item in recipe.inputs], environment=recipe.environment
        )
    return Made(recipe.output, content, content == recipe.content)


def _check_replaceable(repo: Repository, path: str) -> None:
    """Refuse, before anything is run, a file that could not be put into the folder then."""
    target = os.path.join(repo.root, *path.split("/"))
    found = look_at(repo, path)
    hint = "Move it, or give it another name."
    if found is None and (os.path.lexists(target) or not leads_to_folder(repo, path)):
        raise InputError(f"A link, or something that is not a folder, is on the way to {path}", hint=hint)
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise InputError(f"What is at {path} is not a file, and is not written over", hint=hint)
    if found is not None and found.st_size > EDIT_BYTES:
        raise InputError(f"What is at {path} is too large to be kept for undo, and is not written over", hint=hint)


def _lay_out(repo: Repository, recipe: Recipe, number: int, folder: Path, *, recorded: bool) -> Path:
    """Copy an input into the folder: as the project's folder has it now, or as it was when the recipe was recorded."""
    item = recipe.inputs[number]
    target = folder / f"input-{number + 1}{PurePosixPath(item.path).suffix}"
    if not recorded:
        try:
            with FolderSource(repo.root).open(item.path) as source:
                copy_to(source, target)
            return target
        except FileUnreadable:
            target.unlink(missing_ok=True)
    with target.open("xb") as out:
        for piece in repo.store.stream(item.content):
            out.write(piece)
    return target


def _run(recipe: Recipe, inputs: list[Path], output: Path, folder: Path, seconds: float | None) -> None:
    names = {f"{{input:{number}}}": str(path) for number, path in enumerate(inputs, 1)}
    names |= {"{input}": str(inputs[0]) if inputs else "", "{output}": str(output)}
    words = [_filled(word, names) for word in recipe.command]
    environment = {key: os.defpath if key == "PATH" else "C.UTF-8" for key in ("PATH", "LC_ALL")}
    environment |= {"HOME": str(folder), "TMPDIR": str(folder)}
    run_command(recipe.output, words, folder, environment, seconds)
    if output.is_symlink() or not output.is_file():
        raise RecipeFailed(recipe.output, "it made no file")


def _filled(word: str, names: dict[str, str]) -> str:
    for name, path in names.items():
        word = word.replace(name, path)
    return word


def _hash(path: Path) -> ObjectId:
    hasher = new_hasher(Kind.BLOB)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            hasher.update(piece)
    return ObjectId(hasher.hexdigest())


def _put(repo: Repository, path: str, made: Path) -> None:
    """Put what was made into the folder; what was there is stored first."""
    _check_replaceable(repo, path)
    if made.stat().st_size <= EDIT_BYTES:
        edit_files(repo, {path: made.read_bytes()}, draft=Draft("recipe.make", f"Made {readable_name(path)} again"))
        return
    if look_at(repo, path) is not None:
        edit_files(repo, {}, [path], draft=Draft("recipe.make", f"Made {readable_name(path)} again"))
    target = os.path.join(repo.root, *path.split("/"))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    publish_copy(made, target)


class Eviction(msgspec.Struct, frozen=True):
    """What an eviction takes out of the folder: paths with their bytes; `left` says of others why they stay."""

    files: tuple[tuple[str, int], ...]
    left: tuple[tuple[str, str], ...]

    @property
    def size(self) -> int:
        """Bytes that are freed."""
        return sum(size for _, size in self.files)

    def with_faults(self, faults: Mapping[str, str]) -> "Eviction":
        """Say of those whose recipe was tried in vain what was wrong."""
        left = tuple((path, faults.get(path, why) if why == NOT_TRIED else why) for path, why in self.left)
        return Eviction(self.files, left)


def plan_eviction(repo: Repository, older_than_seconds: float = 0) -> Eviction:
    """List the files that can be made again, are in no version, and that nobody has written to for so long.

    A recipe must have made its file again on this machine; exports are ours, and need no proof.
    """
    head = repo.head().version
    record = repo.queries.version(head) if head is not None else None
    files, left = list[tuple[str, int]](), list[tuple[str, str]]()
    for item in list_derived(repo):
        if item.state != "here" or unsafe_reason(item.path):
            continue
        found = look_at(repo, item.path)
        if found is None:
            continue
        if record is not None and repo.trees.entry(record.tree, item.path) is not None:
            left.append((item.path, "it is in a version"))
        elif time.time() - found.st_mtime < older_than_seconds:
            left.append((item.path, "it is younger than that"))
        elif not _can_be_made(repo, item):
            left.append((item.path, "what it was made from is not here"))
        elif not _is_tried(repo, item.content, item.export):
            left.append((item.path, NOT_TRIED))
        else:
            files.append((item.path, found.st_size))
    return Eviction(tuple(files), tuple(left))


def try_left(repo: Repository, plan: Eviction) -> dict[str, str]:
    """Try the recipes of what stays in the folder because they were not tried yet, as `try_recipes` does.

    Returned is, by path, why the others do not make the same bytes again.
    """
    contents = {item.path: item.content for item in list_derived(repo)}
    untried = {path: contents[path] for path, reason in plan.left if reason == NOT_TRIED and path in contents}
    faults = try_recipes(repo, untried.values()) if untried else {}
    return {path: faults[content] for path, content in untried.items() if content in faults}


def _is_tried(repo: Repository, content: ObjectId, export: str | None) -> bool:
    if export is not None:
        return True
    return any(recipe.content == content and is_proved(repo, recipe) for recipe in recipes(repo))


def _can_be_made(repo: Repository, item: Derived) -> bool:
    if item.export is not None:
        job = next((job for job in list_exports(repo) if job.id == item.export), None)
        record = next((v for v in repo.queries.live_versions() if job is not None and v[0] == job.input_file), None)
        return record is not None and repo.store.contains(record[1])
    recipe = next((recipe for recipe in recipes(repo) if recipe.content == item.content), None)
    return recipe is not None and not missing_parts(repo.store, [entry.content for entry in recipe.inputs])


def evict(repo: Repository, plan: Eviction) -> Eviction:
    """Take the planned files out of the folder, those that are byte for byte what their recipe made; return which.

    A file goes to a name beside it before it is removed: what somebody has changed meanwhile comes back.
    """
    contents = {item.path: item.content for item in list_derived(repo)}
    gone, left = list[tuple[str, int]](), list(plan.left)
    for path, size in plan.files:
        target = Path(repo.root, *path.split("/"))
        try:
            seen = look_at(repo, path)
            if seen is None or not stat.S_ISREG(seen.st_mode):
                left.append((path, "it is not a file of the project any more"))
                continue
            is_same = _hash(target) == contents.get(path)
            reason = remove_unchanged(target, seen) if is_same else "it was changed since it was made"
        except OSError as error:
            reason = error.strerror or str(error)
        if reason:
            left.append((path, reason))
        else:
            gone.append((path, size))
    return Eviction(tuple(gone), tuple(left))


def make_export(repo: Repository, item: Derived, *, environment: Mapping[str, str] | None = None) -> Made:
    """Render an export again, from the version and with the preset that it was made from.

    Raises:
        InputError: it is no export, or its version is not here any more. ExportFailed, ExtraMissing.
    """
    job = load_export(repo, item.export or "")
    version = repo.queries.version(VersionId(ObjectId(job.input_file)))
    if version is None or job.preset is None:
        raise InputError(f"{item.path} cannot be made again: its version or preset is not known any more")
    made = run_export(repo, add_export(repo, version, job.preset, job.output_file), environment=environment)
    return Made(item.path, ObjectId(made.output_id or ""), made.output_id == item.content)
