"""Write the pages of `docs/` that are made from the code (`make docs`); `--check` only compares."""

import pkgutil
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

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


def _first_line(kind: type[AuraError]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0].rstrip(".").replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {"cli-reference.md": cli_reference, "exit-codes.md": exit_codes}


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
