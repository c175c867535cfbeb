"""C2PA manifests are read where they cannot do harm, told as what they are, and never believed."""

import io
import random
import socket
from pathlib import Path
from typing import Any

import pytest
from aura_vcs.annotations.provenance import provenance, set_provenance
from aura_vcs.errors.input import InvalidFact
from aura_vcs.formats.provenance.facts import FILE_ONLY, check_facts
from aura_vcs.formats.provenance.manifest_facts import manifest_facts
from aura_vcs.formats.provenance.manifest_place import manifest_format
from aura_vcs.history.commit import commit
from aura_vcs.media import manifests
from aura_vcs.media.manifests import read_brought, read_manifest

from tests.annotations.signed_pictures import SOURCE, picture, sign
from tests.sync.machines import machine, write

FITS = "signed by Solar Films (Mara), checked: it fits the file; who signed is not checked"


@pytest.fixture(scope="module")
def signed() -> bytes:
    """A picture that a model made, signed."""
    pytest.importorskip("c2pa")
    pytest.importorskip("PIL")
    return sign()


def test_a_signed_picture(signed: bytes) -> None:
    """Kind, program, model, actions and the signature's state are facts of the file."""
    assert read_brought(io.BytesIO(signed)) == {
        "kind": "generated",
        "program": "Painter 3.1",
        "model": "flux 1",
        "source_type": SOURCE.rpartition("/")[2],
        "actions": "created",
        "signature": FITS,
        "origin": "file",
    }


def test_a_real_file_and_a_copy_say_the_same(signed: bytes, tmp_path: Path) -> None:
    """What lies in a file of its own is read there."""
    path = tmp_path / "mars.png"
    path.write_bytes(signed)
    with path.open("rb") as file:
        assert read_brought(file) == read_brought(io.BytesIO(signed))


def test_ingredients_have_their_hashes(signed: bytes) -> None:
    """An edited picture names what it was made from, with the hash that its manifest has."""
    found = read_brought(io.BytesIO(sign(signed)))
    assert (found["kind"], found["actions"]) == ("derived", "opened, color_adjustments")
    name, _, digest = str(found["ingredients"]).rpartition(" ")
    assert name == "first.png (edited, its manifest:"
    assert len(bytes.fromhex(digest.rstrip(")"))) == 32


@pytest.mark.parametrize("place", [-40, 3_000])
def test_a_changed_file_does_not_hold(signed: bytes, place: int) -> None:
    """A byte of the picture or of the manifest was changed: that is said, and nothing else is different."""
    data = bytearray(signed)
    data[place] ^= 1
    assert "it does not hold" in str(read_brought(io.BytesIO(bytes(data)))["signature"])


