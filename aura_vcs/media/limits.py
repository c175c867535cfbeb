"""The limits that a process which decodes media sets itself, before a decoder is loaded."""

from contextlib import suppress


def confine(*, memory_bytes: int, cpu_seconds: int | None, file_bytes: int | None) -> None:
    """Let the kernel end this process when it takes too much, and forbid core dumps; as far as the system can.

    Without `cpu_seconds` or `file_bytes` it may take as long, or write as much, as its parent lets it.
    """
    try:
        import resource
    except ImportError:  # Windows: the caller's clock and the pixel limits remain
        return
    wanted = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, memory_bytes)]
    if cpu_seconds is not None:
        wanted.append((resource.RLIMIT_CPU, cpu_seconds))
    if file_bytes is not None:
        wanted.append((resource.RLIMIT_FSIZE, file_bytes))
    for what, amount in wanted:
        _, hard = resource.getrlimit(what)
        allowed = amount if hard == resource.RLIM_INFINITY else min(amount, hard)
        with suppress(ValueError, OSError):  # macOS knows no limit on the address space
            resource.setrlimit(what, (allowed, allowed))
