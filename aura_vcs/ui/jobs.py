"""What the page does to a project: in threads of their own, with progress, and cancelled where that can be."""

import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from aura_vcs.api.reporting import Call, CancelToken, Step
from aura_vcs.errors import AuraError, Interrupted
from aura_vcs.errors.input import NotAProject, UnknownName
from aura_vcs.errors.worktree import ProjectGone
from aura_vcs.ui.events import Events
from aura_vcs.ui.refusals import error_to_json
from aura_vcs.ui.workspace import ProjectLane, Workspace

JOBS_KEPT = 50
"""So many jobs that have ended are remembered."""
REPORT_SECONDS = 0.1
"""So often at most a job says how far it is."""
Work = Callable[[ProjectLane, Call], Any]
"""What a job does; returns what `--json` prints of it."""


class Job:
    """One thing that is done. Its fields are written by its own thread alone."""

    def __init__(self, number: int, title: str) -> None:
        self.id = str(number)
        self.title = title
        self.state: Literal["running", "done", "failed", "cancelled"] = "running"
        self.step: Step | None = None
        self.notes: list[str] = []
        self.result: Any = None
        self.error: AuraError | None = None
        self.token = CancelToken()
        self.ended = threading.Event()

    def to_json(self) -> dict[str, Any]:
        """Say where it is: `result` is what the command of that name prints with `--json`."""
        step = self.step
        return {
            "id": self.id,
            "title": self.title,
            "state": self.state,
            "phase": step.phase if step is not None else None,
            "done": step.done if step is not None else None,
            "total": step.total if step is not None else None,
            "unit": step.unit if step is not None else None,
            "notes": list(self.notes),
            "result": self.result,
            **(error_to_json(self.error) if self.error is not None else {"error": None}),
        }


class Jobs:
    """The jobs of one project; their events go to all pages that show it."""

    def __init__(self, workspace: Workspace, events: Events) -> None:
        self._workspace = workspace
        self._events = events
        self._jobs: dict[str, Job] = {}
        self._last = 0
        self._lock = threading.Lock()

    def start(self, title: str, work: Work) -> Job:
        """Begin to do something."""
        with self._lock:
            self._last += 1
            job = Job(self._last, title)
            self._jobs[job.id] = job
            ended = [key for key, other in self._jobs.items() if other.ended.is_set()]
            for key in ended[: max(0, len(ended) - JOBS_KEPT)]:
                del self._jobs[key]
        threading.Thread(target=self._do, args=(job, work), name=f"aura-ui-job-{job.id}", daemon=True).start()
        return job

    def __getitem__(self, key: str) -> Job:
        if key not in self._jobs:
            raise UnknownName("job", key, list(self._jobs))
        return self._jobs[key]

    def running(self) -> list[Job]:
        """List what is being done."""
        return [job for job in list(self._jobs.values()) if not job.ended.is_set()]

    def stop(self, seconds: float) -> None:
        """Cancel what is being done, and wait so long for it to end. What that leaves, `CancelToken` says."""
        until = time.monotonic() + seconds
        for job in self.running():
            job.token.cancel()
        for job in self.running():
            job.ended.wait(max(0.0, until - time.monotonic()))

    def _do(self, job: Job, work: Work) -> None:
        reported = 0.0

        def progress(step: Step) -> None:
            nonlocal reported
            job.step = step
            if step.note:
                job.notes.append(step.note)
            if step.note or time.monotonic() - reported > REPORT_SECONDS:
                reported = time.monotonic()
                self._events.send("job", job.to_json())

        try:
            with self._workspace.own_lane() as lane:
                job.result = work(lane, Call(progress=progress, cancel=job.token))
            job.state = "done"
        except Interrupted as error:
            job.state, job.error = "cancelled", error
        except NotAProject:  # it was one when the page was opened
            job.state, job.error = "failed", ProjectGone(self._workspace.root)
        except AuraError as error:
            job.state, job.error = "failed", error
        except Exception as error:  # whatever it is, the page has to hear that it has ended
            job.state, job.error = "failed", AuraError(f"Something unexpected happened: {error}")
        finally:
            job.ended.set()
            self._events.send("job", job.to_json())


def job_list(jobs: Jobs) -> list[dict[str, Any]]:
    """Convert what is being done to JSON."""
    shapes: list[dict[str, Any]] = msgspec.to_builtins([job.to_json() for job in jobs.running()])
    return shapes
