"""What is left for tools that synchronise folders, wherever a `local/` is made."""

import os
import shutil
from pathlib import Path

import pytest
from aura_vcs import Repository
from aura_vcs.history.commit import CommitRequest, commit
from aura_vcs.objects.base import EMPTY_TREE_ID
from aura_vcs.repository.sync_tool_hints import write_hints

from .machines import machine


def test_local_is_named_to_every_tool_that_asks(tmp_path: Path) -> None:
    """Syncthing, Dropbox and backup tools are told, and none of it is versioned."""
    repo = machine(tmp_path / "film", "anna")
    write_hints(repo.root, repo.storage)
    assert "/.aura/local" in Path(repo.root, ".stignore").read_text().splitlines()
    assert (
        Path(repo.root, ".aura/local/CACHEDIR.TAG")
        .read_bytes()
        .startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    )
    made = commit(repo, CommitRequest("First", allow_empty=True)).version
    assert made is not None
    assert made.tree == EMPTY_TREE_ID


def test_a_persons_own_file_stays(tmp_path: Path) -> None:
    """A `.stignore` that is there is not touched."""
    repo = machine(tmp_path / "film", "anna")
    Path(repo.root, ".stignore").write_text("*.mov\n")
    write_hints(repo.root, repo.storage)
    assert Path(repo.root, ".stignore").read_text() == "*.mov\n"


@pytest.mark.skipif(not hasattr(os, "getxattr"), reason="extended attributes are Linux's")
def test_dropbox_is_told_by_an_attribute(tmp_path: Path) -> None:
    """Where the file system has extended attributes, `.aura/local` carries Dropbox's."""
    repo = machine(tmp_path / "film", "anna")
    try:
        os.setxattr(repo.root, "user.test", b"1")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    assert os.getxattr(Path(repo.root, ".aura/local"), "user.com.dropbox.ignored") == b"1"


def test_a_machine_that_got_the_folder_from_a_tool_is_told_too(tmp_path: Path) -> None:
    """No tool carries `.stignore` or `local/`: the first command on the other machine leaves the hints again."""
    with machine(tmp_path / "film", "anna") as repo:
        commit(repo, CommitRequest("First", allow_empty=True))
    shutil.copytree(repo.root, tmp_path / "other", ignore=shutil.ignore_patterns("local", ".stignore"))
    with Repository.open(str(tmp_path / "other"), author="bert", host="bert"):
        pass
    assert (tmp_path / "other" / ".stignore").exists()
    assert (tmp_path / "other" / ".aura" / "local" / "CACHEDIR.TAG").exists()


def test_a_folder_that_refuses_the_hints_is_a_project_all_the_same(tmp_path: Path) -> None:
    """A hint that cannot be written, here because a folder has its name, keeps nobody from working."""
    (tmp_path / "film" / ".stignore").mkdir(parents=True)
    repo = machine(tmp_path / "film", "anna")
    assert commit(repo, CommitRequest("First", allow_empty=True)).version is not None
