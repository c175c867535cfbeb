"""Write the pages of `docs/` that are made from the code (`make docs`); `--check` only compares."""

import ast
import inspect
import itertools
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import get_args

import aura_vcs
import click
from aura_vcs import errors
from aura_vcs.cli.main import cli
from aura_vcs.errors import AuraError, code_of

DOCS = Path(__file__).parent.parent / "docs"
WIDTH = 100


def cli_reference() -> str:
    """`cli-reference.md`: what `--help` says of every command."""
    lines = [
        "# Commands",
        "",
        "Made from `--help` by `make docs`; edit the commands, not this page. "
        "[json.md](json.md) has what `--json` prints, and the exit codes.",
        "",
    ]
    for words, help_text in _helps(cli, None, ("aura",)):
        lines += [f"{'#' * min(len(words) + 1, 4)} {' '.join(words)}", "", "```text", help_text, "```", ""]
    return "\n".join(lines)


def _helps(
    command: click.Command, parent: click.Context | None, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    ctx = click.Context(command, parent=parent, info_name=words[-1], **settings)
    yield words, "\n".join(line.rstrip() for line in command.get_help(ctx).splitlines())
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            if inner is not None and not inner.hidden:
                yield from _helps(inner, ctx, (*words, name))


def exit_codes() -> str:
    """`exit-codes.md`: the exit code and the JSON `code` of every error."""
    for module in pkgutil.iter_modules(errors.__path__):
        import_module(f"{errors.__name__}.{module.name}")
    rows = {(kind.exit_code, f"`{code_of(kind)}`", _first_line(kind)) for kind in _errors(AuraError)}
    rows |= {
        (0, "", "Done; also where there was nothing to do"),
        (1, f"`{code_of(AuraError)}`", "Something failed that has no code of its own"),
        (1, "`unexpected`", "A mistake in aura itself; `aura --traceback …` shows where"),
        (2, "`usage`", "The command line is wrong"),
        (141, "", "Nobody reads the output any more (`aura log | head`)"),
    }
    lines = [
        "# Exit codes",
        "",
        "Made from `aura_vcs/errors/` by `make docs`. With `--json`, the second column is `error.code`.",
        "",
        "| exit code | error | what it means |",
        "|---|---|---|",
        *(f"| {code} | {name} | {meaning} |" for code, name, meaning in sorted(rows)),
        "",
    ]
    return "\n".join(lines)


def _errors(kind: type[AuraError]) -> Iterator[type[AuraError]]:
    for inner in kind.__subclasses__():
        if inner.__module__.startswith(errors.__name__):
            yield inner
            yield from _errors(inner)


MARK = "<!-- Made from the docstrings by `make docs`; edit them, not this part. -->\n"


def api() -> str:
    """`api.md`: the guide as it is, and what the docstrings say of every name that is not an error."""
    guide = (DOCS / "api.md").read_text("utf-8").partition(MARK)[0]
    shown = {name: getattr(aura_vcs, name) for name in sorted(aura_vcs.__all__) if name != "__version__"}
    parts = [_described(name, it) for name, it in shown.items() if inspect.isroutine(it) or _is_own(it)]
    return "\n".join([guide + MARK, *parts])


def _is_own(it: object) -> bool:
    return inspect.isclass(it) and it.__module__.startswith("aura_vcs.api.")


def _described(name: str, it: type | Callable[..., object]) -> str:
    if not isinstance(it, type):
        return f"### aura.{name}\n\n```text\n{name}{_signature(it)}\n```\n\n{_text(it)}\n"
    lines = [f"### aura.{name}", "", _text(it), ""]
    fields = inspect.get_annotations(it)
    said = _field_docs(it)
    shown = [
        f"{field}: {_type(kind)}{said.get(field, '')}" for field, kind in fields.items() if not field.startswith("_")
    ]
    lines += ["```text", *shown, "```", ""] if shown else []
    owners = [owner for owner in it.__mro__ if owner is it or _is_part(owner)]
    for owner in owners:
        for method, member in vars(owner).items():
            lines += [] if method.startswith("_") else _member(method, member)
    return "\n".join([*lines, ""])


def _field_docs(it: type) -> dict[str, str]:
    """What stands below fields, as comments."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(it))).body[0]
    except (OSError, TypeError):
        return {}
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: "  # " + " ".join(text.value.value.split())
        for field, text in itertools.pairwise(body.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }  # fmt: skip


def _is_part(it: type) -> bool:
    """Whether a class is a part of another one that has no name of its own in the API."""
    return _is_own(it) and it.__name__ not in aura_vcs.__all__


def _member(method: str, member: object) -> list[str]:
    if isinstance(member, property | cached_property):
        return [f"- `{method}`: {_text(member)}"]
    if not inspect.isfunction(member):  # fields with defaults, and what makes one of these of the library's own
        return _member(method, member.__func__) if isinstance(member, classmethod) else []
    first, _, rest = _text(member).partition("\n")
    return [f"- `{method}{_signature(member, 1)}`", *_indented(f"{first}\n{rest}")]


def _indented(text: str) -> list[str]:
    return ["", *(f"  {line}".rstrip() for line in text.strip().splitlines()), ""]


def _text(it: object) -> str:
    return (inspect.getdoc(it) or "").strip()


ALIASES = {
    "str | PathLike[str]": "StrPath",
    "None | bool | int | float | str | Sequence['Json'] | Mapping[str, 'Json']": "Json",
    "Callable[[Step], None]": "Listener",
}
"""How the page writes what a name stands for."""


def _type(kind: object) -> str:
    shown = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
    shown = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z]|date|time)", "", shown)
    for long, short in ALIASES.items():
        shown = shown.replace(long, short)
    return shown


def _signature(function: Callable[..., object], skip: int = 0) -> str:
    found = inspect.signature(function)
    parts, named = [], False
    for item in list(found.parameters.values())[skip:]:
        if item.kind is item.VAR_POSITIONAL:
            named = True
            parts.append(f"*{item.name}: {_type(item.annotation)}")
            continue
        if item.kind is item.KEYWORD_ONLY and not named:
            named = True
            parts.append("*")
        if item.kind is item.VAR_KEYWORD:
            parts.append(f"**{item.name}: {get_args(item.annotation)[0].__name__}")
            continue
        default = "" if item.default is item.empty else f" = {item.default!r}".replace("datetime.", "")
        parts.append(f"{item.name}: {_type(item.annotation)}{default}")
    return f"({', '.join(parts)}) -> {_type(found.return_annotation)}"


def _first_line(kind: type[AuraError]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0].rstrip(".").replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {"cli-reference.md": cli_reference, "api.md": api, "exit-codes.md": exit_codes}


def main() -> None:
    """Write or compare every page."""
    stale = []
    for name, page in PAGES.items():
        path, text = DOCS / name, page()
        if "--check" not in sys.argv:
            path.write_text(text, "utf-8")
            print(f"wrote {path}")
        elif not path.exists() or path.read_text("utf-8") != text:
            stale.append(name)
    if stale:
        sys.exit(f"{', '.join(stale)} is not what the code says. Run `make docs`.")


if __name__ == "__main__":
    main()
