"""Every format with every kind of harm: a table, so that none is left out."""

import gzip
import io
import re
import time
import zipfile
from collections.abc import Callable

import pytest
from aura_vcs.compare.merge.file import merge_file
from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline import model
from aura_vcs.formats.timeline.model import Timeline
from aura_vcs.formats.timeline.project_file import read_project

from tests.editors import projects
from tests.editors.projects import Cut, Item

CUT: Cut = {"V1": [Item("sea.mp4", 10, 50), Item("gull.mp4", 5, 40, gap=3)], "A1": [Item("sea.mp4", 0, 70)]}
SECONDS = 8
"""Processor time; a tenth is usual."""


FORMATS: dict[str, Callable[[Cut], bytes]] = {
    "t.kdenlive": projects.kdenlive,
    "t.mlt": projects.shotcut,
    "t.osp": projects.openshot,
    "t.fcpxml": projects.fcpxml,
    "t.xml": projects.xmeml,
    "t.prproj": projects.premiere,
    "t.drp": projects.resolve,
    "t.rpp": projects.reaper,
    "t.edl": projects.edl,
    "t.otio": projects.otio,
    "t.otioz": projects.otioz,
}
XML = ("t.kdenlive", "t.mlt", "t.fcpxml", "t.xml", "t.prproj", "t.drp")
PACKED = ("t.prproj", "t.drp", "t.otioz")
SELVES = {
    "t.kdenlive": (rb'<entry producer="chain0"', rb'<entry producer="{aaaa}"'),
    "t.mlt": (rb'<entry producer="chain0"', rb'<entry producer="tractor0"'),
    "t.fcpxml": (
        rb'(<asset id="r2".*?)(</resources>)',
        rb'\1<media id="r99"><sequence><spine><ref-clip ref="r99" duration="2s"/></spine></sequence></media>\2',
    ),
    "t.xml": (rb'<file id="file-0">.*?</file>', rb'<sequence id="sequence-1"/>'),
    "t.prproj": (rb'ObjectURef="media-sea.mp4"', rb'ObjectURef="seq"'),
    "t.drp": (rb"<MediaFilePath>[^<]*</MediaFilePath>", rb"<MediaRef>0</MediaRef>"),
    "t.otio": (rb'"children": \[', rb'"children": [{"OTIO_SCHEMA": "Stack.1", "children": []}, '),
    "t.rpp": (rb"<SOURCE WAVE", rb"<SOURCE SECTION\n<SOURCE WAVE"),
}
"""How the formats that nest are let lead into themselves, or into what is not there; the others do not nest."""


def plain(path: str, data: bytes) -> bytes:
    """What is in a file: of an archive, its largest member."""
    if path == "t.prproj":
        return gzip.decompress(data)
    if path in PACKED:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.read(_member(archive))
    return data


def packed(path: str, like: bytes, content: bytes) -> bytes:
    """The file with other content."""
    if path == "t.prproj":
        return gzip.compress(content, 1, mtime=0)
    if path not in PACKED:
        return content
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(like)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == _member(old) else old.read(name))
    return made.getvalue()


def _member(archive: zipfile.ZipFile) -> str:
    return max(archive.infolist(), key=lambda info: info.file_size).filename


def changed(path: str, old: bytes, new: bytes, *, count: int = 0) -> bytes:
    """The file in which a pattern is replaced, which must be there."""
    data = FORMATS[path](CUT)
    before = plain(path, data)
    after = re.sub(old, new, before, count=count, flags=re.DOTALL)
    assert after != before
    return packed(path, data, after)


def assert_ends_well(path: str, data: bytes, *, is_refused: bool = False) -> None:
    """It is read or refused with a reason, and so is a merge with it, in a moment and without an error."""
    start = time.process_time()
    found = read_project(path, data)
    assert isinstance(found, Unstructured if is_refused else Timeline | Unstructured)
    assert not isinstance(found, Unstructured) or found.reason
    base, other = FORMATS[path](CUT), FORMATS[path]({**CUT, "V1": CUT["V1"][:1]})
    for sides in ((base, other, data), (base, data, other), (data, base, other)):
        assert merge_file(path, *sides) is not None
    assert time.process_time() - start < SECONDS


LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "&%c;&%c;&%c;&%c;">' % (c, c - 1, c - 1, c - 1, c - 1) for c in range(98, 123))
    + b"]>"
)
FILE = b'<!DOCTYPE x [<!ENTITY z SYSTEM "file:///etc/passwd">]>'
NETWORK = b'<!DOCTYPE x SYSTEM "http://host/x.dtd" [<!ENTITY z "z">]>'


@pytest.mark.parametrize("path", XML)
@pytest.mark.parametrize("doctype", [LAUGHS, FILE, NETWORK], ids=["bomb", "file", "network"])
def test_entities(path: str, doctype: bytes) -> None:
    """Nothing is expanded and nothing is fetched: the file is refused."""
    data = FORMATS[path](CUT)
    content = re.sub(rb"<!DOCTYPE[^>]*>", b"", plain(path, data))
    head, mark, rest = content.partition(b"?>") if content.startswith(b"<?xml") else (b"", b"", content)
    assert b"sea.mp4" in rest
    hostile = head + mark + doctype + rest.replace(b"sea.mp4", b"&z;")
    assert_ends_well(path, packed(path, data, hostile), is_refused=True)


@pytest.mark.parametrize("path", PACKED)
def test_bombs(path: str) -> None:
    """What unpacks to more than is read is refused before."""
    data = FORMATS[path](CUT)
    content = plain(path, data)
    bomb = content[:40] + b" " * (300 << 20) + content[40:]
    start = time.process_time()
    found = read_project(path, packed(path, data, bomb))
    assert isinstance(found, Unstructured)
    assert time.process_time() - start < 3 * SECONDS


@pytest.mark.parametrize("path", FORMATS)
def test_more_clips_than_are_read(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them is told, rather than a part."""
    monkeypatch.setattr(model, "CLIPS_LIMIT", 500)
    many: Cut = {"V1": [Item("sea.mp4", n, 20, id=f"C{n}") for n in range(501)]}
    found = read_project(path, FORMATS[path](many))
    assert isinstance(found, Unstructured)
    assert "500" in found.reason
    few = {"V1": many["V1"][:500]}
    assert isinstance(read_project(path, FORMATS[path](few)), Timeline)


@pytest.mark.parametrize("path", SELVES)
def test_sequences_in_themselves(path: str) -> None:
    """What leads into itself, or nowhere, ends."""
    assert_ends_well(path, changed(path, *SELVES[path], count=1))


@pytest.mark.parametrize("path", FORMATS)
def test_cut_off_anywhere(path: str) -> None:
    """Whatever is missing at the end."""
    data = FORMATS[path](CUT)
    for end in range(0, len(data), max(1, len(data) // 12)):
        assert_ends_well(path, data[:end])


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "utf-16": lambda data: data.decode().encode("utf-16"),
    "utf-32": lambda data: data.decode().encode("utf-32"),
    "latin-1": lambda data: data.replace(b"sea", b"s\xe9a"),
    "half a letter": lambda data: data.replace(b"sea", b"s\xc3"),
    "surrogates": lambda data: data.replace(b"sea", b"s\xed\xa0\x80"),
    "NUL": lambda data: data.replace(b"sea", b"s\x00a"),
    "EBCDIC": lambda data: data.decode().encode("cp500"),
    "another one than it says": lambda data: data.replace(b"UTF-8", b"UTF-16").replace(b"utf-8", b"x-none") + b" ",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("path", FORMATS)
def test_other_encodings(path: str, encoding: str) -> None:
    """Read or refused."""
    data = FORMATS[path](CUT)
    content = plain(path, data)
    hostile = ENCODINGS[encoding](content)
    assert hostile != content
    assert_ends_well(path, packed(path, data, hostile))


NUMBERS = [b"9" * 4000, b"-7", b"1e999", b"NaN", b"0", b"0x7f", b"99999999999999999999", b"1.5.2", b"\xd9\xa3"]


@pytest.mark.parametrize("number", NUMBERS, ids=range(9))
@pytest.mark.parametrize("path", FORMATS)
def test_times_out_of_range(path: str, number: bytes) -> None:
    """Every number of the file, one after the other and all of them."""
    if number[:1].isdigit() or number[:1] == b"-" or path not in ("t.osp", "t.otio", "t.otioz"):
        assert_ends_well(path, changed(path, rb"(?<![\w.#{-])\d+(?:\.\d+)?(?![\w}])", number))
        assert_ends_well(path, changed(path, rb"(?<![\w.#{-])\d+(?:\.\d+)?(?=[fs/:; \"<,])", number, count=9))
