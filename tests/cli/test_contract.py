"""The `--json` contract: what other programs read, key by key."""

import json
import os

import pytest

from tests.cli.conftest import Film

VERSION_KEYS = {
    "id", "number", "type", "trigger", "name", "description", "author", "created_at", "parents", "tree", "branch",
    "important", "deleted_at", "purged_at", "size_bytes", "documents", "updated_at", "modified_by", "deleted_by",
}  # fmt: skip
DOCUMENTS = {"brief", "plan", "voice", "render", "timeline"}


def test_commit_prints_the_version(film: Film) -> None:
    """`commit --json` has exactly these keys, and V has exactly its nineteen keys."""
    done = film.data("commit", "-m", "First cut", "--description", "All of it", "--important")
    assert done.keys() == {"version", "created", "beside", "locks", "amended", "stored_bytes", "folders_for_files"}
    made = done["version"]
    assert done["created"] is True
    assert made.keys() == VERSION_KEYS
    assert (made["number"], made["type"], made["trigger"], made["branch"]) == (1, "manual", None, "main")
    assert (made["name"], made["description"], made["author"]) == ("First cut", "All of it", "Ada")
    assert (made["important"], made["parents"], made["deleted_at"], made["purged_at"]) == (True, [], None, None)
    assert len(made["id"]) == len(made["tree"]) == 64
    assert made["created_at"].endswith("Z")
    assert made["documents"].keys() == DOCUMENTS
    assert made["documents"]["brief"] is not None
    assert made["documents"]["plan"] is None
    files = [
        path
        for path in film.root.rglob("*")
        if path.is_file() and not path.relative_to(film.root).parts[0].startswith(".")
    ]
    assert made["size_bytes"] == sum(path.stat().st_size for path in files)


def test_commit_of_nothing_prints_null(two: Film) -> None:
    """Where nothing changed, there is no version and the exit code is 0."""
    nothing = {"version": None, "created": False, "beside": None, "locks": [], "amended": None, "stored_bytes": 0}
    nothing["folders_for_files"] = []
    assert two.data("commit", "-m", "Again") == nothing
    assert two.data("commit", "-m", "Again", "--allow-empty")["created"] is True


def test_log_prints_versions(two: Film) -> None:
    """`log --json` has the versions, newest first, each a V."""
    found = two.data("log")
    assert found.keys() == {"versions"}
    assert [v["number"] for v in found["versions"]] == [2, 1]
    assert all(v.keys() == VERSION_KEYS for v in found["versions"])
    assert found["versions"][0]["parents"] == [found["versions"][1]["id"]]
    assert two.data("log", "-n", "0") == {"versions": []}


def test_status_prints_changes(two: Film) -> None:
    """`status --json` names branch, head, and every change; a rename has its old path."""
    head = two.data("log", "-n", "1")["versions"][0]
    clean = {"branch": "main", "head": {"id": head["id"], "number": 2}, "clean": True, "changes": [], "diverged": False}
    clean["awaited"] = clean["conflicts"] = clean["ignored"] = []
    clean |= {"offloaded": {"files": 0, "bytes": 0, "remotes": []}, "locks": [], "unsent": [], "tags_apart": []}
    clean["missing_media"] = {}
    clean["stale"] = {}
    documents = {key: two.data("status")[key] for key in ("problems", "errors", "warnings")}
    assert two.data("status") == {**clean, **documents}
    assert (documents["errors"], documents["warnings"]) == (0, len(documents["problems"]))
    two.write({"new.txt": "new", "notes.txt": "other"})
    (two.root / "assets/sky.png").rename(two.root / "assets/sea.png")
    (two.root / "scenes/010-opening.json").unlink()
    (two.root / "brief.json").unlink()
    (two.root / "brief.json").symlink_to("notes.txt")
    found = two.data("status")
    assert found == {
        **clean,
        **{key: found[key] for key in documents},
        "clean": False,
        "changes": [
            {"path": "assets/sea.png", "change": "renamed", "old_path": "assets/sky.png", "size": 3000},
            {"path": "brief.json", "change": "type_changed", "size": 9},
            {"path": "new.txt", "change": "added", "size": 3},
            {"path": "notes.txt", "change": "modified", "size": 5},
            {"path": "scenes/010-opening.json", "change": "deleted", "size": None},
        ],
    }


