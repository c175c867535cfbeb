"""Versions that were made elsewhere and long ago: recorded with the date, author and parents that they have there."""

from collections.abc import Mapping, Sequence

import msgspec

from aura_vcs.codec import encode_version
from aura_vcs.history.recording.version_builder import DESCRIPTION_LIMIT, NAME_LIMIT
from aura_vcs.ids import ObjectId, VersionId
from aura_vcs.model import Kind, Label, Version, VersionType
from aura_vcs.objects.base import StoredObject
from aura_vcs.operation_log import label_change
from aura_vcs.plain_text import clean_text, one_line
from aura_vcs.repository.repository import Repository
from aura_vcs.repository.transaction import Draft


class PastVersion(msgspec.Struct, frozen=True):
    """A version to be recorded; its tree is in the store, or in what is handed over beside it.

    Of `parents`, an integer is the place of another one in the same list, before this one. `created_at` is RFC
    3339 as records have it. Without a `number` it gets the next one. `extra` is what the other program said of
    it, see model.Version. Name and description are cut to what a label takes.
    """

    tree: ObjectId
    size: int
    documents: dict[str, ObjectId | None]
    parents: tuple[VersionId | int, ...]
    name: str
    description: str
    author: str
    created_at: str
    branch: str | None = None
    number: int | None = None
    type: VersionType = VersionType.MANUAL
    trigger: str | None = None
    important: bool = False
    deleted_at: str | None = None
    deleted_by: str | None = None
    extra: dict[str, str] = {}


def record_past_versions(
    repo: Repository,
    versions: Sequence[PastVersion],
    stored: Mapping[ObjectId, StoredObject],
    chunks: Mapping[ObjectId, tuple[ObjectId, ...]],
    *,
    description: str,
    correlation_id: str | None = None,
) -> list[VersionId]:
    """Record versions in one operation, which moves no branch and no file; returns their ids, in order.

    `stored` and `chunks` are what a finished batch added for them; the caller holds the `objects` lock since that
    batch began. Numbers go on from the highest known one. Interrupted, all of them are recorded or none. What
    is recorded so can only be taken back by taking branches off it: versions stay, as those of a fetch do.

    Raises:
        LimitExceeded: a number or the extra data is beyond what a version takes.
        StorageError.
    """
    made: list[tuple[VersionId, Version]] = []
    with repo.transaction() as transaction, repo.store.batch(repo.progress) as batch:
        number = repo.queries.next_number()
        for past in versions:
            given = past.number if past.number is not None else number
            number = max(number, given) + (1 if past.number is None or past.number >= number else 0)
            version = _version(repo, past, given, [made[p][0] if isinstance(p, int) else p for p in past.parents])
            version_id, data = encode_version(version)
            batch.add(Kind.VERSION, data, "version")
            made.append((version_id, version))
        new = batch.finish()
        refs = dict(
            label_change(
                None,
                Label(
                    version=version_id,
                    number=version.number,
                    name=version.name,
                    branch=past.branch,
                    description=version.description,
                    important=past.important,
                    deleted_at=past.deleted_at,
                    deleted_by=past.deleted_by,
                    updated_at=transaction.at,
                    updated_by=repo.author,
                ),
            )
            for (version_id, version), past in zip(made, versions, strict=True)
        )
        draft = Draft("import.versions", description, refs, correlation_id=correlation_id)
        transaction.record(draft, {**stored, **new}, {**chunks, **batch.chunks})
    return [version_id for version_id, _ in made]


def _version(repo: Repository, past: PastVersion, number: int, parents: Sequence[VersionId]) -> Version:
    return Version(
        number=number,
        parents=tuple(dict.fromkeys(parents)),
        tree=past.tree,
        type=past.type,
        name=one_line(past.name)[:NAME_LIMIT].rstrip() or "(no name)",
        description=clean_text(past.description).strip()[:DESCRIPTION_LIMIT].rstrip(),
        author=one_line(past.author) or "(nobody)",
        created_at=past.created_at,
        project=repo.format.project,
        documents=past.documents,
        size=past.size,
        trigger=past.trigger,
        extra=past.extra,
    )
