"""The front door for programs: its names, its signatures and its page hold together, and it does what it says."""

import ast
import importlib
import inspect
import pkgutil
import pydoc
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from random import Random
from threading import Thread
from types import FunctionType
from typing import Any, get_args, get_type_hints

import aura_vcs as aura
import pytest
from aura_vcs import errors
from aura_vcs.errors.integrity import ObjectCorrupt

ROOT = Path(__file__).parent.parent
PAGES = {name: (ROOT / name).read_text("utf-8") for name in ("docs/api.md", "README.md")}
OWN = [it for name in aura.__all__ if inspect.isclass(it := getattr(aura, name)) and ".api." in it.__module__]


def _function(member: object) -> object:
    return getattr(member, "fget", None) or getattr(member, "func", None) or getattr(member, "__func__", member)


METHODS = [
    pytest.param(_function(member), id=f"{kind.__name__}.{name}")
    for kind in OWN
    for name, member in inspect.getmembers_static(kind)
    if not name.startswith("_")
    and (inspect.isroutine(member) or isinstance(member, property | cached_property))
    and not issubclass(kind, dict | Exception)
]


@pytest.fixture
def film(tmp_path: Path) -> Iterator[aura.Project]:
    """A project with two versions, opened."""
    with aura.init(tmp_path / "film", title="Comet", author="Mara") as project:
        script = project.path / "script.txt"
        script.write_text("One.\n")
        project.commit("First")
        script.write_text("One.\nTwo.\n")
        project.commit("Second")
        yield project


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run one after the other, in one folder."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGES[page], re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)


def test_the_program_on_the_page_is_short() -> None:
    """What opens, commits with progress, lists, streams, compares, undoes and watches has 30 lines and one import."""
    program = re.findall(r"```python\n(.*?)```", PAGES["docs/api.md"], re.DOTALL)[0]
    assert len([line for line in program.splitlines() if line]) <= 30
    assert re.findall(r"^(?:import|from).*", program, re.MULTILINE) == ["import aura_vcs as aura"]


def test_names_are_shown() -> None:
    """`dir` and `help` have every name, also those that were not imported yet."""
    code = "import aura_vcs as a, pydoc; print(sorted(set(a.__all__) - set(dir(a)))); print(pydoc.render_doc(a))"
    command = [sys.executable, "-X", "utf8", "-c", code]
    shown = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    assert shown.startswith("[]\n")
    plain = pydoc.plain(shown)
    assert "class Project" in plain
    assert "class PathLocked" in plain
    with pytest.raises(AttributeError):
        _ = aura.opne  # type: ignore[attr-defined]


def test_every_error_is_exported() -> None:
    """A program catches any error by a name of the front door."""
    for module in pkgutil.iter_modules(errors.__path__):
        importlib.import_module(f"{errors.__name__}.{module.name}")

    def below(kind: type) -> set[str]:
        return {kind.__name__}.union(*(below(inner) for inner in kind.__subclasses__()))

    own = {name for name in below(aura.AuraError) if isinstance(getattr(aura, name, None), type)}
    public = {
        name for module in sys.modules.values() if getattr(module, "__name__", "").startswith("aura_vcs.errors")
        for name, it in vars(module).items() if isinstance(it, type) and issubclass(it, aura.AuraError)
    }  # fmt: skip
    assert public <= own


@pytest.mark.parametrize("function", METHODS)
def test_signatures_are_typed(function: object) -> None:
    """Everything has a type, none is `Any`, and the page has the method with what it does."""
    assert callable(function)
    found = inspect.signature(function)
    kinds = [item.annotation for name, item in found.parameters.items() if name not in {"self", "cls"}]
    for kind in (*kinds, found.return_annotation):
        assert kind is not inspect.Signature.empty
        assert "Any" not in str(kind)
    assert inspect.getdoc(function)


