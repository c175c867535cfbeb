"""The report that `aura diff --html` writes, as a browser shows it."""

import re
from pathlib import Path

import pytest
from aura_vcs.media.build_entries import can_look_into

from tests.helpers.scripts import load_script

SCRIPT = load_script("report_screenshot")
needs_chromium = pytest.mark.skipif(SCRIPT.chromium() is None, reason="chromium is not installed")
needs_media = pytest.mark.skipif(not can_look_into(), reason="the extra 'media' is not installed")


@needs_media
@needs_chromium
def test_a_browser_shows_a_report_of_everything(quick_path: Path) -> None:
    """Timeline, fields, words, a wipe slider, two waveforms with the difference marked, and strips of a video."""
    page = SCRIPT.make_report(quick_path)
    shown = SCRIPT.browse(page, "--dump-dom")
    assert 'data-ready="yes"' in shown
    for words in (
        "Scene 5 was trimmed from 7.0 s to 5.5 s",
        "Scene 7 was moved before scene 3",
        "looks like another picture (",
        "the sound differs from 4.00 s to 6.00 s",
        "the picture differs from 2.00 s to 3.00 s",
        "<b>rusty</b>",
        "050-mars-take-2.wav",
        "Short and dry",
    ):
        assert words in shown
    assert shown.count("--at: 50%") == 1
    assert shown.count("<polygon") == 3
    assert shown.count('class="strip"') == 2
    assert len(re.findall(r"<img ", shown)) == 2 + 2
    assert 'fill="var(--differs)" fill-opacity=".15"' in shown
    assert set(re.findall(r'<i class="differs" title="([^"]*)"', shown)) == {"after: differs"}
    shot = quick_path / "shot.png"
    SCRIPT.screenshot(page, shot)
    assert shot.stat().st_size > 100_000