def test_status_before_the_first_commit(film: Film) -> None:
    """Without a version, head is null and everything is added."""
    found = film.data("status")
    assert found["head"] is None
    assert {change["change"] for change in found["changes"]} == {"added"}


def test_diff_of_versions(two: Film) -> None:
    """`diff A B --json` has ids and sizes of both sides, and a document's fields with their old value."""
    one, other = two.data("log")["versions"][::-1]
    found = two.data("diff", "v1", "v2")
    assert found.keys() == {"from", "to", "changes", "sequences", "documents"}
    assert found["sequences"] == []
    assert found["from"] == {"id": one["id"], "number": 1}
    assert found["to"] == {"id": other["id"], "number": 2}
    assert found["documents"] == {"brief": True, "plan": False, "voice": False, "render": False, "timeline": False}
    size = len(json.dumps({"topic": "Tides", "tone": "calm"}))
    assert found["changes"] == [
        {
            "path": "brief.json",
            "change": "modified",
            "old": {"id": one["documents"]["brief"], "size": size},
            "new": {"id": other["documents"]["brief"], "size": size},
            "fields": [{"op": "replace", "path": "/tone", "value": "wild", "old": "calm"}],
        }
    ]


def test_diff_with_the_folder(two: Film) -> None:
    """`to` is null for the folder; added and deleted files have one side, renamed ones their old path."""
    two.write({"new.txt": "new"})
    (two.root / "assets/sky.png").rename(two.root / "assets/sea.png")
    (two.root / "notes.txt").unlink()
    found = two.data("diff")
    assert (found["from"]["number"], found["to"]) == (2, None)
    changes = {change["path"]: change for change in found["changes"]}
    assert changes["new.txt"]["old"] is None
    assert changes["new.txt"]["new"]["size"] == 3
    assert (changes["notes.txt"]["change"], changes["notes.txt"]["new"]) == ("deleted", None)
    assert changes["assets/sea.png"]["old_path"] == "assets/sky.png"
    assert changes["assets/sea.png"]["old"] == changes["assets/sea.png"]["new"]
    committed = two.commit("Third")
    again = two.data("diff", "v2", "v3")
    assert again["changes"] == found["changes"]
    assert two.data("diff", "v2")["changes"] == found["changes"]
    assert committed["number"] == 3


def test_diff_from_nothing(film: Film) -> None:
    """Before the first version, `from` is null and everything is added."""
    found = film.data("diff")
    assert (found["from"], found["to"]) == (None, None)
    assert {change["change"] for change in found["changes"]} == {"added"}
    assert found["documents"]["brief"] is True


def test_gc_counts(two: Film) -> None:
    """`gc --json` has exactly its numbers; the grace keeps what was deleted a moment ago."""
    two("version", "delete", "v1")
    kept = two.data("gc")
    numbers = {"removed_objects", "freed_bytes", "condemned_objects", "kept_by_grace", "unread_objects"}
    assert kept.keys() == numbers | {"evicted_bytes", "evicted_files", "waiting_for"}
    assert kept["removed_objects"] == kept["freed_bytes"] == 0
    assert kept["condemned_objects"] == kept["kept_by_grace"] > 0
    planned = two.data("gc", "--dry-run", "--grace", "0")
    assert planned.pop("dry_run") is True
    assert planned.keys() == kept.keys()
    assert planned["removed_objects"] > 0
    done = two.data("gc", "--grace", "0")
    assert done.keys() == kept.keys()
    assert done["removed_objects"] + done["condemned_objects"] == planned["removed_objects"]
    assert done["kept_by_grace"] == 0


def test_fsck_reports(two: Film) -> None:
    """`fsck --json` has `ok`, `problems`, `objects`, `bytes`, `offloaded`, `evicted`; damage makes it end with 30."""
    clean = two.data("fsck")
    assert clean.keys() == {"ok", "problems", "objects", "bytes", "offloaded", "evicted"}
    assert (clean["ok"], clean["problems"]) == (True, [])
    assert clean["objects"] > 0
    assert clean["bytes"] > 0
    stored = [path for path in (two.root / ".aura/objects").rglob("*") if path.is_file()]
    largest = max(stored, key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 2] ^= 1
    largest.chmod(0o644)
    largest.write_bytes(bytes(data))
    broken = two.data("fsck", code=30)
    assert broken["ok"] is False
    assert all(problem.keys() == {"kind", "what", "detail"} for problem in broken["problems"])


