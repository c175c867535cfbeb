"""What generators of pictures write into their files: AUTOMATIC1111, ComfyUI, InvokeAI, and those that write alike.

Sources: the `parameters` text of stable-diffusion-webui, ComfyUI's `prompt` graph (the nodes of one run, by number),
InvokeAI's `invokeai_metadata`. All of it is text that somebody wrote: it is taken apart, and nothing in it is run.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aura_vcs.formats.jsondoc.parse import ParsedDocument, parse_document
from aura_vcs.formats.jsondoc.values import Limits

_LIMITS = Limits(size=4 << 20, values=100_000, depth=100)
_NEGATIVE = "Negative prompt:"
_SETTING = re.compile(r'\s*([\w /()-]{1,60}?):\s*("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')
_KNOWN = {"seed": "seed", "model": "model", "model hash": "model_version"}
_SAMPLERS = ("KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced")
_NODES = 2_000
_STEPS = 40


def from_texts(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return what a picture's texts, by their keys, say of how it was made; empty where they are no generator's."""
    if "parameters" in texts and "Steps:" in texts["parameters"]:
        return _webui(texts["parameters"])
    if "invokeai_metadata" in texts:
        return _invoke(texts["invokeai_metadata"])
    if "prompt" in texts and texts["prompt"].lstrip().startswith("{"):
        return _comfy(texts["prompt"])
    return {}


def _webui(text: str) -> dict[str, Any]:
    """Take the text apart: the prompt, a line with the negative one, a line of settings at the end."""
    lines = text.strip().splitlines()
    last = next((n for n in range(len(lines) - 1, -1, -1) if "Steps:" in lines[n]), len(lines))
    settings, said = lines[last] if last < len(lines) else "", "\n".join(lines[:last])
    prompt, _, negative = said.partition(_NEGATIVE)
    found: dict[str, Any] = {
        "kind": "generated",
        "program": "stable-diffusion-webui",
        "prompt": prompt.strip(),
        "negative_prompt": negative.strip(),
    }
    parameters: dict[str, str] = {}
    for name, value in _SETTING.findall(settings):
        plain = value.strip().strip('"')
        key = _KNOWN.get(name.strip().lower())
        if key is not None:
            found[key] = plain
        elif len(parameters) < _STEPS:
            parameters[name.strip()] = plain
    return {**found, "parameters": parameters}


def _invoke(text: str) -> dict[str, Any]:
    value = _json(text)
    if not isinstance(value, dict):
        return {}
    model = value.get("model")
    name = model.get("name", model.get("model_name")) if isinstance(model, dict) else model
    kept = ("width", "height", "steps", "cfg_scale", "scheduler", "generation_mode")
    return {
        "kind": "generated",
        "program": "InvokeAI",
        "model": name if isinstance(name, str) else None,
        "prompt": value.get("positive_prompt"),
        "negative_prompt": value.get("negative_prompt"),
        "seed": value.get("seed"),
        "parameters": {key: value[key] for key in kept if isinstance(value.get(key), str | int | float)},
    }


def _comfy(text: str) -> dict[str, Any]:
    """Follow the graph from its sampler to the texts and the model that it was given."""
    graph = _json(text)
    nodes = {str(key): node for key, node in graph.items() if isinstance(node, dict)} if isinstance(graph, dict) else {}
    if not nodes or len(nodes) > _NODES:
        return {}
    sampler = next((n for n in nodes.values() if n.get("class_type") in _SAMPLERS), None)
    found: dict[str, Any] = {"kind": "generated", "program": "ComfyUI"}
    model = next(_models(nodes), None)
    if model is not None:
        found["model"] = model
    if sampler is None:
        return found
    given = _inputs(sampler)
    found["seed"] = next((v for k in ("seed", "noise_seed") if isinstance(v := given.get(k), int)), None)
    found["prompt"] = _text_behind(nodes, given.get("positive"))
    found["negative_prompt"] = _text_behind(nodes, given.get("negative"))
    kept = ("steps", "cfg", "sampler_name", "scheduler", "denoise")
    found["parameters"] = {key: given[key] for key in kept if isinstance(given.get(key), str | int | float)}
    return found


def _inputs(node: dict[str, Any]) -> dict[str, Any]:
    given = node.get("inputs")
    return given if isinstance(given, dict) else {}


def _models(nodes: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    for node in nodes.values():
        for key in ("ckpt_name", "unet_name", "model_name"):
            if isinstance(name := _inputs(node).get(key), str):
                yield name


def _text_behind(nodes: Mapping[str, dict[str, Any]], link: object) -> str | None:
    """Return the text that a link of the graph comes from, through nodes that pass it on."""
    waiting, seen = [link], set[str]()
    while waiting and len(seen) < _STEPS:
        at = waiting.pop(0)
        if not isinstance(at, list) or not at or str(at[0]) in seen:
            continue
        seen.add(str(at[0]))
        given = _inputs(nodes.get(str(at[0]), {}))
        for key in ("text", "text_g", "prompt", "string"):
            if isinstance(text := given.get(key), str):
                return text
        waiting += [value for value in given.values() if isinstance(value, list)]
    return None


def _json(text: str) -> Any:
    document = parse_document(text.encode("utf-8", "replace"), _LIMITS)
    return document.value if isinstance(document, ParsedDocument) else None
