"""Provenance that lies beside a file: `picture.png.provenance.json`, taken over by the commit that saves both."""

import codecs
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from aura_vcs.codec import encode_compact
from aura_vcs.errors import InputError
from aura_vcs.errors.integrity import IntegrityError
from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.provenance.embedded import read_embedded
from aura_vcs.formats.provenance.facts import FILE_ONLY, Facts, check_facts
from aura_vcs.history.sources.content_source import StoredSource
from aura_vcs.ids import ObjectId
from aura_vcs.media.manifests import read_brought
from aura_vcs.model import PROVENANCE_ENDING, Annotation, Entry, EntryKind, RefChange
from aura_vcs.objects.trees import Difference
from aura_vcs.operation_log import annotation_change
from aura_vcs.plain_text import readable_name
from aura_vcs.refs.annotations import DELETED, PROVENANCE, is_deleted, value_of, with_values
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Transaction

FILE_BYTES = 1 << 20
LINE_BYTES = 8 << 20
"""Bytes of provenance that one commit takes over; what is beyond is said and left."""
MANIFESTS = 20
"""Of so many files a commit reads the C2PA manifest, each in a process of its own: nobody waits longer for it."""


def facts_beside(repo: Repository, tree: ObjectId, differences: Iterable[Difference]) -> dict[ObjectId, Facts]:
    """Read the provenance files that a commit brings, by the content they are about.

    One that is not valid is passed over and named: a commit does not fail for it.
    """
    found: dict[ObjectId, Facts] = {}
    left = LINE_BYTES
    for path in sorted(_beside(differences)):
        try:
            about = repo.trees.entry(tree, path.removesuffix(PROVENANCE_ENDING))
            said = repo.trees.entry(tree, path)
            if about is None or said is None or EntryKind.DIR in (about.kind, said.kind):
                continue
            facts = _facts(repo.store.read(said.id) if said.size <= FILE_BYTES else b"")
        except IntegrityError:
            continue
        except InputError as error:
            repo.progress.note(f"{readable_name(path)} was ignored: {error.message}")
            continue
        left -= len(encode_compact(facts))
        if left < 0:
            repo.progress.note(f"{readable_name(path)} and later ones were ignored: there are too many of them")
            break
        name = path.removesuffix(PROVENANCE_ENDING)
        read = read_brought if len(found) < MANIFESTS else read_embedded
        found[about.id] = {**_brought(repo, name, about, read), "path": readable_name(name), **facts}
    return found


def _brought(repo: Repository, path: str, entry: Entry, read: Callable[[BinaryIO], Facts]) -> Facts:
    """Read what a file itself says and nobody has said otherwise: it counts in sums and lists beside what was said."""
    known = repo.refs.annotations.get(PROVENANCE, entry.id)
    try:
        with StoredSource(repo).open(path, entry) as file:
            found = read(file)
    except (IntegrityError, OSError):
        return {}
    said = set() if known is None or is_deleted(known) else {n for n in found if value_of(known, n) is not None}
    return {name: fact for name, fact in found.items() if name not in {*said, *FILE_ONLY, "origin"}}


def _beside(differences: Iterable[Difference]) -> set[str]:
    """Return the paths of provenance files that are new or other ones."""
    changed = {item.path for item in differences if item.new is not None and item.new.kind is EntryKind.FILE}
    return {path for path in changed if path.endswith(PROVENANCE_ENDING)}


def _facts(data: bytes) -> Facts:
    document = parse_document(data.removeprefix(codecs.BOM_UTF8))
    if not isinstance(document, ParsedDocument) or not isinstance(document.value, dict):
        raise InputError("it is not a JSON object of at most 1 MiB")
    return check_facts(document.value)


def fact_changes(
    repo: Repository, transaction: Transaction, found: dict[ObjectId, Facts], *, origin: str
) -> dict[str, RefChange]:
    """Build the changes that give contents these facts; none where they have them already."""
    changes: dict[str, RefChange] = {}
    for content, facts in found.items():
        before = repo.refs.annotations.get(PROVENANCE, content)
        known = before or Annotation(content)
        given: dict[str, Any] = {name: fact for name, fact in facts.items() if value_of(known, name) != fact}
        if before is not None and is_deleted(before):
            given[DELETED] = None
        if given:
            given.setdefault("origin", origin)
            after = with_values(known, given, transaction.replica, transaction.at, repo.author)
            changes |= dict([annotation_change(PROVENANCE, before, after)])
    return changes
