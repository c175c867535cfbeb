"""Encrypted remotes: nothing can be read there, and nothing changed without being found out."""

import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from aura_vcs.errors import InputError
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteLocked, RemoteMismatch, RemoteRewound
from aura_vcs.ids import blob_id
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.encryption import master_key as encryption
from aura_vcs.storage.encryption.cipher import (
    HEAD_BYTES,
    SEALED_SEGMENT_BYTES,
    SEGMENT_BYTES,
    Keys,
    SealedStream,
    Unsealable,
    plain_size,
    sealed_size,
)
from aura_vcs.storage.encryption.master_key import (
    ENCRYPTION,
    Secret,
    decode_encryption,
    encode_encryption,
    key_file_secret,
    new_encryption,
    new_key_file,
    open_encryption,
    passphrase_secret,
)
from aura_vcs.storage.encryption.remote import MANIFEST_RESERVE, EncryptedRemote
from aura_vcs.storage.testing.faulty_remote import RecordingRemote
from aura_vcs.storage.testing.memory_remote import MemoryRemote
from aura_vcs.sync.maintenance.fsck import fsck_remote
from aura_vcs.sync.pull import sync
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.add import AddRequest, add_remote, check_remote
from aura_vcs.sync.remotes.config import remotes
from aura_vcs.sync.remotes.connect import open_remote
from aura_vcs.sync.remotes.encryption import SecretRequest, encrypt_remote, open_if_encrypted, unlock
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.state.cache import NullCache
from aura_vcs.sync.state.snapshot import load_snapshot
from hypothesis import given, strategies as st

from .kinds import KEYS, folder
from .machines import clone, content, files, folder_remote, known, machine, save, write

NAME = "packs/" + "a" * 64 + ".pack"
OTHER = "packs/" + "b" * 64 + ".pack"
SIZES = [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES, 3 * SEGMENT_BYTES + 77]


@pytest.fixture(autouse=True)
def _quick_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing may be cheap in tests."""
    monkeypatch.setattr(encryption, "SCRYPT_N", 1 << 10)


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that do not repeat."""
    return random.Random(seed).randbytes(size)


def stored(inner: MemoryRemote, keys: Keys, name: str) -> bytes:
    """What the keeper of the place has under a name."""
    return inner.load(f"{MANIFEST_RESERVE}/{keys.seal_name(name)}").data


def replaced(inner: MemoryRemote, keys: Keys, name: str, data: bytes) -> None:
    """The keeper of the place puts other bytes there."""
    inner.delete(f"{MANIFEST_RESERVE}/{keys.seal_name(name)}")
    inner.create(f"{MANIFEST_RESERVE}/{keys.seal_name(name)}", io.BytesIO(data))


def filled(data: bytes) -> tuple[MemoryRemote, EncryptedRemote]:
    """A place with one sealed file."""
    inner = MemoryRemote()
    EncryptedRemote(inner, KEYS).create(NAME, io.BytesIO(data))
    return inner, EncryptedRemote(inner, KEYS)


