"""`aura merge`, `resolve`, `blame`, and what `log` and `status` say of them."""

import json

import pytest
from aura_vcs import Repository
from aura_vcs.history.diff.suggest_name import suggest_name

from tests.cli.conftest import Film

BRIEF = "brief.json"


def brief(**changes: str) -> dict[str, str | bytes]:
    """The brief with other fields."""
    return {BRIEF: json.dumps({"topic": "Tides", "tone": "calm"} | changes)}


@pytest.fixture
def apart(film: Film) -> Film:
    """Two branches that gave the tone and other fields other values; `main` is checked out."""
    film.commit("First cut")
    film("branch", "side")
    film.commit("Wild", brief(tone="wild"))
    film("checkout", "side")
    film.commit("Stern", {**brief(tone="stern", goal="teach"), "notes.txt": "zero\none\ntwo\nthree\n"})
    film("checkout", "main")
    return film


def test_a_merge_says_what_came_and_what_is_open(apart: Film) -> None:
    """The dry run and the merge show the same; the merge can be taken back; status and resolve list what is open."""
    plan = apart("merge", "side", "--dry-run").out
    done = apart("merge", "side").out
    for text in (plan, done):
        assert "merged    brief.json  merged by field" in text
        assert "taken     notes.txt" in text
        assert "1  brief.json#/tone" in text
        assert 'theirs "stern"  (v3 from side)' in text
    assert "1 conflict left by a merge" in apart("status").out
    assert apart.data("status")["conflicts"] == ["brief.json#/tone"]
    assert 'ours   "wild"' in apart("resolve").out
    apart("undo")
    assert apart.data("status")["conflicts"] == []
    assert "No conflict is open" in apart("resolve").out


def test_merge_as_data(apart: Film) -> None:
    """`--json` tells the kind, the paths, the conflicts with every side, and the new version."""
    planned = apart.data("merge", "side", "--dry-run")
    done = apart.data("merge", "side", "-m", "Together")
    assert planned["dry_run"]
    assert not done["dry_run"]
    assert planned["conflicts"] == done["conflicts"]
    assert done["kind"] == "join"
    assert done["version"]["name"] == "Together"
    assert len(done["version"]["parents"]) == 2
    conflict = done["conflicts"][0]
    assert {side: conflict[side] for side in ("base", "ours", "theirs")} == {
        "base": "calm", "ours": "wild", "theirs": "stern",
    }  # fmt: skip
    assert apart.data("merge", "side")["kind"] == "up_to_date"


def test_resolving_from_the_command_line(apart: Film) -> None:
    """A place is named as it is listed; what is not open is refused with what is."""
    apart("merge", "side")
    failed = apart("resolve", "--theirs", "brief.json#/goal", code=75)
    assert "brief.json#/goal" in failed.stderr
    assert "No conflict is left" in apart("resolve", "--theirs", "brief.json#/tone").out
    assert json.loads(apart.read(BRIEF)) == {"topic": "Tides", "tone": "stern", "goal": "teach"}
    apart("undo")
    assert apart.data("resolve", "--base", ".")["left"] == []
    assert json.loads(apart.read(BRIEF))["tone"] == "calm"


def test_abort(apart: Film) -> None:
    """`merge --abort` takes the merge back; a second time there is none."""
    apart("merge", "side")
    assert "Undid" in apart("merge", "--abort").out
    assert json.loads(apart.read(BRIEF))["tone"] == "wild"
    apart("merge", "--abort", code=2)


def test_the_history_of_a_field(apart: Film) -> None:
    """`log --field` tells values and authors, also across a rename; a wrong one is refused."""
    apart("merge", "side")
    (apart.root / BRIEF).rename(apart.root / "about.json")
    apart.commit("Renamed")
    apart.commit("Ours", {"about.json": json.dumps({"topic": "Tides", "tone": "dry"})})
    found = apart.data("log", "--field", "about.json#/tone")["changes"]
    assert [change["after"] for change in found] == ["dry", "stern", "wild", "calm"]
    assert "before" not in found[-1]
    assert [version["name"] for version in apart.data("log", "--", "about.json")["versions"]][-1] == "First cut"
    assert '"wild" → "dry"' in apart("log", "--field", "about.json#/tone").out
    assert "names no field" in apart("log", "--field", "about.json", code=2).stderr
    apart("log", "--field", "about.json#/nothing", code=24)


