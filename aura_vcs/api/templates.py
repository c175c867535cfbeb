"""Templates that a project can be made from."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from aura_vcs.api.opened import Opened
from aura_vcs.studio import templates
from aura_vcs.studio.studio import Studio


@dataclass(frozen=True, slots=True)
class Template:
    """Documents that a project can begin with."""

    id: str
    name: str
    description: str
    category: str | None
    tags: tuple[str, ...]
    documents: tuple[str, ...]

    @classmethod
    def of(cls, found: templates.Template) -> Self:
        """Take over a record."""
        return cls(found.id, found.name, found.description, found.category, found.tags, tuple(found.documents))


class Templates:
    """Those that come with the package and, where `credentials` name the `home` of a studio, the person's own."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def __iter__(self) -> Iterator[Template]:
        home = self._opened.credentials.home
        if home is None:
            return map(Template.of, templates.system_templates())
        with Studio(str(home), user="") as studio:
            return iter([Template.of(found) for found in templates.list_templates(studio)])
