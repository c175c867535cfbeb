"""Documents as the studio's database has them become documents of a project. Pure.

The database knows two dialects: PascalCase with enumerations as numbers, and camelCase with their names. Keys that
nothing here knows stay as they are, as do values that are none of an enumeration.
"""

import json
import re
from collections.abc import Callable
from typing import Any, get_args

from aura_vcs.errors import AuraError
from aura_vcs.formats.jsondoc.spans import parse
from aura_vcs.project.documents.models import Aspect, Density, Pacing, Pause

PathOf = Callable[[str], str]
"""Returns a file's path in the project, or what it was given where the file is not known."""
_PATH = object()
_MINUTES = "target_duration_minutes"
_RENAMED = {"res": "resolution"}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def _plain(names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split())


_LLM = _plain(
    "temperature top_p top_k max_tokens frequency_penalty presence_penalty stop_sequences model_override "
    "response_format"
)
_VISUAL = {
    **_plain("id type start duration z_index opacity"),
    "file_path": _PATH,
    "position": _plain("x y width height"),
    "effects": _plain("brightness contrast saturation filter"),
}
_SHAPES: dict[str, dict[str, Any]] = {
    "brief": {
        **_plain("topic audience goal tone language"),
        "aspect": get_args(Aspect),
        "prompt_modifiers": _plain("additional_instructions example_style enable_chain_of_thought prompt_version"),
        "audience_profile": _plain("age_range education familiarity"),
        "rag_configuration": _plain(
            "enabled top_k minimum_score max_context_tokens include_citations tighten_claims enable_llm_query_expansion"
        ),
        "llm_parameters": _LLM,
    },
    "plan": {
        **_plain("target_duration style min_scene_count max_scene_count target_scene_count"),
        "pacing": get_args(Pacing),
        "density": get_args(Density),
        "refinement_config": _plain("enabled max_passes quality_threshold"),
    },
    "voice": {**_plain("voice_name rate pitch"), "pause": get_args(Pause)},
    "render": {
        **_plain("container video_bitrate_k audio_bitrate_k fps codec quality_level enable_scene_cut"),
        "resolution": _plain("width height"),
    },
    "timeline": {
        "scenes": [
            {
                **_plain("index heading script start duration transition_type transition_duration"),
                "narration_audio_path": _PATH,
                "visual_assets": [_VISUAL],
            }
        ],
        "background_music_path": _PATH,
        "subtitles": {
            **_plain("enabled position font_size font_color background_color background_opacity"),
            "file_path": _PATH,
        },
    },
}


def document(kind: str, content: str, path_of: PathOf) -> bytes | None:
    """Return the document of one of the five kinds that a text becomes; None if it is not a JSON object.

    Durations stay as they are written; minutes become seconds.
    """
    try:
        value = parse(content.encode("utf-8", "replace"), kind).value()
    except AuraError:
        return None
    if not isinstance(value, dict):
        return None
    return encoded(_translated(value, _SHAPES[kind], path_of))


def encoded(value: Any, *, in_lines: bool = True) -> bytes:
    """Encode a document as projects have them; or, with `in_lines` false, on one line."""
    indent = 2 if in_lines else None
    try:
        return (json.dumps(value, indent=indent, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:  # half of a surrogate pair: only the escaped form can have it
        return (json.dumps(value, indent=indent) + "\n").encode()


def snake_case(name: str) -> str:
    """Return a name of either dialect as ours are written."""
    return _HUMP.sub("_", name).lower()


def _translated(value: Any, shape: Any, path_of: PathOf) -> Any:
    if shape is _PATH:
        return path_of(value) if isinstance(value, str) and value else value
    if isinstance(shape, tuple):
        return _choice(value, shape)
    if isinstance(shape, list):
        return [_translated(item, shape[0], path_of) for item in value] if isinstance(value, list) else value
    if isinstance(shape, dict) and isinstance(value, dict):
        return _object(value, shape, path_of)
    return value


def _object(value: dict[str, Any], shape: dict[str, Any], path_of: PathOf) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = snake_case(key)
        name = _RENAMED.get(name, name)
        if name == _MINUTES and "target_duration" in shape and _is_number(item):
            name, item = "target_duration", item * 60  # noqa: PLW2901 (one value)
        if name in shape and name not in found and (name == key or name not in value):
            found[name] = _translated(item, shape[name], path_of)
        else:
            found[key] = item
    return found


def _choice(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    if isinstance(value, str):
        return next((name for name in names if name.lower() == value.lower()), value)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
