"""Notes, provenance and recipes that another machine wrote: whatever is in them, every command goes on."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.annotations.notes import add_note, find_note, note_of, notes, reply, resolve_note
from aura_vcs.annotations.places import find_now
from aura_vcs.annotations.provenance import check_licences, costs, log, provenance
from aura_vcs.annotations.recipes import recipe_of, recipes, set_recipe, stale
from aura_vcs.cli.commands.note import _lines as note_lines
from aura_vcs.cli.output.console import to_json, written
from aura_vcs.cli.shared.notes import located_to_json, note_to_json
from aura_vcs.errors import AuraError
from aura_vcs.ids import ObjectId, blob_id
from aura_vcs.maintenance.fsck import fsck
from aura_vcs.maintenance.gc import execute_gc, plan_gc
from aura_vcs.model import Annotation, Field
from aura_vcs.project.derived import list_derived, make, plan_eviction
from aura_vcs.refs.annotations import MERGED_BYTES, NOTE, PROVENANCE, RECIPE
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.offload.evict import free_evicted, plan_version_eviction

from tests.sync.machines import machine, save

NAMES = {
    NOTE: ("target", "created_at", "created_by", "color", "resolved", "deleted", "wording/12345678", "reply/12345678"),
    PROVENANCE: ("kind", "cost", "currency", "tokens", "parameters", "inputs", "prompt", "path", "commercial",
                 "license", "made_at", "deleted", "signature"),
    RECIPE: ("command", "inputs", "output", "environment", "made_at", "evict", "freed", "deleted", "path"),
}  # fmt: skip
ABSURD: list[Any] = [
    -1, 1 << 53, 1e308, "", "x" * 100_000, "\x1b[2J\u202egnp.exe\n\0", "../../../etc/passwd", [], [[[[]]]], {},
    {"text": 3}, {"text": "\x1b[31m"}, {"text": "ok", "at": [], "by": {}}, {"at": "yesterday", "size": -5},
    {"version": "0" * 64, "path": "/etc/passwd", "start": -1, "end": "x", "region": [2, 2, 2, 2], "field": "x" * 9_000},
    {"path": "cut.mp4", "start": 1e300, "end": -1e300, "clip": {"name": [], "source_start": 1.5}, "anchors": "x"},
    ["rm", "-rf", "{output}"], [{"path": "../x", "content": "zz"}], [{"content": "0" * 64, "path": "\0"}] * 3, True,
    "9" * 5_000, "NaN", "9999-99-99T99:99:99Z",
]  # fmt: skip


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    """A project with a film, a note, a provenance and a recipe."""
    found = machine(tmp_path / "film", "Ada")
    save(found, "cut.mp4", b"film")
    add_note(found, "cut.mp4", "look")
    set_recipe(found, "cut.mp4", ["cp", "{input}", "{output}"], ["cut.mp4"])
    yield found
    found.close()


def arrives(repo: Repository, room: str, item: Annotation) -> None:
    """A tool for synchronizing folders brings a record."""
    folder = Path(repo.root, ".aura/refs", room)
    folder.mkdir(parents=True, exist_ok=True)
    fields = {
        key: {"value": f.value, "stamp": list(f.stamp), "updated_at": f.updated_at, "updated_by": f.updated_by}
        for key, f in item.fields.items()
    }
    (folder / f"{item.id}.json").write_text(json.dumps({"id": item.id, "fields": fields}))


def use(repo: Repository) -> None:
    """Whatever is asked of all three is answered, or refused with words."""
    for note in [*notes(repo), *notes(repo, state="deleted"), *notes(repo, state="resolved")]:
        note_to_json(repo, note)
        "".join(written(line) for line in note_lines(repo, note))
        now = find_now(repo, note.target)
        to_json({"note": note_to_json(repo, note), "now": located_to_json(repo, now)})
    for item in log(repo):
        to_json(item.facts)
        provenance(repo, item.id)
    for by in ("model", "program", "kind", "person", "month", "project"):
        costs(repo, by)  # type: ignore[arg-type]
    check_licences(repo)
    recipes(repo)
    stale(repo)
    ours = ObjectId(blob_id(b"film"))
    for made in (made for made in list_derived(repo) if made.content != ours):
        with pytest.raises(AuraError):  # nobody agreed to it, or it is none
            make(repo, next(r for r in recipes(repo) if r.content == made.content))
    plan_eviction(repo)
    plan_version_eviction(repo)
    free_evicted(repo, grace_seconds=0)
    execute_gc(repo, plan_gc(repo, grace_seconds=0))


@pytest.mark.parametrize("room", sorted(NAMES))
def test_absurd_fields(repo: Repository, room: str) -> None:
    """Each field with each absurd value: all commands go on, nothing of ours is lost, the index is made anew."""
    content = recipes(repo)[0].content
    stamp, at = (7, repo.replica), "2026-01-01T00:00:00.000000Z"
    for number, name in enumerate(NAMES[room]):
        fields = {}
        for value in ABSURD:
            fields = {name: Field(value, stamp, at, "Mallory")}
            id_ = f"{number:032x}" if room == NOTE else ObjectId(f"{number:064x}")
            item = Annotation(id_, fields)
            (note_of if room == NOTE else recipe_of)(item)
            stamp = (stamp[0] + 1, stamp[1])
            if value in (ABSURD[13], ABSURD[14], ABSURD[16]) or isinstance(value, list):
                arrives(repo, room, item)
                repo.refresh()
                repo.rebuild_index()
                use(repo)
        assert fields
    assert "look" in {note.text for note in notes(repo)}
    assert content in {recipe.content for recipe in recipes(repo)}
    assert repo.store.read(content) == b"film"


@pytest.mark.parametrize("who", ["\x1b[31mMallory\n", "x" * 100_000, ""])
@pytest.mark.parametrize("at", ["", "tomorrow", "9999-12-31T23:59:59.999999Z", "\x1b[2J"])
def test_absurd_times_and_people(repo: Repository, who: str, at: str) -> None:
    """Neither a time that is none nor a name full of escapes hinders, or reaches a terminal."""
    fields = {"wording/12345678": {"text": "hi"}, "target": {"path": "cut.mp4"}, "resolved": True}
    item = Annotation("f" * 32, {key: Field(value, (1, repo.replica), at, who) for key, value in fields.items()})
    arrives(repo, NOTE, item)
    repo.refresh()
    repo.rebuild_index()
    use(repo)
    lines = "".join(written(line) for note in notes(repo) for line in note_lines(repo, note))
    assert "\x1b[31mMallory" not in lines
    assert "\x1b[2J" not in lines


@pytest.mark.parametrize("many", [MERGED_BYTES - 60_000, MERGED_BYTES + 100])
def test_a_note_at_the_limit(repo: Repository, many: int) -> None:
    """One that is as large as may be read is a note like any; a larger one is named, and hides no other."""
    count = many // 9_200 if many <= MERGED_BYTES else many // 9_000 + 1
    words = {f"reply/{n:08x}": {"text": "y" * 9_000, "at": "", "by": ""} for n in range(count)}
    words["wording/12345678"] = {"text": "hi"}
    item = Annotation("f" * 32, {key: Field(v, (1, repo.replica), "", "Mallory") for key, v in words.items()})
    arrives(repo, NOTE, item)
    path = Path(repo.root, f".aura/refs/{NOTE}/{item.id}.json")
    with path.open("a") as file:
        file.write(" " * (many - os.path.getsize(path)))
    repo.refresh()
    if many > MERGED_BYTES:
        assert any(item.id in str(problem) for problem in fsck(repo).problems)
        path.unlink()
    repo.rebuild_index()
    use(repo)
    assert "look" in {note.text for note in notes(repo)}
    if many <= MERGED_BYTES:
        found = find_note(repo, item.id)
        assert len(found.replies) == count
        with pytest.raises(AuraError):
            _say_more(repo, item.id)
        assert resolve_note(repo, item.id).state == "resolved"
        assert fsck(repo).problems == ()


def _say_more(repo: Repository, note: str) -> None:
    for _ in range(9):
        reply(repo, note, "z" * 9_999)
