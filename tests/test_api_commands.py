"""Programs can do what the command line can: each command and option has a counterpart in the API and on its page."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args

import aura_vcs as aura
import click
import msgspec
import pytest
from aura_vcs.cli.main import cli

PAGE = (Path(__file__).parent.parent / "docs/api.md").read_text("utf-8")

ONLY_FOR_PEOPLE = {"completion", "demo", "help", "helper start", "helper status", "helper stop", "ui", "watch start",
                   "watch status", "watch stop"}  # fmt: skip
"""Commands that do something to a terminal, and nothing to a project."""
ONLY_WORDS = {"--json", "--yes", "--no-pager", "--traceback", "--version"}
"""Options about what is printed or asked, or that Python has of its own."""

# Of each command: what does the same, and the options that go by another name there. A dotted one is a field
# of a value that is handed over; () is for what the result has anyway, or what is only about how it is shown.
COMMANDS: dict[str, tuple[str, dict[str, str | tuple[()]]]] = {
    "": ("open", {"-C": "path"}),
    "init": ("init init_bare Project.write_agents_page", {"FOLDER": "path", "--bare": "folder", "--agents": ()}),
    "status": ("Project.status Project.check", {}),
    "commit": ("Project.commit Project.amend", {"--message": "name", "--amend": ()}),
    "untrack": ("Project.untrack", {}),
    "log": (
        "Project.log Project.field_history Project.clip_history",
        {"-n": "limit", "--type": "types", "--grep": "search", "--all": "everything", "--oneline": (), "--graph": (),
         "--field": "pointer", "--clip": "name"},
    ),
    "show": ("Project.show Project.open_file Project.read Project.files", {"WHAT": "version"}),
    "ls": ("Project.files", {"WHAT": "version"}),
    "whoami": ("Project.author", {"--author": "Options.author"}),
    "diff": (
        "Project.diff FileChange.inside FileChange.picture Diff.report diff_files",
        {"VERSIONS": "old", "--stat": (), "--name-only": (), "--details": "lines", "--files": (), "--heat-map": "kind",
         "--side-by-side": "kind", "--html": "title"},
    ),
    "blame": ("Project.blame", {"FILE": "path"}),
    "cat": ("Project.read Project.open_file Debug.read", {"WHAT": "id"}),
    "checkout": ("Project.checkout", {"WORDS": "version", "--create": "new_branch"}),
    "restore": ("Project.restore", {}),
    "merge": (
        "Project.merge Project.plan_merge Project.abort_merge",
        {"NAME": "version", "--abort": (), "--dry-run": ()},
    ),
    "resolve": (
        "Project.resolve Project.conflicts",
        {"--list": (), "--ours": "decision", "--theirs": "decision", "--base": "decision", "--both": "decision",
         "--as-is": "decision", "--from": "source"},
    ),
    "undo": ("Project.undo Project.undo_session Studio.undo", {"--id": "operation", "--studio": ()}),
    "redo": ("Project.redo Studio.redo", {"--id": "operation", "--studio": ()}),
    "ops": (
        "Operations.list Operations.record Studio.actions",
        {"OPERATION": "action", "-n": "limit", "--correlation": "correlation_id", "--all": "everything",
         "--studio": ()},
    ),
    "branch list": ("Branches.__iter__", {}),
    "branch create": ("Branches.create", {}),
    "branch rename": ("Branches.rename", {}),
    "branch delete": ("Branches.delete", {}),
    "tag list": ("Tags.__iter__", {}),
    "tag create": ("Tags.create", {}),
    "tag delete": ("Tags.delete", {}),
    "note add": ("Notes.add", {}),
    "note list": ("Notes.list", {"-n": "limit", "--open": "state"}),
    "note show": ("Notes.__getitem__ Notes.locate", {"ID": "note"}),
    "note reply": ("Notes.reply", {"ID": "note"}),
    "note resolve": ("Notes.resolve", {"ID": "note"}),
    "note reopen": ("Notes.reopen", {"ID": "note"}),
    "note edit": ("Notes.edit", {"ID": "note"}),
    "note import": ("Notes.import_markers", {"WHERE": "file"}),
    "note export": ("Notes.export_markers", {"WHERE": "file"}),
    "note delete": ("Notes.delete", {"ID": "note"}),
    "provenance show": ("Provenances.__getitem__", {}),
    "provenance set": ("Provenances.set", {"--parameter": "parameters", "--input": "inputs", "--unset": ()}),
    "provenance log": ("Provenances.log", {"-n": "limit"}),
    "provenance check": ("Provenances.check", {}),
    "derived list": ("DerivedFiles.__iter__ DerivedFiles.stale", {}),
    "derived set": ("DerivedFiles.set", {"--input": "inputs"}),
    "derived why": ("DerivedFiles.__getitem__", {"FILE": "path"}),
    "derived make": ("DerivedFiles.make", {"--yes": "agreed"}),
    "derived evict": (
        "DerivedFiles.evict DerivedFiles.plan_evict DerivedFiles.evict_versions DerivedFiles.plan_evict_versions",
        {"--dry-run": (), "--versions": (), "--remote": ()},
    ),
    "cost": ("Provenances.costs Studio.costs", {"--all": (), "--budget": ()}),
    "version list": ("Versions.list", {"--type": "types", "-n": "limit"}),
    "version compare": ("Project.diff", {}),
    "version mark": ("Versions.edit", {"--off": "important"}),
    "version edit": ("Versions.edit", {}),
    "version delete": ("Versions.delete Versions.plan_purge", {"--dry-run": ()}),
    "version undelete": ("Versions.undelete", {}),
    "version purge": ("Versions.purge Versions.plan_purge", {"--dry-run": ()}),
    "project show": ("Project.info Project.document", {}),
    "project set": ("Project.set", {}),
    "project check": ("Project.check", {}),
    "project duplicate": ("Project.duplicate", {"--without-history": "with_history"}),
    "project delete": ("Project.delete", {}),
    "project undelete": ("Project.undelete", {}),
    "project purge": ("Project.purge Project.plan_purge", {"--dry-run": ()}),
    "scene list": ("Scenes.__iter__", {}),
    "scene show": ("Scenes.__getitem__", {}),
    "scene add": ("Scenes.add", {}),
    "scene set": ("Scenes.set", {}),
    "scene remove": ("Scenes.remove", {}),
    "scene move": ("Scenes.move", {"INDEX": "to"}),
    "asset list": ("Assets.list", {}),
    "asset show": ("Assets.__getitem__ Assets.facts", {}),
    "asset clean": ("Assets.clean Assets.plan_clean", {"--dry-run": (), "--older-than": "unused_for"}),
    "media index": (
        "MediaIndex.index MediaIndex.__getitem__ MediaIndex.get MediaIndex.room",
        {"--all": "everything", "--auto": ()},
    ),
    "media relink": ("Project.relink Project.plan_relink", {"--dry-run": ()}),
    "media collect": ("Project.collect Project.plan_collect", {"--to": "to", "--dry-run": ()}),
    "media unused": ("Project.unused_media", {}),
    "search": ("Project.search", {"-n": "limit"}),
    "checkpoint save": ("Checkpoints.save", {"--job": "job_id"}),
    "checkpoint list": ("Checkpoints.list", {"--all": "valid"}),
    "checkpoint latest": ("Checkpoints.latest Checkpoints.data", {}),
    "checkpoint invalidate": ("Checkpoints.invalidate Checkpoints.invalidate_all", {"--all": ()}),
    "recover": (
        "Checkpoints.recover Checkpoints.plan_recovery Studio.interrupted",
        {"--list": (), "--dry-run": ()},
    ),
    "export git": ("Project.export_git", {"FOLDER": "folder"}),
    "export otio": ("Project.export_otio", {}),
    "export version": ("Project.export_version", {}),
    "import git": (
        "Project.import_git Project.plan_import_git",
        {"PLACE": "place", "--dry-run": (), "--lfs-host": "lfs_hosts"},
    ),
    "git-driver install": ("install_git_driver", {"FOLDER": "folder"}),
    "git-driver merge": ("merge_for_git", {}),
    "git-driver diff": ("diff_files", {"ARGUMENTS": "old"}),
    "git-driver textconv": ("text_for_git", {}),
    "import folder": (
        "Project.import_folder Project.plan_folder", {"FOLDER": "plan", "--plan": "plan", "--dry-run": ()},
    ),
    "import database": (
        "import_database", {"--media-root": "roots", "--map": "maps", "--project": "titles", "--studio": "with_studio"},
    ),
    "export run": ("Exports.add Exports.run", {"--queue": ()}),
    "export start": ("Exports.run", {}),
    "export retry": ("Exports.retry Exports.run", {}),
    "export cancel": ("Exports.cancel", {}),
    "export list": ("Exports.list", {"-n": "limit"}),
    "export show": ("Exports.__getitem__", {}),
    "export presets": ("Exports.presets", {}),
    "autosave": ("Project.autosave Project.autosaves", {"--watch": (), "--no-prune": "rules"}),
    "restore-point": ("Project.restore_point", {}),
    "projects list": ("ListedProjects.list", {"--job": "job_id", "-n": "limit"}),
    "projects add": ("ListedProjects.add", {}),
    "projects scan": ("ListedProjects.scan", {}),
    "projects forget": ("ListedProjects.forget", {}),
    "template list": ("Templates.list", {}),
    "template show": ("Templates.__getitem__", {}),
    "template new-from-project": ("Templates.new_from_project", {}),
    "template edit": (
        "Templates.edit",
        {"--tag": "tags", "--script-structure": "structures", "--video-structure": "structures",
         "--llm-pipeline": "structures", "--visual-preferences": "structures"},
    ),
    "template delete": ("Templates.delete", {}),
    "template undelete": ("Templates.undelete", {}),
    "template rate": ("Templates.rate", {}),
    "template export": ("Templates.export", {"--output": "file"}),
    "template import": ("Templates.import_file", {}),
    "config get": ("StudioSettings.get ProjectSettings.__getitem__", {}),
    "config set": ("StudioSettings.set ProjectSettings.set", {"--project": (), "--stdin": (), "--type": "value_type"}),
    "config unset": ("StudioSettings.unset ProjectSettings.unset", {"--project": ()}),
    "config list": ("StudioSettings.list ProjectSettings.list", {"--set": "only_set"}),
    "config describe": ("StudioSettings.describe", {}),
    "setup": (
        "Setup.answer Setup.start_over Setup.suggestion Setup.state",
        {"--name": "text", "--output": "text", "--ffmpeg": "text", "--tier": "text", "--unattended": (), "--again": ()},
    ),
    "prune": (
        "Project.prune Project.plan_prune ProjectSettings.retention_rules",
        {"--dry-run": (),
         **{f"--{name.replace('_', '-')}": f"RetentionRules.{name}" for name in (
             "keep_autosaves", "autosave_days", "restore_point_days", "keep_hourly", "keep_daily", "keep_weekly",
             "keep_monthly")}},
    ),
    "remote list": ("Remotes.__iter__ Remotes.is_trusted", {}),
    "remote add": (
        "Remotes.add Remotes.remember make_key_file",
        {"URL": "address", "--key-file": "Credentials.key_file", "--remember": ()},
    ),
    "remote show": ("Remotes.compare", {}),
    "remote check": ("Remotes.check Remotes.fsck", {"--content": (), "--accept": "accept_older"}),
    "remote trust": ("Remotes.trust Remotes.distrust", {"--no": ()}),
    "remote remove": ("Remotes.remove", {}),
    "clone": (
        "clone Remotes.remember",
        {"URL": "address", "--encrypt": "encrypted", "--key-file": "Credentials.key_file", "--remember": ()},
    ),
    "sync": ("Project.sync", {}),
    "fetch": (
        "Project.fetch Project.plan_fetch Project.fetch_content Project.plan_content",
        {"WHAT": "remote", "--content": (), "--dry-run": ()},
    ),
    "pull": ("Project.pull", {}),
    "push": ("Project.push Project.plan_push", {"--dry-run": ()}),
    "lock": ("Locks.take", {}),
    "unlock": ("Locks.release", {"--all": ()}),
    "locks": ("Locks.list", {}),
    "bundle create": ("Project.bundle", {}),
    "bundle verify": ("verify_bundle", {}),
    "bundle clone": (
        "clone Remotes.remember",
        {"URL": "address", "--encrypt": "encrypted", "--key-file": "Credentials.key_file", "--remember": ()},
    ),
    "storage show": ("Project.storage", {}),
    "storage plan": (
        "Project.plan_free Project.free", {"--free": "wanted_bytes", "--execute": (), "--keep": "items"},
    ),
    "offload": (
        "Project.offload Project.plan_offload",
        {"WHAT": "versions", "--remote": "remotes", "--dry-run": ()},
    ),
    "gc": (
        "Project.gc Project.plan_gc Project.keep_house Remotes.gc Remotes.plan_gc MediaIndex.clear",
        {"--auto": (), "--media-index": (), "--dry-run": (), "--remote": "name", "--no-wait": "wait_for_others"},
    ),
    "fsck": ("Project.fsck Remotes.fsck", {"--remote": "name"}),
    "repair": (
        "Project.repair Project.plan_repair Project.repair_records Project.plan_record_repair Remotes.repair "
        "Remotes.plan_repair",
        {"--from": "remote", "--to": "name", "--dry-run": ()},
    ),
    "reindex": ("Project.reindex", {}),
    "mcp": ("serve_agents", {}),
    "serve": ("serve", {"--stdio": "requests"}),
    "debug object": ("Debug.object", {"OBJECT_ID": "id"}),
    "debug blobs": ("Debug.contents", {"-n": "limit"}),
    "debug ref": ("Debug.refs", {}),
    "debug index": ("Debug.tables Debug.rows", {"-n": "limit"}),
}  # fmt: skip


def _commands(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        if not words:
            yield "", command
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            if not inner.hidden:
                yield from _commands(inner, (*words, name))
    else:
        yield " ".join(words), command


KNOWN = dict(_commands(cli))


def found(name: str) -> object:
    """What a name of the table stands for."""
    it: object = aura
    for part in name.split("."):
        it = getattr(it, part)
    return it


def parameters(name: str) -> set[str]:
    """What a call takes."""
    it = found(name)
    if isinstance(it, property):
        return set()
    assert callable(it)
    taken = inspect.signature(it).parameters.values()
    known = {item.name for item in taken if item.kind is not item.VAR_KEYWORD}
    return known.union(
        *(get_args(item.annotation)[0].__annotations__ for item in taken if item.kind is item.VAR_KEYWORD)
    )


def test_no_command_is_missing() -> None:
    """Whoever adds a command says what programs call."""
    assert set(COMMANDS) == set(KNOWN) - ONLY_FOR_PEOPLE


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_parameter(command: str) -> None:
    """By the same name, or by the one that the table says."""
    names, others = COMMANDS[command]
    taken = set().union(*map(parameters, names.split()))
    for item in KNOWN[command].params:
        option = item.opts[-1] if item.param_type_name == "option" else (item.name or "").upper()
        option = "-n" if "-n" in item.opts and "limit" in taken else option
        if option in ONLY_WORDS:
            continue
        wanted = others.get(option, option.lstrip("-").replace("-", "_").lower())
        if isinstance(wanted, str) and "." in wanted:
            kind, _, field = wanted.partition(".")
            assert field in _fields(found(kind)), f"aura {command} {option}"
        elif wanted:
            assert wanted in taken, f"aura {command} {option}: none of {names} takes {wanted}"


def _fields(kind: object) -> set[str]:
    assert isinstance(kind, type)
    if issubclass(kind, dict):
        return set(kind.__annotations__)
    if issubclass(kind, msgspec.Struct):
        return set(kind.__struct_fields__)
    assert is_dataclass(kind)
    return {field.name for field in fields(kind)}


def test_the_page_has_the_table() -> None:
    """What a command does is found by its name; the page says what of it programs call."""
    rows = dict(re.findall(r"^\| `aura ([a-z -]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert rows == {
        command: ", ".join(f"`{_shown(name)}`" for name in names.split())
        for command, (names, _) in COMMANDS.items()
        if command
    }


PLACES = {
    "Versions": "project.versions", "Branches": "project.branches", "Tags": "project.tags",
    "Notes": "project.notes", "Provenances": "project.provenance", "DerivedFiles": "project.derived",
    "Operations": "project.operations", "Remotes": "project.remotes", "Scenes": "project.scenes",
    "Assets": "project.assets", "Checkpoints": "project.checkpoints", "Exports": "project.exports",
    "Locks": "project.locks", "Debug": "project.debug", "MediaIndex": "project.media_index",
    "ProjectSettings": "project.settings", "Project": "project",
    "Studio": "studio", "ListedProjects": "studio.projects", "Templates": "studio.templates",
    "StudioSettings": "studio.settings", "Setup": "studio.setup", "FileChange": "change", "Diff": "diff",
}  # fmt: skip


def _shown(name: str) -> str:
    kind, dot, method = name.rpartition(".")
    if not dot:
        return f"aura.{name}"
    place = PLACES[kind]
    if method == "__iter__":
        return f"for … in {place}"
    return f"{place}[…]" if method == "__getitem__" else f"{place}.{method}"


def table() -> str:
    """The rows as the page has them."""
    rows = [
        f"| `aura {command}` | {', '.join(f'`{_shown(name)}`' for name in names.split())} |"
        for command, (names, _) in COMMANDS.items()
        if command
    ]
    return "\n".join(["| command | from Python |", "|---|---|", *rows])
