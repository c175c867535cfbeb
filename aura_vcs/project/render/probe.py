"""What a media file is: its duration, size in pixels and codecs.

WAV and PNG headers are read here; everything else is looked into by PyAV (extra `media`) in a
process of its own with limits of memory and time.
"""

import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path, PurePosixPath

from aura_vcs.errors import MediaUnreadable
from aura_vcs.formats.media.wav_png import HeaderFacts, read_header
from aura_vcs.history.sources.content_source import ContentSource
from aura_vcs.project.render.job import ProbeJob, WorkerRequest
from aura_vcs.project.render.process import WorkerDied, copy_for_worker, require_media, run_worker

PROBE_SECONDS = 20
PROBE_MEMORY_BYTES = 1024**3


def probe_media(source: ContentSource, path: str, *, environment: Mapping[str, str] | None = None) -> HeaderFacts:
    """Probe one media file of `source`.

    Takes about 0.2 s for files that need the process, which get a copy in the system's temporary
    folder; at most 20 s of processor time and 1 GiB of memory are spent on a hostile one.

    Raises:
        MediaUnreadable: it is not a picture, sound or clip, or damaged.
        ExtraMissing: it is not a plain WAV or PNG, and PyAV or Pillow is not installed.
        FileUnreadable: there is no such file.
    """
    with source.open(path) as stream:
        facts = read_header(stream)
    if facts is not None:
        return facts
    require_media(f"Looking into {PurePosixPath(path).name}")
    with tempfile.TemporaryDirectory(prefix="aura-probe-") as folder:
        copy = copy_for_worker(source, path, Path(folder), 0)
        assert copy is not None, "nobody cancels"
        return probe_file(copy, path, environment=environment)


def probe_file(file: Path, name: str, *, environment: Mapping[str, str] | None = None) -> HeaderFacts:
    """Probe a file on disk, by the process alone; `name` is what messages call it.

    Raises:
        MediaUnreadable: it is not a picture, sound or clip, or damaged.
    """
    job = ProbeJob(str(file.absolute()), name, PROBE_MEMORY_BYTES, PROBE_SECONDS)
    try:
        request = WorkerRequest(probe=job)
        with closing(run_worker(request, stall_seconds=PROBE_SECONDS * 2, environment=environment)) as reports:
            last = list(reports)[-1]
    except WorkerDied as error:
        raise MediaUnreadable(name, error.reason) from error
    if last.facts is None:
        raise MediaUnreadable(name, last.detail or "it needs too much memory")
    return last.facts
