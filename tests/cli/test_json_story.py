"""docs/json-studio.md against the code: the whole story is run, and every sample has what is printed."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from aura_vcs.cli.main import cli

from tests.helpers.scripts import load_script

STORY = load_script("json_story")
PAGES = [STORY.PAGE, STORY.PAGE.parent / "json.md"]


def test_the_story_prints_what_the_page_says(quick_path: Path) -> None:
    """Each command of the page, in order, prints the same keys with the same types."""
    pytest.importorskip("av", reason="the extra 'media' is not installed")
    text = STORY.PAGE.read_text("utf-8")
    known = STORY.samples(text)
    commands = 0
    for command, printed in STORY.story(text, quick_path.resolve()):
        assert STORY.shape(STORY.cut(printed)) == STORY.shape(known[command]), command
        commands += 1
    assert commands == len(known)


def commands_with_json(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command that has the option, as it is typed."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from commands_with_json(inner, (*words, name))
    elif any("--json" in parameter.opts for parameter in command.params):
        yield " ".join(words)


def test_every_command_is_on_a_page() -> None:
    """What `--json` prints is documented for all of them."""
    text = "".join(page.read_text("utf-8") for page in PAGES)
    unnamed = [name for name in commands_with_json(cli) if f"`aura {name}" not in text and f"`{name}`" not in text]
    assert unnamed == []
