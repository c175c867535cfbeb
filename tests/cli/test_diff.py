"""`aura diff` beyond documents: media, words within lines, pictures of the difference."""

import json
import os
from pathlib import Path

import pytest
from aura_vcs.cli.installation import how_to_install
from aura_vcs.media.build_entries import can_look_into

from tests.cli.conftest import Film
from tests.compare.media_files import film as make_film, picture, png, wav

needs_media = pytest.mark.skipif(not can_look_into(), reason="the extra 'media' is not installed")
SKY = "assets/sky.png"


@pytest.fixture
def media(film: Film, tmp_path: Path) -> Film:
    """A project whose picture, sound and video changed since its version."""
    film.write(
        {
            SKY: picture(tmp_path / "1.png").read_bytes(),
            "assets/tone.wav": wav(2, rate=16_000),
            "assets/sea.mp4": make_film(tmp_path / "1.mp4", [(0, 0, 90), (20, 90, 0)]).read_bytes(),
        }
    )
    film.commit("First cut")
    film.write(
        {
            SKY: picture(tmp_path / "2.png", spot=True).read_bytes(),
            "assets/tone.wav": wav(2, rate=16_000, quiet=(1.0, 2.0)),
            "assets/sea.mp4": make_film(tmp_path / "2.mp4", [(0, 0, 90), (48, 200, 200)]).read_bytes(),
            "assets/new.wav": wav(1.5),
        }
    )
    return film


@needs_media
def test_media_are_told_by_what_is_seen_and_heard(media: Film) -> None:
    """How a picture looks, where a sound and a video differ, what a new file is."""
    out = media("diff").out
    assert "looks different (" in out
    assert "the sound differs from 1.00 s to 2.00 s" in out
    assert "the picture differs from 1.00 s to 2.00 s" in out
    assert "sound, wav, 1.5 s, 8,000 Hz" in out
    assert "--media" not in out
    assert "looks" not in media("diff", "--stat").out


@needs_media
def test_no_media_stays_with_the_headers(media: Film) -> None:
    """With --no-media nothing is decoded, and a file whose header is the same says so."""
    out = media("diff", "--no-media").out
    assert "looks" not in out
    assert "other content, the header is the same" in out
    assert media("diff", "--media").out == media("diff").out