def _reachable() -> Iterator[tuple[str, object]]:
    """Every type that a program meets: in signatures, fields and properties, with where."""
    seen: dict[int, object] = {}
    waiting = [(name, getattr(aura, name)) for name in aura.__all__ if name != "__version__"]
    while waiting:
        where, it = waiting.pop()
        if id(it) in seen:
            continue
        seen[id(it)] = it  # held, so that no other gets its id
        yield where, it
        waiting += [(where, part) for part in get_args(it) if not isinstance(part, str)]
        if inspect.isfunction(it):
            waiting += [(f"{where}({name})", kind) for name, kind in get_type_hints(it).items()]
        elif isinstance(it, type) and it.__module__.startswith("aura_vcs") and it is not aura.Repository:
            members = [(name, _function(member)) for name, member in inspect.getmembers_static(it)]
            parts = [*get_type_hints(it).items(), *((n, m) for n, m in members if inspect.isfunction(m))]
            waiting += [(f"{it.__name__}.{name}", part) for name, part in parts if not name.startswith("_")]


def test_types_are_exported_and_plain() -> None:
    """What a program meets has a name in the API; paths are `Path`, times `datetime`, and nothing is `Any`."""
    exported = [getattr(aura, name) for name in aura.__all__]
    for where, it in _reachable():
        assert it is not Any, where
        if isinstance(it, type) and it.__module__.startswith("aura_vcs"):
            assert it in exported, f"{where}: {it.__module__}.{it.__name__} has no name in the API"
    for kind in OWN:
        for name, field in inspect.get_annotations(kind).items():
            shown = str(field)
            if re.fullmatch(r"path|file|folder|output|.*_(path|file)|paths|files", name):
                assert "str" not in shown.replace("StrPath", ""), f"{kind.__name__}.{name}: {shown}"
            if re.fullmatch(r"time|.*_at", name):
                assert "datetime" in shown, f"{kind.__name__}.{name}: {shown}"


@pytest.mark.parametrize("kind", OWN)
def test_the_facade_is_thin(kind: type) -> None:
    """What a method decides is decided in the rooms below: it calls, and hands on what comes back."""
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(kind)))):
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            inside = [item for item in ast.walk(node) if isinstance(item, ast.stmt) and item is not node]
            assert len(inside) <= 7, f"{kind.__name__}.{node.name}"  # the docstring is one
            assert not any(isinstance(item, ast.For | ast.While | ast.Try) for item in inside), node.name


@pytest.mark.parametrize("kind", OWN)
def test_the_page_has_every_name(kind: type) -> None:
    """The reference is made by `make docs`; a name that it lacks is not promised to anybody."""
    assert f"### aura.{kind.__name__}\n" in PAGES["docs/api.md"]
    assert inspect.getdoc(kind)


@pytest.mark.parametrize("function", METHODS)
def test_the_page_shows_how_arguments_are_given(function: FunctionType) -> None:
    """Arguments of which there may be several have their star: a reader who passes a list as one would be refused."""
    for item in inspect.signature(function).parameters.values():
        if item.kind is item.VAR_POSITIONAL:
            assert re.search(rf"- `{function.__name__}\([^`]*\*{item.name}: ", PAGES["docs/api.md"])


