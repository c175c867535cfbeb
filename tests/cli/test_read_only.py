"""Projects that can only be read (Y2): media, backups, somebody else's folder. With `local/` and without."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.cli.main import cli
from aura_vcs.errors.integrity import StorageDenied
from aura_vcs.history.commit import commit
from aura_vcs.storage import local
from aura_vcs.sync.remotes.add import add_remote
from aura_vcs.sync.remotes.url import parse_address
from click.testing import CliRunner

LOOKING = (
    "status", "log", "log --all", "diff", "diff v1 v2", "show v1", "cat v1:brief.json", "fsck", "fsck --quick",
    "gc --dry-run", "prune --dry-run", "branch list", "tag list", "version list", "version compare v1 v2",
    "blame brief.json", "search topic", "storage", "ops", "remote list", "remote show nas", "export list",
    "checkpoint list", "recover --list", "project show", "scene list", "asset list", "config list",
    "push --dry-run nas", "fetch --dry-run nas", "version purge v1 --dry-run", "bundle create BUNDLE",
)  # fmt: skip
START = "from aura_vcs.cli.entry import run; run()"
PLAIN = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A project with two versions, a remote and something unsaved."""
    root = tmp_path / "film"
    root.mkdir()
    (root / "brief.json").write_text('{"topic": "one"}')
    with Repository.init(root) as repo:
        commit(repo, "One")
        (root / "brief.json").write_text('{"topic": "two"}')
        commit(repo, "Two")
        add_remote(repo, "nas", parse_address(str(tmp_path / "nas")))
    (root / "brief.json").write_text('{"topic": "three"}')
    return root


@pytest.fixture(params=["as it is", "without local", "copied"])
def sealed(request: pytest.FixtureRequest, film: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it that cannot be written to."""
    root = tmp_path / "sealed"
    if request.param == "as it is":
        film.rename(root)
    else:
        shutil.copytree(film, root, symlinks=True)
    if request.param == "without local":
        shutil.rmtree(root / ".aura" / "local")
    folders = [Path(folder) for folder, _, _ in os.walk(root)]
    for folder in folders:
        folder.chmod(0o555)
        for file in folder.iterdir():
            if file.is_file():
                file.chmod(0o444)
    yield root
    for folder in folders:
        folder.chmod(0o755)


def plain() -> tuple[str, ...]:
    """What takes from root the right to write everywhere."""
    if os.name == "nt":
        pytest.skip("folders are not sealed like that there")
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no setpriv")
    return PLAIN


def everything(root: Path) -> dict[str, tuple[int, int, int]]:
    """All that is below it, with dates."""
    return {str(p): ((s := p.lstat()).st_mtime_ns, s.st_ctime_ns, s.st_size) for p in (root, *root.rglob("*"))}


def test_every_command_that_looks_works(sealed: Path, tmp_path: Path) -> None:
    """The index is copied or made elsewhere; nothing here changes."""
    home, before = tmp_path / "home", everything(sealed)
    for number, words in enumerate(LOOKING):
        command = words.replace("BUNDLE", str(tmp_path / f"{number}.aurabundle")).split()
        done = subprocess.run(
            [*plain(), sys.executable, "-c", START, "-C", str(sealed), *command],
            env={**os.environ, "AURA_HOME": str(home)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stderr)
    assert everything(sealed) == before
    assert (
        CliRunner().invoke(cli, ["clone", str(next(tmp_path.glob("*.aurabundle"))), str(tmp_path / "c")]).exit_code == 0
    )


def test_what_changes_is_refused_with_words(sealed: Path, tmp_path: Path) -> None:
    """A commit says what is wrong, and leaves nothing half done."""
    done = subprocess.run(
        [*plain(), sys.executable, "-c", START, "-C", str(sealed), "commit", "-m", "x"],
        env={**os.environ, "AURA_HOME": str(tmp_path / "home")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == StorageDenied.exit_code, done.stderr
    assert "Something went wrong" not in done.stderr


def test_the_file_of_a_lock_that_cannot_be_made_is_missed_only_where_nothing_can_be_written(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where others can write, no lock means no work."""

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    with Repository.open(film) as repo:
        monkeypatch.setattr(local, "open_held", refuse)
        with pytest.raises(StorageDenied), repo.locks.exclusive("never-made"):
            pass


def test_a_local_that_cannot_be_looked_into_hides_nothing(film: Path, tmp_path: Path) -> None:
    """Looking back works and says what to do; nothing is written, although the rest could be."""
    local_folder, home = film / ".aura" / "local", tmp_path / "home"

    def run(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*plain(), sys.executable, "-c", START, "-C", str(film), *command.split()],
            env={**os.environ, "AURA_HOME": str(home)}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    before = everything(film / ".aura")
    local_folder.chmod(0)
    try:
        for command in ("status", "log", "diff v1 v2", "cat v1:brief.json", "search topic", "fsck --quick", "ops"):
            done = run(command)
            assert done.returncode == 0, (command, done.stderr)
            assert "chmod -R u+rwX .aura/local" in done.stderr
        assert '"topic": "one"' in run("cat v1:brief.json").stdout
        for command in ("commit -m x", "checkout v1", "tag here", "gc --grace 0 --no-wait", "autosave"):
            done = run(command)
            assert done.returncode == StorageDenied.exit_code, (command, done.stderr)
    finally:
        local_folder.chmod(0o755)
    after = everything(film / ".aura")
    assert {path: found[::2] for path, found in after.items() if path != str(local_folder)} == {
        path: found[::2] for path, found in before.items() if path != str(local_folder)
    }
    assert "Committed v3" in run("commit -m Third").stdout
