"""Reading the C2PA manifest of a file, safely: in a process of its own (`manifest_worker`)."""

import os
import tempfile
import threading
from functools import cache
from importlib.util import find_spec
from typing import BinaryIO

import msgspec

from aura_vcs.codec import decode_json
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.formats.provenance.embedded import read_embedded
from aura_vcs.formats.provenance.facts import Facts
from aura_vcs.formats.provenance.manifest_facts import ManifestAnswer, ManifestRequest, manifest_facts
from aura_vcs.formats.provenance.manifest_place import manifest_format
from aura_vcs.media.process import can_start, media_process

MEMORY_BYTES = 2 << 30
SECONDS = 10
CLOCK_SECONDS = 30
VERIFIED_BYTES = 256 << 20
"""The bytes of larger files are not held against their manifest: it is read, and said to be not checked."""
COPIED_BYTES = 1 << 30
"""Of so much of what is no file of its own a copy is made to be read."""
ANSWER_BYTES = 16 << 20
PIECE = 1 << 20
EXTRA = "c2pa"


@cache
def can_read_manifests() -> bool:
    """Tell whether the optional part `c2pa` is installed."""
    return os.name != "nt" and can_start() and find_spec("c2pa") is not None


def read_brought(file: BinaryIO) -> Facts:
    """Return what a file says of where it comes from, its manifest counting first; never raises for any bytes.

    A manifest that was not read is told in `signature`: why, or what is needed for it.
    """
    embedded = read_embedded(file)
    kind = manifest_format(file)
    return {**embedded, **read_manifest(file, kind)} if kind else embedded


def read_manifest(file: BinaryIO, kind: str) -> Facts:
    """Return what the manifest of a file of that media type says; with a word of what hindered where it cannot be."""
    if not can_read_manifests():
        return _said(f"a C2PA manifest, not read: that needs the optional part {EXTRA!r}, aura-vcs[{EXTRA}]")
    size = file.seek(0, os.SEEK_END)
    if (number := _number(file)) is not None:
        return _read(number, kind, size)
    if size > COPIED_BYTES:
        return _said("a C2PA manifest, not read: the file is too large for it")
    with tempfile.TemporaryFile(prefix="aura-manifest-") as copy:
        file.seek(0)
        while piece := file.read(PIECE):
            copy.write(piece)
        copy.flush()
        return _read(copy.fileno(), kind, size)


def _read(number: int, kind: str, size: int) -> Facts:
    request = ManifestRequest(number, kind, MEMORY_BYTES, SECONDS, verify=size <= VERIFIED_BYTES)
    data = _run(request)
    try:
        answer = decode_json(data, ManifestAnswer)
        report = msgspec.json.decode(answer.report) if answer.report else None
    except (msgspec.DecodeError, RecordCorrupt, RecursionError):
        return _said("a C2PA manifest that could not be read: what reads it gave up")
    if answer.problem:
        return _said(f"a C2PA manifest that could not be read: {answer.problem}")
    return manifest_facts(report, verified=request.verify) or _said("a C2PA manifest that says nothing")


def _said(what: str) -> Facts:
    return {"signature": what, "origin": "file"}


def _run(request: ManifestRequest) -> bytes:
    """Run the process and return its answer; never waits longer than its clock."""
    module = "aura_vcs.media.manifest_worker"
    with media_process(module, msgspec.json.encode(request), files=(request.file,)) as process:
        clock = threading.Timer(CLOCK_SECONDS, process.kill)
        clock.start()
        try:
            assert process.stdout is not None
            return process.stdout.read(ANSWER_BYTES)
        finally:
            clock.cancel()


def _number(file: BinaryIO) -> int | None:
    try:
        return file.fileno()
    except (OSError, AttributeError):
        return None
