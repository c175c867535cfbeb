"""The rooms of the package, the parts of a room, and the direction of their imports."""

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "aura_vcs"
ROWS = [
    "ids errors progress compression model plain_text codec layout renames suggestions undo_stack parallel "
    "forked_worker",
    "formats",
    "compare",
    "storage media",
    "objects refs operation_log locks",
    "index worktree",
    "repository",
    "history",
    "annotations",
    "maintenance",
    "project interchange",
    "sync",
    "studio",
    "api",
    "agents",
    "cli ui",
    "__main__",
]
"""Rooms, lowest first. A room imports its own row and those before it."""
PARTS = {
    "formats": ["deflate jsondoc patience subtitles xmldoc", "text timeline", "media passages", "provenance"],
    "compare": ["diff media", "timeline", "merge report"],
    "storage": [
        "macos_calls windows_calls",
        "base generated_file line_log mounts open_writers own_folders owners rename",
        "memory system_calls",
        "plain_files",
        "upload",
        "local",
        "databases made_files new_output preview resumable_upload scratch sweep",
        "remotes",
        "encryption testing",
    ],
    "objects": [
        "base chunking executors unrecorded",
        "packs stream_chunks",
        "loose",
        "availability batch",
        "store",
        "trees",
        "graph",
    ],
    "refs": ["packed_labels", "merge", "annotations", "refs"],
    "worktree": ["scan", "watch", "snapshot", "checkout", "worktree"],
    "history": [
        "recording sources",
        "diff media_index file_edits init merging project_settings provenance_files",
        "names",
        "autosave checkout commit left_out lookup reverted_refs versions",
        "blame compare_versions inspect log undo untrack watch",
        "resolve undo_session",
        "abort_merge merge status",
    ],
    "agents": ["plain tools", "server"],
    "annotations": ["targets", "places", "notes provenance", "project_markers recipes", "markers proofs"],
    "project": [
        "documents editor_rules",
        "agents_page autosave_loop editor_litter folder_places media purge recipe_process render scenes search "
        "search_texts summary",
        "duplicate duplicate_history records",
        "derived",
    ],
    "sync": [
        "state",
        "remotes ssh_server transfer",
        "fetch interrupted_clone locks maintenance offload sent",
        "clone_checkout heads_merged push",
        "bundle project_remote pull",
        "clone merge_heads",
    ],
    "cli": [
        "background familiar_commands groups helper_protocol homes installation lazy_import output",
        "catalog damaged_bytecode demo error_context error_report helper",
        "configured_name remote_environment remote_keys",
        "fetch_on_demand",
        "session",
        "completion options shared",
        "main",
        "commands entry",
        "helper_main watcher_main",
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


SLOW_LIBRARIES = """PIL aaf2 anyio av base64 botocore c2pa click concurrent cryptography ctypes difflib fcntl fractions
hmac html importlib ipaddress json keyring locale mcp msvcrt numpy obstore pathlib platform platformdirs pwd pyfastcdc
resource secrets shlex shutil sqlite3 subprocess tempfile tomllib unicodedata urllib watchfiles xml zstandard"""
"""What a function may import from elsewhere: it is slow to import, an optional extra, or not on every system."""
LOADED_ANYWAY = "codec errors errors.input errors.integrity ids layout model plain_text progress"
"""What every command has loaded: importing it in a function saves nothing."""
STARTERS = {"aura_vcs", "aura_vcs.cli.entry", "aura_vcs.cli.main"}
"""What decides in which order a command's modules come."""
LAZY_IMPORTS = {
    "annotations": 4, "cli": 300, "formats": 2, "history": 21, "index": 12, "objects": 9, "project": 6, "refs": 1,
    "repository": 10, "storage": 10, "studio": 3, "sync": 20, "worktree": 19,
}  # fmt: skip
"""How many imports of ours stand inside functions, because `status`, `log`, `commit` or a `sync` of nothing would start
more slowly; in the command line also because few runs of a command need what is imported. A room that is not named has
none. Whoever takes some away lowers the number.
"""


def _imported(node: ast.Import | ast.ImportFrom) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    names = {f"{node.module}.{alias.name}" for alias in node.names}
    return {name if name in _modules() else str(node.module) for name in names}


@cache
def _local_imports() -> tuple[tuple[str, int, str], ...]:
    """Every import inside a function: the module it is in, the line, and what is imported."""
    found = set()
    for module, path in _modules().items():
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import | ast.ImportFrom):
                        found |= {(module, node.lineno, name) for name in _imported(node)}
    return tuple(sorted(found))


def test_what_is_loaded_anyway_is_imported_at_the_top() -> None:
    """A function imports neither what every command has loaded, nor a library that is quick to import."""
    anyway = {f"aura_vcs.{name}" for name in LOADED_ANYWAY.split()}
    found = [
        f"{module}:{line} {name}"
        for module, line, name in _local_imports()
        if module not in STARTERS
        and (name in anyway or not (name.startswith("aura_vcs.") or name.split(".")[0] in SLOW_LIBRARIES.split()))
    ]
    assert found == []


def test_lazy_imports_become_fewer() -> None:
    """Imports of ours stand at the top, but for those that make a command of every day start sooner."""
    counts: dict[str, int] = {}
    lines = {(module, line) for module, line, name in _local_imports() if name.startswith("aura_vcs.")}
    for module, _ in lines:
        if _room(module) != "aura_vcs":
            counts[_room(module)] = counts.get(_room(module), 0) + 1
    assert {room: count for room, count in counts.items() if count > LAZY_IMPORTS.get(room, 0)} == {}, counts
