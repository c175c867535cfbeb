"""Content of Git LFS from the server that a repository names, once the person has agreed to its host.

The batch API with the transfer `basic`, as github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md has it, only to
download. What comes is not believed: whoever reads it checks its size and SHA-256.
"""

import base64
import http.client
import re
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from email.message import Message
from urllib.parse import urlsplit

import msgspec

from aura_vcs.codec import decode_json
from aura_vcs.errors.remotes import RemoteCorrupt, RemoteDenied, RemoteError, RemoteUnreachable
from aura_vcs.interchange.git_objects import LfsPointer
from aura_vcs.storage.remotes.web_hosts import is_loopback, web_host

WAIT_SECONDS = 60
ANSWER_LIMIT = 16 << 20
BATCH_OBJECTS = 100
BATCH_BYTES = 1 << 30
"""After so much, addresses are asked for anew: a server lets them expire."""
_OF_A_REPOSITORY = frozenset({"GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_CONFIG"})
_TYPE = "application/vnd.git-lfs+json"
_ADDRESS = re.compile(
    r"https?://(?:[^/@\s]*@)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[!-~]*)?", re.ASCII
)
_OVER_SSH = (
    re.compile(r"ssh://(?:[^/@\s]+@)?(?P<host>[A-Za-z0-9._-]+)(?::\d+)?/(?P<path>[!-~]+)", re.ASCII),
    re.compile(r"(?:[^/@:\s]+@)?(?P<host>[A-Za-z0-9._-]{2,}):(?P<path>[!-~]+)", re.ASCII),
)
_BROKEN = (OSError, http.client.HTTPException, ValueError)

AgreeTo = Callable[[str], None]
"""Called with a host such as `https://github.com` before anything is sent there; raises RemoteUntrusted."""


class _Action(msgspec.Struct, frozen=True):
    href: str
    header: dict[str, str] = {}


class _Object(msgspec.Struct, frozen=True):
    oid: str
    actions: dict[str, _Action] = {}


class _Answer(msgspec.Struct, frozen=True):
    objects: list[_Object]


def endpoint_of(address: str) -> str | None:
    """Return the address of Git LFS that belongs to one that git fetches from; None for folders and the like."""
    over_ssh = _OVER_SSH["://" not in address].fullmatch(address)
    if over_ssh is not None:
        address = f"https://{over_ssh['host']}/{over_ssh['path'].lstrip('/')}"
    found = checked_endpoint(address)
    return None if found is None else f"{found.removesuffix('.git')}.git/info/lfs"


def checked_endpoint(address: str) -> str | None:
    """Return an address of Git LFS without names and passwords in it; None if it is not one of the web."""
    if _ADDRESS.fullmatch(address) is None:
        return None
    try:
        parts = urlsplit(address)
        return f"{web_host(address)}{parts.path}".rstrip("/")
    except ValueError:
        return None


