"""Two pages and a terminal at one project at once, and a project that is moved away while somebody looks at it."""

import subprocess
import sys
import threading
from pathlib import Path

import aura_vcs as aura
import pytest

from tests.helpers.project import write_project
from tests.ui.conftest import serve


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with one version."""
    root = tmp_path / "film"
    root.mkdir()
    write_project(root)
    with aura.init(root, author="Ada") as project:
        project.commit("First cut")
    return root


def test_two_pages_and_a_terminal_at_once(root: Path, home: Path) -> None:
    """They wait for each other as two terminals do: everything is recorded once, and nothing is damaged."""
    ended: list[tuple[str, int]] = []

    def save(name: str) -> None:
        for n in range(4):
            (root / f"{name}-{n}.txt").write_text(name)
            ended.append((name, page.do("commit", name=f"{name} {n}", paths=[f"{name}-{n}.txt"]).status))

    def type_commands() -> None:
        for n in range(2):
            (root / f"terminal-{n}.txt").write_text("x")
            command = [sys.executable, "-m", "aura_vcs", "-C", str(root), "commit", "-m", f"terminal {n}"]
            done = subprocess.run([*command, f"terminal-{n}.txt"], capture_output=True, check=False)
            ended.append(("terminal", done.returncode))

    with serve(root, home) as page:
        threads = [threading.Thread(target=save, args=(name,)) for name in ("one", "other")]
        threads.append(threading.Thread(target=type_commands))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(ended) == [("one", 200)] * 4 + [("other", 200)] * 4 + [("terminal", 0)] * 2
    with aura.open(root) as project:
        assert len(project.log()) == 11
        assert project.fsck().problems == ()


def test_a_project_that_was_moved_says_so(root: Path, home: Path) -> None:
    """No view and no change begins a project anew where it was; back again, the page goes on."""
    away = root.with_name("elsewhere")
    with serve(root, home) as page:
        assert page.get("").status == 200
        root.rename(away)
        for address in ("", "/v/v1", "/compare", "/unsaved", "/space/map", "/machines", "/raw/v1/brief.json"):
            answer = page.get(address)
            assert answer.status == 404, address
            assert "is not at" in answer.text
            assert "aura init" not in answer.text
        refused = page.do("commit", name="Nothing")
        assert refused.json["error"]["code"] == "project_gone"
        assert not root.exists()
        away.rename(root)
        assert page.get("").status == 200
        assert page.do("tag", name="back").status == 200
