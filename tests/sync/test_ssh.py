"""Remotes on another machine: the protocol on a pipe, and a real sshd."""

import io
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from aura_vcs.errors.integrity import RecordCorrupt
from aura_vcs.errors.remotes import HelperMissing, RemoteCorrupt, RemoteError, RemoteMismatch, RemoteUnreachable
from aura_vcs.storage.remotes.folder import FolderRemote
from aura_vcs.storage.remotes.ssh import SshRemote, ssh_arguments
from aura_vcs.storage.remotes.ssh_protocol import (
    MAGIC,
    PROTOCOL,
    Hello,
    SshAnswer,
    SshRequest,
    decode,
    read_bytes,
    write_bytes,
    write_frame,
)
from aura_vcs.sync.clone import clone
from aura_vcs.sync.pull import pull, sync
from aura_vcs.sync.push import push
from aura_vcs.sync.remotes.add import AddRequest, add_remote
from aura_vcs.sync.remotes.connect import Surroundings, open_remote
from aura_vcs.sync.remotes.url import parse_address
from aura_vcs.sync.ssh_server import serve
from aura_vcs.sync.state.cache import RemoteCache
from hypothesis import given, settings, strategies as st

from .kinds import served
from .machines import OPENED, files, machine, save, write
from .servers import Ssh
from .test_push_pull import media

PACK = f"packs/{'a' * 64}.pack"


def answers(folder: Path, *asks: SshRequest, tail: bytes = b"") -> list[SshAnswer]:
    """What the serving side says to these requests."""
    requests, said = io.BytesIO(), io.BytesIO()
    requests.write(MAGIC)
    for ask in asks:
        write_frame(requests, ask)
    requests.write(tail)
    requests.seek(0)
    folder.mkdir(exist_ok=True)
    serve(FolderRemote(str(folder)), requests, said)
    said.seek(len(MAGIC))
    assert decode(read_bytes(said), Hello).protocol == PROTOCOL
    found = []
    while True:
        try:
            found.append(decode(read_bytes(said), SshAnswer))
        except EOFError:
            return found


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/passwd",
        "lock",
        "tmp/x",
        "packs/../manifest.json",
        "packs/x",
        "",
        "packs",
        "manifest.json\n",
        "probe/../x",
    ],
)
@pytest.mark.parametrize("verb", ["load", "read_range", "size", "list", "swap", "delete", "exec"])
def test_only_names_of_a_remote_are_served(tmp_path: Path, verb: str, name: str) -> None:
    """Whatever is asked for outside the files of a remote is refused, and nothing changes."""
    (tmp_path / "secret").write_bytes(b"secret")
    if (verb, name) == ("list", "packs"):
        return
    found = answers(tmp_path / "remote", SshRequest(verb, name, length=10))
    assert [answer.error for answer in found] == ["RemoteCorrupt"]
    assert (tmp_path / "secret").read_bytes() == b"secret"


def test_a_pack_that_arrives_damaged_gets_no_name(tmp_path: Path) -> None:
    """The far side hashes what a pack holds before it is there; the connection goes on."""
    tail = io.BytesIO()
    write_bytes(tail, b"not a pack")
    write_bytes(tail, b"")
    write_frame(tail, SshRequest("size", PACK))
    found = answers(tmp_path / "remote", SshRequest("create", PACK), tail=tail.getvalue())
    assert found[0].error == "RemoteCorrupt"
    assert "arrived damaged" in found[0].message
    assert found[1] == SshAnswer()


def test_a_long_frame_is_not_waited_for(tmp_path: Path) -> None:
    """A frame that claims gigabytes ends the conversation."""
    with pytest.raises(RecordCorrupt, match="4,294,967,295"):
        answers(tmp_path / "remote", tail=b"\xff\xff\xff\xff")


