"""Paths in commands that are suggested: they can be typed as they stand."""

import os
import subprocess

import pytest
from aura_vcs.suggestions import quote_path

NAMES = ["plain.txt", "sp ace.txt", "it's.txt", 'say "x".txt', "$HOME", "~a", "new\nline", os.fsdecode(b"bad\xff.txt")]


@pytest.mark.parametrize("name", [*NAMES, os.fsdecode(b"a\\'\xffa b"), "left\u202eright", "caf\u00e9"])
def test_a_shell_reads_the_name_itself(name: str) -> None:
    """What bash makes of the quoted path is the path."""
    told = quote_path(name)
    assert told.isprintable()
    shown = subprocess.run(["bash", "-c", f"printf %s {told}"], capture_output=True, check=True)
    assert shown.stdout == os.fsencode(name)


def test_plain_names_stay_and_a_dash_is_no_option() -> None:
    """Nothing is quoted without need."""
    assert quote_path("scenes/010-opening.json") == "scenes/010-opening.json"
    assert quote_path("-x.txt") == "./-x.txt"
    assert quote_path(os.fsdecode(b"bad\xff.txt")) == r"$'bad\xff.txt'"
