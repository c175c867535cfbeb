"""Templates: what new projects begin with.

System templates come with the package and never change. A person's own lie in the studio's
folder, one file each; those that came from somebody else's file are community templates.
Uses and ratings are kept apart from both.
"""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Any

import msgspec
from blake3 import blake3
from msgspec import Meta

from aura_vcs.codec import convert, decode_json, encode_compact, from_plain
from aura_vcs.errors import AuraError, InputError
from aura_vcs.errors.input import UnknownName
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.studio import TemplateProtected, TemplateUnusable
from aura_vcs.history.sources.content_source import ContentSource
from aura_vcs.ids import new_uuid
from aura_vcs.plain_text import now
from aura_vcs.studio.action_log import ActionDraft, act, acting, changed
from aura_vcs.studio.configuration import get_configuration
from aura_vcs.studio.folder import RATINGS, TEMPLATES
from aura_vcs.studio.studio import Studio
from aura_vcs.studio.template_files import (
    Documents,
    check_documents,
    check_texts,
    documents_of,
    script_structure,
    texts_of,
)
from aura_vcs.suggestions import suggest

NAME_LIMIT, DESCRIPTION_LIMIT = 200, 2000
FILE_BYTES_LIMIT = 16 << 20
"""Bytes of the largest template file."""
STARS = range(1, 6)
_SHIPPED = resources.files("aura_vcs.studio") / "system_templates"
FORMAT = "aura-template 1"
"""The `format` of an exported template."""


class Template(msgspec.Struct, frozen=True):
    """A template with all that is known of it; `documents` are the files of a new project."""

    id: Annotated[str, Meta(max_length=100)]
    name: Annotated[str, Meta(min_length=1, max_length=NAME_LIMIT)]
    documents: Documents
    description: Annotated[str, Meta(max_length=DESCRIPTION_LIMIT)] = ""
    category: Annotated[str, Meta(max_length=100)] | None = None
    sub_category: Annotated[str, Meta(max_length=100)] | None = None
    tags: tuple[Annotated[str, Meta(max_length=100)], ...] = ()
    author: Annotated[str, Meta(max_length=200)] = ""
    preview_image: Annotated[str, Meta(max_length=1000)] | None = None
    preview_video: Annotated[str, Meta(max_length=1000)] | None = None
    script_structure: Any = None
    video_structure: Any = None
    llm_pipeline: Any = None
    visual_preferences: Any = None
    is_system_template: bool = False
    is_community_template: bool = False
    is_default: bool = False
    usage_count: int = 0
    rating: float = 0.0
    rating_count: int = 0
    created_at: str = ""
    updated_at: str = ""
    created_by: str = ""
    modified_by: str = ""
    deleted_at: str | None = None
    deleted_by: str | None = None
    texts: dict[str, str] = {}
    """Files that are no documents, by name; see template_files.TEXTS."""


class Popularity(msgspec.Struct, frozen=True):
    """Uses of a template, and the stars that each person gave it."""

    usage_count: int = 0
    stars: dict[str, int] = {}


class RatingsFile(msgspec.Struct, frozen=True):
    """`ratings.json`: by template."""

    templates: dict[str, Popularity] = {}


STRUCTURES = ("script_structure", "video_structure", "llm_pipeline", "visual_preferences")
"""What a template says, in JSON, of how a film is made from it."""
EDITABLE = (
    *("name", "description", "category", "sub_category", "tags", "author", "preview_image", "preview_video"),
    *STRUCTURES,
)
"""What `edit_template` changes."""
STRUCTURE_BYTES_LIMIT = 1 << 20
"""Bytes of JSON in one of STRUCTURES."""
SHIPPED_AT = "2026-11-23T07:20:17Z"
"""When the templates that come with the package were made."""


