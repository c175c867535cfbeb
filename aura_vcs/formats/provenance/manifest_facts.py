"""What a C2PA manifest says, as facts: a claim of whoever signed it, and nothing that is believed.

The report comes from a process that read a hostile file: every shape is checked, every text is cut.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import msgspec

from aura_vcs.formats.provenance.facts import Facts, proper_facts

TEXT = 200
"""Characters of a name that is taken over."""
ITEMS = 50
"""Actions and ingredients of a manifest that are taken over."""
_GENERATED = (
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "algorithmicMedia",
    "compositeSynthetic",
)
_RECORDED = ("digitalCapture", "computationalCapture", "negativeFilm", "positiveFilm", "print", "screenCapture")
_LINKS = ("activeManifest", "c2pa_manifest", "data", "claimSignature")
_WRONG = ("mismatch", "invalid", "missing", "outsideValidity", "revoked", "expired")


class ManifestRequest(msgspec.Struct, frozen=True):
    """A file to read a manifest from: its number, its media type, and what that may cost.

    Where `verify` is false, the bytes of the file are not held against the manifest.
    """

    file: int
    format: str
    memory_bytes: int
    seconds: int
    verify: bool


class ManifestAnswer(msgspec.Struct, frozen=True):
    """The report of a manifest as JSON, or why there is none."""

    report: str = ""
    problem: str = ""


def manifest_facts(report: object, *, verified: bool) -> Facts:
    """Return the facts of a report; empty where it has no shape that is known. Never raises for any JSON."""
    manifests = _dict(_dict(report).get("manifests"))
    active = _dict(manifests.get(str(_dict(report).get("active_manifest"))))
    if not active:
        return {}
    claim, assertions = _dict(active.get("claim")), _dict(active.get("assertion_store"))
    actions = list(_actions(assertions))
    created = next((a for a in actions if a.get("action") in ("c2pa.created", "c2pa.published")), {})
    source = _text(created.get("digitalSourceType")).rpartition("/")[2]
    generator = _generator(claim)
    agent = _agent(created.get("softwareAgent"))
    ingredients = [
        line for name, item in assertions.items() if name.startswith("c2pa.ingredient") for line in _ingredient(item)
    ]
    facts: dict[str, Any] = {
        "kind": _kind(source, is_edit=bool(ingredients)),
        "program": generator or agent,
        "model": agent if source in _GENERATED and agent != generator else None,
        "source_type": source,
        "actions": ", ".join(_text(a.get("action")).removeprefix("c2pa.") for a in actions if _text(a.get("action"))),
        "ingredients": "\n".join(ingredients[:ITEMS]),
        "signature": _signature(active, _dict(report), verified=verified),
        "made_at": _text(_dict(active.get("signature")).get("time")),
        "origin": "file",
    }
    return proper_facts(facts, of_file=True)


def _kind(source: str, *, is_edit: bool) -> str | None:
    if source in _GENERATED:
        return "generated"
    if source in _RECORDED:
        return "recorded"
    return "derived" if is_edit else None


def _actions(assertions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, item in assertions.items():
        if name.startswith("c2pa.actions"):
            for action in _list(_dict(item).get("actions"))[:ITEMS]:
                if isinstance(action, dict):
                    yield action


def _generator(claim: dict[str, Any]) -> str:
    given = claim.get("claim_generator_info")
    info = _dict(_list(given)[0]) if _list(given) else _dict(given)
    named = " ".join(part for part in (_text(info.get("name")), _text(info.get("version"))) if part)
    return named or _text(claim.get("claim_generator"))


def _agent(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(part for part in (_text(value.get("name")), _text(value.get("version"))) if part)
    return _text(value)


def _ingredient(item: object) -> Iterator[str]:
    found = _dict(item)
    name = _text(found.get("dc:title")) or _text(found.get("title")) or "without a name"
    relation = {"parentOf": "edited", "componentOf": "placed in it", "inputTo": "given to what made it"}
    words = [relation.get(_text(found.get("relationship")), "")]
    for link in _LINKS:
        if digest := _digest(_dict(found.get(link)).get("hash")):
            words.append(f"{'its manifest' if link != 'data' else 'its data'}: {digest}")
            break
    said = ", ".join(word for word in words if word)
    yield f"{name} ({said})" if said else name


def _digest(value: object) -> str:
    try:
        data = base64.b64decode(value, validate=True) if isinstance(value, str) and len(value) < TEXT else b""
    except (binascii.Error, ValueError):
        return ""
    return data.hex()


def _signature(active: dict[str, Any], report: dict[str, Any], *, verified: bool) -> str:
    info = _dict(active.get("signature"))
    name, person = _text(info.get("issuer")), _text(info.get("common_name"))
    who = f"{name} ({person})" if name and person and name != person else name or person or "nobody who is named"
    return f"signed by {who}, {_checked(report, verified=verified)}"


def _checked(report: dict[str, Any], *, verified: bool) -> str:
    """Say what was checked: the signature and the bytes, as far as they were; never who signed."""
    if not verified:
        return "not checked"
    results = _dict(_dict(report.get("validation_results")).get("activeManifest"))
    codes = {_text(_dict(item).get("code")) for item in _list(results.get("failure"))} - {"signingCredential.untrusted"}
    if codes:
        words = sorted(code for code in codes if any(word in code.lower() for word in _WRONG)) or sorted(codes)
        return f"checked: it does not hold ({', '.join(words[:3])})"
    if "claimSignature.validated" not in {_text(_dict(i).get("code")) for i in _list(results.get("success"))}:
        return "not checked"
    return "checked: it fits the file; who signed is not checked"


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return " ".join(value[: 4 * TEXT].split())[:TEXT] if isinstance(value, str) else ""
