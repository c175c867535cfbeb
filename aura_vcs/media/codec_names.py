"""How codecs are called. Only the process that decodes calls this."""

from typing import Any


def codec_name(context: Any) -> str:
    """Return the name of what a stream is encoded in, not that of the decoder that is used (mp3, not mp3float)."""
    return str(context.codec.canonical_name or context.name)
