"""Who may ask the page for anything: the person who started it, from a browser or program of this machine.

The server listens on the loopback interface, where every program of the machine and every web page that the person
has open can reach it. So each request is held against these rules, in this order:

- **Host**: the address that was asked for is ours. A name of somebody's that was made to point here (DNS rebinding) is
  not.
- **Token**: a cookie that was given in exchange for the token in the first address, or the token itself as
  `Authorization: Bearer`. The cookie is `HttpOnly` and `SameSite=Strict`: pages of other sites do not send it.
- **Changes** are POST. With the cookie, they come from our own origin, and carry the word that our own pages have in
  them. With `read_only` there are none.

Every answer forbids the browser whatever our pages do not need.
"""

import hmac
import secrets
from collections.abc import Mapping

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aura_vcs.ui.refusals import refusal

HOSTS = ("127.0.0.1", "localhost")
SAFE_METHODS = ("GET", "HEAD")
TOKEN_BYTES = 32
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types aura"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""What every answer says that does not say it itself."""


class Access(msgspec.Struct, frozen=True):
    """The words that one run of the server knows its person by; all of them are random and die with it."""

    port: int
    read_only: bool
    token: str
    session: str
    form_token: str
    ticket: str

    @classmethod
    def make(cls, port: int, *, read_only: bool) -> "Access":
        """Make new words."""
        token, session, form, ticket = (secrets.token_urlsafe(TOKEN_BYTES) for _ in range(4))
        return cls(port, read_only, token, session, form, ticket)

    @property
    def cookie(self) -> str:
        """The cookie's name. Browsers keep cookies of one host apart by name, not by port."""
        return f"aura-ui-{self.port}"

    @property
    def address(self) -> str:
        """The first address, for the browser; whoever has it is let in."""
        return f"http://{HOSTS[0]}:{self.port}/?token={self.token}"

    @property
    def opening_address(self) -> str:
        """The address that a browser is started with. It lets in once: what a program was started with can be seen
        by everybody on this machine.
        """
        return f"http://{HOSTS[0]}:{self.port}/?ticket={self.ticket}"


class Guard:
    """Lets through what the rules of the module allow."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        self._hosts = {f"{host}:{access.port}" for host in HOSTS}
        self._is_ticket_used = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        request = Request(scope)
        refused = self._refused(request)
        if refused is None:
            await self._app(scope, receive, sent)
        else:
            await refusal(request, *refused)(scope, receive, sent)

    def _refused(self, request: Request) -> tuple[int, str, str] | None:
        """Return status, what is wrong and what to do, if a request is not allowed."""
        access = self._access
        if request.headers.get("host", "") not in self._hosts:
            return 421, "This address is not the page's", f"Open http://{HOSTS[0]}:{access.port}/ instead."
        by_header = _same(_bearer(request.headers), access.token)
        by_cookie = _same(_cookie(request.headers, access.cookie), access.session)
        arrives = request.url.path == "/" and self._arrives(request)
        if not (by_header or by_cookie or (arrives and request.method in SAFE_METHODS)):
            hint = "Open the address that `aura ui` printed when it was started."
            return 403, "This page belongs to whoever started it", hint
        if request.method in SAFE_METHODS:
            return None
        return self._refused_change(request, by_header=by_header)

    def _arrives(self, request: Request) -> bool:
        """Tell whether the first address was opened, by its token, or by the ticket that is good once."""
        if _same(request.query_params.get("token", ""), self._access.token):
            return True
        is_ticket = _same(request.query_params.get("ticket", ""), self._access.ticket) and not self._is_ticket_used
        self._is_ticket_used = self._is_ticket_used or (is_ticket and request.method == "GET")
        return is_ticket

    def _refused_change(self, request: Request, *, by_header: bool) -> tuple[int, str, str] | None:
        access = self._access
        if request.method != "POST":
            return 405, f"{request.method} does nothing here", "What is to be changed is sent by POST."
        if access.read_only:
            hint = "Start it again without `--read-only` to change something."
            return 403, "This page was started to look at things only", hint
        if by_header:
            return None  # no page of another site can send that header without being asked first, and we never answer
        if request.headers.get("origin") not in {f"http://{host}" for host in self._hosts}:
            return 403, "This did not come from the page", "Do it on the page itself."
        if not _same(request.headers.get("x-aura-token", ""), access.form_token):
            return 403, "This was sent by a page of an earlier run", "Load the page again, and do it once more."
        return None


def set_cookie(access: Access) -> str:
    """Return the header that lets the browser in from now on, until it is closed or the server ends."""
    return f"{access.cookie}={access.session}; Path=/; HttpOnly; SameSite=Strict"


def _bearer(headers: Mapping[str, str]) -> str:
    kind, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else ""


def _cookie(headers: Mapping[str, str], name: str) -> str:
    """Return a cookie, or ""; other servers of this machine write into the same header what they like."""
    for pair in headers.get("cookie", "").split(";"):
        key, _, value = pair.partition("=")
        if key.strip() == name:
            return value.strip()
    return ""


def _same(given: str, known: str) -> bool:
    """Compare in a time that tells nothing of how much was right."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())
