"""The process that reads C2PA manifests: `python -m aura_vcs.media.manifest_worker`.

The library is large and files may be hostile, so this runs alone, without the caller's environment, with limits on
time and memory. After the library is loaded it may open nothing any more, neither files nor connections: a manifest
that lies elsewhere is not fetched, whatever the file says. A request comes on standard input, the answer goes to
standard output, both as JSON; then it ends.
"""

import os
from contextlib import suppress

import msgspec

from aura_vcs.formats.provenance.manifest_facts import ManifestAnswer, ManifestRequest
from aura_vcs.media.limits import confine

REPORT_BYTES = 4 << 20
_WORDS = (
    ("must fetch remote", "it is stored elsewhere and not fetched"),
    ("Remote", "it is stored elsewhere and not fetched"),
    ("ManifestNotFound", "there is none after all"),
)


def answer(request: ManifestRequest) -> ManifestAnswer:
    """Read the manifest; one that cannot be read is a `problem`, never an exception."""
    from c2pa import Context, Reader, Settings

    checks = {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False}
    context = Context(Settings.from_dict({"verify": {**checks, "verify_after_reading": request.verify}}))
    _open_nothing_more()
    try:
        with open(request.file, "rb", closefd=False) as file:
            file.seek(0)
            report = Reader(request.format, file, context=context).detailed_json()
    except MemoryError:
        return ManifestAnswer(problem="it needs more memory than is allowed")
    except Exception as error:  # whatever the library raises: the file is at fault
        named = f"{type(error).__name__} {error}"
        return ManifestAnswer(problem=next((said for word, said in _WORDS if word in named), "it is damaged"))
    if len(report) > REPORT_BYTES:
        return ManifestAnswer(problem="it is larger than is looked at")
    return ManifestAnswer(report)


def _open_nothing_more() -> None:
    """Let the kernel refuse this process every further file and connection; what is open stays open."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def main() -> None:
    """Read one request, write one answer."""
    with open(0, "rb", closefd=False) as source:
        request = msgspec.json.decode(source.read(), type=ManifestRequest)
    confine(memory_bytes=request.memory_bytes, cpu_seconds=request.seconds, file_bytes=0)
    data = msgspec.json.encode(answer(request))
    while data:
        data = data[os.write(1, data) :]


if __name__ == "__main__":
    main()