def test_blame(apart: Film) -> None:
    """Every field and every line has the version that wrote it, through a merge."""
    apart("merge", "side")
    fields = {part["place"]: part["version"]["number"] for part in apart.data("blame", BRIEF)["parts"]}
    assert fields == {"/topic": 1, "/tone": 2, "/goal": 3}
    lines = [(part["text"], part["version"]["number"]) for part in apart.data("blame", "notes.txt")["parts"]]
    assert lines == [("zero", 3), ("one", 1), ("two", 1), ("three", 1)]
    apart("blame", "scenes", code=2)
    assert "The project is not a file" in apart("blame", ".", code=2).stderr
    assert "neither a document nor a text" in apart("blame", "assets/sky.png", code=74).stderr


def test_blame_of_a_line_that_stands_twice(film: Film) -> None:
    """Equal lines that two branches brought are each told, whoever wrote them first."""
    film.commit("First cut", {"script.md": "one\nsame\ntwo\n"})
    film("branch", "side")
    film.commit("Ours", {"script.md": "same\none\ntwo\n"})
    film("checkout", "side")
    film.commit("Theirs", {"script.md": "one\ntwo\nsame\n"})
    film("checkout", "main")
    film("merge", "side")
    film("resolve", "--as-is", ".", code=None)
    film.commit("Twice", {"script.md": "same\none\ntwo\nsame\n"})
    found = [(part["text"], part["version"]["number"]) for part in film.data("blame", "script.md")["parts"]]
    assert [text for text, _ in found] == ["same", "one", "two", "same"]
    assert dict(found[1:3]) == {"one": 1, "two": 1}


def test_contradictions_are_refused(apart: Film) -> None:
    """Two decisions at once, or a field with filters that it does not know, change and hide nothing."""
    apart("merge", "side")
    assert "Choose one" in apart("resolve", "--ours", "--theirs", ".", code=2).stderr
    assert apart.data("status")["conflicts"] == ["brief.json#/tone"]
    for extra in (["--grep", "x"], ["--graph"], ["--all"], ["--", "notes.txt"]):
        assert " only be combined with -n" in apart("log", "--field", "brief.json#/tone", *extra, code=2).stderr
    assert apart.data("resolve", "brief")["conflicts"] == []
    assert len(apart.data("resolve", "brief.json#/tone")["conflicts"]) == 1


def test_the_graph(apart: Film) -> None:
    """Lines part and meet in the drawing, one star for every version."""
    apart("merge", "side")
    drawn = apart("log", "--graph", "--oneline").out.splitlines()
    assert [line.split("  ")[0] for line in drawn] == ["*", "|\\", "| *", "* |", "|/", "*"]


def test_history_steps_over_freed_versions(apart: Film) -> None:
    """A version whose content was purged is no change of a field; the ones around it meet."""
    apart.commit("Useless", {"notes.txt": "x"})
    apart.commit("Later", {"notes.txt": "y"})
    apart("version", "purge", "v4", "--yes")
    apart("gc", "--grace", "0")
    found = apart.data("log", "--field", "brief.json#/tone")["changes"]
    assert [change["version"]["number"] for change in found] == [2, 1]
    assert {part["version"]["number"] for part in apart.data("blame", BRIEF)["parts"]} == {1, 2}


def test_a_report_is_one_escaped_page(apart: Film) -> None:
    """`diff --html` writes a page with every file; it replaces an older page, but nothing else."""
    hostile = "<script>alert(1)</script>.txt".replace("/", "")
    apart.write({hostile: "x", "script.txt": "</script><b>one</b>"})
    apart("merge", "side")
    page = apart.root.parent / "report.html"
    for _ in range(2):
        assert "compared" in apart("diff", "v1", "--html", str(page)).out
    text = page.read_text("utf-8")
    assert "brief.json" in text
    assert "notes.txt" in text
    assert "<script>alert" not in text
    assert apart.data("diff", "v1", "--html", str(page))["files"] >= 3
    before = apart.read(BRIEF)
    apart("diff", "v1", "--html", str(apart.root / BRIEF), code=2)
    assert apart.read(BRIEF) == before