class LfsServer:
    """Downloads from one server. `endpoint` is from `checked_endpoint`; `environment` is what git gets, which is asked
    for a name and password where the server wants one, and never where others could read them on the way."""

    def __init__(self, endpoint: str, agree: AgreeTo, environment: Mapping[str, str]) -> None:
        self.endpoint = endpoint
        self.host = web_host(endpoint)
        self._agree = agree
        self._environment = environment
        self._agreed = False
        self._login: str | None = None
        self._opener = urllib.request.build_opener(_Careful)

    def fetch(self, pointers: Sequence[LfsPointer]) -> Iterator[tuple[LfsPointer, "WebContent | None"]]:
        """Yield what comes for each pointer, to be read before the next; None where the server does not have it.

        Raises:
            RemoteUntrusted, RemoteDenied, RemoteUnreachable, RemoteError, RemoteCorrupt: what came before is right.
        """
        if not self._agreed:
            self._agree(self.host)
            self._agreed = True
        for group in _groups(pointers):
            actions = self._ask(group)
            for pointer in group:
                action = actions.get(pointer.oid)
                if action is None:
                    yield pointer, None
                    continue
                with self._get(action) as answer:
                    yield pointer, WebContent(answer, self.endpoint)

    def _ask(self, pointers: Sequence[LfsPointer]) -> dict[str, _Action]:
        """Ask where some content is."""
        objects = [{"oid": pointer.oid, "size": pointer.size} for pointer in pointers]
        question = {"operation": "download", "transfers": ["basic"], "hash_algo": "sha256", "objects": objects}
        data = msgspec.json.encode(question)
        try:
            answer = self._post(data)
            found = decode_json(answer, _Answer)
        except msgspec.MsgspecError as error:
            raise RemoteCorrupt(self.endpoint, f"its answer is not one of Git LFS: {error}"[:300]) from error
        return {one.oid: one.actions["download"] for one in found.objects if "download" in one.actions}

    def _post(self, data: bytes) -> bytes:
        headers = {"Accept": _TYPE, "Content-Type": _TYPE}
        for _ in range(2):
            request = urllib.request.Request(f"{self.endpoint}/objects/batch", data, headers)  # noqa: S310 (checked)
            if self._login is not None:
                request.add_unredirected_header("Authorization", self._login)
            try:
                with self._opener.open(request, timeout=WAIT_SECONDS) as answer:
                    found: bytes = answer.read(ANSWER_LIMIT + 1)
                if len(found) > ANSWER_LIMIT:
                    raise RemoteCorrupt(self.endpoint, f"its answer has more than {ANSWER_LIMIT:,} bytes")
                return found
            except urllib.error.HTTPError as error:
                error.close()
                if error.code != 401 or self._login is not None:
                    raise self._failed(error) from error
                self._login = self._ask_git()
            except _BROKEN as error:
                raise self._failed(error) from error
        raise RemoteDenied(self.endpoint, "the server does not take the name and password")

    def _get(self, action: _Action) -> http.client.HTTPResponse:
        """Open an address that the server gave, with the headers that it wants there: it, not we, vouches for them."""
        if checked_endpoint(action.href) is None or (
            not action.href.startswith("https://") and self.host.startswith("https://")
        ):
            raise RemoteCorrupt(self.endpoint, "it names an address that is not one of https")
        request = urllib.request.Request(action.href)  # noqa: S310 (checked)
        for name, text in action.header.items():
            request.add_unredirected_header(name, text)
        if self._login is not None and web_host(action.href) == self.host and not request.has_header("Authorization"):
            request.add_unredirected_header("Authorization", self._login)
        try:
            answer: http.client.HTTPResponse = self._opener.open(request, timeout=WAIT_SECONDS)
        except urllib.error.HTTPError as error:
            error.close()
            raise self._failed(error) from error
        except _BROKEN as error:
            raise self._failed(error) from error
        return answer

    def _failed(self, error: Exception) -> RemoteError:
        if not isinstance(error, urllib.error.HTTPError):
            return RemoteUnreachable(self.endpoint, "the connection failed, or broke off")
        reason = f"the server of Git LFS answers {error.code}"
        if error.code in {401, 403, 407}:
            return RemoteDenied(self.endpoint, reason)
        is_lost = error.code >= 500 or error.code in {408, 425, 429}
        return RemoteUnreachable(self.endpoint, reason) if is_lost else RemoteError(self.endpoint, reason)

    def _ask_git(self) -> str:
        """Ask the person's own git for a name and password, in a folder where no repository's configuration counts.

        Raises:
            RemoteDenied: it has none, or everybody on the way could read them.
        """
        parts = urlsplit(self.endpoint)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise RemoteDenied(self.endpoint, "the server wants a password, which is not sent over plain http")
        words = f"protocol={parts.scheme}\nhost={parts.netloc}\npath={parts.path.lstrip('/')}\n\n"
        try:
            with tempfile.TemporaryDirectory(prefix="aura-git-") as folder:
                given = {name: text for name, text in self._environment.items() if name not in _OF_A_REPOSITORY}
                environment = {**given, "GIT_TERMINAL_PROMPT": "0", "GIT_CEILING_DIRECTORIES": folder}
                done = subprocess.run(
                    ["git", "-c", "core.askPass=", "credential", "fill"], input=words.encode(), cwd=folder,
                    env=environment, capture_output=True, check=False, timeout=WAIT_SECONDS,
                )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            found: dict[str, str] = {}
        else:
            lines = done.stdout.decode("utf-8", "replace").splitlines() if not done.returncode else []
            found = dict(line.split("=", 1) for line in lines if "=" in line)
        if not found.get("username") or not found.get("password"):
            hint = "`git lfs fetch --all` in a clone asks for them and stores them; then import again."
            raise RemoteDenied(self.endpoint, "git has no name and password for this server", hint=hint)
        pair = base64.b64encode(f"{found['username']}:{found['password']}".encode()).decode("ascii")
        return f"Basic {pair}"


class WebContent:
    """The body of an answer; see `io.RawIOBase.read`."""

    def __init__(self, answer: http.client.HTTPResponse, place: str) -> None:
        self._answer, self._place = answer, place

    def read(self, count: int) -> bytes:
        """Return at most so many bytes; none at the end.

        Raises:
            RemoteUnreachable: the connection broke.
        """
        try:
            data = self._answer.read(count)
        except _BROKEN as error:
            raise RemoteUnreachable(self._place, "the connection broke off") from error
        if len(data) < count and self._answer.length:  # more was announced
            raise RemoteUnreachable(self._place, "the connection broke off")
        return data


class _Careful(urllib.request.HTTPRedirectHandler):
    """Questions are not redirected; downloads never from https to http, nor with the first one's headers."""

    def redirect_request(
        self, req: urllib.request.Request, fp: object, code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request of a redirect; None refuses it."""
        is_down = req.full_url.startswith("https://") and not newurl.startswith("https://")
        if req.data is not None or is_down or checked_endpoint(newurl) is None:
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _groups(pointers: Sequence[LfsPointer]) -> Iterator[list[LfsPointer]]:
    group: list[LfsPointer] = []
    for pointer in pointers:
        group.append(pointer)
        if len(group) == BATCH_OBJECTS or sum(one.size for one in group) >= BATCH_BYTES:
            yield group
            group = []
    if group:
        yield group
