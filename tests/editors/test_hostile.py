"""Projects that somebody made to do harm are refused with a reason, in a moment and without much memory."""

import gzip
import io
import re
import time
import zipfile

import pytest
from aura_vcs.compare.merge.file import merge_file
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project

from tests.editors import projects
from tests.editors.projects import Item

CUT = {"V1": [Item("sea.mp4", 10, 50)]}
LAUGHS = (
    b'<!DOCTYPE mlt [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (c, c - 1, c - 1, c - 1, c - 1) for c in range(98, 123))
    + b"]>"
)


def with_doctype(data: bytes, doctype: bytes, use: bytes) -> bytes:
    head, _, rest = data.partition(b"?>")
    return head + b"?>" + doctype + rest.replace(b"sea.mp4", use)


@pytest.mark.parametrize("write", [projects.kdenlive, projects.shotcut, projects.xmeml])
@pytest.mark.parametrize(
    "doctype",
    [
        LAUGHS,
        b'<!DOCTYPE mlt [<!ENTITY z SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE mlt SYSTEM "http://host/x.dtd" [<!ENTITY z "z">]>',
    ],
    ids=["bomb", "file", "network"],
)
def test_entities_are_refused(write: object, doctype: bytes) -> None:
    """Nothing is expanded and nothing is fetched."""
    found = read_project("x.mlt", with_doctype(write(CUT), doctype, b"&z;"))  # type: ignore[operator]
    assert isinstance(found, Unstructured)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("x.prproj", gzip.compress(b"<PremiereData>" + b"0" * (300 << 20), compresslevel=1)),
        ("x.mlt", b"<mlt>" + b"<a>" * 100_000),
        ("x.mlt", b"<?xml version='1.0'?><mlt>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</mlt>"),
        ("x.osp", b'{"clips": [], "files": [], "layers": ' + b"[" * 100_000),
        ("x.rpp", b"<REAPER_PROJECT 0.1\n" + b"<A\n" * 100_000),
        ("x.drp", projects.resolve(CUT)[:-40]),
        ("x.otioz", projects.otioz(CUT)[:-40]),
        ("x.aaf", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 5_000),
        ("x.flb", b"\x80\x04cos\nsystem\n"),
        ("x.edl", b"TITLE: x\n"),
    ],
    ids=[
        "gzip bomb",
        "open",
        "deep",
        "deep json",
        "deep blocks",
        "cut zip",
        "cut bundle",
        "no aaf",
        "pickle",
        "no event",
    ],
)
def test_what_cannot_be_read_says_why(path: str, data: bytes) -> None:
    """In a moment."""
    start = time.process_time()
    found = read_project(path, data)
    assert isinstance(found, Unstructured)
    assert found.reason
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "write", [projects.kdenlive, projects.reaper, projects.fcpxml, projects.edl, projects.xmeml, projects.openshot]
)
def test_truncated_files_and_other_encodings_never_raise(write: object) -> None:
    """Cut off anywhere, or with bytes that are no UTF-8, they are read or refused."""
    data = write(CUT)  # type: ignore[operator]
    for end in range(0, len(data), max(1, len(data) // 25)):
        assert isinstance(read_project("x.rpp", data[:end]), Timeline | Unstructured)
    assert isinstance(read_project("x.rpp", data.replace(b"sea", b"s\xe9\xff")), Timeline | Unstructured)


def test_times_out_of_range_and_missing_media_are_read() -> None:
    """A clip of ten thousand years, and one that plays nothing."""
    data = (
        projects.kdenlive(CUT)
        .replace(b'out="00:00:02.360"', b'out="99999999999999"')
        .replace(b'producer="chain0"', b'producer="none"')
    )
    assert isinstance(read_project("x.kdenlive", data), Timeline)
    edl = projects.edl(CUT).replace(b"01:00:00:00", b"99:99:99:99")
    assert isinstance(read_project("x.edl", edl), Timeline | Unstructured)


@pytest.mark.parametrize(
    "number", [b"9" * 5000, b"--5", b"9" * 15 + b".5", b"\xd9\xa3"], ids=["long", "minus", "part", "word"]
)
@pytest.mark.parametrize("write", [projects.premiere, projects.xmeml], ids=["premiere", "final cut 7"])
def test_numbers_that_are_none_are_read(write: object, number: bytes) -> None:
    """Longer than a number may be, with two signs, or in other digits."""
    data = write(CUT)  # type: ignore[operator]
    is_packed = data.startswith(b"\x1f\x8b")
    plain = gzip.decompress(data) if is_packed else data
    wrong = re.sub(
        rb"(<(?:in|out|start|end|Start|End|InPoint|OutPoint|FrameRate|timebase)>)[^<]+", rb"\g<1>" + number, plain
    )
    assert wrong != plain
    found = read_project("x.prproj" if is_packed else "x.xml", gzip.compress(wrong) if is_packed else wrong)
    assert isinstance(found, Timeline | Unstructured)


def test_many_notes_below_an_event_take_time_in_proportion() -> None:
    """They are gathered once."""
    start = time.process_time()
    found = read_project("x.edl", projects.edl(CUT) + b"* COMMENT: a\n" * 100_000)
    assert isinstance(found, Timeline | Unstructured)
    assert time.process_time() - start < 8, "half a second is usual"


def test_a_sequence_in_itself_is_read() -> None:
    """A playlist that plays the sequence that it is in."""
    data = projects.kdenlive(CUT).replace(b'<entry producer="chain0"', b'<entry producer="{aaaa}"')
    assert isinstance(read_project("x.kdenlive", data), Timeline)
    other = data.replace(b"main_bin", b"main_bin")
    assert merge_file("x.kdenlive", data, data + b"\n", other + b"\n\n") is not None


def test_zip_bombs_are_refused() -> None:
    """However small they are packed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("content.otio", b"0" * (80 << 20))
    found = read_project("x.otioz", buffer.getvalue())
    assert isinstance(found, Unstructured)


def test_many_children_and_lines_take_time_in_proportion() -> None:
    """Space between elements adds up to nothing, and a block is not searched from its beginning for each word."""
    rows = b"\n   <entry/>" * 200_000
    lines = b"  JUNK 1\n" * 200_000
    for data in (b"<mlt><playlist>" + rows + b"</playlist></mlt>", b"<REAPER_PROJECT 0.1\n" + lines + b">\n"):
        start = time.process_time()
        assert isinstance(read_project("x.mlt", data), Timeline)
        assert time.process_time() - start < 8, "a tenth is usual"


@pytest.mark.parametrize("write", [projects.fcpxml, projects.reaper, projects.kdenlive, projects.edl])
def test_damaged_versions_are_kept_twice_and_never_raise(write: object) -> None:
    """Cut off, with ids doubled, times that are none, or what is referred to taken away."""
    base = write({"V1": [Item("sea.mp4", 10, 50), Item("gull.mp4", 0, 40)]})  # type: ignore[operator]
    whole = write({"V1": [Item("sea.mp4", 10, 30), Item("gull.mp4", 0, 40)]})  # type: ignore[operator]
    bad = [base[: len(base) * n // 7] for n in range(1, 7)]
    wrong = {b"/25s": b"/0s", b'id="r3"': b'id="r2"', b"0001-1111": b"0000-1111", b"POSITION 2": b"POSITION 1e99"}
    bad += [base.replace(old, new) for old, new in {**wrong, b"chain1": b"chain0"}.items()]
    for data in bad:
        for sides in ((base, whole, data), (base, data, whole), (data, base, whole)):
            merged = merge_file("x.fcpxml", *sides)
            assert merged.data is not None or merged.reason or data == base


@pytest.mark.parametrize(
    ("path", "write"),
    [
        ("x.kdenlive", projects.kdenlive),
        ("x.fcpxml", projects.fcpxml),
        ("x.xml", projects.xmeml),
        ("x.prproj", projects.premiere),
        ("x.drp", projects.resolve),
    ],
)
def test_more_clips_than_are_read_is_said(path: str, write: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of a project would be told as the whole, and what is beyond as unchanged."""
    many = {"V1": [Item("sea.mp4", 10, 50) for _ in range(9)]}
    data = write(many)  # type: ignore[operator]
    assert isinstance(read_project(path, data), Timeline)
    monkeypatch.setattr("aura_vcs.formats.timeline.model.CLIPS_LIMIT", 8)
    found = read_project(path, data)
    assert isinstance(found, Unstructured)
    assert found.reason == "it has more than 8 clips"