def test_details_show_every_change(film: Film) -> None:
    """Without --details the first changes of a document are told, with it all of them."""
    fields = {f"field_{n:02}": n for n in range(30)}
    film.commit("First cut", {"plan.json": json.dumps(fields)})
    film.write({"plan.json": json.dumps({name: n + 1 for name, n in fields.items()})})
    assert "field_29" not in film("diff").out
    assert all(name in film("diff", "--details").out for name in fields)


def test_what_is_open_travels_by_push_and_clone(apart: Film) -> None:
    """A field and a picture that are open are decided in a clone, and the answers come back by pull."""
    apart.commit("Our sky", {"assets/sky.png": b"\0ours"})
    apart("checkout", "side")
    apart.commit("Their sky", {"assets/sky.png": b"\0theirs"})
    apart("checkout", "main")
    apart("merge", "side")
    apart("remote", "add", "origin", "../film.aura")
    apart("push")
    there = Film(apart.root.parent, apart.env)
    there("clone", "film.aura", "copy")
    copy = Film(apart.root.parent / "copy", {**apart.env, "AURA_AUTHOR": "Ben"})
    assert copy.data("resolve")["conflicts"] == apart.data("resolve")["conflicts"]
    copy("resolve", "--theirs", "brief.json#/tone")
    copy("resolve", "--theirs", "assets")
    copy.commit("Decided")
    copy("push")
    apart("pull")
    assert apart.data("resolve")["conflicts"] == []
    assert (apart.root / "assets/sky.png").read_bytes() == b"\0theirs"
    assert json.loads(apart.read(BRIEF))["tone"] == "stern"
    assert apart.data("status")["changes"] == []


def test_what_a_merge_says_of_files(film: Film) -> None:
    """A rename is told as one; a document kept twice says why; a file and a folder say which is whose."""
    scene = json.dumps({"id": "s1", "index": 1, "script_text": "Waves."})
    film.commit(
        "Base", {"scenes/001.json": scene, "odd.json": "{}", "notes": "first\n", "end.md": "end\n", "en.srt": "one"}
    )
    film("branch", "side")
    film("checkout", "side")
    for old, new in (("scenes/001.json", "scenes/002.json"), ("end.md", "last.md")):
        (film.root / old).rename(film.root / new)
    (film.root / "notes").unlink()
    film.write({"en.srt": "eins".encode("utf-16")})
    film.commit("Theirs", {"odd.json": '{"a": 1, "a": 2}', "notes/one.md": "inside\n"})
    film("checkout", "main")
    edited = scene.replace("Waves", "Tides")
    film.commit(
        "Ours",
        {
            "scenes/001.json": edited,
            "odd.json": '{"a": 3}',
            "notes": "second\n",
            "en.srt": "uno",
            "Sky.md": "s\n",
            "new.md": "ours\n",
        },
    )
    film("checkout", "side")
    film.commit("Sky", {"sky.md": "other\n", "new.md": "theirs\n"})
    film("checkout", "main")
    said = film("merge", "side").out
    assert "renamed   scenes/001.json → scenes/002.json" in said
    assert "renamed   end.md → last.md" in said
    assert "deleted" not in said.replace("deleted   notes", "")
    assert "not merged by field: in theirs, the key 'a' is given twice in one object" in said
    assert "not merged by line: in theirs, it is not UTF-8" in said
    assert "a file in v3 from main, a folder in v4 from side: the file was set aside as notes (v3 from main)" in said
    assert "two files of one name, at least on some disks: here is ours (v3 from main)" in said
    assert "base   nothing\n" in said
    film("undo")
    renamed = film.data("merge", "side", "--dry-run")["renamed"]
    assert {"path": "last.md", "old_path": "end.md"} in renamed


