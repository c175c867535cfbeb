"""Where `aura` runs: any locale, any bytes in paths, a folder that goes away, media that come and go."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aura_vcs.cli.entry import forget_empty_home
from aura_vcs.cli.output.humanize import age
from aura_vcs.cli.session import Session
from aura_vcs.plain_text import path_of_text, path_text

from tests.cli.conftest import AURA, Film
from tests.editors.projects import Item, kdenlive
from tests.helpers.sampling import some

NAMES = ["Take – 1….mov", "日本.wav", "caf\udce9.mov", "\udca4\udcb3.mov"]
BARE = {"PATH": os.environ["PATH"], "AURA_AUTHOR": "Mara"}
ENOUGH_SECONDS = 60


def _locales(folder: Path) -> list[dict[str, str]]:
    """Environments in which Python takes names of files for something else than UTF-8."""
    plain = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    found = [{**plain, "LC_ALL": "C"}, {**plain, "LC_ALL": "POSIX"}]
    if shutil.which("localedef"):
        for name, source, charset in (("ja_JP.EUC-JP", "ja_JP", "EUC-JP"), ("de_DE.ISO-8859-1", "de_DE", "ISO-8859-1")):
            command = ["localedef", "-c", "-i", source, "-f", charset, str(folder / name)]
            if subprocess.run(command, capture_output=True, check=False).returncode in {0, 1}:
                found.append({"LC_ALL": name, "LOCPATH": str(folder), **plain})
    return found


def _run(*arguments: "str | bytes", cwd: "Path | bytes", env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*AURA, *arguments], cwd=cwd, env={**BARE, **env}, capture_output=True, check=False, timeout=ENOUGH_SECONDS
    )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Python always reads names as UTF-8")
@pytest.mark.parametrize("count", [2, pytest.param(9, marks=pytest.mark.slow)])
def test_names_are_the_same_in_every_locale(tmp_path: Path, count: int) -> None:
    """What is committed under one locale is under the same names in every other; as arguments and in output too."""
    for number, locale in enumerate(some(_locales(tmp_path), count, "locales")):
        root = tmp_path / f"film-{number}-é"
        root.mkdir()
        env = {**locale, "AURA_HOME": str(tmp_path / f"home-{number}-ü")}
        assert _run("init", cwd=root, env=env).returncode == 0
        for name in NAMES:
            (root / name).write_text(name.encode("utf-8", "surrogateescape").hex())
        made = _run("commit", "-m", "Größe", os.fsencode(NAMES[0]), cwd=root, env=env)
        assert made.returncode == 0, made.stderr
        assert _run("commit", "-m", "two", cwd=root, env=env).returncode == 0
        for other in ({"LC_ALL": "C.UTF-8", "AURA_HOME": env["AURA_HOME"]}, env):
            for name in NAMES:
                shown = _run("cat", b"HEAD:" + os.fsencode(name), cwd=root, env=other)
                assert bytes.fromhex(shown.stdout.decode()) == os.fsencode(name), shown.stderr
            status = json.loads(_run("status", "--json", cwd=root, env=other).stdout)
            assert status["clean"]
            listed = _run("show", "HEAD:", cwd=root, env=other).stdout
            assert NAMES[0].encode() in listed
            log = json.loads(_run("log", "--json", cwd=root, env=other).stdout)
            assert "Größe" in {version["name"] for version in log["versions"]}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Python always reads names as UTF-8")
def test_a_program_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """The library cannot begin again by itself: it says how to, before anything is made."""
    code = "from aura_vcs import Repository; Repository.init('film')"
    env = {**os.environ, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, check=False)
    assert b"names of files as" in done.stderr
    assert not (tmp_path / "film").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_folder_whose_path_is_not_text(tmp_path: Path) -> None:
    """A project, a remote, a clone, a bundle, the list of projects and AURA_HOME lie in such folders."""
    base = os.fsencode(tmp_path)
    env = {"AURA_HOME": os.fsdecode(base + b"/h\xfe"), "LC_ALL": "C.UTF-8"}
    root, remote, bundle = base + b"/p\xff", base + b"/r\xfd", base + b"/b\xfb.aurabundle"
    os.mkdir(root)

    def aura(*arguments: "str | bytes", cwd: bytes = root) -> bytes:
        done = _run(*arguments, cwd=cwd, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout

    aura("init")
    with open(root + b"/f\xfc.mov", "wb") as file:
        file.write(b"film")
    aura("commit", "-m", "One")
    aura("remote", "add", "origin", remote)
    aura("push")
    (listed,) = json.loads(aura("remote", "list", "--json"))["remotes"]
    assert os.fsencode(path_of_text(listed["url"])) == remote
    aura("remote", "show", "origin")
    aura("clone", remote, base + b"/c\xfa")
    aura("sync", cwd=base + b"/c\xfa")
    aura("bundle", "create", bundle)
    aura("clone", bundle, base + b"/d\xfa")
    with open(base + b"/d\xfa/f\xfc.mov", "rb") as file:
        assert file.read() == b"film"
    aura("projects", "add", root)
    (entry, *_) = json.loads(aura("projects", "list", "--json"))["projects"]
    assert entry["place"] == "here"
    aura("projects", "scan", base)
    entries = json.loads(aura("projects", "list", "--json"))["projects"]
    assert {root, base + b"/c\xfa"} <= {os.fsencode(path_of_text(found["path"])) for found in entries}
    aura("projects", "forget", root)


@pytest.mark.parametrize("path", ["/film", "/a b/ü", "/caf\udce9/50%/#1?x", "/\udcff"])
def test_a_path_in_a_record_is_the_path(path: str) -> None:
    """As text, and back again."""
    text = path_text(path)
    text.encode("utf-8")
    assert path_of_text(text) == path


@pytest.mark.parametrize("how", ["moved", "deleted"])
def test_a_watcher_ends_where_its_project_has_gone(film: Film, how: str) -> None:
    """It says so, ends with an exit code of its own, and makes nothing at the old place."""
    (film.root / "a.txt").write_text("1")
    film("commit", "-m", "One")
    process = subprocess.Popen(
        [*AURA, "autosave", "--watch"], cwd=film.root, env={**os.environ, **film.env}, stderr=subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        assert b"Watching" in process.stderr.readline()
        time.sleep(0.5)
        if how == "moved":
            film.root.rename(film.root.with_name("elsewhere"))
        else:
            shutil.rmtree(film.root)
        _, told = process.communicate(timeout=ENOUGH_SECONDS)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == 56, told
    assert b"not at" in told
    assert not film.root.exists()


def test_media_that_are_ignored_come_and_go(film: Film) -> None:
    """What is remembered of a version's documents holds no longer when files change that no version has."""
    scene = {"id": "a", "index": 0, "heading": "A", "script_text": "t", "image_file_path": "assets/x.png"}
    (film.root / "scenes/1.json").write_text(json.dumps(scene))
    (film.root / ".auraignore").write_text("assets/\nbrief.json\n")
    film("commit", "-m", "One")
    (film.root / "assets").mkdir(exist_ok=True)
    for _ in range(2):
        assert "x.png does not exist" in film("status").stderr
        (film.root / "assets/x.png").write_text("x")
        for _ in range(2):
            assert "does not exist" not in film("status").stderr
        (film.root / "assets/x.png").unlink()
    (film.root / "brief.json").write_text("{")
    assert "brief.json" in film("status").stderr


