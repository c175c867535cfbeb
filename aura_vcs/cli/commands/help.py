"""`aura help`."""

import click

from aura_vcs.cli.options import HELP, completing, examples
from aura_vcs.cli.session import Session


@click.command(
    "help",
    context_settings=HELP,
    epilog=examples("aura help", "aura help all", "aura help commit", "aura help version edit"),
)
@click.argument("words", metavar="[COMMAND]...", nargs=-1, shell_complete=completing("command"))
@click.pass_context
def help_command(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Show how a command is used

    The same as `aura COMMAND --help`. Without a command, lists those that make sense here; `all` lists
    every one. For a word of git or another program, names the command that does it here.
    """
    inner = ctx.find_root()
    if words == ("all",):
        ctx.ensure_object(Session).whole_help = True
        words = ()
    for word in words:
        if not isinstance(inner.command, click.Group):
            raise click.UsageError(f"`{inner.command_path}` has no commands of its own.", ctx=inner)
        _, command, _ = inner.command.resolve_command(inner, [word])
        assert command is not None
        inner = click.Context(command, info_name=word, parent=inner)
    lines = inner.get_help().splitlines()
    ctx.ensure_object(Session).console.lines(([line] for line in lines), paged=True)
