"""Where files come from: said, read from the files, kept by content, checked and added up."""

import io
import json
import struct
import zlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.annotations.provenance import (
    check_licences,
    compare_facts,
    compared,
    costs,
    log,
    provenance,
    set_provenance,
)
from aura_vcs.errors.input import InvalidFact
from aura_vcs.formats.provenance.embedded import read_embedded
from aura_vcs.formats.provenance.facts import FILE_ONLY, NAMES, ORDER, check_facts, proper_facts
from aura_vcs.history.commit import commit
from aura_vcs.history.compare_versions import compare_versions
from aura_vcs.history.undo import undo
from aura_vcs.repository.repository import Repository
from aura_vcs.sync.push import push

from tests.helpers.sampling import chance
from tests.sync.machines import clone, folder_remote, known, machine, save, write

WEBUI = (
    "a red sky, <lora:x:1>\nover a calm sea\nNegative prompt: text, blurry\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 41, Size: 512x512, Model hash: 6ce0161689, Model: v1-5, "
    'Note: "a, b"'
)
COMFY = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 41, "steps": 20, "model": ["4", 0], "positive": ["9", 0],
                                               "negative": ["7", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "flux-1.safetensors"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red sky", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
    "9": {"class_type": "ConditioningPass", "inputs": {"conditioning": ["6", 0]}},
}  # fmt: skip


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(*texts: tuple[bytes, bytes], kind: bytes = b"tEXt") -> bytes:
    """A picture of one pixel with texts."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    inner = b"".join(chunk(kind, key + b"\0" + text) for key, text in texts)
    return b"\x89PNG\r\n\x1a\n" + head + inner + chunk(b"IDAT", zlib.compress(b"\0abc")) + chunk(b"IEND", b"")


def jpeg(*segments: bytes) -> bytes:
    """A picture that has only its segments."""
    return b"\xff\xd8" + b"".join(b"\xff\xe1" + struct.pack(">H", len(s) + 2) + s for s in segments) + b"\xff\xd9"


def exif(*tags: tuple[int, bytes], order: str = "<") -> bytes:
    """EXIF with texts in its first folder."""
    entries, rest, at = b"", b"", 8 + 2 + 12 * len(tags) + 4
    for tag, text in tags:
        entries += struct.pack(order + "HHI", tag, 2, len(text))
        entries += text.ljust(4, b"\0") if len(text) <= 4 else struct.pack(order + "I", at + len(rest))
        rest += text if len(text) > 4 else b""
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return b"Exif\0\0" + start + struct.pack(order + "H", len(tags)) + entries + bytes(4) + rest


def id3(*frames: tuple[bytes, bytes]) -> bytes:
    """An MP3's tag."""
    body = b"".join(name + struct.pack(">IH", len(data), 0) + data for name, data in frames)
    size = len(body)
    return b"ID3\3\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + body


