"""Objects of git, one after the other, from one process that runs on."""

import shlex
import subprocess
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from itertools import islice
from typing import IO, Self

from aura_vcs.errors.interchange import GitDamaged, GitUnavailable, NotAGitRepository
from aura_vcs.interchange.git_process import OPTIONS

GROUP = 30
"""So many objects are asked for before the last so many have come: few enough that their names fit into any pipe."""
RESTARTS_LIMIT = 1000
"""So many damaged objects are passed over."""


class ObjectReader:
    """`git cat-file --batch`: objects by their ids, one at a time, each read to its end before the next.

    Git ends where an object is damaged; it is started again then, and goes on behind that one.
    """

    def __init__(self, environment: Mapping[str, str], place: str, *, is_partial: bool) -> None:
        self._environment = environment
        self._place, self._is_partial = place, is_partial
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts = 0

    def __enter__(self) -> Self:
        self._running()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def ask(self, ids: Iterable[str]) -> Generator[tuple[str, "ObjectStream | None"], None, None]:
        """Yield each object as it comes, None for one that is missing or damaged; what is left unread is passed over.

        Git looks for the next ones meanwhile.

        Raises:
            GitDamaged: git does not run, or too much is damaged.
            NotAGitRepository: it is a partial clone, and that object was not fetched.
        """
        waiting, rest = deque[str](), iter(ids)
        stream: ObjectStream | None = None
        try:
            while self._fill(waiting, rest):
                stream = self._answer(waiting)
                yield waiting.popleft(), stream
                if stream is not None and not stream.skip():
                    self._start_again(waiting)
        finally:
            if waiting or (stream is not None and not stream.is_read):
                self._end()  # or the next answer would begin in the middle of this one

    def read(self, one: str, kind: str, limit: int) -> bytes:
        """Return an object of a kind, whole.

        Raises:
            GitDamaged: it is missing, of another kind, or larger than `limit` bytes.
        """
        with closing(self.ask([one])) as answers:
            stream = next(answers)[1]
            if stream is None:
                raise GitDamaged(f"{kind} {one}", "it is missing or damaged")
            return stream.read_object(kind, limit)

    def _fill(self, waiting: "deque[str]", rest: Iterator[str]) -> bool:
        """Ask for some more before git has nothing to do; returns whether there is anything to come."""
        if len(waiting) <= GROUP:
            more = list(islice(rest, GROUP))
            waiting += more
            if more:
                self._send(more)
        return bool(waiting)

    def _send(self, ids: Iterable[str]) -> None:
        process = self._running()
        assert process.stdin is not None
        with suppress(OSError):  # whoever reads the answers sees that it ended
            process.stdin.write("".join(f"{one}\n" for one in ids).encode())
            process.stdin.flush()

    def _answer(self, waiting: "deque[str]") -> "ObjectStream | None":
        """Return the first object that was asked for; None where git does not have it, or ends at it twice."""
        for attempt in range(2):
            process = self._running()
            assert process.stdout is not None
            line = process.stdout.readline(4096)
            found = line.split()
            if len(found) == 3 and line.endswith(b"\n"):
                return ObjectStream(process.stdout, found[0].decode(), found[1].decode(), int(found[2]))
            if found[1:] == [b"missing"]:
                if self._is_partial:
                    hint = f"Fetch all of it first: `git -C {shlex.quote(self._place)} fetch --refetch --no-filter`."
                    raise NotAGitRepository(self._place, "it is a partial clone, which left content behind", hint=hint)
                return None
            self._start_again(waiting if not attempt else list(waiting)[1:])
        return None

    def _start_again(self, waiting: Iterable[str]) -> None:
        self._end()
        self._restarts += 1
        if self._restarts > RESTARTS_LIMIT:
            raise GitDamaged("object database", f"git ended more than {RESTARTS_LIMIT} times")
        nothing = "0" * 40
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write("".join(f"{one}\n" for one in (nothing, *waiting)).encode())
            process.stdin.flush()
            answer = process.stdout.readline(4096)
        except OSError as error:
            raise GitDamaged("object database", "git ended") from error
        if answer.split()[1:] != [b"missing"]:
            raise GitDamaged("object database", "git ended")

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            arguments = ["git", *OPTIONS, "cat-file", "--batch"]
            try:
                self._process = subprocess.Popen(
                    arguments, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL, bufsize=1 << 16,
                )  # fmt: skip
            except OSError as error:
                raise GitUnavailable("read objects", "it is not installed") from error
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with suppress(OSError):
                process.communicate()


class ObjectStream:
    """The bytes of one object, as they come out of git; see `io.RawIOBase.read`."""

    def __init__(self, file: IO[bytes], one: str, kind: str, size: int) -> None:
        self._file, self._left = file, size
        self.id, self.kind, self.size = one, kind, size
        self.is_read = False
        """Whether all of it was read, and what follows is the next object."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def read(self, count: int = -1) -> bytes:
        """Return at most so many bytes; none at the end.

        Raises:
            GitDamaged: git ended, which it does where an object is damaged.
        """
        wanted = self._left if count < 0 else min(count, self._left)
        data = self._file.read(wanted)
        self._left -= len(data)
        is_cut = len(data) != wanted
        if not is_cut and not self._left and not self.is_read:
            self.is_read = self._file.read(1) == b"\n"
            is_cut = not self.is_read
        if is_cut:
            raise GitDamaged(f"{self.kind} {self.id}", "it is damaged")
        return data

    def read_object(self, kind: str, limit: int) -> bytes:
        """Return all of it.

        Raises:
            GitDamaged: it is of another kind, larger than `limit` bytes, or damaged.
        """
        if self.kind != kind or self.size > limit:
            raise GitDamaged(f"{kind} {self.id}", f"it is a {self.kind} of {self.size:,} bytes")
        return self.read()

    def skip(self) -> bool:
        """Read what is left, to nowhere; returns whether git still runs behind it."""
        try:
            while not self.is_read:
                self.read(1 << 20)
        except GitDamaged:
            return False
        return True
