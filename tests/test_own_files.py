"""Files of our own are opened in one room: nobody else names them to the system by their paths (L1)."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "aura_vcs"
ROOM = PACKAGE / "storage"
OPENING = {"open", "rmtree", "makedirs", "mkdir", "remove", "unlink", "rename", "replace", "rmdir", "listdir",
           "scandir", "stat", "lstat", "walk", "utime", "chmod", "link", "symlink", "exists", "isfile",
           "isdir"}  # fmt: skip
MAY_ASK = {
    "repository/format_file.py": "is there a project at all",
    "sync/clone.py": "is what is to be cloned a project",
    "studio/projects.py": "is there a project at all",
    "sync/interrupted_clone.py": "is there a project already",
    "sync/ssh_server.py": "is a project in the place of a remote",
    "maintenance/record_checks.py": "the names in .aura itself",
    "history/init.py": "is there a project already",
    "sync/remotes/location_check.py": "is a project in the way of a remote",
    "worktree/scan/prefetch.py": "is there a project at all",
    "repository/replicas.py": "the inode of local/, which tells a copy",
}
"""Where a path below `.aura` is only asked about, and why."""


@cache
def calls(path: Path) -> list[tuple[ast.Call, str]]:
    """Every call in a file, with the name that is called."""
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [(node, ast.unparse(node.func)) for node in found]


def rooms() -> Iterator[Path]:
    """Every file of the product outside of the room."""
    return (path for path in PACKAGE.rglob("*.py") if ROOM not in path.parents)


def test_databases_are_opened_in_storage() -> None:
    """SQLite follows links: only `storage.databases` hands it a path, others work in memory or on what is sealed."""
    found = []
    for path in rooms():
        for call, name in calls(path):
            if (
                name == "sqlite3.connect"
                and ":memory:" not in ast.unparse(call)
                and "immutable=1" not in ast.unparse(call)
            ):
                found.append(f"{path.relative_to(PACKAGE)}:{call.lineno}")
    elsewhere = ("studio/index.py", "studio/database/database_file.py")  # the latter is a person's own, to be imported
    assert [place for place in found if not place.startswith(elsewhere)] == []


def test_no_store_file_is_named_to_the_system_by_its_path() -> None:
    """What `storage.path` gives is for messages; a path that is joined to `.aura` likewise."""
    found = []
    for path in rooms():
        name = path.relative_to(PACKAGE).as_posix()
        for call, called in calls(path):
            if called.rpartition(".")[2] not in OPENING or name in MAY_ASK:
                continue
            text = " ".join(ast.unparse(part) for part in call.args)
            if "storage.path(" in text or "storage.root" in text or "AURA" in text:
                found.append(f"{name}:{call.lineno}: {ast.unparse(call)}")
    assert found == []


def test_trees_of_files_are_removed_in_storage() -> None:
    """Nothing else deletes a folder with all that is in it, but among the system's temporary files."""
    found = [
        f"{path.relative_to(PACKAGE)}:{call.lineno}"
        for path in rooms()
        for call, name in calls(path)
        if name.endswith("rmtree")
    ]
    assert found == []
