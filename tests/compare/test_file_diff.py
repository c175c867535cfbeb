"""The difference of any two versions of a file."""

from typing import Any

import pytest
from aura_vcs.history.diff.file_diff import diff_file
from hypothesis import given, strategies as st

from tests.compare.json_values import unhurried
from tests.compare.media_files import png, wav
from tests.compare.timelines import as_bytes, otio, otio_clip, planets, set_seconds, studio


def _cut() -> bytes:
    scenes = planets()
    set_seconds(scenes[0], 4.5)
    return as_bytes(studio(scenes))


@pytest.mark.parametrize(
    ("path", "old", "new", "kind", "line"),
    [
        (
            "timeline.json",
            as_bytes(studio(planets())),
            _cut(),
            "timeline",
            "Scene 1 was trimmed from 6.0 s to 4.5 s",
        ),
        ("x.OTIO", as_bytes(otio([otio_clip("a")])), as_bytes(otio([])), "timeline", "a was removed (4.0 s)"),
        ("brief.json", b'{"tone": "a"}', b'{"tone": "b"}', "fields", 'tone: "a" → "b"'),
        ("script.txt", b"a\nb\n", b"a\nc\nd\n", "text", "2 lines added, 1 line removed"),
        ("p.png", png(4, 3), png(8, 3), "media", "size: 4×3 → 8×3"),
        ("p.png", png(4, 3), png(4, 3) + b"x", "media", "other content, the header is the same"),
        ("s.wav", wav(1), wav(2), "media", "length: 1.0 s → 2.0 s"),
        (
            "a.txt",
            b"caf\xe9",
            b"cafe",
            "bytes",
            "The old file is not compared as text: byte 3 is not valid UTF-8; other content, 4 → 4 bytes",
        ),
        (
            "plan.json",
            b'{"scenes": [{"id": 1, "duration": 6.0}]}',
            b'{"scenes": [{"id": 1, "duration": 4.5}]}',
            "fields",
            "scenes › 1 › duration: 6.0 → 4.5",
        ),
        (
            "x.bin",
            b"\x00",
            b"\x01\x02",
            "bytes",
            "other content, 1 → 2 bytes",
        ),
        (
            "d.json",
            b'{"a":1}\n',
            b'{"a":1,"a":2}\n',
            "text",
            "The new document is not compared by fields: the key 'a' is given twice in one object",
        ),
    ],
)
def test_each_kind_of_file_in_its_own_words(path: str, old: bytes, new: bytes, kind: str, line: str) -> None:
    """Timelines, documents, texts, media and everything else."""
    found = diff_file(path, old, new)
    assert (found.kind, found.lines[0]) == (kind, line)
    assert diff_file(path, new, new).lines == ()


@unhurried
@given(st.sampled_from(["a.json", "a.otio", "a.txt", "a"]), st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_have_a_difference(path: str, old: bytes, new: bytes) -> None:
    """Two different files always have something to say, two equal ones nothing."""
    assert bool(diff_file(path, old, new).lines) == (old != new)


@unhurried
@given(st.text(max_size=30))
def test_names_in_sentences_stay_on_their_line(name: Any) -> None:
    """Whatever a clip, a scene or a track is called, a sentence is one line."""
    scenes = planets()
    scenes[0]["heading"] = name
    old, new = otio([otio_clip("a", name=name)]), otio([otio_clip("a", seconds=2, name=name)])
    new["tracks"]["children"][0]["name"] = name
    for before, after in ((studio(scenes), studio(planets()[1:])), (old, new)):
        for line in diff_file("timeline.json", as_bytes(before), as_bytes(after)).lines:
            assert not any(character < " " or character == "\x7f" for character in line)
