"""Hints name a command that works for how aura was installed; the version comes with those of the parts."""

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aura_vcs.cli import installation
from aura_vcs.cli.error_report import report
from aura_vcs.cli.output.console import Console
from aura_vcs.errors import ExtraMissing
from aura_vcs.errors.remotes import HelperMissing

PYTHON = "/somewhere/bin/python"
REQUIRES = ["click>=8.2", "av>=16; extra == 'media'", 'pillow>=11.2.1 ; extra == "media"', "mypy; extra == 'dev'"]


class _Distribution:
    """What importlib.metadata tells of an installation."""

    requires = REQUIRES

    def __init__(self, direct_url: object) -> None:
        self.direct_url = direct_url

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.direct_url is None else json.dumps(self.direct_url)


Installed = Callable[..., Path]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Return a function that pretends an installation with this record of where it came from."""

    def pretend(direct_url: object = None, *, marker: str = "") -> Path:
        monkeypatch.setattr(sys, "prefix", str(tmp_path))
        monkeypatch.setattr(sys, "executable", PYTHON)
        monkeypatch.setattr(installation, "_installed", lambda: _Distribution(direct_url))
        if marker:
            (tmp_path / marker).write_text("{}")
        return tmp_path

    return pretend


def test_by_pip_from_an_index(installed: Installed) -> None:
    """The interpreter that runs aura installs it, whichever environment the shell is in."""
    installed()
    assert shlex.split(installation.how_to_install("media")) == [PYTHON, "-m", "pip", "install", "aura-vcs[media]"]


def test_by_pip_from_a_wheel(installed: Installed) -> None:
    """A wheel on disk is named as where the package comes from: no index has it, perhaps."""
    url = "file:///downloads/aura_vcs-0.1.0-py3-none-any.whl"
    installed({"url": url, "archive_info": {}})
    wanted = [PYTHON, "-m", "pip", "install", f"aura-vcs[media] @ {url}"]
    assert shlex.split(installation.how_to_install("media")) == wanted


def test_from_a_clone(installed: Installed) -> None:
    """An editable installation stays one, also where the folder has a space in its name."""
    installed({"url": "file:///my%20code/aura", "dir_info": {"editable": True}})
    wanted = [PYTHON, "-m", "pip", "install", "-e", "/my code/aura[keyring]"]
    assert shlex.split(installation.how_to_install("keyring")) == wanted
    installed({"url": "file:///code/aura", "dir_info": {}})
    assert shlex.split(installation.how_to_install("media"))[3:] == ["install", "/code/aura[media]"]


def test_by_pipx(installed: Installed) -> None:
    """pipx puts what the extra needs into the environment that it made."""
    installed({"url": "file:///code/aura", "dir_info": {}}, marker="pipx_metadata.json")
    assert shlex.split(installation.how_to_install("media")) == [
        "pipx",
        "inject",
        "aura-vcs",
        "av>=16",
        "pillow>=11.2.1",
    ]
    assert shlex.split(installation.how_to_install("other")) == ["pipx", "inject", "aura-vcs", "aura-vcs[other]"]


def test_by_uv(installed: Installed) -> None:
    """`uv tool` installs the tool again with the extra."""
    installed(marker="uv-receipt.toml")
    wanted = ["uv", "tool", "install", "--force", "aura-vcs[media]"]
    assert shlex.split(installation.how_to_install("media")) == wanted


@pytest.mark.parametrize("damaged", ["[]", "7", "{", "null"])
def test_a_damaged_record_is_none(damaged: str, installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read of the record leaves the command that most need."""
    installed()
    monkeypatch.setattr(_Distribution, "read_text", lambda *_: damaged)
    assert installation.how_to_install("media").endswith("pip install 'aura-vcs[media]'")


@pytest.mark.parametrize(
    "error", [ExtraMissing("Exporting", "media"), HelperMissing("s3://b", "a part is missing", extra="media")]
)
def test_errors_say_it(error: Exception, installed: Installed, capsys: pytest.CaptureFixture[str]) -> None:
    """An error about a missing part ends with the command that adds it here."""
    installed(marker="pipx_metadata.json")
    report(error, Console())
    assert "Install it with: pipx inject aura-vcs 'av>=16' 'pillow>=11.2.1'" in capsys.readouterr().err


def test_the_version_is_in_one_place_and_comes_with_its_parts() -> None:
    """Python, SQLite and every package that takes part are named; what is not installed says so."""
    names = [name for name, _ in installation.parts()]
    assert names[:3] == ["python", "sqlite", "click"]
    assert {"blake3", "zstandard", "av"} <= set(names)
    assert installation._version("no-such-package-at-all") == ""
    found = dict(installation.parts())
    assert found["python"] == sys.version.split()[0]
    assert all(found[name] for name in installation.PARTS)
