"""Groups of commands that import a command only when it is used, and suggest the near word."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
import msgspec

from aura_vcs.progress import hold_back

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMAND = "aura.command"
"""Where a context's `meta` has the command that was named: click's parser does not say whose option is wrong."""


class CommandEntry(msgspec.Struct, frozen=True):
    """A command that is not imported yet: where it is, its line of help, and its section."""

    module: str
    attribute: str
    help: str
    section: str = "Commands"


class LazyGroup(click.Group):
    """A group whose commands are named in a catalog and imported when they are used."""

    def __init__(
        self, *args: Any, catalog: Mapping[str, CommandEntry], aliases: Mapping[str, str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.catalog = catalog
        self.aliases = aliases or {}
        """Other words for commands; lists name them beside the command's own."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """List all names, in the catalog's order."""
        return list(self.catalog)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command now; return None if there is none."""
        entry = self.catalog.get(self.aliases.get(cmd_name, cmd_name))
        if entry is None:
            return None
        with hold_back():
            command = getattr(import_module(entry.module), entry.attribute)
        assert isinstance(command, click.Command)
        return command

    def hidden_sections(self, ctx: click.Context) -> frozenset[str]:  # noqa: ARG002 (for those who have some)
        """Return the sections that the list in `--help` leaves out here, and names in one line."""
        return frozenset()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list in `--help`, section by section, without importing anything."""
        hidden = self.hidden_sections(ctx)
        width = max(len(name) for name in self.catalog)
        sections: dict[str, list[tuple[str, str]]] = {}
        others = {name: f" (or `{alias}`)" for alias, name in self.aliases.items()}
        for name, entry in self.catalog.items():
            line = f"{entry.help}{others.get(name, '')}"
            sections.setdefault(entry.section, []).append((name.ljust(width), line))
        for section, rows in sections.items():
            if section not in hidden:
                with formatter.section(section):
                    formatter.write_dl(rows)
        left = [name.strip() for section in hidden for name, _ in sections.get(section, ())]
        if left:
            formatter.write_paragraph()
            formatter.write_text(
                f"For projects with scenes and documents also: {', '.join(left)}. See `aura help all`."
            )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete commands, other words for them, and options; without importing a command."""
        from click.shell_completion import CompletionItem

        listed = {name: entry.help for name, entry in self.catalog.items()}
        others = {alias: listed[name] for alias, name in self.aliases.items()}
        words = {**listed, **others}
        found = [CompletionItem(word, help=text) for word, text in words.items() if word.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names.

        Raises:
            UsageError: there is none; suggests near ones.
        """
        known = args[0] in self.catalog or args[0] in self.aliases
        if not known and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise unknown_command(ctx, args[0], list(self.catalog))
        ctx.meta[COMMAND] = f"{ctx.command_path} {args[0]}"
        return super().resolve_command(ctx, args)


@contextmanager
def naming_the_command(ctx: click.Context) -> Iterator[None]:
    """Let an error of the command line know the command that it is about."""
    try:
        yield
    except click.UsageError as error:
        if error.ctx is None and COMMAND in ctx.meta:
            error.command_path = ctx.meta[COMMAND]  # type: ignore[attr-defined]
        raise


def unknown_command(ctx: click.Context, name: str, known: Sequence[str]) -> click.UsageError:
    """Build the error for a command that does not exist."""
    from aura_vcs.suggestions import suggest

    if ctx.parent is None and (advice := _advice(name, known)):
        return click.UsageError(f"There is no command {ctx.command_path} {name}.{advice}", ctx=ctx)
    found = suggest(name, known)
    suggestion = f" Did you mean {', '.join(f'`{ctx.command_path} {word}`' for word in found)}?" if found else ""
    return click.UsageError(f"There is no command {ctx.command_path} {name}.{suggestion}", ctx=ctx)


def _advice(name: str, known: Sequence[str]) -> str:
    from aura_vcs.cli.familiar_commands import advice_for

    return advice_for(name, frozenset(known))


class FileGroup(LazyGroup):
    """A group whose commands are in its own file: they are small, and belong together."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, catalog={}, **kwargs)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Take a command in, and its line of help into the catalog."""
        super().add_command(cmd, name)
        line = (cmd.help or "").strip().splitlines()[0]
        self.catalog = {**self.catalog, name or cmd.name or "": CommandEntry("", "", line)}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command; None if there is none."""
        return click.Group.get_command(self, ctx, cmd_name)


class ShorthandGroup(LazyGroup):
    """A group that is a command as well: bare it lists, with a name it creates, `-d` deletes.

    `shorthands` maps options to the names of commands; `bare` is the command for no argument at
    all, `otherwise` the one for an argument that is not a command.
    """

    def __init__(
        self, *args: Any, shorthands: Mapping[str, str], bare: str = "list", otherwise: str = "create", **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.shorthands = shorthands
        self.bare = bare
        self.otherwise = otherwise
        self.no_args_is_help = False

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Turn the short forms into the commands they stand for."""
        if "--help" not in args[:1]:
            words = [arg for arg in args if not arg.startswith("-")]
            option = next((arg for arg in args if arg in self.shorthands), None)
            if option is not None and (not words or words[0] not in self.catalog):
                args.remove(option)
                args.insert(0, self.shorthands[option])
            elif not words:
                args.insert(0, self.bare)
            elif words[0] not in self.catalog:
                args.insert(0, self.otherwise)
            elif args[0] != words[0]:  # options of the command that stand before its name
                args.remove(words[0])
                args.insert(0, words[0])
        return super().parse_args(ctx, args)