def list_templates(
    studio: Studio, *, category: str | None = None, sub_category: str | None = None, system: bool | None = None,
    deleted: bool = False,
) -> list[Template]:  # fmt: skip
    """List templates by name; deleted ones only when they are asked for, and then alone."""
    _refresh(studio)
    statement, values = templates_statement(category, sub_category, system=system, deleted=deleted)
    found = [decode_json(row[0], Template) for row in studio.index.rows(statement, values)]
    default = get_configuration(studio, "templates.default").value
    return [
        msgspec.structs.replace(item, is_default=True) if default in (item.id, item.name) else item for item in found
    ]


def templates_statement(
    category: str | None = None, sub_category: str | None = None, *, system: bool | None = None, deleted: bool = False
) -> tuple[str, list[Any]]:
    """Build the SELECT that answers `list_templates`, and its values."""
    parts = ["deleted_at IS NOT NULL" if deleted else "deleted_at IS NULL"]
    values: list[Any] = []
    for column, value in (("category", category), ("sub_category", sub_category)):
        if value is not None:
            parts.append(f"{column} = ?")
            values.append(value)
    if system is not None:
        parts.append("is_system" if system else "NOT is_system")
    return f"SELECT record FROM templates WHERE {' AND '.join(parts)} ORDER BY name COLLATE NOCASE", values


