"""Patterns of paths in gitignore's syntax, whoever wrote them.

They come with a clone, a pull or a setting, so they may be meant to hurt: holding a path against a
pattern takes a number of steps that their lengths bound, and many patterns are only tried where a
few letters of theirs are in the path. A line that is not a pattern is passed over, as git does it, and
named.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from aura_vcs.worktree.scan.glob import ANY_LETTER, BadPattern, Glob, LetterRun, Token, glob_of, set_at

LINE_LIMIT = 8192
"""Letters of a pattern; no path is half as long."""
PATTERNS_APART = 48
"""So many patterns with stars are simply tried one after the other."""
_GRAM = 4
"""Letters by which a pattern is found among many."""
_GRAMS = 12
"""The first so many places of a pattern where such letters begin: among them the rarest are taken."""
_MEANING = frozenset("*?[\\")
"""A pattern without these is text."""
_SETS = frozenset("?[\\")
"""A pattern without these has only stars."""


class AnyDepth:
    """`**`: any number of folders, also none."""


ANY_DEPTH = AnyDepth()
Part = str | Glob | AnyDepth
"""What stands between two slashes."""


class Pattern(NamedTuple):
    """A line of rules. `is_anchored`: it is held against the whole path, not against the name alone."""

    parts: tuple[Part, ...]
    is_negated: bool
    is_anchored: bool
    only_folders: bool

    def matches(self, path: str, name: str) -> bool:
        """Tell whether it means the path, called `name` (only if that is a folder, where only folders are meant)."""
        if self.is_anchored:
            return _match_parts(self.parts, path.split("/"))
        return _match(self.parts[0], name)


class BadLine(NamedTuple):
    """A line that is not a pattern; lines count from 1."""

    line: int
    text: str
    reason: str


class Patterns:
    """Patterns in the order in which they were written: the last that matches decides."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        self._is_sorted = False
        self._names: dict[str, list[int]] = {}
        """Patterns that are the text of a name, by it."""
        self._paths: dict[str, list[int]] = {}
        """Patterns that are the text of a path, by it."""
        self._others: list[int] = []
        """Patterns that are tried on every path, the last one first."""
        self._grams: dict[str, list[int]] = {}
        """Patterns that are tried on paths with these letters."""

    def _sort(self) -> None:
        for number, pattern in enumerate(self._patterns):
            if not all(isinstance(part, str) for part in pattern.parts):
                self._others.append(number)
            elif pattern.is_anchored:
                self._paths.setdefault("/".join(map(str, pattern.parts)), []).append(number)
            else:
                self._names.setdefault(str(pattern.parts[0]), []).append(number)
        if len(self._others) > PATTERNS_APART:
            self._sort_by_grams()
        self._others.reverse()
        self._is_sorted = True

    def _sort_by_grams(self) -> None:
        others, self._others = self._others, []
        grams = self._grams
        for number in others:
            text = _literal(self._patterns[number])
            rarest, least = "", len(self._patterns)
            for at in range(min(len(text) - _GRAM + 1, _GRAMS)):
                gram = text[at : at + _GRAM]
                count = len(grams[gram]) if gram in grams else 0
                if count < least:
                    rarest, least = gram, count
            if rarest:
                grams.setdefault(rarest, []).append(number)
            else:
                self._others.append(number)

    def __len__(self) -> int:
        return len(self._patterns)

    def verdict(self, path: str, name: str, *, is_folder: bool) -> bool | None:
        """Return what the last matching pattern says: True for yes, False if it begins with `!`; None if there is none.

        Folders above the path are not looked at.
        """
        if not self._is_sorted:
            self._sort()
        best = -1
        for number in (*self._names.get(name, ()), *self._paths.get(path, ())):
            if number > best and (is_folder or not self._patterns[number].only_folders):
                best = number
        for number in self._candidates(path):
            if number < best:
                break
            pattern = self._patterns[number]
            if (is_folder or not pattern.only_folders) and pattern.matches(path, name):
                best = number
                break
        return None if best < 0 else not self._patterns[best].is_negated

    def _candidates(self, path: str) -> Sequence[int]:
        """Return the patterns that are to be tried on a path, the last one first."""
        if not self._grams:
            return self._others
        found = set(self._others)
        for at in range(len(path) - _GRAM + 1):
            found.update(self._grams.get(path[at : at + _GRAM], ()))
        return sorted(found, reverse=True)

    def matches_file(self, path: str) -> bool:
        """Tell whether the patterns mean a file, or a folder that it is in."""
        at = path.find("/")
        start = 0
        while at >= 0:
            if self.verdict(path[:at], path[start:at], is_folder=True):
                return True
            start = at + 1
            at = path.find("/", start)
        return bool(self.verdict(path, path[start:], is_folder=False))


