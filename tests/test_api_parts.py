"""The parts of the front door that few programs need: each does what its command does."""

import io
import json
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import aura_vcs as aura
import pytest
from aura_vcs.api import opened
from aura_vcs.storage.remotes.folder import FolderRemote


@pytest.fixture
def film(tmp_path: Path) -> Iterator[aura.Project]:
    """A project with two versions, opened, with a studio."""
    home = aura.Credentials(home=tmp_path / "studio")
    with aura.init(tmp_path / "film", title="Comet", author="Mara", credentials=home) as project:
        brief = project.path / "brief.json"
        brief.write_text('{"tone": "warm", "topic": "comets"}')
        (project.path / "script.txt").write_text("One.\n")
        project.commit("First")
        brief.write_text('{"tone": "cold", "topic": "comets"}')
        (project.path / "script.txt").write_text("One.\nTwo.\n")
        project.commit("Second")
        yield project


def test_who_wrote_what_and_when(film: aura.Project) -> None:
    """Blame by line and field, the history of a field, and words that are found."""
    assert [(part.text, str(part.version)) for part in film.blame("script.txt")] == [("One.", "v1"), ("Two.", "v2")]
    assert {part.place: str(part.version) for part in film.blame("brief.json")} == {"/tone": "v2", "/topic": "v1"}
    assert [(str(it.version), it.before, it.after) for it in film.field_history("brief.json", "/tone")] == [
        ("v2", "warm", "cold"),
        ("v1", None, "warm"),
    ]
    found = film.search("secon")
    assert [(item.kind, item.name, str(item.version)) for item in found] == [("version", "Second", "v2")]


def test_what_was_done_is_listed(film: aura.Project) -> None:
    """Newest first, with whether it was taken back; the whole record by an id."""
    film.undo()
    newest, *_ = film.operations
    assert [action.status for action in film.operations.list(type="commit")] == ["Undone", "Applied"]
    assert film.operations[newest.id[:8]] == newest
    assert film.operations.record(newest.id)["type"] == newest.type
    assert film.operations.list(limit=1, offset=1)[0].type == "commit"


def test_a_version_is_made_anew(film: aura.Project) -> None:
    """`amend` takes the last version's place; `new_branch` starts a branch where one goes."""
    before = film.show()
    done = film.amend("Second, better")
    assert done.amended is not None
    assert done.amended.id == before.id
    assert [version.name for version in film.versions] == ["Second, better", "First"]
    assert film.checkout("v1", new_branch="older").branch == "older"
    assert {file.path.name for file in film.files(recursive=False)} == {"brief.json", "script.txt", "project.json"}
    assert film.author == "Mara"


def test_a_project_is_set_hidden_and_purged(film: aura.Project) -> None:
    """Fields are set as one step of undo; only a deleted project is purged, and then nothing is left of it."""
    film.set({"title": "Comets", "status": "Completed"})
    assert (film.info().title, film.info().status) == ("Comets", "Completed")
    film.undo()
    assert (film.info().title, film.info().status) == ("Comet", "InProgress")
    assert film.document("brief") == {"tone": "cold", "topic": "comets"}
    with pytest.raises(aura.ProjectDeleted):
        film.plan_purge()
    film.delete()
    assert film.info().deleted_at is not None
    plan = film.plan_purge()
    assert plan.versions == 2
    film.undelete()
    with pytest.raises(aura.PlanStale):
        film.purge(plan)
    film.delete()
    assert film.purge(film.plan_purge()) == ()
    assert not (film.path / ".aura").exists()


def test_a_version_is_given_up(film: aura.Project) -> None:
    """The plan says what goes; the version stays as a record."""
    point = film.restore_point("PreRender")
    assert film.versions.plan_purge(point).remote_bytes is None
    purged = film.versions.purge(point, "wrong take")
    assert (purged.purge_reason, purged.purged_by) == ("wrong take", "Mara")
    assert film.versions.undelete(point).purged_at is None
    assert film.versions.edit("v1", important=True).important
    assert [version.name for version in film.log(important=True)] == ["First"]