def test_storage_tells_where_bytes_are(two: Film) -> None:
    """`storage --json` has totals, by version type, by file type, the largest files, and shares per version."""
    found = two.data("storage")
    sizes = {"count", "logical_bytes", "stored_bytes"}
    assert found["total"].keys() == found["objects"].keys() == found["garbage"].keys() == sizes
    assert found["total"]["count"] == 2
    assert found["by_version_type"].keys() == {"manual", "autosave", "restore_point"}
    assert {"brief", "image", "scene"} <= found["by_file_type"].keys()
    assert found["largest"][0]["path"] == "assets/sky.png"
    assert {share["number"] for share in found["versions"]} == {1, 2}
    assert {"id", "alone_bytes"} <= found["versions"][0].keys()


@pytest.mark.parametrize(
    ("arguments", "error", "code"),
    [
        (["show", "v99"], "unknown_version", 20),
        (["status", "--wrong"], "usage", 2),
        (["comit"], "usage", 2),
        (["log", "--since", "soonish"], "input_error", 2),
        (["branch", "create", "../up"], "invalid_name", 22),
        (["branch", "create", "main"], "name_taken", 23),
        (["tag", "delete", "none"], "unknown_name", 24),
        (["redo"], "nothing_to_undo", 25),
        (["version", "delete", "v2"], "version_in_use", 26),
        (["init"], "project_exists", 11),
        (["version"], "usage", 2),
    ],
)
def test_errors_are_json(two: Film, arguments: list[str], error: str, code: int) -> None:
    """Every error is `{"error": {code, message, hint}}` on stdout with its documented exit code."""
    ran = two(*arguments, "--json", code=code)
    assert ran.json.keys() == {"error"}
    assert ran.json["error"].keys() == {"code", "message", "hint"}
    assert ran.json["error"]["code"] == error
    assert all(isinstance(value, str) and value for value in ran.json["error"].values())
    assert ran.stderr == ""


def test_not_a_project_is_json(film: Film) -> None:
    """Outside a project the error has its own code."""
    film.root = film.root.parent
    assert film.data("status", code=10)["error"]["code"] == "not_a_project"


def test_moves_are_told(two: Film) -> None:
    """`checkout`, `restore`, `undo`, `redo` say where the folder is and which restore point was made."""
    two.write({"notes.txt": "unsaved", "brief.json": "{}"})
    keys = {"branch", "head", "restore_point", "changed_paths", "left_alone", "kept_unsaved"}
    moved = two.data("checkout", "v1")
    assert moved.keys() == keys
    assert (moved["branch"], moved["head"]["number"], moved["changed_paths"]) == (None, 1, 1)
    assert moved["restore_point"]["trigger"] == "PreCheckout"
    assert moved["kept_unsaved"] == 1
    back = two.data("undo")
    assert back.keys() == keys | {"operation", "passed_over", "other_restore_points"}
    assert (back["branch"], back["head"]["number"]) == ("main", 2)
    assert two.read("notes.txt") == "unsaved"
    assert two.data("redo")["head"]["number"] == 1
    restored = two.data("restore", "v2", "brief.json")
    assert restored.keys() == keys
    assert restored["restore_point"]["type"] == "restore_point"


def test_names_and_operations_are_told(two: Film) -> None:
    """`branch`, `tag` and `ops` list with the documented keys."""
    two("tag", "sent", "v1", "-m", "To the client")
    two("branch", "other", "v1")
    branches = two.data("branch")["branches"]
    assert [(b["name"], b["version"]["number"], b["current"], b["diverged"]) for b in branches] == [
        ("main", 2, True, []),
        ("other", 1, False, []),
    ]
    (tag,) = two.data("tag")["tags"]
    assert (tag["name"], tag["version"]["number"], tag["message"], tag["created_by"]) == (
        "sent",
        1,
        "To the client",
        "Ada",
    )
    operations = two.data("ops", "-n", "2")["operations"]
    assert [operation["type"] for operation in operations] == ["branch.create", "tag.create"]
    assert operations[0]["can_be_undone"] is True
    one = two.data("ops", operations[0]["id"][:10])["operation"]
    assert one["record"]["id"] == one["id"] == operations[0]["id"]


def test_json_is_the_only_thing_on_stdout(two: Film) -> None:
    """With `--json`, standard output is one JSON document whatever else is to be said."""
    os.mkfifo(two.root / "pipe")
    ran = two("status", "--json")
    assert ran.json["clean"] is True
    assert "pipe" in ran.stderr
