"""The process that decodes and encodes: `python -P -m aura_vcs.project.render.worker`.

Reads one request as JSON from its standard input and answers in JSON lines on its standard output
(`job`). Started by `media_process` only. Limits are set before a decoder is loaded.
"""

import os
from pathlib import Path

import msgspec

from aura_vcs.errors import AuraError, MediaUnreadable
from aura_vcs.errors.documents import EncoderMissing
from aura_vcs.media.limits import confine
from aura_vcs.project.render.job import ProbeJob, RenderJob, WorkerReport, WorkerRequest

_INPUT, _OUTPUT = 0, 1


def main() -> None:
    """Do what the request says, report how it went."""
    with open(_INPUT, "rb", closefd=False) as pipe:
        request = msgspec.json.decode(pipe.read(), type=WorkerRequest)
    try:
        if request.probe is not None:
            _probe(request.probe)
        elif request.render is not None:
            _render(request.render)
    except MediaUnreadable as error:
        _send(WorkerReport("failed", error="media", name=error.path, detail=error.reason))
    except EncoderMissing as error:
        _send(WorkerReport("failed", error="encoder", name=error.encoder))
    except MemoryError:
        _send(WorkerReport("failed", error="render", detail="it needs more memory than it is allowed"))
    except (AuraError, OSError, ValueError, ArithmeticError) as error:
        _send(WorkerReport("failed", error="render", detail=str(error).splitlines()[0][:300] if str(error) else ""))


def _probe(job: ProbeJob) -> None:
    confine(memory_bytes=job.memory_bytes, cpu_seconds=job.cpu_seconds, file_bytes=0)
    from aura_vcs.project.render.decode import probe

    _send(WorkerReport("probed", facts=probe(job.path, job.name)))


def _render(job: RenderJob) -> None:
    confine(memory_bytes=job.memory_bytes, cpu_seconds=None, file_bytes=None)
    from aura_vcs.project.render.encode import render

    render(job, _send)
    _send(WorkerReport("rendered", size_bytes=Path(job.output).stat().st_size))


def _send(report: WorkerReport) -> None:
    line = msgspec.json.encode(report) + b"\n"
    while line:
        line = line[os.write(_OUTPUT, line) :]


if __name__ == "__main__":
    main()
