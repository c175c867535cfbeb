"""A studio that cannot be used, somebody else's or broken: what a command does is done, and it says so."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.cli import homes

from tests.cli.conftest import Film, Ran

DOING = (
    ("commit", "-m", "Third"), ("note", "add", "notes.txt", "hm"), ("tag", "cut"), ("branch", "side"),
    ("checkout", "v1"), ("restore-point",), ("version", "edit", "v1", "--name", "q"), ("init", "../other"),
    ("autosave",), ("status",),
)  # fmt: skip


def somebodys(home: Path, patch: pytest.MonkeyPatch) -> None:
    """Another account's."""
    real = homes.foreign_owner

    def owner(path: str, **options: bool | int | None) -> str | None:
        return "account 12345" if path == str(home) else real(path, **options)  # type: ignore[arg-type]

    patch.setattr(homes, "foreign_owner", owner)


def unreadable(home: Path, patch: pytest.MonkeyPatch) -> None:
    """Settings that cannot be read."""
    (home / "config.json").unlink(missing_ok=True)
    (home / "config.json").mkdir()


def no_folder(home: Path, patch: pytest.MonkeyPatch) -> None:
    """A file in its place."""
    shutil.rmtree(home)
    home.write_text("")


def gone(home: Path, patch: pytest.MonkeyPatch) -> None:
    """A link that leads nowhere, as to a disk that is not plugged in."""
    shutil.rmtree(home)
    home.symlink_to(home.with_name("unplugged"))


@pytest.mark.parametrize("spoil", [somebodys, unreadable, no_folder, gone])
def test_what_was_done_is_no_failure(
    two: Film, spoil: Callable[[Path, pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands that need the studio for its list, locks and upkeep only end with 0, and warn."""
    home = two.root.parent / "studio"
    home.mkdir()
    two.env["AURA_HOME"] = os.path.realpath(home)
    two("remote", "add", "origin", str(two.root.parent / "remote"))
    two("push")
    two.write({"notes.txt": "three\n"})
    (two.root / ".aura" / "local" / "listed").unlink(missing_ok=True)
    spoil(Path(two.env["AURA_HOME"]), monkeypatch)
    said: dict[str, Ran] = {}
    for words in DOING:
        said[words[0]] = two(*words)
        two.write({"notes.txt": f"{words}\n"})
    assert "Third" in said["commit"].out
    assert [item["name"] for item in two.data("log", "--all")["versions"]].count("Third") == 1
    warned = "".join(ran.stderr for ran in said.values())
    assert warned.count("warning: ") > 0, warned
    assert "Traceback" not in warned
