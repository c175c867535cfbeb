"""A remote's folder, published by any web server, to read from."""

import http.client
import urllib.error
import urllib.request
from email.message import Message
from typing import BinaryIO, NoReturn
from urllib.parse import quote

from aura_vcs.errors.remotes import RemoteCorrupt, RemoteDenied, RemoteError, RemoteUnreachable
from aura_vcs.storage.base import check_storage_name
from aura_vcs.storage.remotes.base import SMALL_BYTES, RemoteFile, check_range
from aura_vcs.storage.remotes.read_only import ReadOnlyRemote

WAIT_SECONDS = 60
_DENIED = {401, 403, 407}
_LOST = {408, 425, 429}
_BROKEN = (OSError, http.client.HTTPException, ValueError)
"""What Python raises for a line that breaks, an answer that is none of HTTP's, or that was cut off."""


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Redirects stay on http and https, and never go from https back to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: object, code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        """Return the request of a redirect that stays with https, or goes from http to http; None refuses others."""
        if not newurl.startswith("https://") and not (
            req.full_url.startswith("http://") and newurl.startswith("http://")
        ):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


class HttpRemote(ReadOnlyRemote):
    """The files below `url`."""

    def __init__(self, url: str) -> None:
        self.location = url
        self._opener = urllib.request.build_opener(_SameScheme)

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable. The token is the server's ETag, for nothing: there is no swap."""
        data, headers = self._get(name, None, SMALL_BYTES + 1)
        if len(data) > SMALL_BYTES:
            raise RemoteCorrupt(self.location, f"{name} has more than {SMALL_BYTES:,} bytes, which no such file has")
        return RemoteFile(data, headers.get("ETag", ""))

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        check_range(offset, length)
        if length == 0:
            if self.size(name) is None:
                raise FileNotFoundError(name)
            return b""
        return self._get(name, (offset, length), length)[0]

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        request = urllib.request.Request(self._url(name), method="HEAD")  # noqa: S310 (http and https only)
        try:
            with self._opener.open(request, timeout=WAIT_SECONDS) as answer:
                return int(answer.headers.get("Content-Length", "-1"))
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            self._fail(error)
        except _BROKEN as error:
            self._fail(error)

    def close(self) -> None:
        """Close nothing: connections end with their answers."""

    def _url(self, name: str) -> str:
        return f"{self.location}/{quote(check_storage_name(name))}"

    def _get(self, name: str, part: tuple[int, int] | None, limit: int) -> tuple[bytes, Message]:
        headers = {} if part is None else {"Range": f"bytes={part[0]}-{part[0] + part[1] - 1}"}
        request = urllib.request.Request(self._url(name), headers=headers)  # noqa: S310 (http and https only)
        try:
            with self._opener.open(request, timeout=WAIT_SECONDS) as answer:
                if part is not None and answer.status != 206:
                    _skip(answer, part[0])  # the server gives all of it
                data = _read(answer, limit)
                _check_complete(answer, data, limit, part)
                return data, answer.headers
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                raise FileNotFoundError(name) from error
            if error.code == 416:
                return b"", error.headers
            self._fail(error)
        except _BROKEN as error:
            self._fail(error)

    def _fail(self, error: Exception) -> NoReturn:
        code = error.code if isinstance(error, urllib.error.HTTPError) else 0
        if code in _DENIED:
            raise RemoteDenied(self.location, f"the server answers {code}") from error
        if code and code < 500 and code not in _LOST:
            raise RemoteError(self.location, f"the server answers {code}") from error
        raise RemoteUnreachable(self.location, _reason(error)) from error


def _reason(error: Exception) -> str:
    """Say what went wrong with the connection, as one line without what the other side made up."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code}"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer was cut off"
    if isinstance(error, http.client.HTTPException):
        return "the answer is not one of a web server"
    reason = getattr(error, "reason", None) or error
    text = getattr(reason, "strerror", None) or f"{reason}"
    return "".join(c if c.isprintable() else " " for c in f"{text}")[:300]


def _check_complete(answer: http.client.HTTPResponse, data: bytes, limit: int, part: tuple[int, int] | None) -> None:
    """Refuse an answer of which less came than was announced.

    Raises:
        IncompleteRead.
    """
    told = answer.headers.get("Content-Length", "")
    start = part[0] if part is not None and answer.status != 206 else 0
    if told.isdecimal() and len(data) < min(limit, int(told[:18]) - start):
        raise http.client.IncompleteRead(data)


def _read(stream: BinaryIO, limit: int) -> bytes:
    pieces, left = [], limit
    while left and (data := stream.read(min(left, 1 << 20))):
        pieces.append(data)
        left -= len(data)
    return b"".join(pieces)


def _skip(stream: BinaryIO, count: int) -> None:
    while count and (data := stream.read(min(count, 1 << 20))):
        count -= len(data)
