"""What a release is made of: one version, honest classifiers, man pages, completions, a wheel without test tools."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import click
import pytest
from aura_vcs.cli.main import cli

from tests.helpers.scripts import load_script

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SHARE = load_script("generate_share")


@pytest.fixture(scope="module")
def man_pages() -> dict[str, str]:
    """Every man page by its name."""
    return dict(SHARE.pages())


def test_the_changelog_begins_with_this_version() -> None:
    """The newest heading is what pyproject.toml calls this version, below what no release has yet, if there is any."""
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    assert headings[1 if headings[0] == "Unreleased" else 0] == PROJECT["version"]
    assert "Unreleased" not in headings[1:]


def test_the_version_is_written_once() -> None:
    """No module of the package has the number in it."""
    found = [
        path
        for path in (ROOT / "aura_vcs").rglob("*.py")
        if re.search(r"__version__ = [\"']\d|aura[-_]vcs/\d+\.\d", path.read_text("utf-8"))
    ]
    assert found == []


def test_classifiers_say_what_is_tried() -> None:
    """Linux, until others are tested; the Pythons that docs/platforms.md says were tried."""
    systems = [line for line in PROJECT["classifiers"] if line.startswith("Operating System")]
    assert systems == ["Operating System :: POSIX :: Linux"]
    pythons = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    page = (ROOT / "docs" / "platforms.md").read_text("utf-8")
    assert pythons
    assert all(f"| {python} |" in page for python in pythons)


def test_every_command_has_a_man_page(man_pages: dict[str, str]) -> None:
    """The page of `aura` leads to one of each command, and each says what its options do."""
    for name in cli.list_commands(click.Context(cli)):
        escaped = name.replace("-", "\\-")
        assert f"\\fBaura\\-{escaped}\\fR(1)" in man_pages["aura.1"]
        assert f"aura-{name}.1" in man_pages
    assert "What this version is called" in man_pages["aura-commit.1"]
    assert 'aura commit \\-m "First cut"' in man_pages["aura-commit.1"]
    for name, text in man_pages.items():
        assert text.startswith(".TH ")
        assert text.isascii(), name


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not here")
def test_man_pages_are_set_without_a_warning(man_pages: dict[str, str], tmp_path: Path) -> None:
    """groff takes all of them with every warning on."""
    everything = "".join(man_pages.values())
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8"], input=everything, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "Save your files" in done.stdout


@pytest.mark.parametrize("shell", sorted(SHARE.COMPLETIONS))
def test_completions_are_loaded_by_their_shell(shell: str, tmp_path: Path) -> None:
    """Each shell that is here reads its file; zsh finds `#compdef` in the first line."""
    text = SHARE.completion(shell)
    assert "_AURA_COMPLETE" in text
    if shell == "zsh":
        assert text.startswith("#compdef aura\n")
    program = shutil.which(shell)
    if program is not None:
        subprocess.run([program, "-n"], input=text, text=True, check=True)


@pytest.mark.slow
def test_wheel_and_sdist_hold_what_they_should(tmp_path: Path) -> None:
    """The wheel has the sample project, man pages and completions, no stand-ins; the sdist has the tests."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    source = tmp_path / "source"
    left = shutil.ignore_patterns(".venv*", ".git", "dist", "build", "site", "share", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, source, ignore=left)
    subprocess.run([sys.executable, source / "scripts" / "generate_share.py"], check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "hatchling", "build"], cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "aura_vcs/cli/demo/solar-system/brief.json" in names
    assert any(name.endswith("data/share/man/man1/aura-commit.1") for name in names)
    assert any(name.endswith("data/share/zsh/site-functions/_aura") for name in names)
    assert not [name for name in names if "testing" in name or name.startswith("tests/")]
    (sdist,) = (source / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = archive.getnames()
    wanted = ("tests/test_release.py", "share/man/man1/aura.1", "hatch_build.py", "SECURITY.md")
    assert all(any(name.endswith(f"/{file}") for name in inside) for file in wanted)
