"""Recipes: how a file can be made again, kept by the content that was made.

A recipe that came from elsewhere is a program that somebody wants to be run here: what the person of this machine has
not seen and agreed to is never run. What was agreed is remembered on this machine alone.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from blake3 import blake3

from aura_vcs import layout
from aura_vcs.annotations.provenance import ProvenanceSubject, find_subject
from aura_vcs.codec import encode_compact
from aura_vcs.errors import AuraError, InputError
from aura_vcs.errors.input import UnknownName, UnknownVersion
from aura_vcs.history.lookup.content import locate
from aura_vcs.history.names.revisions import split_content
from aura_vcs.ids import ObjectId, VersionId, is_object_id
from aura_vcs.index.annotations import PRESENT, AnnotationTable
from aura_vcs.model import Annotation, Inverse
from aura_vcs.operation_log import annotation_change
from aura_vcs.plain_text import clean_text, path_of_text, path_text
from aura_vcs.refs.annotations import DELETED, EVICT, FREED, RECIPE, is_deleted, value_of, with_values
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft

WORDS_LIMIT = 500
WORD_LENGTH = 8_000
INPUTS_LIMIT = 200
ID_DIGITS = 8
"""So many digits of a content's id name its recipe: fewer could be the name of a file."""
_AGREED = 10_000


class RecipeInput(msgspec.Struct, frozen=True):
    """A file that something is made from: where it lay, and the id of its content then."""

    path: str
    content: ObjectId


class Recipe(msgspec.Struct, frozen=True):
    """How a content is made: a command, in which `{input}`, `{input:2}` and `{output}` stand for files."""

    content: ObjectId
    output: str
    command: tuple[str, ...]
    inputs: tuple[RecipeInput, ...]
    environment: str
    made_at: str

    @property
    def digest(self) -> str:
        """What is agreed to: the command, whatever it is run on."""
        return blake3(encode_compact(list(self.command))).hexdigest()


def set_recipe(
    repo: Repository, output: str, command: Sequence[str], inputs: Iterable[str], *, environment: str = ""
) -> Recipe:
    """Say how a file of the folder was made, so that it can be made again; its command is agreed to on this machine.

    Raises:
        UnknownName, FileUnreadable: the file, or one that it is made from, is not there.
        InputError: the command is empty or too long, or names no `{output}`; or the content was evicted, so that
            what is known of how it is made is all there is of it.
    """
    words = _checked(command)
    made = _file_of(repo, output)
    found = [_file_of(repo, path) for path in inputs]
    if len(found) > INPUTS_LIMIT:
        raise InputError(f"A recipe has at most {INPUTS_LIMIT} inputs")
    values: dict[str, Any] = {
        "output": path_text(made.path),
        "command": list(words),
        "inputs": [{"path": path_text(item.path), "content": item.content} for item in found],
        "environment": clean_text(environment)[:WORD_LENGTH],
    }
    with repo.transaction() as transaction:
        before = repo.refs.annotations.get(RECIPE, made.content)
        known = before or Annotation(made.content)
        given = {key: value for key, value in values.items() if value_of(known, key) != value}
        if before is not None and is_deleted(before):
            given[DELETED] = None
        if given and is_only_recipe_left(repo, known):
            hint = "Bring it back first, with `aura derived make` or by saving this file as a version."
            raise InputError(f"The content of {made.path} was evicted: nothing but its recipe is left of it", hint=hint)
        after = with_values(known, given, transaction.replica, transaction.at, repo.author) if given else known
        if given:
            what = f"Recorded how {made.path} is made"
            changes = dict([annotation_change(RECIPE, before, after)])
            transaction.record(Draft("recipe.set", what, changes, inverse=Inverse("recipe.set.revert")))
    recipe = recipe_of(after)
    assert recipe is not None
    agree(repo, recipe)
    return recipe


def is_only_recipe_left(repo: Repository, item: Annotation) -> bool:
    """Tell whether the content that a recipe makes was freed and is not here: another recipe would lose it."""
    from aura_vcs.objects.availability import missing_parts

    return value_of(item, FREED) is not None and bool(missing_parts(repo.store, [ObjectId(item.id)]))


def _file_of(repo: Repository, path: str) -> RecipeInput:
    """Find a file and its content."""
    found: ProvenanceSubject | None = None
    with suppress(UnknownVersion):
        found = find_subject(repo, path)
    if found is None or found.path is None:
        raise UnknownName("file", path, hint="A recipe is of a file, made from files.")
    return RecipeInput(found.path, found.id)


def _checked(command: Sequence[str]) -> list[str]:
    if not command or not any("{output}" in word for word in command):
        hint = "Such as `ffmpeg -i {input} {output}`: {input} and {output} stand for the files."
        raise InputError("The command names no {output}", hint=hint)
    if len(command) > WORDS_LIMIT or any(len(word) > WORD_LENGTH or "\0" in word for word in command):
        raise InputError("The command is too long")
    return [clean_text(word) for word in command]


def recipe_of(item: Annotation) -> Recipe | None:
    """Read a recipe, which another machine may have written; None where it is not valid or was deleted."""
    command, inputs, output = (value_of(item, key) for key in ("command", "inputs", "output"))
    if is_deleted(item) or not isinstance(output, str) or not isinstance(inputs, list):
        return None
    if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
        return None
    found = [_input(entry) for entry in inputs[:INPUTS_LIMIT]]
    if None in found:
        return None
    times = [field.updated_at for field in item.fields.values()]
    environment = value_of(item, "environment")
    return Recipe(
        ObjectId(item.id),
        path_of_text(output),
        tuple(command),
        tuple(entry for entry in found if entry is not None),
        environment if isinstance(environment, str) else "",
        max(times, default=""),
    )


