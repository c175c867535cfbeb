"""Looks that take long on large projects, as at all that is stored: each goes on in a thread of its own with a lane of
its own, and what waits for it is told how far it is.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

import msgspec

from aura_vcs.api.reporting import Call, CancelToken, Step
from aura_vcs.errors import AuraError
from aura_vcs.ui.workspace import ProjectLane, Workspace

T = TypeVar("T")
WAIT_SECONDS = 0.3
"""What has ended by then is answered as what it is."""
KEPT = 6
"""So many looks that have ended are remembered, as long as nothing is recorded."""


class LookProgress(msgspec.Struct, frozen=True):
    """How far a look is: in words, and in hundredths, None where nobody knows."""

    words: str
    percent: int | None


class LongLook(Generic[T]):
    """One look. `result` and `error` are what came of it, once it has ended."""

    def __init__(self, topic: str, question: Hashable) -> None:
        self.topic, self.question = topic, question
        self.result: T | None = None
        self.error: AuraError | None = None
        self.step: Step | None = None
        self.token = CancelToken()
        self.ended = threading.Event()

    @property
    def reached(self) -> LookProgress:
        """Say how far it is."""
        step = self.step
        if step is None or not step.phase:
            return LookProgress("", None)
        return LookProgress(step.phase, None if not step.total else min(100, int(100 * step.done / step.total)))


class LongLooks:
    """The looks at one project. One about the project as it was is given up when the same is asked of it as it is."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._looks: list[LongLook[Any]] = []
        self._lock = threading.Lock()

    def ask(
        self, topic: str, question: Hashable, look: Callable[[ProjectLane, Call], T], *, is_kept: bool = True
    ) -> LongLook[T]:
        """Return the look of that topic that answers a question, after a moment; begun if nobody has asked before.

        One that is not kept is told once: what it says is about more than this project.

        Raises:
            AuraError: it could not be done. It is tried again when it is asked for again.
        """
        with self._lock:
            found = next((one for one in self._looks if (one.topic, one.question) == (topic, question)), None)
            if found is None:
                found = LongLook(topic, question)
                for other in self._looks:
                    if other.topic == topic and not other.ended.is_set():
                        other.token.cancel()
                kept = [one for one in self._looks if one.error is None and not one.token.is_cancelled]
                self._looks = [*kept[-KEPT + 1 :], found]
                threading.Thread(target=self._do, args=(found, look), name=f"aura-ui-{topic}", daemon=True).start()
        found.ended.wait(WAIT_SECONDS)
        if found.error is not None or (found.ended.is_set() and not is_kept):
            with self._lock:
                self._looks = [one for one in self._looks if one is not found]
        if found.error is not None:
            raise found.error
        return found

    def stop(self, seconds: float) -> None:
        """Give all of them up, and wait so long for each to end."""
        running = [one for one in self._looks if not one.ended.is_set()]
        for one in running:
            one.token.cancel()
        for one in running:
            one.ended.wait(seconds)

    def _do(self, found: LongLook[T], look: Callable[[ProjectLane, Call], T]) -> None:
        def progress(step: Step) -> None:
            found.step = step

        try:
            with self._workspace.own_lane() as lane:
                found.result = look(lane, Call(progress=progress, cancel=found.token))
        except AuraError as error:
            found.error = error
        except Exception as error:  # whatever it is, who waits has to hear that it has ended
            found.error = AuraError(f"Something unexpected happened: {error}")
        finally:
            found.ended.set()
