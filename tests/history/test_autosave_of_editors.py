"""An autosave never has half a project of an editor: while it is written, the version keeps it as it was."""

import gzip
import io
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from aura_vcs.formats.timeline.intact import why_not_intact
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project
from aura_vcs.history.autosave import autosave
from aura_vcs.history.commit import commit
from aura_vcs.history.init import start_project
from aura_vcs.repository.repository import Repository

from tests.editors import projects
from tests.editors.projects import Cut, Item, samples

CUT: Cut = {"V1": [Item("a.mp4"), Item("b.mp4", 3, 40)], "A1": [Item("w.wav")]}
MADE = {
    "t.kdenlive": projects.kdenlive(CUT),
    "t.mlt": projects.shotcut(CUT),
    "t.osp": projects.openshot(CUT),
    "t.fcpxml": projects.fcpxml(CUT),
    "t.xml": projects.xmeml(CUT),
    "t.rpp": projects.reaper(CUT),
    "t.otio": projects.otio(CUT),
    "t.otioz": projects.otioz(CUT),
    "t.prproj": gzip.compress(projects.xmeml(CUT), mtime=0),
}


@pytest.fixture
def repo(tmp_path: Path) -> Iterator[Repository]:
    with start_project(str(tmp_path / "film"), title="Film") as (made, _):
        yield made


def _saved(repo: Repository, path: str) -> bytes | None:
    """What the autosave made now has at a path."""
    made = autosave(repo).version
    assert made is not None
    entry = repo.trees.entry(made.tree, path)
    return repo.store.read(entry.id) if entry is not None else None


