"""Templates that projects begin with."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from aura_vcs.api.jsons import Json
from aura_vcs.api.opened import StrPath, has
from aura_vcs.api.values import moment
from aura_vcs.history.sources.content_source import FolderSource
from aura_vcs.studio import templates
from aura_vcs.studio.studio import Studio
from aura_vcs.studio.template_exchange import read_template_file, write_template_file


@dataclass(frozen=True, slots=True)
class Template:
    """Documents that a project can begin with, by their names; `script_structure` and so on are JSON, or None."""

    id: str
    name: str
    description: str
    category: str | None
    sub_category: str | None
    tags: tuple[str, ...]
    author: str
    documents: Mapping[str, Json]
    script_structure: Json
    video_structure: Json
    llm_pipeline: Json
    visual_preferences: Json
    is_system: bool
    is_default: bool
    usage_count: int
    rating: float
    rating_count: int
    deleted_at: datetime | None

    @classmethod
    def _of(cls, found: templates.Template) -> Self:
        """Take over a record."""
        return cls(
            id=found.id,
            name=found.name,
            description=found.description,
            category=found.category,
            sub_category=found.sub_category,
            tags=found.tags,
            author=found.author,
            documents=found.documents,
            script_structure=found.script_structure,
            video_structure=found.video_structure,
            llm_pipeline=found.llm_pipeline,
            visual_preferences=found.visual_preferences,
            is_system=found.is_system_template,
            is_default=found.is_default,
            usage_count=found.usage_count,
            rating=found.rating,
            rating_count=found.rating_count,
            deleted_at=moment(found.deleted_at),
        )


class Templates:
    """Templates: those that come with the package and the person's own.

    Name one by its id, the beginning of it, or its name. They are in the person's studio; for a project, the `home`
    of its `credentials` is that studio.
    """

    def __init__(self, studio: Callable[[], Studio]) -> None:
        self._studio = studio

    def __iter__(self) -> Iterator[Template]:
        return iter(self.list())

    def __getitem__(self, template: str) -> Template:
        with self._studio() as studio:
            return Template._of(templates.find_template(studio, template))

    def __contains__(self, name: str) -> bool:
        return has(self.__getitem__, name)

    def list(
        self,
        *,
        category: str | None = None,
        sub_category: str | None = None,
        system: bool | None = None,
        deleted: bool = False,
    ) -> list[Template]:
        """List templates by name: all, or only the package's or others; with `deleted`, only deleted ones."""
        with self._studio() as studio:
            found = templates.list_templates(
                studio, category=category, sub_category=sub_category, system=system, deleted=deleted
            )
        return list(map(Template._of, found))

    def new_from_project(
        self,
        folder: StrPath,
        name: str,
        *,
        description: str = "",
        category: str | None = None,
        tags: Iterable[str] = (),
    ) -> Template:
        """Make a template of the documents in a project's folder, without its media.

        Raises:
            InputError: there is no name, or a template has it. TemplateUnusable: a document cannot be read.
        """
        source = FolderSource(Path(folder))
        with self._studio() as studio:
            made = templates.new_from_project(
                studio, source, name, description=description, category=category, tags=tuple(tags)
            )
        return Template._of(made)

    def edit(
        self,
        template: str,
        *,
        name: str | None = None,
        description: str | None = None,
        category: str | None = None,
        sub_category: str | None = None,
        tags: Iterable[str] | None = None,
        structures: Mapping[str, Json] | None = None,
    ) -> Template:
        """Change one of the person's templates; what is None stays.

        `structures` may have `script_structure`, `video_structure`, `llm_pipeline` and `visual_preferences`;
        None removes one.

        Raises:
            TemplateProtected: it comes with the package. InputError: a value is not possible.
        """
        given = {"name": name, "description": description, "category": category, "sub_category": sub_category}
        changes: dict[str, object] = {key: value for key, value in given.items() if value is not None}
        changes |= {} if tags is None else {"tags": tuple(tags)}
        changes |= structures or {}
        with self._studio() as studio:
            return Template._of(templates.edit_template(studio, templates.find_template(studio, template), changes))

    def delete(self, template: str) -> Template:
        """Hide one of the person's templates; `undelete` brings it back."""
        with self._studio() as studio:
            return Template._of(templates.delete_template(studio, templates.find_template(studio, template)))

    def undelete(self, template: str) -> Template:
        """Show a deleted template again."""
        with self._studio() as studio:
            found = templates.find_template(studio, template, deleted=True)
            return Template._of(templates.undelete_template(studio, found))

    def rate(self, template: str, stars: int) -> Template:
        """Give a template 1 to 5 stars."""
        with self._studio() as studio:
            return Template._of(templates.rate_template(studio, templates.find_template(studio, template), stars))

    def export(self, template: str, file: StrPath, *, overwrite: bool = False) -> int:
        """Write a template to a file for somebody else; returns its bytes.

        Raises:
            InputError: the file exists, or cannot be written.
        """
        with self._studio() as studio:
            return write_template_file(templates.find_template(studio, template), os.fspath(file), overwrite=overwrite)

    def import_file(self, file: StrPath, *, name: str | None = None) -> Template:
        """Add a template from a file, under another name if one is given.

        Raises:
            TemplateUnusable: it is not a template. InputError: a template has that name.
        """
        with self._studio() as studio:
            return Template._of(read_template_file(studio, os.fspath(file), name=name))