def wav(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WAV of these chunks."""
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(data)) + data for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


BEXT = struct.pack("<256s32s32s10s8s", b"room tone", b"SoundDevices", b"ref", b"2026-11-23", b"09:30:00") + bytes(264)
XMP = (
    b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:RDF><rdf:Description xmp:CreatorTool="Lightroom">'
    b"<dc:rights><rdf:Alt><rdf:li xml:lang='x-default'>CC BY-NC 4.0 &amp; more</rdf:li></rdf:Alt></dc:rights>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)
FILES: dict[str, tuple[bytes, dict[str, Any]]] = {
    "webui": (png((b"parameters", WEBUI.encode())), {"prompt": "a red sky, <lora:x:1>\nover a calm sea",
              "negative_prompt": "text, blurry", "seed": "41", "model": "v1-5", "model_version": "6ce0161689"}),
    "webui, compressed": (
        png((b"parameters", b"\0" + zlib.compress(WEBUI.encode())), kind=b"zTXt"), {"seed": "41"}),
    "webui, UTF-8": (
        png((b"parameters", b"\0\0\0\0" + WEBUI.replace("red", "röd").encode()), kind=b"iTXt"),
        {"prompt": "a röd sky, <lora:x:1>\nover a calm sea"}),
    "webui in a JPEG": (jpeg(exif((0x010E, WEBUI.encode()))), {"seed": "41", "kind": "generated"}),
    "comfy": (png((b"prompt", json.dumps(COMFY).encode())), {"program": "ComfyUI", "prompt": "a red sky",
              "negative_prompt": "blurry", "seed": "41", "model": "flux-1.safetensors"}),
    "invoke": (
        png((b"invokeai_metadata", json.dumps({"positive_prompt": "a red sky", "seed": 41, "steps": 20,
             "model": {"name": "sdxl"}}).encode())),
        {"program": "InvokeAI", "prompt": "a red sky", "seed": "41", "model": "sdxl", "parameters": {"steps": 20}}),
    "plain texts": (png((b"Author", b"Mara"), (b"Copyright", b"CC0")), {"person": "Mara", "license": "CC0"}),
    "camera": (
        jpeg(exif((0x010F, b"Nikon\0"), (0x0110, b"Z6\0"), (0x013B, b"Mara\0"), order=">")),
        {"kind": "recorded", "person": "Mara", "parameters": {"camera": "Nikon Z6"}}),
    "xmp": (jpeg(XMP), {"program": "Lightroom", "license": "CC BY-NC 4.0 & more"}),
    "id3": (id3((b"TPE1", b"\3Mara"), (b"TCOP", b"\0(c) 2026")), {"person": "Mara", "license": "(c) 2026"}),
    "bwf": (
        wav((b"fmt ", bytes(16)), (b"bext", BEXT), (b"data", b"")),
        {"kind": "recorded", "program": "SoundDevices", "note": "room tone", "made_at": "2026-11-23T09:30:00"}),
    "bwf that a program wrote anew": (
        wav((b"bext", BEXT), (b"LIST", b"INFOISFT\x04\0\0\0Lavf"), (b"data", b"")), {"program": "SoundDevices"}),
    "webp": (
        b"RIFF" + bytes(4) + b"WEBP" + b"".join(
            name + struct.pack("<I", len(data)) + data
            for name, data in ((b"EXIF", exif((0x013B, b"Mara\0\0"))), (b"XMP ", XMP + b" " * (len(XMP) % 2)))),
        {"person": "Mara", "program": "Lightroom"}),
    "tiff": (exif((0x8298, b"CC0\0"), (0x013B, b"Mara\0")).removeprefix(b"Exif\0\0"),
             {"license": "CC0", "person": "Mara"}),
    "png with exif": (
        png((b"Author", b"Lena")).replace(
            chunk(b"IEND", b""), chunk(b"eXIf", exif((0x8298, b"CC0\0"))[6:]) + chunk(b"IEND", b"")),
        {"license": "CC0", "person": "Lena"}),
    "info": (wav((b"LIST", b"INFOIART\x04\0\0\0Mara"), (b"data", b"")), {"person": "Mara"}),
    "nothing": (png(), {}),
    "text": (b"just a text", {}),
    "empty": (b"", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_what_files_bring(name: str) -> None:
    """Texts of generators, EXIF, XMP, ID3 and Broadcast WAV say who, what and under which licence."""
    data, wanted = FILES[name]
    found = read_embedded(io.BytesIO(data))
    assert {key: found.get(key) for key in wanted} == wanted
    assert bool(found) == bool(wanted)


def test_hostile_files() -> None:
    """Cut anywhere, and with bytes flipped, a file gives less or nothing; never an error, never much."""
    random = chance("embedded")
    for data, _ in FILES.values():
        cuts = [random.randrange(len(data) + 1) for _ in range(40)] if len(data) > 40 else range(len(data))
        for cut in cuts:
            read_embedded(io.BytesIO(data[:cut]))
        for _ in range(60 if data else 0):
            broken = bytearray(data)
            for _ in range(3):
                broken[random.randrange(len(broken))] = random.randrange(256)
            facts = read_embedded(io.BytesIO(bytes(broken)))
            assert check_facts(facts) == facts
    bomb = png((b"parameters", b"\0" + zlib.compress(b"Steps: 1," + bytes(50_000_000))), kind=b"zTXt")
    assert len(str(read_embedded(io.BytesIO(bomb)))) < 1 << 21
    loop = {"3": {"class_type": "KSampler", "inputs": {"positive": ["5", 0]}}, "5": {"inputs": {"a": ["5", 0]}}}
    assert "prompt" not in read_embedded(io.BytesIO(png((b"prompt", json.dumps(loop).encode()))))


@pytest.mark.parametrize(
    "facts",
    [{"kind": "found"}, {"cost": "cheap"}, {"cost": -1}, {"cost": float("nan")}, {"tokens": 1.5}, {"tokens": True},
     {"currency": "euro"}, {"inputs": ["abc"]}, {"parameters": {"a": []}}, {"prompt": 3}, {"prompt": "x" * 70_000},
     {"colour": "red"}, {"commercial": "yes"}, {"parameters": {"a": float("inf")}}],
)  # fmt: skip
def test_facts_that_are_none(facts: dict[str, Any]) -> None:
    """What is not a fact, or cannot have that value, is refused by name; from a file it is passed over."""
    with pytest.raises(InvalidFact, match=next(iter(facts))):
        check_facts(facts)
    assert proper_facts(facts) == {}
    assert sorted((*NAMES, *FILE_ONLY)) == sorted(ORDER)


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    """A project with a picture."""
    found = machine(tmp_path / "film", "Ada")
    save(found, "sky.png", png((b"parameters", WEBUI.encode())))
    return found


def test_said_by_content(repo: Repository) -> None:
    """What is said of a file is found under another name, and in another version, and is undone."""
    set_provenance(repo, "sky.png", {"kind": "generated", "license": "CC0", "cost": 0.04, "currency": "EUR", "seed": 7})
    Path(repo.root, "sky.png").rename(Path(repo.root, "heaven.png"))
    save(repo, "sky.png", b"other")
    found = provenance(repo, "heaven.png")
    assert (found.facts["license"], found.facts["cost"], found.facts["seed"]) == ("CC0", "0.04", "7")
    assert found.facts["model"] == "v1-5", "the file says so itself"
    assert provenance(repo, "v1:sky.png").said == found.said
    assert provenance(repo, "sky.png").facts == {}
    set_provenance(repo, "heaven.png", {"license": None, "commercial": False})
    assert "license" not in provenance(repo, "heaven.png").said
    undo(repo)
    assert provenance(repo, "heaven.png").said == found.said
    undo(repo)
    undo(repo)
    assert provenance(repo, "v1:sky.png").said == {}
    assert log(repo) == []


def test_a_file_that_is_not_saved_yet(repo: Repository) -> None:
    """A program says where a file comes from when it has made it, before any version has it."""
    write(repo, "new.png", b"fresh")
    set_provenance(repo, "new.png", {"prompt": "a blue sky"})
    commit(repo, "New")
    assert provenance(repo, "HEAD:new.png").facts["prompt"] == "a blue sky"
    assert [item.path for item in log(repo)] == ["new.png"]


def test_a_file_beside_it(repo: Repository) -> None:
    """`sky.png.provenance.json` is taken over by the commit, in its operation: undo takes both back."""
    write(repo, "sea.png", b"sea")
    write(repo, "sea.png.provenance.json", json.dumps({"kind": "licensed", "license": "CC-BY-NC-4.0"}))
    write(repo, "bad.png.provenance.json", json.dumps({"colour": "red"}))
    write(repo, "bad.png", b"bad")
    write(
        repo, "marked.png.provenance.json", "\ufeff" + json.dumps({"license": "MIT"})
    )  # as editors of Windows write it
    write(repo, "marked.png", b"marked")
    commit(repo, "Sea")
    assert provenance(repo, "sea.png").said == {
        "kind": "licensed", "license": "CC-BY-NC-4.0", "path": "sea.png", "origin": "file"}  # fmt: skip
    assert provenance(repo, "bad.png").said == {}
    assert provenance(repo, "marked.png").said["license"] == "MIT"
    undo(repo)
    assert provenance(repo, "sea.png").said == {}
    commit(repo, "Sea")
    assert provenance(repo, "sea.png").said["license"] == "CC-BY-NC-4.0"


def test_licences(repo: Repository) -> None:
    """Media without a licence and those that forbid commercial use are listed; other files are not asked."""
    save(repo, "brief.json", "{}")
    save(repo, "noise.wav", wav((b"fmt ", bytes(16)), (b"bext", BEXT), (b"data", b"")))
    save(repo, "sea.png", b"sea")
    set_provenance(repo, "sea.png", {"license": "CC BY-NC 4.0"})
    looked, problems = check_licences(repo)
    assert looked == 3
    assert [(item.path, item.kind) for item in problems] == [("sea.png", "forbids_commercial"), ("sky.png", "missing")]
    set_provenance(repo, "sky.png", {"license": "CC0-1.0"})
    set_provenance(repo, "sea.png", {"commercial": True})
    assert check_licences(repo)[1] == []


def test_costs(repo: Repository) -> None:
    """Sums are exact, by currency; each content counts once."""
    for number, cost in enumerate(("0.1", "0.2")):
        write(repo, f"{number}.png", bytes([number]))
        set_provenance(repo, f"{number}.png", {"model": "flux", "cost": cost, "currency": "USD", "tokens": 10})
    write(repo, "copy.png", bytes([0]))
    set_provenance(repo, "copy.png", {"person": "Ada"})
    set_provenance(repo, "sky.png", {"cost": 5, "currency": "EUR", "made_at": "2025-03-04"})
    assert [(s.key, s.currency, s.cost, s.tokens, s.count) for s in costs(repo)] == [
        ("v1-5", "EUR", Decimal(5), 0, 1), ("flux", "USD", Decimal("0.3"), 20, 2)]  # fmt: skip
    assert {item.key for item in costs(repo, "month")} >= {"2025-03"}
    assert {item.key for item in costs(repo, "project")} == {"film"}


def test_compared(repo: Repository) -> None:
    """Two pictures of one prompt and two seeds are told apart by it."""
    save(repo, "sky.png", png((b"parameters", WEBUI.replace("Seed: 41", "Seed: 42").encode())))
    found = compared(repo, compare_versions(repo, ["v1", "v2"], []).comparison)
    assert found["sky.png"][0] == "same model, model version, prompt, negative prompt, parameters, other seed"
    assert found["sky.png"][1] == "seed: 41 → 42"
    assert compare_facts({"license": "a"}, {"license": "b"}) == ()


def test_it_travels(repo: Repository, tmp_path: Path) -> None:
    """Another machine has what was said, and says more; both have all of it."""
    set_provenance(repo, "sky.png", {"license": "CC0"})
    remote = folder_remote(tmp_path / "remote", repo)
    push(repo, remote, known(repo))
    other = clone(tmp_path / "other", "Bo", remote)
    assert provenance(other, "sky.png").said["license"] == "CC0"
    other.rebuild_index()
    assert provenance(other, "sky.png").said["license"] == "CC0"


def test_costs_follow_what_is_said(tmp_path: Path) -> None:
    """Sums are exact however large, also of an index made anew, and what was taken back costs nothing."""
    repo = machine(tmp_path / "film", "Ada")
    for number in range(6):
        save(repo, f"{number}.png", bytes([number]))
        set_provenance(repo, f"{number}.png", {"model": "flux", "cost": "0.1", "currency": "EUR", "tokens": 10**14})
    set_provenance(repo, "5.png", {"cost": "123456789.000000001"})
    wanted = [(Decimal("123456789.500000001"), 6 * 10**14, 6)]
    for _ in range(2):
        assert [(item.cost, item.tokens, item.count) for item in costs(repo)] == wanted
        assert [(item.cost, item.key) for item in costs(repo, "project")] == [(wanted[0][0], "film")]
        repo.rebuild_index()
    undo(repo)
    assert [item.cost for item in costs(repo)] == [Decimal("0.6")]


def test_what_the_file_says_counts_beside_a_json_file(tmp_path: Path) -> None:
    """A JSON file beside a picture says the cost, the picture its model: the sum is that model's."""
    repo = machine(tmp_path / "film", "Ada")
    write(repo, "a.png", png((b"parameters", WEBUI.encode())))
    write(repo, "a.png.provenance.json", json.dumps({"cost": "0.2", "currency": "EUR", "seed": "9"}))
    commit(repo, "one")
    assert [(item.key, item.cost) for item in costs(repo)] == [("v1-5", Decimal("0.2"))]
    assert provenance(repo, "a.png").facts["seed"] == "9"
    set_provenance(repo, "a.png", {"model": "said"})
    write(repo, "a.png.provenance.json", json.dumps({"cost": "0.3"}))
    commit(repo, "two")
    assert [(item.key, item.cost) for item in costs(repo)] == [("said", Decimal("0.3"))]