def test_without_the_extra_there_is_a_hint(media: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    """The headers' facts are there, and what to install for more, once."""
    monkeypatch.setattr("aura_vcs.media.build_entries.find_spec", lambda name: None)
    media.write({"assets/tone.wav": wav(3)})
    out = media("diff").out
    assert "length: 2.0 s → 3.0 s" in out
    assert out.count(how_to_install("media")) == 1
    assert "pip install" in out
    assert "pip install" not in media("diff", "--no-media").out


@needs_media
def test_json_has_the_facts_of_media(media: Film) -> None:
    """Header, loudness, distance and stretches as numbers."""
    found = {change["path"]: change for change in media.data("diff")["changes"]}
    sound = found["assets/tone.wav"]["media"]
    assert (sound["decoded"], sound["problem"], sound["sounds"]) == (True, None, [[1.0, 2.0]])
    assert sound["old"]["seconds"] == 2.0
    assert sound["old"]["peak_db"] == pytest.approx(-6.0, abs=0.2)
    assert 0 < found[SKY]["media"]["distance"] < 1
    assert found["assets/sea.mp4"]["media"]["new"]["frames_per_second"] == 10
    assert found["assets/new.wav"]["media"]["old"] is None
    assert not media.data("diff", "--no-media")["changes"][0]["media"]["decoded"]


@needs_media
def test_pictures_of_the_difference(media: Film) -> None:
    """Written on request, replaced when they are ours, and never over a file of the person's."""
    target = media.root.parent / "changed.png"
    for _ in range(2):
        assert f"{SKY} with what differs in red" in media("diff", "--heat-map", str(target), "--", SKY).out
    assert target.read_bytes().startswith(b"\x89PNG")
    both = media.root.parent / "both.png"
    assert media.data("diff", "v1", "--side-by-side", str(both), "--heat-map", str(target), "--", SKY) == {
        "path": SKY,
        "heat_map": str(target),
        "side_by_side": str(both),
    }
    before = (media.root / SKY).read_bytes()
    refused = media("diff", "--heat-map", str(media.root / SKY), "--", SKY, code=2)
    assert "already exists" in refused.stderr
    assert (media.root / SKY).read_bytes() == before


def test_which_picture_is_asked_for(media: Film) -> None:
    """None differs, or several do: the answer says what to do."""
    target = str(media.root.parent / "x.png")
    assert "No picture differs here" in media("diff", "--heat-map", target, "--", "assets/tone.wav", code=2).stderr
    media.write({"assets/two.png": png()})
    media.commit("Two")
    media.write({"assets/two.png": png(5, 5), SKY: png(6, 6)})
    told = media("diff", "--heat-map", target, code=2).stderr
    assert "2 pictures differ: assets/sky.png, assets/two.png" in told
    assert "-- PATH" in told
    assert not Path(target).exists()


def test_a_damaged_picture_is_told_in_a_line(film: Film) -> None:
    """What cannot be decoded ends in words, with exit code 0 for the comparison, and 46 for its picture."""
    film.write({SKY: png(9, 9)})
    film.commit("First cut")
    film.write({SKY: png(9, 9)[:44] + os.urandom(200)})
    if can_look_into():
        assert "not looked into: it is damaged" in film("diff").out
        film("diff", "--heat-map", str(film.root.parent / "x.png"), code=46)
    assert SKY in film("diff", "--no-media").out


def test_words_within_a_line_stand_out(film: Film) -> None:
    """On a terminal with colours the words that differ are bold, within the line's own colour."""
    film.commit("First cut")
    film.write({"notes.txt": "one\ntwo small words here\nthree\n"})
    film.commit("Second")
    film.write({"notes.txt": "one\ntwo large words here\nthree\n"})
    from aura_vcs.cli.output.diff_lines import _text_line
    from aura_vcs.compare.diff.text import diff_text

    (hunk,) = diff_text(b"two small words here\n", b"two large words here\n").hunks
    shown = [
        [(part.text, part.bold) for part in _text_line(line, details=False) if not isinstance(part, str)]
        for line in hunk.lines
    ]
    assert shown[0] == [("- ", False), ("two ", False), ("small", True), (" words here", False)]
    assert shown[1] == [("+ ", False), ("two ", False), ("large", True), (" words here", False)]
    assert "- two small words here" in film("diff").out


def test_counted_changes_say_how_to_see_each(film: Film) -> None:
    """Where a document's or timeline's changes are only counted, the way to all of them is told."""
    rows = [{"id": n, "a": 0} for n in range(30)]
    scenes = [{"heading": f"Part {n}", "start": n * 4, "duration": 4} for n in range(30)]
    film.commit("First", {"list.json": json.dumps(rows), "timeline.json": json.dumps({"scenes": scenes})})
    changed = [row | {"a": 1} for row in rows]
    for scene in scenes[::2]:
        scene["script"] = "New words."
    film.write({"list.json": json.dumps(changed), "timeline.json": json.dumps({"scenes": scenes})})
    assert film("diff").out.count("`aura diff --details` tells each change") == 2
    details = film("diff", "--details").out
    assert "--details" not in details
    assert details.count("script written") == 15


def test_long_texts_end_and_go_on_with_details(film: Film) -> None:
    """The first lines of a long difference are shown, with --details all."""
    film.commit("First cut")
    film.write({"notes.txt": "".join(f"line {n}\n" for n in range(300))})
    assert "`aura diff --details` shows all" in film("diff").out
    assert "+ line 299" not in film("diff").out
    assert "+ line 299" in film("diff", "--details").out


def test_json_tells_a_timeline_clip_by_clip(film: Film) -> None:
    """Every change of a timeline has its kind, whom it concerns, and where it is on both sides."""
    scenes = [{"id": n, "heading": f"H{n}", "start": 4 * n, "duration": 4} for n in range(3)]
    film.commit("First cut", {"timeline.json": json.dumps({"scenes": scenes})})
    film.write({"timeline.json": json.dumps({"scenes": scenes[:2]})})
    (change,) = film.data("diff")["changes"]
    assert change["timeline"] == [
        {
            "kind": "removed",
            "subject": 'Scene 3 "H2"',
            "text": "removed (4.0 s)",
            "old": "/scenes/2",
            "new": None,
            "clips": 1,
        }
    ]
    assert change["fields"][0]["op"] == "remove"


def test_other_line_ends_and_what_is_no_media_any_more(film: Film) -> None:
    """A text that another system saved is not shown twice; a sound that became something else is told so."""
    film.commit("First", {"script.md": "one\ntwo\n", "tone.wav": wav(1)})
    film.write({"script.md": "one\r\ntwo\r\n", "tone.wav": "junk"})
    said = film("diff").out
    assert "Only the line ends changed: LF → CRLF" in said
    assert "- one" not in said
    assert "was: sound, wav, 1.0 s" in said
    assert "is now: no media" in said
    assert "- one  (LF)" in film("diff", "--details").out


def test_long_lines_end_and_go_on_with_details(film: Film, tmp_path: Path) -> None:
    """Of a long line the part that differs is shown, of a name the beginning; with --details all."""
    before, after = "word " * 900, "word " * 400 + "other " + "word " * 500
    deep = {"k" * 5000: {"b" * 3000: "x"}}
    film.write({"long.txt": before, "whole.txt": "a" * 400_000, "deep.json": json.dumps(deep)})
    film.commit("First cut")
    deep["k" * 5000]["b" * 3000] = "y"
    film.write({"long.txt": after, "whole.txt": "b" * 400_000, "deep.json": json.dumps(deep)})
    shown = film("diff").out
    assert max(map(len, shown.splitlines())) < 360
    assert "other" in shown
    assert "… and 399,700 characters more" in shown
    details = film("diff", "--details").out
    assert "b" * 400_000 in details
    assert "characters more" not in details
    (tmp_path / "old.txt").write_text("a" * 400_000)
    (tmp_path / "new.txt").write_text("b" * 400_000)
    loose = film("diff", "--files", str(tmp_path / "old.txt"), str(tmp_path / "new.txt")).out
    assert "… and 399,700 characters more" in loose