def test_a_time_to_come_is_not_just_now() -> None:
    """A clock that was ahead dated it; two clocks may be a few seconds apart."""
    moment = datetime.now(UTC)
    assert age((moment + timedelta(days=4200)).isoformat()) == "11 years from now"
    assert age((moment + timedelta(seconds=3)).isoformat()) == "just now"
    assert age((moment - timedelta(minutes=5)).isoformat()) == "5 minutes ago"


@pytest.mark.parametrize("words", [["status"], ["init"], ["commit", "-m", "One"], ["clone", "x"], ["log", "--json"]])
def test_a_current_folder_that_was_deleted_is_told(film: Film, tmp_path: Path, words: list[str]) -> None:
    """In words, with the way out; a project that is named is used all the same."""
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    for extra, code in (([], 10), (["-C", str(film.root)], 0)):
        if extra and words[0] != "status":
            continue
        command = ["sh", "-c", script, "sh", *AURA, *extra, *words]
        ran = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, **film.env}, capture_output=True, text=True, check=False
        )
        assert ran.returncode == code, ran.stderr
        assert ("no longer exists" in ran.stdout + ran.stderr) == (code == 10)


def test_an_empty_home_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What belongs in the home folder does not come to lie at the root of the disk."""
    monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("AURA_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    home = pwd.getpwuid(os.getuid()).pw_dir
    forget_empty_home()
    assert "HOME" not in os.environ
    assert Session().cache_folder().startswith(home) or sys.platform != "linux"
    assert os.path.expanduser("~") == home


def test_a_version_without_projects_of_editors_needs_no_reader_of_them(film: Film) -> None:
    """The first status after a commit reads the documents once; a project that comes later is read all the same."""
    film("commit", "--allow-empty", "-m", "One")
    script = (
        "import sys, os; os.chdir(sys.argv[1]); sys.argv = ['aura', 'status']\n"
        "from aura_vcs.cli.entry import run\n"
        "try: run()\nexcept SystemExit: print('aura_vcs.project.media.references' in sys.modules)"
    )
    env = {**os.environ, **film.env, "AURA_NO_HELPER": "1"}

    def is_loaded() -> str:
        command = [sys.executable, "-c", script, str(film.root)]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.splitlines()[-1]

    assert is_loaded() == "False"
    (film.root / "cut.kdenlive").write_bytes(kdenlive({"V1": [Item("gone.mp4")]}))
    assert is_loaded() == "True"
    assert "1 media file that cut.kdenlive names is missing" in film("status").out
