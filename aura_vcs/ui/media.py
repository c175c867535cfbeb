"""Files of versions and of the folder for the browser: straight from the store, piece by piece, any part of them."""

import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from queue import Full, Queue
from typing import IO, BinaryIO, cast
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from aura_vcs.errors import AuraError, InputError
from aura_vcs.errors.worktree import FileUnreadable
from aura_vcs.history.lookup.content import locate
from aura_vcs.history.names.revisions import resolve
from aura_vcs.history.sources.content_source import FolderSource, StoredSource, is_file
from aura_vcs.index.queries import describe
from aura_vcs.index.records import VersionRecord
from aura_vcs.interchange.export_version import plan_zip
from aura_vcs.plain_text import readable_name
from aura_vcs.repository.repository import Repository
from aura_vcs.ui.byte_ranges import parse_range
from aura_vcs.ui.looks import find_look, find_sequence_look
from aura_vcs.ui.media_kinds import BYTES, PROXY_TYPES, kind_of, needs_proxy, type_of
from aura_vcs.ui.proxies import FOLDER, ProxySource, find_source, open_proxy
from aura_vcs.ui.refusals import json_response
from aura_vcs.ui.site import Site, path_after, query_of, site_of
from aura_vcs.ui.workspace import Workspace

PIECE_BYTES = 256 << 10
OWN_POSTER_BYTES = 1 << 20
"""A picture up to this size needs no smaller one."""
PARKED_BYTES = 32 << 20
"""Files of this size and more are left open for a while after a piece of them was sent."""
ARCHIVE_PIECES = 8
"""So many pieces of an archive wait for a slow reader, who holds up the writing."""
KEEP = "private, max-age=31536000, immutable"
ALONE = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'"
"""What content may do where somebody opens its address by itself: be seen, and nothing else."""


class OpenContent:
    """A file that is open: its size, and the id of its content ("" for a file of the folder)."""

    def __init__(self, file: BinaryIO, size: int, content_id: str) -> None:
        self.file = file
        self.size = size
        self.content_id = content_id


def open_content(repo: Repository, version: str, path: str) -> OpenContent:
    """Open a file of a version, or of the folder, for reading here and there.

    Raises:
        UnknownVersion, UnknownName, ObjectPurged, IntegrityError, FileUnreadable. InputError: it is not a file.
    """
    if version == FOLDER:
        file = FolderSource(repo.root).open(path)
        size = file.seek(0, 2)
        return OpenContent(file, size, "")
    located = locate(repo, f"{version}:{path}")
    if not is_file(located.entry):
        raise InputError(f"{readable_name(path)} is no file in {version}", hint="Go up to the folder that it is in.")
    return OpenContent(StoredSource(repo).open(path, located.entry), located.entry.size, located.entry.id)


async def raw(request: Request) -> Response:
    """Send a file, or the part of it that is asked for."""
    site = site_of(request)
    workspace = site.workspace(request)
    version = request.path_params["version"]
    path = path_after(request, f"/raw/{version}/")
    stream = await workspace.wait_for_media(open_stream, workspace, version, path)
    return content_response(request, stream, path, is_fixed=version != FOLDER and _is_id(version))


def content_response(request: Request, stream: "ContentStream", path: str, *, is_fixed: bool) -> Response:
    """Answer with a file; `is_fixed` where its address will always mean the same bytes."""
    kind = stream.type if isinstance(stream, ProxyStream) else type_of(path)
    headers = {
        "accept-ranges": "bytes",
        "content-security-policy": ALONE,
        "cache-control": KEEP if is_fixed else "no-cache",
        "content-disposition": _disposition(path, saved=kind == BYTES or "download" in query_of(request)),
    }
    if stream.content_id:
        headers["etag"] = f'"{stream.content_id}"'
        if request.headers.get("if-none-match") == headers["etag"]:
            stream.close()
            return Response(status_code=304, headers=headers)
    wanted = parse_range(request.headers.get("range"), stream.size)
    if wanted is None:
        stream.close()
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{stream.size}"})
    headers["content-length"] = str(wanted.end - wanted.start)
    if wanted.is_part:
        headers["content-range"] = f"bytes {wanted.start}-{wanted.end - 1}/{stream.size}"
    if request.method == "HEAD":
        stream.close()
        return Response(status_code=206 if wanted.is_part else 200, headers=headers, media_type=kind)
    return _FileResponse(stream, stream.pieces(wanted.start, wanted.end), 206 if wanted.is_part else 200, headers, kind)


class _FileResponse(StreamingResponse):
    """Lets go of the file also where the reader went before the first piece."""

    def __init__(
        self, stream: "ContentStream", body: AsyncIterator[bytes], status: int, headers: dict[str, str], kind: str
    ) -> None:
        super().__init__(body, status, headers, kind)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.close()


