"""Rows of the result, what was asked of them, and the table as Markdown."""

from collections.abc import Iterator, Sequence

import msgspec

from bench.measure import Times


class Check(msgspec.Struct, frozen=True):
    """What was asked of a row, what came out, and whether that is enough. Smaller is better unless `at_least`."""

    words: str
    value: float
    bound: float
    unit: str = "×"
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the bound holds."""
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def text(self) -> str:
        """One line of the table."""
        verb = "at least" if self.at_least else "at most"
        verdict = "met" if self.met else "**not met**"
        return f"{self.words}: {number(self.value)}{self.unit}, {verb} {number(self.bound)}{self.unit}: {verdict}"


class Row(msgspec.Struct):
    """One line of the table: a piece of work, what it took each tool, and what was asked of it."""

    name: str
    work: str
    times: dict[str, Times] = {}
    checks: list[Check] = []
    notes: list[str] = []


def number(value: float) -> str:
    """A number with as many places as say something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ratio(row: Row, words: str, ours: str, theirs: str, bound: float, *, at_least: bool = False) -> None:
    """Ask that our median over another's (or, with `at_least`, theirs over ours) keeps a bound."""
    if ours in row.times and theirs in row.times:
        a, b = row.times[ours].median, row.times[theirs].median
        row.checks.append(Check(words, b / a if at_least else a / b, bound, at_least=at_least))


def markdown(rows: Sequence[Row]) -> str:
    """The table."""
    lines = ["| work | median (range) | asked | notes |", "|---|---|---|---|"]
    lines += [_line(row) for row in rows]
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    times = [f"{tool} {found.text()}" for tool, found in row.times.items()]
    cells = [f"**{row.name}**: {row.work}", _joined(times), _joined(check.text() for check in row.checks)]
    return "| " + " | ".join([*cells, _joined(row.notes)]) + " |"


def _joined(texts: Sequence[str] | Iterator[str]) -> str:
    return "<br>".join(text.replace("|", "\\|") for text in texts)
