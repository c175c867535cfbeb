"""Where files come from: what was said of their content, and what the files bring along.

It is kept by content, so it follows a file through renames, copies and projects that hold the same bytes.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec

from aura_vcs.errors.input import InvalidFact, UnknownName
from aura_vcs.errors.integrity import IntegrityError, LimitExceeded
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.formats.provenance.embedded import read_embedded
from aura_vcs.formats.provenance.facts import (
    FILE_ONLY,
    NAMES,
    ORDER,
    Fact,
    Facts,
    check_facts,
    forbids_commerce,
    proper_facts,
)
from aura_vcs.history.diff.media_findings import has_media_name, is_media
from aura_vcs.history.diff.tree_diff import Comparison, PathChange
from aura_vcs.history.lookup.content import locate
from aura_vcs.history.lookup.select_files import shown_path
from aura_vcs.history.names.revisions import resolve, split_content
from aura_vcs.history.provenance_files import fact_changes
from aura_vcs.history.sources.content_source import FolderSource, StoredSource
from aura_vcs.ids import ObjectId, VersionId, is_object_id
from aura_vcs.index.annotations import AnnotationTable
from aura_vcs.index.costs import cost_groups
from aura_vcs.index.queries import describe
from aura_vcs.media.manifests import read_brought
from aura_vcs.model import Annotation, Entry, EntryKind, Inverse, Kind
from aura_vcs.objects.availability import missing_parts
from aura_vcs.objects.loose import new_hasher
from aura_vcs.refs.annotations import PROVENANCE, is_deleted, value_of
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft

LOOKED_INTO = 200
"""Of so many files that differ, a comparison reads what they bring along."""
MANIFESTS = 20
"""And of so many of them the C2PA manifest, where they have one."""
_PIECE = 1 << 20
CostKey = Literal["model", "program", "kind", "person", "month", "project"]


class Provenance(msgspec.Struct, frozen=True):
    """What is known of where a content, or a version, comes from.

    `facts` are all together: `said` counts before what the file itself brings along (`embedded`). `path` is a name that
    it has or has had.
    """

    id: ObjectId
    path: str | None
    facts: Facts
    said: Facts
    embedded: Facts
    updated_at: str | None
    updated_by: str | None


class ProvenanceSubject(msgspec.Struct, frozen=True):
    """What a provenance is asked about: an id, and the path of a file in the folder or in a version."""

    id: ObjectId
    path: str | None = None
    entry: Entry | None = None
    is_in_folder: bool = False


def find_subject(repo: Repository, where: str) -> ProvenanceSubject:
    """Find what a person means: a file of the folder as it is now, `VERSION:PATH`, a version, or the id of a content.

    Raises:
        UnknownVersion, UnknownName: there is no such thing. FileUnreadable.
    """
    if is_object_id(where):
        return ProvenanceSubject(ObjectId(where))
    _, path = split_content(where)
    if path:
        found = locate(repo, where)
        if found.is_folder:
            raise UnknownName("file", where)
        return ProvenanceSubject(found.entry.id, found.path, found.entry)
    try:
        with FolderSource(repo.root).open(where) as file:
            hasher = new_hasher(Kind.BLOB)
            while piece := file.read(_PIECE):
                hasher.update(piece)
        return ProvenanceSubject(ObjectId(hasher.hexdigest()), where, is_in_folder=True)
    except FileUnreadable:
        head = repo.head().version
        record = repo.queries.version(head) if head is not None else None
        entry = repo.trees.entry(record.tree, where) if record is not None and where else None
    if entry is not None and entry.kind is EntryKind.FILE:
        return ProvenanceSubject(entry.id, where, entry)
    return ProvenanceSubject(resolve(repo, where).id)


def provenance(repo: Repository, where: str) -> Provenance:
    """Return what is known of where a file, a content or a version comes from; facts may be empty.

    Raises:
        UnknownVersion, UnknownName: there is no such thing. FileUnreadable.
    """
    subject = find_subject(repo, where)
    return _with_embedded(_stored(repo, subject.id), subject.id, subject.path, _embedded(repo, subject))


def _with_embedded(item: Annotation | None, content: ObjectId, path: str | None, embedded: Facts) -> Provenance:
    said = facts_of(item) if item is not None else {}
    together = {**embedded, **said}
    newest = max(item.fields.values(), key=lambda field: field.updated_at, default=None) if item is not None else None
    name = path if path is not None else said.get("path")
    return Provenance(
        id=content,
        path=shown_path(name) if isinstance(name, str) else None,
        facts={fact: together[fact] for fact in ORDER if fact in together},
        said=said,
        embedded=embedded,
        updated_at=newest.updated_at if newest is not None else None,
        updated_by=newest.updated_by if newest is not None else None,
    )


def facts_of(item: Annotation) -> Facts:
    """Return the facts of a stored provenance, which another machine may have written, in their order."""
    if is_deleted(item):
        return {}
    return proper_facts({name: value for name in ORDER if (value := value_of(item, name)) is not None})


def _stored(repo: Repository, content: ObjectId) -> Annotation | None:
    return AnnotationTable(repo.index.database).get(PROVENANCE, content)


def _embedded(repo: Repository, subject: ProvenanceSubject) -> Facts:
    if subject.path is None:
        return {}
    try:
        if subject.is_in_folder:
            with FolderSource(repo.root).open(subject.path) as file:
                return read_brought(file)
        return {} if subject.entry is None else _embedded_of(repo, subject.path, subject.entry, read_brought)
    except (IntegrityError, FileUnreadable):
        return {}


def _embedded_of(repo: Repository, path: str, entry: Entry, read: Callable[[BinaryIO], Facts] = read_embedded) -> Facts:
    """Read what a stored file brings along; nothing is fetched for it."""
    if missing_parts(repo.store, [entry.id]):
        return {}
    try:
        with StoredSource(repo).open(path, entry) as file:
            return read(file)
    except (IntegrityError, LimitExceeded):
        return {}


def set_provenance(repo: Repository, where: str, facts: Mapping[str, Any]) -> Provenance:
    """Say where a file, a content or a version comes from; a fact that is None is taken away, others stay.

    What the file itself brings along is kept beside it: it counts in sums and lists then, without looking into files.

    Raises:
        InvalidFact: there is no such fact, or it cannot have that value.
        UnknownVersion, UnknownName: there is no such thing. FileUnreadable.
    """
    for name in facts:
        if name not in NAMES:
            raise InvalidFact(
                name, facts[name], f"there is no such fact; there are {', '.join(n for n in ORDER if n in NAMES)}"
            )
    subject = find_subject(repo, where)
    known = _stored(repo, subject.id)
    said = {} if known is None else facts_of(known)
    brought = {name: fact for name, fact in _embedded(repo, subject).items() if name not in said and name not in facts}
    for name in ("origin", *FILE_ONLY):  # the file goes on saying it
        brought.pop(name, None)
    given: dict[str, Fact | None] = {**brought, **check_facts(facts)}
    given |= dict.fromkeys(name for name, value in facts.items() if value is None)
    if subject.path is not None:
        given.setdefault("path", shown_path(subject.path))
    _record(repo, {subject.id: given}, subject.path or _called(repo, subject.id))
    return provenance(repo, where)


def _called(repo: Repository, found: ObjectId) -> str:
    """Return what a version is called, or the beginning of the id of a content."""
    return describe(repo.queries, VersionId(found)) if repo.index.knows(VersionId(found)) else found[:12]


def _record(repo: Repository, given: dict[ObjectId, dict[str, Any]], about: str) -> None:
    with repo.transaction() as transaction:
        changes = fact_changes(repo, transaction, given, origin="command")
        if changes:
            what = f"Recorded where {shown_path(about)} comes from"
            transaction.record(Draft("provenance.set", what, changes, inverse=Inverse("provenance.set.revert")))


def log(repo: Repository, *, since: str | None = None, limit: int | None = None) -> list[Provenance]:
    """List what was said of where contents come from, newest first."""
    found = AnnotationTable(repo.index.database).select(PROVENANCE, since=since, limit=-1 if limit is None else limit)
    return [_with_embedded(item, ObjectId(item.id), None, {}) for item in found]


class LicenceProblem(msgspec.Struct, frozen=True):
    """A media file of a version whose licence is not known, or forbids what is to be done with it."""

    path: str
    kind: Literal["missing", "forbids_commercial"]
    license: str


def check_licences(repo: Repository, version: str = "HEAD") -> tuple[int, list[LicenceProblem]]:
    """Look at every media file of a version; return how many there are, and those whose licence is a question.

    Raises:
        UnknownVersion: there is no such version.
    """
    record = resolve(repo, version)
    files = [
        (path, entry)
        for path, entry in repo.trees.walk(record.tree)
        if entry.kind is EntryKind.FILE and has_media_name(path)
    ]
    stored = AnnotationTable(repo.index.database).present(PROVENANCE, [entry.id for _, entry in files])
    problems = []
    for path, entry in sorted(files):
        said = facts_of(stored[entry.id]) if entry.id in stored else {}
        facts = said if _has_licence(said) else {**_embedded_of(repo, path, entry), **said}
        name = str(facts.get("license", facts.get("license_terms", "")))
        if forbids_commerce(facts):
            problems.append(LicenceProblem(shown_path(path), "forbids_commercial", name))
        elif not _has_licence(facts):
            problems.append(LicenceProblem(shown_path(path), "missing", ""))
    return len(files), problems


def _has_licence(facts: Mapping[str, Fact]) -> bool:
    """Tell whether it is known who may use it: what somebody recorded is theirs."""
    return bool(facts.get("license") or facts.get("license_terms")) or facts.get("kind") == "recorded"


class CostSum(msgspec.Struct, frozen=True):
    """What something cost together: an amount in one currency, tokens, and how many contents that were."""

    key: str
    currency: str
    cost: Decimal
    tokens: int
    count: int


def costs(repo: Repository, by: CostKey = "model") -> list[CostSum]:
    """Add up what contents cost, by what made them; dearest first. By project, the key is the folder's name."""
    if by == "project":
        return named_costs(repo, Path(repo.root).name)
    return _sums(repo, by, None)