# Sealing


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_comes_back_in_every_range(size: int) -> None:
    """Whole, around every border of segments, over the end and behind it."""
    data = noise(size)
    _, remote = filled(data)
    assert remote.load(NAME).data == data
    assert remote.size(NAME) == size
    places = {0, 1, size // 2, size - 1, size, size + 1, size + SEGMENT_BYTES}
    places |= {n * SEGMENT_BYTES + by for n in range(4) for by in (-1, 0, 1)}
    for offset in sorted(place for place in places if place >= 0):
        for length in (1, 100, SEGMENT_BYTES, SEGMENT_BYTES + 1, size + 5):
            assert remote.read_range(NAME, offset, length) == data[offset : offset + length], (offset, length)


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_a_stream_can_be_read_in_any_pieces(data: bytes, cuts: list[int]) -> None:
    """Requests are repeated and read in pieces: the sealed bytes are the same however they are read."""
    file = KEYS.new_file(NAME)
    whole = SealedStream(io.BytesIO(data), file).read()
    assert len(whole) == sealed_size(len(data))
    assert plain_size(len(whole)) == len(data)
    stream = SealedStream(io.BytesIO(data), file)
    assert stream.seek(0, io.SEEK_END) == len(whole)
    for cut in cuts:
        stream.seek(cut)
        assert stream.read(17) == whole[cut : cut + 17]
    stream.seek(0)
    assert io.BufferedReader(stream, 16).read() == whole


def test_nothing_is_sealed_twice_alike() -> None:
    """The same bytes under the same name are other bytes each time: no nonce is used twice."""
    first, second = (filled(b"the same")[0] for _ in range(2))
    assert stored(first, KEYS, NAME) != stored(second, KEYS, NAME)


@given(where=st.integers(0, HEAD_BYTES + 2 * SEALED_SEGMENT_BYTES + 33), bit=st.integers(0, 7))
def test_every_flipped_bit_is_found(where: int, bit: int) -> None:
    """A bit that is flipped anywhere in a file is found when its segment is read, whole or by range."""
    data = noise(2 * SEGMENT_BYTES + 18)
    inner, remote = filled(data)
    sealed = bytearray(stored(inner, KEYS, NAME))
    sealed[where] ^= 1 << bit
    replaced(inner, KEYS, NAME, bytes(sealed))
    with pytest.raises(RemoteCorrupt):
        remote.load(NAME)
    number = max(0, where - HEAD_BYTES) // SEALED_SEGMENT_BYTES
    with pytest.raises(RemoteCorrupt):
        remote.read_range(NAME, number * SEGMENT_BYTES, 10)


@pytest.mark.parametrize("length", [0, 7, HEAD_BYTES, HEAD_BYTES + 1, HEAD_BYTES + SEALED_SEGMENT_BYTES])
@pytest.mark.parametrize("size", [3 * SEGMENT_BYTES, 3 * SEGMENT_BYTES + 5])
def test_every_truncation_is_found(length: int, size: int) -> None:
    """A file that was cut, also between two segments, never looks like a shorter one."""
    inner, remote = filled(noise(size))
    replaced(inner, KEYS, NAME, stored(inner, KEYS, NAME)[:length])
    with pytest.raises(RemoteCorrupt):
        remote.load(NAME)
    for offset in (0, SEGMENT_BYTES - 5, SEGMENT_BYTES, 2 * SEGMENT_BYTES, size, size + SEGMENT_BYTES):
        with pytest.raises(RemoteCorrupt):
            remote.read_range(NAME, offset, SEGMENT_BYTES)


@given(extra=st.binary(min_size=1, max_size=40))
def test_what_was_added_is_found(extra: bytes) -> None:
    """Bytes behind the end are nobody's."""
    inner, remote = filled(noise(SEGMENT_BYTES))
    replaced(inner, KEYS, NAME, stored(inner, KEYS, NAME) + extra)
    with pytest.raises(RemoteCorrupt):
        remote.load(NAME)
    with pytest.raises(RemoteCorrupt):
        remote.read_range(NAME, 0, SEGMENT_BYTES)


def segments(sealed: bytes) -> list[bytes]:
    """Head and segments of a sealed file."""
    return [sealed[:HEAD_BYTES]] + [
        sealed[at : at + SEALED_SEGMENT_BYTES] for at in range(HEAD_BYTES, len(sealed), SEALED_SEGMENT_BYTES)
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda own, other: [own[0], own[2], own[1], *own[3:]],
        lambda own, other: [own[0], own[1], own[1], *own[3:]],
        lambda own, other: [own[0], own[1], *own[3:]],
        lambda own, other: [own[0], other[1], *own[2:]],
        lambda own, other: [other[0], *own[1:]],
        lambda own, other: [own[0], own[1], own[2], own[3], own[3]],
    ],
    ids=["swapped", "repeated", "left out", "of another file", "another head", "its end twice"],
)
def test_moved_segments_are_found(change: Callable[[list[bytes], list[bytes]], list[bytes]]) -> None:
    """A segment opens only in its own place of its own file."""
    inner, remote = filled(noise(3 * SEGMENT_BYTES))
    other = filled(noise(3 * SEGMENT_BYTES, 2))[0]
    mixed = change(segments(stored(inner, KEYS, NAME)), segments(stored(other, KEYS, NAME)))
    replaced(inner, KEYS, NAME, b"".join(mixed))
    with pytest.raises(RemoteCorrupt):
        remote.load(NAME)