def test_remotes_are_looked_after(film: aura.Project, tmp_path: Path) -> None:
    """Compared, checked, collected and repaired; damage at a remote is found and sent anew."""
    place = aura.init_bare(tmp_path / "far.aura")
    film.remotes.add("origin", place)
    assert len(film.plan_push().versions) == 2
    assert film.remotes.compare().to_push.versions == film.plan_push().versions
    film.push()
    assert film.remotes.check("origin").is_safe
    assert film.remotes.is_trusted("origin")
    assert film.remotes.fsck().is_clean
    assert film.remotes.plan_gc().bytes == 0
    assert film.remotes.gc(grace=timedelta(0)).deleted_files == 0
    pack = next((place / "packs").iterdir())
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:-40] + bytes(40))
    assert not film.remotes.fsck("origin").is_clean
    assert film.remotes.plan_repair().faults
    assert film.remotes.repair().objects
    assert film.remotes.fsck("origin").is_clean
    assert film.versions.plan_purge("v1", remote="origin").remote_bytes is not None
    assert film.plan_fetch().is_empty


def test_locks_are_taken_and_let_go(film: aura.Project, tmp_path: Path) -> None:
    """Somebody else's lock is named; of the paths of a release all are let go, or none."""
    film.remotes.add("origin", tmp_path / "far.aura")
    film.push()
    with aura.clone(tmp_path / "far.aura", tmp_path / "copy", author="Ben") as copy:
        taken = film.locks.take(["script.txt"], reason="words", expires=timedelta(hours=8))
        assert [(lock.path, lock.is_mine, lock.reason) for lock in taken.locks] == [(Path("script.txt"), True, "words")]
        (seen,) = copy.locks
        assert (seen.owner, seen.is_mine, seen.is_expired) == ("Mara", False, False)
        with pytest.raises(aura.PathLocked):
            copy.locks.take(["script.txt"])
        assert film.locks.release().unsent == ()
        assert copy.locks.list() == []


def test_content_is_offloaded_and_comes_back(film: aura.Project, tmp_path: Path) -> None:
    """What a remote proves to hold is freed, read again when it is wanted, and brought back to stay."""
    film.remotes.add("origin", tmp_path / "far.aura")
    clip = film.path / "clip.mp4"
    clip.write_bytes(bytes(range(256)) * 20_000)
    film.commit("Clip")
    clip.unlink()
    film.commit("No clip")
    film.push()
    plan = film.plan_offload("v3", paths=["clip.mp4"])
    assert [file.path for file in plan.files] == [Path("clip.mp4")]
    assert film.offload(plan).freed_bytes
    assert [file.path for file in film.plan_content("v3").files] == [Path("clip.mp4")]
    assert film.fetch_content("v3", paths=["clip.mp4"]).size == 5_120_000
    assert film.plan_content().files == ()