def test_theirs_of_two_is_asked_for_by_name(apart: Film) -> None:
    """Where two branches came in at one place, `--from` says whose; both sides are listed."""
    apart("branch", "late", "v1")
    apart("checkout", "late")
    apart.commit("Gentle", brief(tone="gentle"))
    apart("checkout", "main")
    apart("merge", "side")
    apart("merge", "late")
    listed = apart("resolve").out
    assert [line.split()[1] for line in listed.splitlines() if "theirs " in line and "(" in line] == [
        '"stern"', '"gentle"',
    ]  # fmt: skip
    assert 'theirs "stern"' in listed
    assert 'theirs "gentle"' in listed
    refused = apart("resolve", "--theirs", "brief.json#/tone", code=76).stderr
    assert "v3 from side and v4 from late both came in there" in refused
    assert "--theirs --from v" in refused
    assert "No conflict is left" in apart("resolve", "--theirs", "brief.json#/tone", "--from", "side").out
    assert json.loads(apart.read(BRIEF))["tone"] == "stern"
    assert "needs a decision" in apart("resolve", "--from", "side", code=2).stderr


def test_unsaved_work_that_the_merge_brings_itself(apart: Film) -> None:
    """A file that the folder has already as the merge brings it is nothing that anybody must look for."""
    apart.write({"notes.txt": "zero\none\ntwo\nthree\n"})
    said = apart("merge", "side").out
    assert "You had not saved" not in said
    apart("undo")
    apart.write({"notes.txt": "mine\n"})
    said = apart("merge", "side").out
    assert "You had not saved notes.txt, which the merge changed too" in said


def test_conflicts_of_scenes_are_told_by_name(film: Film) -> None:
    """A scene has its heading beside its place, what was changed in it, and places counted as people count."""
    names = ("Dawn", "Noon", "Dusk", "Night", "Stars", "Sleep", "Dream")
    scenes = [{"heading": name, "script": f"About {name}.", "duration": 4} for name in names]
    film.commit("Base", {"timeline.json": json.dumps({"scenes": scenes}), "my film.json": '{"a": 1}'})
    film("branch", "side")
    film("checkout", "side")
    theirs = [scenes[2], scenes[0], {**scenes[1], "script": "High up."}, {**scenes[3], "duration": 5}, *scenes[4:]]
    film.commit("Theirs", {"timeline.json": json.dumps({"scenes": theirs}), "my film.json": '{"a": 2}'})
    film("checkout", "main")
    ours = [scenes[0], {**scenes[3], "duration": 6}, *scenes[4:], scenes[2]]
    film.commit("Ours", {"timeline.json": json.dumps({"scenes": ours}), "my film.json": '{"a": 3}'})
    said = film("merge", "side").out
    assert 'script: "About Noon." → "High up."' in said
    assert "ours   nothing: it was removed" in said
    assert '/duration  "Night"' in said
    assert "at place 1" in said
    assert "aura resolve 1 --ours" in film("resolve").out
    assert "Decided my film.json#/a" in film("resolve", "1", "--ours").out


def test_what_a_merge_left_open_is_said_in_words(apart: Film) -> None:
    """Not as a file that nobody made."""
    apart("merge", "side")
    before = apart.data("show")["version"]["parents"][0]
    for words in (("show",), ("diff", before, "HEAD"), ("diff", before, "HEAD", "--stat")):
        out = apart(*words).out
        assert "the list of what merges left open" in out
        assert ".aura-conflicts" not in out
    while "1  " in apart("resolve").out:
        apart("resolve", "1", "--ours")
    assert "decided   what merges left open" in apart("status").out
    with Repository.open(apart.root) as repo:
        assert suggest_name(repo).endswith("ecided conflicts")


def test_a_list_of_conflicts_that_somebody_broke(apart: Film) -> None:
    """Status still tells everything else; the way back is told and works."""
    apart("merge", "side")
    apart.write({".aura-conflicts.json": "no list", "notes.txt": "edited\n"})
    shown = apart("status")
    assert "modified  notes.txt" in shown.out
    assert "aura restore VERSION .aura-conflicts.json" in shown.stderr
    assert "aura restore VERSION .aura-conflicts.json" in apart("resolve", code=34).stderr
    apart("restore", "HEAD", ".aura-conflicts.json")
    assert "1  brief.json#/tone" in apart("resolve").out
