"""Fingerprints of the parts of a project that are not looked into: equal where those are."""

import hashlib
import json
from collections.abc import Container

from aura_vcs.formats.jsondoc.values import JsonValue
from aura_vcs.formats.xmldoc.parse import Element


def digest_of(value: JsonValue) -> str:
    """Return a short text that is equal for equal values; "" for what is empty."""
    if not value:
        return ""
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).hexdigest()


def element_value(element: Element, *, without: Container[str] = (), names: Container[str] = ()) -> JsonValue:
    """Return an element and all in it as lists, to be compared: no attribute in `without`, no element of `names`.

    Space around text does not count.
    """
    attributes = sorted((key, value) for key, value in element.attributes.items() if key not in without)
    children = [
        element_value(child, without=without, names=names) for child in element.children if child.tag not in names
    ]
    return [element.tag, attributes, element.text.strip(), children]