@pytest.mark.parametrize("name", MADE)
def test_half_a_project_is_not_saved(repo: Repository, name: str) -> None:
    """Other files are; once the editor is done, so is the project."""
    file, notes = Path(repo.root, name), Path(repo.root, "notes.txt")
    file.write_bytes(MADE[name])
    commit(repo, "whole")
    file.write_bytes(MADE[name][: len(MADE[name]) * 2 // 3])
    notes.write_text("one")
    assert _saved(repo, name) == MADE[name]
    assert autosave(repo).unstable == (name,)
    file.write_bytes(MADE[name] + b"\n" * (not name.endswith(("z", "prproj"))))
    notes.write_text("two")
    assert _saved(repo, name) == file.read_bytes()


def test_an_edit_list_is_left_alone_for_a_moment(repo: Repository) -> None:
    """It may end with any line: what was written to just now is not saved, a little later it is."""
    file = Path(repo.root, "t.edl")
    file.write_bytes(projects.edl(CUT))
    commit(repo, "whole")
    file.write_bytes(projects.edl({"V1": CUT["V1"][:1]}))
    soon = time.time() + 3600  # whatever the machine is busy with until the autosave looks at it
    os.utime(file, (soon, soon))
    assert autosave(repo).unstable == ("t.edl",)
    before = time.time() - 5
    os.utime(file, (before, before))
    assert _saved(repo, "t.edl") == file.read_bytes()


WRITER = """
import os, sys, time
path, ways, data = sys.argv[1], sys.argv[2], open(sys.argv[3], "rb").read()
print("ready", flush=True)
for line in sys.stdin:
    new = data.replace(b"sea.mp4", f"{line.strip():7.7}".encode())
    target = path if ways == "over" else path + ".aB3dE6"
    with open(target, "wb") as file:
        for at in range(0, len(new), len(new) // 5 + 1):
            file.write(new[at : at + len(new) // 5 + 1])
            file.flush()
            print("piece", flush=True)
            sys.stdin.readline()
    if target != path:
        os.replace(target, path)
    print("saved", flush=True)
"""


@pytest.mark.parametrize("way", ["over", "beside"])
@pytest.mark.parametrize("name", ["t.kdenlive", "t.osp", "t.rpp", "t.fcpxml"])
def test_no_version_has_what_another_process_has_half_written(
    repo: Repository, tmp_path: Path, name: str, way: str
) -> None:
    """An editor saves in pieces, over its file or beside it; after each piece there is an autosave."""
    cut: Cut = {"V1": [Item("sea.mp4"), Item("b.mp4", 3, 40)]}
    write = {"t.kdenlive": projects.kdenlive, "t.osp": projects.openshot, "t.rpp": projects.reaper}
    data = write.get(name, projects.fcpxml)(cut)
    (tmp_path / "data").write_bytes(data)
    file = Path(repo.root, name)
    file.write_bytes(data)
    commit(repo, "whole")
    whole = {data}
    command = [sys.executable, "-c", WRITER, str(file), way, str(tmp_path / "data")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as editor:
        assert editor.stdin is not None
        assert editor.stdout is not None
        assert editor.stdout.readline() == "ready\n"
        for number in range(2):
            editor.stdin.write(f"take{number}x\n")
            whole.add(data.replace(b"sea.mp4", f"take{number}x ".encode()[:7].ljust(7)))
            while editor.stdout.readline() == "piece\n":
                Path(repo.root, "notes.txt").write_text(f"{time.time_ns()}")
                made = autosave(repo).version
                assert made is not None
                entry = repo.trees.entry(made.tree, name)
                assert entry is not None
                assert repo.store.read(entry.id) in whole
                assert [path for path, _ in repo.trees.walk(made.tree) if path.startswith("t.")] == [name]
                editor.stdin.write("\n")
            Path(repo.root, "notes.txt").write_text(f"{time.time_ns()}")
            assert _saved(repo, name) == file.read_bytes() in whole
        editor.stdin.close()
        assert editor.wait(20) == 0


def test_a_copy_that_waits_for_its_place_is_none(repo: Repository) -> None:
    """As Qt writes it beside the project; what is left of a crash is saved later, like all that is old."""
    Path(repo.root, "t.kdenlive").write_bytes(MADE["t.kdenlive"])
    waiting = Path(repo.root, "t.kdenlive.xKqZ12")
    waiting.write_bytes(MADE["t.kdenlive"][:500])
    assert _saved(repo, waiting.name) is None
    an_hour_ago = time.time() - 3600
    os.utime(waiting, (an_hour_ago, an_hour_ago))
    assert _saved(repo, waiting.name) == waiting.read_bytes()


def test_a_commit_saves_what_is_there(repo: Repository) -> None:
    """Who commits means the folder as it is, and a broken project that stays so is autosaved in the end."""
    file = Path(repo.root, "t.kdenlive")
    file.write_bytes(MADE["t.kdenlive"][:700])
    assert autosave(repo).unstable == ("t.kdenlive",)
    committed = commit(repo, "as it is")
    assert committed is not None
    file.write_bytes(MADE["t.kdenlive"][:800])
    an_hour_ago = time.time() - 3600
    os.utime(file, (an_hour_ago, an_hour_ago))
    assert _saved(repo, "t.kdenlive") == file.read_bytes()


@pytest.mark.parametrize("path", samples("kdenlive", "mlt", "osp", "fcpxml", "rpp", "prproj", "edl"), ids=str)
def test_real_projects_are_whole_and_pieces_of_them_are_not(path: Path) -> None:
    """Whatever is cut off beyond white space; of edit lists nobody can tell."""
    data = path.read_bytes()
    found = read_project(path.name, data)
    is_known = isinstance(found, Timeline) and found.format != "edl"
    assert not (is_known and why_not_intact(data))
    for share in (0.01, 0.3, 0.9, 0.999):
        piece = data[: int(len(data.rstrip()) * share)]
        assert why_not_intact(piece) or not is_known


@pytest.mark.parametrize("comment", [b"", b"with a comment"])
def test_a_zip_or_gzip_file_is_whole_with_its_last_byte(comment: bytes) -> None:
    """Every beginning of it is none, even one with most of the record at its end or less than it is known by."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("project.xml", "<Sequence/>")
        archive.comment = comment
    for data in (buffer.getvalue(), gzip.compress(b"<PremiereData/>", mtime=0)):
        assert not why_not_intact(data)
        assert [n for n in range(len(data)) if not why_not_intact(data[:n])] == []
