"""Numbers that stand for JSON values: two values get the same number exactly when they are the same.

Hash consing: a container's key is made of its children's numbers, so comparing two subtrees of
any size costs one comparison, and there are no collisions to think about.
"""

from collections.abc import Hashable

from aura_vcs.formats.jsondoc.values import JsonValue, check_depth


class Fingerprints:
    """Gives out the numbers for the values of a comparison.

    Remembers containers by their address: the documents must stay alive and unchanged while
    this object is used, which `add` ensures by holding on to them.
    """

    def __init__(self, *documents: JsonValue) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._containers: dict[int, int] = {}
        self._alive: list[JsonValue] = []
        for document in documents:
            self.add(document)

    def add(self, document: JsonValue) -> int:
        """Take in a document and all its parts.

        Raises:
            LimitExceeded: it is nested too deeply.
        """
        check_depth(document)
        self._alive.append(document)
        return self._number(document)

    def of(self, value: JsonValue) -> int:
        """Return the number of a value that is part of a document taken in."""
        if isinstance(value, dict | list):
            return self._containers[id(value)]
        return self._number(value)

    def _number(self, value: JsonValue) -> int:
        kind = type(value)
        key: Hashable
        numbers = self._numbers
        if kind is str:
            key = value
        elif kind is dict:  # texts are most of what there is: they get their numbers without a call
            key = ("{", *sorted([
                (name, numbers.setdefault(item, len(numbers)) if type(item) is str else self._number(item))
                for name, item in value.items()
            ]))  # fmt: skip
        elif kind is list:
            key = ("[", *[
                numbers.setdefault(item, len(numbers)) if type(item) is str else self._number(item) for item in value
            ])  # fmt: skip
        elif kind is float:
            key = (float, repr(value))  # keeps 0.0 and -0.0 apart, and any NaN equal to itself
        else:
            key = (kind, value)
        number = numbers.setdefault(key, len(numbers))
        if kind is dict or kind is list:
            self._containers[id(value)] = number
        return number
