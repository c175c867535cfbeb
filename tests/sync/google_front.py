"""Google's bucket for tests: fake-gcs-server, behind what puts objects as Google's XML interface does.

fake-gcs-server answers reading, ranges, listing and deleting as that interface does, but heeds
conditions only where an object comes through the JSON interface. So a `PUT` with
`x-goog-if-generation-match` is handed on as that, and the generation comes back in the headers, as
Google documents. Whether a condition holds is decided by the server alone. An object that comes in
parts is put together here.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit

_BORDER = "border-between-the-parts"
_PASSED_ON = ("Range", "Content-Type")
_ANSWERED = ("ETag", "Last-Modified", "Content-Range", "X-Goog-Generation", "Content-Type", "Accept-Ranges")


class _Handler(BaseHTTPRequestHandler):
    """Hands requests on."""

    protocol_version = "HTTP/1.1"
    server_port: ClassVar[int]
    uploads: ClassVar[dict[str, dict[int, bytes]]]

    def _ask(self, verb: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        line = HTTPConnection("127.0.0.1", self.server_port, timeout=60)
        try:
            line.request(verb, path, body, headers)
            answer = line.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            line.close()

    def _answer(self, code: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", headers.get("Content-Length", str(len(data))))
        self.end_headers()
        self.wfile.write(data)

    def _pass_on(self) -> None:
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        code, told, data = self._ask(self.command, self.path, b"", headers)
        kept = {name: value for name, value in told.items() if name.title() in {n.title() for n in _ANSWERED}}
        if self.command != "HEAD":
            self._answer(code, kept, data)
            return
        self.send_response(code)
        for name, value in {**kept, "Content-Length": told.get("Content-Length", "0")}.items():
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_HEAD = do_DELETE = _pass_on  # noqa: N815 (names of http.server)

    def do_PUT(self) -> None:
        """An object, with or without a condition, or a part of one."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = parse_qs(urlsplit(self.path).query)
        if "partNumber" in query:
            self.uploads[query["uploadId"][0]][int(query["partNumber"][0])] = body
            self._answer(200, {"ETag": f'"{query["partNumber"][0]}"'}, b"")
        else:
            self._put(body, self.headers.get("x-goog-if-generation-match"))

    def do_POST(self) -> None:
        """An object in parts: its beginning, and its end."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "uploads" in query:
            upload = f"upload-{len(self.uploads)}"
            self.uploads[upload] = {}
            told = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            self._answer(200, {}, told.encode())
            return
        parts = self.uploads.pop(query["uploadId"][0])
        self._put(b"".join(data for _, data in sorted(parts.items())), None)

    def _put(self, body: bytes, condition: str | None) -> None:
        bucket, _, name = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        path = f"/upload/storage/v1/b/{bucket}/o?uploadType=multipart&name={quote(name, safe='')}"
        path += f"&ifGenerationMatch={condition}" if condition is not None else ""
        parts = [("application/json", json.dumps({"name": name}).encode()), ("application/octet-stream", body)]
        sent = b"".join(
            f"--{_BORDER}\r\nContent-Type: {kind}\r\n\r\n".encode() + data + b"\r\n" for kind, data in parts
        )
        sent += f"--{_BORDER}--\r\n".encode()
        code, _, data = self._ask("POST", path, sent, {"Content-Type": f"multipart/related; boundary={_BORDER}"})
        if code != 200:
            self._answer(code, {}, data)
            return
        told = json.loads(data)
        headers = {"ETag": f'"{told["etag"]}"', "x-goog-generation": told["generation"]}
        done = f"<CompleteMultipartUploadResult><ETag>{told['etag']}</ETag></CompleteMultipartUploadResult>"
        self._answer(200, headers, done.encode() if self.command == "POST" else b"")

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def google_front(server_port: int) -> Iterator[str]:
    """The endpoint before a fake-gcs-server that listens at that port."""
    handler = type("Handler", (_Handler,), {"server_port": server_port, "uploads": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as front:
        thread = Thread(target=front.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{front.server_address[1]}"
        front.shutdown()
        thread.join()
