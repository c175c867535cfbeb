"""Tab in the shells themselves: bash, and fish where it is installed; zsh is asked as its script asks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from aura_vcs.cli.main import cli
from click.shell_completion import ShellComplete

from tests.cli.conftest import Film

BASH = """
eval "$(aura completion bash)"
compopt() { echo "kind: $*"; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_aura_completion aura
printf '%s\\n' "${COMPREPLY[@]}"
"""
LINES = [
    ("push ", {"nas"}),
    ("gc --remote ", {"nas"}),
    ("config get ident", {"identity.name", "identity.mail"}),
    ("export run --preset Y", {"YouTube 1080p"}),
    ("template show ", {"Explainer", "Product demo"}),
    ("diff -- s", {"scenes/"}),
    ("checkout -- n", {"notes.txt"}),
    ("restore as", {"assets/"}),
    ("resolve ", {"1", "brief.json#/tone"}),
    ("sw", {"switch"}),
    ("help com", {"commit", "completion"}),
    ("help version ", {"edit", "undelete"}),
    ("clone ", {"file"}),
    ("remote add nas ", {"dir"}),
    ("import git ", {"dir"}),
    ("-C ", {"dir"}),
    ("init ", {"dir"}),
]
IN_SHELLS = [("export run --preset Y", "YouTube 1080p"), ("checkout -- n", "notes.txt"), ("push ", "nas")]
"""What is asked through a shell, each a start of the program."""


@pytest.fixture
def parted(two: Film) -> Film:
    """A project with a remote and a conflict."""
    two("remote", "add", "nas", "../nas")
    two("checkout", "-b", "side", "v1")
    two.commit("Theirs", {"brief.json": '{"topic": "Tides", "tone": "mild"}'})
    two("checkout", "main")
    two("merge", "side")
    return two


def environment(film: Film, tmp_path: Path) -> dict[str, str]:
    """One in which `aura` is this package."""
    program = tmp_path / "bin" / "aura"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aura_vcs "$@"\n')
    program.chmod(0o755)
    return {**os.environ, **film.env, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.mark.parametrize(("line", "offered"), LINES, ids=[line for line, _ in LINES])
def test_what_is_offered(parted: Film, monkeypatch: pytest.MonkeyPatch, line: str, offered: set[str]) -> None:
    """Remotes, keys, presets, templates, places of conflicts, paths behind `--`, other words; folders by the shell."""
    monkeypatch.chdir(parted.root)
    for name, value in parted.env.items():
        monkeypatch.setenv(name, value)
    *words, last = line.split(" ")
    found = ShellComplete(cli, {}, "aura", "_AURA_COMPLETE").get_completions(words, last)
    assert offered <= {item.value or item.type for item in found}
    if "--" in words:
        assert "v1" not in {item.value for item in found}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_offers(parted: Film, tmp_path: Path) -> None:
    """By the script that is printed; names with spaces are one word."""
    env = environment(parted, tmp_path)
    for line, offered in IN_SHELLS:
        words = ["bash", "--norc", "-c", BASH, "bash", "aura", *line.split(), *([""] if line.endswith(" ") else [])]
        done = subprocess.run(words, cwd=parted.root, env=env, capture_output=True, text=True, check=True)
        assert offered in {word.replace("\\", "") for word in done.stdout.splitlines()}, (
            line,
            done.stdout,
            done.stderr,
        )


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish")
def test_fish_offers(parted: Film, tmp_path: Path) -> None:
    """The same through fish's own `complete`."""
    env = environment(parted, tmp_path)
    line, offered = IN_SHELLS[0]
    script = f"aura completion fish | source; complete -C 'aura {line}'"
    done = subprocess.run(["fish", "-c", script], cwd=parted.root, env=env, capture_output=True, text=True, check=True)
    assert offered in {text.partition("\t")[0] for text in done.stdout.splitlines()}


@pytest.mark.skipif(shutil.which("zsh") is None, reason="needs zsh")
def test_zsh_takes_its_script(parted: Film, tmp_path: Path) -> None:
    """It is sound for zsh, and what it asks for is answered."""
    env = environment(parted, tmp_path)
    code = 'autoload -U compinit; compinit -u -D; eval "$(aura completion zsh)"; whence -w _aura_completion'
    command = ["zsh", "-f", "-c", code]
    done = subprocess.run(command, cwd=parted.root, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "_aura_completion: function"
    env |= {"COMP_WORDS": "aura push ", "COMP_CWORD": "2", "_AURA_COMPLETE": "zsh_complete"}
    done = subprocess.run(["aura"], cwd=parted.root, env=env, capture_output=True, text=True, check=False)
    assert "nas" in done.stdout.splitlines()