def test_swapped_files_are_found() -> None:
    """A file opens under no other name, and under no other key."""
    inner, remote = filled(b"one")
    remote.create(OTHER, io.BytesIO(b"two"))
    one, two = stored(inner, KEYS, NAME), stored(inner, KEYS, OTHER)
    replaced(inner, KEYS, NAME, two)
    replaced(inner, KEYS, OTHER, one)
    for name in (NAME, OTHER):
        with pytest.raises(RemoteCorrupt, match="swapped"):
            EncryptedRemote(inner, KEYS).load(name)
        with pytest.raises(RemoteCorrupt):
            remote.read_range(name, 0, 3)
    stranger = Keys(bytes(32))
    replaced(inner, stranger, NAME, two)
    with pytest.raises(RemoteCorrupt):
        EncryptedRemote(inner, stranger).load(NAME)


def test_a_file_that_was_made_anew_is_read_anew() -> None:
    """What is remembered of a file does not stand against its successor of the same name."""
    inner, remote = filled(b"first")
    assert remote.read_range(NAME, 0, 5) == b"first"
    other = EncryptedRemote(inner, KEYS)
    other.delete(NAME)
    other.create(NAME, io.BytesIO(b"again"))
    assert remote.read_range(NAME, 0, 5) == b"again"


def test_names_say_nothing_and_come_back() -> None:
    """Sealed names have one length and one alphabet; what was not sealed with the key is not listed."""
    inner, remote = filled(b"1")
    for name in ("manifest.json", "records/" + "c" * 64):
        remote.create(name, io.BytesIO(b"22"))
    inner.create(f"{MANIFEST_RESERVE}/stranger", io.BytesIO(b"3"))
    inner.create(f"{MANIFEST_RESERVE}/{Keys(bytes(32)).seal_name(OTHER)}", io.BytesIO(b"3"))
    listed = [entry.name.removeprefix(f"{MANIFEST_RESERVE}/") for entry in inner.list(MANIFEST_RESERVE)]
    assert {len(name) for name in listed if name != "stranger"} == {180}
    assert not any("manifest" in name or "a" * 20 in name for name in listed)
    assert [(e.name, e.size) for e in remote.list("packs")] == [(NAME, 1)]
    with pytest.raises(Unsealable):
        KEYS.open_name("not a name")


# The lock of a place


def test_the_secret_opens_and_another_does_not() -> None:
    """Passphrase and key file; in another Unicode form; wrong ones and the wrong kind are told apart."""
    made, keys = new_encryption(passphrase_secret("caf\u00e9 au lait"))
    found = decode_encryption(encode_encryption(made), "there")
    assert open_encryption(found, passphrase_secret("cafe\u0301 au lait"), "there").seal_name(NAME) == keys.seal_name(
        NAME
    )
    with pytest.raises(RemoteLocked, match="this is not its passphrase"):
        open_encryption(found, passphrase_secret("cafe au lait"), "there")
    key = key_file_secret(new_key_file(), "my.key")
    with pytest.raises(RemoteLocked, match="opens with a passphrase, not with a key file"):
        open_encryption(found, key, "there")
    made, keys = new_encryption(key)
    assert open_encryption(made, key, "there").seal_name(NAME) == keys.seal_name(NAME)
    with pytest.raises(RemoteLocked, match="this is not its key file"):
        open_encryption(made, key_file_secret(new_key_file(), "my.key"), "there")
    with pytest.raises(InputError, match="at least 8"):
        new_encryption(passphrase_secret("short"))
    with pytest.raises(RemoteLocked, match="not a key file"):
        key_file_secret(b"a picture of a cat", "cat.jpg")


@pytest.mark.parametrize("field", ["salt", "n", "r", "p", "key", "commitment", "wrapped"])
def test_a_changed_lock_opens_nothing(field: str) -> None:
    """Every field of encryption.json is bound to the key: a changed one is found."""
    secret = passphrase_secret("a good passphrase")
    made, _ = new_encryption(secret)
    value = getattr(made, field)
    changed = value * 2 if isinstance(value, int) else ("0" if value[0] != "0" else "1") + value[1:]
    with pytest.raises((RemoteLocked, RemoteCorrupt)):
        open_encryption(msgspec.structs.replace(made, **{field: changed}), secret, "there")