def test_of_offloaded_content_only_what_is_read_is_fetched(
    film: aura.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The middle of a large file at a remote costs some chunks, and nothing of it stays; whole, it is the same file."""
    data = random.Random(7).randbytes(12 << 20)
    (film.path / "clip.mp4").write_bytes(data)
    film.commit("Clip")
    (film.path / "clip.mp4").unlink()
    film.commit("No clip")
    film.remotes.add("origin", tmp_path / "far.aura")
    film.push()
    taken: list[int] = []
    read_range = FolderRemote.read_range

    def counted(remote: FolderRemote, name: str, offset: int, length: int) -> bytes:
        taken.append(length)
        return read_range(remote, name, offset, length)

    with aura.clone(tmp_path / "far.aura", tmp_path / "copy", partial=True) as copy:
        monkeypatch.setattr(FolderRemote, "read_range", counted)
        with copy.open_file("clip.mp4", "v3") as stream:
            assert stream.seek(-1000, 2) == len(data) - 1000
            assert stream.read() == data[-1000:]
            stream.seek(6 << 20)
            assert stream.read(70_000) == data[6 << 20 :][:70_000]
            assert sum(taken) < len(data) // 2
            stream.seek(0)
            assert stream.read() == data
        assert copy.plan_content("v3").files
        assert copy.fetch_content("v3").size == len(data)
        taken.clear()
        with copy.open_file("clip.mp4", "v3") as stream:
            assert stream.read(10) == data[:10]
        assert taken == []


def test_a_damaged_chunk_at_a_remote_is_not_handed_out(film: aura.Project, tmp_path: Path) -> None:
    """Every chunk is hashed before a byte of it is seen."""
    (film.path / "clip.mp4").write_bytes(random.Random(8).randbytes(3 << 20))
    film.commit("Clip")
    (film.path / "clip.mp4").unlink()
    film.commit("No clip")
    film.remotes.add("origin", tmp_path / "far.aura")
    film.push()
    with aura.clone(tmp_path / "far.aura", tmp_path / "copy", partial=True) as copy:
        pack = max((tmp_path / "far.aura/packs").rglob("*"), key=lambda path: path.stat().st_size)
        pack.chmod(0o600)
        with pack.open("r+b") as file:
            file.seek(1 << 20)
            file.write(bytes(1000))
        with copy.open_file("clip.mp4", "v3") as stream, pytest.raises(aura.AuraError):
            stream.read()


def test_a_name_is_suggested_and_the_room_it_takes_told(film: aura.Project) -> None:
    """What the command line offers and says of a commit, a program gets as well."""
    assert film.suggest_name() == ""
    (film.path / "music.wav").write_bytes(random.Random(9).randbytes(200_000))
    (film.path / "script.txt").write_text("Other words\n")
    assert film.suggest_name() == "New music, changed script.txt"
    assert film.suggest_name(["script.txt"]) == "Changed script.txt"
    assert film.commit(film.suggest_name()).stored_bytes > 200_000
    assert film.commit("Nothing").stored_bytes == 0


def test_a_timeline_that_was_only_saved_again_is_not_called_changed(film: aura.Project) -> None:
    """The words over a version do not promise an edit that is not there."""
    sample = (Path(__file__).parent / "editors/samples/alpha.kdenlive").read_text()
    (film.path / "cut.kdenlive").write_text(sample)
    film.commit("With a cut")
    (film.path / "cut.kdenlive").write_text(f"{sample}\n")
    assert film.suggest_name() == "Saved the timeline again, unchanged"
    (film.path / "cut.kdenlive").write_text(re.sub(r'out="[0-9:.]+"', 'out="00:00:01.000"', sample))
    assert "unchanged" not in film.suggest_name()


def test_what_is_due_goes_after_saving_where_that_is_wanted(
    film: aura.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that keeps house does it after every save, as the command does, unless the person turned it off."""
    asked: list[str] = []
    monkeypatch.setattr(opened, "keep_house", lambda repo, **_: asked.append(repo.root))
    (film.path / "script.txt").write_text("Three.\n")
    film.commit("Third")
    assert asked == []
    home = aura.Credentials(home=tmp_path / "studio")
    with aura.open(film.path, keep_house=True, credentials=home) as kept:
        kept.commit("Fourth", allow_empty=True)
        kept.amend("Fourth again")
        kept.autosave()
        assert len(asked) == 3
        aura.Studio(tmp_path / "studio").settings.set("maintenance.auto", "false")
        kept.commit("Fifth", allow_empty=True)
    assert len(asked) == 3


def test_reading_ends_between_two_pieces(film: aura.Project) -> None:
    """A token that is cancelled while a large file is read ends the call before the rest of it."""
    (film.path / "clip.mp4").write_bytes(random.Random(10).randbytes(20 << 20))
    film.commit("Clip")
    token, seen = aura.CancelToken(), list[int]()

    def stop(step: aura.Step) -> None:
        seen.append(step.done)
        if step.done:
            token.cancel()

    with pytest.raises(aura.Interrupted):
        film.read("clip.mp4", progress=stop, cancel=token)
    assert max(seen) < 10 << 20


def test_damaged_records_are_written_anew(film: aura.Project) -> None:
    """A branch's file that was damaged comes back from what the log says; nobody else is needed."""
    (ref,) = (film.path / ".aura/refs/branches").rglob("*.json")
    film.close()
    ref.write_bytes(b"{")
    (found,) = film.plan_record_repair()
    assert found.path.name == ref.name
    assert film.repair_records() == (found,)
    assert film.plan_record_repair() == ()
    assert film.fsck().is_clean


def test_what_is_stored_is_shown(film: aura.Project) -> None:
    """Objects, refs and tables, for finding out what went wrong."""
    content = film.files(folder="script.txt")[0]
    stored = film.debug.object(content.id[:12])
    assert (stored.kind, stored.size, stored.damage) == ("blob", 10, "")
    assert b"".join(film.debug.read(content.id)) == b"One.\nTwo.\n"
    assert film.debug.contents(sort="size", limit=1)[0].size >= 10
    assert "branches/main" in {ref.name.rpartition("/")[0] for ref in film.debug.refs("branches/")}
    assert film.debug.tables()["versions"] == 2
    assert len(film.debug.rows("versions", limit=1)) == 1


def test_media_and_checkpoints(film: aura.Project) -> None:
    """One scene, file or checkpoint by its name, and what a renderer would go on from."""
    film.scenes.add({"heading": "Opening"})
    assert film.scenes["0"].heading == "Opening"
    (film.path / "temp").mkdir()
    (film.path / "temp/old.wav").write_bytes(b"x")
    plan = film.assets.plan_clean()
    assert [asset.path for asset in plan.assets] == [Path("temp/old.wav")]
    assert film.assets["temp/old.wav"].is_temporary
    with pytest.raises(aura.UnknownName):
        film.assets["temp/new.wav"]
    assert film.assets.clean(plan, for_good=True).deleted == (Path("temp/old.wav"),)
    assert film.checkpoints.latest() is None
    made = film.checkpoints.save("Render", completed=1, total=2, data={"next": 2})
    assert film.checkpoints[made.id[:8]] == film.checkpoints.latest(stage="Render")
    assert film.checkpoints.plan_recovery().data == {"next": 2}
    assert film.checkpoints.invalidate_all(reason="recut") == 1
    assert film.checkpoints.plan_recovery().checkpoint is None
    assert "TikTok" in {preset.name for preset in film.exports.presets}


def test_the_studio(film: aura.Project, tmp_path: Path) -> None:
    """Projects, templates, settings and the first questions of a person, taken back and done again."""
    studio = aura.Studio(tmp_path / "studio", user="Mara")
    assert [(listed.path, listed.info.title) for listed in studio.projects.scan(tmp_path)] == [(film.path, "Comet")]
    made = studio.templates.new_from_project(film.path, "Mine", description="Of comets")
    assert set(made.documents) == {"brief.json", "project.json"}
    assert studio.templates.rate("Mine", 5).rating == 5
    assert studio.templates.edit("Mine", tags=["space"], structures={"video_structure": ["a"]}).video_structure == ["a"]
    assert studio.templates.export("Mine", tmp_path / "mine.json")
    assert studio.templates.import_file(tmp_path / "mine.json", name="Theirs").name == "Theirs"
    studio.templates.delete("Mine")
    assert [found.name for found in studio.templates.list(system=False)] == ["Theirs"]
    studio.undo()
    assert film.templates["Mine"].description == "Of comets"
    assert studio.redo().description
    assert studio.actions(limit=1)[0].type
    assert studio.settings.set("retention.keep_autosaves", "20").value == 20
    assert film.settings["retention.keep_autosaves"].source == "user"
    assert film.settings.set("retention.keep_autosaves", "30")
    assert film.settings.retention_rules().keep_autosaves == 30
    assert film.settings.unset("retention.keep_autosaves")
    assert [value.key for value in studio.settings.list(only_set=True)] == ["retention.keep_autosaves"]
    assert studio.settings.describe("export.preset")[0].default is not None
    assert studio.setup.answer("identity", "Mara").next_step == "output"
    assert studio.setup.suggestion("output", home=tmp_path) == str(tmp_path / "Videos")
    assert not studio.setup.start_over().is_completed
    film.checkpoints.save("Render", completed=1, total=2)
    assert [work.path for work in studio.interrupted()] == [film.path]
    studio.projects.forget("Comet")
    assert list(studio.projects) == []


def test_the_studio_knows_of_projects_that_programs_work_on(film: aura.Project, tmp_path: Path) -> None:
    """As it does after a command; one that was taken off the list stays off it, and one that is purged goes."""
    studio = aura.Studio(tmp_path / "studio")
    assert [listed.path for listed in studio.projects] == [film.path]
    studio.projects.forget("Comet")
    film.commit("Third", allow_empty=True)
    assert list(studio.projects) == []
    studio.projects.add(film.path)
    film.delete()
    film.purge(film.plan_purge())
    assert list(studio.projects) == []


def test_without_a_studio_settings_are_the_projects_and_the_defaults(film: aura.Project) -> None:
    """Nothing of the person is read where the program names no studio."""
    aura.Studio(film.path.parent / "studio").settings.set("retention.keep_autosaves", "20")
    with aura.open(film.path) as project:
        assert project.settings.retention_rules().keep_autosaves == 10
        with pytest.raises(aura.InputError):
            project.templates.list()


def test_key_files_and_serving(film: aura.Project, tmp_path: Path) -> None:
    """A key file opens an encrypted remote; one is never made where it would travel."""
    key = tmp_path / "film.key"
    with pytest.raises(aura.InputError):
        aura.make_key_file(film.path / "film.key", outside=[film.path])
    assert aura.make_key_file(key)
    assert not aura.make_key_file(key)
    with aura.open(film.path, credentials=aura.Credentials(key_file=key)) as project:
        project.remotes.add("vault", tmp_path / "vault.aura", encrypt=True)
        assert project.push("vault").versions
    with aura.clone(tmp_path / "vault.aura", tmp_path / "copy", credentials=aura.Credentials(key_file=key)) as copy:
        assert copy.show().name == "Second"
    answers = io.BytesIO()
    aura.serve(tmp_path / "served.aura", io.BytesIO(), answers, create=True)
    assert answers.getvalue()
    answers = io.BytesIO()
    aura.serve(film.path, io.BytesIO(), answers)  # a project's own folder exchanges versions, too
    assert answers.getvalue()


def test_a_token_ends_a_call_before_it_begins(film: aura.Project) -> None:
    """Cancelled once, it stays so; the project has not changed."""
    token = aura.CancelToken()
    token.cancel()
    (film.path / "script.txt").write_text("Three.\n")
    for call in (lambda: film.commit("Third", cancel=token), lambda: film.fsck(cancel=token)):
        with pytest.raises(aura.Interrupted):
            call()
    assert film.show().name == "Second"
    assert film.commit("Third").version is not None


def test_documents_are_data(film: aura.Project) -> None:
    """A comparison says of a field what it was and is, of a text which words; a page and a repr tell it at once."""
    changes = {change.path.name: change for change in film.diff("v1", "v2")}
    (edit,) = changes["brief.json"].inside().fields
    assert (edit.op, edit.pointer, edit.old, edit.new) == ("replace", "/tone", "warm", "cold")
    (hunk,) = changes["script.txt"].inside().text
    assert [line.text for line in hunk.lines if line.mark == "+"] == ["Two.\n"]
    assert "Two." in film.diff("v1", "v2").report(title="Review")
    assert repr(film.diff("v1", "v2")) == "<aura_vcs.Diff v1 → v2: 2 changed>"
    assert json.loads(json.dumps(film.operations.record(film.operations.list()[0].id)))


def test_collections_are_asked_by_name(film: aura.Project, tmp_path: Path) -> None:
    """`in` looks for a name and does not compare values with it; an empty collection counts as false."""
    project = film
    assert not project.tags
    assert not project.remotes
    project.tags.create("premiere")
    project.remotes.add("nas", tmp_path / "nas")
    assert "premiere" in project.tags
    assert "matinee" not in project.tags
    assert "nas" in project.remotes
    assert len(project.branches) == 1
    assert project.versions["HEAD"] in project.versions
    assert "v1" in project.versions
    assert "v99" not in project.versions
    assert "sync.merge" in project.settings
    assert "no.such.key" not in project.settings


def test_a_file_is_named_by_its_path(film: aura.Project) -> None:
    """A `Path` is a file, for notes and provenance as elsewhere; a text may also name a version or a place."""
    path = Path("script.txt")
    project = film
    assert project.file(path).size == len(project.read(path))
    assert project.file(path).id == project.files()[-1].id
    with pytest.raises(aura.UnknownName):
        project.file("nothing.txt")
    project.provenance.set(path, license="CC0-1.0")
    assert project.provenance[project.path / path].facts["license"] == "CC0-1.0"
    note = project.notes.add(path, "Too short.")
    project.notes.add(project.versions["HEAD"], "Better.")
    assert [found.id for found in project.notes.list(path)] == [note.id]
    project.derived.set(path, ["cp", "{input}", "{output}"], inputs=[Path("project.json")])
    assert path in project.derived


def test_what_a_remote_lacks_is_said_without_asking_it(film: aura.Project, tmp_path: Path) -> None:
    """As `aura status` does: by what the last transfer left."""
    film.remotes.add("nas", tmp_path / "nas")
    assert [(item.remote, item.versions, item.is_unused) for item in film.remotes.unsent()] == [("nas", 2, True)]
    film.push("nas")
    assert film.remotes.unsent() == ()
    (film.path / "script.txt").write_text("Three.\n")
    film.commit("Third")
    assert [(item.remote, item.versions, item.is_unused) for item in film.remotes.unsent()] == [("nas", 1, False)]
