"""The process that draws how two pictures differ: `python -m aura_vcs.media.worker`.

Codecs are large and files may be hostile, so this runs alone, without the caller's environment,
with limits on time, memory and written files. A request comes on standard input, the answer
goes to standard output, both as JSON; then it ends.
"""

import os

import msgspec

from aura_vcs.formats.media.findings import MediaAnswer, MediaRequest
from aura_vcs.media.index_worker import reason_of
from aura_vcs.media.limits import confine
from aura_vcs.media.pictures import compare_picture, open_picture


def answer(request: MediaRequest) -> MediaAnswer:
    """Draw; a file that cannot be read is a `problem`, never an exception."""
    try:
        old, new = (open_picture(path, request.limits) for path in request.paths)
        return MediaAnswer(compare_picture(old, new, request.picture))
    except MemoryError:
        return MediaAnswer(problem="it needs more memory than is allowed")
    except Exception as error:  # whatever a decoder raises: the file is at fault, not the caller
        return MediaAnswer(problem=reason_of(error))


def main() -> None:
    """Read one request, write one answer."""
    with open(0, "rb", closefd=False) as source:
        request = msgspec.json.decode(source.read(), type=MediaRequest)
    limits = request.limits
    confine(memory_bytes=limits.memory_bytes, cpu_seconds=int(limits.seconds) + 2, file_bytes=0)
    data = msgspec.json.encode(answer(request))
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    main()