def find_template(studio: Studio, name: str, *, deleted: bool = False) -> Template:
    """Find the template that `name` means: an id or its beginning, a name, or "default".

    Raises:
        UnknownName: none, or several, go by it; suggests near ones.
    """
    known = list_templates(studio, deleted=deleted)
    if name == "default" and not deleted:
        chosen = next((item for item in known if item.is_default), None)
        if chosen is None:
            raise UnknownName("template", name, hint="Choose one: `aura config set templates.default NAME`.")
        return chosen
    folded = name.casefold()
    for matches in (
        [item for item in known if item.id == name],
        [item for item in known if item.name.casefold() == folded],
        [item for item in known if len(name) >= 4 and item.id.startswith(folded)],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            ids = " or ".join(item.id[:8] for item in matches)
            raise UnknownName("template", name, hint=f"Several go by that name; use {ids}.")
    names = [text for item in known for text in (item.name, item.id)]
    raise UnknownName("template", name, suggest(name, names), hint="`aura template list` shows them.")


def new_from_project(
    studio: Studio, source: ContentSource, name: str, *, description: str = "", category: str | None = None,
    tags: tuple[str, ...] = (),
) -> Template:  # fmt: skip
    """Make a template of a project's documents: without its ids, dates and media.

    Raises:
        InputError: no name, or a template has it.
        TemplateUnusable: a document cannot be read.
    """
    documents = documents_of(source, name)
    own = documents.get("project.json", {})
    at, by = now(), studio.folder.user
    made = Template(
        id=new_uuid(), name=name, documents=documents, texts=texts_of(source),
        description=description or str(own.get("description", "")),
        category=category or own.get("category"), tags=tags or tuple(map(str, own.get("tags", ()))), author=by,
        script_structure=script_structure(documents), created_at=at, updated_at=at, created_by=by, modified_by=by,
    )  # fmt: skip
    return _store(studio, made, ActionDraft("template.new", f"Made the template {name!r}"), new=True)


def edit_template(studio: Studio, template: Template, changes: Mapping[str, Any]) -> Template:
    """Change fields of EDITABLE.

    Raises:
        TemplateProtected: it is a system template.
        InputError: there is no such field, or it cannot have that value.
    """
    _check_own(template, "changed")
    for field in changes:
        if field not in EDITABLE:
            raise InputError(f"A template's {field} cannot be changed", hint=f"There is: {', '.join(EDITABLE)}")
        if field in STRUCTURES:
            _check_structure(field, changes[field])
    edited = msgspec.structs.replace(template, **changes)
    draft = ActionDraft("template.edit", f"Changed the template {template.name!r}", can_batch=True)
    return _store(studio, edited, draft, new="name" in changes and changes["name"] != template.name)


def _check_structure(field: str, value: Any) -> None:
    """Refuse what is not a JSON object or list, or too large."""
    if value is not None and not isinstance(value, dict | list):
        raise InputError(f"A template's {field} is a JSON object or list, not {value!r}"[:200])
    if len(encode_compact(value)) > STRUCTURE_BYTES_LIMIT:
        raise InputError(f"A template's {field} has at most {STRUCTURE_BYTES_LIMIT:,} bytes of JSON")


def delete_template(studio: Studio, template: Template) -> Template:
    """Hide a template of the person's own; `undelete_template` brings it back.

    Raises:
        TemplateProtected: it is a system template.
    """
    _check_own(template, "deleted")
    hidden = msgspec.structs.replace(template, deleted_at=now(), deleted_by=studio.folder.user)
    return _store(studio, hidden, ActionDraft("template.delete", f"Deleted the template {template.name!r}"))


def undelete_template(studio: Studio, template: Template) -> Template:
    """Show a deleted template again."""
    shown = msgspec.structs.replace(template, deleted_at=None, deleted_by=None)
    return _store(
        studio, shown, ActionDraft("template.undelete", f"Brought the template {template.name!r} back"), new=True
    )


def rate_template(studio: Studio, template: Template, stars: int) -> Template:
    """Give a template 1 to 5 stars; again, and the new rating takes the place of the old.

    Raises:
        InputError: not 1 to 5.
    """
    if stars not in STARS:
        raise InputError(f"{stars} is not a rating", hint="A template gets 1 to 5 stars.")
    with acting(studio.folder):
        change = changed(studio.folder, RATINGS, stars, "templates", template.id, "stars", studio.folder.user)
        draft = ActionDraft("template.rate", f"Rated the template {template.name!r}", (change,), can_batch=True)
        act(studio.folder, draft)
    return find_template(studio, template.id)


def count_use(studio: Studio, template: Template) -> None:
    """Count that a project was made from the template."""
    with studio.folder.lock():
        file = studio.folder.load(RATINGS, RatingsFile) or RatingsFile()
        known = file.templates.get(template.id, Popularity())
        used = Popularity(known.usage_count + 1, known.stars)
        studio.folder.put(RATINGS, RatingsFile({**file.templates, template.id: used}))


def export_template(template: Template) -> bytes:
    """Encode the template as a file for somebody else: JSON, without the uses and ratings of this studio."""
    plain = msgspec.to_builtins(
        msgspec.structs.replace(
            template, is_default=False, is_system_template=False, usage_count=0, rating=0.0, rating_count=0,
            deleted_at=None, deleted_by=None,
        )
    )  # fmt: skip
    return (json.dumps({"format": FORMAT, **plain}, indent=2, ensure_ascii=False) + "\n").encode()


def import_template(studio: Studio, data: bytes, file: str, *, name: str | None = None) -> Template:
    """Take a template from somebody's file, as a community template with an id of its own.

    Raises:
        TemplateUnusable: it is not a template, or its documents would leave the project folder.
        InputError: a template has that name.
    """
    if len(data) > FILE_BYTES_LIMIT:
        raise TemplateUnusable(file, f"it has more than {FILE_BYTES_LIMIT:,} bytes")
    try:
        value = msgspec.json.decode(data)
        if not isinstance(value, dict) or value.get("format") != FORMAT:
            raise TemplateUnusable(file, f"its format is not {FORMAT!r}")
        found = from_plain({**value, "id": new_uuid()}, Template, file)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise TemplateUnusable(file, "it is not JSON") from error
    except RecordCorrupt as error:
        raise TemplateUnusable(file, error.detail) from error
    check_documents(found.documents, file)
    check_texts(found.texts, file)
    at, by = now(), studio.folder.user
    made = msgspec.structs.replace(
        found, name=name or found.name, is_community_template=True, is_system_template=False, is_default=False,
        usage_count=0, rating=0.0, rating_count=0, created_at=at, updated_at=at, created_by=by, modified_by=by,
        deleted_at=None, deleted_by=None,
    )  # fmt: skip
    return _store(studio, made, ActionDraft("template.import", f"Imported the template {made.name!r}"), new=True)


def system_templates() -> list[Template]:
    """Load the templates that come with the package."""
    found = [decode_json((_SHIPPED / name).read_bytes(), Template) for name in _shipped_names()]
    return [
        msgspec.structs.replace(
            item, is_system_template=True, author="aura_vcs", created_at=SHIPPED_AT, updated_at=SHIPPED_AT,
            created_by="aura_vcs", modified_by="aura_vcs",
        )
        for item in found
    ]  # fmt: skip


def _shipped_names() -> list[str]:
    return sorted(item.name for item in _SHIPPED.iterdir() if item.name.endswith(".json"))


def _check_own(template: Template, wanted: str) -> None:
    if template.is_system_template:
        raise TemplateProtected(template.name, wanted)


def _store(studio: Studio, template: Template, draft: ActionDraft, *, new: bool = False) -> Template:
    """Write a template's file, as an action; with `new`, its name must be free."""
    name = " ".join("".join(c if c.isprintable() else " " for c in template.name).split())
    try:
        checked = convert(
            msgspec.to_builtins(
                msgspec.structs.replace(
                    template, name=name, is_default=False, usage_count=0, rating=0.0, rating_count=0,
                    updated_at=now(), modified_by=studio.folder.user,
                )
            ),
            Template,
        )  # fmt: skip
    except msgspec.ValidationError as error:
        raise InputError(f"The template cannot be like that: {error}") from error
    with acting(studio.folder):
        if new and any(item.name.casefold() == name.casefold() for item in list_templates(studio)):
            raise InputError(f"A template called {name!r} exists", hint="Choose another name with --name.")
        change = changed(studio.folder, f"{TEMPLATES}/{checked.id}.json", checked)
        act(studio.folder, msgspec.structs.replace(draft, changes=(change,)))
    return find_template(studio, checked.id, deleted=checked.deleted_at is not None)


def _refresh(studio: Studio) -> None:
    folder = studio.folder
    files = [folder.stamp(RATINGS), *(folder.stamp(f"{TEMPLATES}/{name}") for name in folder.storage.list(TEMPLATES))]
    shipped = [blake3((_SHIPPED / name).read_bytes()).hexdigest()[:16] for name in _shipped_names()]
    stamp = " ".join([folder.stamp(TEMPLATES), *files, *shipped])
    studio.index.keep_current(TEMPLATES, lambda connection: _insert(studio, connection), stamp)


def _insert(studio: Studio, connection: Any) -> None:
    popularity = (studio.folder.load(RATINGS, RatingsFile) or RatingsFile()).templates
    connection.execute("DELETE FROM templates")
    for template in [*system_templates(), *_own_templates(studio)]:
        item = _with_popularity(template, popularity.get(template.id, Popularity()))
        connection.execute(
            "INSERT OR REPLACE INTO templates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                item.id, item.name, item.category, item.sub_category, item.is_system_template, item.is_default,
                item.usage_count, item.rating, item.deleted_at, encode_compact(item),
            ),
        )  # fmt: skip


def _own_templates(studio: Studio) -> list[Template]:
    found = []
    for file in studio.folder.storage.list(TEMPLATES):
        try:
            template = studio.folder.load(f"{TEMPLATES}/{file}", Template) if file.endswith(".json") else None
        except AuraError as error:
            studio.folder.progress.note(f"{error.message}; it is skipped")
            continue
        if template is not None:
            found.append(msgspec.structs.replace(template, is_system_template=False))
    return found


def _with_popularity(template: Template, found: Popularity) -> Template:
    count = len(found.stars)
    rating = round(sum(found.stars.values()) / count, 2) if count else 0.0
    return msgspec.structs.replace(template, usage_count=found.usage_count, rating=rating, rating_count=count)