def named_costs(repo: Repository, name: str) -> list[CostSum]:
    """Add up what all contents of a project cost, under its name."""
    return _sums(repo, None, name)


def _sums(repo: Repository, by: CostKey | None, name: str | None) -> list[CostSum]:
    """Add up the rows of the index: alike ones were counted there."""
    groups = cost_groups(repo.index.database.connection, by)
    return add_costs(
        CostSum(key if name is None else name, currency, Decimal(cost) * count, tokens, count)
        for key, currency, cost, tokens, count in groups
    )


def add_costs(found: Iterable[CostSum]) -> list[CostSum]:
    """Add up costs by their keys and currencies; dearest first."""
    sums: dict[tuple[str, str], CostSum] = {}
    for item in found:
        at = (item.key, item.currency)
        known = sums.get(at, CostSum(*at, Decimal(0), 0, 0))
        sums[at] = CostSum(*at, known.cost + item.cost, known.tokens + item.tokens, known.count + item.count)
    return sorted(sums.values(), key=lambda found: (-found.cost, found.currency, found.key))


def compared(repo: Repository, comparison: Comparison) -> dict[str, tuple[str, ...]]:
    """Say in words, by path, how differently media files of a comparison came to be: `same prompt, other seed`."""
    changes = [change for change in comparison.changes if is_media(change) and change.old and change.new]
    ids = [side.id for change in changes for side in (change.old, change.new) if side is not None]
    stored = AnnotationTable(repo.index.database).present(PROVENANCE, ids) if ids else {}
    found = {}
    for number, change in enumerate(changes):
        looks = number < LOOKED_INTO, number < MANIFESTS
        sides = [_side(comparison, change, stored, is_old=is_old, looks=looks) for is_old in (True, False)]
        if lines := compare_facts(*sides):
            found[change.path] = lines
    return found


