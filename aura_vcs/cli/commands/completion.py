"""`aura completion`."""

import click

from aura_vcs.cli.main import COMPLETE_VARIABLE
from aura_vcs.cli.options import HELP, examples

_WHERE = {
    "bash": '# Put this into ~/.bashrc:  eval "$(aura completion bash)"\n'
    "COMP_WORDBREAKS=${COMP_WORDBREAKS//:}  # so that v3:brief.json is one word\n",
    "zsh": '# Put this into ~/.zshrc:  eval "$(aura completion zsh)"\n',
    "fish": "# Save this as ~/.config/fish/completions/aura.fish\n",
}

_ONE_WORD = ("COMPREPLY+=($value)", '[[ $value == *" "* ]] && printf -v value %q "$value"; COMPREPLY+=("$value")')
"""What click has in its script for bash, and what keeps a name with spaces one word there."""


@click.command(
    "completion",
    context_settings=HELP,
    epilog=examples('eval "$(aura completion bash)"', "aura completion fish > ~/.config/fish/completions/aura.fish"),
)
@click.argument("shell", type=click.Choice(sorted(_WHERE)))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the script with which Tab completes versions, branches, tags and files

    For bash, zsh or fish; the first line of the output says where it goes.
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    completion = kind(ctx.find_root().command, {}, "aura", COMPLETE_VARIABLE)
    source = completion.source_template % completion.source_vars()
    click.echo(_WHERE[shell] + source.replace(*_ONE_WORD))
