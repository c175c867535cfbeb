"""Write man pages and shell completions from the command line itself, into `share/` (`make dist` runs this).

    python scripts/generate_share.py [FOLDER]

The wheel carries them, so that an installation has `share/man/man1/aura*.1` and completions for bash,
zsh and fish where those shells look for them. Nothing in the folder is edited by hand or kept under version control.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from aura_vcs.cli.groups import LazyGroup
from aura_vcs.cli.installation import own_version
from aura_vcs.cli.main import cli

SHARE = Path(__file__).parent.parent / "share"
COMPLETIONS = {
    "bash": "bash-completion/completions/aura",
    "zsh": "zsh/site-functions/_aura",
    "fish": "fish/vendor_completions.d/aura.fish",
}


def pages() -> Iterator[tuple[str, str]]:
    """Yield the name of every man page, such as `aura-commit.1`, and its text."""
    yield from _pages(cli, None, ("aura",), "version control for video projects")


def _pages(
    command: click.Command, parent: click.Context | None, words: tuple[str, ...], short: str
) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command, parent=parent, info_name=words[-1], terminal_width=10_000, max_content_width=10_000
    )
    inner: list[tuple[str, str]] = []
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is None or found.hidden:
                continue
            about = command.catalog[name].help if isinstance(command, LazyGroup) else found.get_short_help_str(200)
            inner.append((name, about))
            yield from _pages(found, context, (*words, name), about)
    yield f"{'-'.join(words)}.1", _page(command, context, words, short, inner)


def _page(
    command: click.Command, context: click.Context, words: tuple[str, ...], short: str, inner: list[tuple[str, str]]
) -> str:
    name = "-".join(words)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [
        f'.TH "{name.upper()}" "1" "" "aura {own_version()}" "aura manual"',
        ".SH NAME",
        f"{_text(name)} \\- {_text(short)}",
        ".SH SYNOPSIS",
        f".B {_text(' '.join(words))}",
        _text(usage),
        ".SH DESCRIPTION",
        *_paragraphs(command.help or short),
        ".SH OPTIONS",
    ]
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            lines += [".TP", f"\\fB{_text(record[0])}\\fR", _text(record[1])]
    if inner:
        lines.append(".SH COMMANDS")
        for word, about in inner:
            lines += [".TP", f"\\fB{_text('-'.join((*words, word)))}\\fR(1)", _text(about)]
    if command.epilog:
        title, _, rest = command.epilog.replace("\b\n", "").partition("\n")
        lines += [
            f".SH {title.rstrip(':').upper()}",
            ".nf",
            *(_text(line.strip()) for line in rest.splitlines()),
            ".fi",
        ]
    if len(words) > 1:
        lines += [".SH SEE ALSO", f"\\fB{_text('-'.join(words[:-1]))}\\fR(1)"]
    return "\n".join(lines) + "\n"


def _paragraphs(help_text: str) -> Iterator[str]:
    """Yield the lines of a help text: paragraphs flow, but for those that click is told to leave alone."""
    for paragraph in re.split(r"\n\s*\n", help_text.strip()):
        lines = paragraph.splitlines()
        yield ".PP"
        if lines[0].strip() == "\b":
            yield ".nf"
            yield from (_text(line.rstrip()) for line in lines[1:])
            yield ".fi"
        else:
            yield _text(" ".join(line.strip() for line in lines))


def _text(text: str) -> str:
    """Return text as roff takes it: no escapes, no hyphens that are not typed so, no requests at the start."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("\b", "")
    escaped = "".join(sign if sign.isascii() else f"\\[u{ord(sign):04X}]" for sign in plain)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def completion(shell: str) -> str:
    """Return the file that makes Tab complete in a shell that loads it by its name."""
    command = [sys.executable, "-P", "-m", "aura_vcs", "completion", shell]
    text = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    first, _, rest = text.partition("\n")
    return rest if first.startswith("# ") else text  # the first line says where it goes; for zsh, #compdef comes first


def main() -> None:
    """Write everything."""
    share = Path(sys.argv[1]) if len(sys.argv) > 1 else SHARE
    man = share / "man" / "man1"
    man.mkdir(parents=True, exist_ok=True)
    for name, text in pages():
        (man / name).write_text(text, "utf-8")
    for shell, place in COMPLETIONS.items():
        (share / place).parent.mkdir(parents=True, exist_ok=True)
        (share / place).write_text(completion(shell), "utf-8")
    print(f"wrote {len(list(man.iterdir()))} man pages and {len(COMPLETIONS)} completions to {share}")


if __name__ == "__main__":
    main()
