"""Write the pages of `docs/` that are made from the code (`make docs`); `--check` only compares."""

import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
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
    """`api.md`: the guide as it is, and what the docstrings say of every name that is no error."""
    guide = (DOCS / "api.md").read_text("utf-8").partition(MARK)[0]
    shown = {name: getattr(aura_vcs, name) for name in aura_vcs.__all__ if name != "__version__"}
    parts = [_described(name, it) for name, it in shown.items() if inspect.isroutine(it) or _is_own(it)]
    return "\n".join([guide + MARK, *parts])


def _is_own(it: object) -> bool:
    return inspect.isclass(it) and it.__module__.startswith("aura_vcs.api.")


def _described(name: str, it: type | Callable[..., object]) -> str:
    if not isinstance(it, type):
        return f"### aura.{name}\n\n```text\n{name}{_signature(it)}\n```\n\n{_text(it)}\n"
    lines = [f"### aura.{name}", "", _text(it), ""]
    fields = inspect.get_annotations(it)
    shown = [f"{field}: {_type(kind)}" for field, kind in fields.items() if not field.startswith("_")]
    lines += ["```text", *shown, "```", ""] if shown else []
    for method, member in vars(it).items():
        function = getattr(member, "__func__", member)
        if method.startswith("_") or isinstance(member, classmethod):
            continue
        if isinstance(member, property):
            lines.append(f"- `{method}`: {_text(member)}")
        elif inspect.isfunction(function):
            first, _, rest = _text(function).partition("\n")
            lines += [f"- `{method}{_signature(function, 1)}`", *_indented(f"{first}\n{rest}")]
    return "\n".join([*lines, ""])


def _indented(text: str) -> list[str]:
    return ["", *(f"  {line}".rstrip() for line in text.strip().splitlines()), ""]


def _text(it: object) -> str:
    return (inspect.getdoc(it) or "").strip()


def _type(kind: object) -> str:
    shown = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", shown).replace("str | PathLike[str]", "StrPath")


def _signature(function: Callable[..., object], skip: int = 0) -> str:
    found = inspect.signature(function)
    parts, named = [], False
    for item in list(found.parameters.values())[skip:]:
        if item.kind is item.KEYWORD_ONLY and not named:
            named = True
            parts.append("*")
        if item.kind is item.VAR_KEYWORD:
            parts.append(f"**{item.name}: Options")
            continue
        default = "" if item.default is item.empty else f" = {item.default!r}"
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
