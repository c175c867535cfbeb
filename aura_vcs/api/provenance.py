"""Where the files of a project come from: what made them, from which prompt, for how much, under which licence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal, Self, TypedDict, Unpack

from aura_vcs.annotations import provenance as room
from aura_vcs.api.jsons import Json
from aura_vcs.api.opened import Part
from aura_vcs.api.reporting import NO_CALL
from aura_vcs.api.values import VersionLike, moment, name_of, path_or_none, time_text
from aura_vcs.api.where import Where, where_text
from aura_vcs.formats.provenance.facts import Fact
from aura_vcs.repository.repository import Repository

CostKey = Literal["model", "program", "kind", "person", "month", "project"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known about where a content, or a version, comes from; `id` is the id of either.

    `facts` has everything: what was recorded (`said`) counts before what the file itself says (`embedded`).
    """

    id: str
    path: Path | None
    facts: Mapping[str, Json]
    said: Mapping[str, Json]
    embedded: Mapping[str, Json]
    updated_at: datetime | None
    updated_by: str | None

    @classmethod
    def _of(cls, found: room.Provenance) -> Self:
        """Take over what is known."""
        return cls(
            found.id,
            path_or_none(found.path),
            _plain(found.facts),
            _plain(found.said),
            _plain(found.embedded),
            moment(found.updated_at),
            found.updated_by,
        )


class Facts(TypedDict, total=False):
    """What can be recorded about where a file comes from.

    `kind` is "generated", "recorded", "licensed" or "derived". `inputs` are ids of the contents it was made from,
    `parameters` are further settings it was made with, by name. `currency` has three letters, such as EUR.
    `license` is an SPDX id or a name.
    """

    kind: str | None
    program: str | None
    model: str | None
    model_version: str | None
    prompt: str | None
    negative_prompt: str | None
    seed: str | int | None
    parameters: Mapping[str, str | int | float | bool] | None
    inputs: list[str] | None
    cost: str | int | float | Decimal | None
    currency: str | None
    tokens: int | None
    made_at: datetime | None
    license: str | None
    license_source: str | None
    license_terms: str | None
    commercial: bool | None
    person: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class LicenceProblem:
    """A media file whose licence is not known ("missing"), or "forbids_commercial" use."""

    path: Path
    kind: Literal["missing", "forbids_commercial"]
    license: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What something cost in all, in one currency; `files` is the number of contents."""

    key: str
    currency: str
    cost: Decimal
    tokens: int
    files: int

    @classmethod
    def _of(cls, found: room.CostSum) -> Self:
        """Take over a sum."""
        return cls(found.key, found.currency, found.cost, found.tokens, found.count)


class Provenances(Part):
    """Where files come from; `where` is a file of the folder, `VERSION:FILE`, a version, or the id of a content."""

    def __getitem__(self, where: Where) -> Provenance:
        return self._opened.run(NO_CALL, _known, where)

    def set(self, where: Where, **facts: Unpack[Facts]) -> Provenance:
        """Record where a file comes from; facts that are not named stay, a fact that is None is removed.

        The file need not be in a version yet.

        Raises:
            InvalidFact: there is no such fact, or it cannot have that value. UnknownVersion, UnknownName.
        """
        made = {"made_at": time_text(facts["made_at"])} if "made_at" in facts else {}
        return self._opened.run(NO_CALL, _set, where, {**facts, **made})

    def log(self, *, since: datetime | None = None, limit: int | None = None) -> list[Provenance]:
        """List what was recorded, newest first."""
        found = self._opened.run(NO_CALL, room.log, since=time_text(since), limit=limit)
        return list(map(Provenance._of, found))

    def check(self, version: VersionLike = "HEAD") -> list[LicenceProblem]:
        """List the media files of a version without a licence, or whose licence forbids commercial use."""
        _, problems = self._opened.run(NO_CALL, room.check_licences, name_of(version))
        return [LicenceProblem(Path(item.path), item.kind, item.license) for item in problems]

    def costs(self, by: CostKey = "model") -> list[Cost]:
        """Add up what files cost, most expensive first; each content counts once."""
        return list(map(Cost._of, self._opened.run(NO_CALL, room.costs, by)))


def _known(repo: Repository, where: Where) -> Provenance:
    return Provenance._of(room.provenance(repo, where_text(repo, where)))


def _set(repo: Repository, where: Where, facts: Mapping[str, object]) -> Provenance:
    return Provenance._of(room.set_provenance(repo, where_text(repo, where), facts))


def _plain(facts: Mapping[str, Fact]) -> Mapping[str, Json]:
    """Take over facts, which are JSON already."""
    found: Mapping[str, Json] = dict(facts)
    return found
