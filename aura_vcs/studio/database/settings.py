"""The person's own part of the database: configuration, setup and templates go into their studio.

What the person has set here stays; a second import adds only what is new. All of it is taken back together.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from aura_vcs.codec import convert
from aura_vcs.errors import AuraError
from aura_vcs.errors.studio import SecretUnavailable, SettingInvalid
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.ids import new_uuid
from aura_vcs.plain_text import now
from aura_vcs.studio.action_log import ActionDraft, act, acting, changed
from aura_vcs.studio.configuration import SettingRequest, get_configuration, set_configuration
from aura_vcs.studio.database.cells import flag, identity, long_text, raw, text, time
from aura_vcs.studio.database.database_file import DatabaseFile, Row
from aura_vcs.studio.database.media import PathMap, mapped_path
from aura_vcs.studio.database.present import tags_of
from aura_vcs.studio.database.report import Losses
from aura_vcs.studio.database.translate import snake_case
from aura_vcs.studio.folder import SETUP, TEMPLATES
from aura_vcs.studio.project_configuration import OpenStudio
from aura_vcs.studio.setting_keys import OWN, ValueType
from aura_vcs.studio.setup import UserSetup, setup_state
from aura_vcs.studio.studio import Studio
from aura_vcs.studio.templates import Template, list_templates

_KNOWN = {
    "general.autosaveenabled": "autosave.enabled",
    "filelocations.outputdirectory": "general.output_directory",
    "filelocations.ffmpegpath": "media.ffmpeg_path",
}
"""Keys of the studio that have a counterpart of the same meaning."""
_SECONDS = {"general.autosaveintervalseconds": "autosave.interval_minutes"}
_PLACES = frozenset({"general.output_directory", "media.ffmpeg_path"})
_TYPES: dict[str, ValueType] = {"number": "number", "boolean": "boolean", "json": "json"}
_FIRST_PROJECT = "project.json"


class StudioImported(msgspec.Struct, frozen=True):
    """The keys and templates that are new, and whether the setup was taken."""

    settings: tuple[str, ...]
    templates: tuple[str, ...]
    setup: bool


def import_studio(
    database: DatabaseFile, studio: OpenStudio | None, maps: Sequence[PathMap], losses: Losses, *, dry_run: bool = False
) -> StudioImported | None:
    """Take configuration, setup and templates into the person's studio; None without one."""
    if studio is None:
        return None
    with studio() as opened:
        importer = _StudioImport(opened, maps, losses, dry_run=dry_run)
        settings = importer.settings(database)
        return StudioImported(settings, importer.templates(database), importer.setup(database))