def parse_patterns(lines: Iterable[str]) -> tuple[Patterns, list[BadLine]]:
    """Parse the patterns that the lines hold, and return them and the lines that hold none and are no remark."""
    found: list[Pattern] = []
    bad: list[BadLine] = []
    for number, line in enumerate(lines, 1):
        try:
            pattern = parse_pattern(line)
        except BadPattern as error:
            bad.append(BadLine(number, line, str(error)))
            continue
        if pattern is not None:
            found.append(pattern)
    return Patterns(found), bad


def parse_pattern(line: str) -> Pattern | None:
    """Parse the pattern that a line holds; None for an empty line or a remark.

    Raises:
        BadPattern: it could match nothing.
    """
    if not line or line[0] == "#":
        return None
    if len(line) > LINE_LIMIT:
        raise BadPattern(f"it is longer than {LINE_LIMIT:,} letters")
    if "\0" in line:
        raise BadPattern("it has a NUL in it")
    text = _without_spaces(line)
    if not text:
        return None
    is_negated = text[0] == "!"
    body = text[is_negated:]
    only_folders = body.endswith("/")
    body = body[: len(body) - only_folders]
    if not body:
        raise BadPattern("it names nothing")
    is_anchored = "/" in body
    if body[0] == "/":
        body = body[1:]
    if not body:
        raise BadPattern("it names nothing")
    if _MEANING.isdisjoint(body):
        return Pattern(tuple(body.split("/")), is_negated, is_anchored, only_folders)
    if _SETS.isdisjoint(body):
        parts = tuple([_stars(part) if "*" in part else part for part in body.split("/")])
    else:
        parts = tuple(map(_part, _split(body)))
    if not is_anchored and parts[0] is ANY_DEPTH:
        parts = (Glob(["", ""]),)
    return Pattern(parts, is_negated, is_anchored, only_folders)


def _without_spaces(line: str) -> str:
    """Return the line without the spaces at its end, except one behind a backslash."""
    text = line.rstrip(" ")
    if text == line:
        return text
    backslashes = len(text) - len(text.rstrip("\\"))
    return f"{text} " if backslashes % 2 else text


def _split(body: str) -> Iterator[list[Token]]:
    """Yield what stands between slashes, letter by letter; a slash in a set parts nothing."""
    tokens: list[Token] = []
    at = 0
    while at < len(body):
        letter, at = body[at], at + 1
        if letter == "\\":
            if at == len(body):
                raise BadPattern("it ends in a backslash (folders are written with /)")
            letter, at = body[at], at + 1
            if letter != "/":
                tokens.append(letter)
                continue
        if letter == "/":
            yield tokens
            tokens = []
        elif letter == "*":
            tokens.append(None)
        elif letter == "?":
            tokens.append(ANY_LETTER)
        elif letter == "[":
            token, at = set_at(body, at - 1)
            tokens.append(token)
        else:
            tokens.append(letter)
    yield tokens


def _stars(text: str) -> Part:
    """Build a part with no other signs than stars."""
    pieces: list[str | LetterRun] = [*text.split("*")]
    return ANY_DEPTH if len(pieces) > 2 and not any(pieces) else Glob(pieces)


def _part(tokens: list[Token]) -> Part:
    if len(tokens) > 1 and all(token is None for token in tokens):
        return ANY_DEPTH
    if all(isinstance(token, str) for token in tokens):
        return "".join(map(str, tokens))
    return glob_of(tokens)


def _match(part: Part, name: str) -> bool:
    return part == name if isinstance(part, str) else isinstance(part, Glob) and part.matches(name)


def _match_parts(parts: Sequence[Part], names: Sequence[str]) -> bool:
    """Tell whether the names of a path match, as a Glob does letters: each run of parts where it comes first."""
    runs: list[list[Part]] = [[]]
    for part in parts:
        if part is ANY_DEPTH:
            runs.append([])
        else:
            runs[-1].append(part)
    first, last = runs[0], runs[-1]
    if len(runs) == 1:
        return len(first) == len(names) and _stands_at(first, names, 0)
    end = len(names) - (len(last) or 1)  # `folder/**` is what is in the folder, not the folder
    if sum(map(len, runs[:-1])) > end or not _stands_at(first, names, 0) or not _stands_at(last, names, end):
        return False
    start = len(first)
    for run in runs[1:-1]:
        while start + len(run) <= end and not _stands_at(run, names, start):
            start += 1
        start += len(run)
        if start > end:
            return False
    return True


def _stands_at(run: Sequence[Part], names: Sequence[str], start: int) -> bool:
    return all(_match(part, names[start + at]) for at, part in enumerate(run))


def _literal(pattern: Pattern) -> str:
    """Return the longest text that every path has which the pattern matches."""
    texts = (part.literal if isinstance(part, Glob) else part for part in pattern.parts)
    return max((text for text in texts if isinstance(text, str)), key=len, default="")
