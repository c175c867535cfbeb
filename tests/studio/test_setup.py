"""The first-run wizard: left, resumed, unattended."""

from pathlib import Path

import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.studio import SettingInvalid
from aura_vcs.studio.configuration import get_configuration
from aura_vcs.studio.setup import STEPS, answer, find_ffmpeg, setup_state, start_over, suggestion, system_configuration
from aura_vcs.studio.studio import Studio


def test_the_wizard_is_left_and_resumed(studio: Studio, tmp_path: Path) -> None:
    """Each answer is kept; another session goes on with the next question."""
    answer(studio, STEPS[0], "Mira Lindqvist")
    with Studio(studio.folder.path, user="mira") as later:
        assert setup_state(later).next_step == STEPS[1]
        answer(later, STEPS[1], str(tmp_path / "out"))
        answer(later, STEPS[2], None)
        done = answer(later, STEPS[3], "pro")
    assert done.completed
    assert done.next_step is None
    found = system_configuration(studio)
    assert (found.is_setup_complete, found.output_directory, found.ffmpeg_path) == (True, str(tmp_path / "out"), None)
    assert get_configuration(studio, "identity.name").value == "Mira Lindqvist"
    assert not start_over(studio).completed


def test_a_wrong_answer_stays_on_its_step(studio: Studio, tmp_path: Path) -> None:
    """An answer that cannot be is refused, and the wizard asks the same again."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        answer(studio, STEPS[1], str(tmp_path / "file"))
    with pytest.raises(InputError, match="is not a program"):
        answer(studio, STEPS[2], str(tmp_path / "nowhere"))
    with pytest.raises(SettingInvalid):
        answer(studio, STEPS[3], "Gold")
    assert setup_state(studio).next_step == STEPS[0]


def test_suggestions(tmp_path: Path) -> None:
    """FFmpeg is suggested where it is found, and nothing where it is not."""
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_ffmpeg(str(tmp_path)) == str(program)
    assert find_ffmpeg(None) is None
    assert suggestion(STEPS[0], user="mira", home="/h", search_path=None) == "mira"
    assert suggestion(STEPS[2], user="mira", home="/h", search_path=str(tmp_path / "x")) is None