@settings(max_examples=60, deadline=None)
@given(noise=st.binary(max_size=200))
def test_noise_on_the_pipe_harms_nothing(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    """Any bytes at all: the serving side answers, or ends with one clear error, and writes nothing."""
    folder = tmp_path_factory.mktemp("remote")
    with suppress(RecordCorrupt):
        answers(folder, tail=noise)
    assert list(folder.iterdir()) == []


def test_a_shell_that_talks_is_named(tmp_path: Path) -> None:
    """A greeting from ~/.bashrc before the protocol is shown with what to do about it."""
    remote = SshRemote([sys.executable, "-c", "print('Welcome to studio!'); input()"], "studio")
    with pytest.raises(RemoteError, match="Welcome ") as caught:
        remote.connect()
    assert "bashrc" in caught.value.hint


def test_a_far_side_without_aura_is_named() -> None:
    """The shell's 127 becomes a sentence that says what to install."""
    with pytest.raises(HelperMissing, match="not installed on the other side"):
        SshRemote(["sh", "-c", "echo aura: not found >&2; exit 127"], "studio").connect()


def test_a_machine_without_ssh_is_named() -> None:
    """No ssh here: said so."""
    with pytest.raises(HelperMissing, match="not installed here"):
        SshRemote(["no-such-ssh-at-all"], "studio").connect()


def test_a_host_that_does_not_answer_is_named() -> None:
    """ssh's own last words are the message."""
    with pytest.raises(RemoteUnreachable, match="Could not resolve"):
        SshRemote(["sh", "-c", "echo 'Could not resolve hostname studio' >&2; exit 255"], "studio").connect()


def test_another_protocol_is_refused() -> None:
    """A far side of another generation is not talked to."""
    said = io.BytesIO(MAGIC)
    said.seek(0, 2)
    write_frame(said, Hello(99, "9"))
    code = f"import sys; o = sys.stdout.buffer; o.write({said.getvalue()!r}); o.flush(); sys.stdin.read()"
    with pytest.raises(RemoteMismatch, match="another protocol"):
        SshRemote([sys.executable, "-c", code], "studio").connect()


def test_hosts_and_paths_never_become_options() -> None:
    """What is started has -- before everything that came from an address, and quotes for the far shell."""
    found = ssh_arguments("studio", "/srv/a b;rm -rf ~", user="anna", port=2222)
    assert found[-3:-1] == ["--", "anna@studio"]
    assert found[-1] == "aura serve --stdio -- '/srv/a b;rm -rf ~'"
    assert found[found.index("-p") + 1] == "2222"


def test_a_connection_that_broke_is_made_anew(tmp_path: Path) -> None:
    """A cut line is one failed request, not a dead remote."""
    remote = served(tmp_path)
    first = remote.swap("manifest.json", b"1", None)
    assert remote._process is not None
    remote._process.kill()
    with pytest.raises(RemoteUnreachable):
        remote.load("manifest.json")
    assert remote.load("manifest.json").token == first
    remote.close()


def test_a_folder_that_is_not_there_is_told_from_far(tmp_path: Path) -> None:
    """The far side's complaint arrives here as a sentence."""
    with pytest.raises(RemoteError, match="no such folder"):
        served(tmp_path / "absent").connect()
    remote = served(tmp_path / "made", "--create")
    remote.connect()
    remote.close()
    assert (tmp_path / "made").is_dir()


def test_a_project_goes_over_a_real_sshd(ssh_host: Ssh, tmp_path: Path) -> None:
    """Add, push, clone, commit, sync and pull over ssh with a key and ~/.ssh/config."""
    address = parse_address(f"ssh://studio{tmp_path}/film.aura")
    anna = machine(tmp_path / "anna", "anna")
    write(anna, "take.wav", media(1_500_000))
    save(anna, "brief.json", '{"topic": "tides"}')
    checked = add_remote(
        anna, "origin", address, request=AddRequest(surroundings=Surroundings(tuple(ssh_host.command)))
    )
    assert checked.probe is not None
    assert checked.probe.is_safe
    remote = open_remote(address, surroundings=Surroundings(tuple(ssh_host.command)))
    push(anna, remote, RemoteCache(anna, "origin"))
    done = clone(remote, parse_address(f"studio:{tmp_path}/film.aura"), str(tmp_path / "bert"), author="bert")
    from aura_vcs.repository.repository import Repository

    bert = Repository.open(done.path, author="bert")
    OPENED.append(bert)
    assert files(bert).keys() - {".stignore"} == files(anna).keys()
    save(bert, "brief.json", '{"topic": "moons"}')
    sync(bert, remote, RemoteCache(bert, "origin"))
    pull(anna, remote, RemoteCache(anna, "origin"))
    assert files(anna)["brief.json"] == b'{"topic": "moons"}'
    remote.close()


def test_damage_that_a_pack_would_bring_is_told_by_the_far_side(tmp_path: Path) -> None:
    """An upload of wrong bytes is refused with the other side's words."""
    remote = served(tmp_path)
    with pytest.raises(RemoteCorrupt, match="arrived damaged"):
        remote.create(PACK, io.BytesIO(b"wrong" * 100_000))
    assert remote.size(PACK) is None
    remote.close()
