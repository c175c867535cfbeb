"""What could go to free so much: in order, with reasons, as planned, and back again."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aura_vcs as aura
import pytest
from aura_vcs import PlanStale
from aura_vcs.cli.main import cli
from aura_vcs.sync.offload import space_plan
from click.testing import CliRunner

from tests.helpers.project import noise, write, write_project

TAKE = 1_200_000


class _Later(datetime):
    """A clock that is a month ahead: what was made now is old."""

    @classmethod
    def now(cls, tz: object = None) -> "datetime":  # type: ignore[override]  # always with a zone here
        return datetime.now(UTC) + timedelta(days=40)


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film with old autosaves and two old takes that the remote `nas` holds."""
    root = tmp_path / "film"
    root.mkdir()
    write_project(root)
    with aura.init(root, author="Ada") as project:
        for n in range(2):
            write(root, {"assets/take.mov": noise(TAKE + n * 200_000, seed=n)})
            project.commit(f"Take {n}")
        write(root, {"assets/take.mov": "small"})
        project.commit("Without")
        for n in range(3):
            write(root, {"notes.bin": noise(50_000, seed=10 + n)})
            assert project.autosave().version is not None
        project.remotes.add("nas", tmp_path / "nas.aura")
        project.push("nas")
    monkeypatch.setattr(space_plan, "datetime", _Later)
    return root


def test_the_plan_takes_what_is_missed_least_first(film: Path) -> None:
    """Autosaves, oldest first, then takes, the largest first; no more than is needed, each with its reason."""
    with aura.open(film) as project:
        plan = project.plan_free(150_000)
        kinds = [item.kind for item in plan.items]
        assert kinds == ["autosave", "autosave", "file", "file"]
        assert [item.needed for item in plan.items] == [True, True, True, False]
        assert [item.bytes for item in plan.items[2:]] == pytest.approx([TAKE + 200_000, TAKE], rel=0.05)
        assert plan.items[0].bytes == pytest.approx(50_000, rel=0.1)
        assert all(item.reason for item in plan.items)
        assert "nas holds it" in plan.items[2].reason
        assert {item.when for item in plan.items[:2]} == {"later"}
        assert plan.planned_bytes == sum(item.bytes for item in plan.items if item.needed)


def test_planning_changes_nothing(film: Path) -> None:
    """Neither versions nor content nor the log."""
    with aura.open(film) as project:
        before = (project.log(everything=True, deleted=True), list(project.operations), project.storage().objects)
        project.plan_free(10**12)
        after = (project.log(everything=True, deleted=True), list(project.operations), project.storage().objects)
        assert before == after


def test_what_was_planned_goes_and_comes_back(film: Path) -> None:
    """Versions as one operation that undo takes back; files are fetched when they are read."""
    with aura.open(film) as project:
        plan = project.plan_free(10**12)
        done = project.free(plan)
        assert (done.versions, done.files) == (2, 2)
        assert done.freed_bytes == pytest.approx(2 * TAKE + 200_000, rel=0.05)
        assert done.later_bytes == pytest.approx(100_000, rel=0.1)
        assert project.plan_free(10**12).items == ()
        assert len(project.log(types=("autosave",))) == 1
        project.undo()
        assert len(project.log(types=("autosave",))) == 3
        assert len(project.read("assets/take.mov", "v1")) == TAKE


def test_only_what_was_chosen_goes(film: Path) -> None:
    """One take of two, and no autosave."""
    with aura.open(film) as project:
        plan = project.plan_free(10**12)
        take = plan.items[-1]
        done = project.free(plan, [take.id])
        assert (done.versions, done.files) == (0, 1)
        assert take.id not in {item.id for item in project.plan_free(10**12).items}
        assert len(project.plan_free(10**12).items) == 3


def test_a_plan_that_is_not_true_any_more_is_refused_whole(film: Path) -> None:
    """An autosave became important meanwhile: nothing goes."""
    with aura.open(film) as project:
        plan = project.plan_free(10**12)
        project.versions.edit(plan.items[0].id.removeprefix("version:"), important=True)
        with pytest.raises(PlanStale):
            project.free(plan)
        assert len(project.log(types=("autosave",))) == 3
        assert project.storage().offloaded.count == 0


def test_renders_go_before_takes_and_are_made_again(film: Path) -> None:
    """What a recipe makes, lies in the folder alone and is a day old goes; what was changed since it was made stays."""
    write(film, {".auraignore": "*.upper\n", "a.upper": b"A" * 400_000, "b.upper": b"B" * 300_000, "new.upper": b"C"})
    with aura.open(film) as project:
        for name, letter in (("a", "A"), ("b", "B"), ("new", "C")):
            count = (film / f"{name}.upper").stat().st_size
            script = f"import sys; open(sys.argv[1], 'wb').write(b'{letter}' * {count})"
            project.derived.set(f"{name}.upper", ["python3", "-c", script, "{output}"], inputs=["brief.json"])
        for name in ("a", "b"):
            os.utime(film / f"{name}.upper", (1_700_000_000, 1_700_000_000))
        assert not [item for item in project.plan_free(10**12).items if item.kind == "render"], "nothing was tried"
        for name in ("a", "b"):
            assert project.derived.make(f"{name}.upper").is_same
            os.utime(film / f"{name}.upper", (1_700_000_000, 1_700_000_000))
        plan = project.plan_free(10**12)
        assert [item.kind for item in plan.items] == ["autosave", "autosave", "render", "render", "file", "file"]
        first, second = plan.items[2:4]
        assert (first.name, first.bytes, first.when) == ("a.upper", 400_000, "now")
        assert "aura derived make" in first.reason
        (film / "b.upper").write_bytes(b"edited by hand")
        os.utime(film / "b.upper", (1_700_000_000, 1_700_000_000))
        done = project.free(plan, [first.id, second.id])
        assert (done.renders, done.freed_bytes, done.versions) == (1, 400_000, 0)
        assert not (film / "a.upper").exists()
        assert (film / "b.upper").read_bytes() == b"edited by hand"
        project.derived.make("a.upper")
        assert (film / "a.upper").read_bytes() == b"A" * 400_000


def test_without_a_remote_only_versions_can_go(film: Path) -> None:
    """What no remote holds stays; a remote that cannot be asked is named."""
    with aura.open(film) as project:
        Path(film.parent / "nas.aura").rename(film.parent / "elsewhere")
        plan = project.plan_free(10**12)
        assert {item.kind for item in plan.items} == {"autosave"}
        assert list(plan.unreachable) == ["nas"]


def test_the_command_says_the_same(film: Path) -> None:
    """In words and as JSON; --keep leaves one out, --execute lets it go."""
    run = CliRunner()
    arguments = ["-C", str(film), "storage", "plan", "--free", "20GB"]
    environment = {"AURA_HOME": str(film.parent / "home"), "AURA_AUTHOR": "Ada"}
    words = run.invoke(cli, arguments, env=environment)
    assert words.exit_code == 0, words.output
    assert "assets/take.mov" in words.stdout
    assert "less than you asked for" in words.stdout
    found = json.loads(run.invoke(cli, [*arguments, "--json"], env=environment).stdout)
    assert found.keys() == {"wanted_bytes", "planned_bytes", "items", "unreachable", "done"}
    assert found["done"] is None
    assert found["items"][0].keys() == {"id", "kind", "name", "reason", "bytes", "when", "needed"}
    kept = ["--keep", "assets/take.mov", "--execute", "--yes", "--json"]
    done = json.loads(run.invoke(cli, [*arguments, *kept], env=environment).stdout)["done"]
    assert done["files"] == 0
    assert done["versions"] == 2
