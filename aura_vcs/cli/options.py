"""Options that several commands have."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import click

from aura_vcs.cli.output.console import clean_input
from aura_vcs.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])
_DIGITS = 9
NUMBER_LIMIT = (1 << 53) - 1
"""As codec.NUMBER_LIMIT, which is not imported for parsing a command line."""
LONGEST_SECONDS = 36_525 * 86_400
"""A hundred years: longer is taken for that."""
_UNIT_WORDS = {f"{word}{end}" for word in ("second", "minute", "hour", "day", "week") for end in ("", "s")}
HELP = {"help_option_names": ["-h", "--help"]}


def completing(what: str) -> Callable[..., Any]:
    """Return what the shell asks when Tab is pressed: `complete_<what>` of cli.completion, imported then."""

    def offer(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
        from aura_vcs.cli import completion

        found: list[Any] = getattr(completion, f"complete_{what}")(ctx, parameter, incomplete)
        return found

    offer.__name__ = f"complete_{what}"
    return offer


def _ask_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.ensure_object(Session).console.as_json = True


def json_option(command: F) -> F:
    """Add `--json`: data, and errors too, as JSON on stdout."""
    return click.option(
        "--json", is_flag=True, expose_value=False, is_eager=True, callback=_ask_json,
        help="Print JSON for other programs (see docs/json.md)",
    )(command)  # fmt: skip


def _take_author(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Session).author = value


def author_option(command: F) -> F:
    """Add `--author`: who made it."""
    return click.option(
        "--author", metavar="NAME", expose_value=False, callback=_take_author,
        help="Who made it (default: AURA_AUTHOR, then your account)",
    )(command)  # fmt: skip


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic only in newer clicks
    """A time as people say it: `2d`, `yesterday`, `monday`, `last week`, a date; see history.names.moments."""

    name = "time"

    def __init__(self, edge: str) -> None:
        self._edge = edge

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Convert a time to the form that records have."""
        from aura_vcs.history.names.moments import parse_moment  # only where a time is given

        return parse_moment(str(value), "start" if self._edge == "start" else "end")


def since_until_options(command: F) -> F:
    """Add `--since` and `--until`: a stretch of time, both ends included."""
    command = click.option("--until", metavar="TIME", type=Moment("end"), help="Not newer")(command)
    said = "Not older: 2d, yesterday, monday, 'last week', '3 pm', '2 hours ago' or 2026-11-23"
    return click.option("--since", metavar="TIME", type=Moment("start"), help=said)(command)


def yes_option(command: F) -> F:
    """Add `--yes`: do not ask."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask")(command)


def dry_run_option(command: F) -> F:
    """Add `--dry-run`: show the plan and stop."""
    return click.option("--dry-run", is_flag=True, help="Show the plan and stop")(command)


def examples(*lines: str) -> str:
    """Format the examples at the end of a command's help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


class PathsCommand(click.Command):
    """A command with `[-- PATHS]`: what stands after `--` goes into the parameter `paths`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Part the arguments at the first `--`."""
        paths: list[str] = []
        if "--" in args:
            ctx.meta["aura.behind"] = True  # see completion
            place = args.index("--")
            args, paths = args[:place], args[place + 1 :]
        rest = super().parse_args(ctx, args)
        ctx.params["paths"] = tuple(paths)
        return rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Collect the usage line's parts."""
        return [*super().collect_usage_pieces(ctx), "[-- PATHS...]"]


class Text(click.ParamType):  # type: ignore[type-arg]  # generic only in newer clicks
    """Text for records and searches: bytes that are not UTF-8 become U+FFFD. Not for paths."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Clean a text from the command line."""
        return clean_input(str(value))


TEXT = Text()


class ByteSize(click.ParamType):  # type: ignore[type-arg]  # generic only in newer clicks
    """A number of bytes: `500000`, `500k`, `10M`, `2GB`; units of 1000."""

    name = "size"
    _UNITS: ClassVar = {"": 1, "b": 1, "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Convert a size to bytes."""
        if isinstance(value, int):
            return value
        text = str(value).strip().lower().replace(" ", "")
        digits = text.rstrip("bkmg")
        if not digits.isdecimal() or text[len(digits) :] not in self._UNITS or len(digits) > _DIGITS + _DIGITS:
            self.fail(f"{value!r} is not a size. Try 500k, 10M or 2G.", param, ctx)
        return int(digits) * int(self._UNITS[text[len(digits) :]])


class Count(click.IntRange):
    """A whole number: what is larger than anything can be is taken for all there is."""

    name = "whole number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Convert a number, at most NUMBER_LIMIT."""
        text = str(value).strip()
        if len(text) > _DIGITS and text.isascii() and text.isdecimal():
            value = text if len(text) < len(str(NUMBER_LIMIT)) else NUMBER_LIMIT
        return int(super().convert(value, param, ctx))

    def shell_complete(self, *_: Any) -> list[Any]:
        """Offer no completions."""
        return []


COUNT = Count(min=0)
POSITIVE = Count(min=1)


class Days(click.FloatRange):
    """A number of days, at most a hundred years of them."""

    def __init__(self) -> None:
        super().__init__(0, LONGEST_SECONDS // 86400)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Convert a number of days; refuse NaN, which is neither too small nor too large."""
        found = float(super().convert(value, param, ctx))
        if found != found:  # noqa: PLR0124 (only NaN is not itself)
            self.fail(f"{value!r} is not a number of days.", param, ctx)
        return found


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only in newer clicks
    """A length of time: `0`, `90s`, `30m`, `2h`, `14d`, `3w`, or plain seconds."""

    name = "time"
    _UNITS: ClassVar = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Convert a length of time to seconds."""
        if isinstance(value, float):
            return value
        text = str(value).strip().lower().replace(" ", "")
        digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = text[len(digits) :][:1] if text[len(digits) :] in _UNIT_WORDS else text[len(digits) :]
        if not digits.isdecimal() or unit not in self._UNITS or len(digits) > _DIGITS:
            self.fail(f"{value!r} is not a length of time. Try 0, 2h or 14d.", param, ctx)
        return float(min(int(digits) * self._UNITS[unit], LONGEST_SECONDS))


class Share(click.ParamType):  # type: ignore[type-arg]  # generic only in newer clicks
    """A part of something: `5%`, `0.5%`, `100%`."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Convert a percentage to a share from 0 (not included) to 1."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        number = text.removesuffix("%").strip()
        is_number = number.replace(".", "", 1).isdecimal() and number.isascii() and len(number) <= _DIGITS
        if not text.endswith("%") or not is_number or not 0 < float(number) <= 100:
            self.fail(f"{value!r} is not a share. Try 5% or 100%.", param, ctx)
        return float(number) / 100