@pytest.mark.parametrize(
    "change",
    [
        {"n": 1 << 40},
        {"n": 1000},
        {"r": 1 << 20},
        {"p": 100},
        {"n": 0},
        {"salt": "00"},
        {"wrapped": "zz" * 60},
        {"opens_with": "face"},
        {"format": "1"},
    ],
)
def test_a_hostile_lock_costs_nothing(change: dict[str, object]) -> None:
    """Parameters that would fill the memory or run for days are refused before they are used."""
    made, _ = new_encryption(passphrase_secret("a good passphrase"))
    data = json.dumps({**msgspec.to_builtins(made), **change}).encode()
    with pytest.raises(RemoteCorrupt):
        decode_encryption(data, "there")


@pytest.mark.parametrize("change", [{"format": 2}, {"cipher": "rot13"}])
def test_a_newer_lock_is_refused(change: dict[str, object]) -> None:
    """What a newer aura_vcs wrote says so."""
    made, _ = new_encryption(passphrase_secret("a good passphrase"))
    with pytest.raises(RemoteMismatch, match="does not know"):
        decode_encryption(json.dumps({**msgspec.to_builtins(made), **change}).encode(), "there")


# Projects


class Person:
    """Answers with one secret, and counts how often it was asked."""

    def __init__(self, secret: Secret) -> None:
        self.secret = secret
        self.asked: list[SecretRequest] = []

    def __call__(self, question: SecretRequest) -> Secret:
        self.asked.append(question)
        return self.secret


GOOD = passphrase_secret("a good passphrase")
WRONG = passphrase_secret("a wrong passphrase")


def test_a_project_travels_encrypted(tmp_path: Path) -> None:
    """Add, push, clone, diverge, sync and check: all as with any remote, and nothing readable lies there."""
    place = tmp_path / "remote"
    address = parse_address(str(place))
    anna = machine(tmp_path / "anna", "anna")
    write(anna, "take.wav", noise(3_000_000))
    save(anna, "brief.json", '{"topic": "a very telling topic"}', "A telling name")
    person = Person(GOOD)
    checked = add_remote(anna, "origin", address, request=AddRequest(ask=person))
    assert checked.encryption == remotes(anna)["origin"].encryption != ""
    remote = unlock(open_remote(address), person, key=checked.encryption)
    push(anna, remote, known(anna))
    bert = clone(tmp_path / "bert", "bert", unlock(open_remote(address), person))
    assert files(bert) == files(anna)
    ours, theirs = save(anna, "brief.json", '{"topic": 1}'), save(bert, "brief.json", '{"topic": 2}')
    for repo in (anna, bert, anna):
        sync(repo, remote, known(repo))
    for repo in (anna, bert):
        assert content(repo, ours)["brief.json"] == b'{"topic": 1}'
        assert content(repo, theirs)["brief.json"] == b'{"topic": 2}'
    assert fsck_remote(load_snapshot(remote, NullCache(), anna.format.project)).problems == ()
    assert check_remote(anna, "origin", ask=person).encryption == checked.encryption
    lying = [path for path in place.rglob("*") if path.is_file() and path.name != "lock"]
    assert {path.parent.name for path in lying} == {"remote", MANIFEST_RESERVE}
    blob = blob_id(b'{"topic": 1}')
    for path in lying:
        data = path.read_bytes()
        for telling in (b"telling", b"topic", b"anna", b"brief", blob.encode(), bytes.fromhex(blob), b"branches"):
            assert telling not in data
            assert telling.decode("latin-1") not in path.name


def test_a_wrong_passphrase_writes_nothing(tmp_path: Path) -> None:
    """It is found out before anything is written, there or in the settings; so is asking nobody."""
    place = tmp_path / "remote"
    address = parse_address(str(place))
    anna, bert = machine(tmp_path / "anna", "anna"), machine(tmp_path / "bert", "bert")
    add_remote(anna, "origin", address, request=AddRequest(ask=Person(GOOD)))
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    for ask, words in ((Person(WRONG), "this is not its passphrase"), (None, "encrypted")):
        with pytest.raises(RemoteLocked, match=words):
            add_remote(bert, "origin", address, request=AddRequest(ask=ask))
        with pytest.raises(RemoteLocked, match=words):
            check_remote(anna, "origin", ask=ask)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
    assert remotes(bert) == {}


