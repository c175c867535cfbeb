"""The kinds of fields that documents have, as annotated types.

What msgspec's constraints cannot say stands in `Meta(extra=…)`, where `validate` reads it:
`kind` ("duration", "media", "time", "colour") and `required`. Every field has a default, so
that a view exists also of a document that lacks some.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

AssetType = Literal["Audio", "Image", "Video", "Subtitle"]

Required = Annotated[str, Meta(min_length=1, max_length=500, extra={"required": True})]
"""Text that must be there."""
ShortText = Annotated[str, Meta(max_length=500)]
LongText = Annotated[str, Meta(max_length=2000)]
Script = Annotated[str, Meta(max_length=100_000)]
Time = Annotated[str, Meta(extra={"kind": "time"})]
"""UTC, RFC 3339."""
Seconds = Annotated[float, Meta(ge=0, extra={"kind": "duration"})]
"""Stored as seconds or `hh:mm:ss.fffffff`; seconds in the view."""
RequiredSeconds = Annotated[float, Meta(ge=0, extra={"kind": "duration", "required": True})]
Colour = Annotated[str, Meta(extra={"kind": "colour"})]
"""`#RRGGBB`."""
Share = Annotated[float, Meta(ge=0, le=1)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Index = Annotated[int, Meta(ge=0, le=1_000_000, extra={"required": True})]
Pixels = Annotated[int, Meta(ge=16, le=16384)]
Factor = Annotated[float, Meta(ge=0, le=10)]
Extra = dict[str, Any]
"""An object whose fields belong to the program that wrote it."""

AudioPath = Annotated[str, Meta(extra={"kind": "media", "types": ["Audio"]})]
"""A file of the project, from its folder, `/` between parts; empty for none."""
ImagePath = Annotated[str, Meta(extra={"kind": "media", "types": ["Image"]})]
VisualPath = Annotated[str, Meta(extra={"kind": "media", "types": ["Image", "Video", "Audio"], "required": True})]
SubtitlePath = Annotated[str, Meta(extra={"kind": "media", "types": ["Subtitle"]})]