def _side(
    comparison: Comparison,
    change: PathChange,
    stored: Mapping[str, Annotation],
    *,
    is_old: bool,
    looks: tuple[bool, bool],
) -> Facts:
    """Return the facts of a side; `looks` says whether its file is looked into, and whether its manifest is read."""
    look, manifest = looks
    entry, contents = (change.old, comparison.old) if is_old else (change.new, comparison.new)
    if entry is None:
        return {}
    said = facts_of(stored[entry.id]) if entry.id in stored else {}
    if not look:
        return said
    try:
        with contents.open((change.old_path if is_old else None) or change.path, entry) as file:
            return {**(read_brought if manifest else read_embedded)(file), **said}
    except (IntegrityError, FileUnreadable, OSError):
        return said


_COMPARED = ("model", "model_version", "prompt", "negative_prompt", "seed", "parameters")
_SHOWN = 60


def compare_facts(old: Mapping[str, Fact], new: Mapping[str, Fact]) -> tuple[str, ...]:
    """Say in words how two files came to be differently; nothing where neither was generated."""
    if not any(facts.get("prompt") or facts.get("seed") or facts.get("model") for facts in (old, new)):
        return ()
    names = [name for name in _COMPARED if name in old or name in new]
    same = [_word(name) for name in names if old.get(name) == new.get(name)]
    other = [name for name in names if old.get(name) != new.get(name)]
    said = [f"same {', '.join(same)}"] if same else []
    said += [f"other {_word(name)}" for name in other]
    details = [f"{_word(name)}: {_short(old.get(name))} → {_short(new.get(name))}" for name in other]
    return (", ".join(said), *details)


def _word(name: str) -> str:
    return name.replace("_", " ")


def _short(value: Fact | None) -> str:
    if value is None:
        return "none"
    text = ", ".join(f"{key} {item}" for key, item in value.items()) if isinstance(value, dict) else str(value)
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
