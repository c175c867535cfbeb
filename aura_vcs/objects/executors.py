"""Who does a piece of work: threads, or where there is little, whoever asks for it.

Importing and starting a pool of threads takes longer than a small commit needs for its objects.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Result(Protocol[T_co]):
    """What comes of a piece of work; a Future is one."""

    def result(self) -> T_co:
        """Wait for it; raises what the work raised."""

    def exception(self) -> BaseException | None:
        """Wait for it; what the work raised, None if nothing."""

    def cancel(self) -> bool:
        """Cancel the work if it has not begun, so that it never will, and tell whether that is so."""


class Workers(Protocol):
    """Takes pieces of work; an Executor is one."""

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Have the function called, now or soon."""


class _Returned(Result[T]):
    def __init__(self, value: T) -> None:
        self._value = value

    def result(self) -> T:
        return self._value

    def exception(self) -> BaseException | None:
        return None

    def cancel(self) -> bool:
        return False


class InlineWorkers:
    """Does the work when it is asked for; what the work raises comes out of `submit`."""

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Call the function."""
        return _Returned(function(*args, **kwargs))


class Threads:
    """A pool of threads that starts with the first piece of work. Close it: that waits for all of them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool: Executor | None = None

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Have a thread call the function."""
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor

            self._pool = ThreadPoolExecutor(self._count)
        return self._pool.submit(function, *args, **kwargs)

    def close(self) -> None:
        """Wait until all work is done."""
        if self._pool is not None:
            self._pool.shutdown()
