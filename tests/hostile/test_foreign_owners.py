"""Projects and studios of other accounts (L2)."""

import os
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.cli.main import cli
from aura_vcs.errors.input import ForeignOwner
from aura_vcs.errors.studio import SettingInvalid
from aura_vcs.history.commit import commit
from aura_vcs.repository.find_project import Trust
from aura_vcs.studio.configuration import get_configuration, project_value, set_configuration, unset_configuration
from aura_vcs.studio.safe_projects import is_safe
from aura_vcs.studio.studio import Studio
from aura_vcs.worktree.scan.prefetch import prefetch_scan
from click.testing import CliRunner

OTHER = 12345
needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files to others"
)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A project of another account, with a folder of one's own in it."""
    root = tmp_path / "shared"
    root.mkdir()
    (root / "bait").write_text("bait")
    with Repository.init(root) as repo:
        commit(repo, "Bait")
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files, "."):
            os.chown(os.path.join(folder, name), OTHER, OTHER)
    (root / "mine").mkdir()
    (root / "mine" / "notes.txt").write_text("my private notes")
    return root


def run(folder: Path, home: Path, *words: str, **env: str) -> tuple[int, str]:
    """Run a command in a folder."""
    done = CliRunner().invoke(cli, ["-C", str(folder), *words], env={"AURA_HOME": str(home), "SUDO_UID": "", **env})
    return done.exit_code, done.output


@needs_root
def test_a_project_above_that_another_account_owns_is_refused(foreign: Path, tmp_path: Path) -> None:
    """Nothing of one's own is stored there; the message names the owner and the way out."""
    before = sorted(str(path) for path in foreign.rglob("*"))
    for words in (("commit", "-m", "x"), ("status",), ("log",), ("gc",), ("undo",)):
        code, said = run(foreign / "mine", tmp_path / "home", *words)
        assert code == ForeignOwner.exit_code
        assert f"account {OTHER}" in said
        assert f"aura config set safe.projects {foreign}" in said
    assert sorted(str(path) for path in foreign.rglob("*")) == before
    assert prefetch_scan(str(foreign / "mine")) is None
    with pytest.raises(ForeignOwner):
        Repository.open(foreign)


@needs_root
def test_who_says_that_it_is_safe_uses_it(foreign: Path, tmp_path: Path) -> None:
    """By the folder, by one above it, or by `*`; and root in sudo uses what its caller owns."""
    home = tmp_path / "home"
    for entry in (str(foreign), f"{tmp_path}/*", "*"):
        assert run(tmp_path, home, "config", "set", "safe.projects", entry)[0] == 0
        assert run(foreign, home, "status")[0] == 0
        assert run(tmp_path, home, "config", "unset", "safe.projects")[0] == 0
        assert run(foreign, home, "status")[0] == ForeignOwner.exit_code
    assert run(foreign, home, "status", SUDO_UID=str(OTHER))[0] == 0
    assert run(foreign, home, "status", SUDO_UID="999")[0] == ForeignOwner.exit_code
    with Repository.open(foreign, trust=Trust(is_safe=lambda root: root == str(foreign))):
        pass


@needs_root
def test_a_studio_that_another_account_owns_is_refused(foreign: Path, tmp_path: Path) -> None:
    """Whoever owns it could have put there what is safe."""
    home = tmp_path / "theirs"
    assert run(tmp_path, home, "config", "set", "safe.projects", "*")[0] == 0
    os.chown(home, OTHER, OTHER)
    assert run(tmp_path, home, "config", "list")[0] == ForeignOwner.exit_code
    assert run(foreign, home, "status")[0] == ForeignOwner.exit_code


def test_safe_projects_is_the_persons_alone(tmp_path: Path) -> None:
    """A project cannot call itself safe; paths are added one by one, a JSON list replaces them."""
    with Studio(str(tmp_path / "studio"), user="mira") as studio:
        set_configuration(studio, "safe.projects", str(tmp_path / "a"))
        set_configuration(studio, "safe.projects", str(tmp_path / "b" / "*"))
        found = get_configuration(studio, "safe.projects", {"safe.projects": ["*"]})
        assert found.value == [str(tmp_path / "a"), str(tmp_path / "b" / "*")]
        assert is_safe(studio, str(tmp_path / "a"))
        assert is_safe(studio, str(tmp_path / "b" / "c" / "d"))
        assert not is_safe(studio, str(tmp_path / "b"))
        assert not is_safe(studio, str(tmp_path / "ab"))
        with pytest.raises(SettingInvalid):
            project_value("safe.projects", "*")
        for wrong in ("[1]", "[", '[""]'):
            with pytest.raises(SettingInvalid):
                set_configuration(studio, "safe.projects", wrong)
        set_configuration(studio, "safe.projects", '["/only"]')
        assert get_configuration(studio, "safe.projects").value == ["/only"]
        unset_configuration(studio, "safe.projects")
        assert not is_safe(studio, "/only")
