"""One part of a pattern, between two slashes, held against one name.

A glob is cut at its stars into pieces of fixed length. The first piece stands at the beginning of
the name, the last at its end, and each one between is taken where it comes first: taking it later
could only leave less room for the rest. So nothing is ever tried again, whatever the pattern is.
"""

import re

_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "cntrl": "\\x00-\\x1f\\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t-\\r ",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
"""What stands in a set as `[:alpha:]`, in the words of `re`."""

Token = str | None | tuple[str, ...]
"""A letter that stands for itself; None for a star; a set, as one expression of `re`, in a tuple."""
ANY_LETTER: Token = ("(?s:.)",)


class BadPattern(ValueError):
    """A pattern that can match nothing; the text says why."""


class LetterRun:
    """Letters and sets without a star: `length` letters of a name."""

    __slots__ = ("_expression", "_tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._expression: re.Pattern[str] | None = None

    def __len__(self) -> int:
        return len(self._tokens)

    @property
    def expression(self) -> re.Pattern[str]:
        """The same for `re`; it has nothing in it that could be tried twice."""
        if self._expression is None:
            words = (re.escape(t) if isinstance(t, str) else (t or ("",))[0] for t in self._tokens)
            self._expression = re.compile("".join(words))
        return self._expression


class Glob:
    """A part of a pattern with stars, question marks or sets in it, cut at its stars."""

    __slots__ = ("_least", "_middle", "_pieces")

    def __init__(self, pieces: "list[str | LetterRun]") -> None:
        self._pieces = pieces
        self._middle = [piece for piece in pieces[1:-1] if piece]
        self._least = sum(map(len, pieces))

    @property
    def literal(self) -> str:
        """Letters that every name has which it matches, as many as there are one after the other."""
        return max((piece for piece in self._pieces if isinstance(piece, str)), key=len, default="")

    def matches(self, name: str) -> bool:
        """Tell whether the whole name matches."""
        first, last = self._pieces[0], self._pieces[-1]
        length = len(name)
        if length < self._least or not _stands_at(first, name, 0):
            return False
        if len(self._pieces) == 1:
            return length == self._least
        start, end = len(first), length - len(last)
        if not _stands_at(last, name, end):
            return False
        for piece in self._middle:
            at = _find(piece, name, start, end)
            if at < 0:
                return False
            start = at + len(piece)
        return True


def glob_of(tokens: list[Token]) -> Glob:
    """Build the glob of letters, stars and sets."""
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token is None:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return Glob([_piece(piece) for piece in pieces])


def _piece(tokens: list[Token]) -> str | LetterRun:
    text = [token for token in tokens if isinstance(token, str)]
    return "".join(text) if len(text) == len(tokens) else LetterRun(tokens)


def _stands_at(piece: str | LetterRun, name: str, start: int) -> bool:
    """Tell whether the name has the piece at this place."""
    if isinstance(piece, str):
        return name.startswith(piece, start)
    return piece.expression.match(name, start) is not None


def _find(piece: str | LetterRun, name: str, start: int, end: int) -> int:
    """Find where the piece comes first between two places of the name; -1 if nowhere."""
    if isinstance(piece, str):
        return name.find(piece, start, end)
    found = piece.expression.search(name, start, end)
    return found.start() if found else -1


def set_at(text: str, start: int) -> tuple[Token, int]:
    """Read the set whose `[` stands at `start`, and return it and where the text after it begins; as git reads it.

    Raises:
        BadPattern: it does not end, or git would find something in it that nobody meant.
    """
    at = start + 1
    is_negated = text[at : at + 1] in {"!", "^"}
    at += is_negated
    inside: list[str] = []
    before = ""
    is_first = True
    while is_first or text[at : at + 1] != "]":
        is_first = False
        item, before, at = _item(text, at, before)
        inside.append(item)
    return (f"[{'^' if is_negated else ''}{''.join(inside)}]",), at + 1


def _item(text: str, at: int, before: str) -> tuple[str, str, int]:
    """Read one thing in a set, in the words of `re`; the letter that a range after it begins with; what comes next."""
    letter = _letter(text, at)
    if letter == "[" and text[at + 1 : at + 2] == ":":
        end = text.find("]", at + 2)
        if end < 0:
            raise BadPattern("its [ has no ]")
        name = text[at + 2 : end - 1]
        if end - 1 >= at + 2 and text[end - 1] == ":":
            if name not in _CLASSES:
                raise BadPattern(f"there is no [:{name}:]")
            return _CLASSES[name], "", end + 1
    if letter == "-" and before and text[at + 1 : at + 2] not in {"", "]"}:
        last, at = _escaped(text, at + 1)
        if last < before:
            raise BadPattern(f"{before}-{last} in its [ ] runs backwards")
        return f"{_quoted(before)}-{_quoted(last)}", "", at
    letter, at = _escaped(text, at)
    return _quoted(letter), letter, at


def _letter(text: str, at: int) -> str:
    if at >= len(text):
        raise BadPattern("its [ has no ]")
    return text[at]


def _escaped(text: str, at: int) -> tuple[str, int]:
    """Read the letter at a place in a set, and what comes after; a backslash makes the next one stand for itself."""
    if _letter(text, at) == "\\":
        at += 1
    return _letter(text, at), at + 1


def _quoted(letter: str) -> str:
    return f"\\{letter}" if letter in "\\]^-[&~|" else letter