def test_a_place_that_is_open_is_not_taken_for_an_encrypted_one(tmp_path: Path) -> None:
    """What should be encrypted and is not, or is under another key, is refused, and nobody is asked."""
    anna = machine(tmp_path / "anna", "anna")
    person = Person(GOOD)
    plain = folder_remote(tmp_path / "plain", anna)
    with pytest.raises(RemoteMismatch, match="not encrypted is there already"):
        encrypt_remote(plain, person)
    with pytest.raises(RemoteMismatch, match="should be encrypted"):
        unlock(plain, person, key="0" * 16)
    with pytest.raises(RemoteMismatch, match="should be encrypted"):
        open_if_encrypted(plain, person, must=True)
    assert open_if_encrypted(plain, person) == (plain, "")
    sealed = folder_remote(tmp_path / "sealed")
    encrypt_remote(sealed, person)
    person.asked.clear()
    with pytest.raises(RemoteMismatch, match="another key"):
        unlock(sealed, person, key="0" * 16)
    assert person.asked == []


def test_two_machines_that_encrypt_a_place_at_once_have_one_key() -> None:
    """The slower one takes the key of the faster one."""

    class Slow(MemoryRemote):
        """Somebody else is faster, just before the file is made."""

        def create(self, name: str, source: io.BytesIO, *, progress: Progress = SILENT) -> int:  # type: ignore[override]
            """The other one first."""
            if name == ENCRYPTION and self.size(name) is None:
                super().create(name, io.BytesIO(encode_encryption(other)))
            return super().create(name, source)

    other, keys = new_encryption(GOOD)
    remote, key = encrypt_remote(Slow(), Person(GOOD))
    assert key == other.key
    remote.create(NAME, io.BytesIO(b"1"))
    assert EncryptedRemote(remote.inner, keys).load(NAME).data == b"1"


def test_a_place_that_went_back_in_time_is_reported(tmp_path: Path) -> None:
    """An older manifest was sealed properly, and is found out all the same by who has seen a newer one."""
    anna = machine(tmp_path / "anna", "anna")
    address = parse_address(str(tmp_path / "remote"))
    key = add_remote(anna, "origin", address, request=AddRequest(ask=Person(GOOD))).encryption
    remote = unlock(open_remote(address), Person(GOOD), key=key)
    save(anna, "brief.json", "1")
    push(anna, remote, known(anna))
    (sealed,) = [
        entry.name
        for entry in remote.inner.list(MANIFEST_RESERVE)
        if remote._keys.open_name(entry.name.removeprefix(f"{MANIFEST_RESERVE}/")) == "manifest.json"
    ]
    path = tmp_path / "remote" / sealed
    old = path.read_bytes()
    save(anna, "brief.json", "2")
    push(anna, remote, known(anna))
    path.write_bytes(old)
    with pytest.raises(RemoteRewound):
        push(anna, remote, known(anna))


def test_encryption_costs_few_requests(tmp_path: Path) -> None:
    """A small push takes 6 requests with the opening, a sync with nothing to do 3; small packs come in one."""
    anna = machine(tmp_path / "anna", "anna")
    save(anna, "brief.json", "1")
    address = parse_address(str(tmp_path / "remote"))
    key = add_remote(anna, "origin", address, request=AddRequest(ask=Person(GOOD))).encryption
    counting = RecordingRemote(folder(tmp_path))
    push(anna, unlock(counting, Person(GOOD), key=key), known(anna))
    save(anna, "brief.json", "2")
    counting.requests.clear()
    push(anna, unlock(counting, Person(GOOD), key=key), known(anna))
    assert counting.count() <= 6
    counting.requests.clear()
    sync(anna, unlock(counting, Person(GOOD), key=key), known(anna))
    counting.requests.clear()
    sync(anna, unlock(counting, Person(GOOD), key=key), known(anna))
    assert counting.count() <= 3
