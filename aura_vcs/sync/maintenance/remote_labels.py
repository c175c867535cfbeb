"""The labels of a remote whose records may be damaged, and where lost ones can be had again."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

import msgspec

from aura_vcs.errors.remotes import RemoteCorrupt
from aura_vcs.ids import VersionId
from aura_vcs.model import Label
from aura_vcs.refs.merge import merge_labels
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.state.annotations import Annotations, merge_into, own_annotations, proper_annotations
from aura_vcs.sync.state.cache import RemoteCache
from aura_vcs.sync.state.manifest import RecordInfo, decode_records, digest
from aura_vcs.sync.state.snapshot import RemoteSnapshot
from aura_vcs.sync.transfer.push_negotiation import own_labels


class RemoteLabels(msgspec.Struct):
    """Every label that could be had: `read` from intact records, `recovered` from what is here.

    `damaged` are the records that could not be read, with what is wrong with each; `annotations` are those that were in
    them, as far as they are remembered here or said here as well.
    """

    read: dict[VersionId, Label]
    recovered: dict[VersionId, Label]
    damaged: dict[RecordInfo, str]
    annotations: Annotations = msgspec.field(default_factory=dict)

    def get(self, version: VersionId) -> Label | None:
        """Return the label of a version, None if it is lost."""
        return self.recovered.get(version) or self.read.get(version)

    def all(self) -> dict[VersionId, Label]:
        """Map every version to its label as it will be there."""
        return self.read | self.recovered


def look_for_labels(repo: Repository, snapshot: RemoteSnapshot, cache: RemoteCache) -> RemoteLabels:
    """Read the records there; those that are damaged come from what is remembered here of them.

    Raises:
        RemoteUnreachable: the connection went.
    """
    found = RemoteLabels({}, {}, {})
    for info in snapshot.manifest.records:
        try:
            _merge(found.read, snapshot.record(info).labels)
        except RemoteCorrupt as error:
            found.damaged[info] = error.reason
    kept: dict[VersionId, Label] = {}
    for info in found.damaged:
        cached = cache.cached("records", info.name)
        if cached is not None and digest(cached) == info.name:
            with suppress(RemoteCorrupt):
                records = decode_records(cached, info, snapshot.remote.location)
                _merge(kept, records.labels)
                merge_into(found.annotations, proper_annotations(records.annotations))
    if found.damaged:
        merge_into(found.annotations, own_annotations(repo))
    for version, label in kept.items():
        theirs = found.read.get(version)
        merged = label if theirs is None else merge_labels(theirs, label)
        if merged != theirs:
            found.recovered[version] = merged
    return found


def recover_labels(repo: Repository, labels: RemoteLabels, versions: Iterable[VersionId]) -> set[VersionId]:
    """Take the labels that this project has of versions that lost theirs; returns those that nobody has."""
    lost = {version for version in versions if labels.get(version) is None}
    own: Mapping[VersionId, Label] = own_labels(repo) if lost else {}
    labels.recovered |= {version: own[version] for version in lost if version in own}
    return lost - own.keys()


def _merge(into: dict[VersionId, Label], labels: Iterable[Label]) -> None:
    for label in labels:
        known = into.get(label.version)
        into[label.version] = label if known is None else merge_labels(known, label)
