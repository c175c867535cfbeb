"""Writing other addresses of media into an AAF file with `pyaaf2`, and proving that nothing else became another.

An AAF is a file system in a file. The library writes the streams of the locators anew; what every other stream holds,
and every other property of these, is compared with what was there.
"""

import os
import struct
import tempfile
from collections.abc import Mapping
from typing import Any

from aura_vcs.formats.jsondoc.parse import Unstructured
from aura_vcs.formats.timeline.aaf import MAX_BYTES, close_left_open

_URL = 0x4001
"""The property of a locator that holds its address."""
_PROPERTIES = "/properties"
_HEAD, _ENTRY = struct.Struct("<cBH"), struct.Struct("<HHH")

Contents = dict[str, tuple[str, bytes]]
"""What kind of entry is at each path, with its class, and what it holds."""


def rewrite_aaf(data: bytes, paths: Mapping[str, str]) -> bytes | Unstructured:
    """Return an AAF file in which locators have other addresses, old one to new one; or why it cannot be written so."""
    if len(data) > MAX_BYTES:
        return Unstructured(f"it is larger than {MAX_BYTES >> 20} MiB")
    try:
        import aaf2  # an optional extra

        with tempfile.TemporaryFile() as copy:  # the library writes into files only
            copy.write(data)
            copy.seek(0)
            with aaf2.open(os.dup(copy.fileno()), "rw") as file:
                for mob in file.content.mobs:
                    _readdress(mob, paths)
            copy.seek(0)
            result = copy.read()
        reason = _difference(_contents(data), _contents(result), paths)
    except ImportError:
        return Unstructured("writing AAF needs the extra 'aaf', which is not installed")
    except Exception as error:  # the library raises whatever writing into such a file leads to
        close_left_open(error)
        return Unstructured(f"its addresses cannot be written: {type(error).__name__}")
    return Unstructured(reason) if reason else result


def _readdress(mob: Any, paths: Mapping[str, str]) -> None:
    for locator in getattr(getattr(mob, "descriptor", None), "locator", None) or ():
        url = locator.get("URLString")
        if url is not None and url.value in paths:
            url.value = paths[url.value]


def _contents(data: bytes) -> Contents:
    from aaf2.cfb import CompoundFileBinary  # of the same library

    found: Contents = {}
    with tempfile.TemporaryFile() as copy:  # of what is in memory it reads nothing
        copy.write(data)
        copy.seek(0)
        compound = CompoundFileBinary(copy, "rb")
        for root, storages, streams in compound.walk():
            found[root.path()] = (f"{root.type} {root.class_id}", b"")
            for storage in storages:
                found[storage.path()] = (f"{storage.type} {storage.class_id}", b"")
            for stream in streams:
                found[stream.path()] = (f"{stream.type}", bytes(stream.open("r").read()))
    if not any(held for _, held in found.values()):
        raise ValueError("nothing of it can be read")
    return found


def _difference(before: Contents, after: Contents, paths: Mapping[str, str]) -> str:
    """Say what became another, beside addresses that should; "" for nothing."""
    if before.keys() != after.keys():
        return "it would have other parts than before"
    for path, was in before.items():
        now = after[path]
        if was == now:
            continue
        if was[0] != now[0] or not path.endswith(_PROPERTIES):
            return f"{path} in it would be another"
        old, new = _properties(was[1]), _properties(now[1])
        urls = [_text(found.pop(_URL, (0, b""))[1]) for found in (old, new)]
        if old != new or paths.get(urls[0]) != urls[1]:
            return f"{path} in it would say something else"
    return ""


def _properties(data: bytes) -> dict[int, tuple[int, bytes]]:
    """Read the properties of an object: by number, how each is stored and what it holds."""
    _, _, count = _HEAD.unpack_from(data)
    entries = [_ENTRY.unpack_from(data, _HEAD.size + n * _ENTRY.size) for n in range(count)]
    at = _HEAD.size + count * _ENTRY.size
    found: dict[int, tuple[int, bytes]] = {}
    for number, form, size in entries:
        if number in found or at + size > len(data):
            raise ValueError("its properties are damaged")
        found[number] = (form, data[at : at + size])
        at += size
    if at != len(data):
        raise ValueError("its properties are damaged")
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-16-le", "surrogatepass").rstrip("\0")
