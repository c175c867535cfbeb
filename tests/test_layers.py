"""The rooms of the package, the parts of a room, and the direction of their imports."""

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "aura_vcs"
ROWS = [
    "ids errors progress compression model codec layout renames suggestions undo_stack parallel forked_worker",
    "formats",
    "compare",
    "storage media",
    "objects refs operation_log locks",
    "index worktree",
    "repository",
    "history",
    "maintenance",
    "project interchange",
    "sync",
    "studio",
    "api",
    "cli",
    "__main__",
]
"""Rooms, lowest first. A room imports its own row and those before it."""
PARTS = {
    "formats": ["jsondoc patience subtitles xmldoc", "text timeline", "media passages"],
    "compare": ["diff", "timeline", "merge report"],
    "storage": [
        "macos_calls windows_calls",
        "base file_lock generated_file home line_log mounts open_writers own_folders owners rename room",
        "memory system_calls",
        "background_sync plain_files stored_file",
        "upload",
        "local",
        "databases new_output preview resumable_upload scratch",
        "remotes",
        "encryption testing",
    ],
    "objects": [
        "base chunking executors frame_cache offloaded",
        "packs",
        "loose",
        "availability batch",
        "store",
        "trees",
        "graph",
    ],
    "refs": ["changes packed_labels branch_entries tags", "label_merge", "refs"],
    "worktree": ["scan", "snapshot", "checkout", "worktree"],
    "history": [
        "recording sources",
        "diff file_edits init merging project_settings",
        "names",
        "autosave checkout commit lookup versions",
        "blame compare_versions inspect log undo untrack watch",
        "resolve",
        "merge status",
    ],
    "project": [
        "documents",
        "autosave_loop editor_litter media purge render scenes search search_texts summary",
        "records",
    ],
    "sync": [
        "state",
        "remotes ssh_server transfer",
        "fetch interrupted_clone locks maintenance offload sent",
        "clone_checkout push",
        "bundle pull",
        "clone",
    ],
    "cli": [
        "familiar_commands groups homes installation lazy_import output",
        "catalog demo error_context error_report project_list remote_environment remote_keys",
        "fetch_on_demand",
        "session",
        "completion options shared",
        "main",
        "commands entry",
    ],
}
"""Parts of a room (modules and folders), lowest first. A part imports its own row and lower ones."""
DEPTH = {name: depth for depth, row in enumerate(ROWS) for name in row.split()}
PART_DEPTH = {
    (room, name): depth for room, rows in PARTS.items() for depth, row in enumerate(rows) for name in row.split()
}


@cache
def _modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@cache
def _imports(module: str) -> frozenset[str]:
    """Modules of the package that `module` imports anywhere in its text, also inside functions."""
    known = _modules()
    found = set()
    for node in ast.walk(ast.parse(known[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in known else node.module)
    return frozenset(name for name in found if name.startswith("aura_vcs") and name != module)


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "aura_vcs"


def _part(module: str) -> str:
    parts = module.split(".")
    return parts[2] if len(parts) > 2 else ""


@pytest.mark.parametrize("importer", sorted(_modules()))
def test_imports_point_down(importer: str) -> None:
    """A module may import its own row or a lower one, of rooms as of parts; only the front imports from above."""
    if importer == "aura_vcs":
        return
    assert "aura_vcs" not in _imports(importer), f"{importer} imports the package's front"
    room = _room(importer)
    above = {imported for imported in _imports(importer) if DEPTH[_room(imported)] > DEPTH[room]}
    if room in PARTS and _part(importer):
        parts = {imported for imported in _imports(importer) if _room(imported) == room and _part(imported)}
        highest = PART_DEPTH[room, _part(importer)]
        above |= {imported for imported in parts if PART_DEPTH[room, _part(imported)] > highest}
    assert not above, f"{importer} → {', '.join(sorted(above))}"


def test_every_room_and_part_is_on_the_map() -> None:
    """A new room is placed in ROWS, a new part of a room with folders in PARTS, before it has code."""
    assert {_room(module) for module in _modules()} - {"aura_vcs"} == set(DEPTH)
    parts = {(_room(m), _part(m)) for m in _modules() if _room(m) in PARTS and _part(m)}
    assert parts == set(PART_DEPTH)


def test_no_cycles() -> None:
    """No module imports itself through others, also not within a row."""
    graph = {importer: sorted(_imports(importer)) for importer in _modules() if importer != "aura_vcs"}
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " → ".join((*trail[trail.index(module) :], module))
        if module in done:
            return
        for used in graph.get(module, ()):
            visit(used, (*trail, module))
        done.add(module)

    for module in list(graph):
        visit(module, ())


def test_only_the_command_line_knows_the_environment() -> None:
    """Environment variables, the terminal and exits belong to `cli`."""
    for module, path in _modules().items():
        if _room(module) == "cli":
            continue
        text = path.read_text("utf-8")
        for word in ("os.environ", "os.getenv", "sys.exit", "sys.stdout", "sys.stderr", "print("):
            assert word not in text, f"{module} uses {word}"


def test_only_storage_and_worktree_touch_files() -> None:
    """Writing, syncing and renaming happen in `storage`; the person's files belong to `worktree`."""
    for module, path in _modules().items():
        if _room(module) in {"storage", "worktree", "cli", "locks"}:
            continue
        text = path.read_text("utf-8")
        for word in (
            "os.rename",
            "os.replace",
            "os.fsync",
            "os.unlink",
            "shutil.",
            ".write_text(",
            ".write_bytes(",
        ):
            assert word not in text, f"{module} uses {word}"