def test_a_large_file_is_not_checked(signed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes are not held against the manifest."""
    monkeypatch.setattr(manifests, "VERIFIED_BYTES", 10)
    assert read_brought(io.BytesIO(signed))["signature"] == "signed by Solar Films (Mara), not checked"


def test_nothing_is_fetched() -> None:
    """A manifest that lies elsewhere is not asked for there."""
    pytest.importorskip("c2pa")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        data = sign(remote=f"http://127.0.0.1:{server.getsockname()[1]}/mars.c2pa")
        found = read_manifest(io.BytesIO(data), "image/png")
        assert found["signature"] == "a C2PA manifest that could not be read: it is stored elsewhere and not fetched"
        with pytest.raises(TimeoutError):
            server.accept()


def test_without_the_library(signed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said that there is a manifest, and what reads it."""
    monkeypatch.setattr(manifests, "can_read_manifests", lambda: False)
    said = str(read_brought(io.BytesIO(signed))["signature"])
    assert said.startswith("a C2PA manifest, not read")
    assert "aura-vcs[c2pa]" in said


def test_damaged_manifests_end_in_a_word(signed: bytes) -> None:
    """Whatever is changed or missing in it: there are facts or a word, and no exception."""
    chance = random.Random(7)
    for _ in range(6):
        data = bytearray(signed)
        for _ in range(chance.choice([1, 40, 2_000])):
            data[chance.randrange(33, len(data))] = chance.randrange(256)
        found = read_brought(io.BytesIO(bytes(data[: chance.choice([len(data), 9_000])])))
        assert not found or found["signature"]
    assert "it is damaged" in str(read_manifest(io.BytesIO(b"nothing"), "image/png")["signature"])


def test_a_project_has_them(signed: bytes, tmp_path: Path) -> None:
    """They are shown for the folder and for versions; what somebody says counts before, and copies no signature."""
    repo = machine(tmp_path / "film", "Ada")
    write(repo, "mars.png", signed)
    commit(repo, "First")
    for where in ("mars.png", "v1:mars.png"):
        found = provenance(repo, where)
        assert (found.facts["signature"], found.said) == (FITS, {})
    said = set_provenance(repo, "mars.png", {"model": "flux-1"})
    assert (said.facts["model"], said.facts["signature"]) == ("flux-1", FITS)
    assert not said.said.keys() & set(FILE_ONLY)
    repo.close()


@pytest.mark.parametrize("name", FILE_ONLY)
def test_nobody_else_says_it(name: str) -> None:
    """A JSON file beside a picture, a command or another machine cannot say that it is signed."""
    with pytest.raises(InvalidFact):
        check_facts({name: "signed by NASA"})


@pytest.mark.parametrize(
    "report",
    [
        None,
        [],
        {"manifests": 3, "active_manifest": []},
        {"manifests": {"a": []}, "active_manifest": "a"},
        {"manifests": {"a": {"claim": 1, "assertion_store": [], "signature": "x"}}, "active_manifest": "a"},
        {
            "active_manifest": "a",
            "manifests": {
                "a": {
                    "claim": {"claim_generator_info": [[], 3], "claim_generator": "x" * 10_000},
                    "assertion_store": {
                        "c2pa.actions": {
                            "actions": [1, {"action": 4}, {"action": "c2pa.created", "softwareAgent": []}]
                        },
                        "c2pa.ingredient": {"dc:title": {}, "data": {"hash": "%%%"}, "relationship": []},
                        "c2pa.ingredient.v3": "<omitted>",
                    },
                    "signature": {"issuer": "\x1b[31mred\n" * 500, "common_name": []},
                }
            },
            "validation_results": {"activeManifest": {"failure": [{}, 1, {"code": None}], "success": {}}},
        },
    ],
)
def test_reports_with_odd_shapes(report: Any) -> None:
    """The process may have been taken over: what it says is checked, too."""
    for verified in (True, False):
        found = manifest_facts(report, verified=verified)
        assert all(isinstance(value, str) and len(value) <= 20_000 for value in found.values())
        assert "does not" in found["signature"] or "not checked" in found["signature"] if found else True


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\1caBX", "image/png"),
        (b"\xff\xd8\xff\xe0\0\4ab\xff\xeb\0\x20JP" + bytes(40), "image/jpeg"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt \2\0\0\0ab" + b"C2PA\1\0\0\0", "audio/wav"),
        (b"RIFF\xff\xff\xff\xffWEBPC2PA\1\0\0\0", "image/webp"),
        (b"\0\0\0\x0cftypqt  \0\0\0\x30uuid" + bytes.fromhex("d8fec3d61b0e483c92975828877ec481"), "video/quicktime"),
        (b"ID3\3\0\0\0\0\1\0GEOB\0\0\0\x30\0\0\0application/c2pa\0" + bytes(200), "audio/mpeg"),
        (b"\xff\xd8\xff\xeb\0\4ab", ""),
        (b"\0\0\0\1ftypmp42\xff\xff\xff\xff\xff\xff\xff\xff", ""),
        (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR", ""),
        (b"", ""),
    ],
)
def test_where_a_manifest_is(data: bytes, kind: str) -> None:
    """It is found by the shape of the file, in a few reads."""
    assert manifest_format(io.BytesIO(data)) == kind


def test_a_plain_picture_has_none() -> None:
    """No process is started for it."""
    pytest.importorskip("PIL")
    assert manifest_format(picture()) == ""