class ContentStream:
    """A file that is open, and is sent piece by piece. `content_id` is "" where its content may change."""

    def __init__(self, file: BinaryIO, content_id: str) -> None:
        self._file = file
        self.content_id = content_id
        self.size = file.seek(0, 2)

    async def pieces(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start` to `end`; a file that was cut off meanwhile ends early."""
        try:
            await run_in_threadpool(self._file.seek, start)
            left = end - start
            while left > 0 and (piece := await run_in_threadpool(self._file.read, min(left, PIECE_BYTES))):
                left -= len(piece)
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the file; once is enough."""
        with suppress(OSError):
            self._file.close()


class ProxyStream(ContentStream):
    """A proxy from the media index; `type` is what it is sent as."""

    def __init__(self, file: BinaryIO, content_id: str, kind: str) -> None:
        super().__init__(file, content_id)
        self.type = PROXY_TYPES[kind]


def open_stream(workspace: Workspace, version: str, path: str) -> "Stream":
    """Open a file of a version or of the folder: one that was left open when it was sent last, if there is one.

    A player asks for a large file piece by piece, and finding its chunks takes longer than reading a few.
    """
    parked = workspace.parked.take((version, path))
    held = parked if isinstance(parked, HeldFile) else HeldFile(workspace, version, path)
    return Stream(workspace, (version, path), held)


class HeldFile:
    """A file that is open on a lane of its own."""

    def __init__(self, workspace: Workspace, version: str, path: str) -> None:
        self._lending = workspace.media_lane()
        lane = self._lending.__enter__()
        try:
            self.content = lane.run(open_content, version, path)
        except BaseException:
            self._lending.__exit__(None, None, None)
            raise

    def release(self) -> None:
        """Let go of the file and its lane."""
        with suppress(OSError):
            self.content.file.close()
        self._lending.__exit__(None, None, None)


class Stream(ContentStream):
    """One answer that sends a file, or a part of it."""

    def __init__(self, workspace: Workspace, key: tuple[str, str], held: HeldFile) -> None:
        super().__init__(held.content.file, held.content.content_id)
        self._workspace, self._key = workspace, key
        self._held: HeldFile | None = held

    def close(self) -> None:
        """Let go of the file, or leave a large one open for the next piece; once is enough."""
        held, self._held = self._held, None
        if held is None:
            return
        if self.size >= PARKED_BYTES and _is_id(self._key[0]):
            self._workspace.parked.leave(self._key, held)
        else:
            held.release()


async def look(request: Request) -> Response:
    """Send what a browser can show of a file: `poster` and `strip` from the media index, `full` as much as there is.

    A picture that is small and of a type that browsers know is its own poster. What is not there yet is asked for, and
    answered with 404 until then; the events of the project say when it is there.
    """
    site = site_of(request)
    workspace = site.workspace(request)
    kind, version = request.path_params["kind"], request.path_params["version"]
    path = path_after(request, f"/look/{kind}/{version}/")
    is_fixed = version != FOLDER and _is_id(version)
    if kind in ("poster", "strip") and version != FOLDER and query_of(request).get("sequence"):
        found, files = await workspace.ask(find_sequence_look, version, path, kind)
        if found.data:
            headers = {"cache-control": KEEP if is_fixed else "no-cache", "etag": f'"{kind}-{found.content}"'}
            return Response(found.data, headers=headers, media_type="image/jpeg")
        if found.is_coming:
            site.looker(workspace).want_all(found.content, files)
        if kind == "strip":
            raise HTTPException(404)
        is_fixed = False  # the first frame stands for all until all were looked at
    if kind in ("poster", "strip") and version != FOLDER:
        found, entry = await workspace.ask(find_look, version, path, kind)
        if found.data:
            headers = {"cache-control": KEEP if is_fixed else "no-cache", "etag": f'"{kind}-{found.content}"'}
            return Response(found.data, headers=headers, media_type="image/jpeg")
        is_own = kind == "poster" and kind_of(path) == "picture" and entry.size <= OWN_POSTER_BYTES
        if not (is_own and type_of(path) != BYTES):
            if found.is_coming and kind_of(path) in ("picture", "video"):
                site.looker(workspace).want(path, entry)
            raise HTTPException(404)
    elif kind in ("proxy", "sequence") or (kind == "full" and needs_proxy(path)):
        return await _send_version_proxy(request, workspace, version, path, sequence=kind == "sequence")
    elif kind not in ("poster", "full") or type_of(path) == BYTES or (kind == "poster" and kind_of(path) != "picture"):
        raise HTTPException(404)
    try:
        stream = await workspace.wait_for_media(open_stream, workspace, version, path)
    except FileUnreadable as error:
        raise HTTPException(404) from error  # documents name files that are not there
    return content_response(request, stream, path, is_fixed=is_fixed)


async def _send_version_proxy(
    request: Request, workspace: Workspace, version: str, path: str, *, sequence: bool
) -> Response:
    source = await workspace.ask(find_source, version, path, workspace.remembered, sequence=sequence)
    return await send_proxy(request, workspace, source, path, is_fixed=version != FOLDER and _is_id(version))


async def send_proxy(
    request: Request, workspace: Workspace, source: ProxySource, path: str, *, is_fixed: bool
) -> Response:
    """Send what was made of a file so that it can be played; 404 where nothing was."""
    proxy = await workspace.ask(open_proxy, source)
    if proxy is None:
        raise HTTPException(404)
    stream = ProxyStream(proxy, f"proxy-{source.key}", source.kind)
    return content_response(request, stream, path, is_fixed=is_fixed)


async def proxy_state(request: Request) -> Response:
    """Say how far it is to make a file playable, or with `?sequence=1` all pictures numbered like it; begin it."""
    site = site_of(request)
    workspace = site.workspace(request)
    version = request.path_params["version"]
    path = path_after(request, f"/proxy/{version}/")
    is_sequence = bool(query_of(request).get("sequence"))
    source = await workspace.ask(find_source, version, path, workspace.remembered, sequence=is_sequence)
    return await answer_state(site, workspace, source)


async def answer_state(site: Site, workspace: Workspace, source: ProxySource) -> Response:
    """Say how far it is to make something playable; begin it."""
    made = await workspace.ask(open_proxy, source)
    if made is not None:
        made.close()
    state = site.proxies(workspace).want(source, is_there=made is not None)
    return json_response({"state": state.state, "percent": state.percent, "message": state.message, "hint": state.hint})


def _called(repo: Repository, record: VersionRecord) -> str:
    return describe(repo.queries, record.id)


async def archive(request: Request) -> Response:
    """Send a folder of a version, or all of it, as a ZIP that is made while it is sent."""
    workspace = site_of(request).workspace(request)
    version = request.path_params["version"]
    path = path_after(request, f"/zip/{version}/")
    record = await workspace.ask(resolve, version)
    called = await workspace.ask(_called, record)
    name = f"{path.rpartition('/')[2] or workspace.root.rpartition('/')[2]}-{called}.zip"
    pieces: Queue[bytes | None] = Queue(ARCHIVE_PIECES)
    pipe = _Pipe(pieces)
    problems: list[AuraError] = []
    ready = threading.Event()

    def write() -> None:
        try:
            with workspace.own_lane() as lane:
                writes = lane.run(plan_zip, record.id, [path] if path else [])
                ready.set()
                writes(cast("IO[bytes]", pipe))
        except AuraError as error:
            problems.append(error)
        except BrokenPipeError:
            pass  # nobody reads it any more
        finally:
            ready.set()
            pipe.end()

    threading.Thread(target=write, name="aura-ui-zip", daemon=True).start()
    await run_in_threadpool(ready.wait)
    if problems:
        raise problems[0]
    headers = {"content-disposition": _disposition(name, saved=True), "content-security-policy": ALONE}
    return StreamingResponse(_from_queue(pieces, pipe, problems), headers=headers, media_type="application/zip")


class _Pipe:
    """Takes what a ZIP is written to; it cannot seek, and ends when nobody reads."""

    def __init__(self, pieces: Queue[bytes | None]) -> None:
        self._pieces = pieces
        self.is_closed = False

    def write(self, data: bytes) -> int:
        """Wait until there is room.

        Raises:
            BrokenPipeError: nobody reads any more.
        """
        while not self.is_closed:
            with suppress(Full):
                self._pieces.put(bytes(data), timeout=0.5)
                return len(data)
        raise BrokenPipeError

    def flush(self) -> None:
        """Do nothing: what is written is on its way."""

    def end(self) -> None:
        """Say that this was all."""
        while not self.is_closed:
            with suppress(Full):
                self._pieces.put(None, timeout=0.5)
                return


async def _from_queue(pieces: Queue[bytes | None], pipe: _Pipe, problems: list[AuraError]) -> AsyncIterator[bytes]:
    try:
        while (piece := await run_in_threadpool(pieces.get)) is not None:
            yield piece
        if problems:
            raise problems[0]  # the connection breaks off: half a ZIP must not look like one
    finally:
        pipe.is_closed = True


def _disposition(path: str, *, saved: bool) -> str:
    name = readable_name(path.rpartition("/")[2]).replace("\\", "_")
    return f"{'attachment' if saved else 'inline'}; filename*=UTF-8''{quote(name, safe='')}"


def _is_id(version: str) -> bool:
    return len(version) == 64 and set(version) <= set("0123456789abcdef")