def test_checkers_refuse_what_is_misspelt(tmp_path: Path) -> None:
    """`mypy --strict` accepts all programs of the page, and finds every mistake of a wrong one."""
    right = "\n\n".join(re.findall(r"```python\n(.*?)```", PAGES["docs/api.md"], re.DOTALL))
    wrong = (
        "import aura_vcs as aura\n"
        "aura.opne('x')\n"
        "project = aura.open('x', creat=True)\n"
        "project.comit('x')\n"
        "project.commit('x', importent=True)\n"
        "project.status().chnages\n"
        "size: str = project.log()[0].size\n"
        "project.push(cancl=None)\n"
        "project.resolve('x', 'thiers')\n"
    )
    (tmp_path / "right.py").write_text(right)
    (tmp_path / "wrong.py").write_text(wrong)
    command = [sys.executable, "-m", "mypy", "--strict", str(tmp_path / "right.py"), str(tmp_path / "wrong.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # its cache is used again
    lines = re.findall(r"wrong\.py:(\d+): error", done.stdout, re.MULTILINE)
    assert sorted(set(map(int, lines))) == [2, 3, 4, 5, 6, 7, 8, 9], done.stdout
    assert "right.py" not in done.stdout


def test_version_and_module() -> None:
    """`aura.__version__` is what the package says, and `python -m aura_vcs` is the command."""
    assert aura.__version__ == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    done = subprocess.run([sys.executable, "-m", "aura_vcs", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == f"aura {aura.__version__}"


def test_importing_is_cheap() -> None:
    """The name alone imports none of the library."""
    code = "import sys, aura_vcs; print([m for m in sys.modules if m.startswith('aura_vcs.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_open_looks_above_or_not(film: aura.Project) -> None:
    """A folder in a project is the project's; with search=False only the project itself is."""
    inner = film.path / "scenes"
    inner.mkdir()
    with aura.open(inner) as found:
        assert found.path == film.path
        assert found.id == film.id
    with pytest.raises(aura.NotAProject):
        aura.open(inner, search=False)
    with pytest.raises(aura.ProjectExists):
        aura.init(film.path)


def test_an_open_project_sees_what_others_do(film: aura.Project) -> None:
    """Another process commits and undoes: log and watch have it."""
    happened = film.watch(interval=0.01, seconds=0.05)
    with aura.open(film.path, author="Ben") as other:
        other.commit("Third", allow_empty=True)
        assert film.log(limit=1)[0].name == "Third"
        other.undo()
    assert [(done.type, done.user) for done in happened] == [("commit", "Ben"), ("undo", "Ben")]
    assert [version.name for version in film.versions] == ["Second", "First"]


def test_a_watcher_that_was_not_running_misses_nothing(film: aura.Project) -> None:
    """With `since`, what was done before comes first; each operation names the versions that it made."""
    began = film.show("v2").created_at
    with film, aura.open(film.path, author="Ben") as other:
        third = other.commit("Third", allow_empty=True).version
        assert third is not None
        found = list(film.watch(since=began, interval=0.01, seconds=0))
    assert [(done.type, done.user) for done in found] == [("commit", "Mara"), ("commit", "Ben")]
    assert found[1].versions == (third.id,)
    assert any(ref.startswith("branches/main/") for ref in found[1].refs)


def test_a_damaged_index_is_got_over(film: aura.Project) -> None:
    """Whether it is damaged between two openings or while the project is open."""
    index = film.path / ".aura/local/index.sqlite"
    assert index.exists()
    film.close()
    index.write_bytes(b"no database" * 1000)
    assert [version.name for version in film.log()] == ["Second", "First"]


def test_streams_are_seekable(film: aura.Project) -> None:
    """A large file of a version is read here and there."""
    data = bytes(range(256)) * 20_000
    (film.path / "clip.bin").write_bytes(data)
    film.commit("Clip")
    with film.open_file("clip.bin") as stream:
        stream.seek(-300, 2)
        assert stream.read(10) == data[-300:-290]
        stream.seek(3_000_000)
        assert stream.read(1000) == data[3_000_000:3_001_000]
    with pytest.raises(aura.UnknownName):
        film.open_file("clap.bin")
    with pytest.raises(aura.InputError):
        film.read(film.path.parent / "elsewhere")


def test_two_files_are_compared_without_a_project(tmp_path: Path) -> None:
    """As `aura diff --files` does."""
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text('{"tone": "warm"}')
    new.write_text('{"tone": "cold"}')
    (edit,) = aura.diff_files(old, new).fields
    assert (edit.pointer, edit.old, edit.new) == ("/tone", "warm", "cold")
    assert aura.diff_files(old, old).lines == ()


def test_a_call_can_be_cancelled(film: aura.Project) -> None:
    """From another thread, or by an error of the listener; afterwards the project works as before."""

    def stop(_: aura.Step) -> None:
        thread = Thread(target=film.cancel)
        thread.start()
        thread.join()

    (film.path / "new.bin").write_bytes(bytes(3_000_000))
    with pytest.raises(aura.Interrupted):
        film.commit("Third", progress=stop)

    def fail(_: aura.Step) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        film.commit("Third", progress=fail)
    made = film.commit("Third").version
    assert made is not None
    assert made.number == 3
    assert film.fsck().is_clean


def test_what_goes_back_and_forth(film: aura.Project) -> None:
    """Checkout, restore, undo and redo, with restore points for what was unsaved."""
    assert film.checkout("v1").changed
    assert (film.path / "script.txt").read_text() == "One.\n"
    assert film.status().branch is None
    film.undo()
    assert film.status().is_clean
    assert film.redo().files.version == film.versions["v1"]
    film.checkout("main")
    (film.path / "script.txt").write_text("Mine.\n")
    point = film.restore("v1", [film.path / "script.txt"]).restore_point
    assert point is not None
    assert film.read("script.txt", point) == b"Mine.\n"


def test_branches_merge(film: aura.Project) -> None:
    """What was done on two branches comes together; a plan changes nothing."""
    film.branches.create("other", "v1")
    film.checkout("other")
    (film.path / "notes.txt").write_text("n\n")
    film.commit("Notes")
    film.checkout("main")
    assert film.plan_merge("other").kind == "join"
    film.merge("other", message="Both")
    assert film.conflicts() == ()
    assert (film.path / "notes.txt").exists()
    assert film.branches.current == "main"
    film.branches.rename("other", "notes")
    film.branches.delete("notes")
    assert [branch.name for branch in film.branches] == ["main"]


def test_old_versions_go_and_space_is_freed(film: aura.Project) -> None:
    """Deleted versions are freed; plans are data, and change nothing."""
    (film.path / "clip.bin").write_bytes(bytes(range(256)) * 1000)
    point = film.restore_point("PreRender")
    film.versions.delete(point)
    assert point.id not in {version.id for version in film.log(everything=True)}
    plan = film.plan_gc(grace=timedelta(0))
    assert plan.bytes
    assert film.gc(plan).removed_objects or film.gc(plan).kept_objects
    assert film.autosave().version is not None
    assert film.prune(film.plan_prune(aura.RetentionRules(keep_autosaves=0, autosave_days=0))) == 1
    assert film.fsck().is_clean


def test_two_copies_sync(film: aura.Project, tmp_path: Path) -> None:
    """A remote is added, a clone made from it, and what one pushes the other pulls."""
    film.remotes.add("origin", tmp_path / "far.aura")
    steps: list[aura.Step] = []
    assert film.push(progress=steps.append).versions
    assert steps
    assert [remote.name for remote in film.remotes] == ["origin"]
    with aura.clone(tmp_path / "far.aura", tmp_path / "copy", author="Ben") as copy:
        assert copy.id == film.id
        assert [version.name for version in copy.log()] == ["Second", "First"]
        (copy.path / "notes.txt").write_text("n\n")
        copy.commit("Notes")
        assert copy.sync().pushed.versions
    assert film.pull().files is not None
    assert (film.path / "notes.txt").exists()
    assert film.fetch().is_empty
    assert film.repair().objects == 0
    film.remotes.remove("origin")
    with pytest.raises(aura.UnknownName):
        film.remotes["origin"]


def test_encrypted_and_offloaded_content_is_fetched(film: aura.Project, tmp_path: Path) -> None:
    """A partial clone of an encrypted place reads old media with the credentials given, and not without."""
    data = bytes(range(256)) * 20_000
    (film.path / "clip.mp4").write_bytes(data)
    film.commit("Clip")
    (film.path / "clip.mp4").unlink()
    film.commit("No clip")
    keys = aura.Credentials(passphrase="a long one")
    assert "a long one" not in repr(keys)
    far = tmp_path / "far.aura"
    with aura.open(film.path, credentials=keys) as project:
        project.remotes.add("origin", far, encrypt=True)
        project.push()
    with pytest.raises(aura.RemoteLocked):
        film.push()
    with pytest.raises(aura.RemoteLocked):
        aura.clone(far, tmp_path / "other")
    with aura.clone(far, tmp_path / "copy", partial=True, credentials=keys) as copy:
        assert copy.fsck().offloaded == 1
    with aura.open(tmp_path / "copy") as locked, pytest.raises(aura.ObjectOffloaded):
        locked.read("clip.mp4", "v3")
    with aura.open(tmp_path / "copy", credentials=keys) as copy, copy.open_file("clip.mp4", "v3") as stream:
        stream.seek(1_000_000)
        assert stream.read(500) == data[1_000_000:1_000_500]
        assert copy.read("clip.mp4", "v3") == data
        assert copy.fetch_content("v3").size == 0


def test_credentials_come_from_an_environment_only_on_request(film: aura.Project, tmp_path: Path) -> None:
    """What the command reads of the environment, a program hands over, or nothing of it is used."""
    found = aura.Credentials.from_environment(
        {"AURA_PASSPHRASE": "p", "AURA_KEY_FILE": "k", "AURA_HOME": str(tmp_path / "home"), "AURA_SSH": "ssh -4"}
    )
    assert (found.passphrase, found.key_file, found.home) == ("p", Path("k"), tmp_path / "home")
    assert found._surroundings().ssh == ("ssh", "-4")
    film.repository  # noqa: B018  # opened before the settings name a host
    from aura_vcs.sync.remotes.config import RemoteConfig, set_remote

    set_remote(film.repository, "nas", RemoteConfig("ssh://nas.invalid/film"))
    with pytest.raises(aura.RemoteUntrusted):
        film.push("nas")


def test_what_a_video_is_made_of(film: aura.Project) -> None:
    """Scenes and media are listed and changed, with paths and times as Python has them."""
    film.scenes.add({"heading": "Opening"})
    film.scenes.add({"heading": "Credits"})
    film.scenes.move("1", 0)
    film.scenes.set("0", {"heading": "The end"})
    assert [scene.heading for scene in film.scenes] == ["The end", "Opening"]
    film.scenes.remove("0")
    assert [scene.index for scene in film.scenes] == [0]
    (film.path / "assets").mkdir()
    (film.path / "assets/a.png").write_bytes(b"x" * 10)
    (film.path / "assets/b.png.part").write_bytes(b"x" * 20)
    assert [str(asset.path) for asset in film.assets.list(temporary=False)] == ["assets/a.png"]
    assert film.assets.clean().bytes == 20
    film.undo()
    assert (film.path / "assets/b.png.part").exists()
    assert isinstance(film.check(), tuple)


def test_checkpoints_and_exports(film: aura.Project, tmp_path: Path) -> None:
    """A renderer saves and resumes; an export is a job that can be cancelled and retried."""
    film.checkpoints.save("Render", completed=1, total=2, data={"next": 1}, output="exports/part.mp4", job_id="j")
    made = film.checkpoints.save("Render", completed=2, total=2)
    assert [found.completed for found in film.checkpoints] == [2, 1]
    film.checkpoints.invalidate(made, "wrong")
    (left,) = film.checkpoints
    assert film.checkpoints.data(left) == {"next": 1}
    job = film.exports.add(tmp_path / "out.mp4", "v1", preset="TikTok")
    assert job.status == "Queued"
    assert film.exports.cancel(job).status == "Failed"
    assert film.exports.retry(job).status == "Queued"
    assert [found.id for found in film.exports] == [job.id]
    assert film.exports["last"].output == tmp_path / "out.mp4"


def test_autosaves_while_somebody_works(film: aura.Project) -> None:
    """Each change is saved beside the branch when it is due; there is one watcher a project."""
    none, stop = timedelta(0), aura.CancelToken()
    (film.path / "script.txt").write_text("Three.\n")
    saves = film.autosaves(
        interval=none, least=none, quiet=none, rules=aura.RetentionRules(keep_autosaves=5), stop=stop
    )
    found = next(saves)
    assert found.error is None
    assert found.version is not None
    assert found.version.type == "autosave"
    with aura.open(film.path) as other, pytest.raises(aura.LockBusy):
        next(other.autosaves())
    stop.cancel()
    assert list(saves) == []
    assert [version.name for version in film.versions] == ["Second", "First"]


def test_damage_names_the_versions_that_it_affects(film: aura.Project) -> None:
    """A program hears what the command line says: which versions a damaged file is part of."""
    noise = Random(7).randbytes(300_000)
    (film.path / "noise.bin").write_bytes(noise)
    film.commit("Third")
    for file in (film.path / ".aura" / "objects").rglob("*"):
        if file.is_file() and (at := file.read_bytes().find(noise[1000:2000])) >= 0:
            file.chmod(0o644)
            with file.open("r+b") as stored:
                stored.seek(at)
                stored.write(bytes(10))
    with pytest.raises(ObjectCorrupt, match="damaged") as found:
        film.read("noise.bin", "v3")
    assert found.value.hint.startswith("It is part of v3. ")


def test_type_checkers_see_the_same_names() -> None:
    """What `__init__.pyi` says is what is imported at run time, from the same places."""
    stub = ast.parse(Path(aura.__file__).with_suffix(".pyi").read_text("utf-8"))
    told = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }  # fmt: skip
    assert sorted([*told, "__version__"]) == sorted(aura.__all__)
    for name, place in told.items():
        module = importlib.import_module(place.rpartition(".")[0])
        assert getattr(module, name) is getattr(aura, name), place
