"""What plans for programs change: nothing, whatever is pending in a project that is open to be worked in."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import aura_vcs as aura
import pytest
from aura_vcs.errors import AuraError

from tests.cli.conftest import new_film
from tests.cli.test_dry_runs import leave_unfinished, state

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # stopped, as by a kill

NOW = timedelta(0)
PLANS: dict[str, Callable[[aura.Project], object]] = {
    "Assets.plan_clean": lambda project: project.assets.plan_clean(),
    "Checkpoints.plan_recovery": lambda project: project.checkpoints.plan_recovery(),
    "DerivedFiles.plan_evict": lambda project: project.derived.plan_evict(),
    "DerivedFiles.plan_evict_versions": lambda project: project.derived.plan_evict_versions(),
    "Project.plan_collect": lambda project: project.plan_collect(),
    "Project.plan_content": lambda project: project.plan_content(),
    "Project.plan_fetch": lambda project: project.plan_fetch(),
    "Project.plan_folder": lambda project: project.plan_folder(project.path.parent / "copies"),
    "Project.plan_free": lambda project: project.plan_free(1000),
    "Project.plan_gc": lambda project: project.plan_gc(grace=NOW),
    "Project.plan_import_git": lambda project: project.plan_import_git(project.path.parent / "git"),
    "Project.plan_merge": lambda project: project.plan_merge("side"),
    "Project.plan_offload": lambda project: project.plan_offload(min_size=0),
    "Project.plan_prune": lambda project: project.plan_prune(),
    "Project.plan_purge": lambda project: project.plan_purge(),
    "Project.plan_push": lambda project: project.plan_push(),
    "Project.plan_record_repair": lambda project: project.plan_record_repair(),
    "Project.plan_relink": lambda project: project.plan_relink(),
    "Project.plan_repair": lambda project: project.plan_repair(),
    "Remotes.plan_gc": lambda project: project.remotes.plan_gc("origin", grace=NOW),
    "Remotes.plan_repair": lambda project: project.remotes.plan_repair("origin"),
    "Versions.plan_purge": lambda project: project.versions.plan_purge("v1"),
}
"""Every plan of the API, by its name there."""


def test_every_plan_is_tried_here() -> None:
    """A new one has to be added above."""
    kinds = [
        kind for name in aura.__all__ if inspect.isclass(kind := getattr(aura, name)) and ".api." in kind.__module__
    ]
    found = {f"{kind.__name__}.{name}" for kind in kinds for name in dir(kind) if name.startswith("plan_")}
    assert found == set(PLANS)


@pytest.fixture(scope="module")
def opened(quick_folder: Path) -> Iterator[tuple[aura.Project, Path]]:
    """A project with much to do that a program has opened and looked at, and its remote."""
    home, folder = quick_folder / "home", quick_folder / "tmp"
    home.mkdir()
    folder.mkdir()
    film = new_film(home)
    leave_unfinished(film, folder)
    (film.root.parent / "copies/film_v1").mkdir(parents=True)
    (film.root.parent / "copies/film_v1/cut.txt").write_text("one")
    with aura.open(film.root) as project:
        assert list(project.versions)
        yield project, folder / "remote"


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_changes_nothing(opened: tuple[aura.Project, Path], name: str) -> None:
    """Not a byte of files, refs, logs and objects; locks are taken, and what was seen of media and remotes is noted."""
    project, remote = opened
    local = project.path / ".aura/local"
    before = state(project.path, remote)
    with suppress(AuraError):
        PLANS[name](project)
    after = state(project.path, remote)
    changed = {Path(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    noted = {path for path in changed if path.is_relative_to(local / "remotes") or path.suffix == ".lock"}
    assert changed - noted <= {local, local / "locks", local / "index.sqlite-shm", local / "index.sqlite-wal"}


def test_offloading_finishes_what_was_interrupted_and_wants_a_new_plan(quick_folder: Path) -> None:
    """A plan leaves the interrupted command alone; carrying it out finishes that, and the next plan is carried out."""
    home, folder = quick_folder / "offload", quick_folder / "offload-tmp"
    home.mkdir()
    folder.mkdir()
    film = new_film(home)
    leave_unfinished(film, folder)
    pending = film.root / ".aura/local/pending.json"
    with aura.open(film.root) as project:
        plan = project.plan_offload(min_size=0)
        assert pending.exists()
        with pytest.raises(aura.PlanStale):
            project.offload(plan)
        assert not pending.exists()
        project.offload(project.plan_offload(min_size=0))