def _input(entry: object) -> RecipeInput | None:
    if not isinstance(entry, Mapping):
        return None
    path, content = entry.get("path"), entry.get("content")
    if not isinstance(path, str) or not isinstance(content, str) or not is_object_id(content):
        return None
    return RecipeInput(path_of_text(path), ObjectId(content))


def recipes(repo: Repository) -> list[Recipe]:
    """List the recipes, newest first; of several for one file all of them."""
    found = (recipe_of(item) for item in AnnotationTable(repo.index.database).select(RECIPE))
    return [recipe for recipe in found if recipe is not None]


def needed_inputs(repo: Repository) -> dict[ObjectId, ObjectId]:
    """Map contents that evicted ones are made from to one of those: without them these are gone for good.

    Evicted means here also what is only meant to go, by whomever.
    """
    table = AnnotationTable(repo.index.database)
    return inputs_of_evicted(table.select(RECIPE) if table.count(RECIPE, PRESENT) else ())


def inputs_of_evicted(items: Iterable[Annotation]) -> dict[ObjectId, ObjectId]:
    """Map what the evicted contents among those of recipes are made from, as `needed_inputs` does."""
    found: dict[ObjectId, ObjectId] = {}
    for item in items:
        if value_of(item, EVICT) is None and value_of(item, FREED) is None:
            continue
        recipe = recipe_of(item)
        found.update((entry.content, ObjectId(item.id)) for entry in (recipe.inputs if recipe is not None else ()))
    return found


def find_recipe(repo: Repository, where: str) -> Recipe:
    """Find how a file is made: the newest recipe for a file of that name, that of a content, by eight digits, or that
    of what a version has, as `v3:proxy.mp4`.

    Raises:
        UnknownName: nothing says how. UnknownVersion.
    """
    if split_content(where)[1]:
        return _recipe_in_version(repo, where)
    known = recipes(repo)
    is_id = len(where) >= ID_DIGITS
    named = [recipe for recipe in known if recipe.output == where] or [
        recipe for recipe in known if is_id and recipe.content.startswith(where)
    ]
    hint = "`aura derived list` lists what can be made again, `aura derived set` says how something is made."
    if not named:
        raise UnknownName("recipe for", where, hint=hint)
    return named[0]


def _recipe_in_version(repo: Repository, where: str) -> Recipe:
    """Find how the content is made that a file has in a version."""
    found = locate(repo, where)
    item = None if found.is_folder else AnnotationTable(repo.index.database).get(RECIPE, found.entry.id)
    recipe = recipe_of(item) if item is not None else None
    if recipe is None:
        raise UnknownName("recipe for", where, hint="`aura derived list` lists what can be made again.")
    return recipe


def changed_inputs(repo: Repository, recipe: Recipe, version: VersionId | None = None) -> list[str]:
    """List the files that a content was made from and that are other ones now, in HEAD or another version.

    One that lies in the folder as it was then counts as unchanged, also where it is not saved.
    """
    wanted = version or repo.head().version
    record = repo.queries.version(wanted) if wanted is not None else None
    if record is None:
        return []
    entries = {item.path: repo.trees.entry(record.tree, item.path) for item in recipe.inputs}
    other = [item for item in recipe.inputs if (e := entries[item.path]) is None or e.id != item.content]
    return [item.path for item in other if not _is_in_folder(repo, item)]


def _is_in_folder(repo: Repository, item: RecipeInput) -> bool:
    """Tell whether the folder has an input as it was; it is read for that."""
    try:
        return find_subject(repo, item.path).id == item.content
    except AuraError:
        return False


def stale(repo: Repository, unsaved: Collection[str] = ()) -> dict[str, list[str]]:
    """Map files that were made from something that has changed since to what has; only the newest recipe counts.

    `unsaved` are paths that differ from HEAD in the folder.
    """
    if not AnnotationTable(repo.index.database).count(RECIPE, PRESENT):
        return {}
    newest: dict[str, Recipe] = {}
    for recipe in recipes(repo):
        newest.setdefault(recipe.output, recipe)
    found: dict[str, list[str]] = {}
    for path, recipe in sorted(newest.items()):
        saved = set(changed_inputs(repo, recipe))
        other = {item.path for item in recipe.inputs if item.path in unsaved and not _is_in_folder(repo, item)}
        changed = [item.path for item in recipe.inputs if item.path in saved | other]
        if changed:
            found[path] = changed
    return found


def is_agreed(repo: Repository, recipe: Recipe) -> bool:
    """Tell whether the person of this machine has agreed that the command is run here."""
    return recipe.digest in _agreed(repo)


def agree(repo: Repository, recipe: Recipe) -> None:
    """Remember on this machine that a command may be run."""
    known = _agreed(repo)
    if recipe.digest not in known:
        lines = [*known, recipe.digest][-_AGREED:]
        repo.storage.put(layout.AGREED, ("\n".join(lines) + "\n").encode())


def _agreed(repo: Repository) -> list[str]:
    try:
        return repo.storage.read(layout.AGREED).decode("ascii", "replace").split()
    except FileNotFoundError:
        return []