class _StudioImport:
    def __init__(self, studio: Studio, maps: Sequence[PathMap], losses: Losses, *, dry_run: bool) -> None:
        self._studio, self._losses, self._dry_run = studio, losses, dry_run
        self._maps = maps
        self._seen: set[str] = set()
        self._together = new_uuid()

    def settings(self, database: DatabaseFile) -> tuple[str, ...]:
        """Set the keys that have no value here; returns them."""
        taken = []
        for row in sorted(database.rows("Configurations"), key=lambda one: str(one.get("key"))):
            name, value = text(row, "key", 300), row.get("value")
            if name is None or not isinstance(value, str):
                self._losses.leave("configuration", "they have no key or no value", str(row.get("key"))[:100])
                continue
            key = _key_for(name)
            if self._set(key, value, row):
                taken.append(key)
        for row in database.rows("system_configuration"):
            for column, key in (("ffmpegpath", "media.ffmpeg_path"), ("outputdirectory", "general.output_directory")):
                value = raw(row, column)
                if value is not None and key not in self._seen and self._set(key, value, {}):
                    taken.append(key)
        return tuple(taken)

    def _set(self, key: str, value: str, row: Row) -> bool:
        self._seen.add(key)
        try:
            before = get_configuration(self._studio, key)
            if before.version:
                return False  # the person has decided about it here, also that it is unset
            own = key.startswith(OWN)
            given: str | None = str(float(value) / 60) if str(row.get("key", "")).lower() in _SECONDS else value
            if key in _PLACES:
                given = mapped_path(value, self._maps)
            if given is None:
                self._losses.leave("configuration", "no such place on this machine; --map says where it is", key)
                return False
            if self._dry_run:
                return True
            set_configuration(
                self._studio,
                key,
                given,
                request=SettingRequest(
                    value_type=_TYPES.get((text(row, "valuetype") or "").lower())
                    if own and not _is_secret(row)
                    else None,
                    secret=own and _is_secret(row),
                    is_active=not row or flag(row, "isactive"),
                    description=text(row, "description", 500) or "",
                    correlation_id=self._together,
                ),
            )
        except SecretUnavailable as error:
            self._losses.leave("configuration", error.message, key)
            return False
        except (SettingInvalid, ValueError) as error:
            reason = error.reason if isinstance(error, SettingInvalid) else "it is not a number"
            self._losses.leave("configuration", reason, key)
            return False
        return True

    def setup(self, database: DatabaseFile) -> bool:
        """Take how far the first-run wizard came, where none was begun here; tells whether it was."""
        row = next(iter(database.rows("user_setup")), None)
        before = setup_state(self._studio)
        if row is None or before.wizard_state or before.completed:
            return False
        if self._dry_run:
            return True
        state: Any = {}
        content = raw(row, "wizardstate")
        if content is not None:
            try:
                value = parse(content.encode("utf-8", "replace"), "wizard_state").value()
                state = value if isinstance(value, dict) else {"state": value}
            except AuraError:
                self._losses.leave("setup", "the wizard's state is not JSON", identity(row))
        tier = text(row, "selectedtier", 100)
        made = UserSetup(
            user_id=self._studio.folder.user,
            completed=flag(row, "completed"),
            completed_at=time(row, "completedat"),
            last_step=str(row["laststep"])[:50] if row.get("laststep") is not None else None,
            selected_tier=tier.capitalize() if tier is not None else None,
            wizard_state=state,
            updated_at=time(row, "updatedat") or now(),
            id=identity(row),
        )
        with acting(self._studio.folder):
            change = changed(self._studio.folder, SETUP, made)
            said = "Imported the setup of the Aura studio"
            act(self._studio.folder, ActionDraft("setup.import", said, (change,), correlation_id=self._together))
        return True

    def templates(self, database: DatabaseFile) -> tuple[str, ...]:
        """Take the person's own templates; returns the names of those that are new."""
        known = {item.id for deleted in (False, True) for item in list_templates(self._studio, deleted=deleted)}
        names = {item.name.casefold() for item in list_templates(self._studio)}
        taken = []
        made = [self._template(row) for row in database.rows("templates") if not flag(row, "issystemtemplate")]
        made += [self._custom(row) for row in database.rows("custom_templates")]
        if any(flag(row, "issystemtemplate") for row in database.rows("templates")):
            self._losses.note("The studio's own templates were left: aura comes with its own")
        for item in made:
            if item.id in known:
                continue
            name, number = item.name, 1
            while name.casefold() in names and item.deleted_at is None:
                number += 1
                name = f"{item.name[:150]} ({number})"
            names.add(name.casefold())
            taken.append(name)
            if not self._dry_run:
                self._put(msgspec.structs.replace(item, name=name))
        return tuple(taken)

    def _put(self, item: Template) -> None:
        folder = self._studio.folder
        try:
            checked = convert(msgspec.to_builtins(item), Template)
        except msgspec.ValidationError as error:
            self._losses.leave("templates", str(error), item.name)
            return
        with acting(folder):
            change = changed(folder, f"{TEMPLATES}/{item.id}.json", checked)
            said = f"Imported the template {item.name!r}"
            act(folder, ActionDraft("template.import", said, (change,), correlation_id=self._together))

    def _template(self, row: Row) -> Template:
        return msgspec.structs.replace(
            self._common(row),
            sub_category=text(row, "subcategory", 100),
            preview_image=text(row, "previewimage", 1000),
            preview_video=text(row, "previewvideo", 1000),
            video_structure=self._structure(row, "templatedata"),
            is_community_template=flag(row, "iscommunitytemplate"),
        )

    def _custom(self, row: Row) -> Template:
        return msgspec.structs.replace(
            self._common(row),
            script_structure=self._structure(row, "scriptstructurejson"),
            video_structure=self._structure(row, "videostructurejson"),
            llm_pipeline=self._structure(row, "llmpipelinejson"),
            visual_preferences=self._structure(row, "visualpreferencesjson"),
        )

    def _common(self, row: Row) -> Template:
        created, updated = time(row, "createdat") or now(), time(row, "updatedat") or now()
        user = text(row, "createdby", 200) or text(row, "author", 200) or self._studio.folder.user
        deleted = flag(row, "isdeleted")
        return Template(
            id=identity(row),
            name=text(row, "name", 190) or "Untitled",
            documents={_FIRST_PROJECT: {}},
            description=long_text(row, "description") or "",
            category=text(row, "category", 100),
            tags=tuple(tags_of(row)),
            author=text(row, "author", 200) or "",
            created_at=created,
            updated_at=updated,
            created_by=user,
            modified_by=text(row, "modifiedby", 200) or user,
            deleted_at=(time(row, "deletedat") or updated) if deleted else None,
            deleted_by=(text(row, "deletedby", 200) or text(row, "deletedbyuserid", 200) or user) if deleted else None,
        )

    def _structure(self, row: Row, column: str) -> Any:
        content = raw(row, column)
        if content is None:
            return None
        try:
            value = parse(content.encode("utf-8", "replace"), column).value()
        except AuraError:
            value = None
        if not isinstance(value, dict | list):
            self._losses.leave("templates", f"their {column} is not JSON", text(row, "name") or identity(row))
            return None
        return value


def _is_secret(row: Row) -> bool:
    return flag(row, "issensitive")


def _key_for(name: str) -> str:
    """Return the key here of a key of the studio: the one of the same meaning, or one of the person's own."""
    folded = name.lower()
    known = _KNOWN.get(folded) or _SECONDS.get(folded)
    if known is not None:
        return known
    words = ".".join(snake_case(part) for part in name.split("."))
    return OWN + "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in words.lower())
