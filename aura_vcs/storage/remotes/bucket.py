"""A remote in a bucket: S3 and what speaks like it, Google Cloud Storage, Azure; by obstore.

Credentials come from the environment or the usual files, as obstore finds them, those of S3 also
from where AWS's own tools keep them. `create` is a
conditional put, `swap` one on the ETag (S3, Azure) or generation (GCS) that was seen. Some servers
ignore conditions or refuse them: `sync.remotes.probe` finds that out, and `conditional=False` works
without them where only one machine writes.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any, BinaryIO

import msgspec

from aura_vcs.errors.input import RefMoved
from aura_vcs.errors.remotes import HelperMissing, RemoteCorrupt, RemoteError
from aura_vcs.progress import SILENT, Progress
from aura_vcs.storage.base import check_storage_name
from aura_vcs.storage.remotes.base import SMALL_BYTES, RemoteEntry, RemoteFile, check_range
from aura_vcs.storage.remotes.service_errors import no_bucket, read_answer, remote_error

REQUEST_SECONDS = 3600
STALL_SECONDS = 300
"""So long nothing may come from the other side: while a part is sent nothing does, so this bounds that, too."""
LARGE_BYTES = PART_BYTES = 5 << 20
"""The least that S3 takes as a part."""
PARTS = 4
"""Parts under way at once: on a line of 0.6 Mbit/s they just arrive in STALL_SECONDS."""
PACK_BYTES = 16 << 20
"""So much is sent again at most after an interruption: buckets keep parts, but obstore does not go on with them."""
SINGLE_BYTES = 128 << 20
_ENDS_BEFORE = ("416 Range Not Satisfiable", "Wanted range starting at")
"""How S3 and Google, and obstore for Azure, say that a range begins behind the end of a file."""
_RETRIES = 4
_RETRY_SECONDS = 2 * STALL_SECONDS
"""Counted from the first attempt, which may take as long as a stall."""


class BucketRequest(msgspec.Struct, frozen=True):
    """A place in a bucket, below `prefix`, and what lets us in; `kind` is s3, gs or az, `place` what it is called.

    With `has_keys` the environment has all that it takes to be let in; else keys for S3 are looked
    for where AWS's own tools keep them. With `has_token` these are temporary ones.
    """

    kind: str
    bucket: str
    prefix: str
    parameters: Mapping[str, str]
    place: str
    conditional: bool = True
    has_keys: bool = False
    has_token: bool = False


def open_bucket(request: BucketRequest) -> "BucketRemote":
    """Open the remote.

    Raises:
        HelperMissing: obstore is not installed.
        RemoteDenied: there are no keys, or they cannot be had any more.
        RemoteError: the store cannot be set up as asked.
    """
    kind, bucket, parameters, place = request.kind, request.bucket, request.parameters, request.place
    try:
        import obstore
        from obstore import store as stores
    except ImportError as error:
        raise HelperMissing(place, "buckets need a part that is not installed", extra="buckets") from error
    endpoint = parameters.get("endpoint")
    options: dict[str, Any] = {
        "prefix": request.prefix or None,
        "client_options": {
            "timeout": f"{REQUEST_SECONDS}s",
            "read_timeout": f"{STALL_SECONDS}s",
            "allow_http": endpoint is not None and endpoint.startswith("http://"),
        },
        "retry_config": {"max_retries": _RETRIES, "retry_timeout": _timedelta(_RETRY_SECONDS)},
    }
    if endpoint is not None:
        options["base_url" if kind == "gs" else "endpoint"] = endpoint
    try:
        if kind == "s3":
            store = stores.S3Store(bucket, **options, **_s3_options(request))
        elif kind == "gs":
            store = stores.GCSStore(bucket, **options)
        else:
            _check_stays(parameters, bucket, place)  # a shared access signature is part of each address
            account = {"account_name": parameters["account"]} if "account" in parameters else {}
            store = stores.AzureStore(bucket, **options, **account)
        return BucketRemote(obstore, store, place, conditional=request.conditional, service=endpoint or "")
    except (obstore.exceptions.BaseError, TypeError, ValueError) as error:
        raise RemoteError(place, f"the bucket cannot be used: {read_answer(str(error)).message}") from error


def _s3_options(request: BucketRequest) -> dict[str, Any]:
    """Return keys, region and style of S3; refuse a service that sends on to another host before it sees a token."""
    options: dict[str, Any] = {}
    parameters, place = request.parameters, request.place
    if not request.has_keys:
        from aura_vcs.storage.remotes.aws_credentials import sign_in

        options |= sign_in(place)
    if request.has_token or getattr(options.get("credential_provider"), "has_token", False):
        _check_stays(parameters, request.bucket, place)
    if "region" in parameters:
        options["region"] = parameters["region"]
    options["virtual_hosted_style_request"] = parameters.get("path_style") == "false"
    return options


def _check_stays(parameters: Mapping[str, str], bucket: str, place: str) -> None:
    """Refuse a service that was named and sends on to another host.

    Raises:
        RemoteDenied.
    """
    endpoint = parameters.get("endpoint")
    if endpoint is not None:
        from aura_vcs.storage.remotes.unsigned import check_stays

        check_stays(f"{endpoint.rstrip('/')}/{bucket}/", place)


def _timedelta(seconds: int) -> Any:
    return timedelta(seconds=seconds)


class BucketRemote:
    """A store of obstore as a remote. `service` is the address of what is behind it, where it was named."""

    pack_bytes: int | None = PACK_BYTES
    create_checked = None

    def __init__(self, obstore: Any, store: Any, place: str, *, conditional: bool = True, service: str = "") -> None:
        self.location = place
        self._service = service
        self._obstore = obstore
        self._store = store
        self._conditional = conditional
        self._one_large = Lock()  # what is interrupted is lost: rather one file than a part of each of several

    def load(self, name: str) -> RemoteFile:
        """See RangeReadable. One request."""
        with self._translated(name):
            found = self._obstore.get(self._store, check_storage_name(name))
            if found.meta["size"] > SMALL_BYTES:
                raise RemoteCorrupt(self.location, f"{name} has {found.meta['size']:,} bytes, which no such file has")
            return RemoteFile(bytes(found.bytes()), _token(found.meta))

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """See RangeReadable."""
        check_range(offset, length)
        if length == 0:
            if self.size(name) is None:
                raise FileNotFoundError(name)
            return b""
        with self._translated(name):
            try:
                found = self._obstore.get_range(self._store, check_storage_name(name), start=offset, length=length)
            except self._obstore.exceptions.GenericError as error:
                if any(words in str(error) for words in _ENDS_BEFORE):
                    return b""
                if "non-partial" not in str(error):
                    raise
                found = bytes(self._read_single(name))[offset : offset + length]
            return bytes(found)

    def _read_single(self, name: str) -> bytes:
        """Read all of a file, for servers that answer a range with everything (rclone's does at times)."""
        found = self._obstore.get(self._store, name)
        if found.meta["size"] > SINGLE_BYTES:
            raise RemoteError(self.location, "it cannot give parts of files, which large packs need")
        return bytes(found.bytes())

    def size(self, name: str) -> int | None:
        """See RangeReadable."""
        try:
            with self._translated(name):
                return int(self._obstore.head(self._store, check_storage_name(name))["size"])
        except FileNotFoundError:
            return None

    def list(self, folder: str) -> list[RemoteEntry]:
        """See Listable. Some servers list a folder that is empty as a file of its own."""
        prefix = f"{check_storage_name(folder)}/"
        with self._translated(folder):
            found = self._obstore.list_with_delimiter(self._store, prefix)["objects"]
            entries = [RemoteEntry(item["path"], int(item["size"])) for item in found]
        return sorted((entry for entry in entries if entry.name.startswith(prefix)), key=lambda entry: entry.name)

    def create(self, name: str, source: BinaryIO, *, progress: Progress = SILENT) -> int:
        """See Creatable. Below LARGE_BYTES one conditional put, with the file in memory.

        A larger one goes in parts, one such file at a time, with PARTS of PART_BYTES in memory; it is there
        once all of them are. Buckets take no condition with parts: the name is looked at before, and of
        several that create it at the same moment the last one stays. What is large has a name that says
        what is in it. Interrupted, the parts are thrown away; killed, they stay, unseen, until the bucket's
        own rules remove them.
        """
        check_storage_name(name)
        large = source.seek(0, os.SEEK_END) >= LARGE_BYTES
        if (large or not self._conditional) and self.size(name) is not None:
            raise FileExistsError(name)
        source.seek(0)
        try:
            if large:
                self._put_parts(name, source, progress)
            else:
                self._put_single(name, source, progress)
        except FileNotFoundError as error:
            raise no_bucket(self.location) from error
        return 0

    def _put_single(self, name: str, source: BinaryIO, progress: Progress) -> None:
        data = source.read()
        mode = "create" if self._conditional else "overwrite"
        with self._translated(name):
            self._obstore.put(self._store, name, data, mode=mode, use_multipart=False)
        progress.advance(len(data))

    def _put_parts(self, name: str, source: BinaryIO, progress: Progress) -> None:
        reader = _Reader(source, progress)
        with self._one_large:
            try:
                with self._translated(name):
                    self._obstore.put(
                        self._store,
                        name,
                        reader,
                        use_multipart=True,
                        chunk_size=PART_BYTES,
                        max_concurrency=PARTS,
                    )
            except Exception:
                if reader.error is not None:
                    raise reader.error from None  # obstore has another one instead of it
                raise

    def swap(self, name: str, data: bytes, token: str | None) -> str:
        """See Swappable."""
        try:
            if not self._conditional:
                self._expect(name, token)
            with self._translated(name):
                done = self._obstore.put(
                    self._store, check_storage_name(name), data, mode=self._mode(token), use_multipart=False
                )
        except FileNotFoundError as error:
            if token is None:
                raise no_bucket(self.location) from error
            raise RefMoved(f"{self.location}/{name}", token, "nothing") from error
        except (FileExistsError, _Stale) as error:
            raise RefMoved(f"{self.location}/{name}", token or "nothing", "another state") from error
        return _token(done)

    def delete(self, name: str) -> None:
        """See RemoteStorage."""
        try:
            with self._translated(name):
                self._obstore.delete(self._store, check_storage_name(name))
        except FileNotFoundError:
            return

    def close(self) -> None:
        """Close nothing: connections end by themselves."""

    def _mode(self, token: str | None) -> Any:
        if not self._conditional:
            return "overwrite"
        if token is None:
            return "create"
        version, _, e_tag = token.partition("|")
        return {key: value for key, value in (("e_tag", e_tag), ("version", version)) if value}

    def _expect(self, name: str, token: str | None) -> None:
        try:
            current: str | None = self.load(name).token
        except FileNotFoundError:
            current = None
        if current != token:
            raise _Stale(name)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        errors = self._obstore.exceptions
        try:
            yield
        except errors.AlreadyExistsError as error:
            raise FileExistsError(name) from error
        except errors.PreconditionError as error:
            raise _Stale(name) from error
        except FileNotFoundError as error:  # obstore's own is one
            if (said := read_answer(str(error))).is_no_bucket:
                raise remote_error(self.location, said) from error
            raise FileNotFoundError(name) from error
        except (errors.NotSupportedError, NotImplementedError) as error:
            said = read_answer(str(error))
            words = ": ".join(part for part in (said.code, said.message) if part)
            raise RemoteError(self.location, f"it cannot do what is needed: {words}") from error
        except errors.BaseError as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> RemoteError:
        """Build the error from what the service said, and for clocks that differ what time it is there."""
        said = read_answer(str(error))
        time = ""
        if said.is_clock and not said.server_time and self._service:
            from aura_vcs.storage.remotes.unsigned import time_there

            time = time_there(self._service)
        return remote_error(self.location, said, server_time=time)


class _Reader:
    """A source that obstore reads from. It keeps what went wrong with it."""

    def __init__(self, source: BinaryIO, progress: Progress) -> None:
        self._source = source
        self._progress = progress
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes."""
        try:
            data = self._source.read(size)
            self._progress.advance(len(data))
        except BaseException as error:
            self.error = error
            raise
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek in the file: obstore takes only what can do this."""
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        """Return the position, which obstore asks a file for."""
        return self._source.tell()


class _Stale(Exception):
    """The condition of a put did not hold."""


def _token(meta: Any) -> str:
    """Return the state of an object: its version where the store counts them, and its ETag."""
    return f"{meta.get('version') or ''}|{meta.get('e_tag') or ''}"
